"""How values spread over seeds and questions, and the smallest difference that so much spread lets one find.

>>> round(detectable_difference(1000, 0.2), 3)
0.04

METHOD, section 7. Within one seed only the questions vary; over several seeds the seeds vary as well, and a mean is
as sure as its few seeds allow. ``alpha`` is the error level of a two-sided test, ``power`` how often it finds the
difference when there is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.optimize
import scipy.stats

from ases.errors import DataError, ParameterError

POWER, ALPHA = 0.8, 0.05


@dataclass(frozen=True)
class Spread:
    """Standard deviations of one value a seed and question: between seeds, between questions, and what is left.

    In the unit of the value. From each seed's mean alone, from each question's mean alone, and from neither.
    """

    seeds: float
    questions: float
    rest: float

    def error(self, seeds: int, n: int) -> float:
        """Standard error of a mean over other seeds and questions, so many of each."""
        return math.sqrt(self.seeds**2 / seeds + self.questions**2 / n + self.rest**2 / (seeds * n))

    def freedom(self, seeds: int, n: int) -> float:
        """Degrees of freedom of that error when it is estimated from as many seeds and questions; seeds - 1 or more."""
        by_seed, by_question = self.rest**2 + n * self.seeds**2, self.rest**2 + seeds * self.questions**2
        squares = np.array([by_seed, by_question, self.rest**2])
        return float(_freedom(squares, max(0.0, by_question - self.rest**2), seeds, n))


def spread_of(values: np.ndarray) -> Spread:
    """The spread of values of shape (seeds, questions), by analysis of variance; a negative estimate counts as 0.

    Raises DataError for fewer than two seeds or two questions, or values that are not finite.
    """
    squares, (seeds, n) = mean_squares(values), np.shape(values)
    by_seed, by_question, rest = squares
    return Spread(
        math.sqrt(max(0.0, by_seed - rest) / n), math.sqrt(max(0.0, by_question - rest) / seeds), math.sqrt(rest)
    )


def mean_squares(values: np.ndarray) -> np.ndarray:
    """Mean squares between seeds, between questions and of what is left, of values of shape (..., seeds, questions).

    Shape (3, ...). The analysis of variance of two crossed factors without repetition. Raises as :func:`spread_of`.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim < 2 or min(values.shape[-2:]) < 2:
        seeds, n = values.shape[-2:] if values.ndim > 1 else (1, values.size)
        raise DataError(f"{seeds} seed and {n} questions, but a spread between seeds needs at least two of each")
    if not np.isfinite(values).all():
        raise DataError("some values are NaN or infinite; every seed needs a value for every question")
    seeds, n = values.shape[-2:]
    rows, columns = values.mean(axis=-1, keepdims=True), values.mean(axis=-2, keepdims=True)
    whole = values.mean(axis=(-1, -2), keepdims=True)
    rest = values - rows - columns + whole
    return np.array(
        [
            n * ((rows - whole) ** 2).sum(axis=(-1, -2)) / (seeds - 1),
            seeds * ((columns - whole) ** 2).sum(axis=(-1, -2)) / (n - 1),
            (rest**2).sum(axis=(-1, -2)) / ((seeds - 1) * (n - 1)),
        ]
    )


