"""Learning rates: chosen on validation questions alone, of each arm for itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ases.arms import read_arm
from ases.cells import Grid, cell_table
from ases.expectations import rate_expectations
from ases.grid_figures import arm_rates
from ases.rates import at_best_rate, rate_findings, rates_table, without_rate
from ases.verdicts import FAILED, HELD, UNDECIDED, UNTESTED

N = 200
ARMS = {
    "seq2seq": (3e-3, 0.50, 0.60),  # rate, validation, test: the best on validation is not the best on test
    "seq2seq, learning_rate=6e-3": (6e-3, 0.55, 0.55),
    "uni-path, strategy=gold": (3e-3, 0.20, 0.20),
    "uni-path, learning_rate=6e-3, strategy=gold": (6e-3, 0.30, 0.35),
}


def made(arms: dict[str, tuple[float, float, float]] = ARMS, seeds: int = 1, budget: str = "16e12 flops") -> Grid:
    rows, costs = [], []
    for name, (rate, valid, test) in arms.items():
        for seed in range(seeds):
            keys = {"train_size": 500, "budget": budget, "arm": name, "seed": seed}
            rows += [
                {**keys, "qid": f"q{one}", "correct": one < round(test * N), "rouge_l": 0.5, "flops": 1e6}
                for one in range(N)
            ]
            spent = {"training_flops": 4e12, "target_tokens": 1e5, "scorer_flops": 0.0, "epochs": 2.0}
            costs.append({**keys, "valid": valid + 0.01 * seed, "bleu": 5.0, "learning_rate": rate, **spent})
    baselines = {name: read_arm(name).baseline for name in arms}
    return Grid(pd.DataFrame(rows), pd.DataFrame(costs), baselines)


def test_validation_chooses_and_test_measures() -> None:
    grid = made(seeds=2)
    rates = rates_table(grid)
    assert rates["arm"].tolist() == ["seq2seq", "seq2seq", "uni-path, strategy=gold", "uni-path, strategy=gold"]
    assert rates["chosen"].tolist() == [False, True, False, True]
    assert rates["usual_rate"].tolist() == [3e-3] * 4 and rates["learning_rate"].tolist() == [3e-3, 6e-3] * 2
    assert rates["valid"].tolist() == pytest.approx([0.505, 0.555, 0.205, 0.305])
    assert rates["accuracy"].tolist() == pytest.approx([0.6, 0.55, 0.2, 0.35])
    assert set(rates["n"]) == {N} and set(rates["seeds"]) == {2}


def test_arms_at_their_best_are_held_against_seq2seq_at_its_best() -> None:
    grid = made()
    best = at_best_rate(grid, rates_table(grid))
    assert best.baselines == {"seq2seq": "seq2seq", "uni-path, strategy=gold": "seq2seq"}
    table = cell_table(best).set_index("arm")
    assert table["accuracy"].tolist() == pytest.approx([0.55, 0.35])
    assert table.loc["uni-path, strategy=gold", "difference"] == pytest.approx(-0.2)
    assert len(best.costs) == 2 and list(best.predictions) == list(grid.predictions)


def test_sizes_and_budgets_keep_their_order_whichever_rates_were_chosen() -> None:
    slow = {name: (rate, 0.9 if rate == 3e-3 else 0.1, test) for name, (rate, _, test) in ARMS.items()}
    grids = [made(slow, budget="16e12 flops"), made(budget="4e12 flops")]  # one has the first rates, one the second
    predictions, costs = (pd.concat([getattr(one, name) for one in grids]) for name in ("predictions", "costs"))
    whole = Grid(predictions.sort_values("arm", kind="stable"), costs, grids[0].baselines)
    table = cell_table(at_best_rate(whole, rates_table(whole)))
    assert table["budget"].tolist() == ["4e12 flops"] * 2 + ["16e12 flops"] * 2
    assert table["learning_rate"].tolist() == [6e-3, 6e-3, 3e-3, 3e-3]


def test_what_trains_nothing_stays_beside_the_chosen() -> None:
    grid = made(seeds=2)
    lookup = grid.predictions[grid.predictions["arm"] == "seq2seq"].assign(arm="lookup", correct=False)
    costs = grid.costs[grid.costs["arm"] == "seq2seq"].assign(arm="lookup", valid=np.nan, learning_rate=np.nan)
    whole = Grid(
        pd.concat([grid.predictions, lookup]), pd.concat([grid.costs, costs]), grid.baselines | {"lookup": "seq2seq"}
    )
    best = at_best_rate(whole, rates_table(whole))
    assert list(best.baselines) == ["seq2seq", "uni-path, strategy=gold", "lookup"]
    assert best.predictions.groupby("arm").size().to_dict() == dict.fromkeys(best.baselines, 2 * N)
    assert cell_table(best).set_index("arm").loc["lookup", "accuracy"] == 0.0


def test_of_equal_rates_the_first_is_chosen_and_one_rate_is_chosen_of_itself() -> None:
    arms = {"seq2seq": (3e-3, 0.5, 0.5), "seq2seq, learning_rate=6e-3": (6e-3, 0.5, 0.9), "uni-path": (3e-3, 0.2, 0.2)}
    assert rates_table(made(arms))["chosen"].tolist() == [True, False, True]


def test_an_arm_without_its_usual_rate_says_so() -> None:
    rates = rates_table(made({name: ARMS[name] for name in list(ARMS)[:2] + list(ARMS)[3:]}))
    assert np.isnan(rates["usual_rate"].iloc[-1]) and rates["arm"].iloc[-1] == "uni-path, strategy=gold"


def test_the_name_without_the_rate_is_an_arm_again() -> None:
    assert without_rate("uni-path, learning_rate=6e-3, strategy=gold") == "uni-path, strategy=gold"
    assert without_rate("seq2seq") == "seq2seq"


def test_sentences_read_the_table_and_name_the_ends() -> None:
    rates = rates_table(made())
    first, ends = rate_findings(rates)
    assert "seq2seq 0.006 (55.0%, +5.0 over its usual rate)" in first
    assert "`uni-path, strategy=gold` 0.006 (30.0%, +10.0 over its usual rate)" in first
    assert ends.endswith("seq2seq, `uni-path, strategy=gold`.")
    inner = ARMS | {"seq2seq, learning_rate=12e-3": (12e-3, 0.1, 0.1)}
    inner |= {"uni-path, learning_rate=12e-3, strategy=gold": (12e-3, 0.1, 0.1)}
    assert len(rate_findings(rates_table(made(inner)))) == 1


def test_a_panel_an_arm_with_its_chosen_rate_ringed() -> None:
    rates = rates_table(made())
    axes = [ax for ax in arm_rates(rates).axes if ax.get_visible()]
    assert [ax.get_title(loc="left") or ax.get_title() for ax in axes] == ["seq2seq", "uni-path: gold"]
    for ax, arm in zip(axes, ("seq2seq", "uni-path, strategy=gold"), strict=True):
        rows = rates[rates["arm"] == arm]
        usual, valid, test, ring = ax.lines
        assert list(usual.get_xdata()) == [3e-3, 3e-3] and list(ring.get_xdata()) == [6e-3]
        assert ax.xaxis.get_tick_params()["labelbottom"], "nothing stands below it"
        assert list(valid.get_ydata()) == rows["valid"].tolist() and list(test.get_ydata()) == rows["accuracy"].tolist()


def verdicts(budget: str = "16e12 flops", **changes: tuple[float, float, float]) -> list[str]:
    arms = {"seq2seq": (6e-3, 0.5, 0.5), "seq2seq, learning_rate=12e-3": (12e-3, 0.7, 0.7)}
    arms |= {"uni-path": (3e-3, 0.1, 0.1), "uni-path, learning_rate=6e-3": (6e-3, 0.4, 0.4)}
    arms |= {{"base": "seq2seq", "fast": "uni-path, learning_rate=6e-3"}[name]: one for name, one in changes.items()}
    grid = made(arms, budget=budget)
    rates = rates_table(grid)
    return rate_expectations(rates, cell_table(at_best_rate(grid, rates)))["verdict"].tolist()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [HELD, HELD, HELD]),
        ({"base": (6e-3, 0.9, 0.42)}, [UNDECIDED, UNDECIDED, HELD]),  # 4 questions apart
        ({"fast": (6e-3, 0.4, 0.9)}, [HELD, FAILED, HELD]),
        ({"fast": (6e-3, 0.4, 0.14)}, [HELD, HELD, UNDECIDED]),
        ({"base": (6e-3, 0.9, 0.5), "fast": (6e-3, 0.0, 0.9)}, [FAILED, HELD, FAILED]),
    ],
)
def test_predictions_about_rates(changes: dict[str, tuple[float, float, float]], expected: list[str]) -> None:
    assert verdicts(**changes) == [*expected, UNTESTED, UNTESTED]


def test_without_uni_path_nothing_is_said_of_it() -> None:
    grid = made({name: ARMS[name] for name in list(ARMS)[:2]})
    rates = rates_table(grid)
    found = rate_expectations(rates, cell_table(at_best_rate(grid, rates)))
    assert found["verdict"].tolist() == [HELD, UNDECIDED, *[UNTESTED] * 3]


def test_each_budget_has_its_own_predictions() -> None:
    assert verdicts(budget="4e12 flops") == [*[UNTESTED] * 3, HELD, HELD]
    assert verdicts(budget="20e9 flops") == [UNTESTED] * 5
