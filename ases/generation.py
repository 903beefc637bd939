"""Models -> chains: write a segment, append it, read again, until the chain ends (METHOD, section 6).

>>> chains = write_chains(questions, {"model": writer}, codec, "uni-path", settings)      # doctest: +SKIP
>>> chains[0].text, chains[0].reason                                                      # doctest: +SKIP
('Ann had 3. So 3 + 4 = 7. The answer is 7.', 'end')

Batched over questions: at segment boundaries finished chains leave and waiting ones enter, and a dual-path's two
models each write for the chains whose turn is theirs. What a model wrote is appended as ids, unaltered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from transformers import GenerationConfig, PreTrainedModel

from ases.errors import DataError
from ases.models import context_limit
from ases.segments import models_of
from ases.settings import SCORER_METHODS, GenerationSettings
from ases.tokens import Codec

REASONS = ("end", "max_rounds", "stalled", "length")
"""Why a chain ended: it said so; its rounds were used up; both models passed; a text or context was too long."""


@dataclass(frozen=True)
class Written:
    """One text that a model wrote: token ids without the end token, and whether it came to an end by itself."""

    ids: tuple[int, ...]
    finished: bool


class Writer(Protocol):
    """Whatever continues contexts: an engine around a model, or a script in a test."""

    context_limit: int | None
    """How many tokens a context may have, ``None`` for any number."""

    def write(self, contexts: Sequence[Sequence[int]], limit: int) -> list[Written]:
        """One text of at most ``limit`` tokens for each context (which ends with the end token)."""
        ...


@dataclass(frozen=True)
class Chain:
    """A generated chain: its segments with the model that wrote each, why it ended, and how many tokens it took.

    ``text`` is decoded from all ids at once: some tokenizers drop the space before a segment decoded alone.
    ``rounds`` counts turns, passes included; ``read_tokens`` and ``written_tokens`` are summed over them.
    """

    qid: str
    text: str
    segments: tuple[tuple[str, str], ...]
    reason: str
    rounds: int
    read_tokens: int
    written_tokens: int


class TransformersWriter:
    """Greedy decoding with transformers, padded to the batch's longest context."""

    def __init__(self, model: PreTrainedModel, codec: Codec) -> None:
        self.model, self.codec = model.eval(), codec
        self.context_limit = context_limit(model)
        start = model.config.decoder_start_token_id
        if start is None:
            start = model.generation_config.decoder_start_token_id
        # A checkpoint's own may sample, forbid repeats or force tokens, and fills whatever a call leaves open.
        model.generation_config = GenerationConfig(
            decoder_start_token_id=start, pad_token_id=codec.pad, eos_token_id=codec.end
        )

    @torch.no_grad()
    def write(self, contexts: Sequence[Sequence[int]], limit: int) -> list[Written]:
        """Greedy continuation of each context (batch x longest), cut after its end token."""
        width = max(len(context) for context in contexts)
        ids = torch.full((len(contexts), width), self.codec.pad)
        mask = torch.zeros((len(contexts), width), dtype=torch.long)
        for row, context in enumerate(contexts):
            ids[row, : len(context)] = torch.tensor(context)
            mask[row, : len(context)] = 1
        device = self.model.device
        rows = self.model.generate(
            input_ids=ids.to(device), attention_mask=mask.to(device), max_new_tokens=limit, do_sample=False, num_beams=1
        ).tolist()
        return [self._cut(row[1:]) for row in rows]

    def _cut(self, row: list[int]) -> Written:
        if self.codec.end in row:
            return Written(tuple(row[: row.index(self.codec.end)]), True)
        return Written(tuple(row), False)


@dataclass
class _Growing:
    """A chain while it is written."""

    position: int
    qid: str
    context: list[int]
    ids: list[int] = field(default_factory=list)
    text: str = ""
    segments: list[tuple[str, str]] = field(default_factory=list)
    rounds: int = 0
    passes: int = 0
    read: int = 0
    written: int = 0


