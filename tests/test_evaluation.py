"""Chains to tables: small cases done by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ases.certainty import power_table, seed_table
from ases.checkpoints import write_whole
from ases.curves import apart_sentence, loss_table
from ases.errors import DataError
from ases.evaluation import (
    budgets_of,
    comparison_table,
    concatenate,
    curve_table,
    difference_table,
    end_reasons,
    evaluate_chains,
    findings,
    generation_cost,
    in_order,
    measure_by,
    measure_by_length,
    measures_table,
    rising_sentence,
    short_table,
    still_rising,
    validation_curve,
    vote_sentence,
    without_texts,
)
from ases.examples import Example
from ases.generation import Chain
from ases.metrics import bleu
from ases.settings import settings_for
from ases.statistics import bootstrap_mean, compare, proportion_interval, seed_mean

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
    with pytest.raises(DataError, match="1 of 2 questions have no answer, the first q3"):
        evaluate_chains([chain("a", "x"), chain("q3", "x")], [EXAMPLES[0], Example("q3", "a", "b.", None, "own")])
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
    for name in ("bleu", "rouge_l"):
        other = compare(predictions(RIGHTS), baseline="seq2seq", value=name).iloc[0]
        columns = [f"{name}_difference", f"{name}_difference_low", f"{name}_difference_high", f"{name}_p_holm"]
        assert uni[columns].tolist() == other[["difference", "low", "high", "p_holm"]].tolist()
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
    assert "of one point cannot tell" in findings(table, POINTS[POINTS["flops"] == 2e9])[-1]


def test_a_rise_must_exceed_one_standard_error():
    rises = still_rising(POINTS).set_index("method")
    assert rises["still_rises"].to_dict() == {"seq2seq": True, "uni-path": False}
    assert rises.loc["uni-path", "last_gain"] == pytest.approx(0.01)
    assert "still rises" in rising_sentence(POINTS[POINTS["method"] == "seq2seq"])
    assert "one point" in rising_sentence(POINTS[(POINTS["method"] == "seq2seq") & (POINTS["flops"] < 2e9)])


def test_accuracy_and_reasons_count_every_chain():
    table = evaluate_chains([chain("a", EXAMPLES[0].rationale), chain("b", "", "stalled")], EXAMPLES)
    by = measure_by(table, ["steps"])
    assert by[["steps", "accuracy", "n"]].values.tolist() == [[1, 1.0, 1], [2, 0.0, 1]]
    assert all(by["low"] <= by["accuracy"]) and all(by["accuracy"] <= by["high"])
    ended = end_reasons(table, "uni-path").set_index("reason")
    assert ended["chains"].to_dict() == {"end": 1, "max_rounds": 0, "stalled": 1, "length": 0}
    assert ended["share"].sum() == 1.0


def test_order_is_that_of_methods():
    ordered = in_order(predictions(RIGHTS, seeds=2))
    assert ordered["method"].unique().tolist() == ["seq2seq", "uni-path"] and ordered["seed"][:100].eq(0).all()


class TrainingRun(SimpleNamespace):
    def all(self, step):
        assert step == "scoring"
        return self.scorings


def test_budgets_read_the_scorers_cost_under_the_condition_used(tmp_path: Path):
    budget = {"model": "model", "epochs": 1.0, "flops": 5.0, "target_tokens": 2}
    write_whole(tmp_path / "training.json", {"log": [], "budget": [budget]})
    settings = settings_for({"method": "uni-path-merged", "seed": 3, "condition": "prefix"})
    numbers = {"scorer_flops_question": 6, "scorer_flops_prefix": 7}
    scoring = SimpleNamespace(manifest=lambda: {"numbers": numbers})
    table = budgets_of([TrainingRun(folder=tmp_path, settings=settings, scorings=[scoring])])
    assert table[["method", "seed", "flops", "scorer_flops"]].values.tolist() == [["uni-path-merged", 3, 5.0, 7.0]]
    assert budgets_of([TrainingRun(folder=tmp_path, settings=settings, scorings=[])])["scorer_flops"][0] == 0


# What one run's chains come to, and what they cost ---------------------------------------------------------------


def test_measures_of_a_run_come_with_intervals():
    examples = [Example(f"q{n}", "3 + 4?", "So 3 + 4 = 7. The answer is 7.", "7", "own") for n in range(8)]
    texts = [examples[0].rationale] * 5 + ["3 + 4 = 8."] * 2 + ["no idea"]
    table = evaluate_chains([chain(one.qid, text) for one, text in zip(examples, texts, strict=True)], examples)
    measures = measures_table(table, examples).set_index("measure")
    assert measures.index.tolist() == ["accuracy", "ROUGE-L", "corpus BLEU", "right equations"]
    wilson = proportion_interval(5, 8)
    assert measures.loc["accuracy"].tolist() == [5 / 8, wilson.low, wilson.high, 8]
    assert measures.loc["corpus BLEU", "mean"] == pytest.approx(bleu(texts, [one.rationale for one in examples]))
    assert measures.loc["right equations", ["mean", "n"]].tolist() == [5 / 7, 7], "chains that state one"
    assert (measures["low"] <= measures["mean"]).all() and (measures["mean"] <= measures["high"]).all()


def test_many_lengths_are_put_into_ranges_that_hold_every_question():
    table = predictions({"uni-path": [True, False] * 50, "seq2seq": [True] * 100})
    few = table.assign(steps=table["qid"].str[-1].astype(int) % 3)
    expected = in_order(measure_by(few, ["method", "steps"]), by="steps")
    pd.testing.assert_frame_equal(measure_by_length(few), expected)
    many = measure_by_length(table.assign(steps=table["qid"].str[1:].astype(int) // 5))
    assert many["method"].tolist() == ["seq2seq"] * 5 + ["uni-path"] * 5
    one = many[many["method"] == "uni-path"]
    assert one["n"].sum() == 100 and one["n"].between(15, 25).all()
    assert one["steps"].iloc[0] == 0 and one["steps_to"].iloc[-1] == 19
    assert (one["steps"].iloc[1:].to_numpy() == one["steps_to"].iloc[:-1] + 1).all()
    assert (one["n"] * one["accuracy"]).sum() == pytest.approx(50)


def costly(method, qid, samples, flops, agreement=1.0):
    counts = {"rounds": 2, "read_tokens": 10 * samples, "written_tokens": 4 * samples, "flops": flops}
    return {"method": method, "qid": qid, "samples": samples, "agreement": agreement} | counts


def test_all_samples_of_a_vote_are_paid_for():
    table = pd.DataFrame([costly("seq2seq", "a", 3, 30, 1.0), costly("seq2seq", "b", 3, 60, 0.5)])
    (row,) = generation_cost(table).to_dict("records")
    assert (row["chains"], row["samples"], row["agreement"], row["read_tokens"]) == (2, 3, 0.75, 30)
    assert (row["flops"], row["flops_a_sample"]) == (45, 15)
    text = vote_sentence(generation_cost(table))
    assert "over 3 samples" in text and "cost 45 FLOPs, where one sample alone costs 15" in text and "75%" in text
    single = pd.DataFrame([costly("uni-path", "a", 1, 30), costly("seq2seq", "a", 1, 10)])
    assert generation_cost(single)["method"].tolist() == ["uni-path", "seq2seq"]
    assert vote_sentence(generation_cost(single)) == "No vote was taken: each chain was written once."


def test_what_a_chain_cost_reaches_the_main_table():
    written = [Chain(one.qid, one.rationale, (), "end", 1, 10, 5, flops=70, samples=2) for one in EXAMPLES]
    table = evaluate_chains(written, EXAMPLES)
    assert table[["flops", "samples", "agreement"]].values.tolist() == [[70, 2, 1.0]] * 2
    priced = predictions(RIGHTS).assign(flops=lambda t: np.where(t["method"] == "seq2seq", 100, 300))
    priced = priced.assign(samples=1, agreement=1.0, rounds=1, read_tokens=1, written_tokens=1)
    main = comparison_table(priced, BUDGETS, CORPUS, POINTS)
    assert main["generation_flops"].tolist() == [100, 300]
    assert short_table(main)["FLOPs a question"].tolist() == ["1e+02", "3e+02"]
    assert "FLOPs a question" not in short_table(comparison_table(predictions(RIGHTS), BUDGETS, CORPUS, POINTS))


def test_published_predictions_hold_no_text():
    both = [evaluate_chains([chain(e.qid, "右肺 7") for e in some], some) for some in (EXAMPLES, REPORTS)]
    names = [list(without_texts(table.assign(method="x", seed=0))) for table in both]
    assert names[0] == ["method", "seed", "qid", "correct", "bleu", "rouge_l"]
    assert names[1] == ["method", "seed", "qid", "correct", "bleu", "rouge_1", "rouge_2", "rouge_l"]


# Several seeds --------------------------------------------------------------------------------------------------


def test_several_seeds_of_one_question_are_no_several_questions():
    table = predictions(RIGHTS, seeds=3).assign(steps=2)
    table.loc[(table["seed"] == 1) & (table["qid"] < "q010"), "correct"] = False
    by = measure_by(table, ["method", "steps"]).set_index("method")
    assert by["n"].tolist() == [100, 100]
    values = table[table["method"] == "uni-path"].pivot(index="seed", columns="qid", values="correct").to_numpy(bool)
    interval = seed_mean(values)
    assert by.loc["uni-path", ["accuracy", "low", "high"]].tolist() == [interval.estimate, interval.low, interval.high]


def test_the_main_table_over_several_seeds():
    table = predictions(RIGHTS, seeds=3)
    table.loc[(table["seed"] == 1) & (table["qid"] < "q010"), "correct"] = False
    both = comparison_table(table, BUDGETS, CORPUS, POINTS).set_index("method").loc["uni-path"]
    row = compare(table, baseline="seq2seq").iloc[0]
    assert (both["difference_low"], both["seeds"], row["test"]) == (row["low"], 3, "seeds x questions")
    assert "(3 seeds)" in findings(comparison_table(table, BUDGETS, CORPUS, POINTS))[0]


# Reports, which have no answer ----------------------------------------------------------------------------------

REPORTS = [
    Example("a", "右肺上叶见结节，约2.3cm。", "1. 右肺上叶结节，考虑恶性；\n2. 余未见异常。", None, "", language="zh"),
    Example("b", "肝脏未见异常。", "肝脏未见异常。", None, "", language="zh"),
]


def test_reports_are_measured_by_rouge():
    table = evaluate_chains([chain("a", "右肺上叶结节，考虑良性；"), chain("b", "肝脏未见异常。")], REPORTS)
    assert table["correct"].isna().all() and table["right_equations"].isna().all()
    assert table["steps"].tolist() == [3, 1], "pieces of the reference"
    assert table["rouge_l"][1] == table["rouge_2"][1] == 1.0 and 0 < table["rouge_2"][0] < table["rouge_1"][0] < 1
    by = measure_by(table, ["steps"])
    assert list(by) == ["steps", "rouge_l", "low", "high", "n"] and by["rouge_l"].tolist() == [1.0, table["rouge_l"][0]]
    assert measure_by(table.assign(method="x"), ["method"], "bleu")["bleu"][0] == pytest.approx(table["bleu"].mean())
    # As the notebooks read it back and put runs together.
    assert table[["correct", "rouge_l"]].astype(float)["correct"].isna().all()


def report_predictions(seeds=1):
    generator = np.random.default_rng(0)
    rows = [
        {"method": method, "seed": seed, "qid": f"q{n:03}", "correct": None, "bleu": 10.0}
        | {name: level + generator.random() / 5 for name in ("rouge_1", "rouge_2", "rouge_l")}
        for method, level in (("seq2seq", 0.4), ("uni-path", 0.45))
        for seed in range(seeds)
        for n in range(100)
    ]
    return pd.DataFrame(rows).astype({"correct": "boolean"})


REPORT_POINTS = POINTS.rename(columns={"accuracy": "rouge_l"}).assign(
    low=lambda table: table["rouge_l"] - 0.02, high=lambda table: table["rouge_l"] + 0.02
)


def test_the_main_table_of_reports_shows_rouge_in_place_of_accuracy():
    table = comparison_table(report_predictions(), BUDGETS, CORPUS, REPORT_POINTS)
    words = comparison_table(predictions(RIGHTS), BUDGETS, CORPUS, POINTS)
    assert "accuracy" not in table and list(table)[:4] == ["method", "n", "seeds", "rouge_l"]
    assert list(words)[3] == "accuracy" and "rouge_1" not in words
    uni = table.set_index("method").loc["uni-path"]
    values = report_predictions().query("method == 'uni-path'")["rouge_l"].to_numpy()
    assert uni["rouge_l"] == pytest.approx(values.mean()) and uni["low"] == bootstrap_mean(values).low
    assert uni["difference_low"] > 0.02 and uni["p_holm"] < 0.05 and uni["rouge_1_p_holm"] < 0.05
    assert uni["bleu_difference"] == 0 and uni["rouge_2_difference_low"] > 0 and "rouge_l_difference" not in table
    short = short_table(table)
    assert list(short)[:3] == ["ROUGE-L (95 % interval)", "ROUGE-L over seq2seq", "p (Holm)"]
    assert list(short)[3:7] == ["BLEU", "ROUGE-1", "ROUGE-2", "epochs"]
    assert short.loc["uni-path", "ROUGE-L (95 % interval)"].startswith(f"{uni['rouge_l']:.3f} ({uni['low']:.3f} to ")
    base, uni_line, *_, rising = findings(table, REPORT_POINTS)
    assert base == f"seq2seq reaches ROUGE-L {table['rouge_l'][0]:.3f} on 100 test questions (one seed)."
    assert uni_line.startswith(f"uni-path reaches ROUGE-L {uni['rouge_l']:.3f}, higher than seq2seq: +0.0")
    assert rising == "Validation curves still rise at the end of the budget: seq2seq."
    assert set(difference_table(table)["measure"]) == {"rouge_l"} and "measure" not in difference_table(words)
    assert comparison_table(report_predictions(3), BUDGETS, CORPUS, REPORT_POINTS)["seeds"].tolist() == [3, 3]


def test_predictions_with_some_answers_are_refused():
    table = report_predictions()
    table.loc[3, "correct"] = True
    for measured in (power_table, seed_table, lambda table: measure_by(table, ["method"])):
        with pytest.raises(DataError, match="199 of 200 questions have no answer"):
            measured(table)


BUDGET = pd.DataFrame({"flops": [4e8, 6e8], "target_tokens": [20, 40], "epochs": [2.0, 4.0]})


@pytest.mark.parametrize("examples", [EXAMPLES, REPORTS])
def test_the_learning_curve_follows_the_measure(monkeypatch: pytest.MonkeyPatch, examples):
    written = [[chain(one.qid, "7") for one in examples], [chain(one.qid, one.rationale) for one in examples]]
    monkeypatch.setattr("ases.curves.curve_models", lambda *_: [(0.5, {"model": None}), (1.0, {"model": None})])
    monkeypatch.setattr("ases.curves.TransformersWriter", lambda *_: None)
    monkeypatch.setattr("ases.curves.write_chains", lambda *_: written.pop(0))
    settings = SimpleNamespace(training=SimpleNamespace(method="seq2seq", curve_points=2, seed=4), generation=None)
    points = validation_curve(Path(), settings, examples, None, BUDGET)
    name = "accuracy" if examples is EXAMPLES else "rouge_l"
    assert list(points) == ["method", "seed", "flops", "target_tokens", "epochs", name, "low", "high", "n"]
    assert points["target_tokens"].tolist() == [30, 60] and points["epochs"].tolist() == [1.5, 3.0]
    assert points["flops"].tolist() == [5e8, 1e9] and points[name][1] == 1.0 > points[name][0]
    shown = "accuracy" if examples is EXAMPLES else "ROUGE-L"
    assert f"validation {shown} changed by +" in rising_sentence(points)
    table = curve_table(pd.DataFrame({"loss": [1.0]}), points)
    assert set(table["curve"]) == {"validation loss", f"validation {shown}"}


def test_a_score_rises_when_its_gain_exceeds_its_error():
    points = REPORT_POINTS.assign(low=lambda t: t["rouge_l"] - 0.0392, high=lambda t: t["rouge_l"] + 0.0392)
    last = points["flops"] == 2e9
    near = points.assign(rouge_l=points["rouge_l"].where(~last, [0.0, 0.119, 0.0, 0.809]))
    assert not still_rising(near)["still_rises"].any()
    far = points.assign(rouge_l=points["rouge_l"].where(~last, [0.0, 0.121, 0.0, 0.811]))
    assert still_rising(far)["still_rises"].tolist() == [True, True]


def test_losses_of_several_runs_are_one_table_for_others_to_compare_with(tmp_path):
    trainings = []
    for method, loss_as in (("seq2seq", 0.5), ("answer-only", None)):
        folder = tmp_path / method
        folder.mkdir()
        row = {"step": 3, "epoch": 1.0, "flops": 5, "target_tokens": 7, "loss": 0.25, "model": "model"}
        row |= {"loss_as": loss_as, "loss_es": 0.1}
        (folder / "training.json").write_text(json.dumps({"log": [row], "budget": []}))
        settings = SimpleNamespace(training=SimpleNamespace(method=method, seed=2))
        trainings.append(SimpleNamespace(folder=folder, settings=settings))
    table = loss_table(trainings, "gold")
    first = {"method": "seq2seq", "seed": 2, "model": "model", "step": 3, "epoch": 1.0, "flops": 5, "target_tokens": 7}
    assert table.iloc[0].to_dict() == {**first, "loss": 0.25, "loss_as": 0.5, "loss_es": 0.1, "labels": "gold"}
    assert table["method"].tolist() == ["seq2seq", "answer-only"] and pd.isna(table["loss_as"][1])


def test_a_sentence_says_how_the_two_kinds_of_tokens_were_learned():
    log = pd.DataFrame({"model": "model", "loss_es": [1.0, 0.25], "loss_as": [2.0, 0.5]})
    said = apart_sentence(log, "gold")
    assert "on ES tokens from 1.00 to 0.25, on AS tokens from 2.00 to 0.50 nats a token (gold labels)" in said
    halves = pd.DataFrame({"model": ["esm", "asm"], "loss_es": [1.0, None], "loss_as": [None, 3.0]})
    assert "ES tokens (ESM) from 1.00" in apart_sentence(halves, "novelty")
    assert "cannot be told apart" in apart_sentence(log.assign(loss_es=None, loss_as=None), "gold")
