"""The encoder's view of segments: do its states of AS and ES pieces lie apart?

>>> separation(segment_states(model, examples, codec))[["layer", "auc", "silhouette"]]    # doctest: +SKIP

A gold chain is read whole, after its question; a segment's state is the mean of its tokens' states, after each layer.
Two measures: the silhouette of the two labels, and how well prototypes work: the mean state of each label over four
fifths of the questions, held against the pieces of the rest; the AUC of being nearer to the AS prototype. Layer 0 are
the token embeddings, which know the words but not their place: what later layers have above them is the encoder's.
Ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from scipy.spatial.distance import cdist
from transformers import PreTrainedModel

from ases.errors import DataError
from ases.examples import AS, Example
from ases.pieces import split_pieces
from ases.ranking import rank
from ases.tokens import Codec, padded
from ases.trials import verdict

FOLDS = 5
_BATCH = 32


@torch.no_grad()
def segment_states(
    model: PreTrainedModel, examples: Sequence[Example], codec: Codec
) -> tuple[pd.DataFrame, np.ndarray]:
    """The pieces of gold chains (``qid, piece, label``) and their states, shape (layers + 1, pieces, width).

    Raises DataError for an example without gold labels.
    """
    model.eval()
    rows, contexts, owners = [], [], []
    for example in examples:
        if example.gold is None:
            raise DataError(f"example {example.qid} has no gold labels, by which its segments are told apart")
        ids = codec.encode(example.question)
        owner = [-1] * len(ids)
        for place, (piece, label) in enumerate(zip(split_pieces(example.rationale), example.gold, strict=True)):
            own = codec.encode(piece)
            ids, owner = [*ids, *own], [*owner, *[len(rows)] * len(own)]
            rows.append({"qid": example.qid, "piece": place, "label": label})
        contexts.append([*ids, codec.end])
        owners.append([*owner, -1])
    layers: list[np.ndarray] = []
    for start in range(0, len(contexts), _BATCH):
        ids, mask = padded(contexts[start : start + _BATCH], codec.pad)
        owner, _ = padded(owners[start : start + _BATCH], -1)
        states = model.get_encoder()(
            input_ids=ids.to(model.device), attention_mask=mask.to(model.device), output_hidden_states=True
        ).hidden_states
        kept = owner >= 0
        places = owner[kept]
        first, last = int(places.min()), int(places.max())
        for number, layer in enumerate(states):
            values = layer.float().cpu()[kept]
            sums = torch.zeros(last - first + 1, values.shape[-1]).index_add_(0, places - first, values)
            means = (sums / torch.bincount(places - first)[:, None]).numpy().astype(float)
            if len(layers) <= number:
                layers.append(means)
            else:
                layers[number] = np.concatenate([layers[number], means])
    return pd.DataFrame(rows), np.stack(layers)


def separation(pieces: pd.DataFrame, states: np.ndarray) -> pd.DataFrame:
    """How far apart AS and ES lie after each layer: a row a layer (0: embeddings).

    ``auc`` of the prototypes with ``low, high`` (95 %, over questions; :mod:`ases.ranking`), ``shuffled``: the same
    with the labels permuted, 0.5 but for chance; ``silhouette`` (-1 to 1), ``n`` (pieces), ``questions``. NaN where one
    label is missing.
    """
    gold = (pieces["label"] == AS).to_numpy()
    examples = pd.factorize(pieces["qid"])[0]
    shuffled = np.random.default_rng(0).permutation(gold)
    rows = []
    for layer, own in enumerate(states):
        ranking, by_chance = (_prototypes(own, labels, examples) for labels in (gold, shuffled))
        low, high = ranking.interval() if ranking is not None else (math.nan, math.nan)
        rows.append(
            {
                "layer": layer,
                "auc": ranking.estimate if ranking is not None else math.nan,
                "low": low,
                "high": high,
                "shuffled": by_chance.estimate if by_chance is not None else math.nan,
                "silhouette": silhouette(own, gold),
                "n": len(gold),
                "questions": int(examples.max()) + 1,
            }
        )
    return pd.DataFrame(rows)


def _prototypes(states: np.ndarray, labels: np.ndarray, examples: np.ndarray):  # noqa: ANN202
    """AUC of being nearer to the AS prototype, each fold of questions by prototypes of the others."""
    nearer = np.full(len(states), math.nan)
    for fold in range(FOLDS):
        held_out = examples % FOLDS == fold
        known = ~held_out
        if not held_out.any() or not labels[known].any() or labels[known].all():
            continue
        centre, spread = states[known].mean(axis=0), states[known].std(axis=0)
        scaled = (states - centre) / np.where(spread > 0, spread, 1)
        towards = [scaled[known & (labels == label)].mean(axis=0) for label in (True, False)]
        distances = cdist(scaled[held_out], np.stack(towards))
        nearer[held_out] = distances[:, 1] - distances[:, 0]
    kept = np.isfinite(nearer)
    return rank(nearer[None, kept], labels[kept], examples[kept]) if kept.any() else None


def silhouette(states: np.ndarray, labels: np.ndarray) -> float:
    """The mean silhouette of two groups of states (Rousseeuw, 1987): 1 far apart, 0 mixed; NaN for a group of one."""
    sizes = np.array([(~labels).sum(), labels.sum()])
    if sizes.min() < 2:
        return math.nan
    distances = cdist(states, states)
    own = labels.astype(int)
    sums = np.stack([distances[:, ~labels].sum(axis=1), distances[:, labels].sum(axis=1)], axis=1)
    inside = sums[np.arange(len(own)), own] / (sizes[own] - 1)
    outside = sums[np.arange(len(own)), 1 - own] / sizes[1 - own]
    larger = np.maximum(inside, outside)
    return float(np.divide(outside - inside, larger, out=np.zeros_like(larger), where=larger > 0).mean())


def separation_sentences(table: pd.DataFrame) -> list[str]:
    """A table of :func:`separation` with ``arm`` and ``seed`` in words, and whether the encoder parts what the
    embeddings do not, as predicted.
    """
    lines, held, told = [], 0, 0
    for arm, part in table.groupby("arm", sort=False):
        means = part.groupby("layer")[["auc", "silhouette", "high"]].mean()
        low = part.groupby("layer")["low"].mean()
        first, last = means.iloc[0], means.iloc[-1]
        lines.append(
            f"{arm}: the embeddings part AS from ES with an AUC of {first['auc']:.2f} (silhouette "
            f"{first['silhouette']:+.2f}), the last layer with {last['auc']:.2f} ({last['silhouette']:+.2f}; "
            f"{part['n'].iloc[0]} pieces, seeds: {part['seed'].nunique()})."
        )
        told += bool(low.iloc[-1] > first["auc"] or last["high"] < first["auc"])
        held += bool(low.iloc[-1] > first["auc"])
    return [*lines, verdict(held, told, "arms that can tell")]
