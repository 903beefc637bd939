"""Ten kills of a real workflow at its smallest size; ``make test-kill`` runs it, in about ten minutes.

At least one kill lands in each of scoring, training, the saving of a checkpoint, generation and the writing of a
notebook, or the test fails. What comes out in the end equals a run that nobody killed, and nothing is done twice.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from ases import runs
from ases.checkpoints import MARKER
from ases.execution import PARTIAL, state
from ases.folders import Run
from tests import killing

pytestmark = pytest.mark.kill

ROOT = Path(__file__).resolve().parents[1]
WANTED = {"training": 2, "checkpoint": 2, "scoring": 2, "generation": 2, "notebook": 2}
PARAMETERS = {"size": "smoke", "methods": ["seq2seq", "dual-path-merged"], "seeds": [0]}


def unsealed(run: Run) -> bool:
    """Whether a checkpoint is there that is not whole yet."""
    return any(
        not (Path(found.path) / MARKER).is_file()
        for place in (run.folder, *(run.path(name) for name in ("model", "esm", "asm")))
        for folder in (place, place / "checkpoints")
        if folder.is_dir()
        for found in os.scandir(folder)
        if found.name.startswith("checkpoint-")
    )


def phase(plan: list[Run], open_phases: set[str]) -> tuple[str, Run] | None:
    """What the workflow is in the middle of just now, of the phases that are still to be hit."""
    for run in plan:
        if run.manifest_path.is_file() or not run.path(PARTIAL).is_file():
            continue
        if run.step == "training" and "checkpoint" in open_phases and unsealed(run):
            return "checkpoint", run
        if "notebook" in open_phases and run.step in ("data", "generation", "comparison") and cut_short(run):
            return "notebook", run
        if run.step in open_phases and "checkpoint" not in open_phases and under_way(run):
            return run.step, run
    return None


def cut_short(run: Run) -> bool:
    # Looking at the size is quick enough to see the moment between emptied and written.
    try:
        return run.path(PARTIAL).stat().st_size == 0
    except FileNotFoundError:
        return False


def under_way(run: Run) -> bool:
    """Whether the work itself has begun (it tells how far it is) and its result is not there."""
    result = {"training": "training.json", "scoring": "scores.parquet", "generation": "predictions.parquet"}
    return run.path("progress.json").is_file() and not run.path(result[run.step]).is_file()


def landed(where: str, run: Run) -> bool:
    """Whether the kill did hit what it was meant for, by what lies there afterwards."""
    if where == "checkpoint":
        return unsealed(run)
    return killing.torn(run) if where == "notebook" else under_way(run)


def test_ten_kills_and_nothing_is_lost_or_done_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {**os.environ, "ASES_ROOT": str(ROOT), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    monkeypatch.setenv("ASES_ROOT", str(ROOT))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for place in (whole, killed):
        place.mkdir()
    monkeypatch.setenv("ASES_BUILD", str(whole))
    (tmp_path / "small.yaml").write_text(json.dumps(PARAMETERS))
    arguments = [str(tmp_path / "small.yaml"), "--cores", "1"]
    assert killing.start(whole, {**environment, "ASES_BUILD": str(whole)}, *arguments).wait(900) == 0
    wanted = killing.contents(runs.plan(PARAMETERS))

    monkeypatch.setenv("ASES_BUILD", str(killed))
    plan = runs.plan(PARAMETERS)
    hits: Counter[str] = Counter()
    finished: dict[str, int] = {}
    until = time.monotonic() + 1800
    while sum(hits.values()) < sum(WANTED.values()):
        assert time.monotonic() < until, f"only {dict(hits)} were hit"
        process = killing.start(killed, {**environment, "ASES_BUILD": str(killed)}, *arguments)
        missed = {name for name, count in WANTED.items() if hits[name] < count}
        found: list[tuple[str, Run]] = []
        kernels: dict[str, list[int]] = {}

        def happens(missed=missed, found=found, kernels=kernels) -> bool:
            for run in plan:
                if run.key not in kernels and run.path(PARTIAL).is_file() and under_way_or_open(run):
                    kernels[run.key] = killing.kernel_of(killing.worker_of(run))
            if now := phase(plan, missed):
                found.append(now)
            return bool(found)

        assert killing.wait_for(process, happens, 600), f"it ended before {sorted(missed)} were hit; hit: {dict(hits)}"
        where, run = found[0]
        worker = killing.worker_of(run)
        first = kernels.get(run.key, []) if where == "checkpoint" else [worker] if worker else []
        killing.kill(process, first)
        hits[where] += landed(where, run)
        print(f"killed in {where} of {run.label}: {'hit' if landed(where, run) else 'missed'}", file=sys.stderr)
        for key, made in killing.made_at(plan).items():
            assert finished.setdefault(key, made) == made, "a finished run was done again"
    assert all(hits[name] >= 1 for name in WANTED)
    assert killing.start(killed, {**environment, "ASES_BUILD": str(killed)}, *arguments).wait(900) == 0
    assert {key: made for key, made in killing.made_at(plan).items() if key in finished} == finished
    assert [run.label for run in plan if state(run) != "done"] == []
    assert killing.half_written(plan) == []
    assert killing.contents(plan) == wanted


def under_way_or_open(run: Run) -> bool:
    return run.step == "training" and run.path("progress.json").is_file()
