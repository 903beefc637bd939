"""One record of the data: a question, its rationale and its answer, from whichever source.

>>> example = Example(qid="q1", question="2 + 2?", rationale="2 + 2 = 4.", answer="4", source="own")
>>> state_answer(example).rationale
'2 + 2 = 4. The answer is 4.'
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow
import pyarrow.ipc
import pyarrow.parquet
from datasets import Dataset, Features, List, Value
from datasets.fingerprint import generate_random_fingerprint
from datasets.table import MemoryMappedTable

from ases.errors import DataError

ES, AS = "ES", "AS"


ROWS, CHARACTERS = 5_000, 2**24
"""A batch is written when it holds so many examples, or so many characters of question and rationale."""

_READ = 256  # rows read at a time

MAPPED_FROM = 2**26
"""Parquet of more bytes than this, unpacked, is not read into memory but mapped from an Arrow copy beside it."""


@dataclass(frozen=True)
class Example:
    """Question ``Q``, rationale ``C``, final answer ``A`` (METHOD: terms).

    ``gold`` holds the true label, ``ES`` or ``AS``, of each piece of the rationale where the data is generated.
    ``graph`` and ``schema`` name the operation graph and the story (graph, theme and wording frame, numbers
    masked) of a generated problem; ``teacher_correct`` says whether an LLM-written rationale reaches the
    reference answer; ``flags`` name the known oddities of this record; ``official_split`` is ``train`` or ``test``
    where the set's makers published a split.
    """

    qid: str
    question: str
    rationale: str
    answer: str | None
    source: str
    licence: str = ""
    language: str = "en"
    gold: tuple[str, ...] | None = None
    graph: str | None = None
    schema: str | None = None
    teacher_correct: bool | None = None
    flags: tuple[str, ...] = ()
    official_split: str | None = None


FEATURES = Features(
    {
        "qid": Value("string"),
        "question": Value("string"),
        "rationale": Value("string"),
        "answer": Value("string"),
        "source": Value("string"),
        "licence": Value("string"),
        "language": Value("string"),
        "gold": List(Value("string")),
        "graph": Value("string"),
        "schema": Value("string"),
        "teacher_correct": Value("bool"),
        "flags": List(Value("string")),
        "official_split": Value("string"),
    }
)

_STATED = re.compile(r"\banswer is\b", re.IGNORECASE)


def states_answer(rationale: str) -> bool:
    """Whether the rationale says "answer is" anywhere."""
    return _STATED.search(rationale) is not None


def state_answer(example: Example) -> Example:
    """Append `` The answer is A.`` where the rationale does not state its answer (METHOD, section 1).

    The appended piece restates, so it is labelled ``ES`` where gold labels are present. Examples without an
    answer (PET reports) are returned as they are.
    """
    if example.answer is None or states_answer(example.rationale):
        return example
    gold = None if example.gold is None else (*example.gold, ES)
    rationale = f"{example.rationale.rstrip()} The answer is {example.answer}."
    return replace(example, rationale=rationale, gold=gold)


class Examples(Sequence[Example]):
    """A sequence of examples over an Arrow table, in memory or mapped from a file.

    An :class:`Example` is made when it is asked for, so a million of them take no more memory than one; iteration
    goes by batches, and what it has read of a mapped file is given back to the system. A slice is again ``Examples``.
    Equal to any sequence that holds equal examples.
    """

    def __init__(self, dataset: Dataset, mapped: mmap.mmap | None = None) -> None:
        missing = sorted(set(FEATURES) - set(dataset.column_names))
        if missing:
            raise DataError(
                f"the dataset lacks the columns {', '.join(missing)}; it has {', '.join(dataset.column_names)}"
            )
        self.dataset = dataset
        """The ``datasets.Dataset`` with the columns of :data:`FEATURES`."""
        self._mapped = mapped

    def __len__(self) -> int:
        return len(self.dataset)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Examples: ...
    def __getitem__(self, index: int | slice) -> Example | Examples:
        if isinstance(index, slice):
            return self.select(range(*index.indices(len(self))))
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"example {index} of {len(self)}")
        return _example(self.dataset[int(place)])

    def __iter__(self) -> Iterator[Example]:
        names = list(FEATURES)
        for columns in self._read(self.dataset):
            for values in zip(*(columns[name] for name in names), strict=True):
                yield _example(dict(zip(names, values, strict=True)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Examples({len(self)} rows)"

    def select(self, indices: Sequence[int] | np.ndarray | range) -> Examples:
        """The examples at these positions, in this order; nothing is copied but the positions."""
        if isinstance(indices, range):
            return Examples(self.dataset.select(indices), self._mapped)
        indices = np.asarray(indices, dtype=np.int64)
        mark = hashlib.sha256(self.dataset._fingerprint.encode() + indices.tobytes()).hexdigest()[:16]
        return Examples(self.dataset.select(indices, new_fingerprint=mark), self._mapped)

    def column(self, name: str) -> Iterator[Any]:
        """The values of one field, in order, without making the examples."""
        for columns in self._read(self.dataset.select_columns([name])):
            yield from columns[name]

    def _read(self, dataset: Dataset) -> Iterator[dict[str, list[Any]]]:
        # Few rows at a time: where they lie scattered, each makes the system map 64 kB around it.
        for start in range(0, len(dataset), _READ):
            columns = dataset[start : start + _READ]
            if self._mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
                self._mapped.madvise(mmap.MADV_DONTNEED)
            yield columns


def _example(row: dict[str, Any]) -> Example:
    gold, flags = row["gold"], row["flags"]
    row["gold"] = None if gold is None else tuple(gold)
    row["flags"] = tuple(flags or ())
    return Example(**{name: row[name] for name in FEATURES})


def to_dataset(examples: Iterable[Example]) -> Dataset:
    """Examples as an Arrow ``datasets.Dataset`` in memory, with the columns of :data:`FEATURES`."""
    return store_examples(examples, None).dataset


def from_dataset(dataset: Dataset) -> list[Example]:
    """The inverse of :func:`to_dataset`. Raises DataError where columns are missing."""
    return list(Examples(dataset))


def store_examples(examples: Iterable[Example], path: Path | None) -> Examples:
    """Stream examples into an Arrow file, which appears under its name only when it is whole, and map it.

    Memory holds one batch at a time. ``path`` None keeps the table in memory: for what is small.
    """
    if path is None:
        sink = pyarrow.BufferOutputStream()
        _write_stream(_batches(examples), sink)
        return Examples(_in_memory(pyarrow.ipc.open_stream(sink.getvalue()).read_all()))
    _written(Path(path), lambda partial: _write_stream(_batches(examples), partial))
    return read_examples(path)


def write_examples(examples: Iterable[Example], path: Path) -> None:
    """Stream examples into Parquet, one row group a batch; the file appears under its name only when it is whole."""

    def write(partial: Path) -> None:
        with pyarrow.parquet.ParquetWriter(partial, _SCHEMA) as writer:
            for batch in _batches(examples):
                writer.write_batch(batch, row_group_size=max(batch.num_rows, 1))

    _written(Path(path), write)


def read_examples(path: Path) -> Examples:
    """Open examples written by :func:`write_examples` (Parquet) or :func:`store_examples` (``.arrow``, mapped).

    Parquet above :data:`MAPPED_FROM` is first unpacked, batch by batch, into an Arrow file beside it that is named
    for its content (``.<name>-<sha256>.arrow``) and used again; nothing goes into a cache elsewhere. Raises
    DataError where the file is missing or no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} is not there; run the data notebook (02_data) with the same parameters first")
    try:
        if path.suffix == ".arrow":
            return _map(path)
        with pyarrow.parquet.ParquetFile(path) as file:
            groups = range(file.metadata.num_row_groups)
            if sum(file.metadata.row_group(group).total_byte_size for group in groups) <= MAPPED_FROM:
                return Examples(_in_memory(file.read()))
            copy = path.with_name(f".{path.stem}-{_content(path)[:16]}.arrow")
            if not copy.is_file():
                _written(copy, lambda partial: _write_stream(file.iter_batches(ROWS), partial))
        return _map(copy)
    except (pyarrow.ArrowException, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise DataError(f"{path} does not hold examples ({error}); delete it and run the data notebook again") from None


_SCHEMA = FEATURES.arrow_schema


def _map(path: Path) -> Examples:
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    table = pyarrow.ipc.open_stream(pyarrow.py_buffer(mapped)).read_all()
    mark = hashlib.sha256(f"{path.resolve()} {path.stat().st_mtime_ns} {len(mapped)}".encode()).hexdigest()[:16]
    return Examples(Dataset(MemoryMappedTable(table, str(path)), fingerprint=mark), mapped)


def _in_memory(table: pyarrow.Table) -> Dataset:
    # A random fingerprint: the default one is a hash over the whole table.
    return Dataset(table, fingerprint=generate_random_fingerprint())


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _written(path: Path, write: Callable[[Path], None]) -> None:
    """Write under a temporary name, one of its own for every process, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        write(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _write_stream(batches: Iterable[pyarrow.RecordBatch], sink: Any) -> None:
    with pyarrow.ipc.new_stream(sink, _SCHEMA) as writer:
        for batch in batches:
            writer.write_batch(batch.cast(_SCHEMA) if batch.schema != _SCHEMA else batch)


def _batches(examples: Iterable[Example]) -> Iterator[pyarrow.RecordBatch]:
    rows: list[Example] = []
    size = 0
    for example in examples:
        rows.append(example)
        size += len(example.question) + len(example.rationale)
        if len(rows) == ROWS or size >= CHARACTERS:
            yield _batch(rows)
            rows, size = [], 0
    if rows:
        yield _batch(rows)


def _batch(rows: list[Example]) -> pyarrow.RecordBatch:
    return pyarrow.RecordBatch.from_pydict(
        {name: [getattr(row, name) for row in rows] for name in FEATURES}, schema=_SCHEMA
    )
