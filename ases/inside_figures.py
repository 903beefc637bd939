"""Figures of why, from inside the models: gradients, information, attention, the encoder's view, and the detector.

>>> figures.save(pulls(table), table, run.figure_folder, "pulls")                 # doctest: +SKIP

Each draws a table of the module named in its docstring; the look is that of :mod:`ases.figures`. Intervals are 95 %.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ases.attention import END, QUESTION
from ases.attention import SOURCES as READ
from ases.efficiency_figures import arm_looks
from ases.examples import AS, ES
from ases.grid_figures import arm_label, folded
from ases.information import GOLD, RIGHT, SOURCES, WRONG
from ases.looks import PAGE, check, drawn, in_order, legend_above, name_rows, percent_axis, power_axes, span
from ases.why_figures import LABEL_LOOKS, arms_of, counted, interval_at, panels

_SOURCES = {GOLD: ("#000000", "o", "-"), RIGHT: ("#0072b2", "s", "--"), WRONG: ("#d55e00", "X", ":")}
_LAYERS = 3
"""So many layers are drawn, from the first to the last; the table has all."""


@drawn
def pulls(table: pd.DataFrame) -> Figure:
    """The cosine of AS and ES gradients along training, a panel an arm and model: the rows of the whole model
    of :func:`ases.interference.along_training` with ``arm, seed``. Several seeds: each its own line.
    """
    check(
        "pulls",
        table,
        ("low", "high"),
        ("share", "cosine", "questions"),
        keys=("arm", "seed", "model", "share", "part"),
    )
    whole = table[table["part"] == "all"]
    groups = list(whole.groupby(["arm", "model"], sort=False))
    columns = min(3, len(groups))
    rows = -(-len(groups) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(PAGE, 0.8 + 1.7 * rows), sharex=True, sharey=True, squeeze=False
    )
    for ax, ((arm, model), part) in zip(axes.flat, groups, strict=False):
        for number, (_, run) in enumerate(part.sort_values("share").groupby("seed")):
            names = ("AS and ES tokens", "the same tokens parted at random") if number == 0 else ("_", "_")
            ax.fill_between(run["share"], run["low"], run["high"], color="#0072b2", alpha=0.15, linewidth=0)
            ax.plot(run["share"], run["cosine"], "-o", color="#0072b2", markersize=4, label=names[0])
            ax.plot(run["share"], run["control"], "--v", color="#7f7f7f", markersize=3.5, linewidth=1, label=names[1])
        ax.axhline(0, color="#000000", linewidth=0.8, zorder=1)
        ax.set_title(folded(arm_label(arm) + ("" if model == "model" else f" ({model.upper()})"), 34))
        ax.set_xlim(0, 1.05)
        percent_axis(ax.xaxis)
    panels(axes, len(groups), "share of the budget")
    for ax in axes[:, 0]:
        ax.set_ylabel("cosine of gradients")
    title = f"n = {span(whole['questions'])} questions in {span(whole['batches'])} batches"
    legend_above(figure, axes[0][0], f"{title}, seeds: {whole['seed'].nunique()}; bands: 95 % interval", columns=2)
    return figure


@drawn
def tokens_read(table: pd.DataFrame) -> Figure:
    """Target tokens that each model of an arm has seen: an :func:`ases.interference.reading_table`."""
    check("tokens_read", table, ("model",), ("target_tokens",), keys=("arm", "model"))
    arms = arms_of(table)
    looks = {
        "model": ("one model", "#b0b0b0", ""),
        "esm": ("ESM", LABEL_LOOKS[ES][0], "..."),
        "asm": ("ASM", LABEL_LOOKS[AS][0], "///"),
    }
    figure, ax = plt.subplots(figsize=(PAGE, 1.1 + 0.3 * len(arms)))
    start = dict.fromkeys(arms, 0.0)
    for model in in_order(table["model"], looks):
        label, colour, hatch = looks[model]
        for row in table[table["model"] == model].to_dict("records"):
            at, look = arms.index(row["arm"]), {"color": colour, "hatch": hatch, "edgecolor": "#333333", "height": 0.65}
            ax.barh(at, row["target_tokens"], left=start[row["arm"]], label=label, linewidth=0.6, **look)
            start[row["arm"]] += row["target_tokens"]
            label = "_"
    epochs = table.groupby("arm")["epochs"].mean()
    for at, arm in enumerate(arms):
        ax.text(1.02, at, f"{epochs[arm]:.1f} epochs", transform=ax.get_yaxis_transform(), va="center")
    name_rows(ax, [folded(arm_label(arm)) for arm in arms])
    power_axes("target tokens seen", ax)
    legend_above(figure, ax, f"mean of seeds: {span(table['seeds'])}", columns=3)
    return figure


@drawn
def information(table: pd.DataFrame) -> Figure:
    """What each piece adds to the answer's log-probability: an :func:`ases.information.information_table`."""
    check("information", table, ("low", "high"), ("gain", "n"), keys=("source", "place"))
    places = list(dict.fromkeys(sorted(table["place"], key=lambda place: (place == "last", place))))
    figure, ax = plt.subplots(figsize=(PAGE, 2.9))
    for number, source in enumerate(in_order(table["source"], SOURCES)):
        colour, marker, line = _SOURCES[source]
        rows = table[table["source"] == source]
        at = rows["place"].map(places.index) + 0.12 * (number - 1)
        named = f"{source}, n = {rows.loc[rows['place'] == '1', 'n'].sum():,}"
        ax.vlines(at, rows["low"], rows["high"], color=colour, linewidth=1.2)
        apart = (rows["place"] == "last").to_numpy()  # counted in its own place too, so no line leads to it
        ax.plot(at[~apart], rows.loc[~apart, "gain"], line, color=colour, marker=marker, linewidth=0.9, label=named)
        ax.plot(at[apart], rows.loc[apart, "gain"], linestyle="none", color=colour, marker=marker)
    ax.axhline(0, color="#000000", linewidth=0.8, zorder=1)
    ax.set_xticks(range(len(places)), places)
    ax.grid(False, axis="x")
    ax.set(xlabel="piece of the chain", ylabel="gain (nats a piece, 95 % interval)")
    legend_above(figure, ax, "log-probability of the right answer; all arms together", columns=3)
    return figure


