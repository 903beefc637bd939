"""Grids of runs -> pictures: every arm's measure, its difference to its baseline, and the claims.

>>> figures.save(arm_measures(table), table, run.figure_folder, "plateau")       # doctest: +SKIP

Tables are those of :mod:`ases.cells` and :mod:`ases.claims`. Arms are named at their rows, so colour only repeats the
method; budgets are told apart by marker as well as by colour.
"""

from __future__ import annotations

import textwrap
from itertools import groupby

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ases.arms import UNITS, read_arm
from ases.claims import MARGIN, NOT_JUDGED
from ases.efficiency_figures import arm_looks
from ases.looks import (
    LOOKS,
    PAGE,
    Look,
    check,
    drawn,
    flops_axis,
    header,
    legend_above,
    measure_axis,
    name_rows,
    seeds_text,
    signed,
    span,
    step_names,
)
from ases.measures import MEASURES, measure_in

_BUDGETS = (("#0072b2", "s"), ("#e69f00", "D"), ("#009e73", "o"), ("#cc79a7", "^"), ("#000000", "v"))
_GREY = "#7f7f7f"
_OF_FINDINGS = {"confirmed": ("#0072b2", "o"), NOT_JUDGED: (_GREY, "s")}

WIDE = 26
"""Characters of a line in the name of a row."""


def arm_label(arm: str) -> str:
    """An arm as figures name it: ``uni-path, merged: gold`` for ``uni-path-merged, strategy=gold``."""
    read = read_arm(arm)
    name = LOOKS[read.method].label if read.method in LOOKS else read.method
    own = [part.removeprefix("strategy=").replace("_", " ") for part in read.own()]
    return f"{name}: {', '.join(own)}" if own else name


def folded(text: str, width: int = WIDE) -> str:
    """A name in lines of at most so many characters."""
    return "\n".join(textwrap.wrap(text, width))


def arm_colour(arm: str) -> str:
    """The colour of the arm's method."""
    method = read_arm(arm).method
    return LOOKS[method].colour if method in LOOKS else _GREY


@drawn
def arm_measures(table: pd.DataFrame) -> Figure:
    """Every arm's accuracy (or ROUGE-L) with its 95 % interval, a panel a training-set size and budget.

    Columns as in :func:`ases.cells.cell_table`. The dashed line is each arm's baseline; beside the row stands the
    difference to it in points, with a star where the corrected p is below 0.05.
    """
    measure = measure_in(table)
    check("arm_measures", table, ("train_size", "budget", "arm"), (measure.column, "low", "high"))
    panels = list(table.groupby(["train_size", "budget"], sort=False))
    arms = _arms(table)
    figure, axes = _panels(len(panels), len(arms))
    top = float(table["high"].max())
    for place, (ax, ((size, budget), part)) in enumerate(zip(axes, panels, strict=True)):
        rows = part.set_index("arm")
        for at, arm in enumerate(arms):
            if arm not in rows.index:
                continue
            row = rows.loc[arm]
            ax.plot([row["low"], row["high"]], [at, at], color=arm_colour(arm), linewidth=1.6)
            ax.plot(row[measure.column], at, marker="o", color=arm_colour(arm))
            if pd.notna(row["difference"]):
                star = " *" if row["p_holm"] < 0.05 else ""
                text = signed(row["difference"], 1) if measure.share else measure.difference_text(row["difference"])
                ax.text(1.02, at, f"{text}{star}", transform=ax.get_yaxis_transform(), va="center", fontsize=7)
        _mark_baselines(ax, arms, rows[measure.column])
        _rows(ax, place, [arm_label(arm) for arm in arms])
        ax.set_title(f"{size:,} training examples\n{_budget_text(budget)}, n = {span(part['n'])}, {seeds_text(part)}")
        ax.set_xlim(0, 1.05 * top)
        measure_axis(ax.xaxis, measure)
        ax.set_xlabel(f"{measure.label}, 95 % interval")
    beside = "in points" if measure.share else f"in {measure.label}"
    header(figure, f"dashed: baseline; at the right: difference to it {beside} (*: p, Holm, below 0.05)")
    return figure


def _arms(table: pd.DataFrame) -> list[str]:
    """The arms as the size and budget with most of them has them in order; then those that it lacks."""
    blocks = [part["arm"].tolist() for _, part in table.groupby(["train_size", "budget"], sort=False)]
    return list(dict.fromkeys(arm for block in sorted(blocks, key=len, reverse=True) for arm in block))


