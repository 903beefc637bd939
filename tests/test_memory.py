"""Memory at its peak is this process's own, not that of whoever started it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ases import memory
from ases.memory import peak_mib, resident_mib


def test_the_peak_stays_when_memory_is_given_back():
    block = bytearray(b"x" * 2**26)
    held = resident_mib()
    del block
    assert peak_mib() >= held - 1 > 64, "the kernel counts a thread's pages in batches: both are right to a MiB"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell only the peak that is inherited")
def test_a_small_process_started_by_a_large_one_is_small():
    block = bytearray(b"x" * 2**28)
    own = "from ases.memory import peak_mib; print(peak_mib())"
    asked = subprocess.run([sys.executable, "-c", own], capture_output=True, text=True, check=True)
    assert len(block) / 2**20 < peak_mib() and float(asked.stdout) < 100


def test_where_the_system_does_not_say_the_peak_so_far_is_taken(monkeypatch):
    monkeypatch.setattr(memory, "Path", lambda name: __import__("pathlib").Path("/nowhere"))
    assert peak_mib() == resident_mib() > 1
