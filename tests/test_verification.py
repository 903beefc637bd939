"""How tables agree with published ones: row by row, in plain words, and why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ases import runs, verification
from ases.folders import Shelf
from ases.parameters import load_file
from ases.provenance import machine_type
from ases.verification import agreement, read_table, table_text, verify
from tests import fake_project

QUICK = {"size": "quick", "methods": ["seq2seq"], "seeds": [0], "study_data": ["generated"], "scorer_seeds": [0]}
ROW = {
    "method": "seq2seq",
    "n": "1000",
    "accuracy": "0.5",
    "accuracy_low": "0.4",
    "accuracy_high": "0.6",
    "seconds": "9",
}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "identical"),
        ({"seconds": "11"}, "identical"),
        ({"accuracy": "0.6"}, "within the published interval"),
        ({"accuracy": "0.6", "n": "999"}, "different"),
        ({"accuracy": "0.61"}, "different"),
        ({"accuracy": ""}, "different"),
    ],
)
def test_agreement_of_a_row(change: dict[str, str], verdict: str) -> None:
    assert agreement([{**ROW, **change}], [ROW]) == [("seq2seq", verdict)]


def test_agreement_without_intervals_and_with_other_rows() -> None:
    def rows(*values: str) -> list[dict[str, str]]:
        return [{"name": name, "value": value} for name, value in zip("ab", values, strict=False)]

    assert agreement(rows("1.0000001", "2"), rows("1", "3")) == [("a", "equal to six digits"), ("b", "different")]
    assert agreement(rows("1"), rows("1", "3"))[1] == ("b", "only in the published table")
    assert agreement(rows("1", "3"), rows("1"))[1] == ("b", "not in the published table")
    bare = [{"accuracy": "0.5", "low": "0.4", "high": "0.6"}]
    assert agreement([{**bare[0], "accuracy": "0.41"}], bare) == [("the row", "within the published interval")]


def test_tables_as_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('name,n\nlonger,1\n"a, b",\n', encoding="utf-8")
    assert table_text(read_table(tmp_path / "t.csv")) == "name    n\nlonger  1\na, b"


def test_a_verdict_that_turns_does_not_lose_its_row() -> None:
    published = [{"method": "seq2seq", "accuracy": "0.4", "low": "0.3", "high": "0.5", "still_rises": "True"}]
    turned = [{**published[0], "accuracy": "0.41", "still_rises": "False"}]
    assert agreement(turned, published) == [("seq2seq", "within the published interval")]
    assert agreement(published, published) == [("seq2seq", "identical")]


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes the same table of two notebooks as computed and as published; changes can be made to what is published."""
    monkeypatch.setenv("ASES_ROOT", str(tmp_path))
    monkeypatch.delenv("ASES_BUILD", raising=False)
    fake_project.make(tmp_path)
    chosen = {run.notebook: run for run in runs.plan(QUICK)}

    def write(published: dict[str, str], name: str = "t.csv") -> None:
        for notebook in ("03_segmentation", "06_comparison"):
            for folder, row in ((chosen[notebook].figure_folder, ROW), (Shelf("quick").figures(notebook), published)):
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")

    return write


def test_every_published_table_is_held_against_the_one_computed(tables) -> None:
    tables(ROW)
    tables({**ROW, "accuracy": "0.9"}, "t.measured.csv")  # times are not compared
    said, good = verify(QUICK)
    assert good and said == ["03_segmentation/t.csv: 1 rows identical", "06_comparison/t.csv: 1 rows identical"]
    tables({**ROW, "accuracy": "0.45"})
    said, good = verify(QUICK)
    assert good and said[0] == "03_segmentation/t.csv: 1 rows within the published interval"


def test_what_differs_or_is_missing_is_named_with_the_likely_reason(tables) -> None:
    tables({**ROW, "accuracy": "0.7", "accuracy_low": "0.65", "accuracy_high": "0.75"})
    Shelf("quick").figures("05_generation").mkdir(parents=True)
    (Shelf("quick").figures("05_generation") / "gone.csv").write_text("a\n1\n")
    place = Shelf("quick").figures("06_comparison").parents[0] / "results"
    place.mkdir()
    there = {"key": "other", "machine": "Linux elsewhere", "threads": 1, "versions": {"torch": "1"}}
    (place / "quick-manifest.json").write_text(json.dumps(there))
    said, good = verify(QUICK)
    assert not good
    assert "03_segmentation/t.csv: 1 rows different" in said and "    seq2seq: different" in said
    assert "05_generation/gone.csv: only published" in said
    assert said[-2].startswith("The published table was made with other parameters")
    assert f"another type of machine (Linux elsewhere; this is {machine_type()})" in said[-1]


def test_what_another_parameter_file_makes_is_named_with_its_command_and_does_not_count(tables, tmp_path: Path) -> None:
    lines = ["size: quick", "starts: [micro, tiny]", "train_sizes: [500]", "start_methods: [seq2seq]", "seeds: [0]"]
    (tmp_path / "params" / "start.yaml").write_text("\n".join(lines))
    (tmp_path / "params" / "broken.yaml").write_text("size: quick\nmethods: [tri-path]\n")
    tables(ROW)
    for notebook in ("07_start", "09_performance"):
        Shelf("quick").figures(notebook).mkdir(parents=True)
        (Shelf("quick").figures(notebook) / "other.csv").write_text("a\n1\n")
    said, good = verify(QUICK)
    assert good and said[-2:] == [
        "07_start/other.csv: not compared, since another parameter file makes it: "
        "python -m ases reproduce params/start.yaml",
        "09_performance/other.csv: not compared, since other parameters than these make it",
    ]
    said, good = verify(load_file(tmp_path / "params" / "start.yaml"))
    assert not good and "07_start/other.csv: only published" in said
    assert any(line.startswith("03_segmentation/t.csv") and line.endswith("params/quick.yaml") for line in said)


def test_a_table_that_is_not_published_yet_is_no_difference(tables) -> None:
    tables(ROW)
    (Shelf("quick").figures("06_comparison") / "t.csv").unlink()
    said, good = verify(QUICK)
    assert good and said == ["03_segmentation/t.csv: 1 rows identical", "06_comparison/t.csv: not published"]
    (Shelf("quick").figures("03_segmentation") / "t.csv").unlink()
    assert verify(QUICK)[1] is False, "nothing was compared"


def test_nothing_published_and_sweeps_do_not_agree_by_default(tables) -> None:
    assert verify(QUICK) == (["no tables are published for size quick"], False)
    said, good = verify({**QUICK, "methods": ["seq2seq", "dual-path"], "beta": [1.0, 1.4]})
    assert not good and "exported" in said[0]
    assert {verification.IDENTICAL, verification.DIFFERENT} == {"identical", "different"}
