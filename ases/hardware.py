"""What this machine can do at best: the rate of its matrix products, measured here and now, and memory at its peak.

>>> peak = peak_rate(torch.device("cpu"))                                     # doctest: +SKIP
>>> f"{peak.flops_per_second:.2g} on {peak.threads} threads"                  # doctest: +SKIP
'8.1e+10 on 1 threads'

A share of a data sheet's peak says little where clocks, threads and neighbours differ; a share of what the same
process reaches in large matrix products a moment before does.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from ases.memory import peak_mib


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


def matrix_rate(
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    seconds: float = 0.3,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """FLOPs a second (2 a multiply-add) of the product of two large matrices, on torch's threads as they are now.

    Square matrices of 1,024 (CPU) or 8,192 (GPU); the best of the rounds that fit into ``seconds``, since a busy
    machine only ever makes a round slower. With ``time.process_time`` as the ``clock``: FLOPs a processor second.
    """
    device = torch.device(device)
    width = 8192 if device.type == "cuda" else 1024
    left, right = (torch.ones(width, width, dtype=dtype, device=device) for _ in range(2))
    best, until = float("inf"), time.monotonic() + seconds
    left @ right  # the first product also loads the kernel
    while True:
        _wait(device)
        began = clock()
        left @ right
        _wait(device)
        best = min(best, clock() - began)
        if time.monotonic() > until:
            return 2 * width**3 / best


def peak_rate(device: torch.device, seconds: float = 0.3) -> Peak:
    """The device's best rate of matrix products in the numbers that training uses.

    Measured once a process and number of threads, since it takes a moment.
    """
    return _peak(device, seconds, torch.get_num_threads())


@cache
def _peak(device: torch.device, seconds: float, threads: int) -> Peak:
    dtype, numbers = precision(device)
    return Peak(matrix_rate(device, dtype, seconds), numbers, device_name(device), threads)


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
    return peak_mib()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that memory did not suffice, on a GPU or a CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
