"""Gathering: one example a question, every record accounted for, and tables that are whole or are not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ases import gathering
from ases.errors import DataError
from ases.gathering import Gathered, content_key, gather
from ases.settings import DataSettings, settings_for


def own(folder: Path, rows: list[dict[str, Any]], **changes: Any) -> DataSettings:
    path = folder / "own.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return settings_for({"size": "real", "data": "own", "data_folder": str(path), **changes}).data


def row(qid: str, question: str, answer: str = "4", **more: str) -> dict[str, str]:
    return {"qid": qid, "question": question, "rationale": "2 + 2 = 4.", "answer": answer, **more}


ROWS = [
    row("b", "What is 2 + 2?"),
    row("c", "what is  2 + 2 ?"),
    {**row("d", "Empty?"), "rationale": ""},
    row("a", "What is 2 + 2 in all?"),
]


def reasons(gathered: Gathered) -> list[str]:
    return [gathered.reasons[code] for code in gathered.reason_of]


def test_every_record_has_its_reason_and_every_question_one_example(tmp_path: Path) -> None:
    gathered = gather(own(tmp_path, ROWS))
    assert [example.qid for example in gathered.examples] == ["b", "a"]
    assert gathered.by_qid.tolist() == [1, 0]
    assert gathered.row_of.tolist() == [0, -1, -1, 1]
    assert [gathered.sets[code] for code in gathered.set_of] == ["own"] * 4
    assert reasons(gathered)[1:3] == ["duplicate question, kept from own", "empty rationale"]
    assert all(reason.startswith("kept") for reason in (reasons(gathered)[0], reasons(gathered)[3]))
    assert all(example.rationale.endswith("The answer is 4.") for example in gathered.examples)


def test_of_equal_questions_a_right_one_is_kept_before_an_earlier_wrong_one(tmp_path: Path) -> None:
    rows = [{**row("wrong", "What is 2 + 2?"), "rationale": "The answer is 5."}, row("right", "What is 2 + 2?")]
    gathered = gather(own(tmp_path, rows, keep_teacher_wrong=True))
    assert [example.qid for example in gathered.examples] == ["right"]
    assert gathered.row_of.tolist() == [-1, 0]


def test_columns_are_mapped_by_parameter(tmp_path: Path) -> None:
    rows = [{"findings": "Ein Herd.", "rationale": "Verdacht.", "id": "r1"}]
    (example,) = gather(own(tmp_path, rows, columns=["question=findings", "qid=id"])).examples
    assert (example.question, example.qid, example.answer) == ("Ein Herd.", "r1", None)


def test_a_table_is_found_again_while_source_settings_and_code_are_the_same(tmp_path: Path, monkeypatch) -> None:
    folder, settings = tmp_path / "run", own(tmp_path, ROWS)
    first = gather(settings, folder)
    assert first.examples == gather(settings).examples
    read = gathering.read_records
    monkeypatch.setattr(gathering, "read_records", None)  # nothing is read a second time
    again = gather(settings, folder)
    assert again.examples == first.examples
    assert [values.tolist() for values in (again.row_of, again.by_qid)] == [[0, -1, -1, 1], [1, 0]]
    assert reasons(again) == reasons(first)
    monkeypatch.setattr(gathering, "read_records", read)
    own(tmp_path, ROWS[:1])
    assert len(gather(settings, folder).examples) == 1
    assert len([*folder.glob("records-*.arrow")]) == 2


def test_the_key_depends_on_the_code(monkeypatch) -> None:
    before = content_key("source", [1])
    assert before == content_key("source", [1]) != content_key("source", [2])
    monkeypatch.setattr(gathering, "_code", lambda: "changed")
    assert content_key("source", [1]) != before


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_half_a_table_is_not_taken_for_a_whole_one(tmp_path: Path, suffix: str) -> None:
    folder, settings = tmp_path / "run", own(tmp_path, ROWS)
    whole = gather(settings, folder)
    next(folder.glob(f"*{suffix}")).unlink()
    assert gather(settings, folder).examples == whole.examples
    assert sorted(path.suffix for path in folder.iterdir()) == [".arrow", ".parquet"]


def test_reading_that_fails_leaves_nothing(tmp_path: Path) -> None:
    settings = own(tmp_path, ROWS)
    with Path(settings.data_folder).open("a") as file:
        file.write('{"qid": "z", "question"\n')
    with pytest.raises(DataError, match="line 5"):
        gather(settings, tmp_path / "run")
    assert not [*(tmp_path / "run").iterdir()]


def test_a_qid_of_two_records_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 5.*b stands for line 1 too"):
        gather(own(tmp_path, [*ROWS, row("b", "Another?")]))


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    gather(own(tmp_path, ROWS), None, lambda message, done: told.append((message, done)))
    assert told == [("reading own: 0 records", 0.0)]
