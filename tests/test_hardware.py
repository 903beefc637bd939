"""What the machine can do: a rate that is possible, memory that is held, errors that say memory ran out."""

from __future__ import annotations

import torch

from ases.hardware import device_now, is_out_of_memory, matrix_rate, peak_memory_mib, peak_rate, precision
from ases.threads import on_threads

CPU = torch.device("cpu")


def test_the_peak_is_at_least_what_one_product_reaches_and_measured_once():
    import time

    peak = peak_rate(CPU, seconds=0.05)
    square = torch.ones(1024, 1024)
    began = time.perf_counter()
    square @ square
    assert peak.flops_per_second > 0.3 * 2 * 1024**3 / (time.perf_counter() - began)
    assert peak_rate(CPU, seconds=0.05) is peak and peak.threads == torch.get_num_threads() and peak.device
    with on_threads(peak.threads + 1):
        assert peak_rate(CPU, seconds=0.05).threads == peak.threads + 1, "another number of threads has another rate"


def test_a_rate_counts_two_operations_a_multiply_add_on_the_clock_that_is_given():
    ticks = iter(range(1000))
    assert matrix_rate(CPU, seconds=0.0, clock=lambda: float(next(ticks))) == 2 * 1024**3


def test_memory_at_its_peak_grows_with_what_is_held():
    before = peak_memory_mib(CPU)
    block = torch.ones(2**25)  # 128 MiB
    assert before < 2**17 and peak_memory_mib(CPU) >= block.numel() * 4 / 2**20


def test_out_of_memory_is_told_from_other_errors():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory")) and is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    try:
        torch.empty(2**60)
    except RuntimeError as error:
        assert is_out_of_memory(error)


def test_on_a_cpu_products_are_taken_in_float32():
    assert precision(CPU) == (torch.float32, "float32")
    assert device_now().type == ("cuda" if torch.cuda.is_available() else "cpu")
