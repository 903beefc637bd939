"""How sure the numbers are: intervals, paired tests, and the correction for several comparisons.

>>> print(proportion_interval(30, 100))
0.300 [0.219, 0.396]

METHOD, section 7. Methods are compared on the same questions: within one seed by mid-p McNemar (right or wrong) or
a paired bootstrap (BLEU, ROUGE), over several seeds by a t test whose error counts the spread of seeds and of
questions. Every function that draws takes its own seed; equal inputs and seeds give equal numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from ases.errors import DataError, ParameterError
from ases.metrics import bleu_from_statistics, bleu_statistics
from ases.power import detectable_difference as detectable_difference
from ases.power import mean_error

LEVEL = 0.95
_CELLS = 2_000_000
"""Resampled values held at one time (16 MB), so that memory does not grow with the number of draws."""


@dataclass(frozen=True)
class Interval:
    """An estimate between two bounds that hold it with probability ``level``, from ``n`` questions."""

    estimate: float
    low: float
    high: float
    n: int
    level: float = LEVEL

    def __str__(self) -> str:
        return f"{self.estimate:.3f} [{self.low:.3f}, {self.high:.3f}]"


def proportion_interval(successes: int, n: int, *, level: float = LEVEL) -> Interval:
    """A share and its Wilson score interval (statsmodels). Raises DataError unless 0 <= successes <= n, n > 0."""
    if n <= 0 or not 0 <= successes <= n:
        raise DataError(f"{successes} right answers of {n} questions: no share can be computed")
    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    share = successes / n
    # At 0 and n of n the formula ends in the last digit beside the share itself.
    return Interval(share, min(float(low), share), max(float(high), share), int(n), level)


def bootstrap_mean(values: Sequence[float], *, draws: int = 10_000, seed: int = 0, level: float = LEVEL) -> Interval:
    """The mean of per-question values, shape (n,), and its percentile bootstrap interval (scipy).

    Percentile and not BCa: the same interval can then be read from resampled seeds and questions, and for
    hundreds of bounded values the two differ in the third digit. Equal values give an interval without width; a
    single value gives NaN bounds, because it says nothing of its spread. Raises DataError for no or NaN values.
    """
    values = _vector(values, "values")
    drawn = _resampled_means(values, draws, seed) if len(values) > 1 else None
    return _interval(float(values.mean()), drawn, len(values), level)


def corpus_bleu_interval(
    chains: Sequence[str],
    references: Sequence[str],
    language: str = "en",
    *,
    draws: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
) -> Interval:
    """Corpus BLEU, 0 to 100, and its percentile interval from a bootstrap over questions (Koehn, EMNLP 2004).

    The questions' n-gram counts are resampled and added up, so nothing is tokenised twice. A single question gives
    NaN bounds. Raises as :func:`ases.metrics.bleu` does.
    """
    rows = bleu_statistics(chains, references, language)
    counts = _multiplicities(len(rows), draws, np.random.default_rng(_checked_seed(seed, draws)))
    drawn = np.array([bleu_from_statistics(total) for chunk in counts for total in chunk @ rows])
    return _interval(bleu_from_statistics(rows.sum(axis=0)), drawn if len(rows) > 1 else None, len(rows), level)


def mcnemar_midp(first_right: Sequence[bool], second_right: Sequence[bool]) -> tuple[float, int, int]:
    """Mid-p McNemar test that two methods answer equally many of the same questions rightly.

    Returns the two-sided p, then b (only the first right) and c (only the second right). The exact test is
    conservative at these sizes; mid-p counts half the probability of what was observed (Fagerland, Lydersen and
    Laake, BMC Medical Research Methodology 2013). Without discordant questions p is 1.
    """
    first, second = _flags(first_right, "the first method"), _flags(second_right, "the second method")
    _check_same_length(first, second)
    b, c = int(np.sum(first & ~second)), int(np.sum(~first & second))
    return float(midp(b, c)), b, c


def midp(b: np.ndarray | int, c: np.ndarray | int) -> np.ndarray:
    """The p of :func:`mcnemar_midp` from the discordant counts, number by number."""
    fewer, discordant = np.minimum(b, c), np.add(b, c)
    below, at = scipy.stats.binom.cdf(fewer, discordant, 0.5), scipy.stats.binom.pmf(fewer, discordant, 0.5)
    return np.minimum(1.0, 2 * below - at)


def paired_difference(
    first: Sequence[float],
    second: Sequence[float],
    *,
    draws: int = 10_000,
    seed: int = 0,
    level: float = LEVEL,
) -> tuple[Interval, float]:
    """Mean of first - second over the same questions, shapes (n,): its bootstrap interval, and a two-sided p.

    p is the smallest error level at which the percentile interval leaves out 0, so p and interval agree; it is at
    least 2 / (draws + 1). A single question gives NaN bounds and p 1.
    """
    first, second = _vector(first, "the first method's values"), _vector(second, "the second method's values")
    _check_same_length(first, second)
    difference = first - second
    drawn = _resampled_means(difference, draws, seed) if len(difference) > 1 else None
    return _interval(float(difference.mean()), drawn, len(difference), level), _two_sided(drawn)


def seed_difference(first: np.ndarray, second: np.ndarray, *, level: float = LEVEL) -> tuple[Interval, float]:
    """Mean of first - second, each of shape (seeds, questions), row by row the same seed and questions.

    Returns its interval for new seeds and new questions, and a two-sided p: Student's t with the error and degrees of
    freedom of :func:`ases.power.mean_error`. Not a percentile bootstrap over seeds and questions, because that does
    not hold its level with few seeds. Simulated (tests/test_power.py) with two equal methods, 300 questions
    right or wrong, 8,000 draws and five kinds of spread, this test errs in 4.2 to 5.4 % of cases with 5 seeds and in
    4.4 to 6.0 % with 3; the bootstrap in 0.2 to 12.7 % and 0.6 to 17.9 %. Two seeds are too few: 2.9 to 10.2 %
    (:func:`ases.certainty.few_seeds` says so beside such tables).

    Without any spread the interval has no width, and p is 1 for no difference, else 0. Raises DataError for fewer
    than two seeds or questions.
    """
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if first.shape != second.shape or first.ndim != 2:
        raise DataError(f"values of shapes {first.shape} and {second.shape}; both must be (seeds, questions)")
    return _over_seeds(first - second, level)


def seed_mean(values: np.ndarray, *, level: float = LEVEL) -> Interval:
    """The mean of values of shape (seeds, questions) and its interval for new seeds and questions.

    As in :func:`seed_difference`, kept within the least and the greatest value that occur.
    """
    values = np.asarray(values, dtype=float)
    interval, _ = _over_seeds(values, level)
    low, high = max(interval.low, float(values.min())), min(interval.high, float(values.max()))
    return Interval(interval.estimate, low, high, interval.n, level)


def _over_seeds(values: np.ndarray, level: float) -> tuple[Interval, float]:
    error, freedom = mean_error(values)
    mean, half = float(values.mean()), float(scipy.stats.t.ppf((1 + level) / 2, freedom) * error)
    p = float(2 * scipy.stats.t.sf(abs(mean) / error, freedom)) if error > 0 else float(mean == 0)
    return Interval(mean, mean - half, mean + half, values.shape[1], level), p


def holm(p_values: Sequence[float]) -> np.ndarray:
    """P values corrected for being several, by Holm (statsmodels); same order, shape (comparisons,)."""
    return multipletests(np.asarray(p_values, dtype=float), method="holm")[1]


# Tables of predictions ------------------------------------------------------------------------------------------


def summarise(predictions: pd.DataFrame, *, value: str = "correct", draws: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """The mean of a value for each method, with its 95 % interval: ``method, value, n, seeds, mean, low, high``.

    ``predictions`` has one row a method, seed and question: ``method``, ``seed``, ``qid`` and the value. Right or
    wrong under one seed: Wilson; other values: bootstrap over questions; several seeds: :func:`seed_mean`. ``n``
    counts questions. Raises DataError where rows are doubled or missing, see :func:`compare`.
    """
    rows = []
    for method, table in tables_of(predictions, value).items():
        seeds, n = table.shape
        if seeds > 1:
            interval = seed_mean(table)
        elif table.dtype == bool:
            interval = proportion_interval(int(table.sum()), n)
        else:
            interval = bootstrap_mean(table[0], draws=draws, seed=seed)
        bounds = {"mean": interval.estimate, "low": interval.low, "high": interval.high}
        rows.append({"method": method, "value": value, "n": n, "seeds": seeds, **bounds})
    return pd.DataFrame(rows)


def compare(
    predictions: pd.DataFrame, *, baseline: str, value: str = "correct", draws: int = 10_000, seed: int = 0
) -> pd.DataFrame:
    """Each method against the baseline on the same questions; one row a method, in their order of appearance.

    Columns: ``method, baseline, value, n`` (questions), ``seeds, difference`` (method - baseline), ``low, high``
    (95 %; one seed: bootstrap), ``p, p_holm`` (Holm over the rows of this table), ``test``, and where the test is
    McNemar's ``only_method, only_baseline``, the questions that only one of them answers rightly.

    Test: ``mcnemar`` (mid-p) for right or wrong under one seed, ``bootstrap`` for other values under one seed,
    ``seeds x questions`` (:func:`seed_difference`) for several. ``predictions`` is as in :func:`summarise`. Raises
    DataError where columns are missing, rows doubled, values absent, or where methods do not have the same seeds and
    questions.
    """
    tables = tables_of(predictions, value)
    if baseline not in tables:
        raise DataError(f"the baseline {baseline!r} is not among the methods {', '.join(map(str, tables))}")
    if len(tables) == 1:
        raise DataError(f"{baseline!r} is the only method here; a comparison needs a second one")
    reference = tables[baseline]
    rows = []
    for method, table in tables.items():
        if method == baseline:
            continue
        seeds, n = table.shape
        only_method = only_baseline = None
        if seeds > 1:
            test = "seeds x questions"
            interval, p = seed_difference(table, reference)
        else:
            test = "bootstrap"
            interval, p = paired_difference(table[0], reference[0], draws=draws, seed=seed)
            if table.dtype == bool:
                test = "mcnemar"
                p, only_method, only_baseline = mcnemar_midp(table[0], reference[0])
        row = {"method": method, "baseline": baseline, "value": value, "n": n, "seeds": seeds}
        row |= {"difference": interval.estimate, "low": interval.low, "high": interval.high, "p": p}
        rows.append(row | {"test": test, "only_method": only_method, "only_baseline": only_baseline})
    frame = pd.DataFrame(rows).astype({"only_method": "Int64", "only_baseline": "Int64"})
    frame.insert(frame.columns.get_loc("p") + 1, "p_holm", holm(frame["p"]))
    return frame


def tables_of(predictions: pd.DataFrame, value: str) -> dict[str, np.ndarray]:
    """Method -> values of shape (seeds, questions), in one order of seeds and questions for all methods.

    Raises DataError as :func:`compare` does.
    """
    missing = sorted({"method", "seed", "qid", value} - set(predictions.columns))
    if missing:
        raise DataError(f"the predictions lack the columns {', '.join(missing)}; they have {', '.join(predictions)}")
    if predictions.empty:
        raise DataError("the predictions have no rows")
    for column in ("method", "seed", "qid", value):
        absent = int(predictions[column].isna().sum())
        if absent:
            raise DataError(f"{absent} rows of the predictions have no {column}")
    keys = ["method", "seed", "qid"]
    doubled = predictions[predictions.duplicated(keys)]
    if len(doubled):
        first = ", ".join(f"{key} {doubled.iloc[0][key]}" for key in keys)
        raise DataError(f"{len(doubled)} predictions occur twice, the first for {first}; were two runs joined?")
    # One order for all: column j of every table is the same question, and the order of rows changes no draw.
    seeds = sorted(predictions["seed"].unique())
    qids = sorted(predictions["qid"].unique(), key=str)
    boolean = pd.api.types.is_bool_dtype(predictions[value])
    tables = {}
    for method, group in predictions.groupby("method", sort=False):
        for number in seeds:
            have = set(group.loc[group["seed"] == number, "qid"])
            lacking = [qid for qid in qids if qid not in have]
            if lacking:
                raise DataError(
                    f"method {method!r}, seed {number}: {len(lacking)} of {len(qids)} questions that other methods or "
                    f"seeds have are missing, the first {lacking[0]!r}; methods are compared on the same questions"
                )
        table = group.pivot(index="seed", columns="qid", values=value).loc[seeds, qids]
        tables[method] = table.to_numpy(dtype=bool if boolean else float)
    return tables


# Drawing --------------------------------------------------------------------------------------------------------


def _resampled_means(values: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Means of ``draws`` samples with replacement, shape (draws,)."""
    # scipy resamples and averages, in batches; the percentiles are taken in one place, for every kind of draw.
    result = scipy.stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=draws,
        batch=max(1, _CELLS // len(values)),
        method="percentile",
        rng=np.random.default_rng(_checked_seed(seed, draws)),
    )
    return result.bootstrap_distribution


