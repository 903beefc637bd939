"""Where chains break: the first wrong step by position and kind, and what a step is worth after a wrong one.

>>> first_wrong(predictions, test)[["arm", "kind", "step", "share"]]               # doctest: +SKIP

Steps and their verdicts are those of :mod:`ases.steps`. That a step is wrong more often after a wrong one may be
because hard questions have both: what a wrong step does is measured in :mod:`ases.interventions`. Ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ases.examples import Example
from ases.ratios import difference_table, ratio_table
from ases.steps import KINDS, NONE, RIGHT, first_errors, steps_of_chains
from ases.trials import verdict

PREFIXES = ("all steps before it right", "a step before it wrong")


def first_wrong(predictions: pd.DataFrame, examples: Sequence[Example]) -> pd.DataFrame:
    """What goes wrong first in the chains of each arm, and where: a row an arm, kind and step.

    ``arm, kind`` (of :data:`ases.steps.KINDS`), ``step`` (1 first; the place after the last step where no step is
    wrong), ``share`` of the arm's chains with ``low, high`` (95 %), ``chains`` (of all seeds), ``n, questions, seeds``.
    Only what occurs has a row; empty for examples without answers.
    """
    errors = first_errors(_as_methods(predictions), examples).rename(columns={"method": "arm"})
    rows = []
    for kind in KINDS:
        for step in sorted(errors.loc[errors["kind"] == kind, "step"].unique()):
            hit = (errors["kind"] == kind) & (errors["step"] == step)
            table = ratio_table(errors.assign(share=hit.astype(float)), "share", ["arm"])
            counts = hit.groupby(errors["arm"]).sum()
            table = table.assign(kind=kind, step=int(step), chains=table["arm"].map(counts))
            rows.append(table[table["chains"] > 0])
    columns = ["arm", "kind", "step", "share", "low", "high", "chains", "n", "questions", "seeds"]
    found = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)
    order = list(dict.fromkeys(errors["arm"]))
    return found.sort_values("arm", key=lambda one: one.map(order.index), kind="stable")[columns].reset_index(drop=True)


def after_prefix(predictions: pd.DataFrame, examples: Sequence[Example]) -> pd.DataFrame:
    """How often a step is right after right steps only, and after a wrong one; a row an arm and prefix.

    ``arm, prefix`` (:data:`PREFIXES`), ``right`` with ``low, high`` (95 %) over steps from the second on, ``n``
    (steps), ``questions, seeds``. A first step has nothing before it and is left out.
    """
    steps = steps_of_chains(_as_methods(predictions), examples).rename(columns={"method": "arm"})
    later = steps[steps["step"] > 1]
    later = later.assign(
        right=(later["kind"] == RIGHT).astype(float),
        prefix=later["after_right"].map(dict(zip((True, False), PREFIXES, strict=True))),
    )
    return ratio_table(later, "right", ["arm", "prefix"])


def after_prefix_difference(predictions: pd.DataFrame, examples: Sequence[Example]) -> pd.DataFrame:
    """:func:`after_prefix`, right less wrong prefix: ``arm, difference, low, high, n, questions, seeds``."""
    steps = steps_of_chains(_as_methods(predictions), examples).rename(columns={"method": "arm"})
    later = steps[steps["step"] > 1].assign(right=lambda table: (table["kind"] == RIGHT).astype(float))
    return difference_table(later, "right", "after_right", True, False, ["arm"])


def _as_methods(predictions: pd.DataFrame) -> pd.DataFrame:
    """The tables of :mod:`ases.steps` tell rows apart by method."""
    return predictions.assign(method=predictions["arm"])


def break_sentences(first: pd.DataFrame, differences: pd.DataFrame) -> list[str]:
    """Both tables in words, and whether what was predicted held: most breaks are at the first step."""
    lines, held = [], []
    for arm, part in first.groupby("arm", sort=False):
        total, at_first = part["share"].sum(), part.loc[part["step"] == 1, "share"].sum()
        by_kind = part.groupby("kind")["share"].sum()
        most = by_kind.idxmax()
        lines.append(
            f"{arm}: something goes wrong in {total:.0%} of chains, in {at_first:.0%} at the first step; most often "
            f"this: {KINDS[most]} ({by_kind[most]:.0%})."
        )
        held.append(bool(at_first > total / 2))
    for row in differences.to_dict("records"):
        lines.append(
            f"{row['arm']}: a later step is right {_points(row['difference'])} points more often after right steps "
            f"than after a wrong one (95 % interval {_points(row['low'])} to {_points(row['high'])}, "
            f"{row['n']:.0f} steps)."
        )
    return [*lines, verdict(sum(held), len(held), "arms")]


def _points(value: float) -> str:
    return f"{100 * value:+.0f}".replace("-", "\N{MINUS SIGN}")


__all__ = ["NONE", "PREFIXES", "after_prefix", "after_prefix_difference", "break_sentences", "first_wrong"]
