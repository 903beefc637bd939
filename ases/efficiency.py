"""How much data a method needs: accuracy against the size of the training set, and what seq2seq needs for the same.

>>> sizes = size_table(predictions)                                               # doctest: +SKIP
>>> multiples = data_multiple(predictions)                                        # doctest: +SKIP
>>> efficiency_findings(sizes, multiples)                                         # doctest: +SKIP

Predictions have a row an arm (a method with its settings), training-set size, seed and question: ``arm, train_size,
seed, qid`` and ``correct`` (``rouge_l`` for reports), the same test questions in all of them. Ours.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from ases.choices import BASELINE
from ases.errors import DataError, ParameterError
from ases.measures import MEASURES, headline, measure_in
from ases.statistics import LEVEL, summarise, tables_of

_KEYS = ["arm", "train_size"]


def size_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """``arm, train_size, n`` (questions), ``seeds, accuracy`` (or ``rouge_l``), ``low, high``: a row a point.

    Arms in their order of appearance, sizes rising. Intervals as :func:`ases.statistics.summarise`; seeds may be fewer
    where training is dear. Raises DataError where rows are doubled or missing, or the questions differ.
    """
    value = _checked(predictions)
    rows = [
        summarise(part.assign(method=arm), value=value).assign(arm=arm, train_size=size)
        for (arm, size), part in _cells(predictions)
    ]
    table = pd.concat(rows, ignore_index=True).rename(columns={"mean": MEASURES[value].column})
    return table[[*_KEYS, "n", "seeds", MEASURES[value].column, "low", "high"]]


def data_multiple(
    predictions: pd.DataFrame,
    *,
    baseline: str = BASELINE,
    draws: int = 2000,
    seed: int = 0,
    level: float = LEVEL,
) -> pd.DataFrame:
    """How many times as many training examples the baseline needs for what each arm reaches with ``train_size``.

    Columns: ``arm, train_size, accuracy`` (or ``rouge_l``) of the arm, ``baseline, baseline_accuracy`` (NaN where that
    size was not tried), ``multiple, low, high`` (95 %), ``least, most`` (the baseline's smallest and largest size over
    ``train_size``), ``n, seeds``. ``multiple`` is infinite where the baseline's largest training set does not reach the
    arm, and 0 where its smallest is already better: nothing is extrapolated, and "more than ``most``" or "less than
    ``least``" is all that can be said (:func:`multiple_text`).

    The baseline's curve is made monotone (isotonic regression, weighted by seeds: more data is taken not to hurt) and
    read between sizes by straight lines over log2 of the size; the least size that reaches the arm counts. The interval
    is a percentile bootstrap over seeds and questions (Owen, The pigeonhole bootstrap, Annals of Applied Statistics
    2007): questions are drawn for all points together, because they are the same; seeds for each point by itself,
    because each is a training of its own. Of 160 simulated multiples of 3 (300 questions, five sizes) it held 95 %
    with one seed, where it covers the choice of questions only; with three and five seeds 97 and 96 % where seeds
    differ, and all where they do not: it errs on the wide side.
    Raises DataError as :func:`size_table` does, and where the baseline was trained with one size only.
    """
    value = _checked(predictions)
    if draws < 1:
        raise ParameterError(f"draws is {draws}, but must be above 0")
    tables = {key: next(iter(tables_of(part.assign(method=""), value).values())) for key, part in _cells(predictions)}
    sizes = sorted(size for arm, size in tables if arm == baseline)
    if len(sizes) < 2:
        raise DataError(
            f"{baseline!r} was trained with {len(sizes)} training-set sizes here, but its curve needs two at the least"
        )
    drawn = _drawn_means(tables, draws, np.random.default_rng(seed))
    weights = [len(tables[baseline, size]) for size in sizes]
    means = {key: float(table.mean()) for key, table in tables.items()}
    curve = _monotone([means[baseline, size] for size in sizes], weights)
    curves = [_monotone(row, weights) for row in np.array([drawn[baseline, size] for size in sizes]).T]
    column, rows = MEASURES[value].column, []
    for (arm, size), table in tables.items():
        if arm == baseline:
            continue
        needed = np.array([_needed(one, sizes, reach) for one, reach in zip(curves, drawn[arm, size], strict=True)])
        # No interpolation between draws: there is nothing between the largest size and "more than that".
        low, high = np.quantile(needed, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf") / size
        row = {"arm": arm, "train_size": size, column: means[arm, size], "baseline": baseline}
        row |= {f"baseline_{column}": means.get((baseline, size), math.nan)}
        row |= {"multiple": _needed(curve, sizes, means[arm, size]) / size, "low": float(low), "high": float(high)}
        row |= {"least": sizes[0] / size, "most": sizes[-1] / size, "n": table.shape[1], "seeds": table.shape[0]}
        rows.append(row)
    if not rows:
        raise DataError(f"{baseline!r} is the only arm here; give a second one to hold it against")
    return pd.DataFrame(rows)


def multiple_text(value: float, least: float, most: float) -> str:
    """A multiple in words: ``2.3``; ``more than 8`` and ``less than 0.25`` where no set beyond was tried."""
    if math.isinf(value):
        return f"more than {most:.3g}"
    if value < least:
        return f"less than {least:.3g}"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def efficiency_findings(sizes: pd.DataFrame, multiples: pd.DataFrame) -> list[str]:
    """A :func:`size_table` and a :func:`data_multiple` table in sentences, one an arm and size; read from them."""
    measure, baseline = measure_in(sizes), multiples["baseline"].iloc[0]
    own = sizes[sizes["arm"] == baseline].sort_values("train_size")
    first, last = own.iloc[0], own.iloc[-1]
    seeds = "seed" if sizes["seeds"].eq(1).all() else "seeds"
    lines = [
        f"From {first['train_size']:,} to {last['train_size']:,} training examples {baseline} goes from "
        f"{measure.text(first[measure.column])} to {measure.text(last[measure.column])} ({measure.label}, "
        f"{_span(sizes['n'])} test questions, {_span(sizes['seeds'])} {seeds})."
    ]
    for row in multiples.to_dict("records"):
        bounds = row["least"], row["most"]
        low, high = (multiple_text(row[end], *bounds) for end in ("low", "high"))
        interval = f"95 % interval {low} to {high}" if low != high else f"95 % interval: {low}"
        # An end beyond what was tried says no more than that it lies beyond.
        if (row["most"] >= 1) if math.isinf(row["low"]) else (row["low"] > 1):
            verdict = f"{baseline} needs more data for that"
        elif (row["least"] <= 1) if row["high"] == 0 else (row["high"] < 1):
            verdict = f"{baseline} needs less data for that"
        else:
            verdict = f"whether {baseline} needs more or less data for that cannot be told"
        lines.append(
            f"{row['arm']} reaches {measure.text(row[measure.column])} with {row['train_size']:,} training examples; "
            f"{verdict}: {multiple_text(row['multiple'], *bounds)} times as many ({interval})."
        )
    open_ended = multiples[np.isinf(multiples["multiple"])]
    if len(open_ended):
        lines.append(
            f"\"More than\" means that {baseline} does not get there with {last['train_size']:,} examples, the most "
            "that were tried; nothing is said of what lies beyond."
        )
    return lines


def _span(values: pd.Series) -> str:
    return " to ".join(dict.fromkeys(f"{int(value):,}" for value in (values.min(), values.max())))


def _checked(predictions: pd.DataFrame) -> str:
    """The name of the measure, once all columns are there and each point has the same questions."""
    if missing := [name for name in (*_KEYS, "seed", "qid") if name not in predictions]:
        raise DataError(f"the predictions lack the columns {', '.join(missing)}; they have {', '.join(predictions)}")
    value = headline(predictions)
    if (predictions["train_size"] < 1).any():
        raise DataError(f"train_size is {predictions['train_size'].min()} in some rows, but must be 1 or more")
    questions: set[str] | None = None
    for (arm, size), part in _cells(predictions):
        found = set(part["qid"])
        if questions is not None and found != questions:
            raise DataError(
                f"{arm!r} with {size} training examples has {len(found)} questions, of which {len(found & questions)} "
                f"are among the {len(questions)} of the first point; all points need the same test questions"
            )
        questions = found
    return value


def _cells(predictions: pd.DataFrame) -> list[tuple[tuple[str, int], pd.DataFrame]]:
    """The points, arms in order of appearance and sizes rising, each with its rows."""
    rank = {arm: place for place, arm in enumerate(dict.fromkeys(predictions["arm"]))}
    groups = predictions.groupby(_KEYS, sort=False, dropna=False)
    found = [((arm, int(size)), part) for (arm, size), part in groups]
    return sorted(found, key=lambda cell: (rank[cell[0][0]], cell[0][1]))


def _drawn_means(
    tables: dict[tuple[str, int], np.ndarray], draws: int, rng: np.random.Generator
) -> dict[tuple[str, int], np.ndarray]:
    """For each point the means of ``draws`` samples of seeds and questions, shape (draws,)."""
    n = next(iter(tables.values())).shape[1]
    questions = rng.multinomial(n, np.full(n, 1 / n), size=draws) / n
    found = {}
    for key, table in tables.items():
        seeds = len(table)
        # One seed fewer than there are: as many would spread too little, by the factor (seeds - 1) / seeds.
        taken = max(1, seeds - 1)
        chosen = rng.multinomial(taken, np.full(seeds, 1 / seeds), size=draws) / taken
        found[key] = np.einsum("ds,ds->d", chosen, questions @ table.T.astype(float))
    return found


def _monotone(values: np.ndarray | list[float], weights: list[int]) -> np.ndarray:
    return isotonic_regression(values, weights=weights).x


def _needed(curve: np.ndarray, sizes: list[int], reach: float) -> float:
    """The least size at which a rising curve reaches a value; infinite where none does, 0 where the first is above."""
    at = int(np.searchsorted(curve, reach - 1e-12))
    if at == len(curve):
        return math.inf
    if abs(curve[at] - reach) <= 1e-12:
        return float(sizes[at])
    if at == 0:
        return 0.0
    share = (reach - curve[at - 1]) / (curve[at] - curve[at - 1])
    return float(sizes[at - 1] * (sizes[at] / sizes[at - 1]) ** share)
