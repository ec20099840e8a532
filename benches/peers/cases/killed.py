"""`killed`: the backward process of killed Brownian motion in R^32, started at one point, by bridge steps until each
particle is dead.

r = 0.05, sigma = 1, a = sqrt(2 r), nu = d/2 - 1 = 15; 1,000 atoms y_i (standard normal) of equal weight; all particles
start at x0 (1.5 times standard normal). A turn of a living particle at x, counted as one evaluation:

    w_i = softmax_i(log G(|x - y_i|)), g = sum_i w_i g_i, v = sum_i w_i g_i y_i / g - x     (G, g_i: see `score-few`)
    rho solves a R_nu(a rho)/rho = g;   tau = rho^2/(d + a^2/g);   S^2 = max(rho^2 - |v|^2, 0)
    dt = max(eta tau/(1 + g^2 S^2 tau), delta^2/d),   eta = 0.2, delta = 0.01 times the smallest gap between atoms
    zeta ~ GIG(1 - d/2, 2 r, rho^2): where zeta <= dt it dies, at x + v, zeta later;
    else x <- x + (dt/zeta) v + sqrt(dt (1 - dt/zeta)) N(0, I), dt later

In JAX the particles go in batches with a place for each; who dies makes room for the next, so that no place is idle but
at the very end. log K and R by seven terms of the Debye expansion (absolute and relative error below 1e-10 at every z).
The lifetime: b/2 over a Gamma(15) variable has the law GIG(-15, 0, b), and is accepted with probability e^{-r zeta}. A
run is some thousand particles, for which the rate is that of 100,000.

`evaluations` is the mean number for a particle. It varies by a tenth from one draw of the atoms and the start to
another, so both come from a generator that is easily written anywhere. `lifetime` is the mean with its standard error,
`exact_lifetime` that of the law (R11), `error` their relative difference: about 0.013, by which the steps err at this
eta (at eta = 0.05 it is within its standard error, 0.005).
"""

import math

import numpy as np

from common import Bench
from cases.debye import horner, logarithm

DIM, ATOMS, RATE, ETA, RESOLUTION = 32, 1_000, 0.05, 0.2, 0.01
NU, A2, TERMS = DIM // 2 - 1, 2 * RATE, 7
PARTICLES = 4_096  # of one run
BATCH = 64  # the fastest of 32 to 20,000 on one core
NEWTON = 4  # steps to rho, from a start that is a few per cent off: quadratic, full precision after three


def standard_normals(count, seed):
    """SplitMix64 and the Box-Muller transform. Number k = 1, 2, ... of the generator is the state seed + k INCREMENT,
    mixed; u = (its upper 53 bits + 1/2) 2^-53. Each pair (u, v) gives sqrt(-2 log u) times cos 2 pi v, and then
    times sin 2 pi v."""
    state = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    u, v = (((state >> np.uint64(11)).astype(float) + 0.5) * 2.0**-53).reshape(-1, 2).T
    turn = 2 * math.pi * v
    return (np.sqrt(-2 * np.log(u)) * np.stack([np.cos(turn), np.sin(turn)])).T.reshape(-1)


def problem():
    """Atoms, start, delta."""
    numbers = standard_normals((ATOMS + 1) * DIM, seed=1)
    atoms, start = numbers[:-DIM].reshape(ATOMS, DIM), 1.5 * numbers[-DIM:]
    squares = ((atoms[:, None] - atoms[None]) ** 2).sum(2)
    np.fill_diagonal(squares, np.inf)
    return atoms, start, RESOLUTION * math.sqrt(squares.min())


def log_kernel(m, q, series):
    """log(G sqrt(s)) but for a constant, and s = sqrt(nu^2 + a^2 q), at the squared distance q."""
    s = m.sqrt(NU * NU + A2 * q)
    return NU * m.log((NU + s) / q) - s + horner(series, NU / s), s


def z_ratio(s, slopes):
    """z R_nu(z), z^2 = s^2 - nu^2."""
    p = NU / s
    return NU + s + (1 - p * p) * (0.5 + horner(slopes, p))


def exact_lifetime(atoms, start):
    """sum_i w_i (z R_nu(z) - 2 nu)/a^2: the mean of R11 is (rho/a) K_{nu-1}/K_nu."""
    series, slopes = logarithm(NU, TERMS)
    log, s = log_kernel(np, ((atoms - start) ** 2).sum(1), series)
    weights = np.exp(log - log.max()) / np.sqrt(s)
    return float(weights @ (z_ratio(s, slopes) - 2 * NU) / weights.sum() / A2)


