"""How well scores rank pieces before any beta: ROC-AUC against gold, and what it owes to length (METHOD, section 2).

>>> auc_table(pieces, scores)                                                   # doctest: +SKIP
>>> length_sentence(length_share(pieces, scores))                               # doctest: +SKIP

Input and names are those of :mod:`ases.aligned`. An AUC is the probability that a piece that is AS in gold scores
higher than one that is ES, ties counted half. Pieces of one example are not independent, so variances are those of
whole examples: each piece's placement (the share of the other class that it beats) is summed by example (DeLong et al.,
Biometrics 1988, for clusters Obuchowski, Biometrics 1997). With several scorer seeds the estimate is the mean over
seeds and the variance between them, over their number, is added. Intervals are 95 %, normal on the logit scale, which
keeps them between 0 and 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.special
import scipy.stats

from ases.aligned import Aligned, Series, align
from ases.detection import NAMES
from ases.errors import DataError
from ases.statistics import LEVEL

_WIDTH = float(scipy.stats.norm.ppf((1 + LEVEL) / 2))
TOKENS, CHARACTERS = "tokens", "characters"


@dataclass(frozen=True)
class Ranking:
    """AUC of one or more scorer seeds, shape (seeds,), and how far each example pulls them, (seeds, examples)."""

    auc: np.ndarray
    influence: np.ndarray

    @property
    def estimate(self) -> float:
        """The mean over the seeds."""
        return float(self.auc.mean())

    @property
    def error(self) -> float:
        """The standard error, over examples and seeds; NaN for a single example."""
        return _error(self.auc, self.influence)

    def interval(self) -> tuple[float, float]:
        """The 95 % interval on the logit scale; without width at 0 and 1, where no example speaks against."""
        auc, error = self.estimate, self.error
        if math.isnan(error) or not 0 < auc < 1:
            return (math.nan, math.nan) if math.isnan(error) else (auc, auc)
        middle, half = math.log(auc / (1 - auc)), _WIDTH * error / (auc * (1 - auc))
        return float(scipy.special.expit(middle - half)), float(scipy.special.expit(middle + half))

    def minus(self, other: Ranking) -> tuple[float, float, float]:
        """The difference of two AUCs over the same examples, and its 95 % interval; one seed is held against all."""
        difference = self.auc - other.auc
        error = _error(difference, self.influence - other.influence)
        estimate = float(difference.mean())
        return estimate, estimate - _WIDTH * error, estimate + _WIDTH * error


def rank(scores: np.ndarray, gold: np.ndarray, examples: np.ndarray) -> Ranking | None:
    """AUC of scores, shape (seeds, pieces), against gold, True for AS; ``examples`` numbers each piece's example.

    None where gold has one label only.
    """
    positive, negative = int(gold.sum()), int((~gold).sum())
    if not positive or not negative:
        return None
    auc, influence = [], []
    for row in scores:
        ranks = scipy.stats.rankdata(row)
        # A piece's rank among all, less its rank within its class, is how many of the other class lie below it.
        above = (ranks[gold] - scipy.stats.rankdata(row[gold])) / negative
        below = 1 - (ranks[~gold] - scipy.stats.rankdata(row[~gold])) / positive
        value = float(above.mean())
        pull = np.empty(len(row))
        pull[gold], pull[~gold] = (above - value) / positive, (below - value) / negative
        auc.append(value)
        influence.append(np.bincount(examples, weights=pull, minlength=int(examples.max()) + 1))
    return Ranking(np.array(auc), np.stack(influence))


def _error(values: np.ndarray, influence: np.ndarray) -> float:
    count, seeds = influence.shape[1], len(values)
    if count < 2:
        return math.nan
    variance = float((influence.mean(axis=0) ** 2).sum()) * count / (count - 1)
    return math.sqrt(variance + (float(values.var(ddof=1)) / seeds if seeds > 1 else 0.0))


def auc_table(pieces: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """One row a split with gold, and a series: how well its scores tell AS from ES.

    Columns: ``split, strategy, reduce, condition``; ``auc, auc_low, auc_high`` of the score over its example's mean,
    which is what the rule compares with beta; ``raw, raw_low, raw_high`` of the score itself; ``as_pieces, pieces,
    examples, seeds``. Splits without gold, or whose gold has one label only, have no row. Raises DataError where none
    has.
    """
    aligned, rows = align(pieces), []
    for series, values in aligned.series(scores):
        relative = np.stack([aligned.relative(row) for row in values])
        for split, part, gold, examples in _judged(aligned):
            row = {"split": split, **series._asdict()}
            for name, kind in (("auc", relative), ("raw", values)):
                ranking = rank(kind[:, part], gold, examples)
                row |= dict(zip((f"{name}_low", f"{name}_high"), ranking.interval(), strict=True))
                row[name] = ranking.estimate
            row |= {"as_pieces": int(gold.sum()), "pieces": len(gold), "examples": int(examples.max()) + 1}
            rows.append(row | {"seeds": len(values)})
    columns = ["split", *NAMES, "auc", "auc_low", "auc_high", "raw", "raw_low", "raw_high"]
    return pd.DataFrame(rows)[[*columns, "as_pieces", "pieces", "examples", "seeds"]]


def length_share(pieces: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """What each score owes to the length of the pieces: one row a split with gold, and a series.

    Length is the column ``tokens`` of ``pieces`` where there is one, else characters without the white space at the
    ends. Score and length are both taken over their example's mean, as the rule would see them. Columns: ``split,
    strategy, reduce, condition, measure`` (of length); ``auc``; ``length_auc``, that of length alone; ``beyond_length,
    beyond_low, beyond_high``: AUC minus that of length, with its interval; ``with_length``: Spearman's correlation of
    score and length; ``with_gold``: of score and gold; ``given_length``: of score and gold with the ranks of length
    held fixed (partial correlation), which is what the score knows that length does not; ``pieces, examples, seeds``.
    Correlations are means over seeds, NaN where a score or a length never varies.
    """
    aligned, rows = align(pieces), []
    measure = TOKENS if TOKENS in aligned.pieces else CHARACTERS
    length = aligned.relative(_lengths(aligned, measure))
    for series, values in aligned.series(scores):
        relative = np.stack([aligned.relative(row) for row in values])
        for split, part, gold, examples in _judged(aligned):
            of_score, of_length = rank(relative[:, part], gold, examples), rank(length[None, part], gold, examples)
            beyond = of_score.minus(of_length)
            correlations = np.mean([_correlations(row[part], gold, length[part]) for row in relative], axis=0)
            rows.append(
                {"split": split, **series._asdict(), "measure": measure}
                | {"auc": of_score.estimate, "length_auc": of_length.estimate}
                | dict(zip(("beyond_length", "beyond_low", "beyond_high"), beyond, strict=True))
                | dict(zip(("with_length", "with_gold", "given_length"), map(float, correlations), strict=True))
                | {"pieces": len(gold), "examples": int(examples.max()) + 1, "seeds": len(values)}
            )
    return pd.DataFrame(rows)


def _judged(aligned: Aligned) -> list[tuple[str, slice, np.ndarray, np.ndarray]]:
    """The splits where pieces can be ranked: name, its pieces, their gold, and the number of each piece's example."""
    found = []
    for split, examples in aligned.splits.items():
        gold = aligned.gold(split)
        if gold is not None and 0 < gold.sum() < len(gold):
            counts = aligned.counts[examples]
            found.append((split, aligned.piece_slice(examples), gold, np.repeat(np.arange(len(counts)), counts)))
    if not found:
        raise DataError(f"no split ({', '.join(aligned.splits)}) has gold labels of both kinds: nothing can be ranked")
    return found


