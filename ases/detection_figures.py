"""Figures on how right the labels are: functions of the tables of detection, ranking and agreement.

>>> figure = sweep_curves(detection_table(pieces, scores, labels=controls))     # doctest: +SKIP

The look is that of :mod:`ases.figures`, and :func:`ases.figures.save` writes them. A strategy has one colour, marker
and place in every figure (:data:`STRATEGIES`); what colour tells apart, marker or line tells apart too. ``data``,
where a table has that column, is the name of the data set and makes a panel each.
"""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ases.aligned import NUMBER_NOVELTY, Series
from ases.detection import NAMES
from ases.errors import DataError
from ases.examples import AS, ES
from ases.looks import COLUMN, PAGE, check, drawn, legend_above, name_rows, percent_axis, span, value_beside

# Colours by Okabe and Ito, with a marker each; strategies that are not listed take the last ones in turn.
STRATEGIES = {
    "entropy": ("#0072b2", "o"),
    "loss": ("#d55e00", "s"),
    "similarity": ("#009e73", "^"),
    "novelty": ("#cc79a7", "D"),
    "information_gain": ("#000000", "P"),
    "location": ("#7f7f7f", "v"),
    "random": ("#7f7f7f", "X"),
    "random_boundaries": ("#7f7f7f", "*"),
    NUMBER_NOVELTY: ("#56b4e9", "<"),
}
_OTHERS = (("#e69f00", "h"), ("#56b4e9", "p"), ("#a03a78", "d"))
# Lines: a piece scored given the question is solid, given the prefix too dashed.
_LINES = {"question": "-", "prefix": (0, (4, 2)), "": (0, (1, 1.2)), "bleu": (0, (5, 1.5, 1, 1.5))}
_CONTROLS = {"location": (0, (1, 2)), "random": (0, (5, 2, 1, 2)), "random_boundaries": (0, (6, 3))}
_PLACES = 400  # where a distribution is read off: finer than the eye, and no file grows with the data
_FAMILIES = {"sum": "sum over tokens", "mean": "mean over tokens", "": "scores of whole pieces"}
_TOO_DARK = 0.6  # a cell of more takes white numbers
_KAPPAS = LinearSegmentedColormap.from_list("kappas", ["#ffffff", "#c6dbef", "#6baed6", "#0072b2", "#08306b"])


def _look(strategy: str, known: list[str]) -> tuple[str, str]:
    others = [name for name in known if name not in STRATEGIES]
    return STRATEGIES.get(strategy) or _OTHERS[others.index(strategy) % len(_OTHERS)]


def _names(table: pd.DataFrame) -> list[Series]:
    """The series of a table: known strategies first, in the order of STRATEGIES, the rest as they come."""
    found = [Series(*names) for names in dict.fromkeys(table[list(NAMES)].itertuples(index=False, name=None))]
    order = list(STRATEGIES)
    return sorted(found, key=lambda one: order.index(one.strategy) if one.strategy in order else len(order))


def _rows_of(table: pd.DataFrame, series: Series) -> pd.DataFrame:
    return table[np.logical_and.reduce([table[name] == value for name, value in series._asdict().items()])]


