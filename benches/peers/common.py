"""What the comparisons with other programs share: cores, examples of the library, alternation, ratios."""

import json
import os
import statistics
import subprocess
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What one peer does in one case: its version, a function that does `units` of work and returns its result, and a
# function from the last result to a dictionary of what to report of it.
Bench = namedtuple("Bench", "version run units report")


def bind(threads):
    """Binds this process to as many cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def example(name, *options):
    """Builds an example of the library and says where it is."""
    build = ["cargo", "build", "--release", *options, "--example", name, "--message-format", "json"]
    out = subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    built = [json.loads(line).get("executable") for line in out.splitlines()]
    return next(path for path in built if path and Path(path).name == name)


def one_run(command, threads, environment=None):
    """The line of JSON that a command prints last, bound to as many cores as threads; None if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: bind(threads),
                          env=os.environ | (environment or {}))
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def alternate(runs, rounds):
    """Calls each function of a dictionary in turn, `rounds` times over; the rows of their results. What fails once
    (None) is left out from then on."""
    rows, runs = [], dict(runs)
    for _ in range(rounds):
        rows.append({who: run() for who, run in runs.items()})
        runs = {who: run for who, run in runs.items() if rows[-1][who] is not None}
    return [{who: row[who] for who in runs} for row in rows]


def ratio(rows, who, peer):
    """The ratio who/peer of each row: median, smallest, largest."""
    ratios = sorted(row[who] / row[peer] for row in rows)
    return statistics.median(ratios), ratios[0], ratios[-1]
