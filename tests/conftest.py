"""What all tests share: one thread a process, no network, and where the real rationales lie.

As many processes as cores run beside each other, and with one thread each their sums come out the same.
"""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("ASES_PROGRESS", "off")  # a line that is renewed as time goes on cannot be compared

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="module", autouse=True)
def unswept() -> Iterator[None]:
    """What was loaded before a module's tests need not be looked through at each sweep for garbage.

    statsmodels' Holm correction and each training sweep, which takes 0.4 s once torch and transformers are loaded.
    """
    gc.collect()
    gc.freeze()
    yield


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    """Some tests ask which figures are open, and others draw: neither needs to know of the rest."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):  # most tests draw nothing, and load nothing for this
        pyplot.close("all")


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of the collected rationales; tests that need it are skipped where it is not beside the project."""
    folder = SHARED / "llm_adapters_cot"
    if not folder.is_dir():
        pytest.skip(f"no real rationales at {folder}")
    return folder
