"""The uniform (Debye) expansion of log K_nu(z), DLMF 10.41.4, at one order nu, as a polynomial in p = nu/s, s =
sqrt(nu^2 + z^2).

    log(z^nu K_nu(z)) = 1/2 log(pi/(2 s)) - s + nu log(nu + s) + F(p),        F = log(1 + sum_k (-1)^k U_k(p)/nu^k)
    z R_nu(z)         = nu + s + (1 - p^2) (1/2 + p F'(p)),                   R_nu = K_{nu+1}/K_nu

F is cut behind nu^-terms; its powers of p are collected in exact rationals and rounded once.
"""

from fractions import Fraction


def multiply(a, b):
    out = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[i + j] += x * y
    return out


def expansion(terms):
    """U_0(p) to U_terms(p) (DLMF 10.41.9), each a list of the coefficients of 1, p, p^2, ..."""
    rows = [[Fraction(1)]]
    for _ in range(terms):
        row = [Fraction(0)] * (len(rows[-1]) + 3)
        for i, c in enumerate(rows[-1]):
            row[i + 1] += c * (Fraction(i, 2) + Fraction(1, 8 * (i + 1)))
            row[i + 3] -= c * (Fraction(i, 2) + Fraction(5, 8 * (i + 3)))
        rows.append(row)
    return rows


def logarithm(nu, terms):
    """The coefficients of p, p^2, ... in F(p), and those in p F'(p)."""
    sums = [Fraction(0)] * (3 * terms + 1)
    u, logs = expansion(terms), [None]
    for k in range(1, terms + 1):
        # k u_k = sum_{j=1..k} j l_j u_{k-j}, the logarithm of a power series.
        row = [k * c for c in u[k]]
        for j in range(1, k):
            for i, c in enumerate(multiply(logs[j], u[k - j])):
                row[i] -= j * c
        logs.append([c / k for c in row])
        for i, c in enumerate(logs[k]):
            sums[i] += c / Fraction(-nu) ** k
    return [float(c) for c in sums[1:]], [float(i * c) for i, c in enumerate(sums) if i > 0]


def horner(coefficients, p):
    """c_1 p + c_2 p^2 + ..."""
    total = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = total * p + c
    return total * p
