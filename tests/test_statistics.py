"""Intervals and tests: against scipy and statsmodels, as properties, and by simulation under no effect."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from ases.errors import DataError, ParameterError
from ases.metrics import bleu, sentence_bleu
from ases.statistics import (
    Interval,
    _two_sided,
    bootstrap_mean,
    compare,
    corpus_bleu_interval,
    holm,
    mcnemar_midp,
    midp,
    paired_difference,
    proportion_interval,
    seed_difference,
    seed_mean,
    summarise,
)

FEW = 400  # bootstrap draws where only the logic is looked at


def right_and_wrong(both: int, b: int, c: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Two methods' answers with b questions right for the first only and c for the second only."""
    first = np.repeat([True, True, False, False], [both, b, c, neither])
    second = np.repeat([True, False, True, False], [both, b, c, neither])
    return first, second


# Single numbers -------------------------------------------------------------------------------------------------


def test_wilson_interval_by_its_formula() -> None:
    k, n, z = 30, 100, scipy.stats.norm.ppf(0.975)
    middle = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    interval = proportion_interval(k, n)
    assert (interval.low, interval.high) == pytest.approx((middle - half, middle + half))
    assert interval.estimate == 0.3 and interval.n == 100
    assert str(interval) == "0.300 [0.219, 0.396]"


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_lies_in_its_interval_and_mirrors(counts: tuple[int, int]) -> None:
    k, n = counts
    interval, mirrored = proportion_interval(k, n), proportion_interval(n - k, n)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
    assert interval.low < interval.high
    assert (interval.low, interval.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_impossible_shares_are_errors(k: int, n: int) -> None:
    with pytest.raises(DataError, match=f"{k} right answers of {n}"):
        proportion_interval(k, n)


def test_bootstrap_of_a_mean_is_close_to_the_normal_interval() -> None:
    values = np.random.default_rng(3).normal(5, 2, 1000)
    interval = bootstrap_mean(values, seed=1)
    half = 1.96 * values.std() / math.sqrt(1000)
    assert interval.estimate == values.mean() and interval.n == 1000
    assert (interval.low, interval.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)
    assert interval == bootstrap_mean(values, seed=1) != bootstrap_mean(values, seed=2)


def test_bootstrap_enumerated_for_two_values() -> None:
    # Samples of (0, 1): 0, 1/2, 1/2, 1 with equal probability, so 2.5 and 97.5 % lie at the ends, 50 % inside.
    interval = bootstrap_mean([0, 1])
    assert (interval.low, interval.estimate, interval.high) == (0, 0.5, 1)
    assert bootstrap_mean([0, 1], level=0.4).low == 0.5 == bootstrap_mean([0, 1], level=0.4).high


def test_degenerate_values() -> None:
    assert bootstrap_mean([0.25] * 9, draws=FEW) == Interval(0.25, 0.25, 0.25, 9)
    single = bootstrap_mean([0.25])
    assert single.estimate == 0.25 and math.isnan(single.low) and math.isnan(single.high)
    for values in ([], [1.0, math.nan], [[1.0]]):
        with pytest.raises(DataError, match="one finite number a question"):
            bootstrap_mean(values)
    with pytest.raises(ParameterError, match="draws is 0"):
        bootstrap_mean([1.0, 2.0], draws=0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40), st.integers(0, 5))
def test_a_mean_lies_in_its_interval(values: list[float], seed: int) -> None:
    interval = bootstrap_mean(values, draws=FEW, seed=seed)
    assert interval.low - 1e-9 <= interval.estimate <= interval.high + 1e-9
    assert min(values) - 1e-9 <= interval.low and interval.high <= max(values) + 1e-9


# Corpus BLEU ----------------------------------------------------------------------------------------------------

WORDS = "she had 32 apples and bought 10 more so now there are 42 of them in all .".split()


def texts(n: int, seed: int) -> tuple[list[str], list[str]]:
    generator = np.random.default_rng(seed)
    references = [" ".join(generator.permutation(WORDS)) for _ in range(n)]
    chains = [" ".join(reference.split()[: generator.integers(4, 17)]) for reference in references]
    return chains, references


