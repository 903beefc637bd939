"""What was expected of the main experiment, beside what came out: the predictions of its notebook, each with a verdict.

>>> expectations_table(table, plateau, claims)[["prediction", "verdict"]]       # doctest: +SKIP

The predictions were written down on 2026-11-25, before the runs (``notebooks/07_experiment``); the rules that judge
them stand here. A prediction holds or does not where an interval says so; else it is undecided.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from ases.arms import LOOKUP, read_arm
from ases.measures import MEASURES

HELD, FAILED, UNDECIDED, UNTESTED = "held", "did not hold", "undecided", "not tested"
CLOSE = 0.05
"""Prediction 3: uni-path and seq2seq end within 5 points of each other."""

SMALL = 0.03
"""Predictions 4 and 6: a gain below 3 points is none that matters."""


def expectations_table(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    """One row a prediction and training-set size: ``train_size, prediction, verdict, evidence``.

    ``table`` and ``plateau`` are those of :func:`ases.cells.cell_table`, of all budgets and of own plateaus; ``claims``
    is :func:`ases.claims.claims_table`.
    """
    rows = []
    for size in table["train_size"].unique():
        parts = [one[one["train_size"] == size] for one in (table, plateau, claims)]
        for text, judge in _PREDICTIONS.items():
            verdict, evidence = judge(*parts)
            rows.append({"train_size": size, "prediction": text, "verdict": verdict, "evidence": evidence})
    return pd.DataFrame(rows)


def _is_ases(arm: str) -> bool:
    return read_arm(arm).method.startswith(("uni-path", "dual-path"))


_points = MEASURES["correct"].difference_text


def _said(row: pd.Series, low: str, high: str) -> str:
    return f"{_points(row['difference'])} points ({_points(row[low])} to {_points(row[high])})"


def _behind_at_equal_flops(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> tuple[str, str]:
    rows = table[table["budget"].str.endswith(" flops") & table["arm"].map(_is_ases)]
    clear = rows[rows["p_holm"] < 0.05]
    ahead = clear.loc[clear["difference"] > 0, "arm"].tolist()
    behind = int((clear["difference"] < 0).sum())
    said = f"{behind} of {len(rows)} differences are clearly below 0"
    if ahead:
        return FAILED, f"{said}; clearly ahead: {', '.join(ahead)}"
    return (HELD if behind == len(rows) > 0 else UNDECIDED), said


def _ahead_at_equal_tokens(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> tuple[str, str]:
    rows = table[table["budget"].str.endswith(" target_tokens") & (table["arm"] == "uni-path")]
    if rows.empty:
        return UNTESTED, "no budget in target tokens was run"
    clear = rows[rows["p_holm"] < 0.05]
    said = ", ".join(f"{_points(value)} points" for value in rows["difference"])
    if len(clear) < len(rows):
        return UNDECIDED, said
    return (HELD if (clear["difference"] > 0).all() else FAILED), said


def _alike_at_plateau(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> tuple[str, str]:
    rows = plateau[plateau["arm"] == "uni-path"]
    if rows.empty:
        return UNTESTED, "uni-path was not run"
    row, own = rows.iloc[0], table[table["arm"] == "uni-path"]
    if own.loc[own["budget"].str.endswith(" flops"), "budget"].nunique() < 2:
        apart = _said(row, "difference_low", "difference_high")
        return UNTESTED, f"one budget of FLOPs shows no plateau; at that budget {apart}"
    return _within(row, -CLOSE, CLOSE, "difference_low", "difference_high")


def _within(row: pd.Series, least: float, most: float, low: str = "low", high: str = "high") -> tuple[str, str]:
    said = _said(row, low, high)
    if least < row[low] and row[high] < most:
        return HELD, said
    return (FAILED if row[high] < least or row[low] > most else UNDECIDED), said


def _claimed(claims: pd.DataFrame, first: str, second: str) -> pd.Series | None:
    found = claims[(claims["first"] == first) & (claims["second"] == second) & claims["difference"].notna()]
    found = found[found["measure"] != "bleu"]
    return None if found.empty else found.iloc[0]


def _gains_little(first: str, second: str) -> Callable[..., tuple[str, str]]:
    def judge(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> tuple[str, str]:
        row = _claimed(claims, first, second)
        if row is None:
            return UNTESTED, f"{first} and {second} were not both run"
        return _within(row, -1.0, SMALL)

    return judge


def _one_beats_two(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> tuple[str, str]:
    row = _claimed(claims, "uni-path-merged", "dual-path-merged")
    if row is None:
        return UNTESTED, "one and two models were not both run"
    said = _said(row, "low", "high")
    if not row["p_holm"] < 0.05:
        return UNDECIDED, said
    return (HELD if row["difference"] > 0 else FAILED), said


def _lookup_is_behind(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> tuple[str, str]:
    rows = plateau.set_index("arm")
    if LOOKUP not in rows.index or "accuracy" not in rows:
        return UNTESTED, "the lookup was not run"
    best, lookup = rows.drop(index=LOOKUP)["accuracy"].idxmax(), rows.loc[LOOKUP]
    said = f"lookup {lookup['accuracy']:.1%}, {best} {rows.loc[best, 'accuracy']:.1%}"
    if rows.loc[best, "low"] > lookup["high"]:
        return HELD, said
    return (FAILED if rows.loc[best, "high"] < lookup["low"] else UNDECIDED), said


_ENTROPY, _RANDOM = "uni-path-merged", "uni-path-merged, strategy=random_boundaries"
_PREDICTIONS: dict[str, Callable[..., tuple[str, str]]] = {
    "At equal FLOPs seq2seq leads every AS-ES arm": _behind_at_equal_flops,
    "At equal target tokens uni-path leads seq2seq": _ahead_at_equal_tokens,
    "At their own plateaus uni-path and seq2seq differ by less than 5 points": _alike_at_plateau,
    "Entropy's segments gain less than 3 points over random ones": _gains_little(_ENTROPY, _RANDOM),
    "Two models do worse than one": _one_beats_two,
    "Gold labels gain less than 3 points over entropy's": _gains_little("uni-path-merged, strategy=gold", _ENTROPY),
    "The lookup answers fewer than the best trained arm": _lookup_is_behind,
}


def expectations_line(table: pd.DataFrame) -> str:
    """How many of the predictions held, in words."""
    counts = table["verdict"].value_counts()
    said = [f"{counts[verdict]} {verdict}" for verdict in (HELD, FAILED, UNDECIDED, UNTESTED) if verdict in counts]
    return f"Of {len(table)} predictions (each training-set size counts) {', '.join(said)}."
