"""Models -> chains: write a segment, append it, read again, until the chain ends (METHOD, section 6).

>>> writers = {"model": TransformersWriter(model, codec)}                                 # doctest: +SKIP
>>> chains = write_chains(questions, writers, codec, "uni-path", settings)                # doctest: +SKIP
>>> chains[0].text, chains[0].reason                                                      # doctest: +SKIP
('Ann had 3. So 3 + 4 = 7. The answer is 7.', 'end')

Batched over questions: at segment boundaries finished chains leave and waiting ones enter, and a dual-path's two
models each write for all the chains whose turn is theirs. What a model wrote is appended as ids, unaltered.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ases.chains import REASONS, Chain, Growing, Turn
from ases.engines import GREEDY, Decoding, TransformersWriter, Writer, Written, decoding_of, row_key
from ases.errors import DataError, ParameterError
from ases.journal import Journal, journal_path, open_journal, read_chains, unit_of
from ases.segments import models_of
from ases.settings import SCORER_METHODS, GenerationSettings
from ases.tokens import Codec
from ases.voting import majority_answer, majority_text

__all__ = ["REASONS", "Chain", "TransformersWriter", "Writer", "Written", "chains_to", "stream_chains", "write_chains"]

WINDOW = 16
"""Questions are taken in and sorted by length in windows of this many batches, however many there are."""

LATE = 0.5
"""Chains whose turn was given up are written when they are this share of a batch, or when no others are left."""

_SCHEDULING = ("generation_batch", "token_budget")
"""Settings that decide how fast chains come, and not what they are."""

Progress = Callable[[str, float], None]
Question = tuple[str, str]


def write_chains(
    questions: Sequence[Question],
    writers: Mapping[str, Writer],
    codec: Codec,
    method: str,
    settings: GenerationSettings,
    progress: Progress = lambda message, done: None,
    *,
    resume: Path | None = None,
) -> list[Chain]:
    """Write a chain for each question, given as (qid, text); the chains come back in the questions' order.

    ``writers`` has one writer for each model of the method. A whole-chain method writes once; the others take up to
    ``max_rounds`` turns of each model and ``max_segment_tokens`` a turn. No chain gets longer than
    ``max_chain_tokens``, however it is written. With ``resume``, a folder, every turn is on disk as it comes and a
    killed run goes on from there. Raises DataError when two questions share a qid, and ParameterError where writers
    choose otherwise than the settings say.
    """
    _check_qids(questions)
    if resume is not None:
        path = chains_to(resume, questions, writers, codec, method, settings, progress)
        by_unit = dict(read_chains(path))
        return [by_unit[unit_of(qid, text)] for qid, text in questions]
    by_qid: dict[str, Chain] = {}
    for chain in stream_chains(questions, writers, codec, method, settings):
        by_qid[chain.qid] = chain
        progress(f"{len(by_qid)} of {len(questions)} chains", len(by_qid) / len(questions))
    return [by_qid[qid] for qid, _ in questions]


def chains_to(
    folder: Path,
    questions: Iterable[Question],
    writers: Mapping[str, Writer],
    codec: Codec,
    method: str,
    settings: GenerationSettings,
    progress: Progress = lambda message, done: None,
    *,
    total: int | None = None,
) -> Path:
    """Write chains to disk as they are finished and return the file, for :func:`ases.journal.read_chains`.

    ``questions`` may be an iterator: memory does not grow with their number (``total``, for the progress alone,
    where they have no length). A killed run goes on where it was when it is called again with the same questions,
    weights, vocabulary and settings; what is finished is not read again. Raises DataError for a writer without
    ``fingerprint``, and as :func:`write_chains` does.
    """
    total = len(questions) if total is None and isinstance(questions, Sequence) else total
    key = _journal_key(writers, codec, method, settings)
    count = 0

    def counted(more: int) -> None:
        nonlocal count
        count += more
        progress(f"{count} of {total} chains" if total else f"{count} chains", count / total if total else math.nan)

    with open_journal(folder, key) as journal:

        def unfinished() -> Iterator[Question]:
            for qid, text in questions:
                if journal.is_done(unit_of(qid, text)):
                    counted(1)
                else:
                    yield qid, text

        for _ in stream_chains(unfinished(), writers, codec, method, settings, journal=journal):
            counted(1)
    return journal_path(folder, key)


def stream_chains(
    questions: Iterable[Question],
    writers: Mapping[str, Writer],
    codec: Codec,
    method: str,
    settings: GenerationSettings,
    *,
    journal: Journal | None = None,
    watch: Callable[[Chain], None] | None = None,
) -> Iterator[Chain]:
    """The chains one by one, in the order in which they are finished; arguments as in :func:`write_chains`.

    ``watch`` is called with each chain as it stands after each of its turns (reason empty while it grows); of a
    question's samples with the first.
    """
    run = _Run(writers, codec, method, settings, journal)
    arriving = run.arrivals(questions)
    waiting: list[Growing] = []
    active: list[Growing] = []
    while True:
        if len(waiting) < settings.generation_batch:
            waiting += reversed(list(itertools.islice(arriving, WINDOW * settings.generation_batch)))
            # Taken from the end, longest first: contexts of like length share a batch, and a batch too large for
            # memory fails at once. Reversed, so that of equals the first comes first.
            waiting.sort(key=lambda chain: len(chain.context))
        run.admit(waiting, active)
        if not active:
            return
        for name in run.names:
            turn = [chain for chain in active if chain.reason is None and run.whose_turn(chain) == name]
            run.write(name, turn)
            for chain in turn:
                if watch is not None and chain.sample == 0 and not chain.late:
                    watch(chain.chain(run.per_segment))
        ended = [chain for chain in active if chain.reason is not None]
        active = [chain for chain in active if chain.reason is None]
        # On disk before anybody hears of it: what a reader has seen is not generated again.
        finished = [run.finish(chain) for chain in ended]
        if journal is not None:
            journal.flush()
        yield from (chain for chain in finished if chain is not None)


class _Run:
    """One generation: the rules that its settings make, and the samples that wait for their question's vote."""

    def __init__(
        self,
        writers: Mapping[str, Writer],
        codec: Codec,
        method: str,
        settings: GenerationSettings,
        journal: Journal | None,
    ) -> None:
        self.writers, self.codec, self.settings, self.journal = writers, codec, settings, journal
        self.names = models_of(method)
        self.decoding = decoding_of(settings)
        _check_writers(self.names, writers, self.decoding)
        self.costs = {name: getattr(writers[name], "cost", None) for name in self.names}
        whole = method in ("answer-only", "seq2seq", *SCORER_METHODS)
        self.longest = settings.max_chain_tokens if whole else settings.max_segment_tokens
        self.rounds = 1 if whole else settings.max_rounds * len(self.names)
        self.per_question = settings.samples if settings.vote == "chain" else 1
        self.per_segment = settings.samples if settings.vote == "segment" else 1
        self.votes: dict[int, dict[int, Chain]] = {}

    def arrivals(self, questions: Iterable[Question]) -> Iterator[Growing]:
        """The chains to write, as many a question as are voted on; those under way as the journal has them."""
        seen: set[int] = set()
        for qid, text in questions:
            if hash(qid) in seen:
                raise DataError(f"two questions share the qid {qid}; each needs its own")
            seen.add(hash(qid))
            unit = unit_of(qid, text)
            turns, samples = self.journal.take(unit) if self.journal is not None else ({}, {})
            context = self.codec.encode(text)
            for sample in range(self.per_question):
                chain = Growing(unit, qid, sample, list(context))
                for turn in turns.get(sample, ()):
                    self._append(chain, turn, self.whose_turn(chain))
                if sample in samples:
                    chain.restored, chain.reason = samples[sample], samples[sample].reason
                yield chain

    def whose_turn(self, chain: Growing) -> str:
        return self.names[chain.rounds % len(self.names)]

    def admit(self, waiting: list[Growing], active: list[Growing]) -> None:
        """Let waiting chains enter while rows and token budget allow; one at least, if none is active."""
        writing = [chain for chain in active if not chain.late]
        width = max((len(chain.context) + 1 for chain in writing), default=0)
        while waiting:
            rows = (len(writing) + 1) * self.per_segment
            width = max(width, len(waiting[-1].context) + 1)
            if active and (rows > self.settings.generation_batch or rows * width > self.settings.token_budget):
                return
            writing.append(waiting.pop())
            active.append(writing[-1])

    def write(self, name: str, turn: list[Growing]) -> None:
        """Let model ``name`` write for each chain, in as few batches as rows and token budget allow.

        Chains whose turn takes far longer than the others' are late: they wait until they are many, or alone.
        """
        limit = self.writers[name].context_limit
        fitting = []
        for chain in turn:
            if limit is not None and len(chain.context) + 1 > limit:
                chain.reason = "length"
            else:
                fitting.append(chain)
        prompt = [chain for chain in fitting if not chain.late]
        late = [chain for chain in fitting if chain.late]
        writer = self.writers[name]
        most = getattr(writer, "write_most", writer.write) if self.rounds > 1 else writer.write
        for batch in self._batches(prompt):
            self._write(name, batch, most)
        if not prompt or len(late) * self.per_segment >= LATE * self.settings.generation_batch:
            for batch in self._batches(late):
                self._write(name, batch, writer.write)

    def _batches(self, turn: list[Growing]) -> Iterator[list[Growing]]:
        if self.decoding.kind == "beams":  # where a beam search may stop is part of what it finds
            turn = sorted(turn, key=self._left)
            groups = [list(group) for _, group in itertools.groupby(turn, key=self._left)]
        else:
            groups = [turn]
        rows_a_chain = self.per_segment * max(1, self.decoding.beams)
        for group in groups:
            group = sorted(group, key=lambda chain: -len(chain.context))
            while group:
                most = self.settings.token_budget // ((len(group[0].context) + 1) * rows_a_chain)
                yield group[: max(1, most)]
                group = group[max(1, most) :]

    def _left(self, chain: Growing) -> int:
        return min(self.longest, self.settings.max_chain_tokens - len(chain.ids))

    def _write(self, name: str, batch: list[Growing], write: Callable[..., Sequence[Written | None]]) -> None:
        samples = range(self.per_segment)
        contexts = [[*chain.context, self.codec.end] for chain in batch for _ in samples]
        limit = max(self._left(chain) for chain in batch)
        if self.decoding.kind == "sampling":
            # Samples of a chain and of a segment are told apart by one number: only one kind of vote is taken.
            seed = self.settings.generation_seed
            keys = [row_key(seed, chain.qid, chain.sample + n, chain.rounds) for chain in batch for n in samples]
            texts = write(contexts, limit, keys)
        else:
            texts = write(contexts, limit)
        for place, chain in enumerate(batch):
            found = texts[place * self.per_segment : (place + 1) * self.per_segment]
            own = [text for text in found if text is not None]
            chain.late = len(own) < len(found)
            if chain.late:
                continue
            turn = self._turn(name, chain, own)
            self._append(chain, turn, name)
            if self.journal is not None:
                self.journal.turn(chain.unit, chain.sample, turn)
        if self.journal is not None:
            self.journal.flush()

    def _turn(self, name: str, chain: Growing, texts: list[Written]) -> Turn:
        """What the texts of one turn come to: the one kept, and what all of them cost."""
        left, read = self._left(chain), len(chain.context) + 1
        # What a neighbour in the batch may still write must not change this chain.
        texts = [text if len(text.ids) <= left else Written(text.ids[:left], False, text.score) for text in texts]
        text, agreement = majority_text(texts, self.codec) if len(texts) > 1 else (texts[0], 1.0)
        written = [len(one.ids) + one.finished for one in texts]
        flops = 0
        if (cost := self.costs[name]) is not None:
            reading = cost.forward(read, 0)
            # every beam is decoded, and the context read once for them all
            flops = sum(reading + self.decoding.beams * (cost.forward(read, each) - reading) for each in written)
        return Turn(text.ids, text.finished, read * len(texts), sum(written), flops, agreement)

    def _append(self, chain: Growing, turn: Turn, name: str) -> None:
        tokens = self.settings.max_chain_tokens
        chain.append(turn, name, self.codec, models=len(self.names), rounds=self.rounds, tokens=tokens)

    def finish(self, chain: Growing) -> Chain | None:
        """The question's chain, or None while other samples of it are still to come."""
        result = chain.chain(self.per_segment)
        if self.per_question > 1:
            if self.journal is not None and chain.restored is None:
                self.journal.sample(chain.unit, chain.sample, result)
            votes = self.votes.setdefault(chain.unit, {})
            votes[chain.sample] = result
            if len(votes) < self.per_question:
                return None
            result = majority_answer([votes[sample] for sample in range(self.per_question)])
            del self.votes[chain.unit]
        if self.journal is not None:
            self.journal.done(chain.unit, result)
        return result


