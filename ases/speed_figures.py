"""Pictures of what the performance notebook measures: each a function of a table that is saved beside it.

>>> keep(run, "scoring", performance.scoring(run))                              # doctest: +SKIP

What is measured differs from run to run, so files are named ``<name>.measured.csv``, ``.png`` and ``.svg``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from ases.figures import save
from ases.looks import COLUMN, PAGE, check, drawn, legend_above, name_rows, span, value_beside
from ases.speed_words import GOAL_SCORING, check_batches

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9", "#7f7f7f")
_MARKERS, _LINES, _HATCHES = "os^DvXP*", ("-", "--", "-.", ":"), ("", "///", "...", "xxx")


class FigureRun(Protocol):
    """What is needed of a run: where its figures go."""

    @property
    def figure_folder(self) -> Path:
        """The folder."""


def keep(run: FigureRun, name: str, table: pd.DataFrame) -> None:
    """Draw a table and save both as ``<name>.measured``; says so where there is nothing to draw."""
    if table.empty:
        print(f"{name} was not measured: `parts` leaves it out")
        return
    save(DRAWN[name](table), table, run.figure_folder, f"{name}.measured")


@drawn
def scoring(table: pd.DataFrame) -> Figure:
    """Times faster than the plain procedure, by the clock: a panel a set; the goal, and each row's own limit."""
    check("scoring", table, ("data", "procedure", "condition", "precision"), ("times_plain", "limit", "pieces"))
    figure, panels = _panels(table, 0.95 + 0.27 * table.groupby("data").size().max())
    for ax, (data, rows) in zip(panels, table.groupby("data", sort=False), strict=True):
        plain = rows.iloc[0]["pieces_per_second"]
        names = [_procedure(row) for _, row in rows.iterrows()]
        texts = [f"{value:.3g}" for value in rows["times_plain"]]
        _bars(ax, rows["times_plain"], names, texts, log=True)
        ours = (rows["procedure"] == "ours").to_numpy().nonzero()[0]
        ax.plot(rows["limit"].iloc[ours], ours, "|", color="#000000", markersize=9, label="if every operation ran once")
        ax.axvline(GOAL_SCORING, color="#000000", linestyle=(0, (4, 3)), linewidth=0.9, label=f"goal: {GOAL_SCORING}")
        ax.set_xlim(right=1.2 * max(GOAL_SCORING, rows["times_plain"].max(), rows["limit"].iloc[ours].max()))
        ax.set(xlabel=f"times the plain procedure ({plain:.2g} pieces a second)", title=_title(data, rows, "pieces"))
    legend_above(figure, panels[0], "", columns=2)
    return figure


@drawn
def memory(table: pd.DataFrame) -> Figure:
    """Peak memory above the loaded model, each procedure in a process of its own; the line is a third of plain's."""
    check("memory", table, ("procedure",), ("peak_mib", "pieces", "share_of_plain"), keys=("procedure",))
    figure, ax = plt.subplots(figsize=(PAGE, 1.5))
    names = [f"{row['procedure']}, {row['pieces']:,} pieces" for _, row in table.iterrows()]
    _bars(ax, table["peak_mib"], names, [f"{share:.0%}".replace("%", " %") for share in table["share_of_plain"]])
    ax.axvline(table["peak_mib"].iloc[0] / 3, color="#000000", linestyle=(0, (4, 3)), linewidth=0.9)
    ax.set(xlabel="peak memory (MiB); dashed: a third of plain's")
    return figure


@drawn
def processes(table: pd.DataFrame) -> Figure:
    """Pieces a second by number of processes, with the line of equal shares."""
    check("processes", table, (), ("processes", "pieces_per_second", "pieces"), keys=("processes",))
    figure, ax = plt.subplots(figsize=(COLUMN, 2.3))
    ideal = table["pieces_per_second"].iloc[0] * table["processes"] / table["processes"].iloc[0]
    ax.plot(table["processes"], ideal, ":", color="#7f7f7f", label="equal shares")
    ax.plot(table["processes"], table["pieces_per_second"], "-o", color=_COLOURS[0], label="measured")
    ax.set(xlabel="processes of one thread each", ylabel="pieces a second", ylim=(0, None), xticks=table["processes"])
    legend_above(figure, ax, f"n = {int(table['pieces'].iloc[0]):,} pieces", columns=2)
    return figure


