"""`particles`: Euler-Maruyama on the reverse SDE of a mixture of 25 Gaussians in the plane, 100,000 particles, 1,000
steps.

Forward: the VP SDE with beta(t) = 0.1 + 19.9 t; alpha^2 = exp(-B), B = int_0^t beta. Data: isotropic components of
equal weight and standard deviation 0.1, with means m_k on a 5 x 5 grid, 2 apart, about the origin, so that p_t is a
mixture with means alpha m_k and the common variance V = 0.01 alpha^2 + 1 - alpha^2. From x ~ N(0, I) at t = 1 down to t
= 0.001 in equal steps dt, z ~ N(0, I):

    score = (alpha sum_k w_k m_k - x)/V,   w_k = softmax_k(alpha <m_k, x>/V - alpha^2 |m_k|^2/(2 V))
    x <- x + beta (x/2 + score) dt + sqrt(beta dt) z,    t <- t - dt

Nobody makes use of the grid: the mixture is one of any 25 means. A run does all steps, random numbers included. `error`
is the largest deviation of the share of particles in one of the 25 cells from 1/25, in standard errors (about 2 to 3
where all is well); `distance` the mean distance from the nearest mean over sqrt(pi V/2), what it is for the law at t =
0.001 (1 to a percent: the steps are finite).
"""

import math

import numpy as np

from common import Bench

PARTICLES, STEPS = 100_000, 1_000
T_END, DEVIATION = 1e-3, 0.1
MEANS = np.array([(2.0 * i - 4, 2.0 * j - 4) for i in range(5) for j in range(5)])
DT = (1 - T_END) / STEPS
# JAX: particles that go through all steps together, the fastest of 500 to 100,000 on one core.
BATCH = 2_000
# torchsde takes a minute for all: fewer particles, whose rate is the best of 1,000 to 100,000 in single and close to it
# in double precision.
TORCHSDE_PARTICLES = 5_000


def beta(t):
    return 0.1 + 19.9 * t


def moments(exp, t):
    """alpha and V at time t."""
    square = exp(-0.1 * t - 9.95 * t * t)
    return square**0.5, DEVIATION**2 * square + (1 - square)


def report(particles):
    x = np.asarray(particles, np.float64).reshape(-1, 2)
    assert np.isfinite(x).all()
    place = np.clip(np.rint(x / 2), -2, 2)
    n, share = len(x), 1 / len(MEANS)
    counts = np.bincount((5 * (place[:, 0] + 2) + place[:, 1] + 2).astype(int), minlength=25)
    _, variance = moments(math.exp, T_END)
    distance = np.linalg.norm(x - 2 * place, axis=1).mean() / math.sqrt(0.5 * math.pi * variance)
    deviation = np.abs(counts / n - share).max() / math.sqrt(share * (1 - share) / n)
    return {"error": float(deviation), "distance": round(float(distance), 4)}


def jax_peer(dtype, threads):
    import jax
    import jax.numpy as jnp

    kind = {"f32": jnp.float32, "f64": jnp.float64}[dtype]
    means = jnp.asarray(MEANS, kind)
    # (25, 3) and (3, 25): both sums over the plane and over the components are matrix products, which is three times as
    # fast as any fused loop or array axis over the components; the components come first, the particles second.
    columns = jnp.concatenate([means, jnp.ones((25, 1), kind)], axis=1)
    halves = 0.5 * (means**2).sum(1, keepdims=True)

    def score(x, t):
        alpha, variance = moments(jnp.exp, t)
        pulls = jnp.concatenate([means * (alpha / variance), -halves * (alpha**2 / variance)], axis=1)
        logs = pulls @ jnp.concatenate([x, jnp.ones_like(x[:1])])
        sums = columns.T @ jnp.exp(logs - logs.max(0))
        return (alpha * sums[:2] / sums[2] - x) / variance

    def normal(key):
        # Without the barrier XLA draws the numbers again in each expression that uses them.
        return jax.lax.optimization_barrier(jax.random.normal(key, (2, BATCH), kind))

    def batch(key):
        def step(i, x):
            t = 1 - i * jnp.asarray(DT, kind)
            b = beta(t)
            z = normal(jax.random.fold_in(key, i + 1))
            return x + b * DT * (0.5 * x + score(x, t)) + jnp.sqrt(b * DT) * z

        return jax.lax.fori_loop(0, STEPS, step, normal(key)).T

    # Threefry: on the processor faster than `rbg` and `unsafe_rbg` in single, as fast in double precision. A device for
    # each thread.
    def batches(keys):
        return jax.lax.map(batch, keys)

    sample = jax.jit(batches) if threads == 1 else jax.pmap(batches)
    seeds = iter(range(1, 1_000_000))

    def run():
        keys = jax.random.split(jax.random.key(next(seeds)), PARTICLES // BATCH)
        keys = keys if threads == 1 else keys.reshape(threads, -1)
        x = jax.block_until_ready(sample(keys))
        assert x.dtype == kind
        return x

    return Bench(jax.__version__, run, PARTICLES * STEPS, report)


def torchsde_peer(dtype, threads):
    import torch
    import torchsde

    kind = {"f32": torch.float32, "f64": torch.float64}[dtype]
    means = torch.tensor(MEANS, dtype=kind)
    halves = 0.5 * (means**2).sum(1)

    class Reverse(torch.nn.Module):
        noise_type, sde_type = "diagonal", "ito"

        def f(self, s, x):
            t = 1 - float(s)
            alpha, variance = moments(math.exp, t)
            logs = torch.addmm(-halves * (alpha**2 / variance), x, means.T, alpha=alpha / variance)
            score = (alpha * torch.softmax(logs, 1) @ means - x) / variance
            return beta(t) * (0.5 * x + score)

        def g(self, s, x):
            return torch.full_like(x, math.sqrt(beta(1 - float(s))))

    seeds = iter(range(1, 1_000_000))

    def run():
        seed = next(seeds)
        torch.manual_seed(seed)
        x = torch.randn(TORCHSDE_PARTICLES, 2, dtype=kind)
        # A step longer by 2e-5: rounding in the sum of the steps must not add a last tiny one. The Brownian motion is
        # told the step, which makes it about twice as fast as the default.
        end, step = STEPS * DT, DT * (1 + 2e-5)
        noise = torchsde.BrownianInterval(0.0, end, size=tuple(x.shape), dtype=kind, entropy=seed, dt=step)
        times = torch.tensor([0.0, end], dtype=torch.float64)
        with torch.inference_mode():
            return torchsde.sdeint(Reverse(), x, times, bm=noise, method="euler", dt=step)[-1].numpy()

    return Bench(f"{torchsde.__version__} (torch {torch.__version__})", run, TORCHSDE_PARTICLES * STEPS, report)


def build(case, peer, dtype, threads):
    return {"jax": jax_peer, "torchsde": torchsde_peer}[peer](dtype, threads)


CASES = {"particles": ("particle steps/s", ("jax", "torchsde"))}
