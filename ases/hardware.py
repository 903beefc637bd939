"""What this machine can do at best: the rate of its matrix products, measured here and now, and memory at its peak.

>>> peak = peak_rate(torch.device("cpu"))                                     # doctest: +SKIP
>>> f"{peak.flops_per_second:.2g} on {peak.threads} threads"                  # doctest: +SKIP
'8.1e+10 on 1 threads'

A share of a data sheet's peak says little where clocks, threads and neighbours differ; a share of what the same
process reaches in large matrix products a moment before does.
"""

from __future__ import annotations

import platform
import resource
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch


@dataclass(frozen=True)
class Peak:
    """The best rate of large matrix products (FLOPs a second, 2 a multiply-add) on a device, and in which numbers."""

    flops_per_second: float
    numbers: str
    device: str
    threads: int


def device_now() -> torch.device:
    """Where models are trained here: the process's own GPU, else the CPU."""
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def precision(device: torch.device) -> tuple[torch.dtype, str]:
    """The numbers that matrix products are taken in when training on the device, and that in words."""
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return torch.bfloat16, "bfloat16 autocast over float32 weights; float32 products in TF32"
    return torch.float32, "float32"


@cache
def peak_rate(device: torch.device, seconds: float = 0.3) -> Peak:
    """Measure the device's best rate of matrix products; once a process, since it takes a moment.

    Square matrices of 1,024 (CPU) or 8,192 (GPU), in the numbers that training uses; the best of the rounds that fit
    into ``seconds``, since a busy machine only ever makes a round slower.
    """
    dtype, numbers = precision(device)
    width = 8192 if device.type == "cuda" else 1024
    left, right = (torch.ones(width, width, dtype=dtype, device=device) for _ in range(2))
    best, until = float("inf"), time.monotonic() + seconds
    left @ right  # the first product also loads the kernel
    while True:
        _wait(device)
        began = time.perf_counter()
        left @ right
        _wait(device)
        best = min(best, time.perf_counter() - began)
        if time.monotonic() > until:
            return Peak(2 * width**3 / best, numbers, device_name(device), torch.get_num_threads())


def device_name(device: torch.device) -> str:
    """The device in words: the GPU's name, or the processor's."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def peak_memory_mib(device: torch.device) -> float:
    """The most memory held so far, in MiB: what tensors took on a GPU, the whole process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / (2**20 if sys.platform == "darwin" else 2**10)  # bytes there, KiB elsewhere


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that memory did not suffice, on a GPU or a CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
