"""The journal of a generation: every turn and every chain on disk as it comes, so that a kill loses nothing.

>>> with open_journal(folder, {"method": "uni-path", "weights": "..."}) as journal:          # doctest: +SKIP
...     journal.is_done(unit)
True

One JSON line an entry, appended: a turn of a chain that grows, a sample that waits for its vote, a finished chain.
A kill can cut the last line only; it is removed when the journal is opened again. Read from disk, a chain that was
under way goes on where it was. Memory grows by the hash of each finished question, kept in two sets (here and in
:func:`ases.generation.stream_chains`: some 170 bytes together), and no more.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ases.chains import Chain, Turn, chain_from_row, chain_row
from ases.errors import RunError


def unit_of(qid: str, question: str) -> int:
    """The name (64 bits) by which the journal knows a question: a question that changed is another one."""
    return int.from_bytes(hashlib.sha256(f"{qid}\n{question}".encode()).digest()[:8], "big")


@dataclass
class _Pending:
    """What the journal has of a question that is not finished: turns and finished samples, by sample."""

    turns: dict[int, list[Turn]] = field(default_factory=dict)
    samples: dict[int, Chain] = field(default_factory=dict)


class Journal:
    """An open journal; made by :func:`open_journal`."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self._done: set[int] = set()
        self._pending: dict[int, _Pending] = {}

    def is_done(self, unit: int) -> bool:
        """Whether the question's chain is in the journal."""
        return unit in self._done

    def take(self, unit: int) -> tuple[dict[int, list[Turn]], dict[int, Chain]]:
        """Turns and finished samples of a question that was under way, by sample; given out once."""
        pending = self._pending.pop(unit, _Pending())
        return pending.turns, pending.samples

    def turn(self, unit: int, sample: int, turn: Turn) -> None:
        """Append one turn of a growing chain."""
        self._append({"unit": unit, "sample": sample, "turn": asdict(turn)})

    def sample(self, unit: int, sample: int, chain: Chain) -> None:
        """Append a finished sample, which waits for the others of its question."""
        self._append({"unit": unit, "sample": sample, "chain": chain_row(chain)})

    def done(self, unit: int, chain: Chain) -> None:
        """Append a question's finished chain."""
        self._append({"unit": unit, "chain": chain_row(chain)})
        self._done.add(unit)

    def flush(self) -> None:
        """Hand what was appended to the system: a killed process loses nothing of it."""
        self._file.flush()

    def _append(self, entry: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")

    def _remember(self, entry: Mapping[str, Any]) -> None:
        unit = entry["unit"]
        if "sample" not in entry:
            self._done.add(unit)
            self._pending.pop(unit, None)
            return
        pending = self._pending.setdefault(unit, _Pending())
        if "turn" in entry:
            turn = Turn(**{**entry["turn"], "ids": tuple(entry["turn"]["ids"])})
            pending.turns.setdefault(entry["sample"], []).append(turn)
        else:
            pending.samples[entry["sample"]] = chain_from_row(entry["chain"])
            pending.turns.pop(entry["sample"], None)


@contextmanager
def open_journal(folder: Path, key: Mapping[str, Any]) -> Iterator[Journal]:
    """Open the journal of what ``key`` describes (plain values), new or with all that an earlier process left.

    Other settings or weights have a journal of their own beside it. Raises RunError where another process writes it,
    and where an entry other than the last cannot be read.
    """
    path = journal_path(folder, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system lets go of it when the process dies
        except OSError as error:
            raise RunError(
                f"another process writes {path}; wait until it ends, or end it, and start again"
            ) from error
        journal = Journal(path, file)
        whole = 0
        for number, line, entry in _entries(path, file):
            if number > 1:
                journal._remember(entry)
            whole += len(line)
        file.truncate(whole)
        file.seek(whole)
        if not whole:
            journal._append({"journal": 1, "key": dict(key)})
        try:
            yield journal
        finally:
            journal.flush()


def journal_path(folder: Path, key: Mapping[str, Any]) -> Path:
    """Where the journal of what ``key`` describes lies."""
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return Path(folder) / f"chains-{digest[:16]}.jsonl"


def read_chains(path: Path) -> Iterator[tuple[int, Chain]]:
    """Unit and chain of each finished question in a journal, in the order in which they were finished."""
    with Path(path).open("rb") as file:
        for _, _, entry in _entries(path, file):
            if "chain" in entry and "sample" not in entry:
                yield entry["unit"], chain_from_row(entry["chain"])


def _entries(path: Path, file: BinaryIO) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    """Number, bytes and content of each whole line; what a kill left of a last one is passed over."""
    file.seek(0)
    for number, line in enumerate(file, start=1):
        if not line.endswith(b"\n"):
            return
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise RunError(
                f"{path}, line {number} is not an entry of a journal ({error}); the file was changed or damaged: "
                "delete it to generate anew"
            ) from error
        yield number, line, entry
