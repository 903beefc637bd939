"""Chains that are begun for a model: the first pieces are given, and it goes on from there.

>>> ids = prefix_ids(["Ann had 6 pens. ", "6 + 4 = 10. "], codec, "uni-path")            # doctest: +SKIP
>>> continued([example.question], [ids], models, codec, "uni-path", settings)            # doctest: +SKIP
['The answer is 10.']

A whole-chain method has what is given put into its decoder; the others have it in their context, as after turns of
their own. Ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from transformers import PreTrainedModel

from ases.engines import GREEDY, TransformersWriter, decoder_start
from ases.errors import DataError
from ases.examples import AS, ES
from ases.generation import write_chains
from ases.segments import make_segments
from ases.settings import GenerationSettings
from ases.token_steps import steps_for
from ases.tokens import Codec, padded


def prefix_ids(
    pieces: Sequence[str], codec: Codec, method: str, labels: Sequence[str | None] | None = None, typed: bool = False
) -> list[int]:
    """The ids of a chain's first pieces as training joins them: a whole chain at once, segments one by one.

    ``labels`` are those of all the chain's pieces, by which a merged prefix joins its own.
    """
    if method == "seq2seq":
        return codec.encode("".join(pieces))
    own = list(labels)[: len(pieces)] if labels is not None else [None] * len(pieces)
    marks = {ES: [codec.es], AS: [codec.as_]} if typed else {}
    segments = make_segments(pieces, own, merge=method.endswith("-merged"))
    return [token for one in segments for token in (*marks.get(one.label, ()), *codec.encode(one.text))]


def continued(
    questions: Sequence[str],
    prefixes: Sequence[Sequence[int]],
    models: Mapping[str, PreTrainedModel],
    codec: Codec,
    method: str,
    settings: GenerationSettings,
) -> list[str]:
    """What a trained model writes after each prefix, greedily, whatever the settings' decoding, whose limits hold.

    Raises DataError for a method that writes no chain.
    """
    if method == "answer-only":
        raise DataError("answer-only writes no chain that could be begun for it")
    asked = [codec.encode(question) for question in questions]
    if method == "seq2seq":
        contexts = [[*ids, codec.end] for ids in asked]
        written = forced(models["model"], contexts, prefixes, settings.max_chain_tokens, codec)
        return [codec.decode(ids) for ids in written]
    names = [f"{number}" for number in range(len(asked))]
    given = {name: [*ids, *begun] for name, ids, begun in zip(names, asked, prefixes, strict=True)}
    writers = {name: TransformersWriter(model, codec, GREEDY) for name, model in models.items()}
    pairs = [(name, name) for name in names]
    return [chain.text for chain in write_chains(pairs, writers, _Begun(codec, given), method, greedy(settings))]


def greedy(settings: GenerationSettings) -> GenerationSettings:
    """The settings with their limits alone: the likeliest token each time, once."""
    return replace(settings, decoding="greedy", vote="none", samples=1)


class _Begun:
    """A vocabulary for chains that are begun already: the text of a question is the name of its ids."""

    def __init__(self, codec: Codec, given: Mapping[str, list[int]]) -> None:
        self.codec, self.given = codec, given

    def __getattr__(self, name: str) -> object:
        return getattr(self.codec, name)

    def encode(self, text: str) -> list[int]:
        return list(self.given[text])


@torch.inference_mode()
def forced(
    model: PreTrainedModel,
    contexts: Sequence[Sequence[int]],
    prefixes: Sequence[Sequence[int]],
    limit: int,
    codec: Codec,
    batch: int = 64,
) -> list[list[int]]:
    """Greedy ids after a prefix that the decoder is made to begin with, up to ``limit`` tokens, prefix included."""
    model.eval()
    result: list[list[int]] = []
    for start in range(0, len(contexts), batch):
        ids, mask = padded(contexts[start : start + batch], codec.pad)
        given = [list(prefix) for prefix in prefixes[start : start + batch]]
        ids, mask = ids.to(model.device), mask.to(model.device)
        states = model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
        steps = steps_for(model, states, mask, limit + 1)
        tokens = torch.full((len(given), 1), decoder_start(model), device=model.device)
        written: list[list[int]] = [[] for _ in given]
        open_rows = set(range(len(given)))
        for place in range(limit):
            chosen = steps.next(tokens).argmax(dim=-1).tolist()
            # While its prefix lasts a row is told what to write; a row that has ended writes on into nothing.
            chosen = [given[row][place] if place < len(given[row]) else token for row, token in enumerate(chosen)]
            for row in sorted(open_rows):
                if place >= len(given[row]):
                    if chosen[row] in (codec.eoc, codec.end):
                        open_rows.discard(row)
                    else:
                        written[row].append(chosen[row])
            if not open_rows:
                break
            tokens = torch.tensor(chosen, device=model.device)[:, None]
        result += written
    return result
