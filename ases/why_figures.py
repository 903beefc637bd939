"""Figures of why, from what arms wrote: what is learned when, where chains break, what each ingredient adds, and BLEU.

>>> figures.save(harms(table), table, run.figure_folder, "harm")                  # doctest: +SKIP

Each draws a table of the module named in its docstring; the look is that of :mod:`ases.figures`. Intervals are 95 %.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ases.breaks import PREFIXES
from ases.chain_figures import KIND_LOOKS
from ases.efficiency_figures import arm_looks
from ases.examples import AS, ES
from ases.grid_figures import arm_label, folded
from ases.interventions import KINDS as CHANGED
from ases.looks import PAGE, check, drawn, flops_axes, in_order, legend_above, name_rows, percent_axis, signed, span
from ases.measures import measure_in

LABEL_LOOKS = {ES: ("#009e73", "s"), AS: ("#a03a78", "^")}
"""Colour and marker of a label, as in every figure that tells them apart."""


def arms_of(table: pd.DataFrame) -> list[str]:
    """The arms in their order of appearance."""
    return list(dict.fromkeys(table["arm"]))


def counted(table: pd.DataFrame, unit: str = "questions") -> str:
    """``n = 1,000 questions, seeds: 5`` from the counts of a table."""
    count = table["questions"] if "questions" in table else table["n"]
    return f"n = {span(count)} {unit}, seeds: {span(table['seeds'])}"


def interval_at(
    ax: Axes, at: float, row: pd.Series, name: str, ends: tuple[str, str] = ("low", "high"), **look
) -> None:
    """A point with its interval in a row of a horizontal figure; ``look`` is that of the point."""
    low, high = row[ends[0]], row[ends[1]]
    if pd.notna(low):
        ax.hlines(at, low, high, color=look["color"], linewidth=1.4, zorder=2)
    ax.plot([row[name]], [at], linestyle="none", clip_on=False, zorder=3, **look)


def panels(axes: np.ndarray, count: int, label: str) -> list[Axes]:
    """The first so many axes of a grid, the rest removed; the lowest of each column has ticks and the label."""
    kept = list(axes.flat[:count])
    for ax in axes.flat[count:]:
        ax.remove()
    for column in range(axes.shape[1]):
        lowest = [ax for place, ax in enumerate(kept) if place % axes.shape[1] == column][-1]
        lowest.tick_params(axis="x", labelbottom=True)
        lowest.set_xlabel(label)
    return kept


@drawn
def arm_losses(table: pd.DataFrame) -> Figure:
    """Validation loss on ES and on AS tokens over training FLOPs, a panel a kind, a line an arm, seed and model.

    An :func:`ases.trials.losses_of` table. A dual-path's models have their own lines, each over its own FLOPs.
    """
    check("arm_losses", table, ("arm", "seed", "model", "loss_as", "loss_es", "labels"), ("flops",))
    figure, axes = plt.subplots(1, 2, figsize=(PAGE, 3.4), sharey=True)
    looks = arm_looks(table["arm"])
    for ax, (column, kind) in zip(axes, (("loss_es", ES), ("loss_as", AS)), strict=True):
        for arm, look in looks.items():
            named = arm_label(arm)
            part = table[(table["arm"] == arm) & table[column].notna()]
            for (_, model), run in part.groupby(["seed", "model"]):
                run = run.sort_values("flops")
                line = {"model": look.line, "esm": "-", "asm": ":"}[model]
                marks = {"marker": look.marker, "markersize": 3, "linewidth": 1, "color": look.colour}
                ax.plot(run["flops"], run[column], line, label=named, **marks)
                named = "_"
        ax.set(title=f"{kind} tokens", ylim=(0, 1.05 * table[["loss_as", "loss_es"]].max().max()))
    axes[0].set_ylabel("validation loss (nats a token)")
    flops_axes(*axes)
    dual = "; dual-path: ESM solid, ASM dotted" if (table["model"] == "asm").any() else ""
    seeds = f"; seeds: {table['seed'].nunique()}, a line each"
    legend_above(figure, axes[0], f"labels: {', '.join(dict.fromkeys(table['labels']))}{dual}{seeds}", columns=2)
    return figure


@drawn
def breaks(table: pd.DataFrame) -> Figure:
    """What goes wrong first, and at which step: an :func:`ases.breaks.first_wrong` table, a panel an arm."""
    check("breaks", table, (), ("step", "share", "questions", "seeds"), keys=("arm", "kind", "step"))
    arms, last = arms_of(table), 4
    step = table["step"].clip(upper=last)
    shares = table.assign(step=step).groupby(["arm", "kind", "step"])["share"].sum()
    columns = min(3, len(arms))
    rows = -(-len(arms) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(PAGE, 0.9 + 1.7 * rows), sharex=True, sharey=True, squeeze=False
    )
    places = np.arange(1, int(step.max()) + 1)
    kinds = in_order(table["kind"], KIND_LOOKS)
    for ax, arm in zip(axes.flat, arms, strict=False):
        bottom = np.zeros(len(places))
        for kind in kinds:
            label, colour, hatch = KIND_LOOKS[kind]
            heights = np.array([shares.get((arm, kind, place), 0.0) for place in places])
            look = {"color": colour, "hatch": hatch, "edgecolor": "#333333", "linewidth": 0.6, "width": 0.7}
            ax.bar(places, heights, bottom=bottom, label=label, **look)
            bottom += heights
        ax.set_title(folded(arm_label(arm), 34))
        ax.set_xticks(places, [str(place) if place < last else f"{last} or later" for place in places])
        ax.grid(False, axis="x")
        percent_axis(ax.yaxis)
    panels(axes, len(arms), "first wrong step")
    for ax in axes[:, 0]:
        ax.set_ylabel("share of chains")
    legend_above(figure, axes[0][0], f"{counted(table)}; intervals: in the table", columns=4)
    return figure


@drawn
def prefixes(table: pd.DataFrame) -> Figure:
    """How often a step is right after right steps and after a wrong one: an :func:`ases.breaks.after_prefix` table."""
    check("prefixes", table, ("low", "high"), ("right", "n"), keys=("arm", "prefix"))
    arms = arms_of(table)
    figure, ax = plt.subplots(figsize=(PAGE, 1.1 + 0.42 * len(arms)))
    looks = dict(zip(PREFIXES, (("#0072b2", "o"), ("#d55e00", "X")), strict=True))
    for prefix, (colour, marker) in looks.items():
        for row in table[table["prefix"] == prefix].to_dict("records"):
            at = arms.index(row["arm"]) + (-0.15 if prefix == PREFIXES[0] else 0.15)
            interval_at(ax, at, pd.Series(row), "right", color=colour, marker=marker)
            ax.text(1.02, at, f"{row['n']:,} steps", transform=ax.get_yaxis_transform(), va="center", fontsize=7)
        ax.plot([], [], marker, color=colour, label=prefix)
    name_rows(ax, [folded(arm_label(arm)) for arm in arms])
    ax.set(xlabel="steps from the second on that are right (95 % interval)", xlim=(0, 1))
    percent_axis(ax.xaxis)
    legend_above(figure, ax, f"seeds: {span(table['seeds'])}", columns=2)
    return figure


@drawn
def harms(table: pd.DataFrame) -> Figure:
    """What one wrong number in a right prefix costs: an :func:`ases.interventions.harm_table`.

    Left the accuracy after the right prefix (filled) and after the wrong one (open), right their difference.
    """
    check("harms", table, (), ("accuracy", "accuracy_wrong", "harm", "n"), keys=("arm", "kind"))
    arms = arms_of(table)
    figure, (before, cost) = plt.subplots(1, 2, figsize=(PAGE, 1.3 + 0.5 * len(arms)), sharey=True)
    for kind, (colour, marker) in LABEL_LOOKS.items():
        for row in table[table["kind"] == kind].to_dict("records"):
            at, row = arms.index(row["arm"]) + (-0.16 if kind == ES else 0.16), pd.Series(row)
            before.hlines(at, row["accuracy_wrong"], row["accuracy"], color=colour, linewidth=1.2)
            before.plot(row["accuracy"], at, marker, color=colour, clip_on=False)
            before.plot(row["accuracy_wrong"], at, marker, color=colour, markerfacecolor="white", clip_on=False)
            interval_at(cost, at, row, "harm", ("harm_low", "harm_high"), color=colour, marker=marker)
        before.plot([], [], marker, color=colour, label=f"number changed in {CHANGED[kind]} ({kind})")
    cost.axvline(0, color="#000000", linewidth=0.8, zorder=1)
    name_rows(before, [folded(arm_label(arm)) for arm in arms])
    cost.grid(False, axis="y")
    cost.tick_params(axis="y", length=0)
    before.set(xlabel="accuracy after the right prefix (filled)\nand the wrong one (open)", xlim=(0, 1))
    cost.set_xlabel("accuracy lost, points (95 % interval)")
    percent_axis(before.xaxis)
    cost.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}".replace("-", "\N{MINUS SIGN}"))
    legend_above(figure, before, f"n = {span(table['n'])} questions, seeds: {span(table['seeds'])}", columns=2)
    return figure


@drawn
def contributions(table: pd.DataFrame) -> Figure:
    """What each ingredient adds: an :func:`ases.contributions.contribution_table`; open where p >= 0.05 after Holm."""
    measure = measure_in(table)
    check(
        "contributions", table, ("low", "high", "p_holm"), ("difference", "n"), keys=("ingredient", "without", "with")
    )
    rows = table.to_dict("records")
    figure, ax = plt.subplots(figsize=(PAGE, 0.9 + 0.42 * len(rows)))
    names = []
    for at, row in enumerate(rows):
        colour = "#0072b2" if row["ingredient"] == "iteration" else "#d55e00"
        face = colour if row["p_holm"] < 0.05 else "white"
        interval_at(ax, at, pd.Series(row), "difference", color=colour, marker="o", markerfacecolor=face)
        text = signed(row["difference"], 1) if measure.share else measure.difference_text(row["difference"])
        ax.text(1.02, at, text, transform=ax.get_yaxis_transform(), va="center")
        added = f"{arm_label(row['without'])} \N{RIGHTWARDS ARROW} {arm_label(row['with'])}"
        names.append(f"{row['ingredient']}\n{folded(added, 52)}")
    ax.axvline(0, color="#000000", linewidth=0.8, zorder=1)
    name_rows(ax, names)
    ax.tick_params(axis="y", labelsize=6.5)
    unit = "points of " if measure.share else ""
    ax.set(xlabel=f"{unit}{measure.label} gained (95 % interval)")
    if measure.share:
        ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}".replace("-", "\N{MINUS SIGN}"))
    ax.plot([], [], "o", color="#555555", label="p < 0.05 (Holm)")
    ax.plot([], [], "o", color="#555555", markerfacecolor="white", label="p \N{GREATER-THAN OR EQUAL TO} 0.05 (Holm)")
    legend_above(figure, ax, f"n = {span(table['n'])} questions, seeds: {span(table['seeds'])}", columns=2)
    return figure


@drawn
def bleu_against(table: pd.DataFrame) -> Figure:
    """BLEU against accuracy: a :func:`ases.contributions.bleu_table`. Left across arms, right within."""
    check("bleu_against", table, ("right", "wrong"), ("accuracy", "bleu", "n"), keys=("arm",))
    looks = arm_looks(table["arm"])
    figure, (across, within) = plt.subplots(1, 2, figsize=(PAGE, 1.5 + 0.33 * max(5, len(looks))))
    for at, row in enumerate(table.to_dict("records")):
        look = looks[row["arm"]]
        across.hlines(row["bleu"], row["accuracy_low"], row["accuracy_high"], color=look.colour, linewidth=1)
        across.vlines(row["accuracy"], row["bleu_low"], row["bleu_high"], color=look.colour, linewidth=1)
        across.plot(row["accuracy"], row["bleu"], look.marker, color=look.colour, label=arm_label(row["arm"]))
        within.hlines(at, row["wrong"], row["right"], color=look.colour, linewidth=1.2)
        within.plot(row["right"], at, look.marker, color=look.colour)
        within.plot(row["wrong"], at, look.marker, color=look.colour, markerfacecolor="white")
    across.set(xlabel="accuracy (95 % interval)", ylabel="BLEU of chains (95 % interval)", title="across arms")
    percent_axis(across.xaxis)
    across.set_ylim(bottom=0)
    within.set(xlabel="BLEU of chains with a right answer (filled)\nand with a wrong one (open)", title="within an arm")
    name_rows(within, [""] * len(table))
    legend_above(figure, across, f"n = {span(table['n'])} questions, seeds: {span(table['seeds'])}", columns=2)
    return figure
