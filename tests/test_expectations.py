"""Predictions and their verdicts: an interval decides, and nothing else."""

from __future__ import annotations

import pandas as pd
import pytest

from ases.expectations import FAILED, HELD, UNDECIDED, UNTESTED, expectations_line, expectations_table


def tables(**changes: object) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """One training-set size; uni-path a little behind, random borders as good as entropy's, the lookup ahead."""
    chosen = {"flops": -0.2, "tokens": 0.1, "plateau": (-0.01, -0.03, 0.01), "gold": (0.0, -0.01, 0.02)}
    chosen |= {"random": (0.0, -0.02, 0.02), "two": (0.1, 0.08, 0.12), "lookup": 0.6, **changes}
    rows = [
        ("1e+12 flops", "seq2seq", None),
        ("1e+12 flops", "uni-path", chosen["flops"]),
        ("4e+12 flops", "seq2seq", None),
        ("4e+12 flops", "uni-path", chosen["flops"]),
        ("4e+05 target_tokens", "uni-path", chosen["tokens"]),
    ]
    table = pd.DataFrame(rows, columns=["budget", "arm", "difference"]).assign(train_size=500, p_holm=0.01)
    named = ["difference", "difference_low", "difference_high"]
    plateau = pd.DataFrame([{"arm": "uni-path", **dict(zip(named, chosen["plateau"], strict=True)), "accuracy": 0.4}])
    plateau.loc[1] = {"arm": "lookup", "accuracy": chosen["lookup"]}
    plateau = plateau.assign(train_size=500, low=plateau["accuracy"] - 0.02, high=plateau["accuracy"] + 0.02)
    pairs = {
        ("uni-path-merged", "uni-path-merged, strategy=random_boundaries"): chosen["random"],
        ("uni-path-merged", "dual-path-merged"): chosen["two"],
        ("uni-path-merged, strategy=gold", "uni-path-merged"): chosen["gold"],
    }
    claims = pd.DataFrame(
        [
            {"first": a, "second": b, "difference": d, "low": low, "high": high, "p_holm": 0.01, "measure": "correct"}
            for (a, b), (d, low, high) in pairs.items()
        ]
    ).assign(train_size=500)
    return table, plateau, claims


def verdicts(**changes: object) -> list[str]:
    return expectations_table(*tables(**changes))["verdict"].tolist()


def test_what_was_expected_and_came() -> None:
    assert verdicts() == [HELD, HELD, HELD, HELD, HELD, HELD, FAILED]
    found = expectations_table(*tables())
    assert found["evidence"].str.contains(r"\d").all() and set(found["train_size"]) == {500}
    assert expectations_line(found) == "Of 7 predictions (each training-set size counts) 6 held, 1 did not hold."


@pytest.mark.parametrize(
    ("place", "change", "verdict"),
    [
        (0, {"flops": 0.2}, FAILED),
        (1, {"tokens": -0.1}, FAILED),
        (2, {"plateau": (0.1, 0.06, 0.14)}, FAILED),
        (2, {"plateau": (0.04, 0.01, 0.07)}, UNDECIDED),
        (3, {"random": (0.06, 0.04, 0.08)}, FAILED),
        (3, {"random": (0.02, 0.00, 0.04)}, UNDECIDED),
        (3, {"random": (-0.3, -0.4, -0.2)}, HELD),
        (4, {"two": (-0.1, -0.12, -0.08)}, FAILED),
        (5, {"gold": (0.05, 0.04, 0.06)}, FAILED),
        (6, {"lookup": 0.1}, HELD),
        (6, {"lookup": 0.41}, UNDECIDED),
    ],
)
def test_an_interval_decides(place: int, change: dict[str, object], verdict: str) -> None:
    assert verdicts(**change)[place] == verdict


def test_what_was_not_run_is_not_judged() -> None:
    table, plateau, claims = tables()
    only = expectations_table(table[table["arm"] == "seq2seq"], plateau[:0], claims[:0])
    assert only["verdict"].tolist() == [UNDECIDED, *[UNTESTED] * 6]


def test_one_budget_shows_no_plateau() -> None:
    table, plateau, claims = tables(plateau=(0.1, 0.06, 0.14))
    judged = expectations_table(table[table["budget"] != "4e+12 flops"], plateau, claims).iloc[2]
    assert judged["verdict"] == UNTESTED
    assert "one budget of FLOPs" in judged["evidence"] and "+10.0" in judged["evidence"]
