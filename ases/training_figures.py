"""Figures on training: learning curves, over what was spent, and what a start checkpoint buys.

>>> figure = training_curve(trained.log, points, "gold")                        # doctest: +SKIP

The look is that of :mod:`ases.figures`, and :func:`ases.figures.save` writes them.
"""

from __future__ import annotations

from collections.abc import Iterable

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from ases.errors import DataError
from ases.examples import AS, ES
from ases.looks import (
    LOOKS,
    PAGE,
    check,
    check_known,
    count_text,
    drawn,
    flops_axes,
    in_order,
    legend_above,
    measure_axis,
    methods_of,
    name_rows,
    power_axes,
    span,
    value_beside,
)
from ases.measures import measure_in

_MODELS = {"model": ("#000000", "-", "o"), "esm": ("#009e73", "-", "s"), "asm": ("#a03a78", "--", "^")}
_TOKENS = {"loss_es": (ES, "#009e73", "-", "s"), "loss_as": (AS, "#a03a78", "--", "^")}
_STARTS = (("o", "white"), ("o", None), ("s", None), ("^", None))  # the first, from scratch, is open


@drawn
def training_curve(log: pd.DataFrame, points: pd.DataFrame, labels: str) -> Figure:
    """One run's learning curves: validation loss of all tokens; of AS and ES tokens; accuracy over FLOPs and tokens.

    ``log`` has ``model, flops, loss, loss_as, loss_es`` (nats a token; NaN where there is no such token), FLOPs counted
    for each model by itself, ``labels`` says by which labels they are told apart. ``points`` has ``flops,
    target_tokens, accuracy`` (or ``rouge_l``), ``low, high, n``, those of all models together.
    """
    measure = measure_in(points)
    check("training_curve (log)", log, ("model", "loss_as", "loss_es"), ("flops", "loss"))
    check("training_curve (points)", points, ("low", "high"), ("flops", "target_tokens", measure.column, "n"))
    check_known("model", log["model"], _MODELS)
    models, points = in_order(log["model"], _MODELS), points.sort_values("flops")
    figure, ((whole, apart), (spent, read)) = plt.subplots(2, 2, figsize=(PAGE, 4.8))
    for model in models:
        colour, line, marker = _MODELS[model]
        rows = log[log["model"] == model].sort_values("flops")
        whole.plot(rows["flops"], rows["loss"], line, color=colour, marker=marker, markersize=3.5, label=model.upper())
        for column, (label, shade, dashes, mark) in _TOKENS.items():
            if rows[column].notna().any():
                named = f"{label} tokens" if len(models) == 1 else f"{label} tokens, {model.upper()}"
                apart.plot(rows["flops"], rows[column], dashes, color=shade, marker=mark, markersize=3.5, label=named)
    top = _top(log, ["loss", *_TOKENS])
    whole.set(ylabel="validation loss (nats a token)", ylim=(0, top), title="all target tokens")
    apart.set(ylabel="validation loss (nats a token)", ylim=(0, top), title=f"by their piece's label ({labels})")
    if len(models) > 1:
        whole.legend(title="each over its own FLOPs", title_fontsize=8)
    if apart.lines:
        apart.legend()
    for ax, column in ((spent, "flops"), (read, "target_tokens")):
        ax.plot(points[column], points[measure.column], "-o", color="#000000", markersize=4, clip_on=False)
        ax.vlines(points[column], points["low"], points["high"], color="#000000", linewidth=1)
        ax.set(ylabel=f"validation {measure.label} (95 % interval)", title=count_text(points, "questions"))
        measure_axis(ax.yaxis, measure, top=points[[measure.column, "high"]].max().max())
    flops_axes(whole, apart, spent)
    power_axes("target tokens", read)
    return figure


