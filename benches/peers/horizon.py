"""Times Euler-Maruyama on the reverse SDE of a Gaussian mixture in NumPy, JAX (jit, CPU) or torchsde.

    python3 benches/peers/horizon.py numpy|jax|torchsde [--dtype float64] [--particles 100000] [--steps 1000]
    python3 benches/peers/horizon.py ratios

Forward: the VP SDE with beta(t) = 0.1 + 19.9 t on [0, 1]; alpha(t) = exp(-19.9 t^2/4 - 0.1 t/2). Data: the mixture of
WEIGHTS, MEANS and COVARIANCES below, so that p_t is the mixture of N(alpha m, alpha^2 C + (1 - alpha^2) I). From x ~ N(0, I)
at t = 1 down to t = 0.001 in equal steps dt, with z ~ N(0, I) and the exact score:

    x <- x + beta(t) (x/2 + score(x, t)) dt + sqrt(beta(t) dt) z,    t <- t - dt

Prints one line of JSON; `seconds` is the best of three runs after a warm-up (compilation is not counted), random numbers
included. `ratios` runs all three in both precisions, then `cargo bench -p resolvent --bench horizon` (double precision),
and prints how many times longer each peer took than the fastest of the Rust variants. `mean` and `cov` are those of the last run's particles; those of p_t are `exact_mean` and `exact_cov`.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = [0.3, 0.5, 0.2]
MEANS = [(-2.0, 0.5), (1.5, 1.5), (0.5, -2.0)]
COVARIANCES = [(0.3, 0.1, 0.2), (0.5, -0.3, 0.4), (0.1, 0.05, 0.6)]  # (C_11, C_12, C_22)
BETA_MIN, BETA_MAX, T_END = 0.1, 20.0, 1e-3


def beta(t):
    return BETA_MIN + (BETA_MAX - BETA_MIN) * t


def components(m, t):
    """Per component of p_t: mean, precision (P_11, P_12, P_22), log of weight over sqrt(det); m is math or jax.numpy."""
    alpha = m.exp(-(t**2) * (BETA_MAX - BETA_MIN) / 4 - t * BETA_MIN / 2)
    noise = 1 - alpha**2
    for weight, (m0, m1), (c00, c01, c11) in zip(WEIGHTS, MEANS, COVARIANCES):
        a, b, c = alpha**2 * c00 + noise, alpha**2 * c01, alpha**2 * c11 + noise
        det = a * c - b * b
        yield alpha * m0, alpha * m1, c / det, -b / det, a / det, math.log(weight) - 0.5 * m.log(det)


def score(exp, maximum, x0, x1, parts):
    """Both coordinates of grad log p_t, for arrays of coordinates."""
    pulls, logs = [], []
    for m0, m1, p00, p01, p11, log in parts:
        d0, d1 = x0 - m0, x1 - m1
        u0, u1 = p00 * d0 + p01 * d1, p01 * d0 + p11 * d1
        pulls.append((u0, u1))
        logs.append(log - 0.5 * (d0 * u0 + d1 * u1))
    top = maximum(maximum(logs[0], logs[1]), logs[2])
    w = [exp(log - top) for log in logs]
    total = -1 / (w[0] + w[1] + w[2])
    return tuple((w[0] * pulls[0][j] + w[1] * pulls[1][j] + w[2] * pulls[2][j]) * total for j in (0, 1))


def numpy_peer(dtype, particles, steps):
    dt = (1 - T_END) / steps

    def run(seed, steps=steps):
        generator = np.random.default_rng(seed)
        x = generator.standard_normal((2, particles), dtype=dtype)
        for i in range(steps):
            t = 1 - i * dt
            b = beta(t)
            s = score(np.exp, np.maximum, x[0], x[1], components(math, t))
            z = generator.standard_normal((2, particles), dtype=dtype)
            for j in (0, 1):
                x[j] += b * dt * (0.5 * x[j] + s[j]) + math.sqrt(b * dt) * z[j]
        return x.T

    run(0, 1)
    return np.__version__, run, steps


def jax_peer(dtype, particles, steps):
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax

    jax.config.update("jax_enable_x64", dtype == "float64")
    import jax.numpy as jnp

    dt = (1 - T_END) / steps

    def normal(key):
        # Without the barrier XLA draws the numbers again in each fused expression that uses them; the coordinates are
        # kept apart for the same reason (one stacked array is six times slower in float64).
        return jax.lax.optimization_barrier(jax.random.normal(key, (2, particles), dtype))

    @jax.jit
    def sample(key, steps):
        def step(i, x):
            t = 1 - i * jnp.asarray(dt, dtype)
            b = beta(t)
            s = score(jnp.exp, jnp.maximum, x[0], x[1], components(jnp, t))
            z = normal(jax.random.fold_in(key, i + 1))
            return tuple(x[j] + b * dt * (0.5 * x[j] + s[j]) + jnp.sqrt(b * dt) * z[j] for j in (0, 1))

        return jax.lax.fori_loop(0, steps, step, tuple(normal(key)))

    def run(seed, steps=steps):
        x = jax.block_until_ready(sample(jax.random.key(seed), steps))
        assert x[0].dtype == dtype
        return np.stack(x, axis=1)

    run(0, 1)
    return jax.__version__, run, steps


def torchsde_peer(dtype, particles, steps):
    import torch
    import torchsde

    kind = getattr(torch, dtype)
    dt = (1 - T_END) / steps

    class Reverse(torch.nn.Module):
        noise_type, sde_type = "diagonal", "ito"
        drifts = 0

        def f(self, s, y):
            self.drifts += 1
            t = 1 - float(s)
            s0, s1 = score(torch.exp, torch.maximum, y[:, 0], y[:, 1], components(math, t))
            return beta(t) * (0.5 * y + torch.stack([s0, s1], dim=1))

        def g(self, s, y):
            return torch.full_like(y, math.sqrt(beta(1 - float(s))))

    def run(seed, steps=steps):
        torch.manual_seed(seed)
        sde = Reverse()
        x = torch.randn(particles, 2, dtype=kind)
        # A step longer by 2e-5: rounding in the sum of the steps must not add a last tiny one. The times stay in float64.
        # The Brownian motion is told the step, which makes it about twice as fast as the default.
        end, step = steps * dt, dt * (1 + 2e-5)
        bm = torchsde.BrownianInterval(0.0, end, size=(particles, 2), dtype=kind, entropy=seed, dt=step)
        with torch.no_grad():
            x = torchsde.sdeint(sde, x, torch.tensor([0.0, end], dtype=torch.float64), bm=bm, method="euler", dt=step)[-1]
        assert sde.drifts == steps + 1 and x.dtype == kind, (sde.drifts, x.dtype)  # one more to check the shapes
        return x.numpy()

    run(0, 1)
    return f"{torchsde.__version__} (torch {torch.__version__})", run, steps


def exact():
    """Mean and covariance of p_t at t = T_END."""
    alpha = math.exp(-(T_END**2) * (BETA_MAX - BETA_MIN) / 4 - T_END * BETA_MIN / 2)
    w, m = np.array(WEIGHTS), alpha * np.array(MEANS)
    c = alpha**2 * np.array([[[a, b], [b, d]] for a, b, d in COVARIANCES]) + (1 - alpha**2) * np.eye(2)
    mean = w @ m
    return mean, np.einsum("k,kij->ij", w, c) + np.einsum("k,ki,kj->ij", w, m, m) - np.outer(mean, mean)


def ratios():
    """All peers and the Rust benchmark, one after the other."""
    rows = []
    for peer in ("numpy", "jax", "torchsde"):
        for dtype in ("float64", "float32"):
            out = subprocess.run([sys.executable, __file__, peer, "--dtype", dtype], check=True, capture_output=True, text=True)
            rows.append(json.loads(out.stdout))
    subprocess.run(["cargo", "bench", "-p", "resolvent", "--bench", "horizon", "--", "reverse SDE"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    group = next((ROOT / "target" / "criterion").glob("reverse SDE*100000*"))
    rust = {path.parts[-3]: json.loads(path.read_text())["median"]["point_estimate"] * 1e-9
            for path in group.glob("*/new/estimates.json")}
    for variant, seconds in sorted(rust.items()):
        print(f"resolvent, {variant}: {seconds:.2f} s")
    for row in rows:
        print(f"{row['peer']} {row['version']} {row['dtype']}: {row['seconds']:.2f} s, ratio {row['seconds'] / min(rust.values()):.2f}")


def main():
    if sys.argv[1:] == ["ratios"]:
        return ratios()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["numpy", "jax", "torchsde"])
    parser.add_argument("--dtype", choices=["float64", "float32"], default="float64")
    parser.add_argument("--particles", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    build = {"numpy": numpy_peer, "jax": jax_peer, "torchsde": torchsde_peer}[arguments.peer]
    version, run, steps = build(arguments.dtype, arguments.particles, arguments.steps)
    seconds = []
    for seed in range(1, arguments.repeats + 1):
        begin = time.perf_counter()
        x = run(seed)
        seconds.append(time.perf_counter() - begin)
    assert np.isfinite(x).all()
    x = x.astype(np.float64)
    mean, cov = exact()
    print(json.dumps({"peer": arguments.peer, "version": version, "dtype": arguments.dtype, "particles": arguments.particles,
                      "steps": steps, "seconds": round(min(seconds), 4), "cores": len(os.sched_getaffinity(0)),
                      "mean": x.mean(0).round(5).tolist(), "cov": np.cov(x.T).round(5).tolist(),
                      "exact_mean": mean.round(5).tolist(), "exact_cov": cov.round(5).tolist()}))


if __name__ == "__main__":
    main()
