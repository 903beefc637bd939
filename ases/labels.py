"""Scores -> labels: which pieces are abstractive, by the rule or without a score (METHOD, sections 2 and 3).

>>> label_by_rule([0.2, 3.0, 0.4], beta=1.4)
['ES', 'AS', 'ES']
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
import pandas as pd

from ases.errors import DataError, ParameterError
from ases.examples import AS, ES, Example
from ases.metrics import label_agreement
from ases.pieces import split_pieces
from ases.scores import STRATEGIES
from ases.settings import LABELLED, SegmentationSettings

BETAS = tuple(round(0.6 + 0.1 * step, 1) for step in range(15))
"""The values of beta that a sweep tries: 0.6 to 2.0."""


def label_examples(
    examples: Sequence[Example], settings: SegmentationSettings, scores: Sequence[Sequence[float]] | None
) -> list[list[str | None]]:
    """A label for each piece of each example, by the strategy that the settings name; ``None`` for ``none``.

    ``scores`` is needed where the strategy, or the one that a control is made of, has scores.
    """

    def labels_of(strategy: str, row: int) -> list[str | None]:
        example = examples[row]
        if strategy == "random":
            return list(label_at_random(labels_of(settings.random_of, row), example.qid))
        if strategy == "random_boundaries":
            return list(label_random_boundaries(labels_of(settings.random_of, row), example.qid))
        if strategy == "gold":
            return list(label_by_gold(example))
        if strategy in STRATEGIES:
            if scores is None:
                raise ParameterError(f"strategy {strategy} labels by score, so scores are needed")
            return list(label_by_rule(scores[row], settings.beta))
        if strategy not in LABELLED:
            raise ParameterError(f"strategy {strategy} is not known; give one of {', '.join([*STRATEGIES, *LABELLED])}")
        count = len(split_pieces(example.rationale))
        return list(label_by_location(count)) if strategy == "location" else [None] * count

    return [labels_of(settings.strategy, row) for row in range(len(examples))]


def label_by_rule(scores: Sequence[float], beta: float) -> list[str]:
    """``AS`` where the score exceeds beta times the mean over the example's pieces, else ``ES`` (METHOD, section 3).

    Raises ParameterError for ``beta <= 0`` and DataError for a score that is not finite.
    """
    if not beta > 0:
        raise ParameterError(f"beta is {beta}, but must be above 0")
    if not all(math.isfinite(score) for score in scores):
        raise DataError(f"a score is not finite: {list(scores)}")
    if not scores:
        return []
    threshold = beta * math.fsum(scores) / len(scores)
    return [AS if score > threshold else ES for score in scores]


def label_by_location(count: int) -> list[str]:
    """``ES, AS, ES, ...`` by position, ES first (strategy ``location``)."""
    return [ES if index % 2 == 0 else AS for index in range(count)]


def label_by_gold(example: Example) -> list[str]:
    """The true labels of generated data (strategy ``gold``); DataError where the example carries none."""
    pieces = split_pieces(example.rationale)
    if example.gold is None:
        raise DataError(f"example {example.qid} carries no gold labels; strategy gold needs generated data")
    if len(example.gold) != len(pieces):
        raise DataError(f"example {example.qid} has {len(pieces)} pieces but {len(example.gold)} gold labels")
    return list(example.gold)


def label_at_random(labels: Sequence[str], qid: str) -> list[str]:
    """The given labels permuted within the example, seeded by its qid (control ``random``)."""
    permuted = list(labels)
    _generator(qid).shuffle(permuted)
    return permuted


def label_random_boundaries(labels: Sequence[str], qid: str) -> list[str]:
    """Labels whose merged segments are as many and as long, in pieces, as the given ones', in random order.

    Merging sees only where the label changes, so the permuted lengths get labels by turns, the first as before; the
    order is seeded by the qid. The number of AS pieces may change: the segments' lengths are what is kept (control
    ``random_boundaries``, METHOD, section 2).

    >>> label_random_boundaries(["ES", "ES", "ES", "AS"], "q2")
    ['ES', 'AS', 'AS', 'AS']
    """
    lengths = [len(list(run)) for _, run in groupby(labels)]
    _generator(qid).shuffle(lengths)
    if not lengths:
        return []
    first, second = (ES, AS) if labels[0] == ES else (AS, ES)
    return [label for place, length in enumerate(lengths) for label in [(first, second)[place % 2]] * length]


def _generator(qid: str) -> random.Random:
    return random.Random(int.from_bytes(hashlib.sha256(qid.encode()).digest()[:8], "big"))


def is_degenerate(labels: Sequence[str | None]) -> bool:
    """One piece, or all labels equal: kept, counted and reported (METHOD, section 3)."""
    return len(set(labels)) <= 1


def label_table(
    examples: Mapping[str, Sequence[Example]],
    labels: Mapping[str, Sequence[Sequence[str | None]]],
    scores: Mapping[str, Sequence[Sequence[float]]] | None,
) -> pd.DataFrame:
    """One row a piece: ``split, qid, piece, text, score, label, gold``, for the splits given.

    ``score`` is missing for strategies without one, ``gold`` for collected data.
    """
    rows = []
    for split, members in examples.items():
        for row, example in enumerate(members):
            pieces = split_pieces(example.rationale)
            for place, text in enumerate(pieces):
                score = scores[split][row][place] if scores is not None else None
                gold = example.gold[place] if example.gold is not None else None
                rows.append((split, example.qid, place, text, score, labels[split][row][place], gold))
    table = pd.DataFrame(rows, columns=["split", "qid", "piece", "text", "score", "label", "gold"])
    return table.astype({"score": "float64", "label": "object", "gold": "object"})


def labels_by_question(table: pd.DataFrame) -> dict[str, list[str | None]]:
    """The labels of each question, in the order of its pieces, out of a :func:`label_table`."""
    ordered = table.sort_values(["qid", "piece"], kind="stable")
    labels = ordered["label"].astype(object).where(ordered["label"].notna(), None)
    return {qid: list(part) for qid, part in labels.groupby(ordered["qid"])}


def sweep_beta(
    table: pd.DataFrame, betas: Sequence[float] = BETAS, *, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """What the rule makes of the same scores at other values of beta; one row a beta.

    ``as_share`` is the share of pieces labelled AS, ``degenerate_share`` that of rationales with one label only.
    Where gold labels are there: ``precision, recall, f1`` of AS, with 95 % intervals (``_low``, ``_high``) by
    bootstrap over rationales. Raises ParameterError for labels that did not come from scores.
    """
    if table["score"].isna().any():
        raise ParameterError("a sweep of beta needs scores; this strategy has none")
    groups = [part for _, part in table.groupby(["split", "qid"], sort=False)]
    has_gold = bool(table["gold"].notna().all())
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=draws if has_gold else 0)
    rows = []
    for beta in betas:
        labels = [label_by_rule(part["score"].tolist(), beta) for part in groups]
        row: dict[str, float] = {
            "beta": beta,
            "as_share": sum(label == AS for one in labels for label in one) / len(table),
            "degenerate_share": sum(map(is_degenerate, labels)) / len(labels),
        }
        if has_gold:
            row |= _agreement(labels, [part["gold"].tolist() for part in groups], weights)
        rows.append(row)
    return pd.DataFrame(rows)


def _agreement(labels: Sequence[Sequence[str]], gold: Sequence[Sequence[str]], weights: np.ndarray) -> dict[str, float]:
    estimate = label_agreement(labels, gold)
    pairs = [list(zip(one, truth, strict=True)) for one, truth in zip(labels, gold, strict=True)]
    counts = np.array([[part.count((AS, AS)), part.count((AS, ES)), part.count((ES, AS))] for part in pairs])
    hits, false_as, false_es = (weights @ counts).T
    with np.errstate(invalid="ignore"):
        drawn = {
            "precision": hits / (hits + false_as),
            "recall": hits / (hits + false_es),
            "f1": 2 * hits / (2 * hits + false_as + false_es),
        }
    row: dict[str, float] = {}
    for name, values in drawn.items():
        row[name] = estimate[name]
        known = values[np.isfinite(values)]
        bounds = np.percentile(known, [2.5, 97.5]) if len(known) else (math.nan, math.nan)
        row[f"{name}_low"], row[f"{name}_high"] = (float(bound) for bound in bounds)
    return row


def degenerate_share(table: pd.DataFrame) -> float:
    """The share of rationales in a :func:`label_table` whose labels are all equal."""
    return float((table.groupby(["split", "qid"])["label"].nunique(dropna=False) <= 1).mean())


def agreement_with_gold(table: pd.DataFrame) -> pd.DataFrame:
    """Precision, recall and F1 of AS against gold over a :func:`label_table`; no row where either is missing."""
    if table["gold"].isna().any() or table["label"].isna().any():
        return pd.DataFrame(columns=["precision", "recall", "f1", "pieces", "examples"])
    groups = [part for _, part in table.groupby(["split", "qid"], sort=False)]
    return pd.DataFrame([label_agreement([g["label"].tolist() for g in groups], [g["gold"].tolist() for g in groups])])


def agreement_sentence(agreement: pd.DataFrame, settings: SegmentationSettings) -> str:
    """An :func:`agreement_with_gold` table as a sentence."""
    if agreement.empty:
        return "There are no labels, or no gold labels, to compare."
    row = agreement.iloc[0]
    scored = settings.scored_strategy in STRATEGIES
    named = f"**{settings.strategy}**" + (f" at beta {settings.beta:g}" if scored else "")
    of = f"({row['pieces']:.0f} pieces of {row['examples']:.0f} rationales)"
    if math.isnan(row["precision"]):
        return f"{named} labels no piece AS {of}, so there is no precision to speak of."
    return (
        f"Of the pieces that {named} labels AS, {row['precision']:.0%} are AS in gold; of those that are AS in gold it "
        f"finds {row['recall']:.0%} (F1 {row['f1']:.2f}) {of}."
    )