@drawn
def loss_curves(table: pd.DataFrame) -> Figure:
    """Validation loss of each method: of all target tokens over training FLOPs and over target tokens, and by label.

    Columns ``method, seed, model, flops, target_tokens, loss, loss_as, loss_es, labels``. Methods without AS and ES
    tokens (an answer alone) have no line in those panels. Each seed is a line of its own, and each model of a
    dual-path, over what it has spent itself.
    """
    numbers = ("flops", "target_tokens", "loss")
    check("loss_curves", table, ("method", "seed", "model", "loss_as", "loss_es", "labels"), numbers)
    if table[list(_TOKENS)].isna().all(axis=None):
        raise DataError("loss_curves: no row has a loss of AS or ES tokens; leave out methods that write no rationale")
    figure, axes = plt.subplots(2, 2, figsize=(PAGE, 5.2), sharey=True)
    panels = [("loss", "flops", "all target tokens"), ("loss", "target_tokens", "all target tokens")]
    panels += [(column, "flops", f"{label} tokens") for column, (label, *_) in _TOKENS.items()]
    for ax, (column, along, title) in zip(axes.flat, panels, strict=True):
        rows = table[table[column].notna()]
        for method in methods_of("loss_curves", rows):
            look, named = LOOKS[method], LOOKS[method].label
            marks = {"marker": look.marker, "markersize": 4, "markeredgecolor": "white", "markeredgewidth": 0.4}
            for _, run in rows[rows["method"] == method].groupby(["seed", "model"]):
                run = run.sort_values("flops")
                ax.plot(run[along], run[column], look.line, color=look.colour, label=named, **marks)
                named = "_"  # one entry a method in the legend
        ax.set(title=title, ylim=(0, _top(table, ["loss", *_TOKENS])))
    for ax in axes[:, 0]:
        ax.set_ylabel("validation loss (nats a token)")
    flops_axes(axes[0, 0], *axes[1])
    power_axes("target tokens", axes[0, 1])
    halves = "; a dual-path has a line a model" if table["method"].str.startswith("dual-path").any() else ""
    legend_above(figure, axes[0, 0], f"labels: {', '.join(dict.fromkeys(table['labels']))}{halves}", columns=3)
    return figure


def _top(table: pd.DataFrame, columns: Iterable[str]) -> float:
    return 1.08 * float(table[list(columns)].max().max())


@drawn
def start_effects(table: pd.DataFrame) -> Figure:
    """Accuracy from each start with its 95 % interval: columns of :func:`ases.starts.start_table`, a row a training set
    and method. An open marker is the first start.
    """
    measure = measure_in(table)
    check("start_effects", table, ("low", "high"), (measure.column, "n"), keys=("train_size", "method", "start"))
    groups = list(dict.fromkeys(zip(table["train_size"], table["method"], strict=True)))
    starts = list(dict.fromkeys(table["start"]))
    figure, ax = plt.subplots(figsize=(PAGE, 1.2 + 0.38 * len(groups)))
    for number, start in enumerate(starts):
        marker, face = _STARTS[number % len(_STARTS)]
        rows = table[table["start"] == start]
        places = [groups.index(key) for key in zip(rows["train_size"], rows["method"], strict=True)]
        shift = 0.3 * (number - (len(starts) - 1) / 2)
        for at, row in zip(places, rows.to_dict("records"), strict=True):
            colour = LOOKS[row["method"]].colour
            ax.hlines(at + shift, row["low"], row["high"], color=colour, linewidth=1.5, zorder=2)
            fill = {"markerfacecolor": face or colour, "markeredgecolor": colour, "markersize": 6, "zorder": 3}
            ax.plot([row[measure.column]], [at + shift], marker, clip_on=False, **fill)
        grey = {"markerfacecolor": face or "#4d4d4d", "markeredgecolor": "#4d4d4d"}
        ax.plot([], [], marker, color="#4d4d4d", label=start, **grey)
    for at, key in enumerate(groups):
        rows = table[(table["train_size"] == key[0]) & (table["method"] == key[1])]
        texts = [measure.text(value).replace("%", " %") for value in rows[measure.column]]
        value_beside(ax, at, "  /  ".join(texts))
    name_rows(ax, [f"{LOOKS[method].label}, {size:,} examples" for size, method in groups])
    ax.set(xlabel=f"{measure.label} (95 % interval)")
    measure_axis(ax.xaxis, measure)
    seeds = span(table["seeds"])
    title = f"{count_text(table, 'questions')}, {seeds} {'seed' if seeds == '1' else 'seeds'}"
    legend_above(figure, ax, title, columns=2)
    return figure
