"""Pairs -> tensors, and the validation loss: over all tokens, and over those of AS and ES pieces apart.

>>> labels = target_labels(pairs, examples, gold, codec)                      # doctest: +SKIP
>>> validation_losses(model, pairs, labels, codec)                            # doctest: +SKIP
{'loss': 0.21, 'loss_as': 0.34, 'loss_es': 0.12}

Losses of different methods are not comparable over all tokens, since what a pair asks for differs; how a method's loss
on AS and on ES tokens moves is.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from ases.errors import DataError
from ases.examples import AS, ES, Example
from ases.pieces import split_pieces
from ases.segments import Pair
from ases.tokens import Codec

IGNORED = -100
"""The target id that the loss skips: transformers' convention for padding."""

TokenLabels = Sequence[str | None]
"""The label of each token of a target; None for end tokens, for marks, and where there is none."""


def collate(pairs: Sequence[Pair], codec: Codec) -> dict[str, torch.Tensor]:
    """Padded tensors: ``input_ids`` and ``attention_mask`` (pairs x longest source), ``labels`` (pairs x target)."""
    ids, mask = _filled([pair.context for pair in pairs], codec.pad)
    labels, _ = _filled([pair.target for pair in pairs], IGNORED)
    return {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(mask.astype(np.int64)),
        "labels": torch.from_numpy(labels),
    }


def _filled(rows: Sequence[Sequence[int]], pad: int) -> tuple[np.ndarray, np.ndarray]:
    widths = np.array([len(row) for row in rows])
    mask = np.arange(widths.max()) < widths[:, None]
    ids = np.full(mask.shape, pad, dtype=np.int64)
    ids[mask] = np.fromiter((token for row in rows for token in row), dtype=np.int64, count=int(widths.sum()))
    return ids, mask


@torch.no_grad()
def token_losses(
    model: PreTrainedModel, pairs: Sequence[Pair], codec: Codec, batch_size: int = 128
) -> list[np.ndarray]:
    """Negative log-likelihood (nats) of every target token, one array a pair, in the order of the pairs."""
    was_training = model.training
    model.eval()
    order = sorted(range(len(pairs)), key=lambda row: (len(pairs[row].target), len(pairs[row].context), row))
    losses: list[np.ndarray] = [np.zeros(0)] * len(pairs)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        batch = {k: v.to(model.device) for k, v in collate([pairs[row] for row in rows], codec).items()}
        logits = model(**batch).logits.float()
        targets = batch["labels"]
        values = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none"
        )
        for row, line in zip(rows, values.view(targets.shape).double().cpu().numpy(), strict=True):
            losses[row] = line[: len(pairs[row].target)]
    model.train(was_training)
    return losses


def validation_loss(model: PreTrainedModel, pairs: Sequence[Pair], codec: Codec, batch_size: int = 128) -> float:
    """Mean negative log-likelihood (nats a token) of the targets, over real tokens."""
    return validation_losses(model, pairs, None, codec, batch_size)["loss"]


def validation_losses(
    model: PreTrainedModel,
    pairs: Sequence[Pair],
    labels: Sequence[TokenLabels] | None,
    codec: Codec,
    batch_size: int = 128,
) -> dict[str, float]:
    """Mean loss (nats a token) over all target tokens, and over those of each label: ``loss, loss_as, loss_es``.

    ``labels`` are those of :func:`target_labels`; NaN where no token has that label.
    """
    losses = token_losses(model, pairs, codec, batch_size)
    flat = np.concatenate(losses)
    result = {"loss": float(flat.mean()), "loss_as": math.nan, "loss_es": math.nan}
    if labels is not None:
        of_token = np.array([label or "" for row in labels for label in row], dtype=object)
        for label in (AS, ES):
            if (chosen := of_token == label).any():
                result[f"loss_{label.lower()}"] = float(flat[chosen].mean())
    return result


def target_labels(
    pairs: Sequence[Pair],
    examples: Sequence[Example],
    labels: Mapping[str, Sequence[str | None]] | None,
    codec: Codec,
) -> list[tuple[str | None, ...]]:
    """The label of each token of each target, from the labels of the pieces, one tuple a pair.

    ``labels`` holds one entry a piece by qid; ``None`` takes the examples' gold labels. Works for whole chains (a
    token belongs to the piece of its first non-space character) and for segments, merged or not, of one model or two;
    the pairs of an example must come in the order in which they were made. Targets that are no part of the rationale
    (an answer alone, a pass) have no labels. Raises DataError where labels are missing or do not fit.
    """
    by_qid = {example.qid: example for example in examples}
    found: list[tuple[str | None, ...]] = [()] * len(pairs)
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, pair in enumerate(pairs):
        rows_of[pair.qid].append(row)
    for qid, rows in rows_of.items():
        if qid not in by_qid:
            raise DataError(f"pairs of {qid} were given without the example; give the examples that they were made of")
        example = by_qid[qid]
        given = example.gold if labels is None else labels.get(qid)
        if given is None:
            raise DataError(f"example {qid} has no labels, gold or other; give labels for every validation example")
        pieces = split_pieces(example.rationale)
        if len(given) != len(pieces):
            raise DataError(f"example {qid} has {len(pieces)} pieces but {len(given)} labels; each piece needs one")
        done = 0
        for row in rows:
            found[row], done = _labels_of_target(pairs[row], example, pieces, given, done, codec)
    return found


def _labels_of_target(
    pair: Pair, example: Example, pieces: Sequence[str], given: TokenLabels, done: int, codec: Codec
) -> tuple[tuple[str | None, ...], int]:
    """Labels of one target whose first piece is ``done``, and the number of pieces done after it."""
    marks = {codec.end, codec.eoc, codec.es, codec.as_}
    first = next((place for place, token in enumerate(pair.target) if token not in marks), len(pair.target))
    last = next((place for place in range(first, len(pair.target)) if pair.target[place] in marks), len(pair.target))
    written = list(pair.target[first:last])
    head, tail = (None,) * first, (None,) * (len(pair.target) - last)
    if not written:
        return (*head, *tail), done
    text = ""
    for count, piece in enumerate(pieces[done:], start=1):
        text += piece
        # a text has no more tokens than bytes, and a leading mark: shorter ones need no encoding
        if done + count < len(pieces) and len(text.encode()) + 1 < len(written):
            continue
        ids, offsets = codec.encode_with_offsets(text)
        if ids == written:
            run = pieces[done : done + count]
            owners = _owners(text, run, offsets)
            return (*head, *(given[done + owner] for owner in owners), *tail), done + count
    if example.answer is not None and codec.encode(example.answer) == written:
        return (None,) * len(pair.target), done
    raise DataError(f"a pair of {pair.qid} does not fit the pieces of its rationale; make pairs and labels anew")


def _owners(text: str, pieces: Sequence[str], offsets: Sequence[tuple[int, int]]) -> list[int]:
    """The piece of each token: that of its first non-space character (METHOD, section 2)."""
    ends = np.cumsum([len(piece) for piece in pieces])
    owners = []
    for start, end in offsets:
        token = text[start:end]
        place = start + len(token) - len(token.lstrip()) if token.strip() else start
        owners.append(min(int(np.searchsorted(ends, place, side="right")), len(pieces) - 1))
    return owners