def _journal_key(
    writers: Mapping[str, Writer], codec: Codec, method: str, settings: GenerationSettings
) -> dict[str, Any]:
    weights = {name: getattr(writers[name], "fingerprint", None) for name in models_of(method)}
    nameless = [name for name, weight in weights.items() if not weight]
    if nameless:
        raise DataError(
            f"the writer of {nameless[0]} has no fingerprint, so chains of other weights could be taken for its own; "
            "give it one to write chains to disk"
        )
    matter = {name: value for name, value in asdict(settings).items() if name not in _SCHEDULING}
    vocabulary = hashlib.sha256(codec.tokenizer.backend_tokenizer.to_str().encode()).hexdigest()
    return {"method": method, "settings": matter, "weights": weights, "vocabulary": vocabulary}


def _check_writers(names: Sequence[str], writers: Mapping[str, Writer], decoding: Decoding) -> None:
    missing = [name for name in names if name not in writers]
    if missing:
        raise ParameterError(f"no writer for the model {missing[0]}; the method has the models {', '.join(names)}")
    for name in names:
        own = getattr(writers[name], "decoding", GREEDY)
        if own != decoding:
            raise ParameterError(
                f"the settings choose tokens by {decoding}, the writer of {name} by {own}: "
                "make the writers from the same settings (writers_for)"
            )


def _check_qids(questions: Sequence[Question]) -> None:
    seen: set[str] = set()
    for qid, _ in questions:
        if qid in seen:
            raise DataError(f"two questions share the qid {qid}; each needs its own")
        seen.add(qid)
