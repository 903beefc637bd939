"""Predictions of the small comparison and of the notebooks around it: each rule on made tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ases.quick_expectations import (
    comparison_expectations,
    quick_expectations,
    segmentation_expectations,
    start_expectations,
)
from ases.verdicts import FAILED, HELD, UNDECIDED, UNTESTED

ENDS = {"low": -0.02, "high": 0.02}


def around(value: float, name: str = "") -> dict[str, float]:
    return {name or "accuracy": value, **{"_".join(filter(None, [name, end])): value + by for end, by in ENDS.items()}}


def compared(**changes: float) -> pd.DataFrame:
    found = {"answer-only": 0.1, "seq2seq": 0.6, "uni-path": 0.5, "uni-path-merged": 0.5}
    found |= {"dual-path": 0.3, "dual-path-merged": 0.3} | changes
    return pd.DataFrame([{"method": method, **around(value)} for method, value in found.items()])


@pytest.mark.parametrize(
    ("changes", "verdicts"),
    [
        ({}, [HELD, UNTESTED, HELD]),
        ({"answer-only": 0.4}, [FAILED, UNTESTED, HELD]),
        ({"answer-only": 0.29}, [UNDECIDED, UNTESTED, HELD]),
        ({"dual-path": 0.6}, [HELD, UNTESTED, FAILED]),
        ({"dual-path-merged": 0.49}, [HELD, UNTESTED, UNDECIDED]),
    ],
)
def test_predictions_about_the_comparison(changes: dict[str, float], verdicts: list[str]) -> None:
    assert comparison_expectations(compared(**changes))["verdict"].tolist() == verdicts


def test_of_methods_and_answers_that_are_not_there_nothing_is_said() -> None:
    table = compared()
    few = table[table["method"].isin(["seq2seq", "uni-path"])]
    assert comparison_expectations(few)["verdict"].tolist() == [UNTESTED] * 3
    assert comparison_expectations(table.rename(columns={"accuracy": "rouge_l"}))["verdict"].eq(UNTESTED).all()
    assert len(comparison_expectations(few)) == len(comparison_expectations(table))


def started(**changes: float) -> pd.DataFrame:
    """What the checkpoint adds to two methods on two training sets; that of the smaller one first."""
    chosen = {"seq2seq_125": 0.2, "uni-path_125": 0.2, "seq2seq_2000": 0.0, "uni-path_2000": 0.0} | changes
    rows = []
    for name, gain in chosen.items():
        method, size = name.split("_")
        keys = {"train_size": int(size), "method": method, "accuracy": 0.5}
        rows += [{**keys, "start": "micro"}, {**keys, "start": "checkpoint", **around(gain, "difference")}]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("changes", "verdicts"),
    [
        ({}, [HELD, HELD]),
        ({"seq2seq_125": -0.1}, [FAILED, FAILED]),
        ({"uni-path_2000": 0.2}, [UNDECIDED, FAILED]),
        ({"uni-path_2000": 0.04}, [HELD, UNDECIDED]),
    ],
)
def test_predictions_about_starts(changes: dict[str, float], verdicts: list[str]) -> None:
    assert start_expectations(started(**changes))["verdict"].tolist() == verdicts


def test_one_size_or_method_says_nothing_of_several() -> None:
    table = started()
    assert start_expectations(table[table["train_size"] == 125])["verdict"].tolist() == [UNTESTED, HELD]
    assert start_expectations(table[table["method"] == "seq2seq"])["verdict"].tolist() == [HELD, UNTESTED]
    assert start_expectations(table.drop(columns="accuracy"))["verdict"].tolist() == [UNTESTED] * 2


SERIES = [("entropy", "sum", "question"), ("loss", "sum", "question"), ("novelty", float("nan"), float("nan"))]
NAMED = ("strategy", "reduce", "condition")


def detected(entropy: float = 0.7, novelty: float = 0.9, **best: float) -> pd.DataFrame:
    """Verdicts where the scores have these AUCs, and their F1 is best at these betas of 0.8, 1.0 and 1.2."""
    at = {"entropy": 0.8, "loss": 1.2, "novelty": 1.0} | best
    auc, sweep = [], []
    for names in SERIES:
        keys = dict(zip(NAMED, names, strict=True))
        value = {"entropy": entropy, "novelty": novelty}.get(names[0], 0.6)
        auc += [{"data": data, **keys, **around(value, "auc")} for data in ("generated", "reports")]
        for beta in (0.8, 1.0, 1.2):
            lost = 0.2 * abs(beta - at[names[0]]) / 0.2
            sweep.append({"data": "generated", **keys, "beta": beta, **around(0.9 - lost, "f1")})
    control = {"data": "generated", "strategy": "location", **around(0.4, "f1")}
    return segmentation_expectations(pd.DataFrame(auc), pd.DataFrame([*sweep, control]))


@pytest.mark.parametrize(
    ("changes", "verdicts"),
    [
        ({}, [HELD, UNTESTED, HELD, HELD]),
        ({"entropy": 0.4}, [FAILED, UNTESTED, HELD, HELD]),
        ({"entropy": 0.51}, [UNDECIDED, UNTESTED, HELD, HELD]),
        ({"novelty": 0.5}, [HELD, UNTESTED, FAILED, HELD]),
        ({"novelty": 0.71}, [HELD, UNTESTED, UNDECIDED, HELD]),
        ({"loss": 1.0}, [HELD, UNTESTED, HELD, HELD]),
    ],
)
def test_predictions_about_labels(changes: dict[str, float], verdicts: list[str]) -> None:
    assert detected(**changes)["verdict"].tolist() == verdicts


def test_a_beta_that_suits_all_scores_refutes_that_there_is_none() -> None:
    auc, sweep = pd.DataFrame(columns=["data", *NAMED]), []
    for names in SERIES[:2]:
        keys = dict(zip(NAMED, names, strict=True))
        sweep += [{"data": "generated", **keys, "beta": beta, **around(0.9 - (beta > 1), "f1")} for beta in (1.0, 1.2)]
    verdicts = segmentation_expectations(auc, pd.DataFrame(sweep))
    assert verdicts["verdict"].tolist() == [UNTESTED, UNTESTED, UNTESTED, FAILED]
    assert "beta 1 fits most, and is clearly worse than their best for 0 of 2" in verdicts["evidence"].iloc[3]
    one = segmentation_expectations(auc, pd.DataFrame(sweep[:2]))
    assert one["verdict"].tolist() == [UNTESTED] * 4, "one score alone shows nothing about several"


def test_notebooks_are_judged_by_the_tables_that_they_left(tmp_path: Path) -> None:
    compared().to_csv(tmp_path / "comparison.csv")
    found = quick_expectations(tmp_path, tmp_path)
    assert list(found) == ["06_comparison"] and found["06_comparison"]["verdict"].tolist() == [HELD, UNTESTED, HELD]
    sweep = [
        {"data": "generated", "strategy": "novelty", "reduce": "", "condition": "", "beta": 1.0, **around(1, "f1")}
    ]
    pd.DataFrame(sweep).to_csv(tmp_path / "beta_sweep.csv")
    auc = [{"data": "generated", "strategy": "entropy", "reduce": "sum", "condition": "question", **around(1, "auc")}]
    pd.DataFrame(auc).to_csv(tmp_path / "auc.csv")
    found = quick_expectations(tmp_path, tmp_path, started())
    assert list(found) == ["03_segmentation", "06_comparison", "07_start"]
    assert found["03_segmentation"]["verdict"].tolist() == [HELD, UNTESTED, UNTESTED, UNTESTED]
