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
    assert told == ["400 rows: write", "400 rows: check", "400 rows: split"]
    there = {path.name for path in tmp_path.iterdir()}
    assert {"train.parquet", "valid.parquet", "test.parquet", "account.csv"} <= there


def test_a_process_that_fails_is_an_error(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(scale.sys, "executable", "false")
    with pytest.raises(RunError, match="ases.scale.*10 write failed"):
        million_rows(tmp_path, 10)
