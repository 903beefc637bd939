"""What a start buys: paired within one training set and method, corrected over all, costs beside."""

from __future__ import annotations

import json
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ases.errors import DataError
from ases.settings import METHODS
from ases.starts import recipes, start_findings, start_name, start_table
from ases.statistics import holm, mcnemar_midp, proportion_interval
from ases.training_figures import loss_curves, start_effects

RIGHT = {  # of 100 questions, how many each start answers: a start answers the first so many
    (8, "seq2seq", "nano"): 30,
    (8, "seq2seq", "ours"): 60,
    (8, "uni-path", "nano"): 40,
    (8, "uni-path", "ours"): 41,
}


@pytest.fixture
def generations(tmp_path):
    checkpoint = tmp_path / "made" / "checkpoint"
    checkpoint.mkdir(parents=True)
    recipe = {"flops": 6e9, "tokens": 1234567, "epochs": 2.04, "parameters": 99, "validation_loss": 1.2345}
    recipe["texts"] = {"account": [{"source": "generated problems", "texts": 20000}]}
    (checkpoint.parent / "recipe.json").write_text(json.dumps(recipe))
    found = []
    for number, ((size, method, start), right) in enumerate(RIGHT.items()):
        folder = tmp_path / str(number)
        (folder / "training").mkdir(parents=True)
        log = [{"step": 1, "loss": 1.0}]
        budget = [{"model": "model", "epochs": 3.0, "flops": 1e9 + number, "target_tokens": 5}]
        (folder / "training" / "training.json").write_text(json.dumps({"log": log, "budget": budget}))
        rows = {"qid": [f"q{n}" for n in range(100)], "correct": [n < right for n in range(100)]}
        pd.DataFrame(rows).assign(method=method, seed=0).to_parquet(folder / "predictions.parquet")
        model = start if start == "nano" else str(checkpoint)
        settings = SimpleNamespace(training=SimpleNamespace(method=method, model=model))
        inputs = {
            "training": SimpleNamespace(folder=folder / "training", settings=settings),
            "data": SimpleNamespace(manifest=lambda size=size: {"numbers": {"train": size}}),
        }
        parameters = {"model": start if start == "nano" else "made/checkpoint"}
        found.append(SimpleNamespace(parameters=parameters, folder=folder, settings=settings, input=inputs.get))
    return found


def test_each_start_is_held_against_the_first_on_the_same_questions(generations):
    table = start_table(generations)
    assert table[["train_size", "method", "start"]].to_numpy().tolist() == [
        [8, "seq2seq", "nano, from scratch"],
        [8, "seq2seq", "made/checkpoint"],
        [8, "uni-path", "nano, from scratch"],
        [8, "uni-path", "made/checkpoint"],
    ]
    assert table["accuracy"].tolist() == [0.3, 0.6, 0.4, 0.41]
    assert table["low"].iloc[1] == pytest.approx(proportion_interval(60, 100).low)
    assert table["difference"].isna().tolist() == [True, False, True, False]
    assert table["difference"].dropna().tolist() == pytest.approx([0.3, 0.01])
    raw = [mcnemar_midp([n < more for n in range(100)], [n < less for n in range(100)])[0]
           for more, less in ((60, 30), (41, 40))]  # fmt: skip
    assert table["p_holm"].dropna().tolist() == pytest.approx(holm(raw).tolist()), "corrected over all rows"
    assert table["training_flops"].tolist() == [1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3]
    assert table["start_flops"].tolist() == [0, 6e9, 0, 6e9]


def test_what_came_out_is_said_with_its_uncertainty(generations):
    first, second, cost = start_findings(start_table(generations))
    assert "30.0% from nano, from scratch, 60.0% from made/checkpoint (+30.0 points, 95 % interval" in first
    assert "which cannot be told apart" in second and "apart" not in first
    assert cost == "Making made/checkpoint took 6.0 times the training FLOPs of one run here; it is made once."


def test_recipes_are_told_where_there_are_some(generations):
    table = recipes(generations)
    assert list(table) == ["nano, from scratch", "made/checkpoint"]
    assert table["made/checkpoint"].to_dict() == {
        "texts: generated problems": "20,000", "tokens": "1,234,567", "epochs": "2.0", "training FLOPs": "6e+09",
        "parameters": "99", "loss of gaps held out (nats)": "1.234",
    }  # fmt: skip
    assert (table["nano, from scratch"] == "").all()
    assert start_name("tiny") == "tiny, from scratch" and start_name("my/t5") == "my/t5"


def test_one_start_alone_buys_nothing(generations):
    with pytest.raises(DataError, match="nano, from scratch is the only start"):
        start_table([one for one in generations if one.parameters["model"] == "nano"])


def test_the_figure_shows_every_row_of_the_table(generations):
    table = start_table(generations)
    (ax,) = start_effects(table).axes
    dots = {(one.get_ydata()[0], one.get_xdata()[0]) for one in ax.lines if len(one.get_xdata()) == 1}
    assert sorted(x for _, x in dots) == sorted(table["accuracy"]) and len({y for y, _ in dots}) == 4
    assert [text.get_text() for text in ax.get_yticklabels()] == ["seq2seq, 8 examples", "uni-path, 8 examples"]
    assert "n = 100 questions, 1 seed" in str([legend.get_title().get_text() for legend in ax.figure.legends])
    plt.close("all")
    with pytest.raises(DataError, match="in two rows"):
        start_effects(pd.concat([table, table]))


def losses() -> pd.DataFrame:
    rows = [
        {"method": method, "seed": 0, "model": model, "flops": 1e12 * k, "loss_as": 2 / k, "loss_es": 1 / k}
        for method in METHODS
        for model in (("esm", "asm") if method.startswith("dual") else ("model",))
        for k in (2, 1, 3)
    ]
    table = pd.DataFrame(rows).assign(labels="gold", target_tokens=lambda t: t["flops"] / 1e6)
    table["loss"] = 3 * table["loss_es"]
    table.loc[(table["model"] == "esm") | (table["method"] == "answer-only"), "loss_as"] = np.nan
    table.loc[(table["model"] == "asm") | (table["method"] == "answer-only"), "loss_es"] = np.nan
    return table


def test_losses_have_a_line_a_method_over_all_tokens_and_over_those_of_each_label():
    figure = loss_curves(losses())
    for ax, top, lines in zip(figure.axes, (3, 3, 1, 2), (8, 8, 5, 5), strict=True):
        assert len(ax.lines) == lines and max(one.get_ydata().max() for one in ax.lines) == top < ax.get_ylim()[1]
        assert all(np.diff(one.get_xdata()).min() > 0 for one in ax.lines), "each line in the order of FLOPs"
    along = [ax.get_xlabel().partition(" ($")[0] for ax in figure.axes]
    assert along == ["training FLOPs", "target tokens", "training FLOPs", "training FLOPs"]
    assert figure.axes[1].lines[0].get_xdata().max() == 3e6
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "labels: gold; a dual-path has a line a model"
    assert len(legend.get_texts()) == 6
    plt.close("all")
    for column in ("loss", "target_tokens"):
        with pytest.raises(DataError, match=f"lacks {column};"):
            loss_curves(losses().drop(columns=column))
    with pytest.raises(DataError, match="no row has a loss"):
        loss_curves(losses().query("method == 'answer-only'"))
