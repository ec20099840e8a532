"""`score-few`, `score-all`, `gemm`: the kernel score of 10,000 data in R^784 at 512 points, and its two matrix products
alone.

Killed Brownian motion with r = 0.1 and sigma = 1; a = sqrt(2 r), nu = d/2 - 1, rho_i = |x - y_i|, equal weights:

    w_i = softmax_i(log G(rho_i)),   G(rho) = rho^-nu K_nu(a rho),   g_i = a R_nu(a rho_i)/rho_i,   R_nu = K_{nu+1}/K_nu
    g = sum_i w_i g_i,   D = sum_i w_i g_i y_i / g,   v = D - x;   the score is g v

Points are standard normal, data standard normal times 1 (`few` data count for a point) or 0.02 (`all` do). What depends
on the data alone, their squared norms, is ready before the clock starts. The data pass by blocks of points, so that
what lies between the two products stays in the cache. `error` is the largest relative error of the score at 16 points,
against differences of the coordinates in float64.
"""

import numpy as np

from common import Bench
from cases.debye import horner, logarithm

POINTS, DATA, DIM, CHECKED = 512, 10_000, 784, 16
NU, A2 = DIM // 2 - 1, 2 * 0.1
SPREAD = {"score-few": 1.0, "score-all": 0.02, "gemm": 1.0}
TERMS = {"f32": 2, "f64": 3}  # absolute errors of log K and R/z: 1e-10 and 1e-15
# Points to a product, and to a pass over what lies between the two products: the fastest of 16 to 512 and of 1 to 512
# on one core.
BLOCK = {"numpy": (512, 8), "torch": 512, "jax": {"f32": (256, 32), "f64": (128, 32)}}


def arrays(case, dtype):
    generator = np.random.default_rng(1)
    data = generator.standard_normal((DATA, DIM)) * SPREAD[case]
    points = generator.standard_normal((POINTS, DIM))
    return points.astype(dtype), data.astype(dtype)


def log_kernel(m, q, nearest, series):
    """log(G sqrt(s)) less a constant of its size at `nearest`; s = sqrt(nu^2 + A2 q); m has log and sqrt."""
    z2 = A2 * q
    s = m.sqrt(NU * NU + z2)
    # nu log(nu + s) - nu log q - s, each part a small number.
    return NU * m.log((NU + s) * (nearest / (2 * NU)) / q) - z2 / (NU + s) + horner(series, NU / s), s


def gain(q, s, slopes):
    """a R_nu(a rho)/rho."""
    p = NU / s
    return (NU + s + (1 - p * p) * (0.5 + horner(slopes, p))) / q


def exact(points, data):
    """The score in float64."""
    series, slopes = logarithm(NU, 6)
    out = np.empty_like(points)
    for i, x in enumerate(points):
        v = data - x
        q = (v * v).sum(1)
        log, s = log_kernel(np, q, q.min(), series)
        w = np.exp(log - log.max()) / np.sqrt(s)
        out[i] = (w * gain(q, s, slopes)) @ v / w.sum()
    return out


def error_of(points, data, result):
    want = exact(*(a.astype(np.float64) for a in (points[:CHECKED], data)))
    gains, displacements = (np.asarray(a[:CHECKED], np.float64) for a in result)
    got = gains.reshape(-1, 1) * displacements
    return float((np.linalg.norm(got - want, axis=1) / np.linalg.norm(want, axis=1)).max())


def numpy_score(points, data, dtype):
    series, slopes = logarithm(NU, TERMS[dtype])
    norms, (rows, part) = (data * data).sum(1), BLOCK["numpy"]
    turned = data.T
    products, pulls = (np.empty((rows, DATA), data.dtype) for _ in range(2))
    s, p, e = (np.empty((part, DATA), data.dtype) for _ in range(3))

    def poly(coefficients, out):
        """out <- c_1 p + c_2 p^2 + ..."""
        np.multiply(p, coefficients[-1], out=out)
        for c in reversed(coefficients[:-1]):
            np.add(out, c, out=out)
            np.multiply(out, p, out=out)

    def weigh(x, q, f):
        """f <- weights times gains, from q = -2 products; the sums of both."""
        np.add(q, norms, out=q)
        np.add(q, np.einsum("ij,ij->i", x, x)[:, None], out=q)
        np.maximum(q, 1e-30, out=q)
        nearest = q.min(1, keepdims=True)
        z2 = np.multiply(q, A2, out=e)
        np.add(z2, NU * NU, out=s)
        np.sqrt(s, out=s)
        np.divide(NU, s, out=p)
        poly(series, f)
        root = np.add(s, NU, out=s)  # nu + s
        np.divide(z2, root, out=e)
        np.subtract(f, e, out=f)
        np.divide(root, q, out=e)
        np.multiply(e, nearest / (2 * NU), out=e)
        np.log(e, out=e)
        np.multiply(e, NU, out=e)
        np.add(e, f, out=e)
        np.subtract(e, e.max(1, keepdims=True), out=e)
        np.exp(e, out=e)
        np.sqrt(p, out=f)
        weights = np.multiply(e, f, out=e)  # sqrt(p) is 1/sqrt(s) but for a constant
        poly(slopes, f)
        np.add(f, 0.5, out=f)
        np.multiply(p, p, out=p)
        np.subtract(1, p, out=p)
        np.multiply(f, p, out=f)
        np.add(f, root, out=f)
        np.divide(f, q, out=f)
        np.multiply(f, weights, out=f)
        return weights.sum(1), f.sum(1)

    def block(x):
        np.matmul(-2 * x, turned, out=products)
        places = [slice(i, i + part) for i in range(0, rows, part)]
        sums = [weigh(x[i], products[i], pulls[i]) for i in places]
        mass, pull = (np.concatenate(sum) for sum in zip(*sums))
        return pull / mass, (pulls @ data) / pull[:, None] - x

    def run():
        parts = [block(points[i : i + rows]) for i in range(0, POINTS, rows)]
        return [np.concatenate(part) for part in zip(*parts)]

    return np.__version__, run


