"""How many threads torch computes with, for the time of a block or in a process: what benchmarks state and hold to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    """Compute on ``count`` threads within the block; afterwards on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def own_environment(threads: int) -> dict[str, str]:
    """The environment of a process of one's own: this package, from whatever folder, on that many threads."""
    found = [str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(found), "OMP_NUM_THREADS": str(threads)}
