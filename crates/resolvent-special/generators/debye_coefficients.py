"""Writes src/debye/coefficients.rs: the logarithm of the Debye expansion in exact rationals, rounded once.

With s = sqrt(nu^2 + z^2) and y = (nu/s)^2 the terms of DLMF 10.41.3-4 are U_k(nu/s) / nu^k = u_k(y) / s^k, and

    log sum_k u_k(y) t^k = sum_{k >= 1} d_k(y) t^k,        t = 1/s for I, t = -1/s for K.

The derivative along z needs e_k(y) = k d_k(y) + 2 y d_k'(y).  Standard library only:

    python3 generators/debye_coefficients.py > src/debye/coefficients.rs
"""

import sys
from fractions import Fraction

ORDER = 17


def polynomials(order):
    """U_k(p), k = 0..order, as coefficient lists in p (DLMF 10.41.9)."""
    u = [[Fraction(1)]]
    for _ in range(order):
        last = u[-1]
        new = [Fraction(0)] * (len(last) + 3)
        for i, c in enumerate(last):
            new[i + 1] += c * (Fraction(i, 2) + Fraction(1, 8 * (i + 1)))
            new[i + 3] -= c * (Fraction(i, 2) + Fraction(5, 8 * (i + 3)))
        u.append(new)
    return u


def multiply(a, b):
    product = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            product[i + j] += x * y
    return product


def logarithm(order):
    """d_k(y), k = 1..order: k u_k = sum_{j=1..k} j d_j u_{k-j}."""
    u = []
    for k, poly in enumerate(polynomials(order)):
        assert all(c == 0 for i, c in enumerate(poly) if i < k or (i - k) % 2)
        u.append(poly[k::2])
    d = [None]
    for k in range(1, order + 1):
        total = [Fraction(k) * c for c in u[k]]
        for j in range(1, k):
            for i, c in enumerate(multiply(d[j], u[k - j])):
                total[i] -= j * c
        d.append([c / k for c in total])
    return d[1:]


def main():
    table = logarithm(ORDER)
    print("//! Coefficients of the logarithm of the Debye expansion, rounded once from exact rationals.")
    print("//!")
    print("//! Written by `python3 generators/debye_coefficients.py > src/debye/coefficients.rs`; do not edit.")
    print()
    print("/// Number of terms in the table.")
    print(f"pub(super) const ORDER: usize = {ORDER};")
    print()
    print("/// Entry `offset(k) + j` holds the coefficients of y^j in d_k and in e_k = k d_k + 2 y d_k'.")
    print("#[rustfmt::skip]")
    print("#[allow(clippy::excessive_precision)]")
    print(f"pub(super) static COEFFICIENTS: [[f64; 2]; {sum(k + 1 for k in range(1, ORDER + 1))}] = [")
    for k, row in enumerate(table, start=1):
        print(f"    // k = {k}")
        for j, c in enumerate(row):
            print(f"    [{float(c)!r}, {float((k + 2 * j) * c)!r}],")
    print("];")
    if "--bounds" in sys.argv:
        for k, row in enumerate(table, start=1):
            e = [float((k + 2 * j) * c) for j, c in enumerate(row)]
            top = max(abs(sum(c * (i / 200) ** j for j, c in enumerate(e))) for i in range(201))
            print(k, top, (top * 2**54) ** (1 / k), file=sys.stderr)


if __name__ == "__main__":
    main()