def _mark_baselines(ax: Axes, arms: list[str], values: pd.Series) -> None:
    """A dashed line at each baseline's value, beside the rows of the arms that are held against it."""
    baselines = [read_arm(arm).baseline if arm in values.index else "" for arm in arms]
    for baseline, run in groupby(range(len(arms)), key=baselines.__getitem__):
        if baseline in values.index:
            at = list(run)
            look = {"color": "#000000", "linestyle": (0, (4, 3)), "linewidth": 1}
            ax.vlines(values[baseline], at[0] - 0.5, at[-1] + 0.5, **look)


@drawn
def arm_differences(table: pd.DataFrame) -> Figure:
    """Each arm's difference to its baseline with its 95 % interval, a panel a training-set size, a marker a budget.

    Columns as in :func:`ases.cells.cell_table`. Filled where the corrected p is below 0.05.
    """
    measure = measure_in(table)
    compared = table[table["difference"].notna()]
    check("arm_differences", compared, ("train_size", "budget", "arm"), ("difference_low", "difference_high"))
    arms, budgets = _arms(compared), list(dict.fromkeys(compared["budget"]))
    panels = list(compared.groupby("train_size", sort=False))
    figure, axes = _panels(len(panels), len(arms) * max(1.0, 0.7 * len(budgets)))
    shifts = np.linspace(-0.3, 0.3, len(budgets)) if len(budgets) > 1 else [0.0]
    for place, (ax, (size, part)) in enumerate(zip(axes, panels, strict=True)):
        ax.axvline(0, color="#000000", linewidth=1)
        for shift, budget, (colour, marker) in zip(shifts, budgets, _BUDGETS, strict=False):
            rows = part[part["budget"] == budget].set_index("arm").reindex(arms)
            at = np.arange(len(arms)) + shift
            ax.hlines(at, rows["difference_low"], rows["difference_high"], color=colour, linewidth=1.4)
            ax.plot([], [], color=colour, marker=marker, label=f"equal budgets of {_budget_text(budget)}")
            for y, (_, row) in zip(at, rows.iterrows(), strict=True):
                face = colour if row["p_holm"] < 0.05 else "white"
                ax.plot(row["difference"], y, marker=marker, color=colour, markerfacecolor=face, linestyle="none")
        _rows(ax, place, [arm_label(arm) for arm in arms])
        _difference_axis(ax, measure.share, measure.label)
        ax.set_title(_panel_title(size, f"n = {span(part['n'])}, {seeds_text(part)}", len(panels)))
    legend_above(figure, axes[0], "filled: p (Holm) below 0.05", columns=min(3, len(budgets)))
    return figure


@drawn
def claim_differences(table: pd.DataFrame) -> Figure:
    """The claims (:func:`ases.claims.claims_table`): first arm less second, 95 % interval, a panel a training-set size.

    BLEU differences are drawn as hundredths, so that they share the axis; the grey band is the margin within which two
    arms do as well as each other. Claims that could not be tested have no interval; a size where none could has no
    panel, unless there is no other, and is named above.
    """
    check("claim_differences", table, ("train_size", "claim", "finding", "measure"))
    claims = list(dict.fromkeys(table["claim"]))
    sizes = list(table.groupby("train_size", sort=False))
    panels = [(size, part) for size, part in sizes if part["difference"].notna().any()] or sizes
    figure, axes = _panels(len(panels), 2.2 * len(claims))
    for place, (ax, (size, part)) in enumerate(zip(axes, panels, strict=True)):
        ax.axvspan(-MARGIN, MARGIN, color="#ececec", zorder=0)
        ax.axvline(0, color="#000000", linewidth=1)
        rows = part.set_index("claim").reindex(claims)
        for at, (_, row) in enumerate(rows.iterrows()):
            if pd.notna(row["difference"]):
                scale = 0.01 if row["measure"] == "bleu" else 1.0
                colour, marker = _OF_FINDINGS.get(row["finding"], ("#d55e00", "X"))
                ax.plot([scale * row["low"], scale * row["high"]], [at, at], color=colour, linewidth=1.6)
                ax.plot(scale * row["difference"], at, marker=marker, color=colour)
            finding = folded(row["finding"], 17)
            ax.text(1.02, at, finding, transform=ax.get_yaxis_transform(), va="center", fontsize=6.5)
        _rows(ax, place, [folded(claim, 34) for claim in claims])
        _difference_axis(ax, True, "")
        tested = part[part["difference"].notna()]
        counts = f"n = {span(tested['n'])}, {seeds_text(tested)}" if len(tested) else ""
        ax.set_title(_panel_title(size, counts, len(sizes)))
    margin = f"within {100 * MARGIN:g} points, as good as equal"
    said = f"dot: confirmed; cross: not; square: not judged\ngrey: {margin}; of BLEU, a point is one of its hundred"
    drawn_sizes = [size for size, _ in panels]
    if absent := [f"{size:,}" for size, _ in sizes if size not in drawn_sizes]:
        said += f"\nno claim could be tested with {' and '.join(absent)} training examples"
    header(figure, said)
    return figure


