"""Figures on data sets side by side: is what is generated like what was collected?

>>> figure = sets_beside(lengths_by_set({"generated": problems, "MultiArith": collected}))      # doctest: +SKIP

The look is that of :mod:`ases.figures`, and :func:`ases.figures.save` writes them.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ases.errors import DataError
from ases.looks import PAGE, check, drawn, legend_above, name_rows, percent_axis

_SETS = (
    ("#000000", "-", 1.6),
    ("#d55e00", (0, (5, 2)), 1.5),
    ("#0072b2", (0, (1, 1.2)), 1.9),
    ("#009e73", (0, (5, 2, 1, 2)), 1.4),
    ("#cc79a7", "-", 0.9),
    ("#7f7f7f", (0, (8, 2)), 1.1),
    ("#e69f00", (0, (3, 1, 1, 1, 1, 1)), 1.3),
    ("#56b4e9", "-", 2.6),
)
_PLACES = 400  # where a distribution is read off: finer than the eye, and no file grows with the data


@drawn
def sets_beside(table: pd.DataFrame) -> Figure:
    """Distributions of named sets: columns ``set, measure, value``; a panel a measure, a line a set.

    A line is the share of a set's examples at or below each value. The axis ends where, in every set, 99 % lie below;
    the few longer ones are in the table. Sets take their looks in the order of the table, at most eight.
    """
    check("sets_beside", table, ("set", "measure"), ("value",))
    measures, sets = list(table["measure"].unique()), list(table["set"].unique())
    if len(sets) > len(_SETS):
        raise DataError(f"sets_beside: {len(sets)} sets cannot be told apart; give {len(_SETS)} or fewer")
    figure, axes = plt.subplots(1, len(measures), figsize=(PAGE, 2.5), sharey=True, squeeze=False)
    for ax, measure in zip(axes[0], measures, strict=True):
        rows = table[table["measure"] == measure]
        parts = {name: np.sort(rows.loc[rows["set"] == name, "value"].to_numpy(dtype=float)) for name in sets}
        if absent := [name for name, part in parts.items() if not len(part)]:
            raise DataError(f"sets_beside: there is no {measure} of {', '.join(absent)}")
        high = max(np.quantile(part, 0.99) for part in parts.values())
        places = np.linspace(min(0.0, *(part[0] for part in parts.values())), high, _PLACES)
        for name, (colour, line, width) in zip(sets, _SETS, strict=False):
            shares = np.searchsorted(parts[name], places, side="right") / len(parts[name])
            named = f"{name}, n = {len(parts[name]):,}"
            ax.plot(places, shares, color=colour, linestyle=line, linewidth=width, label=named)
        ax.set(xlabel=measure, xlim=(places[0], places[-1]), ylim=(0, 1.03))
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        percent_axis(ax.yaxis)
    axes[0][0].set_ylabel("examples at or below")
    legend_above(figure, axes[0][0], "", columns=3)
    return figure


@drawn
def extractive_shares(table: pd.DataFrame) -> Figure:
    """How much of each set restates: an :func:`ases.descriptions.extractive_share` table.

    Filled: the share of pieces that are ES in gold, where there is gold; open: the share without a new number.
    """
    check("extractive_shares", table, ("gold_es",), ("heuristic_es", "examples", "pieces"), keys=("set",))
    figure, ax = plt.subplots(figsize=(PAGE, 1.0 + 0.36 * len(table)))
    for at, row in enumerate(table.itertuples()):
        ax.plot([row.heuristic_es], [at], "s", color="#0072b2", markerfacecolor="white", markersize=6)
        if not np.isnan(row.gold_es):
            ax.plot([row.gold_es], [at], "o", color="#009e73", markersize=6)
    names = [f"{row.set}\nn = {row.pieces:,} pieces of {row.examples:,}" for row in table.itertuples()]
    name_rows(ax, names)
    ax.set(xlim=(0, 1), xlabel="share of pieces")
    percent_axis(ax.xaxis)
    ax.plot([], [], "o", color="#009e73", label="ES in gold")
    ax.plot([], [], "s", color="#0072b2", markerfacecolor="white", label="no new number (heuristic)")
    legend_above(figure, ax, "", columns=2)
    return figure