def torch_score(points, data, dtype, compiled=True):
    import torch

    series, slopes = logarithm(NU, TERMS[dtype])
    points, data = torch.from_numpy(points), torch.from_numpy(data)
    norms, turned, rows = (data * data).sum(1), data.T, BLOCK["torch"]

    def weigh(products, squares):
        q = (squares + norms - 2 * products).clamp_min(1e-30)
        log, s = log_kernel(torch, q, q.amin(1, keepdim=True), series)
        weights = torch.exp(log - log.amax(1, keepdim=True)) * torch.rsqrt(s)
        pulls = weights * gain(q, s, slopes)
        return weights.sum(1), pulls, pulls.sum(1)

    if compiled:
        weigh = torch.compile(weigh)

    def block(x):
        mass, pulls, pull = weigh(x @ turned, (x * x).sum(1, keepdim=True))
        return pull / mass, (pulls @ data) / pull[:, None] - x

    @torch.inference_mode()
    def run():
        parts = [block(x) for x in points.split(rows)]
        return [torch.cat(part) for part in zip(*parts)]

    return torch.__version__, run


def jax_score(points, data, dtype):
    import jax
    import jax.numpy as jnp

    series, slopes = logarithm(NU, TERMS[dtype])
    points, data = jnp.asarray(points), jnp.asarray(data)
    norms, (rows, part) = (data * data).sum(1), BLOCK["jax"][dtype]

    def weigh(products, squares, norms):
        # The barrier keeps XLA from doing the sums again in each expression that follows. The kernel decreases, so that
        # its value at the nearest datum is the largest: no pass over the logarithms is needed.
        q = jax.lax.optimization_barrier(jnp.maximum(squares + norms - 2 * products, 1e-30))
        nearest = q.min(1, keepdims=True)
        log, s = log_kernel(jnp, q, nearest, series)
        top, _ = log_kernel(jnp, nearest, nearest, series)
        weights = jnp.exp(log - top) / jnp.sqrt(s)
        pulls = weights * gain(q, s, slopes)
        return weights.sum(1), pulls, pulls.sum(1)

    def block(x, data, norms):
        products = jax.lax.dot_general(x, data, (((1,), (1,)), ((), ())))
        parts = products.reshape(-1, part, DATA), (x * x).sum(1).reshape(-1, part, 1)
        mass, pulls, pull = jax.lax.map(lambda both: weigh(*both, norms), parts)
        pull = pull.reshape(-1)
        return pull / mass.reshape(-1), (pulls.reshape(-1, DATA) @ data) / pull[:, None] - x

    @jax.jit
    def score(points, data, norms):
        parts = jax.lax.map(lambda x: block(x, data, norms), points.reshape(-1, rows, DIM))
        return parts[0].reshape(-1), parts[1].reshape(-1, DIM)

    return jax.__version__, lambda: jax.block_until_ready(score(points, data, norms))


def numpy_gemm(points, data, dtype):
    products, sums, turned = np.empty((POINTS, DATA), points.dtype), np.empty_like(points), data.T

    def run():
        np.matmul(points, turned, out=products)
        np.matmul(products, data, out=sums)

    return np.__version__, run


def torch_gemm(points, data, dtype):
    import torch

    points, data = torch.from_numpy(points), torch.from_numpy(data)
    products, sums = torch.empty(POINTS, DATA, dtype=data.dtype), torch.empty_like(points)

    @torch.inference_mode()
    def run():
        torch.mm(points, data.T, out=products)
        torch.mm(products, data, out=sums)

    return torch.__version__, run


def jax_gemm(points, data, dtype):
    import jax
    import jax.numpy as jnp

    points, data = jnp.asarray(points), jnp.asarray(data)
    both = jax.jit(lambda x, y: jax.lax.dot_general(x, y, (((1,), (1,)), ((), ()))) @ y)
    return jax.__version__, lambda: jax.block_until_ready(both(points, data))


def build(case, peer, dtype, threads):
    points, data = arrays(case, {"f32": "float32", "f64": "float64"}[dtype])
    kind = "gemm" if case == "gemm" else "score"
    version, run = globals()[f"{peer}_{kind}"](points, data, dtype)
    if kind == "gemm":
        return Bench(version, run, 4e-9 * POINTS * DATA * DIM, lambda result: {})
    return Bench(version, run, POINTS * DATA, lambda result: {"error": error_of(points, data, result)})


CASES = {
    "score-few": ("pairs/s", ("numpy", "torch", "jax")),
    "score-all": ("pairs/s", ("numpy", "torch", "jax")),
    "gemm": ("GFLOP/s", ("numpy", "torch", "jax")),
}