@drawn
def attention(table: pd.DataFrame) -> Figure:
    """Where the next segment looks: an :func:`ases.attention.attention_table`, its rows of the decoder.

    A row of panels a label of the next segment, a column a layer; grey bars are what even attention would give.
    """
    check("attention", table, ("low", "high"), ("mass", "share", "n"), keys=("arm", "side", "layer", "label", "source"))
    part = table[(table["side"] == "decoder") & (table["source"] != END)]
    layers = sorted(part["layer"].unique())
    layers = [layers[place] for place in sorted({*np.linspace(0, len(layers) - 1, _LAYERS).round().astype(int)})]
    labels, sources, looks = in_order(part["label"], (ES, AS)), in_order(part["source"], READ), arm_looks(part["arm"])
    figure, axes = plt.subplots(
        len(labels), len(layers), figsize=(PAGE, 1.1 + 1.9 * len(labels)), sharex=True, sharey=True, squeeze=False
    )
    for line, label in zip(axes, labels, strict=True):
        for ax, layer in zip(line, layers, strict=True):
            rows = part[(part["label"] == label) & (part["layer"] == layer)]
            even = rows.groupby("source")["share"].mean()
            ax.bar(range(len(sources)), even.reindex(sources), color="#dddddd", width=0.8, label="share of the tokens")
            for number, (arm, look) in enumerate(looks.items()):
                own = rows[rows["arm"] == arm]
                at = own["source"].map(sources.index) + 0.6 * ((number + 0.5) / len(looks) - 0.5)
                ax.vlines(at, own["low"], own["high"], color=look.colour, linewidth=1.2)
                ax.plot(
                    at,
                    own["mass"],
                    linestyle="none",
                    marker=look.marker,
                    color=look.colour,
                    markersize=4,
                    label=arm_label(arm),
                )
            ax.set_title(f"{label} segment comes next, layer {layer}")
            ax.set_xticks(range(len(sources)), [folded(source, 10) for source in sources])
            ax.grid(False, axis="x")
            percent_axis(ax.yaxis)
        line[0].set_ylabel("attention (95 % interval)")
    for ax in axes[-1]:
        ax.set_xlabel("what the decoder can look at")
    legend_above(figure, axes[0][0], f"cross-attention from the next segment; {counted(part)}", columns=2)
    return figure


@drawn
def worth(table: pd.DataFrame) -> Figure:
    """What reading a source is worth to the next segment: an :func:`ases.attention.reading_again` table."""
    check("worth", table, ("low", "high"), ("rise", "n"), keys=("arm", "label", "hidden"))
    arms, hidden = arms_of(table), list(dict.fromkeys(table["hidden"]))
    figure, axes = plt.subplots(1, len(hidden), figsize=(PAGE, 1.1 + 0.42 * len(arms)), sharey=True, squeeze=False)
    for ax, what in zip(axes[0], hidden, strict=True):
        for label, (colour, marker) in LABEL_LOOKS.items():
            for row in table[(table["hidden"] == what) & (table["label"] == label)].to_dict("records"):
                at = arms.index(row["arm"]) + (-0.15 if label == ES else 0.15)
                interval_at(ax, at, pd.Series(row), "rise", color=colour, marker=marker)
            ax.plot([], [], marker, color=colour, label=f"{label} segments")
        ax.axvline(0, color="#000000", linewidth=0.8, zorder=1)
        ax.grid(False, axis="y")
        ax.set(xlabel="rise of the loss (nats a token)", title=f"without {'the ' if what == QUESTION else ''}{what}")
    name_rows(axes[0][0], [folded(arm_label(arm)) for arm in arms])
    legend_above(figure, axes[0][0], f"{counted(table)}; 95 % interval", columns=2)
    return figure


