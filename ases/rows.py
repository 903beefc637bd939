"""One row of anyone's file: which column holds which field, and whether what stands there can be used.

>>> names = column_names({"rationale": "steps"})
>>> read_row("my.csv", 2, {"question": "2 + 2?", "steps": "2 + 2 = 4.", "answer": "4"}, names)[0].answer
'4'

Loads nothing heavy, so that ``python -m ases check`` answers at once; :mod:`ases.sources` judges by the same rules.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ases.errors import ParameterError
from ases.layouts import LONGEST, Problem, kind, lacking

REQUIRED = ("question", "rationale")
FIELDS = (*REQUIRED, "answer", "qid")
"""The fields of own data; ``answer`` and ``qid`` may be missing."""

FORMULA = "formula-like"
"""The flag of a row with a cell that a spreadsheet would take for a formula. It is text here and stays as it is."""

HALF = re.compile("[\ud800-\udfff]")
_FORMULA = re.compile(r"\s*(?:[=@]|[+-]\s*[A-Za-z][\w.]*\s*[|(!])")


@dataclass(frozen=True)
class Row:
    """The fields of one row; ``question`` or ``rationale`` may be empty, which is a problem of the row."""

    qid: str
    question: str
    rationale: str
    answer: str | None
    flags: tuple[str, ...]


def parse_columns(given: Iterable[str]) -> dict[str, str]:
    """``["question=findings", ...]`` as a mapping from field to column. Raises ParameterError."""
    columns = {}
    for entry in given:
        field, equals, column = entry.partition("=")
        field, column = field.strip(), column.strip()
        if not equals or not column:
            raise ParameterError(f"the column {entry!r} must be written FIELD=COLUMN, such as question=findings")
        if field in columns:
            raise ParameterError(f"the field {field} is given two columns, {columns[field]} and {column}")
        columns[field] = column
    column_names(columns)
    return columns


def column_names(columns: Mapping[str, str] | None) -> dict[str, str]:
    """The column of each field. One not given is read from the column of its own name, unless that is given away."""
    columns = dict(columns or {})
    unknown = sorted(set(columns) - set(FIELDS))
    if unknown:
        raise ParameterError(f"unknown field {', '.join(unknown)} among the columns; fields are {', '.join(FIELDS)}")
    taken = set(columns.values())
    if len(taken) < len(columns):
        raise ParameterError(f"one column stands for two fields: {', '.join(f'{f}={c}' for f, c in columns.items())}")
    names = {field: columns.get(field, field) for field in FIELDS if field in columns or field not in taken}
    lost = [field for field in REQUIRED if field not in names]
    if lost:
        raise ParameterError(f"the column {lost[0]} is given to another field; say which column holds the {lost[0]}")
    return names


def asked_for(columns: Mapping[str, str] | None) -> set[str]:
    """The columns that a file must have: those of question and rationale, and every one that was named."""
    names = column_names(columns)
    return {names[field] for field in REQUIRED} | set((columns or {}).values())


def read_row(
    file: str, line: int, values: Mapping[str, Any], names: Mapping[str, str], *, unit: str = "line", stem: str = "own"
) -> tuple[Row | None, list[Problem]]:
    """The row's fields, and what is wrong with them. None where a field is missing or of a wrong kind.

    White space around the fields is removed. Numbers may stand for ``answer`` and ``qid``. Without a ``qid`` one is
    made from ``stem``, line and content. Half characters and NUL cannot be stored and make the row unusable; an empty
    question or rationale is a problem, but the row is there, to be set aside and counted.
    """
    problems: list[Problem] = []
    texts: dict[str, str] = {}
    usable = True
    for field, column in names.items():
        if column not in values:
            if field in REQUIRED:
                missing = lacking([column], list(values), file, line, unit)
                problems += [missing] if missing else []
                usable = False
            continue
        text, wrong, advice = _text(values[column], number_too=field not in REQUIRED)
        if wrong:
            problems.append(Problem(file, line, column, wrong, advice, unit))
            usable = False
        texts[field] = text
        if not text and not wrong and field in (*REQUIRED, "qid"):
            advice = "give each row its own, or leave the column out" if field == "qid" else "the row is set aside"
            problems.append(Problem(file, line, column, "is empty", advice, unit))
    if not usable:
        return None, problems
    content = f"{texts['question']}\0{texts['rationale']}".encode()
    qid = texts.get("qid") or f"{stem}/{line}-{hashlib.sha256(content).hexdigest()[:12]}"
    flags = (FORMULA,) if any(_FORMULA.match(text) for text in texts.values()) else ()
    return Row(qid, texts["question"], texts["rationale"], texts.get("answer") or None, flags), problems


def _text(value: Any, number_too: bool) -> tuple[str, str, str]:
    """The value as text, what is wrong with it, and what to do."""
    if isinstance(value, str):
        if len(value) > LONGEST:
            return "", f"{len(value)} characters, more than the limit of {LONGEST}", "shorten it"
        if "\0" in value:
            return "", "holds a NUL character", "remove it: it is no text"
        if HALF.search(value):
            return "", "holds half of a character (a lone \\ud8.. or \\udc.. escape)", "write the file anew as UTF-8"
        return value.strip(), "", ""
    if value is None:
        return "", "", ""
    if number_too and isinstance(value, int | float) and not isinstance(value, bool):
        if value != value or value in (float("inf"), float("-inf")):
            return "", "is no finite number", "give a number, a text, or nothing"
        return (str(value) if isinstance(value, int) else plain_number(value)), "", ""
    return "", f"is {kind(value)}, but must be text" + (" or a number" if number_too else ""), "write it in quotes"


def plain_number(value: float) -> str:
    """A number as plain text: 39.0 -> ``39``, 3.5 -> ``3.5``, 1e-05 -> ``0.00001``, 1e21 in full; -0.0 -> ``0``."""
    if value == int(value):
        return str(int(value))
    return format(Decimal(repr(value)), "f")


def normalise_question(question: str) -> str:
    """What two copies of a question have in common: words, numbers and operators, lower case, single spaces.

    >>> normalise_question("Ann  had 1,000 apples . How many now?") == normalise_question("Ann had 1000 apples. How many now?")
    True
    """  # noqa: E501
    text = unicodedata.normalize("NFKC", question).casefold().replace("’", "'")
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    return " ".join(re.findall(r"\d*\.\d+|\d+|[^\W\d_]+|[+*/=<>^%$]", text))


class Seen:
    """Which texts were seen before, and at which line, in 32 bytes a text or fewer, however long the texts are.

    >>> seen = Seen()
    >>> seen.add("q1", 2), seen.add("q2", 3), seen.add("q1", 9)
    (None, None, 2)

    Texts are told apart by 64-bit hashes: among a million, two that differ are taken for one with a chance of 3e-8.
    """

    def __init__(self) -> None:
        # Open addressing: a free place has hash 0. Lines take 4 bytes, so there are fewer than 2**32 of them.
        self._hashes, self._lines, self._count = array("Q", bytes(8 * 1024)), array("I", bytes(4 * 1024)), 0

    def __len__(self) -> int:
        return self._count

    def add(self, text: str, line: int) -> int | None:
        """The line at which the text was added first; None where that is now."""
        key = (hash(text) & 0xFFFF_FFFF_FFFF_FFFF) or 1
        place = self._place(key)
        if self._hashes[place]:
            return self._lines[place]
        self._hashes[place], self._lines[place] = key, line
        self._count += 1
        if 4 * self._count > 3 * len(self._hashes):
            self._grow()
        return None

    def _place(self, key: int) -> int:
        hashes, last = self._hashes, len(self._hashes) - 1
        place = key & last
        while hashes[place] and hashes[place] != key:
            place = (place + 1) & last
        return place

    def _grow(self) -> None:
        old, size = (self._hashes, self._lines), 2 * len(self._hashes)
        self._hashes, self._lines = array("Q", bytes(8 * size)), array("I", bytes(4 * size))
        for key, line in zip(*old, strict=True):
            if key:
                place = self._place(key)
                self._hashes[place], self._lines[place] = key, line
