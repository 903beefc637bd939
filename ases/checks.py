"""A dry look at anyone's file before it is used: what is wrong and where, how much there is, how long it is.

    python -m ases check my/rationales.csv --column question=task --limit 512

Reads every row by the rules of :func:`ases.sources.read_records`, keeps none, and loads neither torch nor datasets: a
small file takes less than two seconds, and a million rows take a few dozen bytes each.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ases.errors import DataError
from ases.files import read_rows
from ases.layouts import Problem
from ases.pieces import split_pieces
from ases.rows import FORMULA, Seen, asked_for, column_names, normalise_question, read_row

if TYPE_CHECKING:
    import pandas

Progress = Callable[[str, float], None]

LIMIT = 512
"""Tokens of question and rationale together: what T5-style models are trained with, and the default to warn at."""

CHARACTERS_A_TOKEN = 3.0
"""What is reckoned with where there is no tokenizer: on the high side for English, whose tokens have three to five."""

MEASURES = ("question, characters", "rationale, characters", "rationale, pieces", "question and rationale, tokens")

_WIDE = re.compile("[\u2e80-\U0003ffff]")  # Chinese, Japanese, Korean: about a token a character
_NUMBER = re.compile(r"\d*\.\d+|\d+")
_EVERY = 20_000
_ALIKE = 3  # problems of one kind that are shown, so that they leave room for others


@dataclass(frozen=True)
class Check:
    """What :func:`check_file` found.

    ``rows`` could be read, ``unusable`` of them not used (a field missing or wrong); ``unreadable`` lines are no rows
    at all. ``problems`` holds the first of ``problem_count``, three at most of a kind. ``lengths`` counts the rows of
    each length, by measure. ``over_limit`` rows have more than ``limit`` tokens; ``estimated`` says that tokens were
    reckoned from characters. ``repeated`` questions stand in an earlier row too, ``renumbered`` ones but for their
    numbers. ``formulas`` rows hold a cell that a spreadsheet would run; here it is text.
    """

    file: str
    columns: dict[str, str]
    rows: int
    unusable: int
    unreadable: int
    answers: int
    problems: tuple[Problem, ...]
    problem_count: int
    lengths: dict[str, dict[int, int]]
    limit: int
    over_limit: int
    estimated: bool
    repeated: int
    renumbered: int
    formulas: int

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem_count == 0


def check_file(
    path: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    limit: int = LIMIT,
    show: int = 10,
    count_tokens: Callable[[str], int] | None = None,
    progress: Progress = lambda message, done: None,
) -> Check:
    """Read a file to its end and say what is in it. ``columns`` as in :func:`ases.sources.read_records`.

    ``show`` problems are kept, all are counted. ``count_tokens`` is a model's own count of a text's tokens; without it
    they are estimated. Raises DataError where there is no such file, ParameterError for columns that cannot be.
    """
    path = Path(path).expanduser()
    if str(path).startswith("hub:"):
        raise DataError(f"{path} is a hub set and no file; each of its rows is checked when a notebook reads it")
    if not path.is_file():
        raise DataError(f"{path} {'is a folder; name one file' if path.is_dir() else 'is not there'}")
    names, size = column_names(columns), max(path.stat().st_size, 1)
    unit = "row" if path.suffix.lower() == ".parquet" else "line"
    kept: list[Problem] = []
    counts: Counter[str] = Counter()
    lengths: dict[str, Counter[int]] = {measure: Counter() for measure in MEASURES}
    qids, questions, stories = Seen(), Seen(), Seen()

    def note(problems: Iterable[Problem]) -> None:
        for problem in problems:
            counts["problems"] += 1
            alike = sum((one.field, one.what) == (problem.field, problem.what) for one in kept)
            if len(kept) < show and alike < _ALIKE:
                kept.append(problem)

    for line, values in read_rows(path, strict=False, required=asked_for(columns)):
        if isinstance(values, Problem):
            counts["unreadable"] += values.line is not None
            note([values])
            continue
        counts["rows"] += 1
        if counts["rows"] % _EVERY == 0:
            progress(f"{counts['rows']:,} rows", min(counts["characters"] / size, 1.0))
        row, problems = read_row(str(path), line, values, names, unit=unit)
        note(problems)
        if row is None:
            counts["unusable"] += 1
            continue
        earlier = qids.add(row.qid, line)
        if earlier is not None:
            what = f"{row.qid} stands for {unit} {earlier} too"
            note([Problem(str(path), line, names.get("qid", "qid"), what, "give each row its own", unit)])
        question = normalise_question(row.question)
        if question:
            counts["repeated"] += questions.add(question, line) is not None
            counts["renumbered"] += stories.add(_NUMBER.sub("#", question), line) is not None
        counts["answers"] += row.answer is not None
        counts["formulas"] += FORMULA in row.flags
        counts["characters"] += len(row.question) + len(row.rationale)
        text = f"{row.question}\n{row.rationale}"
        tokens = count_tokens(text) if count_tokens else estimate_tokens(text)
        counts["over"] += tokens > limit
        found = (len(row.question), len(row.rationale), len(split_pieces(row.rationale)), tokens)
        for measure, value in zip(MEASURES, found, strict=True):
            lengths[measure][value] += 1
    return Check(
        file=str(path),
        columns=names,
        rows=counts["rows"],
        unusable=counts["unusable"],
        unreadable=counts["unreadable"],
        answers=counts["answers"],
        problems=tuple(kept),
        problem_count=counts["problems"],
        lengths={measure: dict(sorted(one.items())) for measure, one in lengths.items()},
        limit=limit,
        over_limit=counts["over"],
        estimated=count_tokens is None,
        repeated=counts["repeated"],
        renumbered=counts["renumbered"] - counts["repeated"],
        formulas=counts["formulas"],
    )


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has: one a Chinese character, one for :data:`CHARACTERS_A_TOKEN` others.

    >>> estimate_tokens("They had 74 pieces."), estimate_tokens("肝脏未见异常。")
    (7, 7)
    """
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    return wide + -int(-(len(text) - wide) // CHARACTERS_A_TOKEN)


def counts(check: Check) -> dict[str, int]:
    """The counts of a check, each with its name in plain words."""
    return {
        "rows": check.rows,
        "rows without what they need (not usable)": check.unusable,
        "lines that cannot be read": check.unreadable,
        "problems": check.problem_count,
        "rows with an answer": check.answers,
        f"rows of more than {check.limit} tokens{' (estimated)' if check.estimated else ''}": check.over_limit,
        "rows whose question stands earlier in the file": check.repeated,
        "rows whose question does, but for its numbers": check.renumbered,
        "rows with a cell that looks like a formula (kept as text)": check.formulas,
    }


def quantiles(check: Check) -> list[tuple[str, int, int, int, int]]:
    """Measure, smallest, median, 95 % and largest of each length. No rows where no row is usable."""
    found = []
    for measure, lengths in check.lengths.items():
        if lengths:
            name = f"{measure} (estimated)" if "tokens" in measure and check.estimated else measure
            found.append((name, *(_quantile(lengths, share) for share in (0.0, 0.5, 0.95, 1.0))))
    return found


def _quantile(lengths: Mapping[int, int], share: float) -> int:
    """The smallest length that this share of the rows does not exceed."""
    wanted, passed = share * sum(lengths.values()), 0
    for length in sorted(lengths):
        passed += lengths[length]
        if passed >= max(wanted, 1):
            return length
    raise ValueError("no lengths")


def tables(check: Check) -> dict[str, pandas.DataFrame]:
    """``counts``, ``lengths`` and ``problems`` (file, line, field, what, advice) as tables for a notebook."""
    import pandas  # late: the command line does without

    problems = [(one.file, one.line, one.field, one.what, one.advice) for one in check.problems]
    return {
        "counts": pandas.DataFrame(list(counts(check).items()), columns=["what", "number"]),
        "lengths": pandas.DataFrame(quantiles(check), columns=["length of", "smallest", "median", "95 %", "largest"]),
        "problems": pandas.DataFrame(problems, columns=["file", "line", "field", "what", "advice"]),
    }


def report(check: Check) -> str:
    """What ``python -m ases check`` prints: the first problems, the counts, the lengths, and a verdict."""
    lines = [str(problem) for problem in check.problems]
    if check.problem_count > len(check.problems):
        lines.append(f"... and {check.problem_count - len(check.problems):,} more problems")
    lines += [""] if lines else []
    lines += [f"{number:>11,}  {what}" for what, number in counts(check).items()]
    measured = quantiles(check)
    if measured:
        lines += ["", f"{'length of':45}{'smallest':>10}{'median':>10}{'95 %':>10}{'largest':>10}"]
        lines += [f"{name:45}" + "".join(f"{value:>10,}" for value in values) for name, *values in measured]
    if check.estimated and measured:
        lines.append(
            f"Tokens are estimated: {CHARACTERS_A_TOKEN:g} characters each, one a Chinese character; "
            "--limit sets the number to warn at."
        )
    fields = ", ".join(f"{field} from {column!r}" for field, column in check.columns.items())
    lines += ["", f"Read: {fields} (--column FIELD=COLUMN changes that)."]
    lines.append("No problems." if check.good else f"{check.problem_count:,} problems: see above.")
    return "\n".join(lines)