@drawn
def separations(table: pd.DataFrame) -> Figure:
    """How far apart the encoder holds AS and ES segments: :func:`ases.segment_states.separation` with ``arm, seed``."""
    check(
        "separations",
        table,
        ("low", "high"),
        ("layer", "auc", "shuffled", "silhouette", "n"),
        keys=("arm", "seed", "layer"),
    )
    figure, (apart, grouped) = plt.subplots(1, 2, figsize=(PAGE, 3.0))
    looks = arm_looks(table["arm"])
    for number, (arm, look) in enumerate(looks.items()):
        rows = table[table["arm"] == arm].groupby("layer")[["auc", "low", "high", "silhouette"]].mean().reset_index()
        at = rows["layer"] + 0.08 * (number - (len(looks) - 1) / 2)
        marks = {"color": look.colour, "marker": look.marker, "markersize": 4, "linewidth": 1}
        apart.vlines(at, rows["low"], rows["high"], color=look.colour, linewidth=1)
        apart.plot(at, rows["auc"], look.line, label=arm_label(arm), **marks)
        grouped.plot(at, rows["silhouette"], look.line, **marks)
    chance = table.groupby("layer")["shuffled"].mean()
    apart.plot(chance.index, chance, ":", color="#7f7f7f", linewidth=1, label="labels shuffled")
    apart.set(ylabel="AUC of prototypes (95 % interval)", ylim=(0.35, 1.02), title="AS or ES, by the nearer prototype")
    grouped.set(ylabel="silhouette", title="do the labels form groups?")
    grouped.axhline(0, color="#000000", linewidth=0.8, zorder=1)
    for ax in (apart, grouped):
        layers = sorted(table["layer"].unique())
        ax.set_xticks(layers, ["embed-\ndings" if layer == 0 else str(layer) for layer in layers])
        ax.set_xlabel("encoder layer")
    legend_above(
        figure,
        apart,
        f"n = {span(table['n'])} pieces of {span(table['questions'])} questions, seeds: {table['seed'].nunique()}",
        columns=2,
    )
    return figure


@drawn
def detector(table: pd.DataFrame) -> Figure:
    """What entropy knows of AS beyond length: an :func:`ases.length_control.detector_table`."""
    check(
        "detector",
        table,
        ("given_low", "given_high"),
        ("auc", "length_auc", "with_gold", "given_length", "pieces"),
        keys=("condition", "reduce"),
    )
    figure, (ranks, partial) = plt.subplots(1, 2, figsize=(PAGE, 1.3 + 0.36 * len(table)), sharey=True)
    for at, row in enumerate(table.to_dict("records")):
        ranks.plot(row["auc"], at, "o", color="#0072b2", label="entropy" if at == 0 else "_")
        ranks.plot(row["length_auc"], at, "v", color="#7f7f7f", label="length alone" if at == 0 else "_")
        partial.plot(row["with_gold"], at, "o", color="#0072b2", markerfacecolor="white", label="_")
        interval_at(
            partial, at, pd.Series(row), "given_length", ("given_low", "given_high"), color="#d55e00", marker="D"
        )
    open_blue = {"color": "#0072b2", "markerfacecolor": "white"}
    ranks.plot([], [], "o", label="correlation with gold as it is", **open_blue)
    ranks.plot([], [], "D", color="#d55e00", label="with length held fixed (95 % interval)")
    ranks.axvline(0.5, color="#000000", linestyle=(0, (4, 3)), linewidth=0.8)
    partial.axvline(0, color="#000000", linewidth=0.8)
    name_rows(ranks, [f"{row['reduce']} over tokens, given {row['condition']}" for row in table.to_dict("records")])
    partial.grid(False, axis="y")
    ranks.set(xlabel="AUC of AS (dashed: chance)", xlim=(0, 1))
    partial.set(xlabel="rank correlation with gold", xlim=(-1, 1))
    title = (
        f"n = {span(table['pieces'])} pieces of {span(table['examples'])} rationales, scorers: {span(table['seeds'])}"
    )
    legend_above(figure, ranks, title, columns=2)
    return figure
