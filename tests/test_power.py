"""Spread over seeds and questions, and what it lets one find: by hand, against statsmodels, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.power import TTestPower

from ases.errors import DataError, ParameterError
from ases.power import (
    Spread,
    detectable_difference,
    detectable_mean,
    detectable_over_seeds,
    mean_error,
    mean_squares,
    spread_of,
)
from ases.statistics import midp, seed_difference

KINDS = {
    # spread between seeds, noise, and what a method makes of each question; then the rates: 5 seeds, 3 seeds
    "alike": (0.0, 1.0, 0.0),
    "seeds": (0.1, 1.0, 0.0),
    "questions": (0.0, 0.5, 0.7),
    "both": (0.1, 0.5, 0.7),
    "seeds most": (0.3, 0.5, 0.7),
}


def differences(
    generator: np.random.Generator, trials: int, seeds: int, n: int, kind: str, gain: float = 0.0
) -> np.ndarray:
    """Right or wrong of one method less that of another, shape (trials, seeds, questions).

    A question is solved when its ease, what the method makes of it, the run's luck, noise and ``gain`` exceed 0.
    """
    spread, noise, taste = KINDS[kind]
    ease = 0.3 + generator.standard_normal((trials, 1, n), np.float32)

    def method(gain: float) -> np.ndarray:
        luck = spread * generator.standard_normal((trials, seeds, 1), np.float32)
        own = taste * generator.standard_normal((trials, 1, n), np.float32)
        return ease + own + luck + noise * generator.standard_normal((trials, seeds, n), np.float32) + gain > 0

    return method(gain).astype(np.float32) - method(0.0)


def rejected(values: np.ndarray) -> np.ndarray:
    error, freedom = mean_error(values)
    mean = np.abs(values.mean(axis=(-1, -2), dtype=float))
    return 2 * scipy.stats.t.sf(mean / np.where(error > 0, error, 1), freedom) < 0.05


# Spread ---------------------------------------------------------------------------------------------------------


def test_mean_squares_are_those_of_statsmodels() -> None:
    values = np.random.default_rng(0).normal(0, 1, (4, 12)) + np.arange(4)[:, None] + np.arange(12) / 3
    table = pd.DataFrame(values).melt(ignore_index=False, var_name="q", value_name="y").rename_axis("s").reset_index()
    theirs = anova_lm(ols("y ~ C(s) + C(q)", table).fit())
    assert mean_squares(values) == pytest.approx(theirs["mean_sq"].to_numpy())
    assert mean_squares(np.stack([values, 2 * values]))[:, 1] == pytest.approx(4 * mean_squares(values))


def test_spread_is_found_again() -> None:
    generator = np.random.default_rng(1)
    values = generator.normal(0, 0.5, (60, 1)) + generator.normal(0, 2, (1, 800)) + generator.normal(0, 1, (60, 800))
    spread = spread_of(values)
    assert (spread.seeds, spread.questions, spread.rest) == pytest.approx((0.5, 2, 1), rel=0.15)
    error, freedom = mean_error(values)
    assert spread.error(60, 800) == pytest.approx(float(error)) and spread.freedom(60, 800) == pytest.approx(freedom)


def test_less_than_no_spread_counts_as_none() -> None:
    spread = spread_of(np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert (spread.seeds, spread.questions) == (0, 0) and spread.rest > 0


def test_the_error_is_never_nothing_where_values_vary() -> None:
    # The seeds agree to the last digit, and questions vary less than noise would make them.
    error, freedom = mean_error(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    assert error > 0 and freedom >= 2


@given(st.integers(2, 5), st.integers(2, 8), st.integers(0, 10_000))
def test_errors_do_not_depend_on_level_or_order(seeds: int, n: int, draw: int) -> None:
    generator = np.random.default_rng(draw)
    values = generator.normal(0, 1, (seeds, n))
    error, freedom = mean_error(values)
    shuffled = generator.permutation(generator.permutation(values + 7, axis=0), axis=1)
    assert mean_error(shuffled)[0] == pytest.approx(error) and mean_error(3 * values)[0] == pytest.approx(3 * error)
    assert freedom >= seeds - 1 and mean_error(shuffled)[1] == pytest.approx(freedom)


def test_spread_needs_two_seeds_and_numbers() -> None:
    with pytest.raises(DataError, match="1 seed and 5 questions"):
        spread_of(np.zeros((1, 5)))
    with pytest.raises(DataError, match="NaN"):
        spread_of(np.full((2, 5), np.nan))


# Simulations, under a fixed seed --------------------------------------------------------------------------------


def wrong_rate(kind: str, seeds: int) -> float:
    """How often two equal methods are told apart, of 8,000 draws."""
    generator = np.random.default_rng(11)
    return float(np.mean([rejected(differences(generator, 500, seeds, 300, kind)).mean() for _ in range(16)]))


@pytest.mark.parametrize("seeds", [5, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_five_and_three_seeds_err_in_one_case_of_twenty_when_nothing_differs(kind: str, seeds: int) -> None:
    assert 0.04 < wrong_rate(kind, seeds) <= 0.06


def test_two_seeds_are_too_few() -> None:
    # The docstring of seed_difference quotes these rates, and few_seeds says so wherever two seeds are compared.
    rates = {kind: wrong_rate(kind, 2) for kind in KINDS}
    assert max(rates, key=rates.get) == "seeds most" and 0.06 < rates["seeds most"] < 0.12
    assert min(rates.values()) > 0.02


def test_a_percentile_bootstrap_does_not_hold_its_level_with_five_seeds() -> None:
    # Why the test is not that bootstrap: it errs in one case of ten where seeds vary, in hardly any where not.
    generator, draws, rates = np.random.default_rng(12), 200, {}
    rows = 1 + math.sqrt(5 / 4) * (generator.multinomial(5, [0.2] * 5, size=draws) - 1)
    columns = generator.multinomial(300, [1 / 300] * 300, size=draws) / 300
    for kind in ("alike", "seeds most"):
        values = differences(generator, 1000, 5, 300, kind)
        low, high = np.quantile(((values @ columns.T.astype(np.float32)) * rows.T).mean(axis=1), [0.025, 0.975], axis=1)
        rates[kind] = np.mean((low > 0) | (high < 0))
    assert rates["alike"] < 0.02 and rates["seeds most"] > 0.08


def test_what_is_simulated_is_what_is_used() -> None:
    for one in differences(np.random.default_rng(13), 40, 5, 100, "seeds most"):
        assert (seed_difference(one, np.zeros_like(one))[1] < 0.05) == rejected(one)


@pytest.mark.parametrize("seeds", [5, 3])
def test_detectable_difference_over_seeds_is_found_with_the_promised_power(seeds: int) -> None:
    generator, spread = np.random.default_rng(14), Spread(0.02, 0.2, 0.4)
    d = detectable_over_seeds(seeds, 300, spread)
    found = [
        rejected(
            d
            + generator.normal(0, spread.seeds, (500, seeds, 1))
            + generator.normal(0, spread.questions, (500, 1, 300))
            + generator.normal(0, spread.rest, (500, seeds, 300))
        ).mean()
        for _ in range(8)
    ]
    assert 0.77 < np.mean(found) < 0.83


def test_detectable_difference_is_found_with_the_promised_power() -> None:
    n, share = 1000, 0.2
    d = detectable_difference(n, share)
    generator = np.random.default_rng(10)
    counts = generator.multinomial(n, [1 - share, (share + d) / 2, (share - d) / 2], size=4000)
    assert 0.77 < (midp(counts[:, 1], counts[:, 2]) < 0.05).mean() < 0.83


def test_detectable_difference_falls_with_n_and_rises_with_discordance() -> None:
    by_n = [detectable_difference(n, 0.2) for n in (100, 300, 1000, 10_000)]
    assert by_n == sorted(by_n, reverse=True)
    assert detectable_difference(1000, 0.1) < detectable_difference(1000, 0.4)
    assert detectable_difference(1000, 0.2, power=0.8) < detectable_difference(1000, 0.2, power=0.9)
    assert math.isnan(detectable_difference(10, 0.1))
    z = scipy.stats.norm.ppf([0.975, 0.8])
    d = by_n[2]
    assert (z[0] * math.sqrt(0.2) + z[1] * math.sqrt(0.2 - d * d)) ** 2 / d**2 == pytest.approx(1000)
    with pytest.raises(ParameterError, match="discordant_share 0"):
        detectable_difference(100, 0)


# Scores and seeds -----------------------------------------------------------------------------------------------


def test_detectable_mean_is_that_of_statsmodels() -> None:
    theirs = TTestPower().solve_power(nobs=50, alpha=0.05, power=0.8)
    assert detectable_mean(50, 2.0) == pytest.approx(2 * theirs, rel=1e-4)
    assert detectable_mean(50, 0.0) == 0
    with pytest.raises(ParameterError, match="n 1"):
        detectable_mean(1, 1.0)


def test_seeds_without_other_spread_are_a_t_test_of_the_seeds() -> None:
    theirs = TTestPower().solve_power(nobs=5, alpha=0.05, power=0.8)
    assert detectable_over_seeds(5, 10**9, Spread(0.03, 0, 0)) == pytest.approx(0.03 * theirs, rel=1e-4)


def test_more_seeds_and_questions_find_less() -> None:
    spread = Spread(0.02, 0.3, 0.4)
    by_seeds = [detectable_over_seeds(seeds, 500, spread) for seeds in (2, 3, 5, 10, 100)]
    assert by_seeds == sorted(by_seeds, reverse=True)
    # Questions stay the same ones, however many seeds: their spread remains.
    assert by_seeds[-1] > 2.8 * 0.3 / math.sqrt(500)
    assert detectable_over_seeds(5, 5000, spread) < by_seeds[2]
    with pytest.raises(ParameterError, match="seeds 1"):
        detectable_over_seeds(1, 500, spread)
