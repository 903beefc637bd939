"""Examples: the appended answer, and the way to Arrow and Parquet and back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ases import examples as module
from ases.errors import DataError
from ases.examples import (
    AS,
    ES,
    FEATURES,
    Example,
    Examples,
    from_dataset,
    read_examples,
    state_answer,
    states_answer,
    store_examples,
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


# A sequence that is not in memory ----------------------------------------------------------------------------------

MANY = [replace(FULL, qid=f"q{number}", official_split="test" if number % 2 else None) for number in range(700)]


@pytest.fixture(params=["memory", "mapped"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Examples:
    return store_examples(iter(MANY), None if request.param == "memory" else tmp_path / "deep" / "many.arrow")


def test_examples_are_a_sequence(stored: Examples) -> None:
    assert isinstance(stored, Sequence)
    assert len(stored) == 700
    assert (stored[0], stored[-1], stored[699]) == (MANY[0], MANY[-1], MANY[-1])
    assert list(stored) == MANY == stored
    assert isinstance(stored[10:20], Examples)
    assert stored[690:900] == MANY[690:]
    assert stored[::-100] == MANY[::-100]
    assert stored[5:5] == []
    assert MANY[3] in stored
    for place in (700, -701):
        with pytest.raises(IndexError):
            stored[place]


def test_examples_are_equal_to_what_holds_the_same(stored: Examples) -> None:
    assert stored != MANY[:-1]
    assert stored != [*MANY[:-1], replace(MANY[-1], answer="3")]
    assert stored != "text"
    assert repr(stored) == "Examples(700 rows)"


def test_positions_are_selected_in_their_order_and_again(stored: Examples) -> None:
    chosen = stored.select([500, 3, 3, 699])
    assert [example.qid for example in chosen] == ["q500", "q3", "q3", "q699"]
    assert chosen.select([3, 0]) == [MANY[699], MANY[500]]
    assert list(chosen.column("qid")) == ["q500", "q3", "q3", "q699"]
    assert list(stored.column("official_split"))[:3] == [None, "test", None]


def test_stored_examples_are_mapped_and_stay_whole_when_they_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "some.arrow"
    first = store_examples(MANY[:10], path)
    store_examples(MANY[10:30], path)
    assert first == MANY[:10]  # the file that was mapped lives until nobody reads it
    assert read_examples(path) == MANY[10:30]
    assert [entry.name for entry in tmp_path.iterdir()] == ["some.arrow"]
    assert read_examples(path).dataset.features == FEATURES


@pytest.mark.parametrize("write", [store_examples, write_examples])
def test_a_stream_that_breaks_leaves_the_former_file_and_no_other(tmp_path: Path, write, monkeypatch) -> None:
    monkeypatch.setattr(module, "ROWS", 2)
    path = tmp_path / ("some.arrow" if write is store_examples else "some.parquet")
    write([PLAIN], path)

    def broken() -> Iterator[Example]:
        yield from MANY[:5]
        raise DataError("line 6")

    with pytest.raises(DataError, match="line 6"):
        write(broken(), path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert read_examples(path) == [PLAIN]


def test_rows_go_out_by_batches_of_rows_or_of_characters(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "ROWS", 4)
    monkeypatch.setattr(module, "CHARACTERS", 1000)
    path = tmp_path / "some.parquet"
    long = replace(PLAIN, question="x" * 1000)
    write_examples([PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, long, PLAIN], path)
    found = pyarrow.parquet.ParquetFile(path).metadata
    assert [found.row_group(number).num_rows for number in range(found.num_row_groups)] == [4, 2, 1]
    write_examples([], path)
    assert read_examples(path) == []
    assert store_examples([], tmp_path / "none.arrow") == []


def test_large_parquet_is_mapped_from_a_copy_named_for_its_content(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "MAPPED_FROM", 0)
    path = tmp_path / "many.parquet"
    write_examples(MANY, path)
    assert read_examples(path) == MANY
    (copy,) = tmp_path.glob(".many-*.arrow")
    written = copy.stat().st_mtime_ns
    assert read_examples(path) == MANY
    assert copy.stat().st_mtime_ns == written
    write_examples(MANY[:9], path)
    assert read_examples(path) == MANY[:9]
    assert len([*tmp_path.glob(".many-*.arrow")]) == 2


@pytest.mark.parametrize("name", ["some.arrow", "some.parquet"])
@pytest.mark.parametrize("content", [b"", b"neither Arrow nor Parquet"])
def test_what_is_no_table_is_an_error_that_names_the_file(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name} does not hold examples"):
        read_examples(tmp_path / name)


_MEMORY = """
import resource, sys
from pathlib import Path
from ases.examples import Example, store_examples, write_examples
rows, folder = int(sys.argv[1]), Path(sys.argv[2])
text = "A long question about everything that there is. " * 40
made = (Example(qid=str(n), question=text + str(n), rationale=text, answer="4", source="own") for n in range(rows))
stored = store_examples(made, folder / f"{rows}.arrow")
assert sum(len(example.question) > 100 for example in stored) == rows
write_examples(stored.select(range(rows - 1, -1, -1)), folder / f"{rows}.parquet")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, (folder / f"{rows}.arrow").stat().st_size)
"""


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def measured(rows: int) -> tuple[int, int]:
        command = [sys.executable, "-c", _MEMORY, str(rows), str(tmp_path)]
        peak, size = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return int(peak) // (1 if sys.platform != "darwin" else 1024), int(size) // 1024

    (peak, size), (larger_peak, larger_size) = measured(5_000), measured(30_000)
    assert larger_size - size > 90_000  # kB
    assert larger_peak - peak < 30_000
