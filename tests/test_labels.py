"""Labels by rule and without a score, and the sweep of beta, on exact small cases."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ases.errors import DataError, ParameterError
from ases.examples import Example
from ases.labels import (
    is_degenerate,
    label_at_random,
    label_by_gold,
    label_by_location,
    label_by_rule,
    label_examples,
    label_random_boundaries,
    label_table,
    labels_by_question,
    sweep_beta,
)
from ases.segments import make_segments
from ases.settings import settings_for
from tests.test_segments import EXAMPLE

SETTINGS = settings_for({"size": "smoke"}).segmentation
SCORES = [[1.0, 1.0, 9.0, 1.0]]


def test_the_rule_is_strict_and_relative_to_the_mean():
    assert label_by_rule([1, 1, 4], beta=1.0) == ["ES", "ES", "AS"]
    assert label_by_rule([2, 2, 2], beta=1.0) == ["ES", "ES", "ES"], "equal to the threshold is not above it"
    assert label_by_rule([2, 2, 2], beta=0.9) == ["AS", "AS", "AS"]
    assert label_by_rule([], beta=1.4) == []


def test_the_rule_refuses_what_it_cannot_judge():
    with pytest.raises(ParameterError, match="beta"):
        label_by_rule([1.0], beta=0)
    with pytest.raises(ParameterError, match="beta"):
        label_by_rule([1.0], beta=float("nan"))
    with pytest.raises(DataError, match="finite"):
        label_by_rule([1.0, float("nan")], beta=1.0)


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=12), st.floats(0.1, 3))
def test_a_larger_beta_never_adds_an_abstractive_piece(scores, beta):
    small, large = label_by_rule(scores, beta), label_by_rule(scores, beta * 1.5)
    assert all(a == "AS" for a, b in zip(small, large, strict=True) if b == "AS")


def test_labels_without_a_score():
    assert label_by_location(4) == ["ES", "AS", "ES", "AS"]
    assert label_by_gold(EXAMPLE) == ["ES", "ES", "AS", "ES"]
    labels = ["ES"] * 5 + ["AS"] * 5
    permuted = label_at_random(labels, "q1")
    assert sorted(permuted) == sorted(labels) and permuted == label_at_random(labels, "q1")
    assert {tuple(label_at_random(labels, f"q{i}")) for i in range(20)} != {tuple(permuted)}


@given(st.lists(st.sampled_from(["ES", "AS"]), max_size=12), st.text(max_size=4))
def test_random_boundaries_keep_the_number_and_the_lengths_of_the_merged_segments(labels, qid):
    pieces = [f"{place}, " for place in range(len(labels))]

    def lengths(those):
        return [segment.text.count(",") for segment in make_segments(pieces, those, merge=True)]

    moved = label_random_boundaries(labels, qid)
    assert sorted(lengths(moved)) == sorted(lengths(labels)) and moved[:1] == labels[:1]
    assert moved == label_random_boundaries(labels, qid)


def test_random_boundaries_differ_between_questions():
    labels = ["ES"] * 3 + ["AS"] * 2 + ["ES"]
    assert len({tuple(label_random_boundaries(labels, f"q{i}")) for i in range(30)}) == 6


def test_gold_that_does_not_fit_names_the_example():
    with pytest.raises(DataError, match="q9"):
        label_by_gold(Example("q9", "a", "b. c.", "1", "own", gold=("ES",)))
    with pytest.raises(DataError, match="q9"):
        label_by_gold(Example("q9", "a", "b. c.", "1", "own"))


def labelled(strategy, scores=None, **changes):
    return label_examples([EXAMPLE], replace(SETTINGS, strategy=strategy, **changes), scores)[0]


def test_each_strategy_labels_as_its_name_says():
    assert labelled("gold") == ["ES", "ES", "AS", "ES"]
    assert labelled("location") == ["ES", "AS", "ES", "AS"]
    assert labelled("none") == [None] * 4
    assert labelled("entropy", SCORES) == ["ES", "ES", "AS", "ES"]
    assert labelled("random", random_of="gold") == label_at_random(["ES", "ES", "AS", "ES"], "q1")
    assert labelled("random", SCORES, random_of="entropy") == label_at_random(["ES", "ES", "AS", "ES"], "q1")
    boundaries = label_random_boundaries(["ES", "ES", "AS", "ES"], "q1")
    assert labelled("random_boundaries", random_of="gold") == boundaries
    assert labelled("random_boundaries", SCORES, random_of="entropy") == boundaries
    with pytest.raises(ParameterError, match="scores"):
        labelled("entropy")
    with pytest.raises(ParameterError, match="magic is not known"):
        labelled("magic")


def test_a_label_table_keeps_every_piece_and_gives_the_labels_back():
    other = replace(EXAMPLE, qid="q2", gold=None)
    table = label_table({"train": [EXAMPLE], "test": [other]}, {"train": [list("abcd")], "test": [[None] * 4]}, None)
    assert "".join(table.loc[table["qid"] == "q1", "text"]) == EXAMPLE.rationale
    assert labels_by_question(table) == {"q1": list("abcd"), "q2": [None] * 4}
    assert table.loc[table["qid"] == "q2", "gold"].isna().all()


def test_a_sweep_of_beta_on_a_case_done_by_hand():
    gold = ("ES", "ES", "AS", "ES")
    table = label_table({"test": [EXAMPLE]}, {"test": [list(gold)]}, {"test": SCORES})
    sweep = sweep_beta(table, [0.1, 1.0, 4.0]).set_index("beta")
    assert sweep["as_share"].tolist() == [1.0, 0.25, 0.0] and sweep["degenerate_share"].tolist() == [1.0, 0.0, 1.0]
    assert sweep["precision"][0.1] == 0.25 and sweep["recall"][0.1] == 1.0 and sweep["f1"][0.1] == pytest.approx(0.4)
    assert sweep["f1"][1.0] == 1.0 == sweep["f1_low"][1.0] == sweep["f1_high"][1.0]
    assert math.isnan(sweep["precision"][4.0]) and sweep["recall"][4.0] == 0.0
    with pytest.raises(ParameterError, match="scores"):
        sweep_beta(table.assign(score=math.nan))


def test_one_label_only_is_degenerate():
    assert is_degenerate(["ES"]) and is_degenerate(["AS", "AS"]) and not is_degenerate(["AS", "ES"])
