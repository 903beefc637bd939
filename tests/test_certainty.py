"""Effect sizes, power and seeds of the headline measure, and the sentences that quote them."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest

from ases.certainty import (
    effect_sentences,
    effect_table,
    few_seeds,
    power_sentence,
    power_table,
    seed_sentence,
    seed_table,
    seeds_needed,
)
from ases.effects import effect_sizes
from ases.power import Spread, detectable_difference, detectable_mean, detectable_over_seeds, spread_of

RIGHTS = {"uni-path": [True] * 80 + [False] * 20, "seq2seq": [True] * 50 + [False] * 50}


def predictions(seeds: int = 1) -> pd.DataFrame:
    """Word problems; under seed 1 ten fewer of uni-path are right, under seed 2 five more."""
    rows = []
    for method, values in RIGHTS.items():
        for seed in range(seeds):
            changed = list(values)
            if method == "uni-path" and seed:
                for place in range(10) if seed == 1 else range(80, 85):
                    changed[place] = seed == 2
            rows += [{"method": method, "seed": seed, "qid": f"q{n:03}", "correct": v} for n, v in enumerate(changed)]
    return pd.DataFrame(rows)


def reports(seeds: int = 1) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    rows = [
        {"method": method, "seed": seed, "qid": f"q{n:03}", "correct": None, "rouge_l": level + generator.random() / 5}
        for method, level in (("uni-path", 0.45), ("seq2seq", 0.4))
        for seed in range(seeds)
        for n in range(100)
    ]
    return pd.DataFrame(rows).astype({"correct": "boolean"})


def wide(table: pd.DataFrame, value: str) -> tuple[np.ndarray, np.ndarray]:
    return tuple(
        table[table["method"] == method].pivot(index="seed", columns="qid", values=value).to_numpy(float)
        for method in ("uni-path", "seq2seq")
    )


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"[+-]?\d+(?:\.\d+)?", text)]


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize(("table", "value"), [(predictions, "correct"), (reports, "rouge_l")])
def test_effects_are_those_of_the_headline_measure(table, value: str, seeds: int) -> None:
    found = effect_table(table(seeds))
    expected = effect_sizes(table(seeds), baseline="seq2seq", value=value)
    assert found["method"].tolist() == ["uni-path"]
    pd.testing.assert_frame_equal(found[["difference", "low", "high"]], expected[["difference", "low", "high"]])
    alone = effect_table(table(seeds).query("method == 'seq2seq'"))
    assert alone.empty and list(alone) == list(found) and effect_sentences(alone) == []


def test_effects_in_words_are_the_tables_and_cohens() -> None:
    effects = effect_table(predictions())
    (line,) = effect_sentences(effects)
    row = effects.iloc[0]
    assert f"odds of a right answer are {row['odds_ratio']:.2f} (95 % interval " in line
    h, low, high = row[["cohens_h", "cohens_h_low", "cohens_h_high"]]
    assert f"h = {h:+.2f} (95 % interval {low:+.2f} to {high:+.2f})" in line
    assert 0.5 < row["cohens_h"] < 0.8 and line.endswith("by his words a medium effect.")
    for size, word in ((-0.19, "negligible"), (0.2, "small"), (-0.5, "medium"), (0.81, "large")):
        assert f"a {word} effect" in effect_sentences(effects.assign(cohens_h=size))[0]
    (line,) = effect_sentences(effect_table(reports()))
    assert "Cohen's d = +" in line and "odds" not in line
    never = predictions().assign(correct=lambda t: t["method"] == "uni-path")
    (line,) = effect_sentences(effect_table(never))
    assert "h = +3.14, by his words a large effect" in line and "odds" not in line and "nan" not in line


def test_power_follows_from_how_often_two_methods_disagree() -> None:
    (row,) = power_table(predictions()).to_dict("records")
    assert (row["n"], row["seeds"], row["disagree"]) == (100, 1, pytest.approx(0.3))
    assert row["detectable_difference"] == detectable_difference(100, 0.3)
    first, second = wide(reports(), "rouge_l")
    (row,) = power_table(reports()).to_dict("records")
    assert row["deviation"] == pytest.approx((first - second).std(ddof=1))
    assert row["detectable_difference"] == pytest.approx(detectable_mean(100, row["deviation"]))


def test_power_over_seeds_follows_from_how_differences_spread() -> None:
    first, second = wide(predictions(3), "correct")
    spread = spread_of(first - second)
    (row,) = power_table(predictions(3)).to_dict("records")
    assert (row["n"], row["seeds"], row["question_spread"]) == (100, 3, spread.questions)
    assert row["detectable_difference"] == detectable_over_seeds(3, 100, spread)


def test_power_in_words() -> None:
    power = power_table(predictions())
    text = power_sentence(power)
    assert "With 100 test questions and one seed" in text and "seq2seq below " in text
    assert 100 * power["detectable_difference"][0] == pytest.approx(numbers(text.split("below")[1])[0], abs=0.05)
    both = pd.concat([power, power.assign(method="dual-path", detectable_difference=0.02)])
    assert re.search(r"below 2\.0 to \d+\.\d points, by method,", power_sentence(both))
    none = power_sentence(power.assign(detectable_difference=math.nan))
    assert none == "For uni-path these questions could show no difference at all."
    same = reports().assign(rouge_l=0.5)
    assert power_sentence(power_table(same)) == none, "without any spread no test can be planned"
    assert "ROUGE-L" in power_sentence(power_table(reports())) and "3 seeds" in power_sentence(power_table(reports(3)))
    alone = power_table(predictions().query("method == 'seq2seq'"))
    assert alone.empty and "no method beside seq2seq" in power_sentence(alone)


def test_of_one_seed_nothing_is_said_about_seeds() -> None:
    table = seed_table(predictions())
    assert table["method"].tolist() == ["seq2seq", "uni-path"] and table["deviation"].isna().all()
    assert table["mean"].tolist() == [0.5, 0.8]
    assert "say nothing about seeds" in seed_sentence(table)


def test_of_several_seeds_their_spread() -> None:
    table = seed_table(predictions(3)).set_index("method")
    means = [0.8, 0.7, 0.85]
    assert table.loc["uni-path", "deviation"] == pytest.approx(np.std(means, ddof=1))
    assert table.loc["uni-path", ["lowest", "highest"]].tolist() == [0.7, 0.85]
    text = seed_sentence(table.reset_index())
    assert "Over 3 seeds accuracy spreads most for uni-path: from 70.0% to 85.0%" in text
    assert f"deviation of {100 * np.std(means, ddof=1):.1f} points" in text
    assert "Two seeds" not in text
    two = seed_sentence(seed_table(reports(2)))
    assert "ROUGE-L spreads most" in two and two.endswith(few_seeds(2))


def test_only_of_two_seeds_it_is_said_that_they_are_too_few() -> None:
    assert few_seeds(2).startswith("Two seeds are too few")
    assert [few_seeds(seeds) for seeds in (1, 3, 5)] == ["", "", ""]


def spread_row(seeds: float, questions: float, rest: float, n: int = 1000) -> pd.DataFrame:
    return pd.DataFrame([{"n": n, "seed_spread": seeds, "question_spread": questions, "rest": rest}])


@pytest.mark.parametrize(("seeds", "questions", "rest"), [(0.04, 0.1, 0.5), (0.01, 0.0, 0.3), (0.2, 0.0, 0.0)])
def test_the_seeds_needed_are_the_fewest_that_find_the_difference(seeds: float, questions: float, rest: float) -> None:
    (needed,) = seeds_needed(spread_row(seeds, questions, rest), 0.03)
    spread = Spread(seeds, questions, rest)
    assert needed >= 2 and detectable_over_seeds(int(needed), 1000, spread) <= 0.03
    assert needed == 2 or detectable_over_seeds(int(needed) - 1, 1000, spread) > 0.03


def test_where_questions_vary_too_much_no_number_of_seeds_is_enough() -> None:
    table = pd.concat([spread_row(0.04, 0.5, 0.5), spread_row(0.04, 0.5, 0.5, n=100_000)])
    few, many = seeds_needed(table, 0.03)
    assert math.isnan(few) and 2 < many < 50
