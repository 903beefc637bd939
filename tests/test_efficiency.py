"""How much more data seq2seq needs: by hand, never beyond what was tried, and drawn as it is told."""

from __future__ import annotations

import math

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ases.efficiency import data_multiple, efficiency_findings, multiple_text, size_table
from ases.efficiency_figures import accuracy_by_flops, accuracy_by_size, arm_looks, multiples_by_size
from ases.errors import DataError, ParameterError
from ases.figures import save
from ases.looks import LOOKS
from ases.statistics import proportion_interval, seed_mean

N = 20


def predictions(right: dict[tuple[str, int], int], n: int = N, seeds: int = 1) -> pd.DataFrame:
    """Of ``n`` questions the first so many right, for each arm and size; the same under each seed."""
    rows = [
        {"arm": arm, "train_size": size, "seed": seed, "qid": f"q{q:03}", "correct": q < count}
        for (arm, size), count in right.items()
        for seed in range(seeds)
        for q in range(n)
    ]
    return pd.DataFrame(rows)


CURVE = {("seq2seq", 100): 4, ("seq2seq", 200): 8, ("seq2seq", 400): 16}


@pytest.mark.parametrize(
    ("size", "right", "expected"),
    [
        (100, 12, 2**1.5),  # half-way between 200 and 400 on the log axis
        (100, 8, 2.0),
        (100, 4, 1.0),
        (100, 16, 4.0),
        (50, 16, 8.0),
        (400, 8, 0.5),
        (100, 17, math.inf),
        (100, 3, 0.0),
    ],
)
def test_the_multiple_is_read_from_the_curve_over_log_size(size: int, right: int, expected: float) -> None:
    (row,) = data_multiple(predictions(CURVE | {("uni-path", size): right}), draws=50).to_dict("records")
    assert row["multiple"] == pytest.approx(expected)
    point = {"arm": "uni-path", "train_size": size, "accuracy": right / N, "n": N, "seeds": 1}
    assert point.items() <= row.items()
    assert (row["least"], row["most"]) == (100 / size, 400 / size)
    alike = {100: 0.2, 400: 0.8}.get(size)
    assert row["baseline_accuracy"] == alike or (alike is None and math.isnan(row["baseline_accuracy"]))


@pytest.mark.parametrize(
    ("curve", "right", "expected"),
    [
        ((4, 10, 6, 16), 8, 2.0),  # a dip: 200 and 400 count as the mean of both, 8
        ((4, 8, 8, 16), 8, 2.0),  # level: the least size that does
        ((4, 8, 8, 16), 12, 2**2.5),
        ((8, 4, 4, 4), 6, math.inf),  # falling: the mean of all, 5, is all that it reaches
    ],
)
def test_more_data_is_taken_not_to_hurt(curve: tuple[int, ...], right: int, expected: float) -> None:
    table = {("seq2seq", 100 * 2**k): count for k, count in enumerate(curve)} | {("uni-path", 100): right}
    assert data_multiple(predictions(table), draws=50)["multiple"].item() == pytest.approx(expected)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, N), min_size=2, max_size=5), st.integers(0, N), st.integers(0, N), st.integers(1, 2))
def test_nothing_is_extrapolated_and_better_needs_more(curve: list[int], one: int, other: int, seeds: int) -> None:
    points = {("seq2seq", 100 * 2**k): count for k, count in enumerate(curve)}
    arms = {("worse", 100): min(one, other), ("better", 100): max(one, other)}
    table = data_multiple(predictions(points | arms, seeds=seeds), draws=10).set_index("arm")
    assert table.loc["worse", "multiple"] <= table.loc["better", "multiple"]
    values = table[["multiple", "low", "high"]].to_numpy()
    inside = (values >= 1 - 1e-9) & (values <= 2 ** (len(curve) - 1) * (1 + 1e-9))
    assert (inside | np.isinf(values) | (values == 0)).all()
    assert (table["low"] <= table["high"]).all()


def test_an_arm_that_is_the_baseline_needs_as_much() -> None:
    rng = np.random.default_rng(0)
    rows = []
    for size, share in ((100, 0.2), (200, 0.4), (400, 0.6), (800, 0.8)):
        for seed in range(2):
            for q, right in enumerate(rng.random(200) < share):
                rows += [(arm, size, seed, f"q{q}", bool(right)) for arm in ("seq2seq", "same")]
    table = pd.DataFrame(rows, columns=["arm", "train_size", "seed", "qid", "correct"])
    found = data_multiple(table, draws=300)
    assert np.allclose(found["multiple"], 1)
    assert ((found["low"] <= 1) & (found["high"] >= 1)).all()
    shuffled = table.sample(frac=1, random_state=1)
    again = data_multiple(pd.concat([shuffled[shuffled["arm"] == arm] for arm in ("seq2seq", "same")]), draws=300)
    pd.testing.assert_frame_equal(found, again)
    assert not found["low"].equals(data_multiple(table, draws=300, seed=1)["low"])


