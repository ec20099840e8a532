"""Times training steps of the networks of resolvent-learn in PyTorch, JAX (jit, CPU) and the library itself.

    python3 benches/peers/training.py torch|jax --case mlp784|mlp2|unet [--threads 1] [--seconds 5]
    python3 benches/peers/training.py ratios [--rounds 5] [--seconds 5] [--case ..] [--python PYTHON]

A step: forward, mean squared error, backward, AdamW (learning rate 1e-3, beta 0.9 and 0.999, epsilon 1e-8, weight decay 0.01) and
an exponential moving average of the parameters (0.999), in float32. Batches are consecutive rows of fixed random points x, the target
is x/2. The cases, with their batch sizes:

    mlp784   residual MLP 784-512-512-512-784 (width 512, depth 2)      512
    mlp2     residual MLP 2-128-128-128-2 (width 128, depth 2)          512
    unet     U-Net of 28 x 28 pixels, folded, channels 32 and 64, 2 blocks a resolution    64

One run prints one line of JSON; compilation and ten steps are not counted. The process is bound to as many cores as it has threads.
`ratios` runs the library (`cargo run --example training_speed`) and both peers in alternation, `--rounds` times, and prints the median of
the ratios library/peer of each round, with the smallest and the largest: above 1 the library is faster.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RATE, BETA1, BETA2, EPSILON, DECAY, AVERAGE = 1e-3, 0.9, 0.999, 1e-8, 0.01, 0.999
POOL = 8  # batches of points that are gone through in turn
CASES = {
    "mlp784": {"dimension": 784, "batch": 512, "width": 512, "depth": 2},
    "mlp2": {"dimension": 2, "batch": 512, "width": 128, "depth": 2},
    "unet": {"dimension": 784, "batch": 64, "side": 28, "channels": [32, 64], "blocks": 2},
}


def pool(case):
    import numpy as np

    shape = (POOL, case["batch"], case["dimension"])
    return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)


def torch_peer(case, threads):
    import torch

    sys.path.insert(0, str(ROOT / "crates" / "resolvent-learn" / "python"))
    from networks import ResidualMlp, UNet

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    sizes = {"inputs": case["dimension"], "outputs": case["dimension"]}
    if "side" in case:
        net = UNet(case["side"], True, case["channels"], case["blocks"], **sizes)
    else:
        net = ResidualMlp(case["width"], case["depth"], **sizes)
    parameters = list(net.parameters())
    average = [p.detach().clone() for p in parameters]
    adam = torch.optim.AdamW(parameters, lr=RATE, betas=(BETA1, BETA2), eps=EPSILON, weight_decay=DECAY, fused=True)
    points = torch.from_numpy(pool(case))

    def run(steps):
        for i in range(steps):
            x = points[i % POOL]
            loss = torch.nn.functional.mse_loss(net(x)[0], 0.5 * x)
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            with torch.no_grad():
                torch._foreach_lerp_(average, parameters, 1 - AVERAGE)
        return loss.item()

    return torch.__version__, run


def jax_peer(case, threads):
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import jax.numpy as jnp

    init = jax.nn.initializers.variance_scaling(1.0, "fan_in", "normal")
    keys = iter(jax.random.split(jax.random.key(1), 100))

    def dense(ins, outs, zero=False):
        return (jnp.zeros((ins, outs)) if zero else init(next(keys), (ins, outs))), jnp.zeros(outs)

    def kernel(ins, outs, zero=False):
        shape = (3, 3, ins, outs)
        return (jnp.zeros(shape) if zero else init(next(keys), shape)), jnp.zeros(outs)

    def linear(p, x):
        return x @ p[0] + p[1]

    def convolution(p, x):
        y = jax.lax.conv_general_dilated(x, p[0], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return y + p[1]

    def fold(x):
        n, rows, columns, c = x.shape
        x = x.reshape(n, rows // 2, 2, columns // 2, 2, c).transpose(0, 1, 3, 2, 4, 5)
        return x.reshape(n, rows // 2, columns // 2, 4 * c)

    def unfold(x):
        n, rows, columns, c = x.shape
        x = x.reshape(n, rows, columns, 2, 2, c // 4).transpose(0, 1, 3, 2, 4, 5)
        return x.reshape(n, 2 * rows, 2 * columns, c // 4)

    silu = jax.nn.silu

    def mlp(p, x):
        x = linear(p["input"], x)
        for block in p["blocks"]:
            x = x + linear(block, silu(x))
        return linear(p["output"], silu(x))

    def blocks(p, x):
        for first, second in p:
            x = x + convolution(second, silu(convolution(first, silu(x))))
        return x

    def unet(p, points):
        side = case["side"]
        x = convolution(p["input"], fold(points.reshape(-1, side, side, 1)))
        fine = blocks(p["down"][0], x)
        x = blocks(p["down"][1], linear(p["down_change"], fold(fine)))
        x = blocks(p["up"][1], x)
        x = blocks(p["up"][0], unfold(linear(p["up_change"], x)) + fine)
        return unfold(convolution(p["output"], silu(x))).reshape(points.shape)

    if "side" in case:
        a, b = case["channels"]

        def level(c):
            return [(kernel(c, c), kernel(c, c, zero=True)) for _ in range(case["blocks"])]

        p = {"input": kernel(4, a), "down": [level(a), level(b)], "down_change": dense(4 * a, b)}
        p |= {"up": [level(a), level(b)], "up_change": dense(b, 4 * a), "output": kernel(a, 4, zero=True)}
        net = unet
    else:
        d, width = case["dimension"], case["width"]
        p = {"input": dense(d, width), "output": dense(width, d, zero=True)}
        p["blocks"] = [dense(width, width) for _ in range(case["depth"])]
        net = mlp

    def step(state, x):
        i, p, m, v, average = state
        loss, g = jax.value_and_grad(lambda p: jnp.mean((net(p, x) - 0.5 * x) ** 2))(p)
        i = i + 1
        tree = jax.tree.map
        m = tree(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, g)
        v = tree(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, g)
        c1, c2 = 1 - BETA1**i, 1 - BETA2**i
        p = tree(lambda p, m, v: p - RATE * (m / c1 / (jnp.sqrt(v / c2) + EPSILON) + DECAY * p), p, m, v)
        average = tree(lambda a, p: a + (1 - AVERAGE) * (p - a), average, p)
        return (i, p, m, v, average), loss

    step = jax.jit(step, donate_argnums=0)
    zeros = jax.tree.map(jnp.zeros_like, p)
    state = [(jnp.float32(0), p, zeros, jax.tree.map(jnp.copy, zeros), jax.tree.map(jnp.copy, p))]
    points = [jnp.asarray(x) for x in pool(case)]

    def run(steps):
        for i in range(steps):
            state[0], loss = step(state[0], points[i % POOL])
        return float(loss)

    return jax.__version__, run


def bind(threads):
    """Binds this process to as many cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def measure(peer, name, threads, seconds):
    case = CASES[name]
    bind(threads)
    version, run = {"torch": torch_peer, "jax": jax_peer}[peer](case, threads)
    first = run(1)
    run(9)
    steps, begin = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        last = run(POOL)
        steps += POOL
    assert last < first, (first, last)
    return {"peer": peer, "version": version, "case": name, "threads": threads, "batch": case["batch"], "steps": steps,
            "samples_per_second": round(steps * case["batch"] / elapsed), "first_loss": first, "last_loss": last}


