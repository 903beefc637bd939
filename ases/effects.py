"""How large the differences between methods are, beside how sure they are.

>>> effect_sizes(predictions, baseline="seq2seq")[["method", "difference", "odds_ratio", "cohens_h"]]  # doctest: +SKIP

A difference of five points is little at 50 % and much at 2 %: odds ratio and Cohen's h tell such cases apart. Ours,
after METHOD, section 7.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import scipy.stats

from ases.errors import DataError
from ases.power import mean_error
from ases.statistics import LEVEL, compare, tables_of

SHARES = ("odds_ratio", "cohens_h")
SCORES = ("cohens_d",)


def effect_sizes(predictions: pd.DataFrame, *, baseline: str, value: str = "correct", seed: int = 0) -> pd.DataFrame:
    """The size of each method's difference to the baseline, with 95 % intervals; one row a method.

    Columns: ``method, baseline, value, n, seeds, difference, low, high`` as in :func:`ases.statistics.compare`; then
    each effect as ``<name>, <name>_low, <name>_high``. Right or wrong (a boolean value): ``odds_ratio``, the odds of
    a right answer over the baseline's, and ``cohens_h``, 2 asin sqrt(p) less the baseline's (0.2 is called small, 0.5
    medium, 0.8 large; Cohen 1988). Other values: ``cohens_d``, the difference in standard deviations of the value
    over questions, both methods' variances averaged.

    Intervals by the delta method, the questions (and seeds) paired, with Student's t; the standard deviation behind
    ``cohens_d`` counts as known. NaN where an effect is not defined: odds of no or of only right answers, and bounds
    without any spread. Raises DataError as :func:`ases.statistics.compare` does.
    """
    tables = tables_of(predictions, value)
    rows = compare(predictions, baseline=baseline, value=value, seed=seed)
    rows = rows[["method", "baseline", "value", "n", "seeds", "difference", "low", "high"]]
    sizes = []
    for row in rows.to_dict("records"):
        first, second = tables[row["method"]], tables[baseline]
        sizes.append(share_effects(first, second) if first.dtype == bool else score_effects(first, second, row))
    return pd.concat([rows, pd.DataFrame(sizes)], axis=1)


def share_effects(first: np.ndarray, second: np.ndarray, *, level: float = LEVEL) -> dict[str, float]:
    """Odds ratio and Cohen's h of first over second, right or wrong, shape (seeds, questions), with their bounds."""
    if first.shape != second.shape or first.ndim != 2:
        raise DataError(f"values of shapes {first.shape} and {second.shape}; both must be (seeds, questions)")
    p, q = float(first.mean()), float(second.mean())
    h = 2 * math.asin(math.sqrt(p)) - 2 * math.asin(math.sqrt(q))
    found = {"odds_ratio": math.nan, "odds_ratio_low": math.nan, "odds_ratio_high": math.nan}
    found |= {"cohens_h": h, "cohens_h_low": math.nan, "cohens_h_high": math.nan}
    if not 0 < p < 1 or not 0 < q < 1:
        return found
    # Both are a function of p less the same function of q: the slopes carry over each answer's deviation.
    log_odds = math.log(p / (1 - p)) - math.log(q / (1 - q))
    half = _half_width(first / (p * (1 - p)) - second / (q * (1 - q)), level)
    found["odds_ratio"] = math.exp(log_odds)
    found["odds_ratio_low"], found["odds_ratio_high"] = math.exp(log_odds - half), math.exp(log_odds + half)
    half = _half_width(first / math.sqrt(p * (1 - p)) - second / math.sqrt(q * (1 - q)), level)
    found["cohens_h_low"], found["cohens_h_high"] = h - half, h + half
    return found


def score_effects(first: np.ndarray, second: np.ndarray, difference: dict[str, float]) -> dict[str, float]:
    """Cohen's d of first over second, scores of shape (seeds, questions), from a row of ``difference, low, high``.

    The deviation is over questions: each question's mean over seeds, so that runs of one model do not add to it.
    """
    variances = [table.mean(axis=0).var(ddof=1) for table in (first, second)]
    deviation = math.sqrt(sum(variances) / 2)
    names = {"cohens_d": "difference", "cohens_d_low": "low", "cohens_d_high": "high"}
    return {name: difference[of] / deviation if deviation > 0 else math.nan for name, of in names.items()}


def _half_width(values: np.ndarray, level: float) -> float:
    seeds, n = values.shape
    if seeds > 1:
        error, freedom = mean_error(values)
    elif n > 1:
        error, freedom = values[0].std(ddof=1) / math.sqrt(n), n - 1
    else:
        return math.nan
    return float(scipy.stats.t.ppf((1 + level) / 2, freedom) * error)
