"""Reading files of records: every layout, and a set of hostile files that each get their problem with file and line."""

from __future__ import annotations

import csv
import gzip
import json
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ases import layouts
from ases.errors import DataError
from ases.files import read_rows, read_values
from ases.layouts import Problem

GOOD = {"question": "2 + 2?", "rationale": "2 + 2 = 4."}
LINE = json.dumps(GOOD)


def made(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def zipped(folder: Path, name: str, **members: str) -> Path:
    with zipfile.ZipFile(folder / name, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return folder / name


# Layouts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.jsonl", f"{LINE}\n\n{LINE}\n", [1, 3]),
        ("a.jsonl", f"{LINE}\r\n{LINE}", [1, 2]),
        ("a.ndjson", f"\ufeff{LINE}\n{LINE}\n", [1, 2]),
        ("a.json", f"{LINE}\n{LINE}\n", [1, 2]),
        ("a.json", f"\ufeff\n[\n{LINE},\n\n {LINE}]\n", [3, 5]),
        ("a.JSON", json.dumps([GOOD, GOOD], indent=1), [2, 6]),
        ("a.csv", "question,rationale\n2 + 2?,2 + 2 = 4.\n\n2 + 2?,2 + 2 = 4.\n", [2, 4]),
        ("a.csv", "\ufeffquestion,rationale\r\n2 + 2?,2 + 2 = 4.\r\n2 + 2?,2 + 2 = 4.", [2, 3]),
        ("a.tsv", "question\trationale\n2 + 2?\t2 + 2 = 4.\n2 + 2?\t2 + 2 = 4.\n", [2, 3]),
    ],
)
def test_layouts_give_rows_with_their_lines(tmp_path: Path, name: str, content: str, lines: list[int]) -> None:
    assert list(read_rows(made(tmp_path, name, content))) == [(line, GOOD) for line in lines]
    packed = made(tmp_path, f"{name}.gz", gzip.compress(content.encode()))
    assert list(read_rows(packed)) == [(line, GOOD) for line in lines]
    archive = zipped(tmp_path, "a.zip", **{f"folder/{name}": content, "__MACOSX/._x": "x", "folder/": ""})
    assert list(read_rows(archive)) == [(line, GOOD) for line in lines]
    assert not [path for path in tmp_path.iterdir() if path.name not in (name, f"{name}.gz", "a.zip")]


def test_a_row_of_csv_begins_where_its_first_cell_does(tmp_path: Path) -> None:
    path = made(tmp_path, "a.csv", 'question,rationale\n"two\nlines","he said ""4"", so"\nb,c\n')
    assert list(read_rows(path)) == [
        (2, {"question": "two\nlines", "rationale": 'he said "4", so'}),
        (4, {"question": "b", "rationale": "c"}),
    ]


def test_formula_looking_cells_are_text_and_stay_as_they_are(tmp_path: Path) -> None:
    cells = ["=1+1", "+cmd|' /C calc'!A0", "@SUM(1;2)", "-2+3"]
    path = made(tmp_path, "a.csv", "question,rationale\n" + "".join(f"{cell},x\n" for cell in cells))
    assert [row["question"] for _, row in read_rows(path)] == cells


def test_parquet_is_read_by_batches_with_row_numbers(tmp_path: Path) -> None:
    table = pyarrow.table({"question": [str(n) for n in range(2500)], "answer": list(range(2500))})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet", row_group_size=700)
    rows = list(read_rows(tmp_path / "a.parquet", required=["answer"]))
    assert rows == [(n + 1, {"question": str(n), "answer": n}) for n in range(2500)]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@settings(max_examples=150)
@given(rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_whatever_is_written_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("files")
    wanted = [{"question": question, "rationale": rationale} for question, rationale in rows]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in wanted)
    assert [row for _, row in read_rows(made(folder, "a.jsonl", text))] == wanted
    assert [row for _, row in read_rows(made(folder, "a.json", json.dumps(wanted)))] == wanted
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("question", "rationale"), *rows])
    assert [row for _, row in read_rows(folder / "a.csv")] == wanted


