"""How far a plan is: states, reasons, and the time left from what finished runs took."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ases import runs
from ases.execution import DURATION, PARTIAL, locked
from ases.status import failure, report_lines
from tests import fake_project

QUICK = {"size": "quick", "methods": ["seq2seq", "uni-path"], "seeds": [0]}


@pytest.fixture(autouse=True)
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[runs.Run]:
    monkeypatch.setenv("ASES_ROOT", str(tmp_path))
    monkeypatch.delenv("ASES_BUILD", raising=False)
    fake_project.make(tmp_path)
    return runs.plan(QUICK)


def test_a_plan_that_has_not_begun(plan: list[runs.Run]) -> None:
    *lines, summary = report_lines(plan, 2)
    assert [line.split()[0] for line in lines] == ["missing"] * 6
    assert summary == (
        "0 done, 6 missing; time left unknown (none of these has finished yet: "
        "1 of 02_data, 2 of 04_training, 2 of 05_generation, 1 of 06_comparison)"
    )


def test_states_reasons_and_time_left(plan: list[runs.Run]) -> None:
    data, first, *_ = plan
    second = next(run for run in plan[2:] if run.step == "training")
    fake_project.finish(data, seconds=10)
    fake_project.finish(first, seconds=200)
    assert report_lines(plan, 2)[-1].startswith("2 done, 4 missing; about 2 min left, 2 at a time (without 2 of 05_gen")
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no luck", "traceback": []}
    cells = [
        {"cell_type": "code", "source": "\nx = 1\ny = 2", "execution_count": 1, "outputs": [error]},
        {"cell_type": "code", "source": "z", "execution_count": None, "outputs": []},
    ]
    second.folder.mkdir(parents=True)
    second.path(PARTIAL).write_text(json.dumps({"cells": cells}))
    *lines, summary = report_lines(plan, 1)
    assert summary.startswith("2 done, 1 failed, 3 missing; about 3 min left, 1 at a time")
    place = next(number for number, line in enumerate(lines) if second.folder.name in line)
    assert lines[place].startswith("failed ") and lines[place + 2].strip() == "ValueError: no luck"
    assert lines[place + 1].strip() == "cell [1], which begins with `x = 1`:"
    second.progress("step 3 of 9", 1 / 3)
    with locked(second.path("running.lock"), "it"):
        *lines, summary = report_lines(plan, 1)
        place = next(number for number, line in enumerate(lines) if second.folder.name in line)
        assert lines[place].startswith("running") and "step 3 of 9 (33 %), for " in lines[place + 1]
        assert summary.startswith("2 done, 1 running, 3 missing")


def test_a_run_of_a_sweep_tells_its_own_values() -> None:
    sweep = {**QUICK, "methods": ["seq2seq", "dual-path"], "train_size": [500, 4000], "beta": [1.0, 1.4]}
    *lines, _ = report_lines(runs.plan(sweep), 2, sweep)
    told = [line for line in lines if "06_comparison" in line]
    values = [f"(train_size={n}, beta={b})" for n in (500, 4000) for b in (1.0, 1.4)]
    assert len(told) == 4 and all(value in line for value, line in zip(values, told, strict=True))
    whole = [line for line in lines if "seq2seq" in line]
    assert whole and all("(train_size=" in line and "beta" not in line for line in whole), "no beta matters to it"
    assert len({line.rindex(" ") for line in lines}) == 1, "folders stand below each other"


def test_one_that_was_killed_has_no_error_to_show(plan: list[runs.Run]) -> None:
    run = plan[0]
    run.folder.mkdir(parents=True)
    cell = {"cell_type": "code", "source": "x", "outputs": []}
    content = {"cells": [{**cell, "execution_count": 1}, {**cell, "execution_count": None}]}
    run.path(PARTIAL).write_text(json.dumps(content))
    assert failure(run).startswith("stopped from outside or out of memory, after 1 of 2 cells")
    run.path(PARTIAL).write_text('{"cells": [')
    assert failure(run).startswith("stopped while its notebook was written")


def test_everything_done_says_so(plan: list[runs.Run]) -> None:
    for run in plan:
        fake_project.finish(run, seconds=1)
    assert report_lines(plan, 2)[-1] == "6 done, 0 missing; nothing left to do"
    plan[0].path(DURATION).write_text("{")  # half-written by a full disk: no reason to fail
    assert report_lines(plan, 2)[-1].startswith("6 done")
