#!/usr/bin/env python3
"""Reference values of the smoothed Green kernel, written to smoothed_green.csv.

G^h(rho) = int_0^inf e^{-rt} N(rho; (h^2 + sigma^2 t) I_d) dt over the time itself, by mpmath's tanh-sinh rule with 40 digits:
another variable and another rule than in the library. The gain is the mean of 1/(h^2 + sigma^2 t), the lifetime that of t.

    python3 smoothed_green.py > smoothed_green.csv
"""

from mpmath import exp, inf, log, mp, mpf, pi, quad, sqrt

mp.dps = 40

CASES = [
    (1, "1", "0.5", "0.3", "0"),
    (1, "0.7", "0.2", "2", "1.5"),
    (2, "1", "0.02", "0.01", "0.05"),
    (2, "1.3", "0.02", "0.5", "4"),
    (3, "1", "0.5", "0.2", "0.7"),
    (5, "2", "0.1", "0.4", "0"),
    (8, "1", "0.5", "1", "2.2"),
    (32, "0.5", "0.02", "0.3", "1.6"),
    (784, "1", "0.01", "1.3", "18"),
    (784, "1", "0.01", "0.7", "19.5"),
    (784, "1", "0.01", "0.7", "0"),
    (784, "1", "0.01", "0.3", "30"),
]


def moments(d, sigma, rate, bandwidth, rho):
    nu = mpf(d) / 2 - 1
    # The mode of the integrand over s = h^2 + sigma^2 t, and pieces around it as wide as its curvature says.
    k = rate / sigma**2
    mode = max((rho**2 / 2) / (nu + 1 + sqrt((nu + 1) ** 2 + 2 * k * rho**2)) * 2, bandwidth**2)
    start = (mode - bandwidth**2) / sigma**2
    curvature = sqrt(rho**2 / mode + (nu + 1) + 1)
    unit = mode / curvature / sigma**2

    def log_integrand(t):
        s = bandwidth**2 + sigma**2 * t
        return -rate * t - rho**2 / (2 * s) - mpf(d) / 2 * log(2 * pi * s)

    peak = log_integrand(start)
    cuts = sorted({mpf(0), *(start + unit * m for m in (-30, -12, -6, -3, -1.5, 0, 1.5, 3, 6, 12, 30, 100, 1000, 1e5, 1e7)
                             if start + unit * m > 0)})
    cuts.append(inf)
    def integral(g):
        return quad(lambda t: g(t) * exp(log_integrand(t) - peak), cuts)
    mass = integral(lambda t: 1)
    gain = integral(lambda t: 1 / (bandwidth**2 + sigma**2 * t)) / mass
    time = integral(lambda t: t) / mass
    return peak + log(mass), gain, time


print("d,sigma,rate,bandwidth,rho,log_value,gain,lifetime")
for d, *rest in CASES:
    values = moments(d, *map(mpf, rest))
    print(",".join([str(d), *rest, *(mp.nstr(v, 20) for v in values)]))
