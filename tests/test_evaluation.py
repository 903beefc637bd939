"""Chains to tables: small cases done by hand."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from ases.checkpoints import write_whole
from ases.errors import DataError
from ases.evaluation import (
    accuracy_by,
    budgets_of,
    comparison_table,
    concatenate,
    difference_table,
    end_reasons,
    evaluate_chains,
    findings,
    in_order,
    power_table,
    rising_sentence,
    short_table,
    still_rising,
)
from ases.examples import Example
from ases.generation import Chain

EXAMPLES = [
    Example("a", "3 + 4?", "So 3 + 4 = 7. The answer is 7.", "7", "own"),
    Example("b", "5 - 2, twice?", "5 - 2 = 3. 3 * 2 = 6. The answer is 6.", "6", "own"),
]


def chain(qid, text, reason="end"):
    return Chain(qid, text, (("model", text),), reason, 1, 10, 5)


def test_each_chain_is_held_against_its_own_reference():
    table = evaluate_chains([chain("a", EXAMPLES[0].rationale), chain("b", "5 - 2 = 4.", "max_rounds")], EXAMPLES)
    assert table["correct"].tolist() == [True, False]
    assert table["bleu"][0] == pytest.approx(100) and table["rouge_l"][0] == 1.0 and table["bleu"][1] < 50
    assert table["steps"].tolist() == [1, 2] and table["right_equations"].tolist() == [1.0, 0.0]
    assert table["reason"].tolist() == ["end", "max_rounds"]


def test_chains_of_other_questions_are_refused():
    with pytest.raises(DataError, match="same questions"):
        evaluate_chains([chain("b", "x"), chain("a", "x")], EXAMPLES)
    with pytest.raises(DataError, match="q3"):
        evaluate_chains([chain("q3", "x")], [Example("q3", "a", "b.", None, "own")])
    with pytest.raises(DataError, match="no runs"):
        concatenate([])


def predictions(rights, seeds=1):
    """Right or wrong by method: {method: [per question]}; the same for each seed."""
    rows = [
        {
            "method": method,
            "seed": seed,
            "qid": f"q{n:03}",
            "correct": right,
            "bleu": 50.0 * right,
            "rouge_l": float(right),
        }
        for method, values in rights.items()
        for seed in range(seeds)
        for n, right in enumerate(values)
    ]
    return pd.DataFrame(rows)


RIGHTS = {"uni-path": [True] * 80 + [False] * 20, "seq2seq": [True] * 50 + [False] * 50}
POINTS = pd.DataFrame(
    [
        {"method": method, "seed": 0, "flops": flops, "accuracy": accuracy, "n": 400}
        for method, values in {"seq2seq": (0.1, 0.5), "uni-path": (0.79, 0.8)}.items()
        for flops, accuracy in zip((1e9, 2e9), values, strict=True)
    ]
)
BUDGETS = pd.DataFrame(
    [
        {"method": "seq2seq", "seed": 0, "epochs": 9.0, "flops": 2e9, "target_tokens": 10, "scorer_flops": 0.0},
        {"method": "uni-path", "seed": 0, "epochs": 4.0, "flops": 1.5e9, "target_tokens": 7, "scorer_flops": 1e9},
        {"method": "uni-path", "seed": 0, "epochs": 4.0, "flops": 0.5e9, "target_tokens": 3, "scorer_flops": 1e9},
    ]
)


CORPUS = pd.DataFrame({"method": ["seq2seq", "uni-path", "uni-path"], "bleu": [20.0, 29.0, 31.0]})


def test_the_main_table_adds_up_a_pair_of_models_and_counts_the_scorer_once():
    table = comparison_table(predictions(RIGHTS), BUDGETS, CORPUS, POINTS)
    assert table["method"].tolist() == ["seq2seq", "uni-path"], "in the order of METHODS"
    uni = table.set_index("method").loc["uni-path"]
    assert (uni["training_flops"], uni["scorer_flops"], uni["target_tokens"], uni["epochs"]) == (2e9, 1e9, 10, 4.0)
    assert uni["difference"] == pytest.approx(0.3) and uni["difference_low"] > 0.2 and uni["p_holm"] < 1e-6
    assert math.isnan(table["difference"][0]) and table["bleu"].tolist() == [20.0, 30.0]
    assert table["still_rises"].tolist() == [True, False]
    differences = difference_table(table)
    assert differences["method"].tolist() == ["uni-path"] and differences["low"][0] == uni["difference_low"]
    assert short_table(table).loc["uni-path", "accuracy (95 % interval)"].startswith("80.0%")


def test_findings_say_what_the_table_says():
    table = comparison_table(predictions(RIGHTS), BUDGETS, CORPUS, POINTS)
    base, uni, scorer, holm, rising = findings(table, POINTS)
    assert "seq2seq answers 50.0% of 100 test questions (one seed)" in base
    assert uni.startswith("uni-path answers 80.0%, more than seq2seq: +30.0 points (95 % interval +")
    assert "uni-path cost another 50% of that training" in scorer and "Holm" in holm
    assert rising == "Validation curves still rise at the end of the budget: seq2seq."
    equal = {"uni-path": RIGHTS["seq2seq"][:1] + RIGHTS["seq2seq"][1:-1] + [True], "seq2seq": RIGHTS["seq2seq"]}
    table = comparison_table(predictions(equal), BUDGETS, CORPUS, POINTS)
    assert "cannot be told apart from seq2seq: +1.0 points" in findings(table)[1]


def test_a_rise_must_exceed_one_standard_error():
    rises = still_rising(POINTS).set_index("method")
    assert rises["still_rises"].to_dict() == {"seq2seq": True, "uni-path": False}
    assert rises.loc["uni-path", "last_gain"] == pytest.approx(0.01)
    assert "still rises" in rising_sentence(POINTS[POINTS["method"] == "seq2seq"])
    assert "one point" in rising_sentence(POINTS[(POINTS["method"] == "seq2seq") & (POINTS["flops"] < 2e9)])


def test_accuracy_and_reasons_count_every_chain():
    table = evaluate_chains([chain("a", EXAMPLES[0].rationale), chain("b", "", "stalled")], EXAMPLES)
    by = accuracy_by(table, ["steps"])
    assert by[["steps", "accuracy", "n"]].values.tolist() == [[1, 1.0, 1], [2, 0.0, 1]]
    assert all(by["low"] <= by["accuracy"]) and all(by["accuracy"] <= by["high"])
    ended = end_reasons(table, "uni-path").set_index("reason")
    assert ended["chains"].to_dict() == {"end": 1, "max_rounds": 0, "stalled": 1, "length": 0}
    assert ended["share"].sum() == 1.0


def test_power_follows_from_how_often_two_methods_disagree():
    row = power_table(predictions(RIGHTS)).iloc[0]
    assert row["disagree"] == pytest.approx(0.3) and 0.1 < row["detectable_difference"] < 0.2


def test_order_is_that_of_methods():
    ordered = in_order(predictions(RIGHTS, seeds=2))
    assert ordered["method"].unique().tolist() == ["seq2seq", "uni-path"] and ordered["seed"][:100].eq(0).all()


class TrainingRun(SimpleNamespace):
    def all(self, step):
        assert step == "segmentation"
        return self.segmentations


def test_budgets_read_the_scorers_cost_from_the_segmentation(tmp_path: Path):
    budget = {"model": "model", "epochs": 1.0, "flops": 5.0, "target_tokens": 2}
    write_whole(tmp_path / "training.json", {"log": [], "budget": [budget]})
    settings = SimpleNamespace(training=SimpleNamespace(method="uni-path-merged", seed=3))
    labels = SimpleNamespace(manifest=lambda: {"numbers": {"scorer_flops": 7}})
    table = budgets_of([TrainingRun(folder=tmp_path, settings=settings, segmentations=[labels])])
    assert table[["method", "seed", "flops", "scorer_flops"]].values.tolist() == [["uni-path-merged", 3, 5.0, 7.0]]
    assert budgets_of([TrainingRun(folder=tmp_path, settings=settings, segmentations=[])])["scorer_flops"][0] == 0
