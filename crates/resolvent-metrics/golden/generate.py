"""Writes the reference tables of this folder with SciPy: python generate.py (numpy 2, scipy 1.11 or newer)."""

from pathlib import Path

import numpy as np
from scipy import stats
from scipy.spatial.distance import cdist, pdist

FOLDER = Path(__file__).parent


def write(name, header, rows):
    lines = [header] + [",".join(str(cell) for cell in row) for row in rows]
    (FOLDER / name).write_text("\n".join(lines) + "\n")


def text(values):
    return " ".join(repr(v) for v in np.asarray(values).tolist())


def ks_below(n, d):
    """P(D_n < d): a Poisson path of rate n stays inside the band, given that it ends at n."""
    rises = [(j / n - d, 0, j) for j in range(n + 1)]  # from here on count j is below the upper border
    rises += [(j / n + d, 1, j) for j in range(n + 1)]  # from here on count j is below the lower border
    time, state = 0.0, np.zeros(n + 1)
    state[0] = 1.0
    upper = max(j for at, is_lower, j in rises if not is_lower and at <= 0.0)
    for at, is_lower, j in sorted(rise for rise in rises if 0.0 < rise[0] < 1.0):
        state = np.convolve(state, stats.poisson.pmf(np.arange(n + 1), n * (at - time)))[: n + 1]
        state[upper + 1 :] = 0.0
        if is_lower:
            state[: j + 1] = 0.0
        else:
            upper = max(upper, j)
        time = at
    state = np.convolve(state, stats.poisson.pmf(np.arange(n + 1), n * (1.0 - time)))[: n + 1]
    return state[n] / stats.poisson.pmf(n, n)


def ks_law():
    for n in (1, 2, 5, 10, 37, 100, 256, 257, 500, 1000, 10000):
        for x in (0.3, 0.52, 0.8, 1.01, 1.3, 1.63, 1.95, 2.1, 2.5):
            d = x / n**0.5
            if d < 1.0:
                truth = float(stats.kstwo.sf(d, n))
                if n <= 256:
                    # SciPy approximates from n = 140 on.
                    exact = 1.0 - ks_below(n, d)
                    assert abs(exact - truth) < 1e-5, (n, d, exact, truth)
                    truth = float(exact) if truth > 1e-3 else truth
                yield n, repr(d), repr(truth)


def two_sample_law():
    for m, n in ((10, 10), (11, 40), (40, 40), (57, 40), (300, 200), (301, 200), (500, 500)):
        lcm = int(np.lcm(m, n))
        for x in (0.5, 0.7, 0.9, 1.2, 1.5, 1.9):
            steps = int(np.ceil(x * (1 / m + 1 / n) ** 0.5 * lcm))
            # inside[j]: share of the orderings of i points of one sample and j of the other that stay below.
            inside = np.zeros(n + 1)
            for i in range(m + 1):
                for j in range(n + 1):
                    if abs(i * (lcm // m) - j * (lcm // n)) >= steps:
                        inside[j] = 0.0
                    elif i + j == 0:
                        inside[j] = 1.0
                    else:
                        left = inside[j - 1] * j if j > 0 else 0.0
                        inside[j] = (inside[j] * i + left) / (i + j)
            yield m, n, steps, lcm, repr(float(1.0 - inside[n]))


def chi_square(rng):
    for cells, n in ((2, 50), (5, 400), (30, 3000), (1000, 20000)):
        p = rng.dirichlet(np.full(cells, 20.0))
        for q in (p, rng.dirichlet(np.full(cells, 20.0))):
            counts = rng.multinomial(n, q)
            test = stats.chisquare(counts, n * p)
            yield text(counts), text(p), repr(float(test.statistic)), repr(float(test.pvalue))


def two_samples(rng):
    for n, m, digits in ((7, 7, 15), (9, 4, 15), (23, 40, 15), (30, 17, 0), (64, 5, 1)):
        a = rng.normal(size=n).round(digits)
        b = rng.normal(0.7, 1.5, size=m).round(digits)
        statistic = stats.ks_2samp(a, b, method="asymp").statistic
        energy = 2 * cdist(a[:, None], b[:, None]).mean() - pdist(a[:, None]).mean() - pdist(b[:, None]).mean()
        w1 = stats.wasserstein_distance(a, b)
        # Repeating every point makes the samples equally long, and the coupling that of the sorted values.
        w2 = np.sqrt(np.mean((np.sort(np.repeat(a, m)) - np.sort(np.repeat(b, n))) ** 2))
        yield text(a), text(b), *(repr(float(v)) for v in (statistic, energy, w1, w2))


if __name__ == "__main__":
    rng = np.random.default_rng(20250731)
    write("ks_law.csv", "n,statistic,p_value", ks_law())
    write("two_sample_law.csv", "m,n,steps,lcm,p_value", two_sample_law())
    write("chi_square.csv", "counts,probabilities,statistic,p_value", chi_square(rng))
    write("two_samples.csv", "a,b,ks,energy,w1,w2", two_samples(rng))
