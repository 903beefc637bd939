"""Figures on how much data and how much computing a method needs: accuracy against training-set size, and FLOPs.

>>> figure = accuracy_by_size(size_table(predictions))                           # doctest: +SKIP

The look is that of :mod:`ases.figures`, and :func:`ases.figures.save` writes them. An arm is a method with its
settings; one named as a method has that method's look, the others one of their own in order of appearance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ases.efficiency import multiple_text
from ases.errors import DataError
from ases.looks import LOOKS, PAGE, Look, check, count_text, drawn, flops_axis, legend_above, measure_axis, seeds_text
from ases.measures import Measure, measure_in

# Okabe and Ito's colours, those first that methods do not have, then markers and dashes.
_COLOURS = ("#009e73", "#cc79a7", "#7f7f7f", "#e69f00", "#56b4e9", "#d55e00", "#0072b2")
_MARKERS = (("P", "--"), ("v", "-."), ("<", ":"), ("p", "--"), ("h", "-."), (">", ":"))
_APART = 0.05  # doublings of the size between arms, so that their intervals do not cover each other


def arm_looks(arms: Iterable[str]) -> dict[str, Look]:
    """A look for each arm, in order. Raises DataError for more arms than can be told apart."""
    arms = list(dict.fromkeys(arms))
    others, methods = [arm for arm in arms if arm not in LOOKS], [LOOKS[arm] for arm in arms if arm in LOOKS]
    used, taken = {look.colour for look in methods}, {(look.colour, look.marker) for look in methods}
    free = [
        Look("", colour, *_MARKERS[(place + shift) % len(_MARKERS)])
        for shift in range(len(_MARKERS))
        for place, colour in enumerate(_COLOURS)
    ]
    free = [look for look in free if (look.colour, look.marker) not in taken]
    free.sort(key=lambda look: look.colour in used)  # colours of methods in the figure last
    if len(others) > len(free):
        raise DataError(f"{len(arms)} arms in one figure, but only {len(free)} can be told apart; draw fewer")
    looks = LOOKS | {arm: replace(look, label=arm) for arm, look in zip(others, free, strict=False)}
    return {arm: looks[arm] for arm in arms}


@drawn
def accuracy_by_size(table: pd.DataFrame) -> Figure:
    """Accuracy against the size of the training set, a line an arm: columns of :func:`ases.efficiency.size_table`.

    ``arm, train_size, accuracy`` (or ``rouge_l``), ``low, high, n, seeds``; sizes on a log axis. Arms stand a little
    beside each other at one size.
    """
    measure = measure_in(table)
    what = "accuracy_by_size"
    check(what, table, ("low", "high"), (measure.column, "n", "seeds"), keys=("arm", "train_size"))
    figure, ax = plt.subplots(figsize=(PAGE, 3.8))
    arms = list(dict.fromkeys(table["arm"]))
    for number, (arm, look) in enumerate(arm_looks(arms).items()):
        rows = table[table["arm"] == arm].sort_values("train_size")
        shift = 2 ** (_APART * (number - (len(arms) - 1) / 2))
        _line(ax, rows, rows["train_size"] * shift, look, measure)
    sizes = sorted(table["train_size"].unique())
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="training examples", ylabel=f"{measure.label} (95 % interval)")
    measure_axis(ax.yaxis, measure, top=table[[measure.column, "high"]].max().max())
    legend_above(figure, ax, _counts(table), columns=2)
    return figure


@drawn
def multiples_by_size(table: pd.DataFrame) -> Figure:
    """How many times as much data the baseline needs for what each arm reaches: columns of ``data_multiple``.

    ``arm, train_size, multiple, low, high, least, most, baseline, n, seeds``; both axes are logarithmic. What lies
    beyond the sizes tried has an arrow instead of an end, and a hollow mark.
    """
    check("multiples_by_size", table, ("least", "most"), ("n", "seeds"), keys=("arm", "train_size"))
    figure, ax = plt.subplots(figsize=(PAGE, 3.2))
    arms, sizes = list(dict.fromkeys(table["arm"])), sorted(table["train_size"].unique())
    shown = table[["low", "multiple", "high"]].clip(table["least"], table["most"], axis=0)
    ends = min(-2, math.floor(math.log2(shown.min().min()))), max(2, math.ceil(math.log2(shown.max().max())))
    beyond = 2 ** ((ends[1] - ends[0] + 2) / 30)  # an arrow's distance from the end, in which a mark has room
    for number, (arm, look) in enumerate(arm_looks(arms).items()):
        shift = 2 ** (0.7 * (number - (len(arms) - 1) / 2))  # room for a text between two arms
        ax.plot([], [], marker=look.marker, color=look.colour, linestyle="none", label=look.label)
        for row in table[table["arm"] == arm].to_dict("records"):
            _multiple(ax, row, row["train_size"] * shift, look, beyond)
    ax.axhline(1, color="#777777", linewidth=0.8, linestyle="--", zorder=0)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ticks = range(ends[0], ends[1] + 1, max(1, (ends[1] - ends[0]) // 6))
    named = {2.0**power: f"{2**power}" if power >= 0 else f"1/{2**-power}" for power in ticks}
    ax.set_yticks([*named], [*named.values()])
    ax.set_ylim(2.0 ** (ends[0] - 1), 2.0 ** (ends[1] + 1))
    ax.set_xlim(sizes[0] / 1.7, sizes[-1] * 2.2)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
    name = table["baseline"].iloc[0]
    ax.set(xlabel="training examples of the arm", ylabel=f"times as many for {name}\n(95 % interval)")
    legend_above(figure, ax, _counts(table), columns=2)
    return figure


def _multiple(ax: Axes, row: dict[str, float], at: float, look: Look, beyond: float) -> None:
    """One multiple, its interval and its text; ends beyond what was tried become arrows at the last size tried."""
    low, middle, high = (min(max(row[name], row["least"]), row["most"]) for name in ("low", "multiple", "high"))
    ax.vlines(at, low, high, color=look.colour, linewidth=1.2)
    marks = {"color": look.colour, "markersize": 5, "linestyle": "none", "clip_on": False}
    if row["low"] < row["least"]:
        ax.plot(at, low / beyond, marker="v", **marks)
    if row["high"] > row["most"]:
        ax.plot(at, high * beyond, marker="^", **marks)
    outside = not row["least"] <= row["multiple"] <= row["most"]
    inside = {"markerfacecolor": "white"} if outside else {"markeredgecolor": "white", "markeredgewidth": 0.5}
    ax.plot(at, middle, marker=look.marker, **marks | {"markersize": 4}, **inside)
    text = multiple_text(row["multiple"], row["least"], row["most"]).replace(" than ", " than\n")
    ax.annotate(text, (at, middle), xytext=(6, 0), textcoords="offset points", va="center", fontsize=7)


@drawn
def accuracy_by_flops(table: pd.DataFrame) -> Figure:
    """Accuracy against training FLOPs (log axis), a panel a training-set size and a line an arm.

    Columns ``arm, train_size, flops, accuracy`` (or ``rouge_l``), ``low, high``, and where there are, ``n, seeds``.
    """
    measure = measure_in(table)
    check("accuracy_by_flops", table, ("low", "high"), (measure.column,), keys=("arm", "train_size", "flops"))
    if not (table["flops"] > 0).all():
        least = table["flops"].min()
        raise DataError(f"accuracy_by_flops: a row has {least:g} flops, which has no place on a log axis; leave it out")
    looks, sizes = arm_looks(table["arm"]), sorted(table["train_size"].unique())
    across = 2 if len(sizes) == 4 else min(len(sizes), 3)
    down = -(-len(sizes) // across)
    figure, axes = plt.subplots(down, across, figsize=(PAGE, 0.9 + 2.2 * down), sharey=True, squeeze=False)
    for ax, size in zip(axes.flat, sizes, strict=False):
        panel = table[table["train_size"] == size]
        for arm, look in looks.items():
            rows = panel[panel["arm"] == arm].sort_values("flops")
            if len(rows):
                _line(ax, rows, rows["flops"], look, measure)
        ax.set(title=f"{size:,} training examples", xlabel="training FLOPs")
        flops_axis(ax, table["flops"])  # one axis for all panels: compute is what they share
        measure_axis(ax.yaxis, measure, top=table[[measure.column, "high"]].max().max())
    for ax in axes.flat[len(sizes) :]:
        ax.set_visible(False)
    for ax in axes[:, 0]:
        ax.set_ylabel(f"{measure.label} (95 % interval)")
    handles = {label: line for ax in axes.flat for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    named = [look.label for look in looks.values()]
    place = {"loc": "outside upper left", "ncols": 3, "alignment": "left", "handlelength": 3.2}
    figure.legend([handles[one] for one in named], named, title=_counts(table) or None, title_fontsize=8, **place)
    return figure


def _line(ax: Axes, rows: pd.DataFrame, at: pd.Series, look: Look, measure: Measure) -> None:
    """One arm: its intervals, and its means joined by a line."""
    ax.vlines(at, rows["low"], rows["high"], color=look.colour, linewidth=1.2)
    marks = {"marker": look.marker, "markeredgecolor": "white", "markeredgewidth": 0.5, "markersize": 4.5}
    marks["clip_on"] = False  # an accuracy of 0 lies on the axis
    ax.plot(at, rows[measure.column], look.line, color=look.colour, label=look.label, linewidth=1, **marks)


def _counts(table: pd.DataFrame) -> str:
    """``n = 1,000 questions, 3 seeds``, as far as the table says."""
    parts = [count_text(table, "questions")]
    if "seeds" in table:
        parts.append(seeds_text(table))
    return ", ".join(part for part in parts if part)
