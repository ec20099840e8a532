"""`machine`: copies of 64 MiB, for orientation: how many bytes are copied in a second, each of them read once and
written once."""

import numpy as np

from common import Bench

SIZE = 1 << 26


def build(case, peer, dtype, threads):
    source = np.ones(SIZE // 8)
    target = np.empty_like(source)
    return Bench(np.__version__, lambda: np.copyto(target, source), SIZE, lambda result: {})


CASES = {"machine": ("bytes/s", ("numpy",))}