@drawn
def precision(table: pd.DataFrame) -> Figure:
    """Error of a lower precision in a piece's score, in nats a token: mean and largest; labels changed beside."""
    check("precision", table, ("strategy", "condition"), ("mean_error", "largest_error", "labels_changed"))
    figure, ax = plt.subplots(figsize=(COLUMN, 1.9))
    names = [f"{row['strategy']}, {row['condition']}" for _, row in table.iterrows()]
    for column, marker, words in (("mean_error", "o", "mean"), ("largest_error", ">", "largest")):
        ax.plot(table[column], range(len(names)), marker, color=_COLOURS[0], label=words)
    for at, share in enumerate(table["labels_changed"]):
        value_beside(ax, at, f"{100 * share:.2g} % of labels")
    name_rows(ax, names)
    _log(ax, [*table["mean_error"], *table["largest_error"]])
    ax.set(xlabel=f"error of {table['precision'].iloc[0]} (nats a token)")
    legend_above(figure, ax, f"n = {int(table['pieces'].iloc[0]):,} pieces", columns=2)
    return figure


@drawn
def hours(table: pd.DataFrame) -> Figure:
    """Hours by device and number of devices, a panel an amount; open markers are projections, filled ones measured."""
    check("hours", table, ("device", "machines", "measured"), ("hours", "rationales", "count"))
    figure, panels = _panels(table, 2.6, by="rationales")
    for ax, (amount, rows) in zip(panels, table.groupby("rationales"), strict=True):
        for place, (device, own) in enumerate(rows.groupby("device", sort=False)):
            measured = own["measured"] & (own["count"] == 1)  # what several devices would do is projected, too
            look = {"color": _COLOURS[place], "marker": _MARKERS[place], "label": device}
            ax.plot(own["count"], own["hours"], _LINES[place % 4], markerfacecolor="white", **look)
            ax.plot(own["count"][measured], own["hours"][measured], look["marker"], color=look["color"])
        _log(ax, list(rows["hours"]), vertical=True)
        ax.set_xscale("log", base=2)
        ax.set_xticks(sorted(rows["count"].unique()), [f"{count}" for count in sorted(rows["count"].unique())])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set(xlabel="devices", ylabel="hours", title=f"{amount:,.0f} rationales, both conditions")
    legend_above(figure, panels[0], "filled: measured; open: projected", columns=1)
    return figure


@drawn
def batches(table: pd.DataFrame) -> Figure:
    """Real tokens a second of each way to make batches, a panel a set; padding, and ours against it, beside."""
    check("batches", table, ("data", "method", "batches"), ("real_tokens_per_second", "padding_waste", "times"))
    figure, panels = _panels(table, 0.75 + 0.26 * table.groupby("data").size().max())
    for ax, (data, rows) in zip(panels, table.groupby("data", sort=False), strict=True):
        names = [f"{row['method']}: {row['batches']}" for _, row in rows.iterrows()]
        texts = [f"{row['padding_waste']:.0%} pad, {row['times']:.2g}x" for _, row in rows.iterrows()]
        colours = [_COLOURS[list(rows["batches"].unique()).index(way)] for way in rows["batches"]]
        _bars(ax, rows["real_tokens_per_second"], names, [text.replace("%", " %") for text in texts], colours=colours)
        ax.set(xlabel="real tokens a second (padding not counted)", title=_title(data, rows, "pairs"))
    return figure


@drawn
def engines(table: pd.DataFrame) -> Figure:
    """Times faster than the plain loop, a panel a set; accuracy and the share of equal chains beside."""
    check("engines", table, ("data", "engine", "compute_type"), ("times_plain", "accuracy", "same_chains", "batch"))
    figure, panels = _panels(table, 0.85 + 0.29 * table.groupby("data").size().max())
    for ax, (data, rows) in zip(panels, table.groupby("data", sort=False), strict=True):
        names = [f"{row['engine']}, {row['compute_type']}, batch {row['batch']}" for _, row in rows.iterrows()]
        pairs = zip(rows["times_plain"], rows["accuracy"], rows["same_chains"], strict=True)
        texts = [f"{times:.1f}x; {right:.1%} right; {same:.1%} same".replace("%", " %") for times, right, same in pairs]
        _bars(ax, rows["times_plain"], names, texts, log=True)
        plain = rows["examples_per_second"].iloc[0]
        ax.set(xlabel=f"times the plain loop ({plain:.2g} questions a second)", title=_title(data, rows, "questions"))
    return figure


@drawn
def cost(table: pd.DataFrame) -> Figure:
    """Seconds a question against the turns of its chain, a line a batch size; dotted: its operations alone.

    Raises DataError for a batch larger than the number of questions.
    """
    check("cost", table, ("data",), ("turns", "batch", "seconds_per_question", "ideal_seconds"))
    check_batches(table)
    figure, panels = _panels(table, 2.9)
    sizes = sorted(table["batch"].unique())
    for ax, (data, rows) in zip(panels, table.groupby("data", sort=False), strict=True):
        rows = rows.sort_values("turns")
        for place, size in enumerate(sizes):
            own = rows[rows["batch"] == size]
            look = {"color": _COLOURS[place % len(_COLOURS)], "marker": _MARKERS[place % len(_MARKERS)]}
            ax.plot(own["turns"], own["seconds_per_question"], "-", label=f"{size} at a time", **look)
        ideal = rows[rows["batch"] == sizes[-1]]
        ax.plot(ideal["turns"], ideal["ideal_seconds"], ":", color="#4d4d4d", label="the operations alone")
        _log(ax, [*rows["seconds_per_question"], *rows["ideal_seconds"]], vertical=True)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set(xlabel="turns of the chain", ylabel="seconds a question", title=_title(data, rows, "questions"))
    legend_above(figure, panels[0], "", columns=5)
    return figure


