"""Errors by kind and kappa between strategies: exact cases, statsmodels, and what is undefined."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from ases.agreement import errors_by_kind, errors_sentence, kappa_sentence, kappa_table
from ases.aligned import Series, labels_at, number_novelty_labels
from ases.errors import DataError
from ases.kinds import kind_table
from tests.detection_tables import labels_of, pieces_of, problems_scored

PIECES = pieces_of({"q1": "EEA", "q2": "EA"})
KINDS = PIECES[["qid", "piece"]].assign(kind=["fact", "fact", "sum", "fact", "sum"])


def test_errors_of_each_kind_exactly() -> None:
    labels = pd.concat([labels_of({"q1": "EAE", "q2": "EA"}), labels_of({"q1": "EEA", "q2": "EA"}, seed=1)])
    table = errors_by_kind(PIECES, labels, KINDS).set_index(["kind", "gold"])
    assert len(table) == 2  # no row for a kind that gold never gives that label
    fact, total = table.loc[("fact", "ES")], table.loc[("sum", "AS")]
    assert fact["wrong"] == pytest.approx(1 / 6) and total["wrong"] == pytest.approx(1 / 4)
    assert (fact["pieces"], fact["examples"], fact["seeds"]) == (3, 2, 2)
    assert (fact["share_of_errors"], total["share_of_errors"]) == (0.5, 0.5)
    assert 0 <= fact["wrong_low"] <= fact["wrong"] <= fact["wrong_high"] <= 1


def test_errors_need_gold_and_a_kind_for_every_piece() -> None:
    labels = labels_of({"q1": "EAE", "q2": "EA"})
    with pytest.raises(DataError, match="kinds: piece 1 of q2 has no kind"):
        errors_by_kind(PIECES, labels, KINDS.iloc[:4])
    with pytest.raises(DataError, match="has two kinds"):
        errors_by_kind(PIECES, labels, pd.concat([KINDS, KINDS]))
    with pytest.raises(DataError, match="no split .valid. has gold"):
        errors_by_kind(pieces_of({"q1": "---", "q2": "--"}), labels, KINDS)


def test_the_shares_of_errors_add_up_and_the_sentence_names_the_greatest() -> None:
    examples, pieces, scores = problems_scored(60)
    labels = labels_at(pieces, scores, {"entropy": 1.4, "similarity": 1.0})
    table = errors_by_kind(pieces, labels, kind_table(examples), draws=50)
    sums = table.groupby(["split", "strategy", "reduce", "condition"])["share_of_errors"].sum()
    assert np.allclose(sums, 1) and len(sums) == 6
    part = table[(table["split"] == "valid") & (table["strategy"] == "similarity")]
    worst = part.sort_values("share_of_errors").iloc[-1]
    text = errors_sentence(table[table["split"] == "valid"], Series("similarity"))
    assert text.index(worst["kind"]) < 60 and f"{worst['share_of_errors']:.0%}" in text
    with pytest.raises(DataError, match="rows of one split"):
        errors_sentence(table, Series("similarity"))
    perfect = errors_by_kind(PIECES, labels_of({"q1": "EEA", "q2": "EA"}), KINDS)
    assert perfect["share_of_errors"].isna().all() and "as gold does" in errors_sentence(perfect, Series("entropy"))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3)), min_size=2, max_size=30))
def test_kappa_is_that_of_statsmodels(rows: list[tuple[bool, bool, int]]) -> None:
    members = [[row for row in rows if row[2] == number] for number in range(4)]
    named = {f"q{number}": part for number, part in enumerate(members) if part}
    labels = pd.concat(
        labels_of({qid: "".join("EA"[row[side]] for row in part) for qid, part in named.items()}, strategy)
        for side, strategy in ((0, "one"), (1, "two"))
    )
    table = kappa_table(pieces_of({qid: "-" * len(part) for qid, part in named.items()}), labels, draws=20)
    (row,) = table.to_dict("records")
    counts = np.zeros((2, 2))
    for left, right, _ in rows:
        counts[int(left), int(right)] += 1
    assert row["agreement"] == pytest.approx(np.trace(counts) / len(rows))
    assert row["first_as"] == pytest.approx(counts[1].sum() / len(rows))
    assert row["second_as"] == pytest.approx(counts[:, 1].sum() / len(rows))
    if counts.max() == len(rows) and np.trace(counts) == len(rows):
        assert math.isnan(row["kappa"])
    else:
        assert row["kappa"] == pytest.approx(cohens_kappa(counts, return_results=False))
        assert row["kappa"] == pytest.approx(1) or row["kappa"] < 1


def test_seeds_are_compared_one_by_one_and_with_each_other() -> None:
    seeds = ({"q1": "AAE", "q2": "EA"}, {"q1": "AEE", "q2": "EA"})
    first = pd.concat([labels_of(values, "one", seed=seed) for seed, values in enumerate(seeds)])
    second = labels_of({"q1": "AAE", "q2": "EA"}, "two")
    table = kappa_table(PIECES, pd.concat([first, second])).set_index(["first", "second"])
    assert list(table.index) == [("one", "one"), ("one", "two")]
    apart = cohens_kappa(np.array([[2, 1], [0, 2]]), return_results=False)
    assert table.loc[("one", "one"), "kappa"] == pytest.approx(apart)
    assert table.loc[("one", "two"), "kappa"] == pytest.approx((1 + apart) / 2)
    assert table.loc[("one", "two"), "agreement"] == pytest.approx(0.9) and set(table["seeds"]) == {2}
    third = pd.concat([labels_of({"q1": "AAE", "q2": "EA"}, "two", seed=seed) for seed in range(3)])
    with pytest.raises(DataError, match="one has 2 seeds and two 3"):
        kappa_table(PIECES, pd.concat([first, third]))


def test_real_sets_need_no_gold_and_intervals_hold_kappa() -> None:
    examples, pieces, scores = problems_scored(80)
    pieces = pieces.assign(gold=None)
    labels = labels_at(pieces, scores, {"entropy": 1.2, "similarity": 1.0})
    heuristic = number_novelty_labels(pieces, {example.qid: example.question for example in examples})
    table = kappa_table(pieces, pd.concat([labels, heuristic]), draws=300)
    valid = table[table["split"] == "valid"]
    assert len(valid) == 2 + 6  # two series with seeds beside themselves, and four series in pairs
    assert (valid["kappa_low"] <= valid["kappa"]).all() and (valid["kappa"] <= valid["kappa_high"]).all()
    text = kappa_sentence(valid)
    order = valid[valid["first"] != valid["second"]].sort_values("kappa")
    assert text.index(order.iloc[-1]["second"]) > 0 and f"kappa {order.iloc[-1]['kappa']:.2f}" in text
    with pytest.raises(DataError, match="one split"):
        kappa_sentence(table)
