"""How much memory this process has held at its peak, without loading a library to find out.

>>> peak_mib() > 1
True

The system's ``ru_maxrss`` will not do: on Linux a process inherits it from whoever started it, so that a small one
started from a large notebook seems as large.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_mib() -> float:
    """The most memory (MiB) that this process has had resident."""
    return _status("VmHWM:")


def resident_mib() -> float:
    """The memory (MiB) that this process has resident now; where the system does not say, its peak so far."""
    return _status("VmRSS:")


def _status(name: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 2**10
    except (OSError, StopIteration):
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return held / (2**20 if sys.platform == "darwin" else 2**10)  # bytes there, KiB elsewhere
