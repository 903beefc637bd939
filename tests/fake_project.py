"""A project in miniature for tests: the notebooks, in seconds, with nothing trained."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ases.folders import STEPS, Run

PROJECT = Path(__file__).resolve().parents[1]

COMMON = """\
size: str = "quick"  # smoke, quick or real
data: str | None = None  # where the examples come from
data_folder: str | None = None  # where collected data lies
train_size: int | None = None
steps_to: int | None = None
keep_teacher_wrong: bool | None = None
data_seed: int | None = None
"""
SEGMENTATION = """\
strategy: str | None = None
random_of: str | None = None
beta: float | None = None  # None: the strategy's own default
"""
TRAINING = """\
budget: float | None = None  # training FLOPs
learning_rate: float | None = None
model: str | None = None
"""
ONE = 'method: str = "seq2seq"  # which method\nseed: int = 0\n'
STUDY = 'study_data: list[str] = ["generated"]\nscorer_seeds: list[int] = [0]\n'
ALL = 'methods: list[str] = ["seq2seq"]  # those compared\nseeds: list[int] = [0]\n'

WORK = """\
trained = run.path("trained.txt")
if not trained.is_file():
    trained.write_text(run.key)
log = run.folder.parent / "executed.txt"
with log.open("a") as file:
    file.write(run.step + "\\n")
"""
LAST = "print(sorted(one.step for one in run.inputs))\nrun.finish(accuracy=0.5)"
TABLE = """\
run.figure_folder.joinpath("comparison.csv").write_text(
    "method,n,accuracy,accuracy_low,accuracy_high\\n" + "".join(f"{m},48,0.5,0.4,0.6\\n" for m in methods)
)
run.path("predictions.parquet").write_bytes(b"tiny")
run.path("metrics.csv").write_text("a\\n1\\n")
"""
MEASURED = """\
run.figure_folder.joinpath("scoring.measured.csv").write_text("a,seconds\\n1,2\\n")
"""


def notebook(path: Path, step: str, parameters: str, *work: str) -> None:
    """Write a notebook with a parameters cell, the guard, and some work."""
    guard = f"from ases import runs\nrun = runs.open_run({step!r}, globals())"
    sources = [parameters, guard, *work]
    cells = [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": f"# {step}"}]
    for number, source in enumerate(sources):
        tags = {"tags": ["parameters"]} if number == 0 else {}
        cell = {"cell_type": "code", "id": f"cell-{number}", "metadata": tags, "source": source.strip()}
        cells.append({**cell, "execution_count": None, "outputs": []})
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    content = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def make(folder: Path) -> Path:
    """The whole miniature; returns its root."""
    everything = COMMON + SEGMENTATION + TRAINING
    place = folder / "notebooks"
    notebook(place / "00_results.ipynb", "results", everything + ALL + STUDY, WORK, LAST)
    notebook(place / "02_data.ipynb", "data", COMMON, WORK, LAST)
    scorer = 'scorer: str | None = None\nfolds: int | None = None\nseed: int = 0\n'
    notebook(place / "03_scoring.ipynb", "scoring", COMMON + TRAINING + scorer, WORK, LAST)
    notebook(place / "03_segmentation.ipynb", "segmentation", everything + STUDY, WORK, LAST)
    folds = 'folds: int | None = None\nleft_out: str | None = None\n'
    notebook(place / "04_training.ipynb", "training", everything + folds + ONE, WORK, LAST)
    notebook(
        place / "05_generation.ipynb", "generation", everything + ONE + "max_rounds: int | None = None\n", WORK, LAST
    )
    notebook(place / "06_comparison.ipynb", "comparison", everything + ALL, WORK, TABLE, LAST)
    measured = 'size: str = "quick"\ndata_folder: str = "data/llm_adapters_cot"\nasked: int | None = None\n'
    measured += 'parts: list[str] = ["scoring"]\n'
    notebook(place / "09_performance.ipynb", "performance", measured, WORK, MEASURED, LAST)
    starts = "starts: list[str] = []\ntrain_sizes: list[int] = []\nstart_methods: list[str] = []\n"
    notebook(place / "07_start.ipynb", "start", everything + starts + "seeds: list[int] = [0]\n", WORK, LAST)
    grids = {"experiment": "", "efficiency": "efficiency_", "sensitivity": "variant_", "rates": "rate_", "why": "why_"}
    for step, prefix in grids.items():
        arms = {"sensitivity": "variants"}.get(step, f"{prefix}arms")
        sizes = "train_sizes" if step == "experiment" else f"{prefix}sizes"
        seeds = f"{prefix}seeds: list[int] = []\n"
        lists = f"{arms}: list[str] = []\n{sizes}: list[int] = []\n{prefix}budgets: list[str] = []\n{seeds}"
        notebook(place / f"{STEPS[step]}.ipynb", step, everything + lists, WORK, LAST)
    notebook(place / "10_your_own_data.ipynb", "own_data", 'size: str = "quick"\n', WORK, LAST)
    (folder / "params").mkdir()
    lines = ["size: quick", "methods: [seq2seq]", "seeds: [0]", "study_data: [generated]", "scorer_seeds: [0]"]
    (folder / "params" / "quick.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (folder / "params" / "benchmark.yaml").write_text("size: quick\n", encoding="utf-8")
    shutil.copyfile(PROJECT / "Snakefile", folder / "Snakefile")
    # A copy of the package: its source is part of each run's key, and must not change while a test runs.
    shutil.copytree(PROJECT / "ases", folder / "ases", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def finish(run: Run, seconds: float = 1.0) -> None:
    """Make a run done without executing its notebook."""
    run.figure_folder.mkdir(parents=True, exist_ok=True)
    run.finish(accuracy=0.5)
    run.path("notebook.ipynb").write_text("{}")
    run.path("duration.json").write_text(json.dumps({"seconds": seconds}))


def environment(folder: Path) -> dict[str, str]:
    """The environment of a command that works in the miniature."""
    outer = {name: value for name, value in os.environ.items() if name != "ASES_BUILD"}
    return {**outer, "ASES_ROOT": str(folder), "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}


def ases(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m ases ...`` in the miniature, from a working directory that is not its root."""
    command = [sys.executable, "-m", "ases", *arguments]
    where = folder / "params"
    return subprocess.run(command, cwd=where, env=environment(folder), capture_output=True, text=True, timeout=300)