@drawn
def arm_lengths(table: pd.DataFrame) -> Figure:
    """Accuracy (or ROUGE-L) by the steps that the reference takes, a panel an arm, its baseline's in grey behind it.

    Columns as in :func:`ases.cells.lengths_table`. Where the table has several training-set sizes and budgets, each has
    a marker.
    """
    measure = measure_in(table)
    check("arm_lengths", table, ("train_size", "budget", "arm", "baseline", "steps", "n"), (measure.column,))
    places = {steps: place for place, steps in enumerate(sorted(table["steps"].unique()))}
    placed = table.assign(place=table["steps"].map(places))
    said = f"95 % intervals; grey: baseline; {seeds_text(table)}"
    figure, axes = _over_baselines(placed, "place", said, wide=len(places) > 3)
    if len(places) > 6:
        for ax in axes:
            ax.tick_params(axis="x", labelsize=5.5)  # so that the counts below them do not meet
    axes[0].set_xticks(list(places.values()), step_names(table))
    figure.supxlabel("steps of the question" if measure.share else "pieces of the reference", fontsize=8)
    return figure


@drawn
def longer_steps(table: pd.DataFrame) -> Figure:
    """Steps written, chains with enough of them and right answers by the steps of the question, a line an arm.

    Columns as in :func:`ases.longer.longer_table` by ``needed``; hollow marks for lengths that training has not shown.
    A training-set size and budget have a line of panels.
    """
    keys = ("train_size", "budget", "arm", "needed")
    check("longer_steps", table, ("method", "longer", "n"), keys=keys)
    blocks = list(table.groupby(["train_size", "budget"], sort=False))
    size = (PAGE, 0.5 + 2.2 * len(blocks))
    figure, axes = plt.subplots(len(blocks), 3, figsize=size, sharex=True, squeeze=False)
    looks = arm_looks(table["method"])
    for line, ((examples, budget), block) in zip(axes, blocks, strict=True):
        for ax, (value, name) in zip(line, _OF_CHAINS.items(), strict=True):
            for place, (method, look) in enumerate(looks.items()):
                for arm, rows in block[block["method"] == method].groupby("arm", sort=False):
                    beside = 0.12 * (place - (len(looks) - 1) / 2)
                    _lengths_line(ax, rows, value, look, beside, arm_label(method) if arm == method else "_")
            ax.set_ylabel(name)
            ax.tick_params(axis="x", labelsize=6.5)
            if value != "written":
                measure_axis(ax.yaxis, MEASURES["correct"], top=1.0)
        needed = sorted(block["needed"].unique())
        line[0].plot(
            needed, needed, color=_GREY, linestyle=(0, (4, 3)), linewidth=1, zorder=1, label="as many as needed"
        )
        line[0].set_ylim(0, None)
        if len(blocks) > 1:
            line[0].set_title(f"{examples:,} examples, {_budget_text(budget)}")
    axes[0][0].set_xticks(sorted(table["needed"].unique()), step_names(table.assign(steps=table["needed"])))
    figure.supxlabel(f"steps of the question (hollow: longer than any learned); {seeds_text(table)}", fontsize=8)
    legend_above(figure, axes[0][0], "95 % intervals", columns=len(looks) + 1)
    return figure


def _lengths_line(ax: Axes, rows: pd.DataFrame, value: str, look: Look, beside: float, label: str) -> None:
    """An arm's means of a value by the steps needed, a little beside them, with intervals; hollow for longer ones."""
    rows = rows.sort_values("needed")
    at = rows["needed"] + beside
    ax.vlines(at, rows[f"{value}_low"], rows[f"{value}_high"], color=look.colour, linewidth=1.4)
    face = "white" if rows["longer"].all() else look.colour
    marks = {"marker": look.marker, "markerfacecolor": face, "markersize": 4.5, "label": label}
    ax.plot(at, rows[value], look.line, color=look.colour, linewidth=1, **marks)


_OF_CHAINS = {"written": "steps written", "enough": "chains with enough steps", "correct": "accuracy"}


