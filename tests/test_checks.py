"""The dry look at a file: rows of anyone's data, what is wrong with them, counts, lengths, and the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ases import checks
from ases.__main__ import main
from ases.checks import check_file, estimate_tokens, quantiles, report, tables
from ases.errors import DataError, ParameterError
from ases.rows import FORMULA, Seen, column_names, parse_columns, read_row

NAMES = column_names(None)


def written(folder: Path, *rows: Any, name: str = "own.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(question: str = "2 + 2?", rationale: str = "2 + 2 = 4.", **more: Any) -> dict[str, Any]:
    return {"question": question, "rationale": rationale} | more


# Columns and rows --------------------------------------------------------------------------------------------------


def test_a_field_is_read_from_its_own_name_unless_that_is_given_away() -> None:
    assert column_names(None) == {field: field for field in ("question", "rationale", "answer", "qid")}
    mapped = column_names({"rationale": "answer", "question": "findings"})
    assert mapped == {"question": "findings", "rationale": "answer", "qid": "qid"}
    assert parse_columns(["question=a=b", " rationale = steps "]) == {"question": "a=b", "rationale": "steps"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["question"], "'question' must be written FIELD=COLUMN"),
        (["question="], "must be written FIELD=COLUMN"),
        (["task=question"], "unknown field task among the columns; fields are question, rationale"),
        (["question=a", "question=b"], "question is given two columns, a and b"),
        (["question=a", "rationale=a"], "one column stands for two fields"),
        (["answer=rationale"], "the column rationale is given to another field"),
    ],
)
def test_columns_that_cannot_be(given: list[str], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        parse_columns(given)


def test_fields_are_stripped_texts_and_a_qid_is_made_from_line_and_content() -> None:
    first, problems = read_row("a", 7, row(" q \n", "r", answer=3.0), NAMES, stem="own")
    assert (first.question, first.rationale, first.answer, first.flags, problems) == ("q", "r", "3", (), [])
    assert first.qid.startswith("own/7-")
    assert read_row("a", 7, row("q", "r"), NAMES, stem="own")[0].qid == first.qid
    assert read_row("a", 7, row("q", "s"), NAMES, stem="own")[0].qid != first.qid
    assert read_row("a", 8, row("q", "r", qid=12), NAMES)[0].qid == "12"
    assert read_row("a", 8, row(answer=""), NAMES)[0].answer is None


BAD_ROWS: dict[str, tuple[dict[str, Any], str, bool]] = {
    # name: (row, problem, whether the row is there to be set aside and counted)
    "no question": (
        {"rationale": "r"},
        "a.csv, line 3, field question: the column is missing; the file has rat",
        False,
    ),
    "empty question": (row(" "), "a.csv, line 3, field question: is empty; the row is set aside", True),
    "empty rationale": (row("q", ""), "line 3, field rationale: is empty", True),
    "null": (row("q", None), "line 3, field rationale: is empty", True),  # type: ignore[arg-type]
    "a number": (row(5), "field question: is number, but must be text; write it in quotes", False),  # type: ignore[arg-type]
    "a list": (row("q", ["a"]), "field rationale: is list, but must be text", False),  # type: ignore[arg-type]
    "true": (row(answer=True), "field answer: is true/false, but must be text or a number", False),
    "not a number": (row(answer=float("nan")), "field answer: is no finite number", False),
    "empty qid": (row(qid=""), "field qid: is empty; give each row its own, or leave the column out", True),
    "half a character": (row("\ud83d"), "field question: holds half of a character", False),
    "NUL": (row("q", "a\0b"), "field rationale: holds a NUL character", False),
}


@pytest.mark.parametrize(("values", "message", "there"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_bad_row_has_its_problem(values: dict[str, Any], message: str, there: bool) -> None:
    found, problems = read_row("a.csv", 3, values, NAMES)
    assert (found is not None) == there
    assert len(problems) == 1
    assert message in str(problems[0])


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        *[(text, True) for text in ("=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "+cmd|' /C calc'!A0", "-HYPERLINK(1)")],
        *[(text, False) for text in ("-3", "+5", "- a point", "4 = 2 + 2", "a@b", "")],
    ],
)
def test_cells_that_a_spreadsheet_would_run_are_flagged_and_kept(text: str, flagged: bool) -> None:
    found, problems = read_row("a", 1, row(answer=text), NAMES)
    assert found.flags == ((FORMULA,) if flagged else ())
    assert found.answer == (text or None)
    assert problems == []


@given(st.lists(st.integers(0, 3000), max_size=4000))
def test_seen_texts_are_known_by_their_first_line(numbers: list[int]) -> None:
    seen, known = Seen(), {}
    for line, number in enumerate(numbers, start=1):
        assert seen.add(f"text {number}", line) == known.get(number)
        known.setdefault(number, line)
    assert len(seen) == len(known)


# The check ---------------------------------------------------------------------------------------------------------


def test_everything_is_counted(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        row("Ann has 2 pens?", "2.", answer="2", qid="a"),
        row("ann has 2 pens ?", "So 2, or 3.", qid="b"),
        row("Ann has 1,000 pens?", "=1000", qid="c"),
        row("Else?", "x" * 1600, qid="d"),
        row("Else, too?", "", qid="a"),
        {"question": "No steps?", "qid": "e"},
    )
    with path.open("a") as file:
        file.write("{broken\n")
    check = check_file(path)
    assert not check.good
    assert (check.rows, check.unusable, check.unreadable, check.answers) == (6, 1, 1, 1)
    assert (check.repeated, check.renumbered, check.formulas) == (1, 1, 1)
    assert (check.over_limit, check.limit, check.estimated) == (1, checks.LIMIT, True)
    assert [str(problem).removeprefix(f"{path}, ") for problem in check.problems] == [
        "line 5, field rationale: is empty; the row is set aside",
        "line 5, field qid: a stands for line 1 too; give each row its own",
        "line 6, field rationale: the column is missing; the file has question, qid; say which column holds it "
        "(question=NAME)",
        "line 7: column 2: not JSON (Expecting property name enclosed in double quotes); each line must be one whole "
        "JSON object",
    ]
    assert check.problem_count == 4
    assert check.lengths["rationale, pieces"] == {0: 1, 1: 3, 2: 1}
    assert sum(check.lengths["question, characters"].values()) == check.rows - check.unusable


def test_tokens_are_the_models_where_it_counts_them(tmp_path: Path) -> None:
    path = written(tmp_path, row("a b", "c d e"), row("a", "b"))
    check = check_file(path, limit=4, count_tokens=lambda text: len(text.split()))
    assert (check.over_limit, check.estimated) == (1, False)
    assert check.lengths["question and rationale, tokens"] == {2: 1, 5: 1}
    assert "estimated" not in report(check)
    assert estimate_tokens("肝脏未见异常。ab") == 8
    assert estimate_tokens("") == 0


def test_quantiles_are_lengths_that_occur(tmp_path: Path) -> None:
    path = written(tmp_path, *(row("q" * size, "r") for size in range(1, 101)))
    found = {name: values for name, *values in quantiles(check_file(path))}
    assert found["question, characters"] == [1, 50, 95, 100]


def test_of_many_problems_the_first_of_each_kind_are_shown(tmp_path: Path) -> None:
    path = written(tmp_path, *[row("q", "")] * 50, row("", "r"))
    check = check_file(path)
    assert check.problem_count == 51
    assert [(problem.line, problem.field) for problem in check.problems] == [
        (1, "rationale"),
        (2, "rationale"),
        (3, "rationale"),
        (51, "question"),
    ]
    assert "... and 47 more problems" in report(check)
    assert len(check_file(path, show=2).problems) == 2


def test_a_missing_column_of_a_table_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("task,rationale\n" + "q,r\n" * 9)
    check = check_file(tmp_path / "a.csv")
    assert (check.problem_count, check.rows) == (1, 0)
    assert check_file(tmp_path / "a.csv", columns={"question": "task"}).good
    pyarrow.parquet.write_table(pyarrow.table({"task": ["q"], "rationale": ["r"]}), tmp_path / "a.parquet")
    assert "field question: the column is missing" in str(check_file(tmp_path / "a.parquet").problems[0])
    assert check_file(tmp_path / "a.parquet", columns={"question": "task"}).rows == 1


def test_tables_hold_what_the_report_says(tmp_path: Path) -> None:
    path = written(tmp_path, row(), row("", "r"))
    found = tables(check_file(path))
    assert dict(found["counts"].to_numpy())["rows"] == 2
    assert list(found["problems"]["line"]) == [2]
    assert list(found["lengths"].columns) == ["length of", "smallest", "median", "95 %", "largest"]
    assert len(found["lengths"]) == len(checks.MEASURES)


def test_the_problems_of_private_text_do_not_print_it(tmp_path: Path) -> None:
    path = tmp_path / "reports.csv"
    path.write_text('question,answer,qid\n"secret",,1\n"secret"x,secret,2\nsecret,secret,secret,secret\n', "utf-8-sig")
    check = check_file(path, columns={"rationale": "answer"})
    assert check.problem_count == 3
    assert "secret" not in report(check)


def test_no_file_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere.csv is not there"):
        check_file(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="is a folder; name one file"):
        check_file(tmp_path)
    with pytest.raises(DataError, match="hub:owner/name is a hub set and no file"):
        check_file("hub:owner/name")


# The command line --------------------------------------------------------------------------------------------------


def test_the_exit_code_says_whether_there_are_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = written(tmp_path, {"task": "q", "rationale": "r r r r"})
    assert main(["check", str(good), "--column", "question=task", "--limit", "2"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == "No problems."
    assert "1  rows of more than 2 tokens (estimated)" in printed.out
    assert printed.err == ""
    assert main(["check", str(good)]) == 1
    assert "own.jsonl, line 1, field question: the column is missing" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "nowhere.csv")]) == 2
    assert main(["check", str(good), "--column", "task"]) == 2
    assert "must be written FIELD=COLUMN" in capsys.readouterr().err
    for wrong in (["check", str(good), "--limit", "0"], ["check", str(good), "--show", "x"]):
        with pytest.raises(SystemExit) as caught:
            main(wrong)
        assert caught.value.code == 2


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_a_check_loads_nothing_heavy(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, row())
    if suffix == "csv":
        path = tmp_path / "own.csv"
        path.write_text("question,rationale\nq,r\n")
    code = (
        "import sys\nfrom ases.__main__ import main\ncode = main(['check', sys.argv[1]])\n"
        "heavy = {'torch', 'transformers', 'datasets', 'pandas', 'pyarrow', 'numpy', 'scipy', 'nbformat'}\n"
        "print(sorted(heavy & set(sys.modules)), code)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"


def test_memory_grows_by_less_than_100_bytes_a_row(tmp_path: Path) -> None:
    peaks = []
    for rows in (1_000, 7_000):
        path = written(tmp_path, *(row(f"{n} pens, {'q' * 120}", "r" * 120) for n in range(rows)))
        tracemalloc.start()
        assert check_file(path).rows == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 100 * 6_000