def test_corpus_bleu_interval_resamples_questions() -> None:
    chains, references = texts(40, seed=0)
    interval = corpus_bleu_interval(chains, references, draws=300, seed=1)
    assert interval.estimate == bleu(chains, references)
    assert 0 < interval.low < interval.estimate < interval.high < 100 and interval.n == 40
    # The same by tokenising every resampled corpus again.
    generator = np.random.default_rng(9)
    again = []
    for _ in range(150):
        drawn = generator.integers(40, size=40)
        again.append(bleu([chains[i] for i in drawn], [references[i] for i in drawn]))
    assert (interval.low, interval.high) == pytest.approx(np.quantile(again, [0.025, 0.975]), abs=3)
    assert np.quantile(again, 0.975) - np.quantile(again, 0.025) > 15


def test_corpus_bleu_interval_knows_the_direction_and_degenerate_cases() -> None:
    chains, references = texts(10, seed=2)
    assert corpus_bleu_interval(references, chains, draws=50).estimate == bleu(references, chains)
    assert bleu(references, chains) != pytest.approx(bleu(chains, references))
    perfect = corpus_bleu_interval(references, references, draws=50)
    assert (perfect.low, perfect.high) == pytest.approx((100, 100))
    assert corpus_bleu_interval([""] * 3, references[:3], draws=50).high == 0
    assert math.isnan(corpus_bleu_interval(chains[:1], references[:1]).low)
    assert corpus_bleu_interval(["右肺上叶结节"] * 2, ["右肺上叶结节"] * 2, "zh", draws=20).estimate == pytest.approx(
        100
    )


# Paired tests ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("b", "c"), [(0, 1), (1, 0), (3, 9), (9, 3), (5, 6), (0, 12), (20, 41), (130, 90)])
def test_midp_is_the_exact_p_less_the_probability_of_what_was_seen(b: int, c: int) -> None:
    p, only_first, only_second = mcnemar_midp(*right_and_wrong(17, b, c, 4))
    assert midp(np.array([b, 0]), np.array([c, 0])).tolist() == [p, 1]
    exact = mcnemar([[17, b], [c, 4]], exact=True).pvalue
    assert (only_first, only_second) == (b, c)
    assert p == pytest.approx(exact - scipy.stats.binom.pmf(b, b + c, 0.5))


@pytest.mark.parametrize("discordant", [0, 1, 4, 30])
def test_midp_is_one_where_neither_method_is_ahead(discordant: int) -> None:
    assert mcnemar_midp(*right_and_wrong(5, discordant, discordant, 5)) == (pytest.approx(1), discordant, discordant)


def test_midp_by_hand() -> None:
    # Six discordant questions, all won by one: 2 * (1/2)^6 less half of it.
    assert mcnemar_midp(*right_and_wrong(0, 6, 0, 0))[0] == pytest.approx(1 / 64)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=80))
def test_midp_is_symmetric_and_a_probability(pairs: list[tuple[bool, bool]]) -> None:
    first = np.array([left for left, _ in pairs], dtype=bool)
    second = np.array([right for _, right in pairs], dtype=bool)
    p, b, c = mcnemar_midp(first, second)
    assert 0 < p <= 1
    assert mcnemar_midp(second, first) == (p, c, b)


def test_midp_refuses_what_is_not_right_or_wrong() -> None:
    with pytest.raises(DataError, match="right or wrong"):
        mcnemar_midp([0.5, 1.0], [True, False])
    with pytest.raises(DataError, match="2 questions.*1 of the other"):
        mcnemar_midp([True, False], [True])


def test_paired_difference_uses_the_pairs() -> None:
    generator = np.random.default_rng(0)
    level = generator.normal(0, 10, 500)
    first, second = level + generator.normal(0.5, 1, 500), level
    interval, p = paired_difference(first, second, draws=2000)
    assert interval.low < 0.5 < interval.high and interval.high - interval.low < 0.3
    assert p == pytest.approx(2 / 2001)
    # The same values, wrongly paired, show nothing.
    shuffled, p_shuffled = paired_difference(first, generator.permutation(second), draws=2000)
    assert shuffled.estimate == pytest.approx(interval.estimate)
    assert shuffled.high - shuffled.low > 2 and p_shuffled > 0.05


def test_paired_difference_of_equal_and_of_single_values() -> None:
    interval, p = paired_difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], draws=FEW)
    assert (interval.low, interval.estimate, interval.high, p) == (0, 0, 0, 1)
    interval, p = paired_difference([1.0], [0.0])
    assert math.isnan(interval.low) and p == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=30), st.integers(0, 3))
