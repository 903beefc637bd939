"""Chains: what generation leaves, how one grows turn by turn, and its form on disk.

>>> Chain("q1", "3 + 4 = 7. ", (("model", "3 + 4 = 7. "),), "end", 1, 12, 9).reason
'end'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ases.examples import AS, ES
from ases.tokens import Codec

REASONS = ("end", "max_rounds", "stalled", "length")
"""Why a chain ended: it said so; its rounds were used up; both models passed; a text or context was too long."""

_LABEL_OF_MODEL = {"esm": ES, "asm": AS}


@dataclass(frozen=True)
class Chain:
    """A generated chain: its segments with the model that wrote each, why it ended, and what it took.

    ``text`` is decoded from all ids at once: some tokenizers drop the space before a segment decoded alone.
    ``rounds`` counts turns, passes included; ``read_tokens``, ``written_tokens`` and ``flops`` (forward passes; 0 for
    writers without a cost) are summed over them, and over all samples where a vote was taken. ``labels`` has one
    entry a segment: that of the dual-path's model, or the mark that a typed segment begins with, else None.
    ``samples`` were drawn for each vote; ``agreement`` is the share of them that the winner had, mean over votes.
    """

    qid: str
    text: str
    segments: tuple[tuple[str, str], ...]
    reason: str
    rounds: int
    read_tokens: int
    written_tokens: int
    labels: tuple[str | None, ...] = ()
    flops: int = 0
    samples: int = 1
    agreement: float = 1.0


def chain_row(chain: Chain) -> dict[str, Any]:
    """The chain as plain values for JSON or Parquet."""
    return asdict(chain)


def chain_from_row(row: Mapping[str, Any]) -> Chain:
    """The chain of a :func:`chain_row`, read back."""
    segments = tuple((model, text) for model, text in row["segments"])
    return Chain(**{**row, "segments": segments, "labels": tuple(row["labels"])})


@dataclass(frozen=True)
class Turn:
    """What one turn added to a chain: the ids kept, whether the text came to an end by itself, and its price."""

    ids: tuple[int, ...]
    finished: bool
    read: int
    written: int
    flops: int = 0
    agreement: float = 1.0


@dataclass
class Growing:
    """A chain while it is written; ``unit`` names its question, ``context`` is all that the models have to read.

    ``reason`` says why it ended, None while it grows; ``late`` that its turn was given up for now, as it kept others
    waiting; ``restored`` is a finished chain that came from disk.
    """

    unit: int
    qid: str
    sample: int
    context: list[int]
    ids: list[int] = field(default_factory=list)
    text: str = ""
    segments: list[tuple[str, str]] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    rounds: int = 0
    passes: int = 0
    read: int = 0
    written: int = 0
    flops: int = 0
    agreement: float = 0.0
    reason: str | None = None
    late: bool = False
    restored: Chain | None = None

    def append(self, turn: Turn, name: str, codec: Codec, *, models: int, rounds: int, tokens: int) -> None:
        """Add what model ``name`` wrote in its turn, and set the reason where the chain ends with it.

        ``models`` take turns, for ``rounds`` turns altogether, and the chain may have ``tokens`` tokens.
        """
        self.rounds += 1
        self.read += turn.read
        self.written += turn.written
        self.flops += turn.flops
        self.agreement += turn.agreement
        ids = list(turn.ids)
        ended = codec.eoc in ids
        if ended:
            ids = ids[: ids.index(codec.eoc) + 1]
        if ids:
            self.context += ids
            self.ids += ids
            before, self.text = self.text, codec.decode(self.ids)
            new = self.text.removeprefix(before) if self.text.startswith(before) else codec.decode(ids)
            self.segments.append((name, new))
            marks = {codec.es: ES, codec.as_: AS}
            self.labels.append(marks.get(ids[0], _LABEL_OF_MODEL.get(name)))
        self.passes = 0 if ids else self.passes + 1
        if ended:
            self.reason = "end"
        elif not turn.finished:
            self.reason = "length"
        elif self.passes >= models:
            self.reason = "stalled"
        elif self.rounds >= rounds:
            self.reason = "max_rounds"
        elif len(self.ids) >= tokens:
            self.reason = "length"

    def chain(self, samples: int = 1) -> Chain:
        """The chain as it stands; an empty reason says that it is still growing."""
        if self.restored is not None:
            return self.restored
        return Chain(
            qid=self.qid,
            text=self.text,
            segments=tuple(self.segments),
            reason=self.reason or "",
            rounds=self.rounds,
            read_tokens=self.read,
            written_tokens=self.written,
            labels=tuple(self.labels),
            flops=self.flops,
            samples=samples,
            agreement=self.agreement / self.rounds if self.rounds else 1.0,
        )
