"""Collected records -> one table of usable examples, and what became of every record.

>>> gathered = gather(settings_for({"data": "gsm8k", "data_folder": "my/gsm8k", "size": "real"}).data)
>>> len(gathered.examples), len(gathered.set_of)
(8792, 8792)

Records are read once and streamed to Arrow, so memory holds a few numbers a record and never the texts. The table is
kept under a key of the source's content, what was asked of it and this package's code, in the folder that the caller
names and nowhere else: collected text may be private.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from ases.errors import DataError
from ases.examples import Example, Examples, read_examples, state_answer, store_examples
from ases.rows import Seen
from ases.settings import DataSettings
from ases.sources import DUPLICATE, absent, fingerprint, normalise_question, read_records

Progress = Callable[[str, float], None]
"""Takes what is being done, and the share that is done, from 0 to 1."""

_REPORTED = 20_000  # records between two reports of progress


@dataclass(frozen=True)
class Gathered:
    """Usable examples, no two with the same normalised question, and all records found.

    ``examples`` are in the order of the files, which reads fastest; ``by_qid`` are their positions in the order of
    their qids, on which a split may depend. ``set_of`` and ``reason_of`` are, for each record in the order of the
    files, positions in ``sets`` and ``reasons``; ``row_of`` is the position of its example in ``examples``, or -1 where
    it was set aside. ``missing`` names expected sets whose file is not there.
    """

    examples: Examples
    by_qid: np.ndarray
    sets: tuple[str, ...]
    reasons: tuple[str, ...]
    set_of: np.ndarray
    reason_of: np.ndarray
    row_of: np.ndarray
    missing: tuple[str, ...]


def gather(
    settings: DataSettings, folder: Path | None = None, progress: Progress = lambda message, done: None
) -> Gathered:
    """Read every record of a source and keep one usable example a question.

    Rationales that do not state their answer have it appended (METHOD, section 1). Of equal questions (after
    :func:`ases.sources.normalise_question`) the one of the official test set is kept, before that of a teacher who is
    right, before that which comes first. With ``folder``, the table is mapped from a file there and found again as long
    as source, settings and code are the same; without, it is held in memory. Raises DataError as
    :func:`ases.sources.read_records` does, and for a qid that two sets share.
    """
    missing = tuple(absent(settings.data, settings.data_folder))
    if folder is None:
        table, examples = _read(settings, None, progress)
        return _gathered(table, examples, missing)
    asked = [settings.data, settings.keep_teacher_wrong, settings.language, list(settings.columns)]
    key = content_key(fingerprint(settings.data, settings.data_folder), asked)
    path, records = Path(folder) / f"records-{key}.arrow", Path(folder) / f"records-{key}.parquet"
    if path.is_file() and records.is_file():
        progress(f"found the records in {path.name}", 1.0)
        return _gathered(pyarrow.parquet.read_table(records), read_examples(path), missing)
    records.unlink(missing_ok=True)
    table, examples = _read(settings, path, progress)
    partial = records.with_name(f"{records.name}.partial")
    pyarrow.parquet.write_table(table, partial)
    partial.replace(records)  # last: where it stands, both are whole
    return _gathered(table, examples, missing)


def content_key(*parts: Any) -> str:
    """16 hex digits for what a stored table depends on, the code of this package included."""
    text = json.dumps([*parts, _code()], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _code() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


class _Account:
    """What is remembered of the records while they stream past: some 40 bytes each."""

    def __init__(self) -> None:
        self.sets: dict[str, int] = {}
        self.reasons: dict[str, int] = {}
        self.set_of, self.reason_of, self.record_of = array("i"), array("i"), array("q")
        self.questions, self.ranks, self.qids = array("Q"), array("b"), Seen()

    def usable(self, settings: DataSettings, progress: Progress) -> Iterator[Example]:
        """The usable examples of the source, in the order of the files; every record is noted."""
        records = read_records(
            settings.data,
            settings.data_folder,
            columns=dict(entry.split("=", 1) for entry in settings.columns) or None,
            keep_teacher_wrong=settings.keep_teacher_wrong,
            language=settings.language,
        )
        for number, record in enumerate(records):
            if number % _REPORTED == 0:
                progress(f"reading {settings.data}: {number:,} records", 0.0)
            self.set_of.append(self.sets.setdefault(record.set, len(self.sets)))
            self.reason_of.append(self.reasons.setdefault(record.reason, len(self.reasons)))
            if record.example is not None and self.qids.add(record.example.qid, number) is not None:
                raise DataError(
                    f"{settings.data_folder}, set {record.set}, record {record.record}: the qid {record.example.qid} "
                    "stands for an earlier record too; give each record its own"
                )
            if not record.kept:
                continue
            example = state_answer(record.example)
            self.record_of.append(number)
            self.questions.append(hash_text(normalise_question(example.question)))
            self.ranks.append((example.official_split != "test") * 2 + (example.teacher_correct is False))
            yield example


def hash_text(text: str) -> int:
    """64 bits: among a million different texts, two are taken for one with a chance of 3e-8."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _read(settings: DataSettings, path: Path | None, progress: Progress) -> tuple[pyarrow.Table, Examples]:
    """All records (set, reason, row of the stored examples), and the usable examples as they are stored."""
    account = _Account()
    stored = store_examples(account.usable(settings, progress), path)
    record_of = np.array(account.record_of, dtype=np.int64)
    keys, ranks = np.array(account.questions, dtype=np.uint64), np.array(account.ranks, dtype=np.int8)
    order = np.lexsort((record_of, ranks, keys))
    first = np.ones(len(order), dtype=bool)
    first[1:] = keys[order[1:]] != keys[order[:-1]]
    kept = order[first]
    set_of, reason_of = np.array(account.set_of, dtype=np.int32), np.array(account.reason_of, dtype=np.int32)
    owner = kept[np.cumsum(first) - 1] if len(order) else order
    for copy, of in zip(order[~first], owner[~first], strict=True):
        name = f"{DUPLICATE} {list(account.sets)[set_of[record_of[of]]]}"
        reason_of[record_of[copy]] = account.reasons.setdefault(name, len(account.reasons))
    row_of = np.full(len(set_of), -1, dtype=np.int64)
    row_of[record_of[kept]] = kept
    names = pyarrow.array(list(account.sets), pyarrow.string()), pyarrow.array(list(account.reasons), pyarrow.string())
    columns = {
        "set": pyarrow.DictionaryArray.from_arrays(pyarrow.array(set_of), names[0]),
        "reason": pyarrow.DictionaryArray.from_arrays(pyarrow.array(reason_of), names[1]),
        "row": pyarrow.array(row_of),
    }
    return pyarrow.table(columns), stored


def _gathered(table: pyarrow.Table, stored: Examples, missing: tuple[str, ...]) -> Gathered:
    codes, names = {}, {}
    table = table.unify_dictionaries().combine_chunks()
    for name in ("set", "reason"):
        chunks = table[name].chunks
        codes[name] = chunks[0].indices.to_numpy() if chunks else np.zeros(0, dtype=np.int32)
        names[name] = tuple(chunks[0].dictionary.to_pylist()) if chunks else ()
    row_of = table["row"].to_numpy().copy()
    used = np.flatnonzero(row_of >= 0)
    examples = stored.select(row_of[used])
    row_of[used] = np.arange(len(used))
    qids = pyarrow.array(examples.column("qid"), pyarrow.string())
    by_qid = pyarrow.compute.sort_indices(qids).to_numpy().astype(np.int64)
    return Gathered(examples, by_qid, names["set"], names["reason"], codes["set"], codes["reason"], row_of, missing)
