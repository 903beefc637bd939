"""The benchmark measures what it says: the plain procedure gives the same scores, and the sums are right."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import pandas as pd
import pytest

from ases import scoring_speed
from ases.errors import ParameterError, RunError
from ases.models import cost_of
from ases.scorers import score_table, scoring_flops
from ases.scoring_speed import (
    assumed_gpu_rate,
    compare_memory,
    compare_processes,
    compare_speed,
    count_pieces,
    first_pieces,
    plain_scores,
    precision_error,
    project_hours,
    random_scorer,
)
from tests.test_shards import EXAMPLES, scorer


@pytest.mark.parametrize("width", [None, 512])
def test_the_plain_procedure_gives_the_same_scores(width):
    examples = EXAMPLES[:3]
    ours = score_table(examples, scorer(), ["question"])
    plain = plain_scores(examples, scorer(), width)
    pd.testing.assert_frame_equal(plain, ours[plain.columns.tolist()], rtol=1e-4, atol=1e-4)


def test_first_pieces_are_as_many_as_asked_for_or_all():
    assert count_pieces(first_pieces(EXAMPLES, 1)) == count_pieces(EXAMPLES[:1])
    few = first_pieces(EXAMPLES, 12)
    assert count_pieces(few) >= 12 > count_pieces(few[:-1])
    assert first_pieces(EXAMPLES, 10**6) == EXAMPLES


def test_a_comparison_has_a_row_a_procedure_and_its_ratios_are_those_of_its_times(monkeypatch):
    monkeypatch.setattr(scoring_speed, "WIDTH", 48)
    monkeypatch.setattr(scoring_speed, "matrix_rate", lambda dtype, clock: 1e9)
    sizes = {"pieces": 40, "plain_pieces": 24, "dynamic_pieces": 24}
    table = compare_speed({"generated": EXAMPLES}, **sizes, precisions=["float32"], shape="nano")
    assert table["procedure"].tolist() == ["plain", "dynamic padding", "ours", "ours", "ours"]
    rate = table["pieces"] / table["seconds"]
    assert table["times_plain"].tolist() == pytest.approx((rate / rate[0]).tolist())
    some, nano = first_pieces(EXAMPLES, 40), random_scorer(EXAMPLES, "nano")
    assert table["flops_per_piece"][2] * count_pieces(some) == pytest.approx(scoring_flops(some, nano, "question"))
    assert table["flops_per_piece"][0] == cost_of(nano.model).forward(48, 48)
    both = table["flops_per_piece"]
    assert max(both[2], both[3]) < both[4] < both[2] + both[3], "the questions are read once for both conditions"
    assert table["question_tokens"].nunique() == 1 and (table["tokens_per_word"] >= 1).all()
    lengths = [len(nano.codec.encode(example.question)) for example in some]
    assert table["question_tokens"][0] == pytest.approx(sum(lengths) / len(lengths))


def test_errors_of_a_lower_precision_are_small_and_those_of_the_same_are_none():
    table = precision_error(EXAMPLES[:8], scorer())
    assert len(table) == 4 and (table["mean_error"] <= table["largest_error"]).all()
    assert (table["mean_error"] > 0).all() and (table["largest_error"] < 0.2).all()
    assert not precision_error(EXAMPLES[:8], scorer(), "float32")[["largest_error", "labels_changed"]].any().any()


def test_the_shards_of_two_processes_are_those_of_one():
    table = compare_processes(EXAMPLES[:8], counts=(2,), shard_size=2, shape="nano")
    assert table["pieces"].tolist() == [count_pieces(EXAMPLES[:8])] and table["speed_up"].tolist() == [1.0]


def test_hours_are_amounts_over_rates_and_what_was_not_measured_says_so():
    rates = pd.DataFrame(
        {"device": list("abc"), "rationales_per_second": [100.0, 1000.0, math.nan], "measured": [True, False, False]}
    )
    table = project_hours(rates, [3.6e5], {"one": 1, "four": 4}, efficiency=0.5)
    assert table["hours"].tolist()[:4] == [1.0, 0.5, 0.1, 0.05] and table["hours"][4:].isna().all()
    assert table["measured"].tolist() == [True, True, False, False, False, False]
    assert assumed_gpu_rate(1e9, peak=1e12, share=0.1) == pytest.approx(100)
    for wrong in ({"share": 0}, {"share": 1.1}, {"peak": 0}):
        with pytest.raises(ParameterError):
            assumed_gpu_rate(1e9, **wrong)
    with pytest.raises(ParameterError, match="lacks measured"):
        project_hours(rates[["device", "rationales_per_second"]])


def test_memory_is_that_of_the_procedure_and_the_line_of_a_process_is_read(monkeypatch):
    asked = []

    def answered(command, **given):
        asked.append((command[3:], given["env"]["OMP_NUM_THREADS"]))
        held = {"plain": 900.0, "dynamic padding": 90.0, "ours": 180.0}[command[3]]
        return SimpleNamespace(returncode=0, stdout=json.dumps({"loaded_mib": 300.0, "peak_mib": held}), stderr="")

    monkeypatch.setattr(scoring_speed.subprocess, "run", answered)
    table = compare_memory(EXAMPLES, threads=2, shape="nano")
    assert table["share_of_plain"].tolist() == [1, 0.1, 0.2]
    assert table["pieces"].tolist()[2] == count_pieces(EXAMPLES) > table["pieces"].tolist()[0]
    assert {(words[0], *words[2:]) for words, _ in asked} == {(name, "2", "nano") for name in table["procedure"]}
    assert {threads for _, threads in asked} == {"2"}
    failed = SimpleNamespace(returncode=1, stdout="", stderr="x\nno room\n")
    monkeypatch.setattr(scoring_speed.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(RunError, match="memory of plain failed.*no room"):
        compare_memory(EXAMPLES, shape="nano")
