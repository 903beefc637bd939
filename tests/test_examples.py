"""Examples: the appended answer, and the way to Arrow and Parquet and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ases.errors import DataError
from ases.examples import (
    AS,
    ES,
    FEATURES,
    Example,
    from_dataset,
    read_examples,
    state_answer,
    states_answer,
    to_dataset,
    write_examples,
)
from ases.pieces import split_pieces

PLAIN = Example(qid="q1", question="2 + 2?", rationale="2 + 2 = 4.", answer="4", source="own")
FULL = Example(
    qid="gen-0-1",
    question="Ann had 3 pens, lost 1.",
    rationale="Ann had 3 pens, so 3 - 1 = 2 are left. The answer is 2.",
    answer="2",
    source="generated",
    licence="MIT",
    language="en",
    gold=(ES, AS, ES),
    graph="lose",
    schema="lose/pens",
    teacher_correct=None,
    flags=("odd", "very odd"),
)
REPORT = Example(qid="r1", question="肝脏大小正常。", rationale="未见异常。", answer=None, source="pet", language="zh")


def test_an_unstated_answer_is_appended() -> None:
    assert state_answer(PLAIN).rationale == "2 + 2 = 4. The answer is 4."
    assert state_answer(replace(PLAIN, rationale="2 + 2 = 4. \n")).rationale == "2 + 2 = 4. The answer is 4."
    assert state_answer(state_answer(PLAIN)) == state_answer(PLAIN)


@pytest.mark.parametrize("rationale", ["The answer is 4.", "So the ANSWER IS 5", "Thus, answer is: 4"])
def test_a_stated_answer_is_left_alone(rationale: str) -> None:
    assert states_answer(rationale)
    assert state_answer(replace(PLAIN, rationale=rationale)).rationale == rationale


@pytest.mark.parametrize("rationale", ["The answers is 4", "the answer isn't known", "It is 4.", ""])
def test_what_states_no_answer(rationale: str) -> None:
    assert not states_answer(rationale)


def test_without_an_answer_nothing_is_appended() -> None:
    assert state_answer(REPORT) == REPORT


def test_the_appended_piece_restates_so_its_gold_label_is_es() -> None:
    bare = replace(FULL, rationale="Ann had 3 pens, so 3 - 1 = 2 are left.", gold=(ES, AS))
    stated = state_answer(bare)
    assert stated.gold == (ES, AS, ES)
    assert len(split_pieces(stated.rationale)) == len(stated.gold)
    assert state_answer(FULL) == FULL


def test_arrow_and_back() -> None:
    dataset = to_dataset([PLAIN, FULL, REPORT])
    assert dataset.features == FEATURES
    assert from_dataset(dataset) == [PLAIN, FULL, REPORT]


def test_missing_columns_are_named() -> None:
    dataset = to_dataset([PLAIN]).remove_columns(["answer", "flags"])
    with pytest.raises(DataError, match="lacks the columns answer, flags; it has qid, question"):
        from_dataset(dataset)


def test_parquet_and_back_without_a_half_written_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "examples.parquet"
    write_examples([PLAIN, FULL, REPORT], path)
    assert read_examples(path) == [PLAIN, FULL, REPORT]
    assert [entry.name for entry in path.parent.iterdir()] == ["examples.parquet"]
    write_examples([FULL], path)
    assert read_examples(path) == [FULL]


def test_reading_what_is_not_there_says_which_notebook_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="examples.parquet is not there; run the data notebook"):
        read_examples(tmp_path / "examples.parquet")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(Example, TEXT, TEXT, TEXT, st.none() | TEXT, TEXT, flags=st.tuples(TEXT)), min_size=1))
def test_any_text_survives(examples: list[Example]) -> None:
    assert from_dataset(to_dataset(examples)) == examples