def test_paired_difference_is_antisymmetric_and_p_agrees_with_the_interval(pairs: list, seed: int) -> None:
    first, second = map(list, zip(*pairs, strict=True))
    interval, p = paired_difference(first, second, draws=FEW, seed=seed)
    mirrored, p_mirrored = paired_difference(second, first, draws=FEW, seed=seed)
    assert 0 < p <= 1 and p == pytest.approx(p_mirrored)
    assert (interval.low, interval.high) == pytest.approx((-mirrored.high, -mirrored.low), abs=1e-12)
    assert interval.low - 1e-9 <= interval.estimate <= interval.high + 1e-9
    if p < 0.04:
        assert interval.low > 0 or interval.high < 0
    if p > 0.06:
        assert interval.low <= 0 <= interval.high


def test_memory_does_not_grow_with_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    # In chunks of a few rows the draws are other ones, but the distribution is the same.
    values = np.random.default_rng(1).normal(0, 1, (3, 50))
    whole = bootstrap_mean(values[2], draws=4000)
    monkeypatch.setattr("ases.statistics._CELLS", 200)
    pieces = bootstrap_mean(values[2], draws=4000)
    assert (pieces.low, pieces.high) == pytest.approx((whole.low, whole.high), abs=0.03)
    paired = paired_difference(values[0], values[1], draws=500)[0]
    assert paired.low < paired.estimate < paired.high


# Several seeds --------------------------------------------------------------------------------------------------


def test_the_spread_between_seeds_widens_the_interval() -> None:
    generator = np.random.default_rng(4)
    noise = generator.normal(0, 1, (5, 400))
    alike = seed_difference(noise + 0.2, np.zeros((5, 400)))[0]
    seeds = np.array([-0.4, -0.1, 0.0, 0.1, 0.4])[:, None]
    apart = seed_difference(noise + 0.2 + seeds, np.zeros((5, 400)))[0]
    assert apart.estimate == pytest.approx(alike.estimate)
    assert apart.high - apart.low > 2 * (alike.high - alike.low)
    assert alike.low > 0 > apart.low


def test_where_questions_do_not_vary_it_is_the_t_test_of_the_seeds() -> None:
    seeds = np.array([0.1, 0.3, 0.4, 0.8])
    values = np.repeat(seeds[:, None], 20, axis=1)
    interval, p = seed_difference(values, np.zeros_like(values))
    theirs = scipy.stats.ttest_1samp(seeds, 0)
    assert p == pytest.approx(theirs.pvalue)
    assert (interval.low, interval.high) == pytest.approx(tuple(theirs.confidence_interval()))
    assert interval.n == 20


def test_where_seeds_are_alike_it_is_the_t_test_of_the_questions() -> None:
    questions = np.random.default_rng(5).normal(0.1, 1, 500)
    values = np.repeat(questions[None], 5, axis=0)
    interval, p = seed_difference(values, np.zeros_like(values))
    theirs = scipy.stats.ttest_1samp(questions, 0)
    assert p == pytest.approx(theirs.pvalue, rel=1e-6)
    assert (interval.low, interval.high) == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-6)


def test_without_any_spread_an_interval_has_no_width() -> None:
    interval, p = seed_difference(np.full((3, 4), 0.5), np.full((3, 4), 0.5))
    assert (interval.low, interval.high, p) == (0, 0, 1)
    assert seed_difference(np.full((3, 4), 0.5), np.zeros((3, 4)))[1] == 0


def test_a_mean_over_seeds_stays_among_its_values() -> None:
    nearly_all = np.ones((3, 30), dtype=bool)
    nearly_all[0, 0] = False
    interval = seed_mean(nearly_all)
    assert interval.high == 1.0 and interval.low < interval.estimate == 89 / 90


def test_seed_difference_refuses_one_seed_and_other_shapes() -> None:
    with pytest.raises(DataError, match="at least two"):
        seed_difference(np.zeros((1, 5)), np.zeros((1, 5)))
    with pytest.raises(DataError, match=r"\(2, 5\) and \(2, 4\)"):
        seed_difference(np.zeros((2, 5)), np.zeros((2, 4)))
    with pytest.raises(DataError, match="NaN"):
        seed_difference(np.full((2, 5), np.nan), np.zeros((2, 5)))


