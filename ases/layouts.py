"""The layouts of text files and Parquet: bytes -> rows with their lines, or what is wrong with a line.

>>> list(json_lines(numbered(io.BytesIO(b'{"question": "2 + 2?"}'), "a.jsonl"), "a.jsonl"))
[(1, {'question': '2 + 2?'})]

:mod:`ases.files` opens the files; here each layout is a generator that yields ``(line, value)``, and a
:class:`Problem` in the place of a value that cannot be read.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

LONGEST = 16 * 2**20
"""The longest line of a text file in bytes, and the longest field in characters: 16 MiB. Longer is a problem."""

WHOLE = 256 * 2**20
"""The largest JSON list in bytes, which is held whole: 256 MiB. A larger one must be written one record a line."""

CUT = "the file is cut off or damaged here"
AGAIN = "download or copy it again"
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile)


Value = tuple[int, Any]
"""A line or row number, and what it holds."""


@dataclass(frozen=True)
class Problem:
    """What is wrong, where, and what to do. ``line`` is counted from 1; ``field`` is empty where none is at fault.

    ``unit`` is what ``line`` counts: lines of a text file, rows of a Parquet file or of a hub set.
    """

    file: str
    line: int | None
    field: str
    what: str
    advice: str
    unit: str = "line"

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, {self.unit} {self.line}"
        field = f", field {self.field}" if self.field else ""
        return f"{place}{field}: {self.what}" + (f"; {self.advice}" if self.advice else "")


def kind(value: Any) -> str:
    """What a value of JSON is, in words: ``object``, ``list``, ``text``, ``number``, ``true/false`` or ``null``."""
    kinds = {dict: "object", list: "list", str: "text", bool: "true/false", int: "number", float: "number"}
    return "null" if value is None else kinds.get(type(value), type(value).__name__)


def numbered(stream: IO[bytes], file: str) -> Iterator[tuple[int, bytes | Problem]]:
    """The lines of a stream with their numbers, without a byte order mark; a problem for one too long, or cut off."""
    number = 0
    try:
        while line := stream.readline(LONGEST + 1):
            number += 1
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if len(line) > LONGEST:
                while line and not line.endswith(b"\n"):
                    line = stream.readline(LONGEST)
                what = f"longer than {LONGEST // 2**20} MiB, the limit of a line"
                yield number, Problem(file, number, "", what, "cut the field, or end each record with a new line")
            else:
                yield number, line
    except _BROKEN as error:
        yield number + 1, Problem(file, number + 1, "", f"{CUT} ({error})", AGAIN)


def _decoded(line: bytes, file: str, number: int) -> str | Problem:
    if b"\0" in line:
        what = f"byte {line.index(0) + 1} of the line is NUL, which no text holds"
        return Problem(file, number, "", what, "the file is damaged, or no text; write it anew")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 (byte {error.start + 1} of the line is 0x{line[error.start]:02x})"
        return Problem(file, number, "", what, "save the file as UTF-8")


def separated(
    lines: Iterator[tuple[int, bytes | Problem]], file: str, delimiter: str, required: frozenset[str]
) -> Iterator[Value]:
    """The rows of CSV (RFC 4180), as texts. A header that cannot be used is one problem and the end."""
    # The limit is the module's own and shared; raising it harms no other reader.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    waiting: list[Problem] = []  # of the lines that the row being read spans

    def texts() -> Iterator[str]:
        for number, line in lines:
            text = line if isinstance(line, Problem) else _decoded(line, file, number)
            if isinstance(text, Problem):
                waiting.append(text)
                text = "\n"
            yield text

    reader = csv.reader(texts(), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        start = reader.line_num + 1
        problem = None
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            cells = [""]
            problem = Problem(file, start, "", _quoting(str(error), reader.line_num), 'double the quotes inside: ""')
        if waiting:
            problem = waiting[0]
            waiting.clear()
        if header is None and cells:
            problem = problem or _header(cells, file, start, delimiter, required)
            if problem:
                yield start, problem
                return
            header = cells
        elif problem:
            yield start, problem
        elif cells and len(cells) != len(header or ()):
            what = f"{len(cells)} cells, but the header has {len(header or ())}"
            yield start, Problem(file, start, "", what, "quote cells that hold the separator or a new line")
        elif cells:
            yield start, dict(zip(header or (), cells, strict=True))
    for left in waiting:
        yield left.line or 0, left


def _quoting(message: str, end: int) -> str:
    if "unexpected end" in message or "field limit" in message:
        return f"a quote that opens here is not closed (read up to line {end})"
    return f"wrong quotes ({message}, line {end})"


def _header(cells: list[str], file: str, line: int, delimiter: str, required: frozenset[str]) -> Problem | None:
    twice = sorted({cell for cell in cells if cells.count(cell) > 1})
    if twice:
        return Problem(file, line, twice[0], "the header names this column twice", "give each column its own name")
    other = next((mark for mark in ";\t," if mark != delimiter and len(cells) == 1 and mark in cells[0]), None)
    if other and not required <= set(cells):
        what = f"the header has one column, and {'a tab' if other == chr(9) else repr(other)} in it"
        return Problem(file, line, "", what, "separate by commas (.csv) or tabs (.tsv)")
    return lacking(required, cells, file, line)


def lacking(
    required: Collection[str], found: Collection[str], file: str, line: int | None, unit: str = "line"
) -> Problem | None:
    """The problem that columns are missing, or None."""
    missing = sorted(set(required) - set(found))
    if not missing:
        return None
    here = ", ".join(map(str, list(found)[:12])) or "none"
    what = f"the column is missing; the file has {here}"
    return Problem(file, line, ", ".join(missing), what, "say which column holds it (question=NAME)", unit)


# JSON ----------------------------------------------------------------------------------------------------------------


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("an object names a field twice")
    return record


_DECODER = json.JSONDecoder(object_pairs_hook=_object)
_SPACE = re.compile(r"[ \t\r\n]*")


def _unreadable(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"column {error.colno}: not JSON ({error.msg})"
    return f"JSON that cannot be read ({error or 'nested too deep'})"


def one_a_line(line: bytes | Problem) -> bool:
    """Whether a ``.json`` that begins with this line holds one record a line."""
    if isinstance(line, Problem) or not line.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def json_lines(lines: Iterator[tuple[int, bytes | Problem]], file: str) -> Iterator[Value]:
    """The values of JSON lines; after a line that cannot be read the next is tried. Blank lines are none."""
    for number, line in lines:
        text = line if isinstance(line, Problem) else _decoded(line, file, number)
        if isinstance(text, str):
            text = text.strip(" \t\r\n")
            if not text:
                continue
            try:
                value, end = _DECODER.raw_decode(text)
                if end < len(text):
                    raise json.JSONDecodeError("more follows the record", text, end)
            except (ValueError, RecursionError) as error:
                what, advice = _unreadable(error), "each line must be one whole JSON object"
                if isinstance(line, bytes) and not line.endswith(b"\n"):
                    what, advice = f"{what}, and {CUT}", AGAIN
                value = Problem(file, number, "", what, advice)
        else:
            value = text
        yield number, value


def json_list(lines: Iterator[tuple[int, bytes | Problem]], file: str) -> Iterator[Value]:
    """The items of one list, decoded one by one so that each has its line."""
    parts, size = [], 0
    for number, line in lines:
        text = line if isinstance(line, Problem) else _decoded(line, file, number)
        size += 0 if isinstance(line, Problem) else len(line)
        if isinstance(text, str) and size > WHOLE:
            what = f"a JSON list of more than {WHOLE // 2**20} MiB, the limit of what is held whole"
            text = Problem(file, number, "", what, "write one record a line (.jsonl)")
        if isinstance(text, Problem):
            yield number, text
            return
        parts.append(text)
    whole = "".join(parts)
    parts.clear()
    line, counted, at = 1, 0, _SPACE.match(whole).end()  # type: ignore[union-attr]
    if at == len(whole):
        return
    try:
        if whole[at] != "[":
            found = kind(_DECODER.raw_decode(whole, at)[0])
            what = f"the file holds a JSON {found}, but must hold a list of records"
            yield 1, Problem(file, 1, "", what, "write [{...}, {...}], or one record a line (.jsonl)")
            return
        at, separator = _SPACE.match(whole, at + 1).end(), ","  # type: ignore[union-attr]
        if whole[at : at + 1] == "]":
            at, separator = at + 1, "]"
        while separator == ",":
            line, counted = line + whole.count("\n", counted, at), at
            value, at = _DECODER.raw_decode(whole, at)
            yield line, value
            at = _SPACE.match(whole, at).end()  # type: ignore[union-attr]
            separator = whole[at : at + 1]
            if separator not in (",", "]") or not separator:
                raise json.JSONDecodeError("Expecting ',' or ']' after a record", whole, at)
            at = _SPACE.match(whole, at + 1).end()  # type: ignore[union-attr]
        if whole[at:].strip(" \t\r\n"):
            raise json.JSONDecodeError("more follows the list", whole, at)
    except (ValueError, RecursionError) as error:
        end = getattr(error, "pos", at)
        cut = end >= len(whole.rstrip()) - 1 or "Unterminated" in str(error)
        number = whole.count("\n", 0, end) + 1
        what, advice = _unreadable(error), "the file must be one JSON list (.json), or one record a line (.jsonl)"
        yield number, Problem(file, number, "", f"{what}, and {CUT}" if cut else what, AGAIN if cut else advice)


# Parquet -------------------------------------------------------------------------------------------------------------


def parquet(path: Path, required: frozenset[str], name: str) -> Iterator[Value]:
    """The rows of a Parquet file, read by batches of 1,000; ``name`` differs from the path's where it is packed."""
    import pyarrow  # late: a look at a text file does without
    import pyarrow.parquet

    file, number = str(path), 0
    if name != path.name:
        yield 0, Problem(file, None, "", "holds a Parquet file in an archive", "unpack it, and name the .parquet file")
        return
    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            problem = lacking(required, table.schema_arrow.names, file, None)
            if problem:
                yield 0, problem
                return
            for batch in table.iter_batches(batch_size=1000):
                for index in range(batch.num_rows):
                    number += 1
                    try:
                        (row,) = batch.slice(index, 1).to_pylist()
                    except UnicodeDecodeError:
                        row = Problem(file, number, "", "a text that is not UTF-8", "write the file anew", unit="row")
                    yield number, row
    except (pyarrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        what = f"{CUT} ({reason})"
        yield number + 1, Problem(file, number + 1, "", what, AGAIN, unit="row")
