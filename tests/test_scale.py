"""Scale: a generated file through check, load and split, every row accounted for, in processes of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ases import scale
from ases.errors import RunError
from ases.scale import million_rows, write_rows


def test_the_generated_file_holds_what_collected_files_hold(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", 3000)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [entry.name for entry in tmp_path.iterdir()] == ["rows.jsonl"]
    assert len({row["qid"] for row in rows}) == 3000
    assert 0 < sum(not row["rationale"] for row in rows) < 20
    assert 2600 < len({row["question"] for row in rows}) < 3000
    write_rows(tmp_path / "again.jsonl", 3000)
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "rows.jsonl").read_bytes()


def test_every_step_is_measured_and_nothing_leaks(tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / "train.parquet.1.partial").touch()  # of a process that was killed
    table = million_rows(tmp_path, 400, lambda message, done: told.append(message))
    assert list(table["step"]) == [
        "write the file",
        "check the file",
        "load and split",
        "store the splits",
        "look for leaks",
    ]
    assert set(table["rows"]) == {400}
    assert (table["peak_mb"] > 10).all()
    starts = ["400 rows: write", "400 rows: check", "400 rows: split"]
    assert [message for message in told if message in starts] == starts
    assert "400 rows: split: looking for leaks" in told
    there = {path.name for path in tmp_path.iterdir()}
    splits = {"train.parquet", "valid.parquet", "test.parquet", "account.csv", "near_duplicates.csv"}
    assert there == {"rows-400.jsonl"} | splits  # nothing half-written, no marks, no records


def test_a_call_that_was_killed_goes_on_with_what_it_had_not_finished(tmp_path: Path, monkeypatch) -> None:
    measured: list[str] = []
    broken = "check"

    def measure(command: list[str], told) -> list[dict]:
        work = command[-1]
        measured.append(work)
        if work == broken:
            raise KeyboardInterrupt
        (tmp_path / "rows-10.jsonl").touch()
        return [{"step": work, "rows": 10, "seconds": 0.5, "peak_mb": len(measured)}]

    monkeypatch.setattr(scale, "_measure", measure)
    with pytest.raises(KeyboardInterrupt):
        million_rows(tmp_path, 10)
    broken = "none"
    table = million_rows(tmp_path, 10)
    assert measured == ["write", "check", "check", "split"]
    assert list(table["step"]) == ["write", "check", "split"]
    assert list(table["peak_mb"]) == [1, 3, 4]  # the first is the killed call's own
    million_rows(tmp_path, 10)
    assert measured[4:] == ["write", "check", "split"]  # a whole table is measured anew


def test_a_process_that_fails_is_an_error(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(scale.sys, "executable", "false")
    with pytest.raises(RunError, match="ases.scale.*10 write failed"):
        million_rows(tmp_path, 10)
