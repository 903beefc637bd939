"""Files of records, read row by row: JSONL, JSON list, CSV, TSV, Parquet; the text ones also in a ``.gz`` or ``.zip``.

>>> for line, row in read_rows("my/rationales.jsonl"):
...     print(line, row["question"])

Memory does not grow with the file, but for a JSON list, which is held whole up to 256 MiB. Nothing is unpacked
to disk and nothing that a file holds is run. Whatever cannot be read is a :class:`Problem` with file and line.
"""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

from ases.errors import DataError
from ases.layouts import AGAIN, Problem, Value, json_lines, json_list, kind, numbered, one_a_line, parquet, separated

__all__ = ["LAYOUTS", "Problem", "read_rows", "read_values"]

LAYOUTS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv", ".parquet": "parquet"}
"""Layouts by the end of the file's name. A ``.json`` may hold one list, or one record a line."""

_DELIMITERS = {"csv": ",", "tsv": "\t"}
_NOT_TEXT = {
    b"PK\x03\x04": "a zip archive or a spreadsheet (xlsx); export it as CSV, or name it .zip",
    b"\x1f\x8b": "compressed by gzip; name it .gz",
    b"PAR1": "a Parquet file; name it .parquet",
    b"\xff\xfe": "UTF-16 and not UTF-8; save the file as UTF-8",
    b"\xfe\xff": "UTF-16 and not UTF-8; save the file as UTF-8",
    b"version https://git-lfs": "only a Git LFS pointer; fetch the file itself (git lfs pull)",
}
_WEB_PAGE = re.compile(rb"\s*<(!doctype|html|head|\?xml)", re.IGNORECASE)


def read_rows(
    path: Path | str, *, strict: bool = True, required: Collection[str] = (), layout: str | None = None
) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    """The rows of a file with their lines (Parquet: rows), counted from 1; a CSV row's is where it begins.

    ``strict`` raises DataError at the first problem. Otherwise a problem stands in the place of its row and reading
    goes on where that is possible. ``required`` names columns that must be in the header of a CSV or the schema of a
    Parquet file; the fields of JSON records are for the caller to check. Values of CSV are texts, unchanged: a cell
    ``=1+1`` stays those four characters. Blank lines are no rows. ``layout`` overrules the file's name;
    ``json list`` takes one list only.
    """
    file = str(path)
    for line, value in read_values(path, strict=strict, required=required, layout=layout):
        if not isinstance(value, dict | Problem):
            what = f"a JSON {kind(value)}, but each record must be an object with named fields"
            value = Problem(file, line, "", what, 'write it as {"question": ..., "rationale": ...}')
            if strict:
                raise DataError(str(value))
        yield line, value


def read_values(
    path: Path | str, *, strict: bool = True, required: Collection[str] = (), layout: str | None = None
) -> Iterator[tuple[int, Any]]:
    """As :func:`read_rows`, but the values of JSON may be of any kind: texts, lists, numbers."""
    path = Path(path).expanduser()
    empty = True
    for line, value in _opened(path, frozenset(required), layout):
        if strict and isinstance(value, Problem):
            raise DataError(str(value))
        empty = False
        yield line, value
    if empty:
        problem = Problem(str(path), 1, "", "the file is empty: it holds no record", "give it records, or leave it out")
        if strict:
            raise DataError(str(problem))
        yield 1, problem


def _opened(path: Path, required: frozenset[str], layout: str | None) -> Iterator[Value]:
    file = str(path)
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "is not a file" if path.exists() else "is not there"
        advice = f"name one file: {', '.join(LAYOUTS)}, or a text one in .gz or .zip"
        yield 0, Problem(file, None, "", what, advice)
        return
    try:
        with _stream(path) as (stream, name):
            layout = layout or LAYOUTS.get(Path(name).suffix.lower())
            if layout is None:
                yield 0, Problem(file, None, "", f"has a name of no known layout ({name})", f"use {', '.join(LAYOUTS)}")
            elif layout == "parquet":
                yield from parquet(path, required, name)
            else:
                yield from _text(stream, file, layout, required)
    except _Refused as refused:
        yield 0, refused.problem
    except OSError as error:
        yield 0, Problem(file, None, "", f"cannot be read: {error.strerror or error}", "")


class _Refused(Exception):
    def __init__(self, file: str, what: str, advice: str) -> None:
        super().__init__(what)
        self.problem = Problem(file, None, "", what, advice)


@contextmanager
def _stream(path: Path) -> Iterator[tuple[IO[bytes], str]]:
    """The bytes of the file, unpacked as they are read, and the name that tells their layout."""
    suffix = path.suffix.lower()
    if suffix == ".gz":
        with gzip.open(path) as stream:
            yield stream, path.stem
    elif suffix == ".zip":
        try:
            with zipfile.ZipFile(path) as archive, archive.open(_member(path, archive)) as stream:
                yield stream, stream.name
        except zipfile.BadZipFile as error:
            raise _Refused(str(path), f"is no whole zip archive ({error})", AGAIN) from None
        except (RuntimeError, NotImplementedError) as error:
            raise _Refused(str(path), f"cannot be unpacked ({error})", "unpack it, and name the file") from None
    else:
        with path.open("rb") as stream:
            yield stream, path.name


def _member(path: Path, archive: zipfile.ZipFile) -> str:
    """The one file of an archive. One name that would lead out of its folder, and the archive is refused."""
    names = archive.namelist()
    for name in names:
        if name.startswith(("/", "\\")) or ":" in name or ".." in re.split(r"[\\/]", name):
            what = f"the archive holds a name that leads out of its folder: {name!r}"
            raise _Refused(str(path), what, "do not unpack it; get the data from a source that you trust")
    files = [name for name in names if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if len(files) != 1:
        found = f"{', '.join(files[:5])}{', ...' if len(files) > 5 else ''}" if files else "none"
        what = f"an archive must hold one file, this one holds {len(files)} ({found})"
        raise _Refused(str(path), what, "unpack it, and name one file")
    return files[0]


def _text(stream: IO[bytes], file: str, layout: str, required: frozenset[str]) -> Iterator[Value]:
    lines = numbered(stream, file)
    first = next(lines, None)
    if first is None:
        return
    lines = chain([first], lines)
    if isinstance(first[1], bytes):
        wrong = next((what for magic, what in _NOT_TEXT.items() if first[1].startswith(magic)), None)
        if _WEB_PAGE.match(first[1]):
            wrong = f"a web page and no data; {AGAIN}, from the address of the file itself"
        if wrong:
            what, _, advice = wrong.partition("; ")
            yield 1, Problem(file, 1, "", f"this is {what}", advice)
            return
    if layout in _DELIMITERS:
        yield from separated(lines, file, _DELIMITERS[layout], required)
    elif layout == "json list" or (layout == "json" and not one_a_line(first[1])):
        yield from json_list(lines, file)
    else:
        yield from json_lines(lines, file)