@settings(max_examples=300)
@given(content=st.binary(max_size=200), name=st.sampled_from(["a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet"]))
def test_no_bytes_end_in_another_error(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    path = made(tmp_path_factory.mktemp("files"), name, content)
    found = list(read_values(path, strict=False))
    assert found, "a file without rows has a problem"
    problems = [value for _, value in found if isinstance(value, Problem)]
    if problems:
        with pytest.raises(DataError) as caught:
            list(read_values(path))
        assert str(caught.value) == str(problems[0])


# Hostile files -----------------------------------------------------------------------------------------------------

BAD = '{"question": }'
LATIN = "question,rationale\nq,r\ncafé,r\nq,r\n".encode("latin-1")
HOSTILE: dict[str, tuple[str, bytes | str, str, int]] = {
    # name: (file, content, problem as it is told, rows that can still be read)
    "wrong encoding, JSONL": ("a.jsonl", f"{LINE}\n{LINE[:-2]}é".encode("latin-1"), "line 2: not UTF-8 .byte", 1),
    "wrong encoding, CSV": ("a.csv", LATIN, r"line 3: not UTF-8 .byte 4 of the line is 0xe9.; save the file as", 2),
    "UTF-16": ("a.csv", "question,rationale\nq,r".encode("utf-16"), "line 1: this is UTF-16 and not UTF-8", 0),
    "NUL bytes, JSONL": ("a.jsonl", f"{LINE}\n\0\n{LINE}", "line 2: byte 1 of the line is NUL", 2),
    "NUL bytes, CSV": ("a.csv", "question,rationale\nq,r\nq\0,r\nq,r", "line 3: byte 2 of the line is NUL", 2),
    "empty file": ("a.jsonl", "", "line 1: the file is empty", 0),
    "blank lines only": ("a.csv", "\n\n", "line 1: the file is empty", 0),
    "header only": ("a.csv", "question,rationale\n", "line 1: the file is empty: it holds no record", 0),
    "missing columns": (
        "a.csv",
        "task,rationale\nq,r\n",
        "line 1, field question: the column is missing.*task, rat",
        0,
    ),
    "a column twice": ("a.csv", "question,rationale,question\n", "line 1, field question: the header names this", 0),
    "semicolons": ("a.csv", "question;rationale\nq;r\n", "line 1: the header has one column, and ';' in it", 0),
    "ragged row": ("a.csv", "question,rationale\nq,r\nq,r,s\nq,r\n", "line 3: 3 cells, but the header has 2", 2),
    "unclosed quote": ("a.csv", 'question,rationale\nq,r\n"q,r\nq,r\n', "line 3: a quote that opens here is not", 1),
    "quotes inside": ("a.csv", 'question,rationale\n"a "b" c",r\nq,r\n', "line 2: wrong quotes", 1),
    "invalid JSON": ("a.jsonl", f"{LINE}\n{LINE}\n{BAD}\n{LINE}\n", "line 3: column 14: not JSON", 3),
    "two records on a line": ("a.jsonl", f"{LINE} {LINE}\n", "line 1: column 50: not JSON .more follows", 0),
    "a line that is no object": ("a.jsonl", f"[1]\n{LINE}\n", "line 1: a JSON list, but each record must be", 1),
    "a field twice": ("a.jsonl", '{"question": "a", "question": "b"}\n', "line 1: .*names a field twice", 0),
    "endless nesting": ("a.jsonl", f"{'[' * 100_000}\n{LINE}\n", "line 1: JSON that cannot be read", 1),
    "endless number": ("a.jsonl", f"{'9' * 10_000}\n{LINE}\n", "line 1: JSON that cannot be read", 1),
    "truncated JSONL": ("a.jsonl", f"{LINE}\n{LINE[:20]}", "line 2: .*cut off or damaged here; download", 1),
    "truncated list": ("a.json", f"[{LINE},\n{LINE},\n{LINE[:20]}", "line 3: .*cut off or damaged here; download", 2),
    "invalid JSON in a list": ("a.json", f"[{LINE},\n{BAD},\n{LINE}]", "line 2: column 14: not JSON", 1),
    "after the list": ("a.json", f"[{LINE}]\n{LINE}\n", "line 2: column 1: not JSON .more follows the list", 1),
    "a pretty object": ("a.json", '{\n"data": []\n}', "line 1: the file holds a JSON object, but must hold a list", 0),
    "truncated gzip": ("a.jsonl.gz", gzip.compress(os.urandom(9000).hex().encode())[:-99], "cut off or damaged", 0),
    "no gzip": ("a.jsonl.gz", LINE, "cut off or damaged here", 0),
    "truncated zip": ("a.zip", b"PK\x03\x04" + b"x" * 50, "is no whole zip archive", 0),
    "truncated Parquet": ("a.parquet", b"PAR1" + b"x" * 50, "row 1: the file is cut off or damaged here", 0),
    "a spreadsheet": ("a.csv", b"PK\x03\x04rest", "line 1: this is a zip archive or a spreadsheet", 0),
    "gzip by another name": ("a.jsonl", gzip.compress(LINE.encode()), "line 1: this is compressed by gzip", 0),
    "Parquet by another name": ("a.csv", b"PAR1rest", "line 1: this is a Parquet file; name it .parquet", 0),
    "a web page": ("a.json", "<!DOCTYPE html><html>404</html>", "line 1: this is a web page and no data", 0),
    "a pointer": ("a.parquet.csv", "version https://git-lfs.github.com/spec/v1\n", "only a Git LFS pointer; fetch", 0),
    "a name of no layout": ("a.txt", LINE, "has a name of no known layout", 0),
}


@pytest.mark.parametrize(("name", "content", "message", "rows"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_gets_its_problem_with_file_and_line(
    tmp_path: Path, name: str, content: Any, message: str, rows: int
) -> None:
    path = made(tmp_path, name, content)
    required = ["question"] if name.endswith("csv") else []
    found = [value for _, value in read_rows(path, strict=False, required=required)]
    problems = [value for value in found if isinstance(value, Problem)]
    assert len(problems) == 1, problems
    assert len(found) - len(problems) == rows
    with pytest.raises(DataError, match=message) as caught:
        list(read_rows(path, required=required))
    assert str(caught.value) == str(problems[0])
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["../a.jsonl", "x/../../a.jsonl", "/etc/a.jsonl", "..\\a.jsonl", "C:\\a.jsonl"])
def test_an_archive_that_leads_out_of_its_folder_is_refused_whole(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path, "a.zip", **{"good.jsonl": LINE, name: LINE})
    with pytest.raises(DataError, match="a.zip: the archive holds a name that leads out of its folder"):
        list(read_rows(path))
    assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]


def test_an_archive_must_hold_one_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds 2 \(a.jsonl, b.jsonl\); unpack it"):
        list(read_rows(zipped(tmp_path, "a.zip", **{"a.jsonl": LINE, "b.jsonl": LINE})))
    with pytest.raises(DataError, match=r"holds 0 \(none\)"):
        list(read_rows(zipped(tmp_path, "b.zip")))
    with pytest.raises(DataError, match="a Parquet file in an archive; unpack it"):
        list(read_rows(zipped(tmp_path, "c.zip", **{"a.parquet": "PAR1"})))


def test_what_is_no_file_is_told_and_never_waited_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere.csv: is not there; name one file"):
        list(read_rows(tmp_path / "nowhere.csv"))
    with pytest.raises(DataError, match="is a folder, not a file"):
        list(read_rows(tmp_path))
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="pipe.csv: is not a file"):
        list(read_rows(tmp_path / "pipe.csv"))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_field_of_a_megabyte_is_read_and_a_line_over_the_limit_is_not(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def content(size: int) -> str:
        long = "x" * size
        if name == "a.csv":
            return f'question,rationale\n"{long}",r\nq,r\n'
        return json.dumps({"question": long, "rationale": "r"}) + '\n{"question": "q", "rationale": "r"}\n'

    assert [len(row["question"]) for _, row in read_rows(made(tmp_path, name, content(2**20)))] == [2**20, 1]
    monkeypatch.setattr(layouts, "LONGEST", 2**20)
    found = list(read_rows(made(tmp_path, name, content(2**20)), strict=False))
    assert [isinstance(value, Problem) for _, value in found] == [True, False]
    line = 2 if name == "a.csv" else 1
    assert f"{name}, line {line}: longer than 1 MiB, the limit of a line" in str(found[0][1])


def test_an_unclosed_quote_does_not_take_the_whole_file_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 2**17
    csv.field_size_limit(limit)
    monkeypatch.setattr(layouts, "LONGEST", limit)
    path = made(tmp_path, "a.csv", 'question,rationale\n"open,r\n' + "q,r\n" * limit)
    first = next(value for _, value in read_rows(path, strict=False))
    assert "line 2: a quote that opens here is not closed (read up to line " in str(first)


def test_a_list_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "WHOLE", 2**20)
    path = made(tmp_path, "a.json", json.dumps([GOOD] * 20_000, indent=0))
    with pytest.raises(DataError, match="a JSON list of more than 1 MiB.*one record a line"):
        list(read_rows(path))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.jsonl.gz"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    """The peak of reading 4 MB and of reading 20 MB (of Python's own memory; Parquet's batches lie outside it)."""
    peaks = []
    for rows in (1000, 5000):
        path = tmp_path / name
        questions = ["q" * 4000 + str(n) for n in range(rows)]
        if name == "a.parquet":
            pyarrow.parquet.write_table(pyarrow.table({"question": questions}), path)
        elif name == "a.csv":
            path.write_text("question\n" + "\n".join(questions))
        else:
            text = "".join(json.dumps({"question": question}) + "\n" for question in questions).encode()
            path.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
        del questions
        tracemalloc.start()
        assert sum(1 for _ in read_rows(path)) == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 500_000