def library():
    """Builds the example of the library and says where it is."""
    build = ["cargo", "build", "--release", "-p", "resolvent-learn", "--example", "training_speed", "--message-format", "json"]
    out = subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    built = [json.loads(line).get("executable") for line in out.splitlines()]
    return next(path for path in built if path and Path(path).name == "training_speed")


def ratios(arguments):
    """The library and both peers, in alternation."""
    commands = {"resolvent": [library()]} | {p: [arguments.python, __file__, p] for p in ("torch", "jax")}
    for name in [arguments.case] if arguments.case else CASES:
        for threads in (1, 2):
            options = ["--case", name, "--threads", str(threads), "--seconds", str(arguments.seconds)]
            rows = []
            for _ in range(arguments.rounds):
                row = {}
                for who, command in commands.items():
                    out = subprocess.run([*command, *options], check=True, stdout=subprocess.PIPE, text=True,
                                         preexec_fn=lambda: bind(threads)).stdout
                    row[who] = json.loads(out)["samples_per_second"]
                rows.append(row)
            medians = {who: statistics.median(row[who] for row in rows) for who in rows[0]}
            print(f"{name}, {threads} threads: " + ", ".join(f"{who} {rate:.0f} samples/s" for who, rate in medians.items()))
            for peer in ("torch", "jax"):
                ratio = sorted(row["resolvent"] / row[peer] for row in rows)
                print(f"    over {peer}: {statistics.median(ratio):.2f} ({ratio[0]:.2f} to {ratio[-1]:.2f})", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["torch", "jax", "ratios"])
    parser.add_argument("--case", choices=CASES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the peers")
    arguments = parser.parse_args()
    if arguments.what == "ratios":
        return ratios(arguments)
    if arguments.case is None:
        parser.error("--case is needed")
    print(json.dumps(measure(arguments.what, arguments.case, arguments.threads, arguments.seconds)))


if __name__ == "__main__":
    main()
