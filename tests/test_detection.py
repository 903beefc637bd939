"""Precision, recall and F1 by strategy and beta: exact small cases, the plain functions, and what intervals mean."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ases.aligned import Series, control_labels, labels_at
from ases.detection import Draws, best_beta, best_sentence, bounds, detection_table, draw_examples
from ases.errors import DataError, ParameterError
from ases.labels import BETAS, is_degenerate, label_by_rule
from ases.metrics import label_agreement
from tests.detection_tables import labels_of, pieces_of, problems_scored, scores_of

PIECES = pieces_of({"q1": "EA", "q2": "AEE"})
SCORES = scores_of({"q1": [1, 3], "q2": [1.0, 2.5, 1.0]})  # means 2 and 1.5


def test_an_exact_case() -> None:
    (row,) = detection_table(PIECES, SCORES, [1.0]).to_dict("records")
    assert (row["precision"], row["recall"], row["f1"]) == (0.5, 0.5, 0.5)  # labelled AS: q1/1 rightly, q2/1 wrongly
    assert (row["as_share"], row["degenerate_share"]) == (2 / 5, 0)
    assert (row["pieces"], row["examples"], row["seeds"], row["split"]) == (5, 2, 1, "valid")
    low, high = detection_table(PIECES, SCORES, [0.5, 5.0]).to_dict("records")
    assert low["as_share"] == 4 / 5 and low["degenerate_share"] == 1 / 2
    assert high["as_share"] == 0 and high["degenerate_share"] == 1 and math.isnan(high["precision"])
    assert (high["recall"], high["f1"]) == (0, 0)


def test_seeds_are_averaged_not_pooled() -> None:
    second = scores_of({"q1": [1, 3], "q2": [2.5, 1, 1]}, seed=1)  # right everywhere
    (row,) = detection_table(PIECES, pd.concat([SCORES, second]), [1.0]).to_dict("records")
    assert row["f1"] == pytest.approx((0.5 + 1) / 2) and row["seeds"] == 2


def test_labels_without_scores_have_one_row_and_no_beta() -> None:
    location = labels_of({"q1": "EA", "q2": "EAE"}, "location")
    table = detection_table(PIECES, SCORES, [1.0, 1.4], labels=location)
    assert len(table) == 3
    row = table[table["strategy"] == "location"].iloc[0]
    assert math.isnan(row["beta"]) and (row["precision"], row["recall"], row["as_share"]) == (0.5, 0.5, 2 / 5)


def test_splits_are_judged_apart_and_gold_is_not_needed() -> None:
    real = pieces_of({"q3": "--"}, split="real")
    scores = pd.concat([SCORES, scores_of({"q3": [1, 9]})])
    table = detection_table(pd.concat([PIECES, real]), scores, [1.0]).set_index("split")
    assert list(table.index) == ["valid", "real"]
    assert table.loc["valid", "f1"] == 0.5 and table.loc["real", ["f1", "f1_low", "precision"]].isna().all()
    assert table.loc["real", "as_share"] == 0.5


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 10), st.booleans()), min_size=1, max_size=6), min_size=1, max_size=6
    ),
    st.sampled_from(BETAS),
)
def test_the_same_numbers_as_the_plain_functions(rows: list[list[tuple[float, bool]]], beta: float) -> None:
    named = {f"q{place}": row for place, row in enumerate(rows)}
    pieces = pieces_of({qid: "".join("A" if gold else "E" for _, gold in row) for qid, row in named.items()})
    scores = scores_of({qid: [score for score, _ in row] for qid, row in named.items()})
    (row,) = detection_table(pieces, scores, [beta], draws=5).to_dict("records")
    labels = [label_by_rule([score for score, _ in one], beta) for one in rows]
    plain = label_agreement(labels, [["AS" if gold else "ES" for _, gold in one] for one in rows])
    for name in ("precision", "recall", "f1", "pieces", "examples"):
        assert row[name] == pytest.approx(plain[name], nan_ok=True)
    assert row["degenerate_share"] == pytest.approx(np.mean([is_degenerate(one) for one in labels]))


def test_intervals_hold_their_estimate_and_shrink_with_more_examples() -> None:
    tables = {}
    for count in (30, 240):
        _, pieces, scores = problems_scored(count)
        tables[count] = table = detection_table(pieces, scores, [0.8, 1.2], draws=300)
        for name in ("precision", "recall", "f1"):
            assert (table[f"{name}_low"] <= table[name]).all() and (table[name] <= table[f"{name}_high"]).all()
            assert ((table[f"{name}_low"] >= 0) & (table[f"{name}_high"] <= 1)).all()
    widths = {count: (table["f1_high"] - table["f1_low"]).mean() for count, table in tables.items()}
    assert widths[240] < 0.6 * widths[30]


def test_the_interval_over_examples_is_that_of_a_plain_bootstrap() -> None:
    _, pieces, scores = problems_scored(60, seeds=1)
    pieces, scores = pieces[pieces["split"] == "test"], scores[scores["strategy"] == "similarity"]
    (row,) = detection_table(pieces, scores, [1.0], draws=2000).to_dict("records")
    labels = labels_at(pieces, scores, {"similarity": 1.0}).merge(pieces, on=["qid", "piece"])
    groups = [(part["label"].tolist(), part["gold"].tolist()) for _, part in labels.groupby("qid")]
    generator, drawn = np.random.default_rng(1), []
    for _ in range(500):
        sample = [groups[at] for at in generator.integers(len(groups), size=len(groups))]
        drawn.append(label_agreement([one for one, _ in sample], [gold for _, gold in sample])["f1"])
    assert (row["f1_low"], row["f1_high"]) == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.025)


def test_seeds_that_differ_widen_the_interval() -> None:
    qids = [f"q{place}" for place in range(40)]
    pieces = pieces_of({qid: "AEE" for qid in qids})
    right, wrong = dict.fromkeys(qids, [3, 1, 1]), dict.fromkeys(qids, [1, 3, 1])
    same = pd.concat([scores_of(right, seed=0), scores_of(right, seed=1)])
    apart = pd.concat([scores_of(right, seed=0), scores_of(wrong, seed=1)])
    narrow, wide = (detection_table(pieces, table, [1.0]).iloc[0] for table in (same, apart))
    assert (narrow["f1_low"], narrow["f1_high"]) == pytest.approx((1, 1))
    assert wide["f1"] == 0.5 and (wide["f1_low"], wide["f1_high"]) == (0, 1)


def test_equal_seeds_give_equal_tables_and_one_example_no_interval() -> None:
    _, pieces, scores = problems_scored(20)
    first, second = (detection_table(pieces, scores, [1.0], draws=50) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(detection_table(pieces, scores, [1.0], draws=50, seed=1))
    (row,) = detection_table(pieces_of({"q1": "EA"}), SCORES, [1.0]).to_dict("records")
    assert row["f1"] == 1 and math.isnan(row["f1_low"]) and math.isnan(row["f1_high"])


def test_bad_arguments_are_refused_and_progress_is_told() -> None:
    with pytest.raises(ParameterError, match="no beta to try"):
        detection_table(PIECES, SCORES, [])
    with pytest.raises(ParameterError, match="draws is 0"):
        draw_examples(3, 0, 0)
    told: list[tuple[str, float]] = []
    detection_table(PIECES, SCORES, [1.0], progress=lambda what, share: told.append((what, share)))
    assert told == [("labels of entropy (sum, question)", 1.0)]


def test_bounds_leave_out_what_is_undefined() -> None:
    low, high = bounds(np.array([[1.0, math.nan], [math.nan, math.nan], [3.0, math.nan]]), 5)
    assert (low[0], high[0]) == pytest.approx((1.05, 2.95)) and math.isnan(low[1])
    draws = Draws(np.ones((3, 2), dtype=np.float32), 0)
    assert draws.totals(np.array([[1, 2], [3, 4]])).tolist() == [[3, 7]] * 3
    assert draws.over_seeds(np.ones((3, 1, 2))).tolist() == [[1, 1]] * 3


def sweep(f1: dict[float, float], split: str, strategy: str = "entropy") -> pd.DataFrame:
    names = {"split": split, "strategy": strategy, "reduce": "sum", "condition": "question"}
    counts = {"pieces": 50, "examples": 10, "seeds": 1, "precision": 0.5, "recall": 0.5}
    rows = [names | counts | {"beta": beta, "f1": value} for beta, value in f1.items()]
    return pd.DataFrame(rows).assign(f1_low=lambda t: t["f1"] - 0.1, f1_high=lambda t: t["f1"] + 0.1)


def test_the_best_beta_is_chosen_on_validation_and_reported_on_test() -> None:
    valid = {0.8: 0.70, 1.0: 0.795, 1.2: 0.80, 1.4: 0.791, 1.6: 0.6, 1.8: 0.799}
    test = {beta: value - 0.1 for beta, value in valid.items()} | {1.8: 0.99}
    control = sweep({math.nan: 0.3}, "valid", "location"), sweep({math.nan: 0.25}, "test", "location")
    table = pd.concat([sweep(valid, "valid"), sweep(test, "test"), *control])
    best = best_beta(table)
    row = best.iloc[0]
    assert row["beta"] == 1.2 and row["chosen_f1"] == 0.8 and row["f1"] == pytest.approx(0.7)
    assert (row["flat_from"], row["flat_to"]) == (1.0, 1.4), "1.8 is as good, but 1.6 lies between"
    assert row["default_beta"] == 1.4 and row["default_f1"] == pytest.approx(0.691) and not row["at_edge"]
    assert best.iloc[1]["strategy"] == "location" and best.iloc[1]["f1"] == 0.25 and math.isnan(best.iloc[1]["beta"])
    text = best_sentence(best)
    told = ("entropy (sum, question)", "beta 1.2", "0.70", "[0.60, 0.80]", "from 1 to 1.4", "location 0.25", "0.69")
    for part in told:
        assert part in text
    assert "may lie beyond" not in text


def test_an_optimum_at_the_edge_is_said() -> None:
    best = best_beta(pd.concat([sweep({0.6: 0.9, 0.8: 0.5}, split) for split in ("valid", "test")]))
    assert best.iloc[0]["at_edge"] and math.isnan(best.iloc[0]["default_f1"])
    assert "no other beta tried" in best_sentence(best) and "may lie beyond" in best_sentence(best)


def test_best_beta_needs_both_splits_with_gold() -> None:
    with pytest.raises(DataError, match="no split test"):
        best_beta(sweep({1.0: 0.5}, "valid"))
    with pytest.raises(DataError, match="split test has no gold"):
        best_beta(pd.concat([sweep({1.0: 0.5}, "valid"), sweep({1.0: 0.5}, "test").assign(recall=math.nan)]))
    with pytest.raises(DataError, match="no series"):
        best_sentence(sweep({math.nan: 0.5}, "test"))


def test_scores_that_know_gold_beat_the_controls_on_generated_problems() -> None:
    _, pieces, scores = problems_scored(200)
    labels = labels_at(pieces, scores, {"entropy": 1.4, "similarity": 1.0})
    controls = control_labels(pieces, labels, Series("entropy", "sum", "question"))
    best = best_beta(detection_table(pieces, scores, labels=controls, draws=100)).set_index(["strategy", "reduce"])
    assert best.loc[("entropy", "mean"), "f1_low"] > best.loc[("random", ""), "f1_high"]
    assert best.loc[("entropy", "mean"), "f1"] > best.loc[("similarity", ""), "f1"]
