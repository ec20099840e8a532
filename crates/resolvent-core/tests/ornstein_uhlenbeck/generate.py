"""Recomputes green.csv, the Green kernel of the killed Ornstein-Uhlenbeck process, in arbitrary precision (mpmath).

    python3 generate.py            # writes the table
    python3 generate.py --check    # recomputes it, compares to the digits stored, writes nothing

A few minutes on two cores. For dX = -theta X dt + sigma dW killed at the rate r, a row holds log G_r(y -> x), the logarithm of
int_0^inf e^{-rt} N(x; y e^{-theta t}, v(t) I) dt with v(t) = sigma^2 (1 - e^{-2 theta t})/(2 theta), and the gradient in x of
the logarithm of g_r(x, y) = G_r(y -> x)/m(x), m the stationary density. The columns x and y list coordinates that are
repeated in turn up to the dimension, and the gradient is listed in the same way; every number is the double nearest to its
decimal form.

The integral is taken panel by panel in log t by Gauss-Legendre rules of two orders, halving the panels until the two agree
to 50 digits. Where a closed form is known it must agree to 45: parabolic cylinder functions in dimension 1 (Borodin and
Salminen 2002, appendix 1.24), Kummer's U from or to the origin (DLMF 13.4.4).
"""

import csv
import itertools
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

from mpmath import exp, expm1, gamma, hyperu, log, loggamma, mp, mpf, nstr, pcfd, pi, sqrt

TABLE = Path(__file__).parent / "green.csv"
COLUMNS = ["dim", "theta", "sigma", "rate", "x", "y", "log_green", "gradient"]
mp.dps = 65
AGREE = mpf(10) ** -50
CUT = 140  # integrands below e^-140 of their peak are left out
ORDERS = (40, 56)
ROOT_2 = 2.0**0.5


@cache
def gauss_legendre(n):
    """Nodes and weights on [-1, 1]."""
    rule = []
    for k in range(n):
        x = mp.cos(pi * (k + mpf(3) / 4) / (n + mpf(1) / 2))
        for _ in range(12):
            before, value = mpf(1), x
            for j in range(2, n + 1):
                before, value = value, ((2 * j - 1) * x * value - (j - 1) * before) / j
            slope = n * (x * value - before) / (x * x - 1)
            x -= value / slope
        rule.append((x, 2 / ((1 - x * x) * slope * slope)))
    return rule


def integrals(dim, theta, sigma, rate, apart, along, yy):
    """Peak, and e^-peak int f (1, 1/v, p/v) dt for the integrand f of R6, p = 1 - q and q = e^{-theta t}.

    |x - q y|^2 comes from apart = |x - y|^2 and along = (x - y).y without cancellation, however small t is.
    """
    def parts(s):
        t = exp(s)
        p = -expm1(-theta * t)
        v = -sigma**2 * expm1(-2 * theta * t) / (2 * theta)
        square = apart + p * (2 * along + p * yy)
        return s - rate * t - mpf(dim) / 2 * log(2 * pi * v) - square / (2 * v), p, v

    # The logarithm of the integrand on a lattice fine enough to show its peak, then its edges.
    centre = -log(rate)
    mesh = min(mpf(1) / 4, 1 / sqrt(mpf(dim)))
    # Only in dimension 1 may x and y meet, and there the integrand falls off like e^{s/2}.
    depth = 90 if apart > 0 else 3 * CUT
    lattice = [centre - k * mesh for k in range(int(-30 / mesh), int(depth / mesh))]
    levels = [parts(s)[0] for s in lattice]
    peak = max(levels)
    inside = [s for s, level in zip(lattice, levels) if level > peak - CUT]
    low, high = min(inside) - mesh, max(inside) + mesh
    assert low > min(lattice) and high < max(lattice), "the lattice is too short"

    def total(panels, order):
        half = (high - low) / panels / 2
        sums = [mpf(0)] * 3
        for panel in range(panels):
            middle = low + (2 * panel + 1) * half
            for node, weight in gauss_legendre(order):
                level, p, v = parts(middle + half * node)
                if level > peak - 2 * CUT:
                    e = half * weight * exp(level - peak)
                    sums = [sums[0] + e, sums[1] + e / v, sums[2] + e * p / v]
        return sums

    panels = int((high - low) / max(2 * mesh, mpf(1) / 4)) + 1
    for _ in range(8):
        coarse, fine = (total(panels, order) for order in ORDERS)
        if all(abs(a - b) <= AGREE * abs(b) for a, b in zip(coarse, fine)):
            return peak, fine
        panels *= 2
    raise ArithmeticError("the quadrature did not settle")


