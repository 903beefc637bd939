"""Figures of problems longer than any learned: what goes wrong first with and without help, and what is left to write.

>>> figures.save(left_to_write(table), table, run.figure_folder, "left")          # doctest: +SKIP

Tables are those of :mod:`ases.helps`; the look is that of :mod:`ases.figures`. Intervals are 95 %.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from ases.chain_figures import KIND_LOOKS, stacked
from ases.grid_figures import arm_label, folded
from ases.helps import KNOWN
from ases.looks import (
    PAGE,
    check,
    check_known,
    drawn,
    in_order,
    legend_above,
    name_rows,
    percent_axis,
    span,
    value_beside,
)
from ases.steps import KINDS, NONE
from ases.why_figures import arms_of, counted

_KNOWN_LOOKS = {False: ("#0072b2", "o", "-"), True: ("#d55e00", "^", "--")}


@drawn
def first_wrong(table: pd.DataFrame) -> Figure:
    """What goes wrong first in each arm's chains, a bar a help: an :func:`ases.helps.kinds_table`."""
    check("first_wrong", table, (), ("share", "questions", "seeds"), keys=("arm", "help", "kind"))
    check_known("kind", table["kind"], (NONE, *KINDS))
    rows = list(table.groupby(["arm", "help"], sort=False).groups)
    rows.sort(key=lambda row: arms_of(table).index(row[0]))
    shares = table.pivot(index=["arm", "help"], columns="kind", values="share").fillna(0.0).reindex(rows)
    figure, ax = plt.subplots(figsize=(PAGE, 1.15 + 0.3 * len(rows)))
    stacked(ax, shares, {kind: KIND_LOOKS[kind] for kind in in_order(table["kind"], KIND_LOOKS)})
    for at, share in enumerate(shares[NONE] if NONE in shares else [0.0] * len(rows)):
        value_beside(ax, at, f"{100 * share:.1f} % without error")
    name_rows(ax, [f"{folded(arm_label(arm))}, {help_}" for arm, help_ in rows])
    ax.set(xlabel="what goes wrong first, share of chains", xlim=(0, 1))
    percent_axis(ax.xaxis)
    legend_above(figure, ax, f"{counted(table)}; intervals: in the table", columns=4)
    return figure


@drawn
def left_to_write(table: pd.DataFrame) -> Figure:
    """Right answers by how many steps are left to write, a panel an arm: an :func:`ases.helps.left_table`.

    Problems of learned lengths and longer ones have a line each; few steps left on the left.
    """
    check("left_to_write", table, ("low", "high"), ("correct", "questions", "seeds"), keys=("arm", "longer", "left"))
    arms = arms_of(table)
    across = min(3, len(arms))
    down = -(-len(arms) // across)
    size = (PAGE, 0.8 + 2.4 * down)
    figure, axes = plt.subplots(down, across, figsize=size, sharex=True, sharey=True, squeeze=False)
    for ax, arm in zip(axes.flat, arms, strict=False):
        for longer, rows in table[table["arm"] == arm].groupby("longer"):
            colour, marker, line = _KNOWN_LOOKS[bool(longer)]
            rows, beside = rows.sort_values("left"), 0.1 if longer else -0.1
            ax.vlines(rows["left"] + beside, rows["low"], rows["high"], color=colour, linewidth=1.2)
            label = f"{KNOWN[bool(longer)]} (n = {span(rows['questions'])})"
            ax.plot(
                rows["left"] + beside, rows["correct"], line, color=colour, marker=marker, markersize=4, label=label
            )
        ax.set_title(folded(arm_label(arm), 34))
    for ax in list(axes.flat)[len(arms) :]:
        ax.remove()
    for ax in axes[-1]:
        ax.set_xlabel("steps left to write")
    for ax in axes[:, 0]:
        ax.set_ylabel("right answers")
    axes[0][0].set_xticks(range(int(table["left"].max()) + 1))
    percent_axis(axes[0][0].yaxis, top=1.0)
    legend_above(figure, axes[0][0], f"95 % intervals; seeds: {int(table['seeds'].max())}", columns=2)
    return figure