def write_chains(
    questions: Sequence[tuple[str, str]],
    writers: Mapping[str, Writer],
    codec: Codec,
    method: str,
    settings: GenerationSettings,
    progress: Callable[[str, float], None] = lambda message, done: None,
) -> list[Chain]:
    """Write a chain for each question, given as (qid, text); the chains come back in the questions' order.

    ``writers`` has one writer for each model of the method. A whole-chain method writes once; the others take up to
    ``max_rounds`` turns of each model and ``max_segment_tokens`` a turn. No chain gets longer than
    ``max_chain_tokens``, however it is written. Raises DataError when two questions share a qid.
    """
    _check_qids(questions)
    names = models_of(method)
    whole = method in ("answer-only", "seq2seq", *SCORER_METHODS)
    longest = settings.max_chain_tokens if whole else settings.max_segment_tokens
    rounds = 1 if whole else settings.max_rounds * len(names)
    waiting = [_Growing(place, qid, codec.encode(text)) for place, (qid, text) in enumerate(questions)]
    # Longest first: contexts of like length share a batch, and a batch too large for memory fails at once.
    waiting.sort(key=lambda chain: (-len(chain.context), chain.position))
    waiting.reverse()  # taken from the end
    active: list[_Growing] = []
    finished: dict[int, Chain] = {}
    while waiting or active:
        while waiting and len(active) < settings.generation_batch:
            active.append(waiting.pop())
        for name in names:
            turn = [chain for chain in active if names[chain.rounds % len(names)] == name]
            turn, too_long = _readable(turn, writers[name].context_limit)
            for chain in too_long:
                finished[chain.position] = _end(chain, "length")
            if turn:
                left = [min(longest, settings.max_chain_tokens - len(chain.ids)) for chain in turn]
                written = writers[name].write([[*chain.context, codec.end] for chain in turn], max(left))
                for chain, text, own in zip(turn, written, left, strict=True):
                    # What a neighbour in the batch may still write must not change this chain.
                    text = text if len(text.ids) <= own else Written(text.ids[:own], False)
                    reason = _append(chain, text, name, codec, rounds, len(names))
                    if reason is None and len(chain.ids) >= settings.max_chain_tokens:
                        reason = "length"
                    if reason is not None:
                        finished[chain.position] = _end(chain, reason)
            active = [chain for chain in active if chain.position not in finished]
        progress(f"{len(finished)} of {len(questions)} chains", len(finished) / max(1, len(questions)))
    return [finished[place] for place in range(len(questions))]


def _append(chain: _Growing, text: Written, name: str, codec: Codec, max_rounds: int, models: int) -> str | None:
    """Add what was written to the chain; the reason why it ends here, or None."""
    chain.rounds += 1
    chain.read += len(chain.context) + 1
    chain.written += len(text.ids) + text.finished
    ids = list(text.ids)
    ended = codec.eoc in ids
    if ended:
        ids = ids[: ids.index(codec.eoc) + 1]
    if ids:
        chain.context += ids
        chain.ids += ids
        before, chain.text = chain.text, codec.decode(chain.ids)
        new = chain.text.removeprefix(before) if chain.text.startswith(before) else codec.decode(ids)
        chain.segments.append((name, new))
    chain.passes = 0 if ids else chain.passes + 1
    if ended:
        return "end"
    if not text.finished:
        return "length"
    if chain.passes >= models:
        return "stalled"
    return "max_rounds" if chain.rounds >= max_rounds else None


def _end(chain: _Growing, reason: str) -> Chain:
    return Chain(chain.qid, chain.text, tuple(chain.segments), reason, chain.rounds, chain.read, chain.written)


def _readable(chains: list[_Growing], limit: int | None) -> tuple[list[_Growing], list[_Growing]]:
    if limit is None:
        return chains, []
    fits = [len(chain.context) + 1 <= limit for chain in chains]
    return (
        [chain for chain, fit in zip(chains, fits, strict=True) if fit],
        [chain for chain, fit in zip(chains, fits, strict=True) if not fit],
    )


def _check_qids(questions: Sequence[tuple[str, str]]) -> None:
    seen: set[str] = set()
    for qid, _ in questions:
        if qid in seen:
            raise DataError(f"two questions share the qid {qid}; each needs its own")
        seen.add(qid)
