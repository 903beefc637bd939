"""Scores and labels are lined up with their pieces exactly, or refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ases.aligned import (
    NUMBER_NOVELTY,
    Series,
    align,
    control_labels,
    labels_at,
    listed_scores,
    measured_scores,
    number_novelty_labels,
    piece_table,
    relative_table,
)
from ases.errors import DataError, ParameterError
from ases.examples import Example
from ases.labels import label_at_random, label_by_rule
from tests.detection_tables import labels_of, pieces_of, problems_scored, scores_of

PIECES = pieces_of({"q1": "EA", "q2": "AEE"})
SCORES = scores_of({"q1": [1, 3], "q2": [2.5, 1, 1]})


def test_pieces_are_sorted_and_counted() -> None:
    test = pieces_of({"q0": "A"}, split="test")
    aligned = align(pd.concat([PIECES.sample(frac=1, random_state=1), test]))
    assert aligned.pieces["qid"].tolist() == ["q1", "q1", "q2", "q2", "q2", "q0"]
    assert aligned.starts.tolist() == [0, 2, 5] and aligned.counts.tolist() == [2, 3, 1]
    assert aligned.splits == {"valid": slice(0, 2), "test": slice(2, 3)}
    assert aligned.gold("valid").tolist() == [False, True, True, False, False]
    assert aligned.piece_slice(aligned.splits["test"]) == slice(5, 6)


def test_series_come_out_in_place_whatever_the_order_of_rows() -> None:
    table = pd.concat([SCORES.sample(frac=1, random_state=2), scores_of({"q1": [5, 6], "q2": [7, 8, 9]}, seed=1)])
    other = scores_of({"q9": [1.0]})
    ((series, values),) = align(PIECES).series(pd.concat([table, other]))
    assert series == Series("entropy", "sum", "question") and str(series) == "entropy (sum, question)"
    assert values.tolist() == [[1, 3, 2.5, 1, 1], [5, 6, 7, 8, 9]]
    assert str(Series("similarity")) == "similarity"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.iloc[1:], "entropy .sum, question., seed 0: no score for piece 0 of q1"),
        (lambda table: pd.concat([table, table.iloc[[4]]]), "more than one score for piece 2 of q2"),
        (lambda table: table.assign(score=[1, 2, np.nan, 1, 1]), "entropy, q2, piece 0: score nan must be finite"),
        (lambda table: table.assign(score=-1.0, strategy="information_gain"), "as max.0, gain"),
        (lambda table: table.drop(columns="seed"), "lacks seed"),
    ],
)
def test_scores_that_do_not_fit_are_refused(change, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(align(PIECES).series(change(SCORES)))


def test_pieces_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="piece 1 of q1 is there twice"):
        align(pd.concat([PIECES, PIECES.iloc[[1]].assign(split="test")]))
    with pytest.raises(DataError, match="lacks gold"):
        align(PIECES.drop(columns="gold"))
    with pytest.raises(DataError, match="no rows"):
        align(PIECES.iloc[:0])
    with pytest.raises(DataError, match="split valid, q1, piece 1: gold is (nan|None)"):
        align(pieces_of({"q1": "E-"})).gold("valid")
    assert align(pieces_of({"q1": "--"})).gold("valid") is None
    with pytest.raises(DataError, match="q1, piece 0: label 'XS'"):
        list(align(PIECES).series(labels_of({"q1": "XA", "q2": "EEE"}), "label"))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.lists(st.sampled_from([0.0, 0.1, 1 / 3, 0.7, 2.0]), min_size=1, max_size=7), min_size=1, max_size=5),
    st.sampled_from([0.6, 1.0, 1.4]),
)
def test_labels_are_those_of_the_rule_ties_included(scores: list[list[float]], beta: float) -> None:
    named = {f"q{place}": row for place, row in enumerate(scores)}
    pieces = pieces_of({qid: "E" * len(row) for qid, row in named.items()})
    table = labels_at(pieces, scores_of(named), {"entropy": beta})
    assert table["label"].tolist() == [label for row in scores for label in label_by_rule(row, beta)]


def test_a_beta_is_needed_and_above_zero() -> None:
    with pytest.raises(ParameterError, match="no beta for strategy entropy"):
        labels_at(PIECES, SCORES, {"loss": 1.0})
    with pytest.raises(ParameterError, match="beta is 0"):
        labels_at(PIECES, SCORES, {"entropy": 0})


def test_relative_scores_are_zero_where_all_are() -> None:
    assert align(PIECES).relative(np.array([0.0, 0.0, 1.0, 2.0, 3.0])).tolist() == [0, 0, 0.5, 1, 1.5]


def test_the_table_of_relative_scores_counts_a_piece_once() -> None:
    table = relative_table(PIECES, pd.concat([SCORES, SCORES.assign(seed=1, score=1.0)]), {"entropy": 1.4})
    assert table["relative"].tolist() == [0.5, 1.5, 5 / 3, 2 / 3, 2 / 3] and set(table["beta"]) == {1.4}
    assert table["gold"].tolist() == PIECES["gold"].tolist() and set(table["series"]) == {"entropy (sum, question)"}
    with pytest.raises(ParameterError, match="no beta for strategy entropy"):
        relative_table(PIECES, SCORES, {})


def test_controls_need_no_scores_of_their_own() -> None:
    _, pieces, scores = problems_scored(20)
    labels = labels_at(pieces, scores, {"entropy": 1.4, "similarity": 1.0})
    named = Series("entropy", "sum", "question")
    table = control_labels(pieces, labels, named)
    assert table.groupby(["strategy", "seed"], sort=False).size().to_dict() == {
        ("location", 0): len(pieces),
        ("random", 0): len(pieces),
        ("random", 1): len(pieces),
    }
    location = table[table["strategy"] == "location"]
    assert (location["label"] == np.where(location["piece"] % 2, "AS", "ES")).all()
    base = labels[(labels["reduce"] == "sum") & (labels["seed"] == 1)]
    drawn = table[(table["strategy"] == "random") & (table["seed"] == 1)]
    for qid, part in drawn.groupby("qid"):
        assert part["label"].tolist() == label_at_random(base.loc[base["qid"] == qid, "label"].tolist(), qid)
    with pytest.raises(ParameterError, match="random_of is loss"):
        control_labels(pieces, labels, Series("loss"))


def test_other_controls_can_be_given() -> None:
    labels = labels_of({"q1": "EA", "q2": "AEE"})
    table = control_labels(PIECES, labels, Series("entropy"), {"turned": lambda labels, qid: labels[::-1]})
    assert table.loc[table["strategy"] == "turned", "label"].str[0].str.cat() == "AEEEA"


def test_examples_and_what_a_scorer_measured_become_long_tables() -> None:
    examples = [Example("q1", "?", "2, 3.", "3", "own", gold=("ES", "AS")), Example("q2", "?", "4.", "4", "own")]
    pieces = piece_table({"valid": examples[:1], "real": examples[1:]})
    assert pieces.values.tolist()[:2] == [["valid", "q1", 0, "2, ", "ES"], ["valid", "q1", 1, "3.", "AS"]]
    assert pieces["text"].tolist() == ["2, ", "3.", "4."] and pieces["gold"].isna().tolist() == [False, False, True]
    measured = pieces[["qid", "piece"]].assign(tokens_prefix=[1, 2, 4], entropy_prefix=[3.0, 3.0, 2.0])
    measured = measured.assign(gain=[-1.0, 2.0, 0.5])
    scores = measured_scores(measured, seed=7)
    found = {series: values.tolist() for series, values in align(pieces).series(scores)}
    assert found == {
        Series("entropy", "sum", "prefix"): [[3.0, 3.0, 2.0]],
        Series("entropy", "mean", "prefix"): [[3.0, 1.5, 0.5]],
        Series("information_gain"): [[0.0, 2.0, 0.5]],
    }
    assert set(scores["seed"]) == {7}
    listed = listed_scores(examples, [[0.1, 0.2], [0.3]], Series("similarity", "bleu"))
    assert [values.tolist() for _, values in align(pieces).series(listed)] == [[[0.1, 0.2, 0.3]]]
    with pytest.raises(DataError, match="q2, piece 0: no token under condition prefix"):
        measured_scores(measured.assign(tokens_prefix=[1, 2, 0]))
    with pytest.raises(DataError, match="holds no score"):
        measured_scores(pieces)


def test_number_novelty_needs_the_questions() -> None:
    pieces = pieces_of({"q1": "EE"}).assign(text=["Bo had 2. ", "2 + 3 = 5. "])
    table = number_novelty_labels(pieces, {"q1": "2 and 3?"})
    assert table["label"].tolist() == ["ES", "AS"] and set(table["strategy"]) == {NUMBER_NOVELTY}
    with pytest.raises(DataError, match="q1: its question"):
        number_novelty_labels(pieces, {})
