"""How every figure looks: one style, one look for each method, and the parts that figures share.

>>> LOOKS["uni-path-merged"].label
'uni-path, merged'

Apart from :mod:`ases.figures` so that a figure there reads as what it says, not as how it is set.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from ases.errors import DataError
from ases.measures import Measure
from ases.settings import METHODS

COLUMN, PAGE = 3.4, 7.0
"""Widths in inches."""

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib, so every machine has it
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 5,
    "hatch.linewidth": 0.6,
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "ases",
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class Look:
    """How a method is drawn in every figure."""

    label: str
    colour: str
    marker: str
    line: str


LOOKS = {
    "answer-only": Look("answer-only", "#7f7f7f", "v", ":"),
    "seq2seq": Look("seq2seq", "#000000", "o", "-"),
    "uni-path": Look("uni-path", "#0072b2", "s", "-"),
    "uni-path-merged": Look("uni-path, merged", "#56b4e9", "D", "--"),
    "dual-path": Look("dual-path", "#d55e00", "^", "-"),
    "dual-path-merged": Look("dual-path, merged", "#e69f00", "X", "--"),
}
"""Colours by Okabe and Ito: blue for uni-path, red and orange for dual-path; merged is lighter and dashed."""


def drawn(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Draw in our style whatever the user's is, and fix the layout: drawing again must move nothing."""

    @wraps(draw)
    def styled(*arguments: Any, **named: Any) -> Figure:
        with plt.style.context(["default", STYLE]):
            figure = draw(*arguments, **named)
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        return figure

    return styled


def check(
    what: str, table: pd.DataFrame, columns: Iterable[str], numbers: Iterable[str] = (), keys: Iterable[str] = ()
) -> None:
    """All columns there, rows there, ``numbers`` without NaN, and no two rows with the same ``keys``."""
    columns, numbers, keys = list(columns), list(numbers), list(keys)
    missing = [name for name in dict.fromkeys((*keys, *columns, *numbers)) if name not in table]
    if missing:
        raise DataError(f"{what}: the table lacks {', '.join(missing)}; it has {', '.join(map(str, table)) or 'none'}")
    if table.empty:
        raise DataError(f"{what}: the table has no rows, so there is nothing to draw")
    for name in numbers:
        if absent := int(table[name].isna().sum()):
            raise DataError(f"{what}: {name} is NaN in {absent} of {len(table)} rows")
    if keys and (doubled := table[table.duplicated(keys)]).size:
        raise DataError(f"{what}: {', '.join(str(doubled.iloc[0][key]) for key in keys)} is in two rows; give one")


def check_known(what: str, values: Iterable[Any], known: Iterable[str]) -> None:
    """Every value is one of the known ones, else DataError names what is not."""
    if unknown := sorted({str(value) for value in values} - set(known)):
        raise DataError(f"unknown {what} {', '.join(unknown)}; known are {', '.join(known)}")


def in_order(values: Iterable[Any], order: Iterable[str]) -> list[str]:
    """Those of ``order`` that occur, in its order."""
    there = set(values)
    return [name for name in order if name in there]


def methods_of(what: str, table: pd.DataFrame) -> list[str]:
    """The methods of the table in the order of METHODS."""
    check_known(f"method in {what}", table["method"], METHODS)
    return in_order(table["method"], METHODS)


def span(values: pd.Series) -> str:
    """A count, or the least and the greatest where they differ: ``1,000``, ``90 to 110``."""
    low, high = f"{int(values.min()):,}", f"{int(values.max()):,}"
    return low if low == high else f"{low} to {high}"


def step_names(table: pd.DataFrame) -> list[str]:
    """Each length in the column ``steps``, or range up to ``steps_to``, and below it how many questions have it."""
    ranges = table[["steps", "steps_to" if "steps_to" in table else "steps"]].set_axis(["from", "to"], axis=1)
    names = []
    for steps in sorted(table["steps"].unique()):
        there = table["steps"] == steps
        names.append(f"{span(ranges[there].stack())}\nn = {span(table.loc[there, 'n'])}")
    return names


