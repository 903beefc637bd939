"""Figures: what is drawn is what the table says, looks are one a method, and equal tables give equal bytes."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from ases import chain_figures, figures
from ases.errors import DataError
from ases.figures import coloured
from ases.generation import REASONS
from ases.looks import LOOKS
from ases.settings import METHODS
from ases.steps import KINDS, NONE

MIXED = METHODS[::-1]  # the tables' order must not matter
ACCURACY = dict(zip(METHODS, (0.1, 0.48, 0.73, 0.63, 0.58, 0.57), strict=True))


def summary() -> pd.DataFrame:
    rows = [{"method": m, "accuracy": a, "low": a - 0.03, "high": a + 0.02} for m, a in ACCURACY.items()]
    return pd.DataFrame(rows).assign(n=1000, seeds=1).iloc[::-1]


def comparisons() -> pd.DataFrame:
    p_values = dict(zip(METHODS, (1e-6, 1.0, 1e-6, 0.049, 0.05, 0.3), strict=True))
    rows = [
        {"method": m, "difference": a - 0.48, "low": a - 0.52, "high": a - 0.45, "p_holm": p_values[m], "n": 1000}
        for m, a in ACCURACY.items()
        if m != "seq2seq"
    ]
    return pd.DataFrame(rows)


def points(seeds: int = 1) -> pd.DataFrame:
    rows = [
        {"method": m, "seed": s, "flops": 3e12 * k + s, "accuracy": ACCURACY[m] * k / 3 + 0.01 * s}
        for m in MIXED
        for s in range(seeds)
        for k in (3, 1, 2)
    ]
    table = pd.DataFrame(rows).assign(target_tokens=lambda t: t["flops"] / 1e6)
    return table.assign(low=lambda t: t["accuracy"] - 0.02, high=lambda t: t["accuracy"] + 0.03, n=256)


def by_steps() -> pd.DataFrame:
    rows = [{"method": m, "steps": k, "accuracy": ACCURACY[m] / k, "n": 100 * k} for m in MIXED for k in (4, 1, 2)]
    return pd.DataFrame(rows).assign(low=lambda t: t["accuracy"] - 0.02, high=lambda t: t["accuracy"] + 0.03)


def reasons() -> pd.DataFrame:
    shares = {"length": 0.05, "end": 0.8, "stalled": 0.15}
    rows = [{"method": m, "reason": r, "share": s} for m in MIXED for r, s in shares.items()]
    rows = [row for row in rows if row["method"] != "seq2seq"]
    return pd.DataFrame([*rows, {"method": "seq2seq", "reason": "end", "share": 1.0}])


def log() -> pd.DataFrame:
    rows = [{"model": m, "flops": 1e12 * k * w, "loss": w / k} for m, w in (("asm", 1), ("esm", 2)) for k in (1, 2, 3)]
    table = pd.DataFrame(rows)
    of = {"loss_as": "asm", "loss_es": "esm"}  # each model of a dual-path has tokens of one label only
    return table.assign(**{name: 2 * table["loss"].where(table["model"] == model) for name, model in of.items()})


def sweep() -> pd.DataFrame:
    table = pd.DataFrame({"beta": [2.0, 1.0, 1.4], "as_share": [0.1, 0.5, 0.3], "degenerate_share": [0.2, 0.0, 0.1]})
    gold = {"precision": [0.8, 0.5, 0.7], "recall": [0.2, 0.9, 0.6], "f1": [0.3, 0.6, 0.65]}
    bounds = {f"{name}_{end}": np.add(v, d) for name, v in gold.items() for end, d in (("low", -0.1), ("high", 0.1))}
    return table.assign(**gold, **bounds)


def of_reports(table: pd.DataFrame) -> pd.DataFrame:
    """The same table for data without answers."""
    if "difference" in table:
        return table.assign(measure="rouge_l")
    return table.rename(columns={"accuracy": "rouge_l"})


def lengths() -> pd.DataFrame:
    rows = [
        {"split": split, "measure": measure, "value": value}
        for measure in ("question, characters", "pieces a rationale")
        for split, values in (("test", (3, 1)), ("train", (4, 2, 6, 2)))
        for value in values
    ]
    return pd.DataFrame(rows)


def relative() -> pd.DataFrame:
    return pd.DataFrame({"relative": [0.2, 0.6, 1.3, 1.0, 2.4, 1.5], "gold": ["ES"] * 3 + ["AS"] * 3})


FIGURES: dict[str, tuple[tuple[Any, ...], str]] = {
    "lengths": ((lengths(),), "split measure value"),
    "scores_by_label": ((relative(), 1.2), "relative"),
    "beta_sweep": ((sweep(), 1.4), "beta as_share degenerate_share"),
    "training_curve": ((log(), points().query("method == 'dual-path'"), "gold"), "model flops loss loss_as loss_es"),
    "curves": ((points(),), "method seed flops target_tokens accuracy low high n"),
    "accuracy": ((summary(),), "method accuracy low high n seeds"),
    "differences": ((comparisons(), "seq2seq"), "method difference low high p_holm"),
    "accuracy_by_steps": ((by_steps(),), "method steps accuracy low high n"),
    "end_reasons": ((reasons(),), "method reason share"),
}


def step_rows(seeds: int = 1) -> pd.DataFrame:
    rows = [
        {"method": m, "seed": s, "step": k, "n": 40 // k, "n_after_right": 30 // k}
        | {"arithmetic": 1 - k / 10, "right": a / k}
        for m, a in ACCURACY.items()
        for s in range(seeds)
        for k in (1, 2, 3)
        if m != "answer-only" or k == 1
    ]
    table = pd.DataFrame(rows)
    bounds = {f"{n}_{e}": table[n] + d for n in ("arithmetic", "right") for e, d in (("low", -0.05), ("high", 0.04))}
    table = table.assign(**bounds)
    last = (table["method"] == "dual-path") & (table["step"] == 3)  # no chain is right so far
    table.loc[last, ["right", "right_low", "right_high"]], table.loc[last, "n_after_right"] = np.nan, 0
    return table


def errors(seeds: int = 1) -> pd.DataFrame:
    shares = {"arithmetic": 0.5, "missing": 0.2, "none": 0.3}
    runs = [(m, s) for m in MIXED for s in range(seeds)]
    rows = [{"method": m, "seed": s, "kind": k, "share": v, "n": 48} for m, s in runs for k, v in shares.items()]
    return pd.DataFrame(rows)


FIGURES |= {
    "steps": ((step_rows(),), "method step n arithmetic n_after_right right"),
    "first_errors": ((errors(),), "method kind share"),
}


def drawn(name: str) -> Figure:
    return getattr(figures, name)(*FIGURES[name][0])


def line(figure: Figure, label: str, axes: int = 0) -> np.ndarray:
    """The points of the line with this label in the legend, shape (points, 2)."""
    (found,) = (one for one in figure.axes[axes].lines if one.get_label() == label)
    return found.get_xydata()


def segments(figure: Figure, axes: int = 0) -> list[np.ndarray]:
    """Both ends of each interval, in the order drawn."""
    return [s for c in figure.axes[axes].collections if isinstance(c, LineCollection) for s in c.get_segments()]


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


# Every figure ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIGURES)
def test_missing_columns_are_named(name: str) -> None:
    (table, *rest), columns = FIGURES[name]
    for column in columns.split():
        with pytest.raises(DataError, match=rf"{name}.* lacks {column};"):
            getattr(figures, name)(table.drop(columns=column), *rest)
    with pytest.raises(DataError, match=rf"{name}.* no rows"):
        getattr(figures, name)(table.iloc[:0], *rest)
    assert not plt.get_fignums()  # a refused table leaves no figure open


def test_points_of_the_training_curve_are_checked_too() -> None:
    for column in ("flops", "target_tokens", "accuracy", "low", "high", "n"):
        with pytest.raises(DataError, match=rf"points.* lacks {column};"):
            figures.training_curve(log(), points().drop(columns=column), "gold")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_changes_no_table_nor_the_users_style(name: str) -> None:
    tables = [one.copy() for one in FIGURES[name][0] if isinstance(one, pd.DataFrame)]
    before = dict(plt.rcParams)
    assert drawn(name).get_size_inches()[0] in (3.4, 7.0)
    assert dict(plt.rcParams) == before
    after = [one for one in FIGURES[name][0] if isinstance(one, pd.DataFrame)]
    for one, other in zip(tables, after, strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_cut_off_and_no_legend_covers_data(name: str) -> None:
    figure = drawn(name)
    whole, used = figure.bbox_inches, figure.get_tightbbox()
    assert whole.x0 <= used.x0 and used.x1 <= whole.x1 and whole.y0 <= used.y0 and used.y1 <= whole.y1
    for legend in figure.legends:
        for ax in figure.axes:
            assert not legend.get_window_extent().overlaps(ax.get_tightbbox())


def test_a_method_looks_the_same_in_every_figure() -> None:
    assert tuple(LOOKS) == METHODS
    assert len({look.colour for look in LOOKS.values()}) == len({look.marker for look in LOOKS.values()}) == 6
    for name in ("curves", "accuracy_by_steps"):
        labelled = [one for one in drawn(name).axes[0].lines if not one.get_label().startswith("_")]
        assert [one.get_label() for one in labelled] == [look.label for look in LOOKS.values()]
        for one, look in zip(labelled, LOOKS.values(), strict=True):
            assert (to_hex(one.get_color()), one.get_marker(), one.get_linestyle()) == (
                look.colour,
                look.marker,
                look.line,
            )
    for name, methods in (("accuracy", METHODS), ("differences", [m for m in METHODS if m != "seq2seq"])):
        dots = [one for one in drawn(name).axes[0].lines if len(one.get_xdata()) == 1]
        shown = [(to_hex(one.get_color()), one.get_marker()) for one in dots]
        assert shown == [(LOOKS[m].colour, LOOKS[m].marker) for m in methods]


def test_an_unknown_method_or_a_doubled_one_is_refused() -> None:
    table = summary()
    with pytest.raises(DataError, match="unknown method in accuracy tri-path"):
        figures.accuracy(table.replace({"method": {"seq2seq": "tri-path"}}))
    with pytest.raises(DataError, match="seq2seq is in two rows"):
        figures.accuracy(table.replace({"method": {"uni-path": "seq2seq"}}))
    with pytest.raises(DataError, match="accuracy is NaN in 6 of 6 rows"):
        figures.accuracy(table.assign(accuracy=np.nan))


@pytest.mark.parametrize("name", ["curves", "scores_by_label", "end_reasons"])
def test_saving_twice_gives_the_same_bytes_and_the_table(name: str, tmp_path: Path) -> None:
    table = FIGURES[name][0][0]
    first = drawn(name)
    figures.save(first, table, tmp_path / "new" / "a", "f")
    figures.save(first, table, tmp_path / "again", "f")
    with plt.style.context("dark_background"):  # another user's style changes nothing
        figures.save(drawn(name), table, tmp_path / "b", "f")
    files = sorted(path.name for path in (tmp_path / "new" / "a").iterdir())
    assert files == ["f.csv", "f.png", "f.svg"]
    for file in files:
        content = (tmp_path / "new" / "a" / file).read_bytes()
        assert content == (tmp_path / "again" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    read = pd.read_csv(tmp_path / "b" / "f.csv")
    pd.testing.assert_frame_equal(read, table.reset_index(drop=True), rtol=1e-5, check_dtype=False)
    svg = (tmp_path / "b" / "f.svg").read_text()
    assert "<dc:date>" not in svg and b"Software" not in (tmp_path / "b" / "f.png").read_bytes()


def test_six_digits_in_the_csv_and_no_file_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = summary().assign(accuracy=1 / 3)
    figure = figures.accuracy(table)
    figures.save(figure, table, tmp_path, "a")
    assert "dual-path-merged,0.333333,0.54,0.59,1000,1\n" in (tmp_path / "a.csv").read_text()
    before = (tmp_path / "a.svg").read_bytes()

    def broken(path: Path, format: str, **_: Any) -> None:
        Path(path).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", broken)
    with pytest.raises(OSError, match="disk full"):
        figures.save(figure, table, tmp_path, "a")
    assert (tmp_path / "a.svg").read_bytes() == before and (tmp_path / "a.png").read_bytes() != b"half"
    with pytest.raises(DataError, match="save: the table has no rows"):
        figures.save(figure, table.iloc[:0], tmp_path, "a")


# What each shows ------------------------------------------------------------------------------------------------


def test_accuracy_draws_the_table() -> None:
    figure = drawn("accuracy")
    ax, table = figure.axes[0], summary().set_index("method").loc[list(METHODS)]
    dots = np.concatenate([one.get_xydata() for one in ax.lines if len(one.get_xdata()) == 1])
    assert dots[:, 0] == pytest.approx(table["accuracy"]) and list(dots[:, 1]) == list(range(6))
    for at, (segment, (_, row)) in enumerate(zip(segments(figure), table.iterrows(), strict=True)):
        assert segment == pytest.approx(np.array([[row["low"], at], [row["high"], at]]))
    assert [one.get_text() for one in ax.get_yticklabels()] == [look.label for look in LOOKS.values()]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first method at the top
    (reference,) = (one for one in ax.lines if len(one.get_xdata()) == 2)
    assert list(reference.get_xdata()) == [0.48, 0.48]
    assert "73.0 % [70.0, 75.0]" in words(figure) and "n = 1,000 questions, 1 seed;" in words(figure)
    assert "95 % interval" in ax.get_xlabel()
    without = figures.accuracy(summary().query("method != 'seq2seq'").assign(seeds=3))
    assert not [one for one in without.axes[0].lines if len(one.get_xdata()) == 2]
    assert "3 seeds" in words(without) and "seq2seq" not in words(without)
    nothing = figures.accuracy(summary().assign(accuracy=0.0, low=0.0, high=0.0))
    assert nothing.axes[0].get_xlim() == (-0.02, 1)  # no axis of negative accuracies


def test_an_interval_that_is_not_known_is_left_out() -> None:
    unknown = {"low": np.nan, "high": np.nan}
    figure = figures.accuracy(summary().assign(**unknown))
    assert "73.0 %" in words(figure) and "nan" not in words(figure)
    figure = figures.differences(comparisons().assign(**unknown), "seq2seq")
    assert "+25.0, p < 0.001" in words(figure) and "nan" not in words(figure)
    assert line(figures.curves(points().assign(**unknown)), "uni-path").shape == (3, 2)


def test_differences_fill_the_marker_where_p_is_below_five_per_cent() -> None:
    figure = drawn("differences")
    ax, table = figure.axes[0], comparisons()
    dots = [one for one in ax.lines if len(one.get_xdata()) == 1]
    assert [one.get_xdata()[0] for one in dots] == pytest.approx(table["difference"].tolist())
    open_markers = [to_hex(one.get_markerfacecolor()) == "#ffffff" for one in dots]
    assert open_markers == [False, False, False, True, True]  # 0.05 itself is not below 0.05
    assert [segment[:, 0].tolist() for segment in segments(figure)] == [
        pytest.approx([row.low, row.high]) for row in table.itertuples()
    ]
    text = words(figure)
    for part in ("p < 0.05 (Holm)", "p ≥ 0.05 (Holm)", "+25.0 [+21.0, +28.0], p < 0.001", "−38.0 [−42.0, −35.0]"):
        assert part in text
    assert "p = 0.049" in text and "accuracy minus seq2seq (percentage points, 95 % interval)" in text
    ticks = {float(t.get_loc()): t.label1.get_text() for t in ax.xaxis.get_major_ticks()}
    for at, shown in ticks.items():
        assert float(shown.replace("−", "-")) == pytest.approx(100 * at)


def test_curves_of_one_seed_have_bands_and_of_several_a_mean() -> None:
    figure = drawn("curves")
    table = points().query("method == 'uni-path'").sort_values("flops")
    for axes, along in enumerate(("flops", "target_tokens")):
        assert line(figure, "uni-path", axes) == pytest.approx(table[[along, "accuracy"]].to_numpy())
        assert len(figure.axes[axes].collections) == 6
    assert [ax.get_xlabel() for ax in figure.axes] == ["training FLOPs ($10^{12}$)", "target tokens ($10^{6}$)"]
    assert "n = 256 questions; bands: 95 % interval" in words(figure)
    band = figure.axes[0].collections[METHODS.index("uni-path")].get_paths()[0].vertices
    assert {round(y, 6) for y in band[:, 1]} == {round(y, 6) for y in (*table["low"], *table["high"])}

    figure = figures.curves(points(seeds=3))
    mean = line(figure, "uni-path")
    assert mean == pytest.approx(np.array([[3e12 * k + 1, 0.73 * k / 3 + 0.01] for k in (1, 2, 3)]))
    assert line(figure, "uni-path", 1)[:, 0] == pytest.approx([(3e12 * k + 1) / 1e6 for k in (1, 2, 3)])
    assert len(figure.axes[0].lines) == 6 * 4 and not figure.axes[0].collections
    assert "mean of 3 seeds" in words(figure) and "bands" not in words(figure)

    last = points().query("flops == 9e12")
    assert [one[:, 1].tolist() for one in segments(figures.curves(last))] == [
        pytest.approx(last.loc[last["method"] == m, ["low", "high"]].iloc[0].tolist()) for m in METHODS
    ]
    with pytest.raises(DataError, match="seeds of uni-path have 3, 2 points"):
        uneven = points(seeds=2)
        figures.curves(uneven.drop(uneven.query("method == 'uni-path' and seed == 1").index[0]))


def test_training_curve_draws_losses_and_accuracy_in_one_unit() -> None:
    figure = drawn("training_curve")
    assert line(figure, "ESM") == pytest.approx(np.array([[2e12, 2], [4e12, 1], [6e12, 2 / 3]]))
    assert line(figure, "ASM") == pytest.approx(np.array([[1e12, 1], [2e12, 0.5], [3e12, 1 / 3]]))
    assert line(figure, "ES tokens, ESM", 1) == pytest.approx(np.array([[2e12, 4], [4e12, 2], [6e12, 4 / 3]]))
    assert line(figure, "AS tokens, ASM", 1) == pytest.approx(np.array([[1e12, 2], [2e12, 1], [3e12, 2 / 3]]))
    table = points().query("method == 'dual-path'").sort_values("flops")
    for axes, column in ((2, "flops"), (3, "target_tokens")):
        (curve,) = figure.axes[axes].lines
        assert curve.get_xydata() == pytest.approx(table[[column, "accuracy"]].to_numpy())
        assert [segment[:, 1].tolist() for segment in segments(figure, axes)] == [
            pytest.approx([row.low, row.high]) for row in table.itertuples()
        ]
    labels = {"training FLOPs ($10^{12}$)", "target tokens ($10^{6}$)"}
    assert {ax.get_xlabel() for ax in figure.axes} == labels and figure.axes[3].get_xlabel().startswith("target")
    ticks = figure.axes[2].xaxis.get_major_ticks()
    shown = [float(tick.label1.get_text()) * 1e12 for tick in ticks]
    assert shown == pytest.approx([tick.get_loc() for tick in ticks])
    assert "nats a token" in words(figure) and "95 % interval" in words(figure) and "label (gold)" in words(figure)


def test_beta_sweep_draws_what_is_there() -> None:
    figure, table = drawn("beta_sweep"), sweep().sort_values("beta")
    names = {"as_share": "pieces labelled AS", "degenerate_share": "chains of one label"}
    names |= {"precision": "precision of AS", "recall": "recall of AS", "f1": "F1 of AS"}
    for column, label in names.items():
        assert line(figure, label) == pytest.approx(table[["beta", column]].to_numpy())
    assert set(line(figure, "chosen beta = 1.4")[:, 0]) == {1.4}
    assert len(figure.axes[0].collections) == 3 and "95 % interval" in words(figure)
    for real in (table[["beta", *list(names)[:2]]], table.assign(precision=None, recall=None, f1=None)):
        figure = figures.beta_sweep(real, 1.4)
        assert len(figure.axes[0].lines) == 3 and "95 %" not in words(figure) and "precision" not in words(figure)


def test_scores_show_each_label_against_beta() -> None:
    figure = drawn("scores_by_label")
    patches = figure.axes[0].patches
    for patch, values in zip(patches, ([0.2, 0.6, 1.3], [1.0, 2.4, 1.5]), strict=True):
        shares, edges, _ = patch.get_data()
        assert sum(shares) == pytest.approx(1)
        for value in values:
            assert shares[np.searchsorted(edges, min(value, edges[-1] - 1e-9), side="right") - 1] == pytest.approx(
                1 / 3
            )
    assert patches[0].get_hatch() != patches[1].get_hatch()
    assert "gold ES, n = 3 (33 % above)" in words(figure) and "gold AS, n = 3 (67 % above)" in words(figure)
    assert set(line(figure, "chosen beta = 1.2")[:, 0]) == {1.2}


def test_scores_without_gold_and_without_mean() -> None:
    values = [0.2, 0.6, 1.3, 1.0, 900.0, np.nan]
    for table in (pd.DataFrame({"relative": values}), pd.DataFrame({"relative": values, "gold": None})):
        figure = figures.scores_by_label(table, 1.2)
        (patch,) = figure.axes[0].patches
        assert sum(patch.get_data()[0]) == pytest.approx(1)
        assert "n = 5 pieces; 1 without (mean 0)" in words(figure) and "40 % above beta" in words(figure)
        assert "last bar: all above" in figure.axes[0].get_xlabel()
    with pytest.raises(DataError, match="1 of 6 pieces lack gold"):
        figures.scores_by_label(relative().assign(gold=["ES", None, "AS", "AS", "AS", "AS"]), 1.2)
    with pytest.raises(DataError, match="no piece has a finite relative score"):
        figures.scores_by_label(pd.DataFrame({"relative": [np.nan]}), 1.2)
    with pytest.raises(DataError, match="unknown gold XS"):
        figures.scores_by_label(relative().replace("AS", "XS"), 1.2)


def test_lengths_has_a_panel_a_measure_and_a_line_a_split() -> None:
    figure = drawn("lengths")
    assert [ax.get_xlabel() for ax in figure.axes] == ["question, characters", "pieces a rationale"]
    for panel in range(2):
        steps = line(figure, "train, n = 4", panel)
        assert steps[1:].tolist() == [[2, 0.25], [2, 0.5], [4, 0.75], [6, 1]]
        assert line(figure, "test, n = 2", panel)[1:].tolist() == [[1, 0.5], [3, 1]]
    with pytest.raises(DataError, match="unknown split dev"):
        figures.lengths(lengths().replace("test", "dev"))


def test_accuracy_by_steps_sets_methods_side_by_side() -> None:
    figure = drawn("accuracy_by_steps")
    for method, look in LOOKS.items():
        xy = line(figure, look.label)
        assert xy[:, 1] == pytest.approx([ACCURACY[method] / k for k in (1, 2, 4)])
        assert np.round(xy[:, 0]).tolist() == [0, 1, 2]
    assert len({tuple(line(figure, look.label)[:, 0]) for look in LOOKS.values()}) == 6
    labels = [one.get_text() for one in figure.axes[0].get_xticklabels()]
    assert labels == ["1\nn = 100", "2\nn = 200", "4\nn = 400"] and "95 % interval" in words(figure)
    bounds = [segment[:, 1].tolist() for segment in segments(figure)]
    assert bounds == [
        pytest.approx([ACCURACY[m] / k - 0.02, ACCURACY[m] / k + 0.03]) for m in METHODS for k in (1, 2, 4)
    ]
    single = figures.accuracy_by_steps(by_steps().query("method == 'uni-path'"))
    assert line(single, "uni-path")[:, 0].tolist() == [0, 1, 2] and single.get_size_inches()[0] == 3.4
    ranges = figures.accuracy_by_steps(by_steps().assign(steps_to=lambda t: t["steps"] + 2))
    labels = [tick.get_text() for tick in ranges.axes[0].get_xticklabels()]
    assert labels == ["1 to 3\nn = 100", "2 to 4\nn = 200", "4 to 6\nn = 400"]


def test_end_reasons_stack_to_one() -> None:
    figure = drawn("end_reasons")
    bars = figure.axes[0].containers
    assert [one.get_label() for one in bars] == ["ended itself", "stalled", "limit of length"]
    for container, first, at_seq2seq in zip(bars, (0.8, 0.15, 0.05), (1.0, 0.0, 0.0), strict=True):
        widths = [bar.get_width() for bar in container]
        assert widths == pytest.approx([first, at_seq2seq, first, first, first, first])
    last = bars[-1][0]
    assert last.get_x() + last.get_width() == pytest.approx(1)
    assert len({one[0].get_hatch() for one in bars}) == 3 and "80.0 % ended" in words(figure)
    assert set(chain_figures._REASONS) == set(REASONS)
    with pytest.raises(DataError, match=r"add up to 1, but are .*0\.9"):
        figures.end_reasons(pd.DataFrame({"method": ["seq2seq"], "reason": ["end"], "share": [0.9]}))
    with pytest.raises(DataError, match="unknown reason bored"):
        figures.end_reasons(pd.DataFrame({"method": ["seq2seq"], "reason": ["bored"], "share": [1.0]}))


# Coloured chains ------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Text and tags of a page, as a browser would take them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.styles: list[tuple[str, str, str]] = []
        self.inside: list[tuple[str, str]] = []
        self.feed(html)
        assert not self.inside

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= {"style", "aria-hidden"}
        self.opened.append(tag)
        self.inside.append((tag, dict(attrs).get("style") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        self.styles.append((*self.inside[-1], data))


def row(**changes: Any) -> dict[str, Any]:
    pieces = [("Bo had 2 <b>, ", "ES", 0.4), ("& got 3.\n\n", "ES", None), ("That is 2 + 3 = 5.", "AS", 2.5)]
    return {"qid": "q<1>", "question": "How many\n& why?", "pieces": pieces, **changes}


def test_coloured_escapes_and_keeps_the_text() -> None:
    page = Page(coloured([row()], title="a < b"))
    text = "".join(data for _, _, data in page.styles)
    for part in ("a < b", "q<1>", "How many\n& why?", "Bo had 2 <b>,", "& got 3.", "That is 2 + 3 = 5."):
        assert part in text
    assert not {"script", "style", "link", "img"} & set(page.opened)
    shown = re.sub(r"<sup.*?</sup>|<span style=\"color:#777.*?</span>", "", coloured([row()]))
    assert "".join(text for text, _, _ in row()["pieces"]) in "".join(d for _, _, d in Page(shown).styles)
    assert "white-space:pre-wrap" in shown and "http" not in shown and "url(" not in shown


def test_labels_differ_in_colour_line_and_weight_and_pieces_end_with_a_bar() -> None:
    html = coloured([row()])
    styles = {data: (tag, style) for tag, style, data in Page(html).styles}
    es, as_ = styles["Bo had 2 <b>,"], styles["That is 2 + 3 = 5."]
    assert (es[0], as_[0]) == ("span", "b") and "dotted" in es[1] and "solid" in as_[1]
    assert re.search("background:#......", es[1])[0] != re.search("background:#......", as_[1])[0]
    chain = html[html.rindex("pre-wrap") :]
    assert chain.count(">|<") == 3 and chain.index(">|<") < chain.index("&amp; got")
    assert [data for tag, _, data in Page(html).styles if tag == "sup"] == ["1.23", "0.40", "2.50"]


def test_a_label_that_differs_from_gold_is_marked() -> None:
    assert "≠" not in coloured([row()]) and "score" in coloured([row()])
    right = coloured([row(gold=["ES", "ES", "AS"])])
    assert right.count("≠") == 1 and "true label, where it differs" in right  # in the legend alone
    wrong = coloured([row(gold=["ES", "AS", "AS"])])
    assert "≠AS</sup>" in wrong[wrong.rindex("& got".replace("&", "&amp;")) :] and wrong.count("≠") == 2


def test_two_prices_are_no_formula() -> None:
    price = [("It costs $5 and $3.", None, None)]
    html = coloured([row(question="$1 or $2?", pieces=price)], title="$x$")
    page = Page(html)
    assert not re.search(r"\$[^<]", html) and "It costs $5 and $3." in "".join(data for _, _, data in page.styles)


def test_coloured_refuses_what_it_cannot_show() -> None:
    with pytest.raises(DataError, match="no chain to show"):
        coloured([])
    with pytest.raises(DataError, match="row 1 of .* lacks question"):
        coloured([row(), {"qid": "q2", "pieces": []}])
    with pytest.raises(DataError, match=r"q<1>: 3 pieces but 2 gold"):
        coloured([row(gold=["ES", "AS"])])
    with pytest.raises(DataError, match=r"q<1>: unknown label XS"):
        coloured([row(pieces=[("a", "XS", None)])])
    with pytest.raises(DataError, match=r"q<1>: each piece must be"):
        coloured([row(pieces=[("a", "ES")])])


# Reports, which have no answer ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("training_curve", "validation ROUGE-L (95 % interval)"),
        ("curves", "validation ROUGE-L"),
        ("accuracy", "ROUGE-L (95 % interval)"),
        ("differences", "ROUGE-L minus seq2seq (95 % interval)"),
        ("accuracy_by_steps", "ROUGE-L (95 % interval)"),
    ],
)
def test_labels_follow_the_measure(name: str, label: str) -> None:
    tables = FIGURES[name][0]
    figure = getattr(figures, name)(*(of_reports(one) if isinstance(one, pd.DataFrame) else one for one in tables))
    labels = {text for ax in figure.axes for text in (ax.get_xlabel(), ax.get_ylabel())}
    assert label in labels and not any("accuracy" in text or "percent" in text for text in labels)
    assert drawn(name).axes[-1].get_xlabel() and "ROUGE" not in words(drawn(name))
    both = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    measured = [axis for axis in both if "ROUGE" in axis.get_label().get_text()]
    assert measured and not any("%" in text.get_text() for axis in measured for text in axis.get_ticklabels())


def test_scores_stand_beside_their_rows() -> None:
    shown = words(figures.accuracy(of_reports(summary())))
    assert "0.480 [0.450, 0.500]" in shown and "48.0 % [45.0, 50.0]" in words(drawn("accuracy"))
    shown = words(figures.differences(of_reports(comparisons()), "seq2seq"))
    assert "+0.250 [+0.210, +0.280]" in shown and "\N{MINUS SIGN}0.380" in shown


def test_two_measures_in_one_table_are_refused() -> None:
    table = comparisons()
    table["measure"] = ["rouge_l"] * 4 + ["correct"]
    with pytest.raises(DataError, match="measure is correct, rouge_l"):
        figures.differences(table, "seq2seq")


# Steps ----------------------------------------------------------------------------------------------------------


def test_steps_draw_both_shares_where_there_are_chains() -> None:
    figure = drawn("steps")
    table = step_rows().query("method == 'uni-path'")
    for axes, name in enumerate(("arithmetic", "right")):
        found = line(figure, "uni-path", axes)
        assert found[:, 1] == pytest.approx(table[name].to_numpy())
        assert np.round(found[:, 0]).tolist() == [1, 2, 3]
    assert len(line(figure, "dual-path", 1)) == 2 and len(line(figure, "dual-path", 0)) == 3
    ends = [round(float(one[:, 1].min()), 6) for one in segments(figure, 0)]
    assert sorted(ends) == sorted(round(v, 6) for v in step_rows()["arithmetic_low"])
    assert "95 % interval" in words(figure) and "3\n13" in words(figure) and "3\n0\nto 10" in words(figure)
    long = figures.steps(step_rows().assign(step=lambda t: t["step"] * 4))
    assert "later than 8: in the table" in words(long) and "12\n" not in words(long)
    several = figures.steps(step_rows(2))
    assert not segments(several) and "mean of 2 seeds" in words(several)
    assert line(several, "uni-path")[:, 1] == pytest.approx(table["arithmetic"].to_numpy())


def test_first_errors_stack_to_one_in_the_order_they_are_looked_for() -> None:
    figure = drawn("first_errors")
    bars = figure.axes[0].containers
    assert [one.get_label() for one in bars] == ["nothing", "wrong arithmetic", "missing step"]
    assert bars[-1][0].get_x() + bars[-1][0].get_width() == pytest.approx(1)
    assert "30.0 % without error" in words(figure) and "n = 48 chains" in words(figure)
    assert set(chain_figures.KIND_LOOKS) == {NONE, *KINDS}
    looks = [(colour, hatch) for _, colour, hatch in chain_figures.KIND_LOOKS.values()]
    assert len(set(looks)) == len(looks)
    assert "mean of 2 seeds" in words(figures.first_errors(errors(2)))


def test_what_has_no_rows_is_said_and_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    monkeypatch.setattr(figures, "display", said.append)
    figures.shown(figures.steps, step_rows().iloc[:0], tmp_path, "steps", "Nothing here.")
    assert [one.data for one in said] == ["*Nothing here.*"] and not list(tmp_path.iterdir())
    monkeypatch.setattr(figures.plt, "show", lambda: said.append("picture"))
    figures.shown(figures.differences, comparisons(), tmp_path, "differences", "Nothing.", "seq2seq")
    assert said[1:] == ["picture"] and {path.suffix for path in tmp_path.iterdir()} == {".png", ".svg", ".csv"}
