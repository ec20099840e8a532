"""Times what the library does most, and the same in NumPy, PyTorch, JAX (jit, CPU) and torchsde.

    python3 benches/peers/speed.py CASE --peer numpy|torch|jax|torchsde [--dtype f64|f32] [--threads 1] [--seconds 5]
    python3 benches/peers/speed.py ratios [--case ..] [--dtype ..] [--threads ..] [--rounds 5] [--seconds 5]
        [--program PATH]

What is computed stands at the head of the files in `cases`:

    score-few, score-all   kernel score of 10,000 data in R^784 at 512 points       cases/score.py
    gemm                   its two matrix products alone                            cases/score.py
    particles              reverse SDE of a mixture of 25 components in the plane   cases/particles.py
    killed                 backward sampler until death, 1,000 atoms in R^32        cases/killed.py
    normals                standard normal numbers                                  cases/normals.py
    machine                copies in memory                                         cases/machine.py

One run prints one line of JSON: `rate` in `unit` (means over at least `--seconds`; compilation and a first run are not
counted) and `error`, a figure of accuracy. The process is bound to as many cores as it has threads. Each peer runs at
the best setting that was found for it.

`ratios` runs the library (`cargo run --release --example speed`, or the program given) and the peers in alternation,
`--rounds` times, and prints a table: the medians of the rates, and the median of the ratios library/peer of each round
with the smallest and the largest: above 1 the library is faster. What the library does not offer is left empty. NumPy's
matrix products take the faster of two kinds of kernels: those that OpenBLAS takes by itself, and those with 512-bit
vectors (OPENBLAS_CORETYPE=SKYLAKEX).
"""

import argparse
import functools
import json
import os
import statistics
import sys
import time

# Before NumPy: its version of OpenBLAS wants to know the number of threads when it is loaded.
from common import alternate, bind, example, one_run, ratio

PRODUCTS = ("score-few", "score-all", "gemm")
DTYPES = {"killed": ("f64",), "machine": ("f64",)}


def prepare(peer, threads):
    """Tells a peer, before it is loaded, how many threads it has."""
    bind(threads)
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(threads)
    if peer == "jax":
        os.environ["JAX_PLATFORMS"] = "cpu"
        os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + f" --xla_force_host_platform_device_count={threads}"
        import jax

        jax.config.update("jax_enable_x64", True)
    if peer in ("torch", "torchsde"):
        import torch

        torch.set_num_threads(threads)


def modules():
    """The module and the unit of each case, and its peers."""
    from cases import killed, machine, normals, particles, score

    every = (score, particles, killed, normals, machine)
    return {case: (module, *of_case) for module in every for case, of_case in module.CASES.items()}


def measure(case, peer, dtype, threads, seconds):
    """What one run says."""
    module, unit, _ = modules()[case]
    bench = module.build(case, peer, dtype, threads)
    result = bench.run()
    done, begin = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        result = bench.run()
        done += bench.units(result) if callable(bench.units) else bench.units
    line = {"peer": peer, "version": bench.version, "case": case, "threads": threads, "dtype": dtype}
    return line | {"rate": float(f"{done / elapsed:.5g}"), "unit": unit, "error": None} | bench.report(result)


@functools.cache
def faster_kernels(python, dtype, threads):
    """The environment in which NumPy's products are the faster."""
    command = [python, __file__, "gemm", "--peer", "numpy", "--dtype", dtype]
    command += ["--threads", str(threads), "--seconds", "1"]
    kinds = {}, {"OPENBLAS_CORETYPE": "SKYLAKEX"}
    rates = [one_run(command, threads, kind)["rate"] for kind in kinds]
    # By more than what one run differs from the next.
    return kinds[rates[1] > 1.05 * rates[0]]


def compare(case, dtype, threads, library, arguments):
    """The row of the table of one case."""
    options = ["--threads", str(threads), "--seconds", str(arguments.seconds), "--dtype", dtype]

    def rate(command, environment):
        out = one_run([*command, *options], threads, environment)
        return out and out["rate"]

    runs = {"library": lambda: rate([library, case], {})}
    _, unit, peers = modules()[case]
    for peer in peers:
        kind = faster_kernels(arguments.python, dtype, threads) if peer == "numpy" and case in PRODUCTS else {}
        command = [arguments.python, __file__, case, "--peer", peer]
        runs[peer] = lambda command=command, kind=kind: rate(command, kind)
    rows = alternate(runs, arguments.rounds)
    medians = {who: statistics.median(row[who] for row in rows) for who in rows[0]}
    library_rate = f"{medians['library']:.4g} {unit}" if "library" in medians else ""
    cells = []
    for peer in peers:
        cell = f"{peer} {medians[peer]:.4g}" if peer in medians else f"{peer}: failed"
        if peer in medians and "library" in medians:
            cell += ", {:.2f} ({:.2f} to {:.2f})".format(*ratio(rows, "library", peer))
        cells.append(cell)
    return f"| {case} | {dtype} | {threads} | {library_rate} | {'; '.join(cells)} |"


def ratios(arguments):
    """The table, a line at a time."""
    library = arguments.program or os.environ.get("SPEED_PROGRAM") or example("speed")
    print("| case | dtype | threads | library | peers: rate, ratio library/peer (smallest to largest) |")
    print("|---|---|---|---|---|", flush=True)
    for case in [arguments.case] if arguments.case else modules():
        every = DTYPES.get(case, ("f64", "f32"))
        for dtype in [arguments.dtype] if arguments.dtype else every:
            for threads in [arguments.threads] if arguments.threads else (1, 2):
                if dtype in every and not (case == "machine" and threads > 1):
                    print(compare(case, dtype, threads, library, arguments), flush=True)


def main():
    names = [*PRODUCTS, "particles", "killed", "normals", "machine"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=[*names, "ratios"])
    parser.add_argument("--peer", choices=["numpy", "torch", "jax", "torchsde"])
    parser.add_argument("--case", choices=names, help="for ratios: this case alone")
    parser.add_argument("--dtype", choices=["f64", "f32"], help="f64 if not said; for ratios: both")
    parser.add_argument("--threads", type=int, help="1 if not said; for ratios: 1 and 2")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the peers")
    parser.add_argument("--program", help="the built example; SPEED_PROGRAM in the environment does the same")
    arguments = parser.parse_args()
    if arguments.what == "ratios":
        return ratios(arguments)
    case, dtype, threads = arguments.what, arguments.dtype or "f64", arguments.threads or 1
    if dtype not in DTYPES.get(case, ("f64", "f32")) or (case == "machine" and threads > 1):
        parser.error(f"{case} runs in f64 alone" + ", on one thread" * (case == "machine"))
    if arguments.peer is None:
        parser.error("--peer is needed")
    prepare(arguments.peer, threads)
    if arguments.peer not in modules()[case][2]:
        parser.error(f"{case} has the peers {', '.join(modules()[case][2])}")
    print(json.dumps(measure(case, arguments.peer, dtype, threads, arguments.seconds)))


if __name__ == "__main__":
    main()