def _lengths(aligned: Aligned, measure: str) -> np.ndarray:
    if measure == CHARACTERS:
        return aligned.pieces["text"].str.strip().str.len().to_numpy(dtype=float)
    lengths = aligned.pieces[TOKENS].to_numpy(dtype=float)
    if not np.isfinite(lengths).all():
        row = aligned.pieces.iloc[int(np.flatnonzero(~np.isfinite(lengths))[0])]
        raise DataError(f"{row['qid']}, piece {row['piece']}: tokens is {row[TOKENS]}; count those of all or none")
    return lengths


def _correlations(score: np.ndarray, gold: np.ndarray, length: np.ndarray) -> tuple[float, float, float]:
    """Spearman's correlation of score with length, with gold, and with gold given length."""
    columns = np.column_stack([score, gold, length])
    if (columns == columns[0]).all(axis=0).any():
        return math.nan, math.nan, math.nan
    ranks = scipy.stats.spearmanr(columns).statistic
    with_gold, with_length, between = float(ranks[0, 1]), float(ranks[0, 2]), float(ranks[1, 2])
    left = (1 - with_length**2) * (1 - between**2)
    # Ranks that length fixes altogether leave nothing that could go with gold.
    return with_length, with_gold, (with_gold - with_length * between) / math.sqrt(left) if left > 1e-12 else math.nan


def length_sentence(table: pd.DataFrame, strategy: str = "entropy", condition: str = "question") -> str:
    """What the sum of a strategy's scores owes to length, from the rows of one split of :func:`length_share`."""
    part = table[(table["strategy"] == strategy) & (table["condition"] == condition)]
    if part["split"].nunique() != 1 or set(part["reduce"]) != {"sum", "mean"} or len(part) != 2:
        raise DataError(
            f"length_sentence: give the rows of one split with {strategy} ({condition}) once as sum, once as mean"
        )
    total, mean = (part[part["reduce"] == reduce].iloc[0] for reduce in ("sum", "mean"))
    names = [str(Series(strategy, reduce, condition)) for reduce in ("sum", "mean")]
    verdict = (
        "more than" if total["beyond_low"] > 0 else "less than" if total["beyond_high"] < 0 else "no other than"
    )  # the interval decides, not the sign
    return (
        f"Length in {total['measure']} alone ranks pieces with an AUC of {total['length_auc']:.2f}. {names[0]} reaches "
        f"{total['auc']:.2f}, {verdict} length ({_signed(total['beyond_length'])} "
        f"[{_signed(total['beyond_low'])}, {_signed(total['beyond_high'])}]), and follows length with a rank "
        f"correlation of {_signed(total['with_length'])}; {names[1]} reaches {mean['auc']:.2f} and follows it with "
        f"{_signed(mean['with_length'])}. With length held fixed, their rank correlations with gold are "
        f"{_signed(total['given_length'])} and {_signed(mean['given_length'])} ({total['pieces']:,.0f} pieces)."
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")
