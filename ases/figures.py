"""Tables -> pictures: each figure is a function of a data frame that is saved beside it.

>>> figure = accuracy(summary)                                                  # doctest: +SKIP
>>> save(figure, summary, run.figure_folder, "accuracy")                        # doctest: +SKIP

Figures are one column (3.4 in) or two (7 in) wide in 8 pt type. A method has one colour, marker, line and place in
every figure (:data:`ases.looks.LOOKS`); what colour tells apart, marker, line or hatch tells apart too. Intervals are
95 % and say so. Equal tables give equal bytes. A table without rows or columns that a figure needs is a DataError.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import Markdown, display
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ases.chain_figures import end_reasons as end_reasons
from ases.chain_figures import first_errors as first_errors
from ases.chain_figures import steps as steps
from ases.coloured import coloured as coloured
from ases.errors import DataError
from ases.examples import AS, ES
from ases.looks import (
    COLUMN,
    LOOKS,
    PAGE,
    STYLE,
    check,
    check_known,
    count_text,
    drawn,
    flops_axes,
    in_order,
    legend_above,
    mark_beta,
    measure_axis,
    methods_of,
    name_rows,
    percent_axis,
    power_axes,
    signed,
    span,
    step_names,
    value_beside,
)
from ases.measures import measure_in
from ases.training_figures import training_curve as training_curve

# Splits and labels are no methods, so they take none of the methods' colours.
_SPLITS = {"train": ("#b0b0b0", "-", 3.5), "valid": ("#000000", "--", 1.3), "test": ("#cc79a7", "-", 1.1)}
_LABELS = {ES: ("#009e73", "..."), AS: ("#a03a78", "///")}
_CURVES = {
    "as_share": ("pieces labelled AS", "#000000", "-", "o"),
    "degenerate_share": ("chains of one label", "#7f7f7f", ":", "v"),
    "precision": ("precision of AS", "#009e73", "--", "s"),
    "recall": ("recall of AS", "#cc79a7", "-.", "^"),
    "f1": ("F1 of AS", "#a03a78", "-", "D"),
}


def save(figure: Figure, table: pd.DataFrame, folder: Path, name: str) -> None:
    """Write ``name.png`` (150 dpi), ``name.svg`` and ``name.csv`` (six digits) into the folder, made where missing.

    Each file appears whole, under its name, or not at all. Raises DataError for a table without rows.
    """
    check("save", table, ())
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)

    def whole(suffix: str, write: Callable[[Path], Any]) -> None:
        part = folder / f".{name}.{suffix}.{os.getpid()}.partial"
        write(part)
        os.replace(part, folder / f"{name}.{suffix}")

    with plt.style.context(["default", STYLE]):
        whole("png", lambda part: figure.savefig(part, format="png", metadata={"Software": None}))
        whole("svg", lambda part: figure.savefig(part, format="svg", metadata={"Date": None}))
    whole("csv", lambda part: table.to_csv(part, index=False, float_format="%.6g", lineterminator="\n"))


def shown(
    figure: Callable[..., Figure], table: pd.DataFrame, folder: Path, name: str, nothing: str, *more: Any
) -> None:
    """Draw a table (and ``more``), save both and show the picture; of a table without rows say ``nothing`` instead."""
    if table.empty:
        display(Markdown(f"*{nothing}*"))
        return
    save(figure(table, *more), table, folder, name)
    plt.show()


# Data and segments ----------------------------------------------------------------------------------------------


@drawn
def lengths(table: pd.DataFrame) -> Figure:
    """How long questions and rationales are: columns ``split, measure, value``; a panel a measure.

    A line shows the share of a split's examples at or below each length, so nothing is binned or cut off.
    """
    check("lengths", table, ("split", "measure"), ("value",))
    check_known("split", table["split"], _SPLITS)
    measures, splits = list(table["measure"].unique()), in_order(table["split"], _SPLITS)
    figure, axes = plt.subplots(1, len(measures), figsize=(PAGE, 2.5), sharey=True, squeeze=False)
    for ax, measure in zip(axes[0], measures, strict=True):
        rows = table[table["measure"] == measure]
        for split in splits:
            colour, line, width = _SPLITS[split]
            counts = table[table["split"] == split].groupby("measure").size()
            named = f"{split}, n = {span(counts)}"
            values = rows.loc[rows["split"] == split, "value"]
            sns.ecdfplot(x=values, ax=ax, color=colour, linestyle=line, linewidth=width, label=named)
        ax.set(xlabel=measure, ylabel="examples at or below")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        percent_axis(ax.yaxis)
    legend_above(figure, axes[0][0], "", columns=3)
    return figure


@drawn
def scores_by_label(table: pd.DataFrame, beta: float) -> Figure:
    """Scores of pieces against the threshold: columns ``relative`` (score / mean of its example) and ``gold``.

    Where ``gold`` is missing (collected data) there is one distribution. Bars are the share of a label's pieces;
    the last holds whatever lies above. Pieces without a relative score (the mean is 0) are counted in the title.
    """
    check("scores_by_label", table, ("relative",))
    gold = table["gold"] if "gold" in table else pd.Series(None, index=table.index, dtype=object)
    if gold.isna().any() and gold.notna().any():
        raise DataError(f"scores_by_label: {gold.isna().sum()} of {len(gold)} pieces lack gold; give all or none")
    check_known("gold", gold.dropna(), _LABELS)
    defined = np.isfinite(table["relative"].astype(float))
    if not defined.any():
        raise DataError("scores_by_label: no piece has a finite relative score; is the mean of every example 0?")
    values = table.loc[defined, "relative"].astype(float)
    # A chain of k pieces can reach k times its mean: the few far ones would press all others into a corner.
    low, high = min(0.0, float(values.min())), max(2.0 * beta, float(np.quantile(values, 0.99)))
    edges = np.linspace(low, high, 41)
    inside = values.clip(upper=np.nextafter(high, low))
    figure, ax = plt.subplots(figsize=(COLUMN, 2.6))
    groups = [label for label in (ES, AS) if (gold == label).any()] or [None]
    for label in groups:
        part = inside if label is None else inside[gold[defined] == label]
        colour, hatch = ("#7f7f7f", "") if label is None else _LABELS[label]
        above = f"{(part > beta).mean():.0%} above".replace("%", " %") if len(part) else "none scored"
        named = f"{above} beta" if label is None else f"gold {label}, n = {len(part):,} ({above})"
        share = np.histogram(part, edges)[0] / max(1, len(part))
        ax.stairs(share, edges, fill=True, facecolor=(colour, 0.25), edgecolor=colour, hatch=hatch, lw=1, label=named)
    mark_beta(ax, beta)
    # Two labels' bars overlap most at the left and fall off to the right, where the legend would be; above is free.
    more = ", last bar: all above" if (values > high).any() else ""
    ax.set(xlabel=f"score / mean of its example{more}", ylabel="share of pieces", xlim=(low, high))
    percent_axis(ax.yaxis)
    without = f"; {int((~defined).sum()):,} without (mean 0)" if not defined.all() else ""
    legend_above(figure, ax, f"n = {int(defined.sum()):,} pieces{without}")
    return figure


@drawn
def beta_sweep(table: pd.DataFrame, beta: float) -> Figure:
    """What each beta labels: columns ``beta, as_share, degenerate_share``, and where gold exists ``precision``,
    ``recall``, ``f1``, each also as ``<name>_low`` and ``<name>_high``. The chosen beta is marked.
    """
    check("beta_sweep", table, (), ("beta", "as_share", "degenerate_share"))
    table = table.sort_values("beta")
    figure, ax = plt.subplots(figsize=(COLUMN, 2.9))
    bands = False
    for name, (label, colour, line, marker) in _CURVES.items():
        if name not in table or table[name].isna().all():
            continue
        ax.plot(table["beta"], table[name], line, color=colour, marker=marker, markersize=3.5, label=label)
        if {f"{name}_low", f"{name}_high"} <= set(table):
            bands = True
            ax.fill_between(table["beta"], table[f"{name}_low"], table[f"{name}_high"], color=colour, alpha=0.15, lw=0)
    mark_beta(ax, beta)
    ax.set(xlabel="beta", ylabel="share" + (" (bands: 95 % interval)" if bands else ""), ylim=(-0.03, 1.03))
    percent_axis(ax.yaxis)
    legend_above(figure, ax, count_text(table, "pieces"), columns=2)
    return figure


# Training -------------------------------------------------------------------------------------------------------


@drawn
def curves(points: pd.DataFrame) -> Figure:
    """Do the methods still rise? Over training FLOPs and over target tokens, a panel each.

    Columns ``method, seed, flops, target_tokens, accuracy`` (or ``rouge_l``), ``low, high, n``. A line a method. One
    seed: the band is its 95 % interval. Several: the line is the mean over seeds, point by point in the order of FLOPs,
    and each seed is a thin line.
    """
    measure, spent = measure_in(points), ("flops", "target_tokens")
    check("curves", points, ("low", "high"), (*spent, measure.column, "n"), keys=("method", "seed", "flops"))
    order = methods_of("curves", points)
    points = points.sort_values(["method", "seed", "flops"])
    points = points.assign(point=points.groupby(["method", "seed"]).cumcount())
    counts = points.groupby(["method", "seed"]).size()
    for method in order:
        if counts[method].nunique() > 1:
            found = ", ".join(map(str, counts[method]))
            raise DataError(f"curves: the seeds of {method} have {found} points; a mean needs the same points of each")
    seeds = points.groupby("method")["seed"].nunique()
    figure, axes = plt.subplots(1, 2, figsize=(PAGE, 3.4), sharey=True)
    for ax, along in zip(axes, spent, strict=True):
        for method in order:
            look, rows = LOOKS[method], points[points["method"] == method]
            if seeds[method] > 1:
                for _, run in rows.groupby("seed"):
                    ax.plot(run[along], run[measure.column], look.line, color=look.colour, linewidth=0.6, alpha=0.6)
            else:
                ax.fill_between(rows[along], rows["low"], rows["high"], color=look.colour, alpha=0.13, linewidth=0)
                if len(rows) == 1:  # a band without width
                    ax.vlines(rows[along], rows["low"], rows["high"], color=look.colour, linewidth=1)
            mean = rows.groupby("point")[[along, measure.column]].mean()
            marks = {"marker": look.marker, "markeredgecolor": "white", "markeredgewidth": 0.5, "markersize": 6}
            marks["clip_on"] = False  # an accuracy of 0 lies on the axis
            ax.plot(mean[along], mean[measure.column], look.line, color=look.colour, label=look.label, **marks)
    single, several = seeds.eq(1).any(), seeds[seeds > 1]
    shown = [count_text(points, "questions"), *(["bands: 95 % interval of one seed"] if single else [])]
    shown += [f"lines: mean of {span(several)} seeds, thin ones each seed"] if len(several) else []
    axes[0].set_ylabel(f"validation {measure.label}")
    flops_axes(axes[0])
    power_axes("target tokens", axes[1])
    measure_axis(axes[0].yaxis, measure, top=points[[measure.column, "high"]].max().max())
    legend_above(figure, axes[0], "; ".join(shown), columns=3)
    return figure


# Results --------------------------------------------------------------------------------------------------------


@drawn
def accuracy(summary: pd.DataFrame) -> Figure:
    """Accuracy of each method with its 95 % interval: columns ``method, accuracy, low, high, n, seeds``.

    Without answers, ``rouge_l`` in its place. The vertical line is seq2seq. Values stand at the right.
    """
    measure = measure_in(summary)
    check("accuracy", summary, ("low", "high"), (measure.column, "n", "seeds"), keys=("method",))
    order = methods_of("accuracy", summary)
    rows = summary.set_index("method").loc[order]
    figure, ax = plt.subplots(figsize=(PAGE, 0.75 + 0.28 * len(order)))
    for at, (method, row) in enumerate(rows.iterrows()):
        look = LOOKS[method]
        ax.hlines(at, row["low"], row["high"], color=look.colour, linewidth=2)
        ax.plot([row[measure.column]], [at], marker=look.marker, color=look.colour, markersize=7)
        bounds = ", ".join(measure.text(row[end]).rstrip("%") for end in ("low", "high"))
        interval = f" [{bounds}]" if pd.notna(row["low"]) else ""
        value_beside(ax, at, f"{measure.text(row[measure.column]).replace('%', ' %')}{interval}")
    if not rows[[measure.column, "high"]].max().max() > 0:
        ax.set_xlim(-0.02, 1)  # the automatic range would reach as far below 0 as above
    if "seq2seq" in order:
        ax.axvline(rows.loc["seq2seq", measure.column], color="#000000", linestyle=(0, (4, 3)), linewidth=0.8, zorder=1)
    name_rows(ax, [LOOKS[method].label for method in order])
    seeds = span(summary["seeds"])
    title = f"{count_text(summary, 'questions')}, {seeds} {'seed' if seeds == '1' else 'seeds'}"
    line = "; dashed line: seq2seq" if "seq2seq" in order else ""
    ax.set(xlabel=f"{measure.label} (95 % interval)", title=f"{title}{line}")
    measure_axis(ax.xaxis, measure)
    return figure


@drawn
def differences(comparisons: pd.DataFrame, baseline: str) -> Figure:
    """Each method minus the baseline, in percentage points: columns ``method, difference, low, high, p_holm``.

    A filled marker is a difference with p < 0.05 after Holm's correction, an open one is not. A column ``measure``
    says of what they are differences where not of accuracy; then they are in its own unit.
    """
    measure = measure_in(comparisons)
    check("differences", comparisons, ("low", "high"), ("difference", "p_holm"), keys=("method",))
    check_known("baseline", [baseline], LOOKS)
    order = methods_of("differences", comparisons)

    def apart(value: float) -> str:
        return signed(value, 1) if measure.share else signed(value / 100, 3)  # it writes hundredths

    figure, ax = plt.subplots(figsize=(PAGE, 0.95 + 0.28 * len(order)))
    for at, (method, row) in enumerate(comparisons.set_index("method").loc[order].iterrows()):
        look, p = LOOKS[method], row["p_holm"]
        ax.hlines(at, row["low"], row["high"], color=look.colour, linewidth=2)
        face = look.colour if p < 0.05 else "white"
        ax.plot([row["difference"]], [at], marker=look.marker, color=look.colour, markersize=7, markerfacecolor=face)
        interval = f" [{apart(row['low'])}, {apart(row['high'])}]" if pd.notna(row["low"]) else ""
        shown = "< 0.001" if p < 0.001 else f"= {p:.3f}"
        value_beside(ax, at, f"{apart(row['difference'])}{interval}, p {shown}")
    ax.axvline(0, color="#000000", linewidth=0.8, zorder=1)
    name_rows(ax, [LOOKS[method].label for method in order])
    unit = "percentage points, " if measure.share else ""
    ax.set(xlabel=f"{measure.label} minus {LOOKS[baseline].label} ({unit}95 % interval)")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: apart(value).removesuffix(".0") if value else "0"))
    for face, words in (("#555555", "p < 0.05 (Holm)"), ("white", "p \N{GREATER-THAN OR EQUAL TO} 0.05 (Holm)")):
        ax.plot([], [], "o", color="#555555", markerfacecolor=face, markersize=6, label=words)
    legend_above(figure, ax, count_text(comparisons, "questions"), columns=2)
    return figure


@drawn
def accuracy_by_steps(table: pd.DataFrame) -> Figure:
    """Accuracy by the number of steps that a question takes: columns ``method, steps, accuracy, low, high, n``.

    Without answers, ``rouge_l`` in its place, and steps are the pieces of the reference. With ``steps_to``, steps are
    ranges. Methods stand side by side at each number of steps, so that their intervals do not cover each other.
    """
    measure = measure_in(table)
    check("accuracy_by_steps", table, ("low", "high"), ("steps", measure.column, "n"), keys=("method", "steps"))
    order, steps = methods_of("accuracy_by_steps", table), sorted(table["steps"].unique())
    width = COLUMN if len(order) == 1 and len(steps) <= 4 else PAGE
    figure, ax = plt.subplots(figsize=(width, 2.6))
    for number, method in enumerate(order):
        look, rows = LOOKS[method], table[table["method"] == method].sort_values("steps")
        at = rows["steps"].map(steps.index) + 0.1 * (number - (len(order) - 1) / 2)
        ax.vlines(at, rows["low"], rows["high"], color=look.colour, linewidth=1.2)
        ax.plot(
            at,
            rows[measure.column],
            look.line,
            color=look.colour,
            marker=look.marker,
            lw=0.9,
            label=look.label,
            clip_on=False,
        )
    ax.set_xticks(range(len(steps)), step_names(table))
    ax.grid(False, axis="x")
    title = LOOKS[order[0]].label if len(order) == 1 else ""
    steps_are = "steps of the question" if measure.share else "pieces of the reference"
    ax.set(xlabel=steps_are, ylabel=f"{measure.label} (95 % interval)", title=title)
    measure_axis(ax.yaxis, measure, top=table[[measure.column, "high"]].max().max())
    if len(order) > 1:
        figure.legend(loc="outside right center", handlelength=3.2)
    return figure