def closed_form(dim, theta, sigma, rate, xx, xy, yy, x, y):
    """log G_r(y -> x), or None. In units with theta = 1, sigma^2 = 2; a place of dimension dim, a time of theta."""
    scale, r = sqrt(2 * theta) / sigma, rate / theta
    unit = dim * log(scale) - log(theta)
    if dim == 1:
        a, b = scale * mpf(x[0]), scale * mpf(y[0])
        high, low = max(a, b), min(a, b)
        value = gamma(r) / sqrt(2 * pi) * exp((b * b - a * a) / 4) * pcfd(-r, high) * pcfd(-r, -low)
        return unit + log(value)
    if xx == 0 or yy == 0:
        square = scale**2 * (xx + yy)
        log_g = loggamma(r / 2) - log(2) + log(hyperu(r / 2, mpf(dim) / 2, square / 2))
        return unit - mpf(dim) / 2 * log(2 * pi) - scale**2 * xx / 2 + log_g
    return None


def product(dim, x, y):
    period = len(x)
    return sum(mpf(x[i]) * mpf(y[i]) * len(range(i, dim, period)) for i in range(period))


def compute(row):
    dim, (theta, sigma, rate), x, y = row[0], map(mpf, row[1:4]), row[4], row[5]
    xx, xy, yy = product(dim, x, x), product(dim, x, y), product(dim, y, y)
    away = [mpf(a) - mpf(b) for a, b in zip(x, y)]
    apart, along = product(dim, away, away), product(dim, away, y)
    peak, (mass, inverse, lost) = integrals(dim, theta, sigma, rate, apart, along, yy)
    log_green = peak + log(mass)
    exact = closed_form(dim, theta, sigma, rate, xx, xy, yy, x, y)
    if exact is not None:
        assert abs(exact - log_green) < mpf(10) ** -45 * max(1, abs(exact)), (row, exact, log_green)
    # x - q y = (x - y) + p y: at x = y, a kink in dimension 1, this is the mean of the derivatives on either side.
    gradient = [
        2 * theta / sigma**2 * mpf(a) - (c * inverse + mpf(b) * lost) / mass for a, b, c in zip(x, y, away)
    ]
    lists = [" ".join(map(repr, v)) for v in (x, y)]
    return [*row[:4], *lists, nstr(log_green, 30), " ".join(nstr(g, 30) for g in gradient)], exact is not None


def arguments():
    rates = [1e-3, 0.1, 1.0, 10.0]
    # Parabolic cylinder functions.
    pairs = [
        (0.0, 0.0), (0.5, 0.5), (-6.0, -6.0), (6.0, 5.0), (6.0, -6.0), (-6.0, 6.0), (1.25, 1.250001), (0.3, -2.5),
        (-2.5, 0.3), (4.0, 0.0), (0.0, 6.0), (1e-9, -1e-9), (-5.5, -0.75),
    ]
    for (x, y), rate in itertools.product(pairs, rates):
        yield 1, 1.0, ROOT_2, rate, [x], [y]
    # Kummer's function, from the origin and to it.
    for dim, rate in itertools.product([1, 3, 10, 784], rates):
        for size in [0.001, 0.25, 1.0, 3.0]:
            coordinate = size if dim == 784 else round(size * 2.0, 3)
            yield dim, 1.0, ROOT_2, rate, [0.0], [coordinate]
        yield dim, 1.0, ROOT_2, rate, [1.5], [0.0]
    # Any pair.
    rng = random.Random(1)
    place = lambda n: [round(rng.uniform(-6, 6), 3) for _ in range(n)]
    for dim, (theta, sigma, rate) in itertools.product([2, 3, 10], [(0.5, 0.75, 1e-3), (2.0, 1.5, 0.3), (1.0, 1.25, 10.0)]):
        for _ in range(3):
            yield dim, theta, sigma, rate, place(dim), place(dim)
        x = place(dim)
        for apart in [2.0**-30, 2.0**-7]:
            yield dim, theta, sigma, rate, x, [v + apart for v in x]
        yield dim, theta, sigma, rate, x, [-v for v in x]
    for rate in [1e-3, 10.0]:
        yield 784, 1.0, ROOT_2, rate, place(8), place(8)
        x = place(8)
        yield 784, 1.0, ROOT_2, rate, x, [v + round(rng.uniform(-0.5, 0.5), 3) for v in x]
        x = [round(v / 4, 3) for v in place(8)]
        yield 784, 0.75, 1.5, rate, x, [round(v / 4, 3) for v in place(8)]


def main():
    rows = list(arguments())
    with ProcessPoolExecutor(2) as pool:
        results = list(pool.map(compute, rows, chunksize=4))
    table = [row for row, _ in results]
    print(len(table), "rows,", sum(exact for _, exact in results), "of them checked against a closed form")
    if "--check" in sys.argv:
        with TABLE.open() as file:
            stored = list(csv.reader(file))
        assert stored == [COLUMNS] + [[str(v) for v in row] for row in table], "the table has changed"
        return
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(table)


if __name__ == "__main__":
    main()
