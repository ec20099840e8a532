"""Times the networks of resolvent-learn, evaluated and not trained, in PyTorch, JAX (jit, CPU) and the library itself.

    python3 benches/peers/evaluation.py torch|jax --case mlp784|mlp2|unet [--threads 1] [--seconds 5]
    python3 benches/peers/evaluation.py ratios [--rounds 5] [--seconds 5] [--case ..] [--python PYTHON]

Every call gets a batch of points and is waited for; batches are consecutive rows of fixed random points, in float32. PyTorch runs in
inference mode. Linear maps and kernels that training starts from zero are drawn at random like the others, so that something comes
out. The cases, with their batch sizes:

    mlp784   residual MLP 784-512-512-512-784 (width 512, depth 2)      256
    mlp2     residual MLP 2-128-128-128-2 (width 128, depth 2)          256
    unet     U-Net of 28 x 28 pixels, folded, channels 32 and 64, 2 blocks a resolution    64

One run prints one line of JSON; compilation and two rounds through the batches are not counted. `mean_square` is that of what came out
last, `gflops` (the MLPs) the multiplications and additions of the matrix products by the second, in 1e9. The process is bound to as many
cores as it has threads. `ratios` runs the library (`cargo run --example evaluation_speed`) and both peers in alternation, `--rounds`
times, and prints the median of the ratios library/peer of each round, with the smallest and the largest: above 1 the library is faster.
"""

from common import bind
from network_peers import CASES, POOL, jax_network, main, pool, timed, torch_network

BATCHES = {"mlp784": 256, "mlp2": 256, "unet": 64}


def torch_peer(case, batch, threads):
    import torch

    net = torch_network(case, threads)
    with torch.no_grad():
        for p in net.parameters():
            if p.dim() > 1 and not p.any():
                p.normal_(std=(p[0].numel()) ** -0.5)
    points = torch.from_numpy(pool(case, batch))

    def run(calls):
        with torch.inference_mode():
            for i in range(calls):
                field = net(points[i % POOL])[0]
        return field.numpy()

    return torch.__version__, run


def jax_peer(case, batch, threads):
    p, net = jax_network(case, zero=False)
    import jax
    import jax.numpy as jnp

    net = jax.jit(net)
    points = [jnp.asarray(x) for x in pool(case, batch)]

    def run(calls):
        for i in range(calls):
            field = net(p, points[i % POOL]).block_until_ready()
        return field

    return jax.__version__, run


def operations(case):
    """Multiplications and additions of the matrix products for one point; None for the U-Net."""
    if "side" in case:
        return None
    return 2 * (2 * case["dimension"] * case["width"] + case["depth"] * case["width"] ** 2)


def measure(peer, name, threads, seconds):
    case, batch = CASES[name], BATCHES[name]
    bind(threads)
    version, run = {"torch": torch_peer, "jax": jax_peer}[peer](case, batch, threads)
    run(2 * POOL)
    calls, elapsed = timed(run, seconds)
    rate, work = calls * batch / elapsed, operations(case)
    return {"peer": peer, "version": version, "case": name, "threads": threads, "batch": batch, "calls": calls,
            "samples_per_second": round(rate), "gflops": work and round(1e-9 * rate * work, 1), "mean_square": float((run(POOL) ** 2).mean())}


if __name__ == "__main__":
    main(__file__, __doc__, "evaluation_speed", measure)
