"""Recomputes golden/bessel.csv and golden/gig_moments.csv in arbitrary precision (mpmath).

    python3 golden/generate.py            # rewrites both tables from their argument columns
    python3 golden/generate.py --check    # recomputes, compares to the 20 digits stored, writes nothing

A few minutes on two cores. The argument columns (nu, z and p, a, b) are taken from the tables as they stand;
each argument is the double nearest to its decimal form. Nothing here shares a method with the Rust code:

* K_nu and all moments of the GIG law: the trapezoidal rule on the logarithmic axis for
  int exp(nu t - z cosh t) dt, shifted to its saddle, the step halved until two sums agree to 36 digits;
* I_nu: the power series (DLMF 10.25.2), summed outward from its largest term in 256-bit fixed point.
"""

import csv
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from mpmath import asinh, cosh, exp, floor, log, loggamma, mp, mpf, nstr, sqrt

HERE = Path(__file__).parent
mp.prec = 256
AGREE = mpf(10) ** -36
CUT = 120  # integrands below e^-120 of their peak are left out


def edge(f, direction):
    """A point in the given direction beyond which the concave f < -CUT, to a tenth."""
    low, high = mpf(0), mpf(1) / 64
    while f(direction * high) > -CUT:
        low, high = high, 2 * high
    while high - low > high / 10:
        middle = (low + high) / 2
        low, high = (middle, high) if f(direction * middle) > -CUT else (low, middle)
    return direction * high


def trapezoid(f, weights):
    """int w(x) e^{f(x)} dx for each w, with f concave, f(0) = 0 its maximum."""
    left, right = edge(f, -1), edge(f, 1)
    h = (right - left) / 64
    nodes = [left + i * h for i in range(65)]
    sums = [mpf(0)] * len(weights)
    last = None
    for _ in range(20):
        for x in nodes:
            e = exp(f(x))
            sums = [s + w(x) * e for s, w in zip(sums, weights)]
        values = [s * h for s in sums]
        if last and all(abs(v - l) <= AGREE * abs(v) for v, l in zip(values, last)):
            return values
        last = values
        nodes = [left + (i + mpf(1) / 2) * h for i in range(int(floor((right - left) / h + mpf(1) / 2)))]
        h /= 2
    raise ArithmeticError("the trapezoidal rule did not settle")


def log_k_and_ratio(nu, z):
    saddle = asinh(nu / z)
    peak = nu * saddle - z * cosh(saddle)
    integral, shifted = trapezoid(
        lambda x: nu * (saddle + x) - z * cosh(saddle + x) - peak, [lambda x: mpf(1), lambda x: exp(x)]
    )
    return log(integral / 2) + peak, exp(saddle) * shifted / integral


def log_i(nu, z):
    q = z * z / 4
    k = max(int(floor((sqrt(nu * nu + z * z) - nu) / 2)), 0)
    peak = (nu + 2 * k) * log(z / 2) - loggamma(k + 1) - loggamma(nu + k + 1)
    one = 1 << 320
    q_fixed, nu_fixed = int(q * one), int(nu * one)
    small = one >> 200
    total, term, j = one, one, k
    while term > small:
        j += 1
        term = term * q_fixed // (j * (j * one + nu_fixed))
        total += term
    term, j = one, k
    while j > 0 and term > small:
        term = term * (j * (j * one + nu_fixed)) // q_fixed
        total += term
        j -= 1
    return peak + log(mpf(total) / one)


def bessel(row):
    nu, z = mpf(float(row[0])), mpf(float(row[1]))
    log_k, ratio_k = log_k_and_ratio(nu, z)
    here, above = log_i(nu, z), log_i(nu + 1, z)
    ratio_i = exp(above - here)
    # The Wronskian ties the two routes together: I_nu K_{nu+1} + I_{nu+1} K_nu = 1/z.
    assert abs(exp(here + log_k) * (ratio_k + ratio_i) * z - 1) < mpf(10) ** -30, row
    return row[:2] + [digits(v) for v in (log_k, ratio_k, here, ratio_i)]


def gig(row):
    p, a, b = (mpf(float(v)) for v in row[:3])
    root = sqrt(p * p + a * b)
    mode = (p + root) / a if p >= 0 else b / (root - p)
    f = lambda x: p * x - (a * mode * (exp(x) - 1) + b / mode * (exp(-x) - 1)) / 2
    # Moments of T/mode - 1, so that the variance keeps its digits.
    offset = lambda x: exp(x) - 1
    mass, first, second, inverse = trapezoid(f, [lambda x: mpf(1), offset, lambda x: offset(x) ** 2, lambda x: exp(-x)])
    first, second, inverse = first / mass, second / mass, inverse / mass
    return row[:3] + [digits(v) for v in (mode * (1 + first), inverse / mode, mode**2 * (second - first**2))]


def digits(value):
    """20 significant digits as d.ddde+XX."""
    mantissa, _, exponent = nstr(value, 20, strip_zeros=False, min_fixed=1, max_fixed=0).partition("e")
    exponent = int(exponent or 0)
    return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def agree(old, new):
    return all(abs(mpf(o) - mpf(n)) <= abs(mpf(n)) * mpf(10) ** -19 for o, n in zip(old, new))


def main():
    check = "--check" in sys.argv[1:]
    for name, function in (("bessel.csv", bessel), ("gig_moments.csv", gig)):
        with open(HERE / name, newline="") as file:
            header, *rows = csv.reader(file)
        with ProcessPoolExecutor() as pool:
            new = list(pool.map(function, rows, chunksize=8))
        wrong = [(o, n) for o, n in zip(rows, new) if not agree(o, n)]
        print(f"{name}: {len(rows)} rows, {len(wrong)} differ from the stored table")
        for old, recomputed in wrong[:10]:
            print("  stored    ", old, "\n  recomputed", recomputed)
        if check:
            continue
        with open(HERE / name, "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *new])


if __name__ == "__main__":
    main()
