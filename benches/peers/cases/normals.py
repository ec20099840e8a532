"""`normals`: standard normal numbers, a million at a time, by each generator that a peer has; the fastest counts and is
named."""

import time

import numpy as np

from common import Bench

NUMBERS = 1_000_000


def numpy_generators(dtype, threads):
    kind = {"f32": np.float32, "f64": np.float64}[dtype]
    out = np.empty(NUMBERS, kind)

    def fill(bits):
        generator = np.random.Generator(bits(1))
        return lambda: generator.standard_normal(out=out, dtype=kind)

    return np.__version__, {bits.__name__: fill(bits) for bits in (np.random.SFC64, np.random.PCG64)}


def torch_generators(dtype, threads):
    import torch

    torch.manual_seed(1)
    out = torch.empty(NUMBERS, dtype={"f32": torch.float32, "f64": torch.float64}[dtype])
    return torch.__version__, {"mt19937": lambda: torch.randn(NUMBERS, out=out)}


def jax_generators(dtype, threads):
    import jax
    import jax.numpy as jnp

    kind = {"f32": jnp.float32, "f64": jnp.float64}[dtype]
    shape = (NUMBERS // threads,)

    def draws(name):
        def one(key):
            key, now = jax.random.split(key)
            return key, jax.random.normal(now, shape, kind)

        keys = jax.random.key(1, impl=name)
        one, state = (jax.jit(one), [keys]) if threads == 1 else (jax.pmap(one), [jax.random.split(keys, threads)])

        def run():
            state[0], out = jax.block_until_ready(one(state[0]))
            return out

        return run

    return jax.__version__, {name: draws(name) for name in ("threefry2x32", "rbg", "unsafe_rbg")}


def report(numbers, setting):
    x = np.asarray(numbers, np.float64).reshape(-1)
    # In standard errors: the mean, and the mean square less one.
    errors = abs(x.mean()) * x.size**0.5, abs((x * x).mean() - 1) * (x.size / 2) ** 0.5
    return {"error": float(max(errors)), "setting": setting}


def build(case, peer, dtype, threads):
    generators = {"numpy": numpy_generators, "torch": torch_generators, "jax": jax_generators}[peer]
    version, runs = generators(dtype, threads)

    def trial(run):
        run()
        begin = time.perf_counter()
        for _ in range(5):
            run()
        return time.perf_counter() - begin

    best = min(runs, key=lambda name: trial(runs[name]))
    return Bench(version, runs[best], NUMBERS, lambda numbers: report(numbers, best))


CASES = {"normals": ("numbers/s", ("numpy", "torch", "jax"))}