@drawn
def arm_flops(table: pd.DataFrame) -> Figure:
    """Accuracy (or ROUGE-L) against training FLOPs (log axis), a panel an arm, its baseline's in grey behind it.

    Columns as in :func:`ases.cells.by_flops`. Where the table has several training-set sizes, each has a marker.
    """
    measure = measure_in(table)
    check("arm_flops", table, ("low", "high", "n", "seeds"), (measure.column,), keys=("train_size", "arm", "flops"))
    table = table.assign(budget="", baseline=[read_arm(arm).baseline for arm in table["arm"]])
    figure, axes = _over_baselines(table, "flops", f"95 % intervals; grey: baseline; {_counted(table)}")
    flops_axis(axes[0], table["flops"])
    figure.supxlabel("training FLOPs", fontsize=8)
    return figure


@drawn
def arm_rates(table: pd.DataFrame) -> Figure:
    """Accuracy (or ROUGE-L) by learning rate (log axis), a panel an arm and a line a budget.

    Columns as in :func:`ases.rates.rates_table`. Filled: on validation questions, with a ring at the rate chosen;
    hollow, a little to the right: on test questions, 95 % interval. The grey line is the arm's usual rate.
    """
    measure = measure_in(table)
    check("arm_rates", table, ("train_size", "budget", "arm", "learning_rate", "chosen"), ("valid", measure.column))
    panels, budgets = list(table.groupby(["train_size", "arm"], sort=False)), list(dict.fromkeys(table["budget"]))
    figure, axes = _small_panels(len(panels))
    for ax, ((size, arm), part) in zip(axes, panels, strict=True):
        ax.axvline(part["usual_rate"].iloc[0], color="#b0b0b0", linewidth=1)
        for budget, (colour, marker) in zip(budgets, _BUDGETS, strict=False):
            rows = part[part["budget"] == budget].sort_values("learning_rate")
            beside, chosen = 1.08 * rows["learning_rate"], rows[rows["chosen"]]
            look = {"color": colour, "marker": marker, "markersize": 4}
            ax.plot(rows["learning_rate"], rows["valid"], label=_budget_text(budget), **look)
            ax.vlines(beside, rows["low"], rows["high"], color=colour, linewidth=0.9)
            ax.plot(beside, rows[measure.column], markerfacecolor="white", linestyle="none", **look | {"markersize": 3})
            ring = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "color": "#000000"}
            ax.plot(chosen["learning_rate"], chosen["valid"], linestyle="none", **ring)
        _name_panel(ax, arm, f"{size:,} examples" if table["train_size"].nunique() > 1 else "")
    rates = sorted(table["learning_rate"].unique())
    axes[0].set_xscale("log", base=2)
    axes[0].set_xticks(rates, [f"{1000 * rate:g}" for rate in rates])
    axes[0].xaxis.set_minor_locator(NullLocator())
    measure_axis(axes[0].yaxis, measure, top=min(1.0, float(table[["valid", "high"]].max().max())))
    figure.supxlabel("learning rate in thousandths", fontsize=8)
    figure.supylabel(measure.label, fontsize=8)
    hollow = f"hollow: test, 95 % interval, {_counted(table)}"
    explained = f"filled: validation (ring: chosen); {hollow}; grey line: usual rate"
    legend_above(figure, axes[0], explained, columns=min(3, len(budgets)))
    return figure


def _over_baselines(table: pd.DataFrame, along: str, said: str, *, wide: bool = False) -> tuple[Figure, list[Axes]]:
    """A panel an arm: the measure along a column, with intervals, and in grey behind it that of ``baseline``.

    A marker a training-set size and budget, full for the last; behind a baseline itself stands nothing.
    """
    measure, blocks = measure_in(table), list(table.groupby(["train_size", "budget"], sort=False))
    arms = _arms(table)
    figure, axes = _small_panels(len(arms), 2 if wide else 4 if len(arms) % 3 else 3)
    for ax, arm in zip(axes, arms, strict=True):
        for (keys, block), marker in zip(blocks, _block_markers(len(blocks)), strict=True):
            rows = block[block["arm"] == arm].sort_values(along)
            behind = block[block["arm"].isin(rows["baseline"]) & (block["arm"] != arm)].sort_values(along)
            if len(behind):
                ax.fill_between(behind[along], behind["low"], behind["high"], color="#e6e6e6", linewidth=0)
                look = _marked(marker, _GREY, 2.5)
                ax.plot(behind[along], behind[measure.column], linestyle=(0, (4, 3)), linewidth=1, **look)
            if len(rows):
                ax.vlines(rows[along], rows["low"], rows["high"], color=arm_colour(arm), linewidth=1.4)
                ax.plot(rows[along], rows[measure.column], **_marked(marker, arm_colour(arm), 4))
            if ax is axes[0] and (named := _differing(table, *keys)):
                ax.plot([], [], label=named, **_marked(marker, "#000000", 4))
        _name_panel(ax, arm, "")
    measure_axis(axes[0].yaxis, measure, top=min(1.0, float(table[[measure.column, "high"]].max().max())))
    figure.supylabel(measure.label, fontsize=8)
    if len(blocks) > 1:
        legend_above(figure, axes[0], said, columns=len(blocks))
    else:
        header(figure, said)
    return figure, axes


