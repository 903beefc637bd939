"""What is said of a training's curves follows from its log."""

from __future__ import annotations

import pandas as pd
import pytest

from ases.curves import restated_sentence


def log(es: list[float | None], as_: list[float | None], model: str | list[str] = "model") -> pd.DataFrame:
    return pd.DataFrame({"loss_es": es, "loss_as": as_}).assign(model=model)


@pytest.mark.parametrize(
    ("es", "verdict", "at"),
    [([1.0, 0.5], "held", "2 of 2"), ([1.0, 0.9], "did not hold", "1 of 2"), ([1.81, 0.94], "did not hold", "0 of 2")],
)
def test_the_prediction_about_restated_tokens_is_judged_at_every_evaluation(es, verdict, at) -> None:
    said = restated_sentence(log(es, [1.28, 0.74]))
    assert f"infers (AS) {verdict}: it was lower at {at} (" in said
    assert f"({es[0]:.2f} against 1.28 at the first, {es[1]:.2f} against 0.74 at the last)" in said


def test_the_halves_of_a_dual_path_are_held_against_each_other() -> None:
    halves = log([1.0, 0.5, None, None], [None, None, 0.8, 0.6], ["esm", "esm", "asm", "asm"])
    assert "lower at 1 of 2 (1.00 against 0.80 at the first, 0.50 against 0.60 at the last)" in (
        restated_sentence(halves)
    )
    mixed = halves.fillna({"loss_es": 0.9, "loss_as": 0.9})  # labels that are not those of the halves: both kinds
    said = restated_sentence(mixed)
    assert "lower at 1 of 4 (" in said and "1.00 against 0.90 at the first (ESM)" in said
    assert "0.90 against 0.80 at the first (ASM)" in said


def test_without_both_kinds_there_is_nothing_to_judge() -> None:
    assert restated_sentence(log([None, None], [None, None])) == ""
    assert restated_sentence(log([1.0, 0.5], [None, None])) == ""
    assert restated_sentence(log([1.0], [2.0])).endswith("(1.00 against 2.00 at the first).")
