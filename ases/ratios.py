"""Means and shares over questions and seeds, with one kind of interval for all of them.

>>> table = pd.DataFrame({"seed": 0, "qid": ["a", "a", "b"], "right": [1.0, 0.0, 1.0]})
>>> ratio_table(table, "right")[["right", "n", "questions", "seeds"]].to_numpy().tolist()
[[0.6666666666666666, 3.0, 2.0, 1.0]]

A question may have several rows (its steps, its pieces), and some questions none: what is asked for is the sum of a
value over the number of its rows, for each seed, averaged over the seeds. The 95 % interval is a percentile bootstrap
that draws questions with all their rows and, where there are several, seeds, as in :mod:`ases.detection`. All groups
of a table meet the same draws, so that a difference between groups is one of the same questions. Ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from ases.detection import Draws, bounds, draw_examples
from ases.errors import DataError

DRAWS = 2000


def ratio_table(
    table: pd.DataFrame, value: str, by: Sequence[str] = (), *, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """The mean of a value over its rows, for each group: columns of ``by``, the value's, ``low, high`` and counts.

    Counts are ``n`` (rows), ``questions`` and ``seeds``. Rows without a value (NaN) do not count; groups come in their
    order of appearance, and one without any value has no row. Raises DataError where columns are missing.
    """
    part, drawn = _drawn(table, value, by, draws, seed)
    rows = []
    for keys, group in _groups(part, by):
        estimate, resampled = _means(group, value, drawn)
        low, high = bounds(resampled, group["qid"].nunique())
        rows.append(keys | {value: estimate, "low": float(low), "high": float(high)} | _counts(group))
    return pd.DataFrame(rows, columns=[*by, value, "low", "high", "n", "questions", "seeds"])


def difference_table(
    table: pd.DataFrame,
    value: str,
    between: str,
    first: object,
    second: object,
    by: Sequence[str] = (),
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """First less second, two values of the column ``between``: columns of ``by``, ``difference, low, high``, counts.

    ``n`` counts the rows of both. A group that lacks one of the two has no row. Raises as :func:`ratio_table` does.
    """
    part, drawn = _drawn(table, value, [*by, between], draws, seed)
    part = part[part[between].isin([first, second])]
    rows = []
    for keys, group in _groups(part, by):
        of = {name: rows_of for name, rows_of in group.groupby(between)}
        if first not in of or second not in of:
            continue
        (one, one_drawn), (two, two_drawn) = (_means(of[name], value, drawn) for name in (first, second))
        low, high = bounds(one_drawn - two_drawn, group["qid"].nunique())
        rows.append(keys | {"difference": one - two, "low": float(low), "high": float(high)} | _counts(group))
    return pd.DataFrame(rows, columns=[*by, "difference", "low", "high", "n", "questions", "seeds"])


@lru_cache(maxsize=4)  # an analysis asks about the same questions many times
def _draws(count: int, draws: int, seed: int) -> Draws:
    return draw_examples(count, draws, seed)


def _drawn(
    table: pd.DataFrame, value: str, by: Sequence[str], draws: int, seed: int
) -> tuple[pd.DataFrame, tuple[Draws, pd.Index]]:
    if missing := [name for name in (*by, "seed", "qid", value) if name not in table]:
        raise DataError(f"the table lacks {', '.join(missing)}; it has {', '.join(map(str, table))}")
    part = table[table[value].notna()]
    qids = pd.Index(sorted(table["qid"].unique(), key=str))
    return part, (_draws(max(1, len(qids)), draws, seed), qids)


def _groups(part: pd.DataFrame, by: Sequence[str]) -> list[tuple[dict[str, object], pd.DataFrame]]:
    if not by:
        return [({}, part)] if len(part) else []
    found = part.groupby(list(by), sort=False, observed=True)
    return [(dict(zip(by, keys, strict=True)), group) for keys, group in found]


def _means(group: pd.DataFrame, value: str, drawn: tuple[Draws, pd.Index]) -> tuple[float, np.ndarray]:
    """The mean over seeds of each seed's mean, and the same of every draw, shape (draws,)."""
    draws, qids = drawn
    places = qids.get_indexer(group["qid"])
    estimates, resampled = [], []
    for _, rows in group.assign(place=places).groupby("seed"):
        sums = np.bincount(rows["place"], rows[value].astype(float), minlength=len(qids))
        counts = np.bincount(rows["place"], minlength=len(qids))
        estimates.append(sums.sum() / counts.sum())
        totals = draws.totals(np.stack([sums, counts]))
        with np.errstate(invalid="ignore", divide="ignore"):
            resampled.append(totals[:, 0] / totals[:, 1])
    return float(np.mean(estimates)), draws.over_seeds(np.stack(resampled, axis=1))


def _counts(group: pd.DataFrame) -> dict[str, int]:
    return {"n": len(group), "questions": group["qid"].nunique(), "seeds": group["seed"].nunique()}
