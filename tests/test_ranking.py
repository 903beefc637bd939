"""AUC and its intervals against plain counting and resampling, and what a score owes to length."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ases.errors import DataError
from ases.ranking import auc_table, length_sentence, length_share, rank
from tests.detection_tables import pieces_of, problems_scored, scores_of


def counted(scores: np.ndarray, gold: np.ndarray) -> float:
    """AUC by comparing every pair."""
    pairs = [(high > low) + (high == low) / 2 for high in scores[gold] for low in scores[~gold]]
    return float(np.mean(pairs))


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=20))
def test_auc_counts_pairs_and_halves_ties(rows: list[tuple[int, bool]]) -> None:
    scores, gold = np.array([float(score) for score, _ in rows]), np.array([truth for _, truth in rows])
    ranking = rank(scores[None], gold, np.arange(len(rows)))
    if gold.all() or not gold.any():
        assert ranking is None
        return
    assert ranking.estimate == pytest.approx(counted(scores, gold))
    assert ranking.influence.sum() == pytest.approx(0, abs=1e-9)
    flipped = rank(-scores[None], gold, np.arange(len(rows)))
    assert flipped.estimate == pytest.approx(1 - ranking.estimate)
    low, high = ranking.interval()
    assert 0 <= low <= ranking.estimate + 1e-12 and ranking.estimate - 1e-12 <= high <= 1


def test_an_exact_table_within_examples_and_raw() -> None:
    pieces = pieces_of({"q1": "EA", "q2": "EA"})
    scores = scores_of({"q1": [1, 3], "q2": [10, 30]})  # the same within each example, ten times apart
    (row,) = auc_table(pieces, scores).to_dict("records")
    assert (row["auc"], row["auc_low"], row["auc_high"]) == (1, 1, 1)
    assert row["raw"] == 0.75 and row["raw_low"] <= 0.75 <= row["raw_high"]
    assert (row["as_pieces"], row["pieces"], row["examples"], row["seeds"]) == (2, 4, 2, 1)


def test_the_error_is_that_of_resampled_examples() -> None:
    generator = np.random.default_rng(0)
    examples = np.repeat(np.arange(80), 5)
    gold = generator.random(400) < generator.choice([0.1, 0.9], 80)[examples]
    shared = generator.normal(0, 1.0, 80)[examples]  # pieces of one example go together
    scores = gold * 0.8 + shared + generator.normal(0, 0.5, 400)
    ranking = rank(scores[None], gold, examples)
    drawn = []
    for _ in range(600):
        at = np.concatenate([np.flatnonzero(examples == one) for one in generator.integers(80, size=80)])
        drawn.append(rank(scores[None, at], gold[at], np.zeros(len(at), dtype=int)).estimate)
    assert ranking.error == pytest.approx(np.std(drawn), rel=0.15)
    alone = rank(scores[None], gold, np.arange(400))
    assert alone.error != pytest.approx(ranking.error, rel=0.15), "examples matter here"


def test_seeds_add_their_own_variance() -> None:
    gold, examples = np.array([True, False] * 30), np.arange(60) // 2
    generator = np.random.default_rng(0)
    one = generator.normal(gold.astype(float), 1)
    other = generator.normal(2.0 * gold, 1)
    first, second = rank(one[None], gold, examples), rank(other[None], gold, examples)
    both = rank(np.stack([one, other]), gold, examples)
    assert both.estimate == pytest.approx((first.estimate + second.estimate) / 2)
    # Two seeds: the unbiased variance between them is half their squared difference, and their mean has half of that.
    between = (first.estimate - second.estimate) ** 2 / 4
    pulled = ((first.influence + second.influence) / 2) ** 2
    assert both.error == pytest.approx(math.sqrt(pulled.sum() * 30 / 29 + between))


def test_one_example_has_no_interval_and_splits_without_gold_no_row() -> None:
    pieces = pd.concat([pieces_of({"q1": "EAE"}), pieces_of({"q2": "--"}, split="real")])
    scores = scores_of({"q1": [1, 2, 3], "q2": [1, 2]})
    table = auc_table(pieces, scores)
    assert table["split"].tolist() == ["valid"] and table["auc"].tolist() == [0.5]
    assert table[["auc_low", "auc_high", "raw_low"]].isna().all(axis=None)
    with pytest.raises(DataError, match="no split .real. has gold labels of both kinds"):
        auc_table(pieces[pieces["split"] == "real"], scores)
    with pytest.raises(DataError, match="no split"):
        length_share(pieces_of({"q1": "EEE"}), scores)


def test_a_score_that_is_length_owes_all_to_it() -> None:
    generator = np.random.default_rng(0)
    qids = [f"q{place}" for place in range(40)]
    pieces = pieces_of({qid: "".join(generator.choice(["A", "E"], 6)) for qid in qids})
    pieces["text"] = ["x" * int(length) + "\n " for length in generator.integers(2, 40, len(pieces))]
    length = pieces["text"].str.strip().str.len().to_numpy(dtype=float)
    know = (pieces["gold"] == "AS").to_numpy() + generator.normal(0, 0.1, len(pieces)) + 1
    names = {"reduce": "sum", "condition": "question", "seed": 0}
    columns = pieces[["qid", "piece"]].assign(**names)
    scores = pd.concat([columns.assign(strategy="length", score=length), columns.assign(strategy="gold", score=know)])
    table = length_share(pieces, scores).set_index("strategy")
    assert set(table["measure"]) == {"characters"}
    told = table.loc["length"]
    assert told["auc"] == told["length_auc"] and told["beyond_length"] == told["beyond_low"] == told["beyond_high"] == 0
    assert told["with_length"] == pytest.approx(1) and math.isnan(told["given_length"])
    told = table.loc["gold"]
    assert told["auc"] > 0.95 and told["beyond_low"] > 0.3 and abs(told["with_length"]) < 0.2
    assert told["given_length"] == pytest.approx(told["with_gold"], abs=0.05)
    counted_tokens = length_share(pieces.assign(tokens=2.0 * length), scores).set_index("strategy")
    assert set(counted_tokens["measure"]) == {"tokens"} and counted_tokens.loc["length", "beyond_length"] == 0
    with pytest.raises(DataError, match="q0, piece 0: tokens is nan"):
        length_share(pieces.assign(tokens=math.nan), scores)


def test_partial_correlation_is_that_of_residuals() -> None:
    _, pieces, scores = problems_scored(60, seeds=1)
    pieces = pieces[pieces["split"] == "valid"]
    row = length_share(pieces, scores[scores["reduce"] == "sum"]).iloc[0]
    table = pieces.merge(scores[scores["reduce"] == "sum"], on=["qid", "piece"]).sort_values(["qid", "piece"])
    table["length"] = table["text"].str.strip().str.len()
    for name in ("score", "length"):
        table[name] = (table[name] / table.groupby("qid")[name].transform("mean")).rank()
    gold, left = (table["gold"] == "AS").astype(float).rank().to_numpy(), table["length"].to_numpy()

    def rest(values: np.ndarray) -> np.ndarray:
        slope, offset = np.polyfit(left, values, 1)
        return values - slope * left - offset

    assert row["given_length"] == pytest.approx(np.corrcoef(rest(table["score"].to_numpy()), rest(gold))[0, 1])


def test_the_length_sentence_reads_its_table() -> None:
    _, pieces, scores = problems_scored(80)
    table = length_share(pieces, scores)
    valid = table[table["split"] == "valid"]
    text = length_sentence(valid)
    total = valid[valid["reduce"] == "sum"].iloc[0]
    assert f"{total['auc']:.2f}, more than length" in text and f"{total['length_auc']:.2f}" in text
    worse = valid.assign(beyond_low=-0.2, beyond_high=-0.1)
    assert "less than length" in length_sentence(worse)
    assert "no other than length" in length_sentence(valid.assign(beyond_low=-0.1))
    with pytest.raises(DataError, match="rows of one split with entropy"):
        length_sentence(table)