def _marked(marker: str, colour: str, size: float) -> dict[str, str | float]:
    return {"color": colour, "marker": marker, "markersize": size, "markerfacecolor": colour if marker == "o" else "w"}


_BLOCK_MARKERS = ("o", "s", "^", "D", "v")


def _block_markers(count: int) -> list[str]:
    """A marker each, the last one the round one, which is drawn full."""
    return [_BLOCK_MARKERS[place % len(_BLOCK_MARKERS)] for place in reversed(range(count))]


def _counted(table: pd.DataFrame) -> str:
    """``n = 1,000 test questions, 5 seeds``."""
    return f"n = {span(table['n'])} test questions, {seeds_text(table)}"


def _small_panels(count: int, most: int = 4) -> tuple[Figure, list[Axes]]:
    """A small panel an arm, at most so many beside each other."""
    return _panels_of(count, most, 1.55, 0.5)


def _panel_title(size: int, counts: str, panels: int) -> str:
    """A training-set size and its counts, in two lines where panels stand beside each other."""
    return ("\n" if panels > 1 else ", ").join(filter(None, [f"{size:,} training examples", counts]))


def _differing(table: pd.DataFrame, size: int, budget: str) -> str:
    """Of a panel's training-set size and budget those that other panels of the table do not share."""
    several = {name: table[name].nunique() > 1 for name in ("train_size", "budget")}
    named = {"train_size": f"{size:,} examples", "budget": _budget_text(budget)}
    return ", ".join(named[name] for name, is_so in several.items() if is_so)


def _name_panel(ax: Axes, arm: str, place: str) -> None:
    """The title of a small panel: its arm, and above it its place among several, or nothing."""
    ax.set_title("\n".join(filter(None, [place, folded(arm_label(arm), 24)])), fontsize=7.5)
    ax.margins(x=0.15)
    ax.tick_params(axis="x", labelsize=6.5)


def _rows(ax: Axes, place: int, names: list[str]) -> None:
    """Name the rows at the first panel; the others share its axis."""
    if place == 0:
        name_rows(ax, names)
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")


def _difference_axis(ax: Axes, share: bool, label: str) -> None:
    measure_axis(ax.xaxis, MEASURES["correct" if share else "rouge_l"])
    scale = 100 if share else 1
    ax.xaxis.set_major_formatter(lambda value, _: f"{round(scale * value, 6):+g}" if round(value, 9) else "0")
    ax.set_xlabel("difference in points, 95 % interval" if share else f"difference in {label}, 95 % interval")


def _panels(count: int, rows: float) -> tuple[Figure, list[Axes]]:
    """Panels beside each other, two a line, with room for so many rows of text and for a legend."""
    return _panels_of(count, 2, 0.75 + 0.19 * max(rows, 6))


def _panels_of(count: int, most: int, height: float, around: float = 0.0) -> tuple[Figure, list[Axes]]:
    """Panels with shared axes, at most so many a line; ``height`` of a line and ``around`` all of them in inches."""
    across = min(most, count)
    down = -(-count // across)
    size = (PAGE, around + down * height)
    figure, axes = plt.subplots(down, across, figsize=size, sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat[count:]:
        ax.set_visible(False)
    for ax in axes.flat[max(0, count - across) : count]:
        ax.tick_params(axis="x", labelbottom=True)  # where the panel below is not there
    return figure, list(axes.flat[:count])


def _budget_text(budget: str) -> str:
    """A budget as people write it: ``4e12 FLOPs``, ``3.2e6 target tokens``, ``20 epochs``."""
    amount, _, unit = budget.partition(" ")
    if unit not in UNITS:
        return budget  # the best of several
    return f"{amount} {unit.replace('_', ' ').replace('flops', 'FLOPs')}"
