"""Figures of detection, agreement and data sets: what is drawn is what the table says; equal tables, equal bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from ases import agreement, data_figures, detection_figures
from ases.aligned import NUMBER_NOVELTY, Series, control_labels, labels_at, number_novelty_labels, relative_table
from ases.descriptions import extractive_share, lengths_by_set
from ases.detection import detection_table
from ases.errors import DataError
from ases.figures import save
from ases.kinds import kind_table
from ases.problems import generate_problems
from ases.ranking import auc_table
from ases.settings import LABELLED, SCORED
from tests.detection_tables import problems_scored


@cache
def tables() -> dict[str, pd.DataFrame]:
    examples, pieces, scores = problems_scored(40)
    labels = labels_at(pieces, scores, {"entropy": 1.4, "similarity": 1.0})
    controls = control_labels(pieces, labels, Series("entropy", "sum", "question"))
    heuristic = number_novelty_labels(pieces, {example.qid: example.question for example in examples})
    every = pd.concat([labels, controls, heuristic])
    sets = {"generated": examples, "longer": generate_problems(30, seed=9, steps_from=4, steps_to=6)}
    found = {
        "sweep_curves": detection_table(pieces, scores, [0.8, 1.0, 1.4], labels=controls, draws=20),
        "auc_dots": auc_table(pieces, scores),
        "errors_by_kind": agreement.errors_by_kind(pieces, labels, kind_table(examples), draws=20),
        "kappa_map": agreement.kappa_table(pieces, every, draws=20),
    }
    found = {name: table[table["split"] == "valid"].reset_index(drop=True) for name, table in found.items()}
    found["score_distributions"] = relative_table(pieces, scores, {"entropy": 1.2, "similarity": 1.2})
    found["sets_beside"] = lengths_by_set(sets)
    found["extractive_shares"] = extractive_share(sets)
    return found


FIGURES: dict[str, tuple[Callable[[pd.DataFrame], Figure], str]] = {
    "sweep_curves": (detection_figures.sweep_curves, "split strategy beta f1 f1_low"),
    "auc_dots": (detection_figures.auc_dots, "split reduce auc raw_high pieces"),
    "errors_by_kind": (detection_figures.errors_by_kind, "split condition kind gold wrong wrong_low"),
    "kappa_map": (detection_figures.kappa_map, "split first kappa examples"),
    "score_distributions": (detection_figures.score_distributions, "series relative gold beta"),
    "sets_beside": (data_figures.sets_beside, "set measure value"),
    "extractive_shares": (data_figures.extractive_shares, "set gold_es heuristic_es"),
}


def draw(name: str) -> Figure:
    return FIGURES[name][0](tables()[name])


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


@pytest.mark.parametrize("name", FIGURES)
def test_missing_columns_and_rows_are_named(name: str) -> None:
    function, columns = FIGURES[name]
    for column in columns.split():
        with pytest.raises(DataError, match=rf"{name}.* lacks {column}"):
            function(tables()[name].drop(columns=column))
    with pytest.raises(DataError, match=rf"{name}.* no rows"):
        function(tables()[name].iloc[:0])
    assert not plt.get_fignums()


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_cut_off_and_no_legend_covers_data(name: str) -> None:
    before = dict(plt.rcParams)
    figure = draw(name)
    assert figure.get_size_inches()[0] in (3.4, 7.0) and dict(plt.rcParams) == before
    whole, used = figure.bbox_inches, figure.get_tightbbox()
    assert whole.x0 <= used.x0 and used.x1 <= whole.x1 and whole.y0 <= used.y0 and used.y1 <= whole.y1
    for legend in figure.legends:
        for ax in (one for one in figure.axes if one.get_visible()):
            assert not legend.get_window_extent().overlaps(ax.get_tightbbox())


@pytest.mark.parametrize("name", ["sweep_curves", "auc_dots", "errors_by_kind", "kappa_map", "sets_beside"])
def test_saving_twice_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    table = tables()[name]
    before = table.copy()
    save(draw(name), table, tmp_path / "a", "f")
    with plt.style.context("dark_background"):
        save(draw(name), table, tmp_path / "b", "f")
    for file in ("f.csv", "f.png", "f.svg"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    pd.testing.assert_frame_equal(table, before)


def test_every_strategy_has_a_look_of_its_own() -> None:
    looks = detection_figures.STRATEGIES
    assert set(SCORED) | {"location", "random", NUMBER_NOVELTY} <= set(looks)
    assert len({marker for _, marker in looks.values()}) == len(looks)
    scored = [looks[name] for name in looks if name not in (*LABELLED, "random_boundaries")]
    assert len({colour for colour, _ in scored}) == len(scored)


def test_curves_are_those_of_the_table_with_a_panel_a_reduce_and_controls_across() -> None:
    table = tables()["sweep_curves"]
    figure = draw("sweep_curves")
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["sum over tokens", "mean over tokens", "scores of whole pieces"]
    families = [("entropy", "sum"), ("entropy", "mean"), ("similarity", "")]
    for ax, (strategy, reduce) in zip(figure.axes, families, strict=True):
        curve, *across = ax.lines
        rows = table[(table["strategy"] == strategy) & (table["reduce"] == reduce)]
        assert np.allclose(curve.get_xydata(), rows[["beta", "f1"]])
        values = [table.loc[table["strategy"] == name, "f1"].item() for name in ("location", "random")]
        assert [line.get_ydata()[0] for line in across] == values
    assert "95 % interval over rationales and seeds (1 to 2)" in words(figure) and "n = 20 rationales" in words(figure)
    recall = detection_figures.sweep_curves(table, "recall")
    assert np.allclose(recall.axes[0].lines[0].get_ydata(), table.loc[table["reduce"] == "sum", "recall"])


def test_a_row_of_panels_a_data_set_and_one_split_only() -> None:
    table = tables()["sweep_curves"]
    both = pd.concat([table.assign(data="problems"), table.assign(data="reports")])
    figure = detection_figures.sweep_curves(both)
    assert len(figure.axes) == 6 and "problems" in words(figure) and "reports" in words(figure)
    with pytest.raises(DataError, match="has the splits valid, test; give the rows of one"):
        detection_figures.sweep_curves(pd.concat([table, table.assign(split="test")]))
    with pytest.raises(DataError, match="is in two rows"):
        detection_figures.sweep_curves(pd.concat([table, table]))
    dots = tables()["auc_dots"]
    assert len(detection_figures.auc_dots(pd.concat([dots.assign(data=name) for name in "ab"])).axes) == 2


def test_auc_dots_stand_at_their_values() -> None:
    table = tables()["auc_dots"]
    ax = draw("auc_dots").axes[0]
    dots = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1]
    assert dots == [value for row in table.itertuples() for value in (row.auc, row.raw)]
    assert f"{table['auc'].iloc[0]:.3f} [" in words(ax.figure)


def test_errors_are_bars_and_kinds_are_named_with_n() -> None:
    table = tables()["errors_by_kind"]
    figure = draw("errors_by_kind")
    first = table[table["reduce"] == "sum"]
    widths = sorted(bar.get_width() for bar in figure.axes[0].patches if bar.get_height() and bar.get_width())
    assert widths == pytest.approx(sorted(value for value in first["wrong"] if value))
    for row in first.itertuples():
        assert f"{row.kind} ({row.gold}), n = {row.pieces:,}" in words(figure)


def test_kappas_stand_in_both_halves() -> None:
    table = tables()["kappa_map"]
    figure = draw("kappa_map")
    cells = [text.get_text() for text in figure.axes[0].texts]
    names = list(dict.fromkeys([*table["first"], *table["second"]]))
    assert len(cells) == len(names) ** 2
    for row in table.itertuples():
        down, across = names.index(row.first), names.index(row.second)
        shown = f"{round(row.kappa, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")
        assert cells[down * len(names) + across] == cells[across * len(names) + down] == shown


def test_distributions_end_at_the_share_below_the_threshold() -> None:
    table = tables()["score_distributions"]
    figure = draw("score_distributions")
    part = table[(table["series"] == table["series"].iloc[0]) & (table["gold"] == "AS")]
    dots = [line.get_xydata()[0].tolist() for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    assert [1.2, pytest.approx((part["relative"] <= 1.2).mean())] in dots
    real = detection_figures.score_distributions(table[table["series"] == table["series"].iloc[0]].assign(gold=None))
    assert "all pieces" in words(real) and real.get_size_inches()[0] == 3.4
    with pytest.raises(DataError, match="give one a series"):
        detection_figures.score_distributions(table.assign(beta=np.arange(len(table)) + 1.0))
    with pytest.raises(DataError, match="lacks gold for some"):
        detection_figures.score_distributions(table.assign(gold=table["gold"].where(table.index > 0)))


def test_sets_are_lines_with_their_n() -> None:
    table = tables()["sets_beside"]
    figure = draw("sets_beside")
    assert "generated, n = 40" in words(figure) and "longer, n = 30" in words(figure)
    (line,) = (one for one in figure.axes[2].lines if one.get_label().startswith("longer"))
    values = table[(table["set"] == "longer") & (table["measure"] == "pieces a rationale")]["value"]
    for at, share in line.get_xydata()[::50]:
        assert share == pytest.approx((values <= at).mean())
    many = pd.concat([table.assign(set=f"s{place}") for place in range(9)])
    with pytest.raises(DataError, match="9 sets cannot be told apart"):
        data_figures.sets_beside(many)
    with pytest.raises(DataError, match="no question, characters of longer"):
        data_figures.sets_beside(table[(table["set"] != "longer") | (table["measure"] == "pieces a rationale")])
