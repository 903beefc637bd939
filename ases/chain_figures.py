"""Tables of chains -> pictures: how they end, how often each step is right, and where they first go wrong.

>>> figure = first_errors(first_error_table(table, examples))                       # doctest: +SKIP

Rules as in :mod:`ases.figures`, which offers these too. Several seeds are drawn as their mean.
"""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ases.errors import DataError
from ases.looks import (
    LOOKS,
    PAGE,
    check,
    check_known,
    count_text,
    drawn,
    in_order,
    legend_above,
    methods_of,
    name_rows,
    percent_axis,
    span,
    value_beside,
)
from ases.steps import KINDS, NONE

_REASONS = {
    "end": ("ended itself", "#bfe3d6", ""),
    "max_rounds": ("limit of rounds", "#f0e442", "///"),
    "stalled": ("stalled", "#cc79a7", "xxx"),
    "length": ("limit of length", "#8c8c8c", "..."),
}
KIND_LOOKS = {
    NONE: ("nothing", "#bfe3d6", ""),
    "arithmetic": ("wrong arithmetic", "#d55e00", ""),
    "missing": ("missing step", "#f0e442", "///"),
    "operand": ("unknown number", "#cc79a7", "xxx"),
    "operation": ("another step", "#56b4e9", "\\\\\\"),
    "stopped": ("no answer", "#8c8c8c", "..."),
    "answer": ("another answer", "#ffffff", "+++"),
}
"""How each of :data:`ases.steps.KINDS` is drawn, in its order."""

_LAST_STEP = 8
"""More steps have no room beside each other; the table has them all."""

_PANELS = (("arithmetic", "n", "equation right"), ("right", "n_after_right", "step right, all before it right"))


def stacked(ax: Axes, shares: pd.DataFrame, looks: Mapping[str, tuple[str, str, str]]) -> None:
    """A bar a method (row), its parts one after the other; ``looks`` gives each part's label, colour and hatch."""
    start = np.zeros(len(shares))
    for part, (label, colour, hatch) in looks.items():
        look = {"color": colour, "hatch": hatch, "edgecolor": "#333333", "linewidth": 0.6, "height": 0.65}
        ax.barh(range(len(shares)), shares[part], left=start, label=label, **look)
        start = start + shares[part].to_numpy()


@drawn
def end_reasons(table: pd.DataFrame) -> Figure:
    """Why chains ended: columns ``method, reason, share``; the shares of a method add up to 1."""
    check("end_reasons", table, (), ("share",), keys=("method", "reason"))
    check_known("reason", table["reason"], _REASONS)
    order = methods_of("end_reasons", table)
    sums = table.groupby("method")["share"].sum()
    if not np.allclose(sums, 1, atol=1e-6):
        raise DataError(f"end_reasons: the shares of a method must add up to 1, but are {sums.round(6).to_dict()}")
    shares = table.pivot(index="method", columns="reason", values="share").reindex(order).fillna(0.0)
    figure, ax = plt.subplots(figsize=(PAGE, 0.95 + 0.26 * len(order)))
    stacked(ax, shares, {reason: _REASONS[reason] for reason in in_order(table["reason"], _REASONS)})
    # Most chains end by themselves, so the bars alone would not tell 98 % from 99 %.
    for at, share in enumerate(shares.get("end", pd.Series(0.0, index=order))):
        value_beside(ax, at, f"{100 * share:.1f} % ended")
    name_rows(ax, [LOOKS[method].label for method in order])
    ax.set(xlabel="share of chains", xlim=(0, 1))
    percent_axis(ax.xaxis)
    legend_above(figure, ax, count_text(table, "chains"), columns=4)
    return figure


@drawn
def steps(table: pd.DataFrame) -> Figure:
    """How often the first, second, ... step is right: an :func:`ases.steps.step_table`, a line a method.

    Left the equation alone, right the step where all before it are right. Bars are 95 % intervals of one seed.
    """
    keys = ["method", *(["seed"] if "seed" in table else []), "step"]
    check("steps", table, ("n_after_right", "right"), ("arithmetic", "n"), keys=keys)
    order = methods_of("steps", table)
    several = "seed" in table and table["seed"].nunique() > 1
    places = sorted(step for step in table["step"].unique() if step <= _LAST_STEP)
    figure, axes = plt.subplots(1, 2, figsize=(PAGE, 3.1), sharey=True)
    for ax, (name, count, title) in zip(axes, _PANELS, strict=True):
        part = table[(table[count] > 0) & table["step"].isin(places)]
        for number, method in enumerate(order):
            _line(ax, part[part["method"] == method], name, method, 0.08 * (number - (len(order) - 1) / 2), several)
        counts = [span(table.loc[table["step"] == place, count]).replace(" to", "\nto") for place in places]
        ax.set_xticks(places, [f"{place}\n{one}" for place, one in zip(places, counts, strict=True)])
        ax.set_xlim(places[0] - 0.5, places[-1] + 0.5)
        ax.grid(False, axis="x")
        more = f" (later than {_LAST_STEP}: in the table)" if table["step"].max() > _LAST_STEP else ""
        ax.set(xlabel=f"step of the chain{more}; below, n chains", title=title)
        percent_axis(ax.yaxis, top=1.0)
    mean = f"mean of {table['seed'].nunique()} seeds" if several else "bars: 95 % interval"
    axes[0].set_ylabel(f"share ({mean})")
    legend_above(figure, axes[0], "", columns=4)
    return figure


def _line(ax: Axes, rows: pd.DataFrame, name: str, method: str, shift: float, several: bool) -> None:
    look = LOOKS[method]
    mean = rows.groupby("step")[name].mean()
    if not several:
        ax.vlines(rows["step"] + shift, rows[f"{name}_low"], rows[f"{name}_high"], color=look.colour, linewidth=1)
    marks = {"marker": look.marker, "markersize": 4.5, "clip_on": False}
    ax.plot(mean.index + shift, mean, look.line, color=look.colour, linewidth=0.9, label=look.label, **marks)


@drawn
def first_errors(table: pd.DataFrame) -> Figure:
    """What goes wrong first in the chains of each method: an :func:`ases.steps.first_error_table` without places."""
    keys = ["method", *(["seed"] if "seed" in table else []), "kind"]
    check("first_errors", table, (), ("share",), keys=keys)
    check_known("kind", table["kind"], (NONE, *KINDS))
    order = methods_of("first_errors", table)
    shares = table.groupby(["method", "kind"])["share"].mean().unstack(fill_value=0.0).reindex(order)
    figure, ax = plt.subplots(figsize=(PAGE, 1.15 + 0.26 * len(order)))
    stacked(ax, shares, {kind: KIND_LOOKS[kind] for kind in in_order(table["kind"], KIND_LOOKS)})
    for at, share in enumerate(shares[NONE] if NONE in shares else np.zeros(len(order))):
        value_beside(ax, at, f"{100 * share:.1f} % without error")
    name_rows(ax, [LOOKS[method].label for method in order])
    ax.set(xlabel="what goes wrong first, share of chains", xlim=(0, 1))
    percent_axis(ax.xaxis)
    seeds = table["seed"].nunique() if "seed" in table else 1
    mean = f", mean of {seeds} seeds" if seeds > 1 else ""
    legend_above(figure, ax, f"{count_text(table, 'chains')}{mean}", columns=4)
    return figure
