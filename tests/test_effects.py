"""Effect sizes: by hand, against statsmodels, and how often their intervals hold."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import proportion_effectsize

from ases.effects import effect_sizes, share_effects
from ases.errors import DataError


def frame(values: dict[str, np.ndarray], name: str = "correct") -> pd.DataFrame:
    """Predictions from arrays of shape (seeds, questions)."""
    rows = [
        {"method": method, "seed": seed, "qid": f"q{q:03}", name: value}
        for method, table in values.items()
        for seed, row in enumerate(table)
        for q, value in enumerate(row)
    ]
    return pd.DataFrame(rows)


def test_shares_are_those_of_statsmodels() -> None:
    first, second = np.arange(200) < 120, np.arange(200) % 2 == 0
    found = share_effects(first[None], second[None])
    assert found["cohens_h"] == pytest.approx(proportion_effectsize(0.6, 0.5))
    assert found["odds_ratio"] == pytest.approx(Table2x2([[120, 80], [100, 100]]).oddsratio)
    # Answers that have nothing to do with each other: the interval of two separate samples.
    low, high = Table2x2([[120, 80], [100, 100]]).oddsratio_confint()
    assert (found["odds_ratio_low"], found["odds_ratio_high"]) == pytest.approx((low, high), rel=0.02)


def test_pairing_narrows_the_interval() -> None:
    first = np.arange(200) < 110
    alike, apart = np.arange(200) < 100, np.arange(200) >= 100
    near, far = share_effects(first[None], alike[None]), share_effects(first[None], apart[None])
    assert near["cohens_h"] == far["cohens_h"]
    assert near["cohens_h_high"] - near["cohens_h_low"] < (far["cohens_h_high"] - far["cohens_h_low"]) / 3


@pytest.mark.parametrize("seeds", [1, 5])
def test_intervals_hold_the_truth(seeds: int) -> None:
    generator, trials = np.random.default_rng(3), 1000
    # Ease and noise of deviation 1 each: the probability that their sum is above -0.5, and above 0.
    p, q = 0.6382, 0.5
    h = proportion_effectsize(p, q)
    odds = p / (1 - p) / (q / (1 - q))
    held = np.zeros(2)
    for _ in range(trials):
        ease = generator.normal(0, 1, (1, 150))
        first = ease + generator.normal(0.5, 1, (seeds, 150)) > 0
        found = share_effects(first, ease + generator.normal(0, 1, (seeds, 150)) > 0)
        held += [found[f"{name}_low"] <= true <= found[f"{name}_high"] for name, true in
                 (("cohens_h", h), ("odds_ratio", odds))]  # fmt: skip
    assert (held / trials > 0.93).all() and (held / trials < 0.985).all()


def test_no_right_answer_has_no_odds() -> None:
    found = share_effects(np.zeros((1, 9), dtype=bool), np.arange(9)[None] < 4)
    assert math.isnan(found["odds_ratio"]) and math.isnan(found["cohens_h_low"]) and found["cohens_h"] < 0
    with pytest.raises(DataError, match="shapes"):
        share_effects(np.zeros((1, 9), dtype=bool), np.zeros((1, 8), dtype=bool))


def test_the_table_of_shares_and_of_scores() -> None:
    generator = np.random.default_rng(4)
    rights = {"seq2seq": generator.random((3, 80)) < 0.4, "uni-path": generator.random((3, 80)) < 0.7}
    table = effect_sizes(frame(rights), baseline="seq2seq")
    (row,) = table.to_dict("records")
    assert row["seeds"] == 3 and row["n"] == 80 and row["difference"] == pytest.approx(
        rights["uni-path"].mean() - rights["seq2seq"].mean()
    )
    assert row["odds_ratio_low"] < row["odds_ratio"] < row["odds_ratio_high"] and row["odds_ratio_low"] > 1
    scores = {name: table * 0.5 + generator.random((3, 80)) for name, table in rights.items()}
    (row,) = effect_sizes(frame(scores, "rouge_l"), baseline="seq2seq", value="rouge_l").to_dict("records")
    deviation = math.sqrt(sum(one.mean(axis=0).var(ddof=1) for one in scores.values()) / 2)
    assert row["cohens_d"] == pytest.approx(row["difference"] / deviation) and row["cohens_d_low"] < row["cohens_d"]
    assert row["cohens_d_high"] == pytest.approx(row["high"] / deviation) and "odds_ratio" not in row