def _panels(what: str, table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The table by data set, in its order; one split alone, because panels of several would mix them."""
    if table["split"].nunique() != 1:
        raise DataError(f"{what}: the table has the splits {', '.join(table['split'].unique())}; give the rows of one")
    if "data" not in table:
        return [("", table)]
    return [(name, table[table["data"] == name]) for name in table["data"].unique()]


def _family(reduce: str) -> str:
    return reduce if reduce in _FAMILIES else ""


def _counted(name: str, rows: pd.DataFrame, *, between: str = ", ") -> str:
    text = f"n = {span(rows['examples'])} rationales{between}{span(rows['pieces'])} pieces"
    return f"{name}\n{text}" if name else text


@drawn
def sweep_curves(table: pd.DataFrame, measure: str = "f1") -> Figure:
    """Precision, recall or F1 of AS over beta: a :func:`ases.detection.detection_table` of one split; bands are 95 %.

    A row of panels a data set; on the left scores that sum over tokens, in the middle those that average, on the right
    the others. Solid: pieces scored given the question; dashed: given the prefix too. Controls, which have no beta, are
    grey lines across.
    """
    data = ["data"] if "data" in table else []
    check("sweep_curves", table, (), keys=("split", *data, *NAMES, "beta"))
    ends = (measure, f"{measure}_low", f"{measure}_high")
    check("sweep_curves", table, (*ends, "examples", "pieces", "seeds"))
    panels = _panels("sweep_curves", table)
    scored = table[table["beta"].notna()]
    check("sweep_curves (rows with a beta)", scored, (), (measure,))
    families = [one for one in _FAMILIES if (scored["reduce"].map(_family) == one).any()]
    names, known = _names(scored), list(dict.fromkeys(table["strategy"]))
    size = (PAGE, 0.95 + 1.95 * len(panels)) if len(families) > 1 else (COLUMN, 1.25 + 1.95 * len(panels))
    figure, axes = plt.subplots(len(panels), len(families), figsize=size, sharex=True, sharey=True, squeeze=False)
    shown: dict[str, object] = {}
    for place, (line, (name, rows)) in enumerate(zip(axes, panels, strict=True)):
        for ax, family in zip(line, families, strict=True):
            for series in (one for one in names if _family(one.reduce) == family):
                part = _rows_of(rows, series).sort_values("beta")
                if part.empty:
                    continue
                colour, marker = _look(series.strategy, known)
                label = str(series._replace(reduce="" if family else series.reduce))
                drawn_line = _LINES.get(series.condition or series.reduce, _LINES[""])
                ax.fill_between(part["beta"], part[ends[1]], part[ends[2]], color=colour, alpha=0.15, linewidth=0)
                (shown[label],) = ax.plot(
                    part["beta"], part[measure], color=colour, linestyle=drawn_line, marker=marker, markersize=3.2
                )
            for control in rows.loc[rows["beta"].isna(), "strategy"].unique():
                value = rows.loc[rows["strategy"] == control, measure].iloc[0]
                style = _CONTROLS.get(control, (0, (3, 3)))
                shown[control] = ax.axhline(value, color="#555555", linestyle=style, linewidth=1)
            ax.set_ylim(-0.03, 1.03)
            percent_axis(ax.yaxis)
            if place == len(panels) - 1:
                ax.set_xlabel("beta")
            if place == 0 and len(families) > 1:
                ax.set_title(_FAMILIES[family])
        named = {"f1": "F1"}.get(measure, measure)
        line[0].set_ylabel(f"{named} of AS")
        if len(families) > 1:
            _note(line[-1], _counted(name, rows, between="\n"))
        else:
            line[0].set_title(_counted(name, rows))
    seeds = span(table["seeds"])
    title = f"bands: 95 % interval over rationales{'' if seeds == '1' else f' and seeds ({seeds})'}"
    figure.legend(
        list(shown.values()), list(shown), loc="outside upper left", ncols=3 if size[0] == PAGE else 1, title=title,
        title_fontsize=8, alignment="left", columnspacing=1.2, handlelength=3.4,
    )  # fmt: skip
    return figure


def _note(ax: Axes, text: str) -> None:
    """Names a row of panels, at its right."""
    ax.text(1.04, 0.5, text, transform=ax.transAxes, rotation=-90, va="center", ha="left", multialignment="center")


@drawn
def auc_dots(table: pd.DataFrame) -> Figure:
    """ROC-AUC of each series with its 95 % interval: a :func:`ases.ranking.auc_table` of one split.

    Filled: the score over its example's mean, as the rule sees it; open: the score itself. The line at 0.5 is chance.
    """
    data = ["data"] if "data" in table else []
    numbers = ("auc", "auc_low", "auc_high", "raw", "raw_low", "raw_high", "pieces", "examples")
    check("auc_dots", table, ("split", *NAMES), numbers, keys=("split", *data, *NAMES))
    panels, known = _panels("auc_dots", table), list(dict.fromkeys(table["strategy"]))
    names = _names(table)
    size = (PAGE, 0.95 + 0.3 * len(names))
    figure, axes = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False)
    for ax, (name, rows) in zip(axes[0], panels, strict=True):
        for at, series in enumerate(names):
            part = _rows_of(rows, series)
            if part.empty:
                continue
            row, (colour, marker) = part.iloc[0], _look(series.strategy, known)
            for value, shift, face in (("auc", -0.13, colour), ("raw", 0.17, "white")):
                ax.hlines(at + shift, row[f"{value}_low"], row[f"{value}_high"], color=colour, linewidth=1.4)
                ax.plot([row[value]], [at + shift], marker, color=colour, markerfacecolor=face, markersize=5)
            if len(panels) == 1:
                value_beside(ax, at, f"{row['auc']:.3f} [{row['auc_low']:.3f}, {row['auc_high']:.3f}]")
        ax.axvline(0.5, color="#000000", linestyle=(0, (4, 3)), linewidth=0.8, zorder=1)
        ax.set(xlabel="ROC-AUC (95 % interval)", title=_counted(name, rows))
        _quiet_rows(ax)
    name_rows(axes[0][0], [str(series) for series in names])
    axes[0][0].plot([], [], "o", color="#555555", label="score / mean of its rationale")
    axes[0][0].plot([], [], "o", color="#555555", markerfacecolor="white", label="score")
    legend_above(figure, axes[0][0], "dashed line: chance", columns=2)
    return figure


def _quiet_rows(ax: Axes) -> None:
    """Rows are named at the left of the first panel; the others need neither their marks nor lines across."""
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)


@drawn
def score_distributions(table: pd.DataFrame) -> Figure:
    """Scores by gold against the threshold: columns ``series, relative, gold, beta``; a panel a series.

    ``relative`` is the score over its example's mean (:func:`ases.descriptions.relative_scores`), so that ``beta``, the
    same for all rows of a series, is the threshold of every example. A curve is the share of a label's pieces at or
    below each value: where it crosses the threshold is the share labelled ES. Axes end where 99 % of the pieces lie
    below. Without gold there is one curve.
    """
    check("score_distributions", table, ("series", "gold"), ("beta", "relative"))
    names = list(table["series"].unique())
    across = min(3, len(names))
    down = math.ceil(len(names) / across)
    size = (PAGE, 0.6 + 1.85 * down) if across > 1 else (COLUMN, 2.6)
    figure, axes = plt.subplots(down, across, figsize=size, sharey=True, squeeze=False)
    looks = {ES: ("#009e73", ":", 1.9), AS: ("#a03a78", "-", 1.5), None: ("#000000", "-", 1.4)}
    shown: dict[str, object] = {}
    for ax, name in zip(axes.flat, names, strict=False):
        rows = table[table["series"] == name]
        if rows["beta"].nunique() != 1:
            raise DataError(f"score_distributions: {name} has the betas {sorted(set(rows['beta']))}; give one a series")
        if rows["gold"].isna().any() and rows["gold"].notna().any():
            raise DataError(f"score_distributions: {name} lacks gold for some pieces; give all or none")
        beta = float(rows["beta"].iloc[0])
        low = min(0.0, float(rows["relative"].min()))
        # A piece can reach as many times the mean as its rationale has pieces: the few far ones would press the others.
        high = max(float(np.quantile(rows["relative"], 0.99)), 1.5 * beta)
        places = np.linspace(low, high, _PLACES)
        for label, part in [(None, rows)] if rows["gold"].isna().all() else rows.groupby("gold", sort=True):
            colour, style, width = looks[label]
            values = np.sort(part["relative"].to_numpy(dtype=float))
            shares = np.searchsorted(values, places, side="right") / len(values)
            called = "all pieces" if label is None else f"gold {label}"
            (shown[called],) = ax.plot(places, shares, color=colour, linestyle=style, linewidth=width)
            below = float((values <= beta).mean())
            ax.plot([beta], [below], "o", color=colour, markersize=4, clip_on=False)
        shown["threshold: beta"] = ax.axvline(beta, color="#000000", linestyle=(0, (4, 3)), linewidth=1)
        ax.set(xlim=(low, high), ylim=(0, 1.03))
        ax.set_title(f"{name}\nbeta {beta:g}, n = {len(rows):,} pieces")
        percent_axis(ax.yaxis)
    for ax in axes.flat[len(names) :]:
        ax.set_visible(False)
    for line in axes:
        line[0].set_ylabel("pieces at or below")
    for place, ax in enumerate(axes.flat[: len(names)]):
        if place + across >= len(names):
            ax.set_xlabel("score / mean of its rationale")
            ax.tick_params(labelbottom=True)
    figure.legend(list(shown.values()), list(shown), loc="outside upper left", ncols=4)
    return figure


@drawn
def kappa_map(table: pd.DataFrame) -> Figure:
    """Cohen's kappa of every two series: a :func:`ases.agreement.kappa_table` of one split; values stand in the cells.

    On the diagonal stands a series beside itself under another scorer seed, where there are several. The table tells
    intervals and n of each.
    """
    check("kappa_map", table, ("split", "first", "second", "kappa", "pieces", "examples"))
    (name, rows), *more = _panels("kappa_map", table)
    if more:
        raise DataError("kappa_map: the table has several data sets; give one a figure")
    names = list(dict.fromkeys([*rows["first"], *rows["second"]]))
    values = pd.DataFrame(math.nan, index=names, columns=names)
    for row in rows.itertuples():
        values.loc[row.first, row.second] = values.loc[row.second, row.first] = row.kappa
    grid = values.to_numpy()
    width = PAGE if len(names) > 4 else COLUMN
    figure, ax = plt.subplots(figsize=(width, 1.0 + 0.42 * len(names)))
    # Negative values are no agreement beyond chance, so they share the white of 0; the cells tell them.
    image = ax.imshow(np.ma.masked_invalid(grid), cmap=_KAPPAS, vmin=0, vmax=1, aspect="auto")
    for (down, across), value in np.ndenumerate(grid):
        text = "" if math.isnan(value) else f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")
        ax.text(across, down, text, ha="center", va="center", color="white" if value > _TOO_DARK else "black", size=7)
    numbered = [f"{place}  {label}" for place, label in enumerate(names, start=1)]
    ax.set_yticks(range(len(names)), numbered)
    ax.set_xticks(range(len(names)), [str(place) for place in range(1, len(names) + 1)])
    ax.grid(False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=ax, shrink=0.8, aspect=25, pad=0.02)
    bar.set_label("Cohen's kappa")
    ax.set_title(_counted(name, rows))
    return figure


@drawn
def errors_by_kind(table: pd.DataFrame) -> Figure:
    """How often each kind of piece is labelled wrong: an :func:`ases.agreement.errors_by_kind` of one split.

    A panel a series, a row a kind with its gold label; bars carry 95 % intervals, and n stands in the row's name.
    """
    columns = ("split", *NAMES, "kind", "gold", "wrong_low", "wrong_high")
    check("errors_by_kind", table, columns, ("wrong", "pieces"), keys=("split", *NAMES, "kind", "gold"))
    if "data" in table and table["data"].nunique() > 1:
        raise DataError("errors_by_kind: kinds differ between data sets; give one a figure")
    _panels("errors_by_kind", table)
    names = _names(table)
    kinds = table.drop_duplicates(["kind", "gold"])[["kind", "gold", "pieces"]]
    kinds = kinds.sort_values(["gold", "pieces"], ascending=[False, False], kind="stable")
    across = min(4, len(names))
    down = math.ceil(len(names) / across)
    size = (PAGE, 0.95 + down * (0.6 + 0.2 * len(kinds)))
    figure, axes = plt.subplots(down, across, figsize=size, sharex=True, sharey=True, squeeze=False)
    looks = {ES: ("#bfe3d6", "..."), AS: ("#d9a9c6", "///")}
    for ax, series in zip(axes.flat, names, strict=False):
        part = _rows_of(table, series).set_index(["kind", "gold"])
        for at, row in enumerate(kinds.itertuples()):
            if (row.kind, row.gold) not in part.index:
                continue
            told, (colour, hatch) = part.loc[(row.kind, row.gold)], looks[row.gold]
            ax.barh(at, told["wrong"], color=colour, hatch=hatch, edgecolor="#555555", linewidth=0.6, height=0.66)
            ax.hlines(at, told["wrong_low"], told["wrong_high"], color="#000000", linewidth=1.2)
        ax.set(xlim=(0, 1.0))
        ax.set_title("\n".join((series.strategy, ", ".join(part for part in series[1:] if part))))
        _quiet_rows(ax)
        percent_axis(ax.xaxis)
        ax.set_xticks([0, 0.5, 1])
    for ax in axes.flat[len(names) :]:
        ax.set_visible(False)
    for label in (one for one in looks if (kinds["gold"] == one).any()):
        colour, hatch = looks[label]
        axes[0][0].bar([0], [0], color=colour, hatch=hatch, edgecolor="#555555", linewidth=0.6, label=f"gold {label}")
    legend_above(figure, axes[0][0], "n: pieces; black lines: 95 % interval over rationales", columns=2)
    for place, ax in enumerate(axes.flat[: len(names)]):
        if place + across >= len(names):
            ax.set_xlabel("labelled wrong")
            ax.tick_params(labelbottom=True)
    name_rows(axes[0][0], [f"{row.kind} ({row.gold}), n = {row.pieces:,}" for row in kinds.itertuples()])
    return figure