# Simulations, under a fixed seed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [300, 1000])
def test_midp_errs_in_one_case_of_twenty_when_nothing_differs(n: int) -> None:
    # 20 % of the questions discordant, either way alike.
    draws = 20_000
    generator = np.random.default_rng(7)
    counts = generator.multinomial(n, [0.5, 0.1, 0.1, 0.3], size=draws)
    p = midp(counts[:, 1], counts[:, 2])
    exact = p + scipy.stats.binom.pmf(counts[:, 1], counts[:, 1] + counts[:, 2], 0.5)
    assert 0.04 < (p < 0.05).mean() < 0.06
    assert (exact < 0.05).mean() < (p < 0.05).mean()  # why mid-p


@pytest.mark.parametrize("n", [200, 1000])
def test_the_bootstrap_errs_in_one_case_of_twenty_when_nothing_differs(n: int) -> None:
    # Half of the cases right or wrong, half scores. Equal seeds draw equal questions, so that one matrix of how often
    # each is drawn gives the same means as 4,000 calls.
    trials, draws = 4000, 1000
    generator = np.random.default_rng(8)
    rights = generator.random((2, trials // 2, n)) < 0.6
    ease = generator.normal(0, 1, (trials // 2, n))
    scores = scipy.special.expit(ease + generator.normal(0, 1, (2, trials // 2, n)))
    difference = np.concatenate([rights[0] * 1.0 - rights[1], scores[0] - scores[1]])
    drawn = np.random.default_rng(0).integers(0, n, size=(draws, n)) + np.arange(draws)[:, None] * n
    counts = np.bincount(drawn.ravel(), minlength=draws * n).reshape(draws, n)
    means = difference @ counts.T / n
    for trial in (0, 1, trials - 1):
        interval, p = paired_difference(difference[trial], np.zeros(n), draws=draws)
        assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(means[trial], [0.025, 0.975])))
        assert p == pytest.approx(_two_sided(np.round(means[trial], 12)))
    p = np.array([_two_sided(np.round(one, 12)) for one in means])
    assert 0.04 < (p < 0.05).mean() < 0.06
    assert 0.04 < (p[: trials // 2] < 0.05).mean() < 0.065


# Several comparisons --------------------------------------------------------------------------------------------


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_order_and_never_lowers(p_values: list[float]) -> None:
    corrected = holm(p_values)
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(corrected[order]) >= -1e-12).all()
    assert (corrected >= np.array(p_values) - 1e-12).all() and (corrected <= 1).all()
    assert (corrected <= np.minimum(1, np.array(p_values) * len(p_values)) + 1e-12).all()


# Tables ---------------------------------------------------------------------------------------------------------


def predictions(seeds: int = 1, n: int = 60) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    rows = []
    for method, chance in (("seq2seq", 0.4), ("uni-path", 0.8), ("dual-path", 0.45)):
        for seed in range(seeds):
            for q in range(n):
                correct = bool(generator.random() < chance)
                rows.append((method, seed, f"q{q}", correct, 40.0 * correct + q / n, correct * 0.5 + q / (2 * n)))
    return pd.DataFrame(rows, columns=["method", "seed", "qid", "correct", "bleu", "rouge_l"])


def test_one_seed_is_compared_by_midp() -> None:
    table = predictions()
    result = compare(table, baseline="seq2seq")
    assert result["method"].tolist() == ["uni-path", "dual-path"]
    assert result["test"].tolist() == ["mcnemar", "mcnemar"]
    wide = table.pivot(index="qid", columns="method", values="correct")
    for row in result.itertuples():
        p, b, c = mcnemar_midp(wide[row.method].to_numpy(bool), wide["seq2seq"].to_numpy(bool))
        assert (row.p, row.only_method, row.only_baseline) == (p, b, c)
        assert row.difference == pytest.approx((b - c) / 60)
        assert row.low < row.difference < row.high and row.n == 60 and row.seeds == 1
    assert result["p_holm"].tolist() == pytest.approx(holm(result["p"]).tolist())
    assert result.loc[0, "p_holm"] == pytest.approx(2 * result.loc[0, "p"])
    assert result.loc[0, "difference"] > 0.2 and result.loc[0, "low"] > 0


def test_scores_are_compared_by_bootstrap_and_seeds_by_both() -> None:
    one = compare(predictions(), baseline="seq2seq", value="bleu", draws=FEW)
    assert set(one["test"]) == {"bootstrap"} and one["only_method"].isna().all()
    wide = predictions().pivot(index="qid", columns="method", values="bleu")
    assert one.loc[0, "difference"] == pytest.approx((wide["uni-path"] - wide["seq2seq"]).mean())
    several = compare(predictions(seeds=3), baseline="seq2seq", draws=FEW)
    assert set(several["test"]) == {"seeds x questions"} and set(several["seeds"]) == {3}
    assert set(several["n"]) == {60}
    assert several.loc[0, "low"] > 0 and several.loc[0, "p"] < 0.05
    assert several.loc[1, "low"] < 0.05 < several.loc[1, "high"]


@pytest.mark.parametrize(("seeds", "value"), [(1, "correct"), (1, "rouge_l"), (3, "correct"), (3, "rouge_l")])
def test_the_order_of_rows_does_not_matter(seeds: int, value: str) -> None:
    table = predictions(seeds)
    one = compare(table, baseline="seq2seq", value=value, draws=FEW).set_index("method")
    shuffled = compare(table.sample(frac=1, random_state=1), baseline="seq2seq", value=value, draws=FEW)
    pd.testing.assert_frame_equal(shuffled.set_index("method").loc[one.index], one)


def test_methods_must_share_their_questions() -> None:
    table = predictions(seeds=2)
    lacking = table[~((table["method"] == "dual-path") & (table["seed"] == 1) & table["qid"].isin(["q3", "q7"]))]
    with pytest.raises(DataError, match="'dual-path', seed 1: 2 of 60 .* the first 'q3'"):
        compare(lacking, baseline="seq2seq")
    with pytest.raises(DataError, match="'dual-path', seed 1: 2 of 60"):
        summarise(lacking)
    no_second_seed = table[(table["method"] != "uni-path") | (table["seed"] == 0)]
    with pytest.raises(DataError, match="'uni-path', seed 1: 60 of 60"):
        compare(no_second_seed, baseline="seq2seq")


def test_tables_that_cannot_be_compared_are_errors() -> None:
    table = predictions()
    with pytest.raises(DataError, match="lack the columns rouge_9"):
        compare(table, baseline="seq2seq", value="rouge_9")
    with pytest.raises(DataError, match="baseline 'gold' is not among .*seq2seq"):
        compare(table, baseline="gold")
    with pytest.raises(DataError, match="only method"):
        compare(table[table["method"] == "seq2seq"], baseline="seq2seq")
    with pytest.raises(DataError, match="1 predictions occur twice.*method seq2seq, seed 0, qid q0"):
        compare(pd.concat([table, table.iloc[:1]]), baseline="seq2seq")
    with pytest.raises(DataError, match="180 rows .* have no bleu"):
        compare(table.assign(bleu=math.nan), baseline="seq2seq", value="bleu")
    with pytest.raises(DataError, match="no rows"):
        summarise(table.iloc[:0])


def test_summary_of_one_seed_is_wilson_and_of_scores_bootstrap() -> None:
    table = predictions()
    accuracy = summarise(table).set_index("method")
    right = int(table.loc[table["method"] == "uni-path", "correct"].sum())
    wilson = proportion_interval(right, 60)
    row = accuracy.loc["uni-path"]
    assert (row["mean"], row["low"], row["high"], row["n"], row["seeds"]) == (
        right / 60,
        wilson.low,
        wilson.high,
        60,
        1,
    )
    scores = summarise(table, value="rouge_l", draws=FEW).set_index("method")
    values = table[table["method"] == "uni-path"].sort_values("qid")["rouge_l"].to_numpy()
    assert scores.loc["uni-path", "low"] == bootstrap_mean(values, draws=FEW).low
    assert accuracy.index.tolist() == ["seq2seq", "uni-path", "dual-path"]


def test_summary_of_several_seeds_counts_questions_once() -> None:
    table = predictions(seeds=3)
    summary = summarise(table, draws=2000).set_index("method")
    assert set(summary["n"]) == {60} and set(summary["seeds"]) == {3}
    means = table.groupby("method")["correct"].mean()
    assert summary["mean"].to_dict() == pytest.approx(means.to_dict())
    assert (summary["low"] < summary["mean"]).all() and (summary["mean"] < summary["high"]).all()


def test_sentence_bleu_is_what_is_compared_and_it_is_finite() -> None:
    chains, references = texts(20, seed=5)
    better, worse = sentence_bleu(references, references), sentence_bleu(chains, references)
    frame = pd.DataFrame(
        {"method": ["a"] * 20 + ["b"] * 20, "seed": 0, "qid": [*range(20)] * 2, "bleu": [*worse, *better]}
    )
    result = compare(frame, baseline="a", value="bleu", draws=FEW)
    assert result.loc[0, "difference"] == pytest.approx((better - worse).mean()) and result.loc[0, "low"] > 0