def mean_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard error of the mean of values, shape (..., seeds, questions), and its degrees of freedom, shapes (...).

    For new seeds and new questions. With the mean squares A between seeds, B between questions and E of what is left,
    the variance is (A + max(0, B - E)) / (seeds * questions): questions cannot vary by less than nothing, and where
    they do not vary, what remains is the spread of the seeds' means; where those agree exactly, as counts may, E.
    Degrees of freedom by Satterthwaite (Biometrics Bulletin 1946), at least seeds - 1, with A counted twice: where few
    seeds happen to agree, his rule takes the error for better known than it is (simulated with 3 and 5 seeds, tests
    then err in up to 7.8 and 6.6 % of cases; with A twice in 3.9 to 6.0 %).
    """
    squares, (seeds, n) = mean_squares(values), np.shape(values)[-2:]
    questions = np.maximum(0.0, squares[1] - squares[2])
    variance = squares[0] + questions
    variance = np.where(variance > 1e-12 * squares[2], variance, squares[2])
    return np.sqrt(variance / (seeds * n)), _freedom(squares, questions, seeds, n)


def _freedom(squares: np.ndarray, questions: np.ndarray | float, seeds: int, n: int) -> np.ndarray:
    by_seed, by_question, rest = 2 * squares[0], squares[1], squares[2]
    total = by_seed**2 / (seeds - 1) + by_question**2 / (n - 1) + rest**2 / ((seeds - 1) * (n - 1))
    # Without any spread the error is 0 and every number of degrees would do.
    found = (by_seed + questions) ** 2 / np.where(total > 0, total, 1.0)
    return np.maximum(found, seeds - 1)


# The smallest difference -----------------------------------------------------------------------------------------


def detectable_difference(n: int, discordant_share: float, power: float = POWER, alpha: float = ALPHA) -> float:
    """The smallest difference in accuracy that n common questions find with this power in a two-sided test.

    >>> round(detectable_difference(1000, 0.2), 3)
    0.04

    ``discordant_share`` is the share of questions that exactly one of the two methods answers rightly. Normal
    approximation for McNemar's test (Connor, Biometrics 1987): the difference d at which
    n d^2 = (z_alpha sqrt(s) + z_power sqrt(s - d^2))^2. NaN where even d = s, all discordant questions won by one
    method, would not be found.
    """
    if n < 1 or not 0 < discordant_share <= 1 or not 0 < alpha < power < 1:
        raise ParameterError(
            f"n {n} must be above 0, discordant_share {discordant_share} in (0, 1], and 0 < alpha {alpha} < "
            f"power {power} < 1"
        )
    z_alpha, z_power = scipy.stats.norm.ppf(1 - alpha / 2), scipy.stats.norm.ppf(power)

    def lacking(d: float) -> float:
        spread = math.sqrt(max(0.0, discordant_share - d * d))
        return z_alpha * math.sqrt(discordant_share) + z_power * spread - d * math.sqrt(n)

    if lacking(discordant_share) > 0:
        return math.nan
    return float(scipy.optimize.brentq(lacking, 0.0, discordant_share))


def detectable_mean(n: int, deviation: float, power: float = POWER, alpha: float = ALPHA) -> float:
    """The smallest mean difference of a score (ROUGE, BLEU) that n common questions of one seed find.

    ``deviation`` is the standard deviation of the differences, question by question, in the score's unit. Power of
    the paired t test (non-central t); the bootstrap's is the same at these sizes.
    """
    if n < 2 or deviation < 0 or not 0 < alpha < power < 1:
        raise ParameterError(
            f"n {n} must be 2 or more, deviation {deviation} not negative, and 0 < alpha {alpha} < power {power} < 1"
        )
    return _found_with(power, alpha, deviation / math.sqrt(n), n - 1)


def detectable_over_seeds(seeds: int, n: int, spread: Spread, power: float = POWER, alpha: float = ALPHA) -> float:
    """The smallest mean difference that so many seeds and questions find, in the unit of the spread.

    ``spread`` is that of the paired differences (:func:`spread_of`); it may come from fewer seeds than are planned.
    The true difference is meant: of the method over all seeds and questions like these. Power of the t test of
    :func:`ases.statistics.seed_difference` (non-central t).
    """
    if seeds < 2 or n < 2 or not 0 < alpha < power < 1:
        raise ParameterError(f"seeds {seeds} and n {n} must be 2 or more, and 0 < alpha {alpha} < power {power} < 1")
    return _found_with(power, alpha, spread.error(seeds, n), spread.freedom(seeds, n))


def _found_with(power: float, alpha: float, error: float, freedom: float) -> float:
    """The mean whose t test of this error and these degrees of freedom rejects 0 with this power, either way."""
    limit = scipy.stats.t.ppf(1 - alpha / 2, freedom)

    def lacking(shift: float) -> float:
        # The tail on the other side is so small that scipy may give NaN for it.
        other = np.nan_to_num(scipy.stats.nct.cdf(-limit, freedom, shift))
        return power - scipy.stats.nct.sf(limit, freedom, shift) - other

    return error * _root(lacking, limit)


def _root(lacking: Callable[[float], float], start: float) -> float:
    high = start
    while lacking(high) > 0:
        high *= 2
    return float(scipy.optimize.brentq(lacking, 0.0, high))