def jax_sampler(atoms, start, delta, particles):
    """A function of a key that runs so many particles: their number, and the sums of evaluations, lifetimes and their
    squares."""
    import jax
    import jax.numpy as jnp

    series, slopes = logarithm(NU, TERMS)
    atoms, start = jnp.asarray(atoms), jnp.asarray(start)
    norms, places = (atoms * atoms).sum(1), min(BATCH, particles)

    def score(x):
        q = jnp.maximum((x * x).sum(1, keepdims=True) + norms - 2 * (x @ atoms.T), 1e-30)
        log, s = log_kernel(jnp, q, series)
        # The kernel decreases: its value at the nearest atom is the largest, and no pass over the logarithms is needed.
        top, _ = log_kernel(jnp, q.min(1, keepdims=True), series)
        weights = jnp.exp(log - top) / jnp.sqrt(s)
        pulls = weights * z_ratio(s, slopes) / q
        pull = pulls.sum(1)
        return pull / weights.sum(1), (pulls @ atoms) / pull[:, None] - x

    def square_of_gain(g):
        """rho^2, by Newton's method on logarithms: d log g/d log rho = z R - z^2/(z R) - d."""
        h = g / A2
        q = (2 * NU * h + 1) / (h * h) / A2  # where R_nu is (nu + s)/z
        for _ in range(NEWTON):
            ratio = z_ratio(jnp.sqrt(NU * NU + A2 * q), slopes)
            q = q * jnp.exp(2 * jnp.log(g * q / ratio) / (ratio - A2 * q / ratio - DIM))
        return q

    def lifetime(key, square, alive):
        def draw(state):
            key, time, done = state
            key, gamma, accept = jax.random.split(key, 3)
            u = 1 - jax.random.uniform(gamma, (NU, places), jnp.float64)
            proposal = 0.5 * square / -jnp.log(u.prod(0))
            accepted = jax.random.uniform(accept, (places,), jnp.float64) < jnp.exp(-RATE * proposal)
            return key, jnp.where(done, time, proposal), done | accepted

        state = key, jnp.ones(places), ~alive
        return jax.lax.while_loop(lambda state: ~state[2].all(), draw, state)[1]

    def turn(state):
        key, x, alive, times, counts, waiting, sums = state
        key, first, second = jax.random.split(key, 3)
        g, v = score(x)
        square = square_of_gain(g)
        tau = square / (DIM + A2 / g)
        spread = jnp.maximum(square - (v * v).sum(1), 0)
        dt = jnp.maximum(ETA * tau / (1 + g * g * spread * tau), delta * delta / DIM)
        zeta = lifetime(first, square, alive)
        dies = alive & (zeta <= dt)
        times, counts = times + jnp.minimum(dt, zeta), counts + 1
        ended = jnp.stack([jnp.ones_like(times), counts, times, times * times])
        sums = sums + jnp.where(dies, ended, 0).sum(1)
        # The next particles in the places of the dead.
        begins = dies & (jnp.cumsum(dies) <= waiting)
        share = (dt / zeta)[:, None]
        noise = jax.random.normal(second, x.shape, jnp.float64)
        moved = x + share * v + jnp.sqrt(jnp.maximum(dt[:, None] * (1 - share), 0)) * noise
        x = jnp.where(begins[:, None], start, jnp.where((alive & ~dies)[:, None], moved, x))
        times, counts = jnp.where(begins, 0, times), jnp.where(begins, 0, counts)
        return key, x, alive & (begins | ~dies), times, counts, waiting - begins.sum(), sums

    def sample(key):
        x = jnp.broadcast_to(start, (places, DIM))
        zeros = jnp.zeros(places)
        state = key, x, jnp.ones(places, bool), zeros, zeros, particles - places, jnp.zeros(4)
        return jax.lax.while_loop(lambda state: state[2].any(), turn, state)[6]

    return sample


def jax_peer(threads):
    import jax

    atoms, start, delta = problem()
    sample = jax_sampler(atoms, start, delta, PARTICLES // threads)
    sample = jax.jit(sample) if threads == 1 else jax.pmap(sample)  # a device for each thread
    seeds, total = iter(range(1, 1_000_000)), np.zeros(4)

    def run():
        key = jax.random.key(next(seeds))
        sums = np.asarray(sample(key if threads == 1 else jax.random.split(key, threads))).reshape(-1, 4).sum(0)
        total[:] += sums
        return sums

    def report(_):
        n, evaluations, mean, square = total[0].item(), *(total[1:] / total[0]).tolist()
        exact = exact_lifetime(atoms, start)
        spread = math.sqrt((square - mean * mean) / n)
        return {"error": abs(mean / exact - 1), "evaluations": round(evaluations, 3), "particles": int(n),
                "lifetime": round(mean, 4), "lifetime_error": round(spread, 4), "exact_lifetime": round(exact, 4)}

    return Bench(jax.__version__, run, lambda sums: sums[1], report)


def build(case, peer, dtype, threads):
    assert dtype == "f64", "in double precision only"
    return jax_peer(threads)


CASES = {"killed": ("evaluations/s", ("jax",))}
