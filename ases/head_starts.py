"""Helped chains: begun with the first steps of the reference, or kept from ending before they have as many as it has.

>>> head_start(example, left=1)                                                   # doctest: +SKIP
['Ann had 6 pens and got 4. ', 'So she had 6 + 4 = 10. ']
>>> outcomes = begun_chains(examples, models, codec, "uni-path", settings)       # doctest: +SKIP
>>> outcomes.groupby("left")["correct"].mean()                                    # doctest: +SKIP

On problems longer than any learned a chain can fail in two ways: it ends too early, or a step of it is wrong. With a
head start the same problem asks for fewer steps, after a prefix that is right; kept from ending, a chain has the length
it needs, and what is wrong with it then is not its length. Both helps know the reference: they tell what limits a
model, and are no method. Ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import torch
from transformers import PreTrainedModel

from ases.begun import continued, forced, greedy, prefix_ids
from ases.engines import GREEDY, TransformersWriter, Writer, Written, decoder_start
from ases.errors import DataError
from ases.examples import Example, states_answer
from ases.generation import write_chains
from ases.metrics import is_correct
from ases.pieces import split_pieces
from ases.settings import GenerationSettings
from ases.steps import first_error
from ases.tokens import Codec

HELPS = ("as it writes", "kept from ending")

REFUSALS = 8
"""How often one text may be refused: one that states an answer however it is begun is let end."""


def steps_needed(text: str) -> int:
    """How many steps a generated rationale states, in whole or in part: one an equals sign."""
    return text.count("=")


def head_start(example: Example, left: int) -> list[str]:
    """The pieces of the reference up to the step after which so many are left to write; none before the first step.

    Raises DataError where the reference has fewer steps.
    """
    needed = steps_needed(example.rationale)
    if not 0 <= left <= needed:
        raise DataError(f"{example.qid} has {needed} steps; {left} of them cannot be left to write")
    pieces, begun = split_pieces(example.rationale), 0
    for place, piece in enumerate(pieces):
        if begun >= needed - left:
            return list(pieces[:place])
        begun += steps_needed(piece)
    return list(pieces)


def begun_chains(
    examples: Sequence[Example],
    models: Mapping[str, PreTrainedModel],
    codec: Codec,
    method: str,
    settings: GenerationSettings,
    labels: Mapping[str, Sequence[str | None]] | None = None,
    typed: bool = False,
) -> pd.DataFrame:
    """What a trained model makes of each problem with each head start, from all steps left to write down to none.

    A row an example and head start: ``qid, needed`` (steps of the reference), ``left``, ``chain`` (what was given and
    what was written), ``correct``. Greedy; ``labels`` and errors as in :mod:`ases.begun`, by qid.
    """
    units = [(one, left) for one in examples for left in range(steps_needed(one.rationale), -1, -1)]
    given = [head_start(one, left) for one, left in units]
    prefixes = [
        prefix_ids(pieces, codec, method, None if labels is None else labels[one.qid], typed)
        for (one, _), pieces in zip(units, given, strict=True)
    ]
    written = continued([one.question for one, _ in units], prefixes, models, codec, method, settings)
    rows = [
        {
            "qid": one.qid,
            "needed": steps_needed(one.rationale),
            "left": left,
            "chain": "".join(pieces) + text,
            "correct": float(is_correct(text, one.answer)),
        }
        for (one, left), pieces, text in zip(units, given, written, strict=True)
    ]
    return pd.DataFrame(rows, columns=["qid", "needed", "left", "chain", "correct"])


def kept_chains(
    examples: Sequence[Example],
    models: Mapping[str, PreTrainedModel],
    codec: Codec,
    method: str,
    settings: GenerationSettings,
) -> pd.DataFrame:
    """The chains of a trained model as it writes them, and kept from ending before they have the steps they need.

    A row an example and help (:data:`HELPS`): ``qid, help, needed, chain``, and ``kind, step, steps, correct`` of
    :func:`ases.steps.first_error`; ``enough`` is 1 where a chain has as many steps as needed. Greedy. Raises DataError
    for answer-only, whose answers are no chains.
    """
    if method == "answer-only":
        raise DataError("answer-only writes no chain that could be kept from ending")
    questions = [(one.qid, one.question) for one in examples]
    needed = {tuple(codec.encode(one.question)): steps_needed(one.rationale) for one in examples}
    rows = []
    for help_ in HELPS:
        writers: dict[str, Writer] = {name: TransformersWriter(model, codec, GREEDY) for name, model in models.items()}
        if help_ == HELPS[1]:
            writers = {name: Kept(writer, codec, needed) for name, writer in writers.items()}
        chains = write_chains(questions, writers, codec, method, greedy(settings))
        for one, chain in zip(examples, chains, strict=True):
            found, steps = first_error(chain.text, one), steps_needed(one.rationale)
            row = {"qid": one.qid, "help": help_, "needed": steps, "chain": chain.text, "kind": found.kind}
            row |= {"step": found.step, "steps": found.steps, "correct": float(found.correct)}
            rows.append(row | {"enough": float(found.steps >= steps)})
    return pd.DataFrame(rows, columns=["qid", "help", "needed", "chain", "kind", "step", "steps", "correct", "enough"])


class Kept:
    """A writer whose text may not state an answer, nor end the chain, before the chain has the steps that it needs.

    Where it would, it goes on from there with its second choice for the token with which the answer, or the end, began.
    ``needed`` says how many steps a question asks for, by its ids.
    """

    decoding = GREEDY

    def __init__(self, writer: TransformersWriter, codec: Codec, needed: Mapping[tuple[int, ...], int]) -> None:
        self.writer, self.codec, self.needed = writer, codec, needed
        self.context_limit = writer.context_limit
        self.lengths = sorted({len(ids) for ids in needed}, reverse=True)

    def write(self, contexts: Sequence[Sequence[int]], limit: int) -> list[Written]:
        """See :class:`ases.engines.Writer`."""
        texts = list(self.writer.write(contexts, limit))
        asked = [self._asked(context) for context in contexts]
        for _ in range(REFUSALS):
            early = {}
            for row, (context, question, text) in enumerate(zip(contexts, asked, texts, strict=True)):
                if (place := self._too_early(context, question, text)) is not None:
                    refused = text.ids[place] if place < len(text.ids) else self.codec.end
                    early[row] = [*text.ids[:place], self._second(context, text.ids[:place], refused)]
            if not early:
                break
            rests = forced(self.writer.model, [contexts[row] for row in early], list(early.values()), limit, self.codec)
            for (row, kept), rest in zip(early.items(), rests, strict=True):
                texts[row] = self._written(tuple(kept + rest)[:limit], limit)
        return texts

    def _written(self, ids: tuple[int, ...], limit: int) -> Written:
        """A text that was gone on with: where it states an answer the chain ends, and else the segment alone."""
        ended = len(ids) < limit
        return Written((*ids, self.codec.eoc) if ended and states_answer(self.codec.decode(ids)) else ids, ended)

    def _asked(self, context: Sequence[int]) -> tuple[int, ...]:
        """The question that a context begins with."""
        return next(ids for ids in (tuple(context[:length]) for length in self.lengths) if ids in self.needed)

    def _too_early(self, context: Sequence[int], question: tuple[int, ...], text: Written) -> int | None:
        """Where a text states an answer, or ends the chain, before there are enough steps; None where it does not."""
        place = self._end(text)
        if place is None:
            return None
        before = self.codec.decode([*context[len(question) : -1], *text.ids[:place]])
        return place if steps_needed(before) < self.needed[question] else None

    def _end(self, text: Written) -> int | None:
        """The place of the token with which the answer begins, or the chain ends; None where neither is there."""
        ids = list(text.ids)
        if self.codec.eoc in ids:
            ids = ids[: ids.index(self.codec.eoc)]
        start, found = 0, None
        for piece in split_pieces(self.codec.decode(ids)):
            if states_answer(piece):
                found = start
                break
            start += len(piece)
        if found is None:
            return len(ids) if not ids or len(ids) < len(text.ids) else None
        return next(place for place in range(len(ids)) if len(self.codec.decode(ids[: place + 1])) > found)

    @torch.inference_mode()
    def _second(self, context: Sequence[int], kept: Sequence[int], refused: int) -> int:
        """The likeliest token there that is neither the refused one nor an end."""
        model = self.writer.model
        ids = torch.tensor([list(context)], device=model.device)
        begun = torch.tensor([[decoder_start(model), *kept]], device=model.device)
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), decoder_input_ids=begun).logits[0, -1]
        logits[[refused, self.codec.end, self.codec.eoc, self.codec.pad]] = -torch.inf
        return int(logits.argmax())