def count_text(table: pd.DataFrame, unit: str) -> str:
    """``n = 1,000 questions`` from the column n; empty where there is none."""
    return f"n = {span(table['n'])} {unit}" if "n" in table else ""


def seeds_text(table: pd.DataFrame) -> str:
    """``1 seed``, ``5 seeds`` or ``2 to 5 seeds`` from the column seeds."""
    seeds = span(table["seeds"])
    return f"{seeds} {'seed' if seeds == '1' else 'seeds'}"


def percent_axis(axis: Axis, top: float | None = None) -> None:
    """Shares as per cent; with ``top`` a vertical axis from 0 to a little above it."""
    if top is not None:
        axis.axes.set_ylim(0, min(1.03, 1.08 * top) if top > 0 else 1)
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(100 * value, 6):g} %"))


def measure_axis(axis: Axis, measure: Measure, top: float | None = None) -> None:
    """The axis of a measure: shares in per cent, scores as they are; with ``top`` as in :func:`percent_axis`."""
    percent_axis(axis, top)
    if not measure.share:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(value, 6):g}"))


def flops_axes(*axes: Axes) -> None:
    """FLOPs from 0, in one unit for all these axes, a power of ten that the label names; the data stay FLOPs."""
    power_axes("training FLOPs", *axes)


def power_axes(what: str, *axes: Axes) -> None:
    """A large count from 0 along these axes, in one power of ten that the label names; the data stay as they are."""
    power = math.floor(math.log10(max(1.0, *(ax.dataLim.x1 for ax in axes))))
    for ax in axes:
        high = ax.dataLim.x1
        ax.set(xlabel=rf"{what} ($10^{{{power}}}$)", xlim=(0, 1.04 * high if high > 0 else 1))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(value / 10**power, 6):g}"))


def mark_beta(ax: Axes, beta: float) -> None:
    """A dashed line at the chosen beta."""
    ax.axvline(beta, color="#000000", linestyle=(0, (4, 3)), linewidth=1, label=f"chosen beta = {beta:g}")


def name_rows(ax: Axes, names: list[str]) -> None:
    """Name the rows of a horizontal figure, the first at the top."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")


def value_beside(ax: Axes, at: int, text: str) -> None:
    """Text to the right of the axes, at a row."""
    ax.text(1.02, at, text, transform=ax.get_yaxis_transform(), va="center", ha="left")


def legend_above(figure: Figure, ax: Axes, title: str, columns: int = 1) -> None:
    """The legend of the axes above them, where it covers no data, under a title."""
    handles, labels = ax.get_legend_handles_labels()
    place = {"loc": "outside upper left", "ncols": columns, "alignment": "left"}
    figure.legend(handles, labels, title=title or None, title_fontsize=8, columnspacing=1.2, **place)


def header(figure: Figure, text: str) -> None:
    """A line of text above all axes, such as what marks mean where no legend says it."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=8)


def signed(value: float, digits: int) -> str:
    """A share as percentage points with a sign, which is a real minus for what is negative."""
    return f"{100 * value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def flops_axis(ax: Axes, flops: pd.Series) -> None:
    """A log axis for FLOPs: ticks at the powers of ten, and at 2 and 5 times them where it is short."""
    ax.set_xscale("log")
    low, high = flops.min() / 1.3, flops.max() * 1.3
    steps = (1, 2, 5) if high / low < 30 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [step * 10.0**power for power in powers for step in steps]
    ax.set_xlim(low, high)
    ax.set_xticks([tick for tick in ticks if low <= tick <= high])
    ax.xaxis.set_major_formatter(FuncFormatter(_power_text))
    ax.xaxis.set_minor_locator(NullLocator())


def _power_text(value: float, _: int) -> str:
    power = math.floor(math.log10(value) + 1e-9)
    factor = round(value / 10.0**power)
    return rf"$10^{{{power}}}$" if factor == 1 else rf"${factor}\times10^{{{power}}}$"