def _multiplicities(n: int, draws: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each of n items is in each sample with replacement: chunks of shape (up to draws, n)."""
    chunk = max(1, _CELLS // n)
    for start in range(0, draws, chunk):
        rows = min(chunk, draws - start)
        drawn = generator.integers(n, size=(rows, n)) + np.arange(rows)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)


def _interval(estimate: float, drawn: np.ndarray | None, n: int, level: float) -> Interval:
    if drawn is None:
        return Interval(estimate, math.nan, math.nan, n, level)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(estimate, float(low), float(high), n, level)


def _two_sided(drawn: np.ndarray | None) -> float:
    if drawn is None:
        return 1.0
    fewer = min(int(np.sum(drawn <= 0)), int(np.sum(drawn >= 0)))
    return min(1.0, 2 * (fewer + 1) / (len(drawn) + 1))


def _checked_seed(seed: int, draws: int) -> int:
    if draws < 1:
        raise ParameterError(f"draws is {draws}, but must be above 0")
    return seed


def _vector(values: Sequence[float], name: str) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or len(array) == 0 or not np.isfinite(array).all():
        raise DataError(f"{name} must be one finite number a question, but have shape {array.shape} or hold NaN")
    return array


def _flags(values: Sequence[bool], name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype != bool or array.ndim != 1:
        raise DataError(f"{name} must be right or wrong for each question, but has {array.dtype} of {array.shape}")
    return array


def _check_same_length(first: np.ndarray, second: np.ndarray) -> None:
    if len(first) != len(second):
        raise DataError(f"{len(first)} questions of one method but {len(second)} of the other")