def test_the_interval_counts_the_spread_of_questions_and_of_seeds() -> None:
    def width(n: int, spread: float, seeds: int = 4) -> float:
        rng = np.random.default_rng(1)
        rows = []
        for arm, size, share in (("seq2seq", 100, 0.1), ("seq2seq", 400, 0.5), ("seq2seq", 1600, 0.9), ("x", 100, 0.5)):
            for seed in range(seeds):
                reach = share + spread * (-1) ** seed
                rows += [(arm, size, seed, f"q{q}", bool(right)) for q, right in enumerate(rng.random(n) < reach)]
        frame = pd.DataFrame(rows, columns=["arm", "train_size", "seed", "qid", "correct"])
        (row,) = data_multiple(frame, draws=400).to_dict("records")
        assert row["low"] < 4 < row["high"], "the truth"
        return math.log2(row["high"] / row["low"])

    few, many = width(50, 0.0), width(800, 0.0)
    assert 2.5 < few / many < 6.5, "about the root of 16"
    assert width(800, 0.08) > 2 * many


def test_reports_are_measured_by_rouge() -> None:
    table = predictions(CURVE | {("uni-path", 100): 12})
    table = table.assign(rouge_l=table["correct"].astype(float), correct=pd.array([None] * len(table), dtype="boolean"))
    assert data_multiple(table, draws=50)["multiple"].item() == pytest.approx(2**1.5)
    sizes = size_table(table)
    assert sizes["rouge_l"].tolist() == [0.2, 0.4, 0.8, 0.6]
    assert "reaches 0.600" in efficiency_findings(sizes, data_multiple(table, draws=50))[1]


def test_points_have_the_intervals_of_the_other_tables() -> None:
    several = predictions({("seq2seq", 100): 4}, seeds=2)
    several.loc[(several["seed"] == 1) & (several["qid"] == "q010"), "correct"] = True
    table = size_table(pd.concat([predictions({("x", 400): 8, ("x", 200): 5}), several]))
    found = table[["arm", "train_size", "seeds"]].to_numpy().tolist()
    assert found == [["x", 200, 1], ["x", 400, 1], ["seq2seq", 100, 2]]
    one, other = proportion_interval(8, N), seed_mean(several["correct"].to_numpy().reshape(2, N))
    assert table.loc[1, ["accuracy", "low", "high"]].tolist() == [one.estimate, one.low, one.high]
    assert table.loc[2, ["accuracy", "low", "high"]].tolist() == [other.estimate, other.low, other.high]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(2.34, "2.3"), (12.4, "12"), (0.456, "0.46"), (math.inf, "more than 8"), (0.0, "less than 0.25")],
)
def test_a_multiple_in_words(value: float, expected: str) -> None:
    assert multiple_text(value, 0.25, 8.0) == expected


@pytest.mark.parametrize(
    ("size", "right", "phrase"),
    [
        (100, 780, "seq2seq needs more data for that: 3.9 times as many"),
        (100, 1000, "seq2seq needs more data for that: more than 4 times as many (95 % interval: more than 4)"),
        (400, 400, "seq2seq needs less data for that: 0.50 times as many"),
        (100, 10, "seq2seq needs less data for that: less than 1 times as many (95 % interval: less than 1)"),
        (200, 400, "cannot be told: 1.0 times as many (95 % interval: 1.0)"),
        # Beyond the largest set tried, but that set was smaller than the arm's own: nothing follows.
        (800, 1000, "cannot be told: more than 0.5 times as many"),
        (50, 10, "cannot be told: less than 2 times as many"),
    ],
)
def test_sentences_say_what_the_interval_says(size: int, right: int, phrase: str) -> None:
    curve = {key: 50 * count for key, count in CURVE.items()}
    table = predictions(curve | {("uni-path", size): right}, n=1000)
    first, second, *more = efficiency_findings(size_table(table), data_multiple(table, draws=200))
    assert first.startswith("From 100 to 400 training examples seq2seq goes from 20.0% to 80.0% (accuracy")
    assert first.endswith("1,000 test questions, 1 seed).")
    assert second.startswith(f"uni-path reaches {right / 1000:.1%} with {size} training examples")
    assert phrase in second
    assert bool(more) == ("more than" in second)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="train_size"), "lack the columns train_size"),
        (lambda table: table[table["arm"] == "seq2seq"], "the only arm"),
        (lambda table: table[(table["arm"] != "seq2seq") | (table["train_size"] == 100)], "with 1 training-set sizes"),
        (lambda table: table[(table["arm"] == "seq2seq") | (table["qid"] != "q003")], "'uni-path' with 100"),
        (lambda table: pd.concat([table, table.iloc[:1]]), "occur twice"),
        (lambda table: table.assign(train_size=0), "must be 1 or more"),
        (lambda table: table.assign(seed=np.where(table.index == 5, 1, table["seed"])), "missing"),
    ],
)
def test_what_cannot_be_compared_says_why(change, message: str) -> None:
    with pytest.raises(DataError, match=message):
        data_multiple(change(predictions(CURVE | {("uni-path", 100): 12})), draws=10)
    with pytest.raises(ParameterError, match="draws"):
        data_multiple(predictions(CURVE | {("uni-path", 100): 12}), draws=0)


