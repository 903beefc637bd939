"""Engines: what continues contexts, and how the next token is chosen (METHOD, section 6).

>>> TransformersWriter(model, codec).write([[*codec.encode("Ann had 3. "), codec.end]], 20)   # doctest: +SKIP
[Written(ids=(37, 12), finished=True)]

An engine is anything with the two members of :class:`Writer`. This module has the one that works for every model,
transformers; :mod:`ases.ctranslate` has the fast one for CPUs. Both are asked for whole segments at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from transformers import GenerationConfig, PreTrainedModel

from ases.errors import DataError
from ases.models import Cost, context_limit, cost_of
from ases.settings import GenerationSettings
from ases.token_steps import encoder_for, steps_for
from ases.tokens import Codec, padded

ENCODED_AT_ONCE = 512
"""Tokens, padding included, that the encoder reads at once on a CPU: more no longer fit its caches (measured)."""

SHRINK_AT = 0.9
"""A batch is compacted when no more than this share of its rows still writes: copying costs as much as two steps."""

FEW = 0.5
"""The share of a batch that is given up when it writes on for as long again as it took the others to finish."""


@dataclass(frozen=True)
class Written:
    """One text that a model wrote: token ids without the end token, and whether it came to an end by itself.

    ``score`` is its log-probability (nats, end token included) where decoding needed it, else 0.
    """

    ids: tuple[int, ...]
    finished: bool
    score: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Decoding:
    """How the next token is chosen: ``greedy``, ``sampling`` or ``beams``.

    Sampling divides the logits by ``temperature`` and draws among the ``top_k`` likeliest tokens (0: among all).
    """

    kind: str = "greedy"
    temperature: float = 1.0
    top_k: int = 0
    beams: int = 1


GREEDY = Decoding()


def decoding_of(settings: GenerationSettings) -> Decoding:
    """How the settings choose the next token."""
    if settings.decoding == "sampling":
        return Decoding("sampling", temperature=settings.temperature, top_k=settings.top_k)
    return Decoding("beams", beams=settings.beams) if settings.decoding == "beams" else GREEDY


class Writer(Protocol):
    """Whatever continues contexts: an engine around a model, or a script in a test.

    An engine also has ``decoding`` (how it chooses), ``cost`` (a :class:`~ases.models.Cost`) and ``fingerprint``
    (a hash of its weights); where they are missing, chains are greedy, cost no FLOPs and cannot be resumed.
    """

    context_limit: int | None
    """How many tokens a context may have, ``None`` for any number."""

    def write(self, contexts: Sequence[Sequence[int]], limit: int) -> list[Written]:
        """One text of at most ``limit`` tokens for each context (which ends with the end token).

        A writer that samples takes a third argument, ``keys``: one whole number a context, the seed of its draws.
        """
        ...


def row_key(seed: int, qid: str, sample: int, turn: int) -> int:
    """The seed (64 bits) of what one chain draws in one turn: whatever shares its batch, it draws the same.

    >>> row_key(0, "q1", 0, 0) == row_key(0, "q1", 0, 0) != row_key(0, "q1", 1, 0)
    True
    """
    name = f"{seed}\n{qid}\n{sample}\n{turn}".encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:8], "big")


def check_contexts(contexts: Sequence[Sequence[int]], limit: int | None) -> None:
    """Raise DataError for a context without a question, which CTranslate2 would skip, and for one it would cut."""
    for row, context in enumerate(contexts):
        if len(context) < 2:
            raise DataError(f"context {row} is empty; it needs a token before the end token")
        if limit is not None and len(context) > limit:
            raise DataError(
                f"context {row} has {len(context)} tokens, but the model reads {limit}; it is not cut silently: "
                "write_chains ends such chains with the reason length"
            )


class TransformersWriter:
    """Decoding with transformers' models, in a loop of our own around their forward pass.

    transformers' ``generate`` keeps a finished row in the batch until the longest ends, and pads the encoder to the
    longest context. Here contexts of like length are encoded together and rows leave when they are finished; greedy
    ids are those of ``generate`` (tested). Beams are left to ``generate``.
    """

    def __init__(self, model: PreTrainedModel, codec: Codec, decoding: Decoding = GREEDY) -> None:
        self.model, self.codec, self.decoding = model.eval(), codec, decoding
        self.context_limit = context_limit(model)
        self.start = decoder_start(model)
        # A checkpoint's own may sample, forbid repeats or force tokens, and fills whatever a call leaves open.
        model.generation_config = GenerationConfig(
            decoder_start_token_id=self.start, pad_token_id=codec.pad, eos_token_id=codec.end
        )
        self._fingerprint: str | None = None

    @property
    def cost(self) -> Cost:
        """What a token costs, for the chains' FLOPs."""
        return cost_of(self.model)

    @property
    def fingerprint(self) -> str:
        """Hash of the weights and their shapes, taken once."""
        if self._fingerprint is None:
            self._fingerprint = weights_hash(self.model)
        return self._fingerprint

    def write(self, contexts: Sequence[Sequence[int]], limit: int, keys: Sequence[int] = ()) -> list[Written]:
        """Continue each context by at most ``limit`` tokens; ``keys`` seed the draws, one a context.

        The same key draws the same text whatever else is in the batch, but for rounding: a draw that falls within
        1e-6 of the border between two tokens may go either way. Raises DataError for a context over the limit.
        """
        return [text for text in self._write(contexts, limit, keys, 0) if text is not None]

    def write_most(
        self, contexts: Sequence[Sequence[int]], limit: int, keys: Sequence[int] = ()
    ) -> list[Written | None]:
        """As :meth:`write`, but texts that keep most of the batch waiting are given up: they are None.

        A step costs nearly as much for one row as for ten, so they are better written later, with others like them.
        """
        return self._write(contexts, limit, keys, int(FEW * len(contexts)))

    @torch.inference_mode()
    def _write(
        self, contexts: Sequence[Sequence[int]], limit: int, keys: Sequence[int], few: int
    ) -> Sequence[Written | None]:
        check_contexts(contexts, self.context_limit)
        if not contexts:
            return []
        if self.decoding.kind == "beams":
            return self._beams(contexts, limit)
        draws = self._draws(len(contexts), limit, keys) if self.decoding.kind == "sampling" else None
        # Longest first: as rows leave, the batch becomes narrower as well as shorter.
        order = sorted(range(len(contexts)), key=lambda row: -len(contexts[row]))
        states, mask = self._encode([contexts[row] for row in order])
        return self._decode(order, states, mask, limit, draws, few)

    def _encode(self, contexts: list[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Encoder states (rows x longest x width) and mask, read in runs of contexts of like length."""
        device = self.model.device
        at_once = ENCODED_AT_ONCE if device.type == "cpu" else 64 * ENCODED_AT_ONCE
        width = len(contexts[0])
        encoder = encoder_for(self.model, width)
        states, masks, start = None, torch.zeros((len(contexts), width), dtype=torch.long, device=device), 0
        while start < len(contexts):
            stop = start + max(1, at_once // len(contexts[start]))
            ids, mask = (part.to(device) for part in padded(contexts[start:stop], self.codec.pad))
            part = encoder(ids, mask)
            if states is None:
                states = part.new_zeros((len(contexts), width, part.shape[-1]))
            states[start : start + len(part), : part.shape[1]] = part
            masks[start : start + len(part), : part.shape[1]] = mask
            start = stop
        return states, masks

    def _decode(
        self,
        rows: list[int],
        states: torch.Tensor,
        mask: torch.Tensor,
        limit: int,
        draws: torch.Tensor | None,
        few: int,
    ) -> list[Written | None]:
        steps = steps_for(self.model, states, mask, limit)
        tokens = torch.full((len(rows), 1), self.start, device=states.device)
        texts: list[list[int]] = [[] for _ in rows]
        scores, finished = [0.0] * len(rows), [False] * len(rows)
        going, left = list(rows), len(rows)  # which text each row of the batch writes, and how many still do
        last = limit
        for step in range(limit):
            tokens, gained = self._choose(steps.next(tokens), None if draws is None else draws[going, step])
            for place, (row, token) in enumerate(zip(going, tokens.flatten().tolist(), strict=True)):
                if finished[row]:
                    continue
                scores[row] += gained[place] if gained is not None else 0.0
                if token == self.codec.end:
                    finished[row] = True
                    left -= 1
                else:
                    texts[row].append(token)
            if left <= few:
                last = min(last, 2 * (step + 1))
            if not left or step + 1 == last:
                break
            if left <= SHRINK_AT * len(going):
                places = [place for place, row in enumerate(going) if not finished[row]]
                going = [going[place] for place in places]
                chosen = torch.tensor(places, device=states.device)
                tokens = tokens[chosen]
                steps.keep(chosen)
        return [
            Written(tuple(text), finished[row], scores[row]) if finished[row] or len(text) == limit else None
            for row, text in enumerate(texts)
        ]

    def _choose(self, logits: torch.Tensor, draws: torch.Tensor | None) -> tuple[torch.Tensor, list[float] | None]:
        """The next token of each row (rows x 1), and where tokens are drawn its log-probability (nats)."""
        if draws is None:
            return logits.argmax(dim=-1, keepdim=True), None
        plain = torch.log_softmax(logits.double(), dim=-1)
        scaled = logits.double() / self.decoding.temperature
        if self.decoding.top_k:
            least = scaled.topk(min(self.decoding.top_k, scaled.shape[-1])).values[:, -1:]
            scaled = scaled.masked_fill(scaled < least, -torch.inf)
        # A token owns a part of [0, 1) as long as its probability: one number a step decides, whatever the batch.
        upper = torch.softmax(scaled, dim=-1).cumsum(dim=-1)
        tokens = torch.searchsorted(upper, draws[:, None] * upper[:, -1:], right=True)
        tokens = tokens.clamp(max=logits.shape[-1] - 1)
        return tokens, plain.gather(1, tokens).flatten().tolist()

    def _draws(self, rows: int, limit: int, keys: Sequence[int]) -> torch.Tensor:
        if len(keys) != rows:
            raise DataError(f"{rows} contexts but {len(keys)} keys; sampling needs a key for each context (row_key)")
        numbers = np.stack([np.random.Generator(np.random.Philox(key=key)).random(limit) for key in keys])
        return torch.from_numpy(numbers).to(self.model.device)

    def _beams(self, contexts: Sequence[Sequence[int]], limit: int) -> list[Written]:
        ids, mask = (part.to(self.model.device) for part in padded(contexts, self.codec.pad))
        found = self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=limit,
            do_sample=False,
            num_beams=self.decoding.beams,
            return_dict_in_generate=True,
            output_scores=True,
        )
        written = []
        for row, score in zip(found.sequences.tolist(), found.sequences_scores.tolist(), strict=True):
            row, finished = row[1:], self.codec.end in row[1:]
            text = row[: row.index(self.codec.end)] if finished else row
            # generate divides by the length; back to the log-probability of the whole text
            written.append(Written(tuple(text), finished, score * (len(text) + finished)))
        return written


def decoder_start(model: PreTrainedModel) -> int:
    """The token that every decoded text starts from."""
    start = model.config.decoder_start_token_id
    return model.generation_config.decoder_start_token_id if start is None else start


def weights_hash(model: PreTrainedModel) -> str:
    """SHA-256 of the configuration's architecture and of all weights by name, shape and bytes."""
    digest = hashlib.sha256(type(model).__name__.encode())
    for name, tensor in sorted(model.state_dict().items()):
        tensor = tensor.detach().cpu().contiguous()
        digest.update(f"\n{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
