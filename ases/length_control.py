"""Entropy as a detector: does it find AS pieces because they are uncertain, or because they are long?

>>> detector_table(tables, examples)[["condition", "reduce", "with_gold", "given_length"]]      # doctest: +SKIP

The sum of token entropies grows with length, the mean does not; and with the length of pieces held fixed (partial rank
correlation) only what the score knows beyond it is left. Scores and lengths are taken over their example's mean, as the
rule sees them. Built on :func:`ases.ranking.length_share`; the intervals of the partial correlations are ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy.stats

from ases.detection import bounds, draw_examples
from ases.errors import DataError
from ases.examples import AS, Example
from ases.pieces import split_pieces
from ases.ranking import length_share
from ases.trials import verdict

DRAWS = 400


def detector_table(scores: Sequence[pd.DataFrame], examples: Sequence[Example]) -> pd.DataFrame:
    """What the entropy of pieces knows of gold, and what of it is length; a row a condition and reduction.

    ``scores`` are :func:`ases.scorers.score_table` tables of these examples, one a scorer's seed. Columns: ``condition,
    reduce``; ``auc`` and ``length_auc`` (of the piece's tokens alone), ``beyond_length`` with ``beyond_low,
    beyond_high``; rank correlations ``with_length``, ``with_gold`` and ``given_length`` (of score and gold, length held
    fixed) with ``given_low, given_high`` (95 %, bootstrap over examples, of the mean over seeds); ``pieces, examples,
    seeds``. Raises DataError for examples without gold labels of both kinds.
    """
    if without := [example.qid for example in examples if example.gold is None]:
        raise DataError(f"{len(without)} examples have no gold labels, the first {without[0]}: nothing can be detected")
    rows = []
    for condition in [one for one in ("question", "prefix") if f"entropy_{one}" in scores[0]]:
        long, pieces = _long(scores, examples, condition)
        share = length_share(pieces, long)
        for row in share.to_dict("records"):
            part = long[long["reduce"] == row["reduce"]]
            low, high = _given_length(part, pieces)
            kept = {"condition": condition, "reduce": row["reduce"]}
            names = ("auc", "length_auc", "beyond_length", "beyond_low", "beyond_high")
            names += ("with_length", "with_gold", "given_length")
            kept |= {name: row[name] for name in names} | {"given_low": low, "given_high": high}
            rows.append(kept | {name: row[name] for name in ("pieces", "examples", "seeds")})
    return pd.DataFrame(rows)


def _long(
    scores: Sequence[pd.DataFrame], examples: Sequence[Example], condition: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and pieces in the long form of :mod:`ases.aligned`."""
    pieces = pd.DataFrame(
        [
            {"split": "test", "qid": example.qid, "piece": place, "text": text, "gold": label}
            for example in examples
            for place, (text, label) in enumerate(zip(split_pieces(example.rationale), example.gold, strict=True))
        ]
    )
    tables = []
    for seed, table in enumerate(scores):
        own = pieces[["qid", "piece"]].merge(table, on=["qid", "piece"], how="left", validate="one_to_one")
        total, tokens = own[f"entropy_{condition}"], own[f"tokens_{condition}"]
        if not seed:
            pieces = pieces.assign(tokens=tokens)
        for reduce, values in (("sum", total), ("mean", total / tokens)):
            named = {"strategy": "entropy", "reduce": reduce, "condition": condition, "seed": seed, "score": values}
            tables.append(own[["qid", "piece"]].assign(**named))
    return pd.concat(tables, ignore_index=True), pieces


def _given_length(scores: pd.DataFrame, pieces: pd.DataFrame) -> tuple[float, float]:
    """The interval of the partial rank correlation: ranks are kept, and examples drawn with all their pieces."""
    code = pd.factorize(pieces["qid"])[0]
    count = int(code.max()) + 1
    draws = draw_examples(count, DRAWS, 0)

    def over_mean(values: np.ndarray) -> np.ndarray:
        mean = (np.bincount(code, values) / np.bincount(code))[code]
        return np.divide(values, mean, out=np.zeros_like(values), where=mean > 0)

    gold = scipy.stats.rankdata(pieces["gold"] == AS)
    length = scipy.stats.rankdata(over_mean(pieces["tokens"].to_numpy(float)))
    found = []
    for _, part in scores.groupby("seed"):
        score = scipy.stats.rankdata(over_mean(part["score"].to_numpy(float)))
        # From sums by example: a draw's correlations follow from how often it has each example.
        columns = [np.ones(len(score)), score, gold, length]
        columns = [columns[0], *((one - one.mean()) / one.std() if one.std() > 0 else one * 0 for one in columns[1:])]
        products = np.stack([first * second for first in columns for second in columns])
        sums = np.stack([np.bincount(code, one, minlength=count) for one in products])
        moments = draws.totals(sums).reshape(-1, 4, 4)
        mean = moments / moments[:, :1, :1]
        covariance = mean[:, 1:, 1:] - mean[:, 1:, :1] * mean[:, :1, 1:]
        deviation = np.sqrt(np.einsum("dii->di", covariance))
        with np.errstate(invalid="ignore", divide="ignore"):
            r = covariance / (deviation[:, :, None] * deviation[:, None, :])
            left = np.sqrt((1 - r[:, 0, 2] ** 2) * (1 - r[:, 1, 2] ** 2))
            found.append((r[:, 0, 1] - r[:, 0, 2] * r[:, 1, 2]) / left)
    low, high = bounds(draws.over_seeds(np.stack(found, axis=1)), count)
    return float(low), float(high)


def detector_sentences(table: pd.DataFrame) -> list[str]:
    """A :func:`detector_table` in words, and whether the sum owes most to length but not all, as predicted."""
    lines, held, told = [], 0, 0
    for condition, part in table.groupby("condition", sort=False):
        of = part.set_index("reduce")
        total, mean = of.loc["sum"], of.loc["mean"]
        lines.append(
            f"Given the {condition}: length alone finds AS with an AUC of {total['length_auc']:.2f}, the sum of "
            f"entropies with {total['auc']:.2f}, their mean with {mean['auc']:.2f}. With gold the sum correlates "
            f"{total['with_gold']:+.2f}, and {total['given_length']:+.2f} with length held fixed (95 % interval "
            f"{total['given_low']:+.2f} to {total['given_high']:+.2f}); the mean {mean['with_gold']:+.2f} and "
            f"{mean['given_length']:+.2f} ({total['pieces']:,} pieces, seeds: {total['seeds']})."
        )
        told += 1
        held += bool(
            mean["auc"] < total["auc"] and total["given_low"] > 0 and total["given_length"] < total["with_gold"]
        )
    return [*lines, verdict(held, told, "conditions")]