# Pictures -------------------------------------------------------------------------------------------------------

SIZES = (125, 500, 2000, 8000)
ARMS = ["seq2seq", "uni-path", "uni-path-merged, strategy=gold", "lookup"]


def points() -> pd.DataFrame:
    rows = [
        {"arm": arm, "train_size": size, "accuracy": 0.1 * place + 0.05 * number, "flops": size * 1e9 * (1 + number)}
        for number, arm in enumerate(ARMS)
        for place, size in enumerate(SIZES)
    ]
    table = pd.DataFrame(rows).assign(n=400, seeds=3)
    return table.assign(low=table["accuracy"] - 0.03, high=table["accuracy"] + 0.02)


def in_order(arms: pd.Series) -> pd.Series:
    return arms.map(ARMS.index)


def test_arms_look_different_and_methods_as_everywhere() -> None:
    looks = arm_looks([*LOOKS, *(f"arm {number}" for number in range(25))])
    assert {name: looks[name] for name in LOOKS} == LOOKS
    assert len({(look.colour, look.marker) for look in looks.values()}) == len(looks)
    few = arm_looks(["seq2seq", "a", "b", "uni-path", "c", "d", "e"])
    assert len({look.colour for look in few.values()}) == len({look.marker for look in few.values()}) == len(few)
    with pytest.raises(DataError, match="draw fewer"):
        arm_looks(f"arm {number}" for number in range(100))


def test_accuracy_by_size_draws_the_table(tmp_path) -> None:
    table = points()
    figure = accuracy_by_size(table.sort_values("train_size", ascending=False).sort_values("arm", key=in_order))
    (ax,) = figure.axes
    assert ax.get_xscale() == "log"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["125", "500", "2,000", "8,000"]
    for line, arm in zip(ax.get_lines(), ARMS, strict=True):
        rows = table[table["arm"] == arm]
        assert line.get_ydata().tolist() == rows["accuracy"].tolist()
        shift = line.get_xdata() / rows["train_size"]
        assert np.allclose(shift, shift.iloc[0]), "the whole line is shifted"
    bounds = {tuple(segment[:, 1]) for lines in ax.collections for segment in lines.get_segments()}
    assert bounds == set(zip(table["low"], table["high"], strict=True))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ARMS
    assert legend.get_title().get_text() == "n = 400 questions, 3 seeds"
    for name in ("one", "two"):
        save(accuracy_by_size(table), table, tmp_path, name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_accuracy_by_flops_has_a_panel_a_size() -> None:
    table = points()
    figure = accuracy_by_flops(table)
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title(loc="left") for ax in shown] == [f"{size:,} training examples" for size in SIZES]
    for ax, size in zip(shown, SIZES, strict=True):
        rows = table[table["train_size"] == size]
        assert ax.get_xscale() == "log"
        assert [line.get_xdata().tolist() for line in ax.get_lines()] == [[flops] for flops in rows["flops"]]
        low, high = ax.get_xlim()
        assert low < rows["flops"].min() and rows["flops"].max() < high and len(ax.get_xticks()) > 0
    assert len({ax.get_xlim() for ax in shown}) == 1, "one axis: compute is what the panels share"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ARMS
    with pytest.raises(DataError, match="no place on a log axis"):
        accuracy_by_flops(table.assign(flops=0.0))


def test_multiples_end_in_an_arrow_where_nothing_was_tried() -> None:
    table = pd.DataFrame(
        {
            "arm": "uni-path",
            "train_size": [125, 500, 2000],
            "accuracy": [0.1, 0.9, 0.2],
            "baseline": "seq2seq",
            "multiple": [3.0, np.inf, 0.0],
            "low": [2.0, 1.5, 0.0],
            "high": [4.0, np.inf, 0.5],
            "least": [1.0, 0.25, 0.0625],
            "most": [16.0, 4.0, 1.0],
            "n": 400,
            "seeds": 1,
        }
    )
    figure = multiples_by_size(table)
    (ax,) = figure.axes
    assert ax.get_xscale() == ax.get_yscale() == "log" and "seq2seq" in ax.get_ylabel()
    assert [text.get_text() for text in ax.texts] == ["3.0", "more than\n4", "less than\n0.0625"]
    spans = {tuple(segment[:, 1]) for lines in ax.collections for segment in lines.get_segments()}
    assert spans == {(2.0, 4.0), (1.5, 4.0), (0.0625, 0.5)}, "nothing is drawn beyond what was tried"
    arrows = [line.get_marker() for line in ax.get_lines() if line.get_marker() in ("^", "v")]
    assert arrows == ["^", "v"]
