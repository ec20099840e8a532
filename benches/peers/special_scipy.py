"""Times scipy.special.kve on the arguments of benches/special.rs and counts where it is finite on the golden table.

    python3 benches/peers/special_scipy.py [--json]

SciPy needs K_nu and K_{nu+1} for the same pair (log K, R); both are called on a block of 64 neighbouring arguments,
so that NumPy's call overhead is shared, and log K = log(kve) - z. A ratio above 1 means that the Rust code is faster; it is
read from target/criterion after `cargo bench -p resolvent --bench special`.
"""

import argparse
import csv
import json
import timeit
from pathlib import Path

import numpy as np
import scipy
from scipy.special import kve

ROOT = Path(__file__).resolve().parents[2]
ORDERS = [-0.5, 0.0, 0.5, 1.0, 3.0, 10.0, 50.0, 100.0, 391.0, 1535.0, 1e5]
ARGUMENTS = [1e-3, 1.0, 1.6, 10.0, 100.0, 1e4]
BLOCK = 64


def log_k_and_ratio(nu, z):
    here, above = kve(nu, z), kve(nu + 1.0, z)
    return np.log(here) - z, above / here


def nanoseconds(nu, z):
    block = z * (1.0 + 1e-3 * np.arange(BLOCK) / BLOCK)
    timer = timeit.Timer(lambda: log_k_and_ratio(nu, block))
    number, _ = timer.autorange()
    number = max(number // 4, 1)
    return min(timer.repeat(5, number)) / number / BLOCK * 1e9


def shortest(x):
    """A float as Rust's `{}` writes it."""
    return np.format_float_positional(x, trim="-")


def criterion(nu, z):
    """Mean time per argument in ns, or None where the bench has not run."""
    name = f"nu={shortest(nu)},z={shortest(z)}"
    path = ROOT / "target" / "criterion" / "log_k_and_ratio" / name / "new" / "estimates.json"
    if not path.exists():
        return None
    return json.loads(path.read_text())["mean"]["point_estimate"] / BLOCK


def coverage():
    """Rows of the golden table on which log K, R from kve are finite, and on which they are right."""
    with open(ROOT / "crates" / "resolvent-special" / "golden" / "bessel.csv", newline="") as file:
        table = np.array([[float(row[c]) for c in ("nu", "z", "log_k", "ratio_k")] for row in csv.DictReader(file)])
    nu, z, log_k, ratio_k = table.T
    log, ratio = log_k_and_ratio(nu, z)
    finite = np.isfinite(log) & np.isfinite(ratio)
    with np.errstate(invalid="ignore"):
        close = np.abs(log - log_k) <= 1e-13 * np.maximum(1.0, np.abs(log_k))
        right = finite & close & (np.abs(ratio / ratio_k - 1.0) <= 5e-15)
    return {"rows": len(table), "finite": int(finite.sum()), "accurate": int(right.sum())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    rows = []
    with np.errstate(all="ignore"):
        for nu in ORDERS:
            for z in ARGUMENTS:
                if not np.all(np.isfinite(log_k_and_ratio(nu, z))):
                    rows.append({"nu": nu, "z": z, "scipy_ns": None, "rust_ns": criterion(nu, z)})
                    continue
                rows.append({"nu": nu, "z": z, "scipy_ns": nanoseconds(nu, z), "rust_ns": criterion(nu, z)})
        golden = coverage()
    for row in rows:
        both = row["scipy_ns"] and row["rust_ns"]
        row["ratio"] = row["scipy_ns"] / row["rust_ns"] if both else None
    if arguments.json:
        print(json.dumps({"scipy": scipy.__version__, "golden": golden, "times": rows}, indent=1))
        return
    show = lambda x: "-" if x is None else f"{x:.1f}"
    print(f"SciPy {scipy.__version__}: {golden['finite']} of {golden['rows']} golden rows finite, "
          f"{golden['accurate']} within the accuracy of the Rust code's tests")
    print(f"{'nu':>8} {'z':>8} {'scipy ns':>10} {'rust ns':>10} {'ratio':>8}")
    for row in rows:
        print(f"{row['nu']:>8g} {row['z']:>8g} {show(row['scipy_ns']):>10} {show(row['rust_ns']):>10} {show(row['ratio']):>8}")
    ratios = [row["ratio"] for row in rows if row["ratio"]]
    if ratios:
        print(f"geometric mean of {len(ratios)} ratios: {np.exp(np.mean(np.log(ratios))):.1f}")


if __name__ == "__main__":
    main()
