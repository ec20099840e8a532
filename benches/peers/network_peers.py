"""What the timings of the networks share: the cases, the networks in PyTorch and JAX, and the comparison with the library."""

import argparse
import json
import os
import statistics
import sys
import time

from common import ROOT, alternate, example, one_run, ratio

POOL = 8  # batches of points that are gone through in turn
CASES = {
    "mlp784": {"dimension": 784, "width": 512, "depth": 2},
    "mlp2": {"dimension": 2, "width": 128, "depth": 2},
    "unet": {"dimension": 784, "side": 28, "channels": [32, 64], "blocks": 2},
}


def pool(case, batch):
    """Batches of points, POOL x batch x dimension."""
    import numpy as np

    shape = (POOL, batch, case["dimension"])
    return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)


def torch_network(case, threads):
    """The network in PyTorch; it returns a pair, of which the first is the field."""
    import torch

    sys.path.insert(0, str(ROOT / "crates" / "resolvent-learn" / "python"))
    from networks import ResidualMlp, UNet

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    sizes = {"inputs": case["dimension"], "outputs": case["dimension"]}
    if "side" in case:
        return UNet(case["side"], True, case["channels"], case["blocks"], **sizes)
    return ResidualMlp(case["width"], case["depth"], **sizes)


def jax_network(case, zero=True):
    """The parameters and the network, a function of them and a batch of points, in JAX; what starts from zero does so if `zero`."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import jax.numpy as jnp

    init = jax.nn.initializers.variance_scaling(1.0, "fan_in", "normal")
    keys = iter(jax.random.split(jax.random.key(1), 100))

    def dense(ins, outs, last=False):
        return (jnp.zeros((ins, outs)) if last and zero else init(next(keys), (ins, outs))), jnp.zeros(outs)

    def kernel(ins, outs, last=False):
        shape = (3, 3, ins, outs)
        return (jnp.zeros(shape) if last and zero else init(next(keys), shape)), jnp.zeros(outs)

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
            return [(kernel(c, c), kernel(c, c, last=True)) for _ in range(case["blocks"])]

        p = {"input": kernel(4, a), "down": [level(a), level(b)], "down_change": dense(4 * a, b)}
        p |= {"up": [level(a), level(b)], "up_change": dense(b, 4 * a), "output": kernel(a, 4, last=True)}
        return p, unet
    d, width = case["dimension"], case["width"]
    p = {"input": dense(d, width), "output": dense(width, d, last=True)}
    p["blocks"] = [dense(width, width) for _ in range(case["depth"])]
    return p, mlp


def timed(run, seconds):
    """Calls `run` for a number of batches again and again: how many there were, and the seconds they took."""
    batches, begin = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        run(POOL)
        batches += POOL
    return batches, elapsed


def ratios(script, name, arguments):
    """The library and both peers, in alternation."""
    commands = {"resolvent": [example(name, "-p", "resolvent-learn")]}
    commands |= {p: [arguments.python, script, p] for p in ("torch", "jax")}
    for case in [arguments.case] if arguments.case else CASES:
        for threads in (1, 2):
            options = ["--case", case, "--threads", str(threads), "--seconds", str(arguments.seconds)]

            def rate(command):
                return one_run([*command, *options], threads)["samples_per_second"]

            runs = {who: lambda command=command: rate(command) for who, command in commands.items()}
            rows = alternate(runs, arguments.rounds)
            medians = {who: statistics.median(row[who] for row in rows) for who in rows[0]}
            print(f"{case}, {threads} threads: " + ", ".join(f"{who} {rate:.0f} samples/s" for who, rate in medians.items()))
            for peer in ("torch", "jax"):
                print("    over {}: {:.2f} ({:.2f} to {:.2f})".format(peer, *ratio(rows, "resolvent", peer)), flush=True)


def main(script, description, example, measure):
    """The command line of a script whose `measure(peer, case, threads, seconds)` returns what one run prints."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["torch", "jax", "ratios"])
    parser.add_argument("--case", choices=CASES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the peers")
    arguments = parser.parse_args()
    if arguments.what == "ratios":
        return ratios(script, example, arguments)
    if arguments.case is None:
        parser.error("--case is needed")
    print(json.dumps(measure(arguments.what, arguments.case, arguments.threads, arguments.seconds)))