@drawn
def questions(table: pd.DataFrame) -> Figure:
    """Peak memory of the process against the number of questions, with what it held before the first."""
    check("questions", table, (), ("questions", "peak_mb", "loaded_mb"), keys=("questions",))
    figure, ax = plt.subplots(figsize=(COLUMN, 2.3))
    ax.plot(table["questions"], table["peak_mb"], "-o", color=_COLOURS[0], label="at its peak", clip_on=False)
    ax.plot(table["questions"], table["loaded_mb"], ":s", color="#7f7f7f", label="before the first question")
    ax.set_xscale("log")
    ax.set_xticks(table["questions"], [f"{count:,}" for count in table["questions"]])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="questions", ylabel="memory of the process (MiB)", ylim=(0, None))
    legend_above(figure, ax, "", columns=2)
    return figure


@drawn
def rows(table: pd.DataFrame) -> Figure:
    """Seconds of each step; rows a second and peak memory beside."""
    check("rows", table, ("step", "peak_mb"), ("rows", "seconds"), keys=("step",))
    figure, ax = plt.subplots(figsize=(PAGE, 0.6 + 0.27 * len(table)))
    rates = [f"{row['rows'] / max(row['seconds'], 0.05):,.0f} rows/s" for _, row in table.iterrows()]
    peaks = [f"; {peak:,.0f} MiB" if peak > 0 else "" for peak in table["peak_mb"]]
    texts = [rate + peak for rate, peak in zip(rates, peaks, strict=True)]
    names = [f"{row['step']} ({row['rows']:,.0f})" for _, row in table.iterrows()]
    _bars(ax, table["seconds"], names, texts)
    ax.set(xlabel="seconds on one thread")
    return figure


@drawn
def durations(table: pd.DataFrame) -> Figure:
    """How long each table took to measure."""
    check("durations", table, ("part",), ("seconds",), keys=("part",))
    figure, ax = plt.subplots(figsize=(PAGE, 0.6 + 0.22 * len(table)))
    _bars(ax, table["seconds"], list(table["part"]), [f"{value:,.0f} s" for value in table["seconds"]])
    ax.set(xlabel=f"seconds; together {table['seconds'].sum() / 60:.1f} minutes")
    return figure


DRAWN: dict[str, Callable[[pd.DataFrame], Figure]] = {
    one.__name__: one
    for one in (scoring, memory, processes, precision, hours, batches, engines, cost, questions, rows, durations)
}
"""The figure of each table, by name."""


def _panels(table: pd.DataFrame, height: float, by: str = "data") -> tuple[Figure, list[Axes]]:
    """A panel a set: tables with long names of rows stand one above the other, others side by side."""
    count, named = table[by].nunique(), {"procedure", "batches", "engine"} & set(table)
    shape = (count, 1) if named else (1, count)
    figure, axes = plt.subplots(*shape, figsize=(PAGE, height * shape[0]), squeeze=False)
    return figure, list(axes.flat)


def _bars(
    ax: Axes,
    values: Sequence[float],
    names: list[str],
    texts: list[str],
    *,
    log: bool = False,
    colours: Any = _COLOURS[0],
) -> None:
    start = 1 if log else 0  # a ratio of 1 is no bar
    ax.barh(range(len(names)), [value - start for value in values], left=start, height=0.6, color=colours)
    for at, text in enumerate(texts):
        value_beside(ax, at, text)
    name_rows(ax, names)
    if log:
        _log(ax, list(values))
        ax.set_xlim(min(0.9, 0.8 * min(values)), 1.3 * max(values))


def _log(ax: Axes, values: list[float], vertical: bool = False) -> None:
    (ax.set_yscale if vertical else ax.set_xscale)("log")
    axis = ax.yaxis if vertical else ax.xaxis
    positive = [value for value in values if value > 0]
    wide = positive and max(positive) / min(positive) > 50
    axis.set_major_locator(LogLocator(10, subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def _procedure(row: pd.Series) -> str:
    if row["procedure"] != "ours":
        return row["procedure"]
    condition = "both conditions" if " and " in row["condition"] else row["condition"]
    return f"ours, {condition}, {row['precision']}"


def _title(data: str, rows: pd.DataFrame, unit: str) -> str:
    return f"{data}, n = {span(rows[unit])} {unit}"
