"""Arms and budgets as texts: read back as they were written, refused with what to do."""

from __future__ import annotations

import pytest

from ases import runs
from ases.arms import LOOKUP, Budget, read_arm, read_arms, read_budget
from ases.choices import METHODS
from ases.errors import ParameterError
from ases.parameters import problems_of


def test_an_arm_is_a_method_and_parameters_of_its_own() -> None:
    arm = read_arm(" uni-path-merged,  strategy = gold , beta=1.1")
    assert (arm.name, arm.method) == ("uni-path-merged, strategy=gold, beta=1.1", "uni-path-merged")
    assert arm.parameters == {"strategy": "gold", "beta": 1.1}
    assert read_arm(arm.name) == arm
    assert [read_arm(name).parameters for name in (*METHODS, LOOKUP)] == [{}] * (len(METHODS) + 1)


@pytest.mark.parametrize(
    ("arm", "baseline"),
    [
        ("seq2seq", "seq2seq"),
        ("uni-path-merged, strategy=gold", "seq2seq"),
        ("uni-path, steps_to=8, typed=true, longest_learned=4", "seq2seq, steps_to=8, longest_learned=4"),
        ("dual-path-merged, model=micro, strategy=loss", "seq2seq, model=micro"),
        ("lookup, held_out_schemas=true", "seq2seq, held_out_schemas=true"),
        ("uni-path, init=seq2seq", "seq2seq, init=seq2seq"),
        ("dual-path, strategy=gold, init=seq2seq, model=micro", "seq2seq, init=seq2seq, model=micro"),
        ("seq2seq, init=seq2seq", "seq2seq, init=seq2seq"),
    ],
)
def test_an_arm_is_held_against_seq2seq_on_its_own_task(arm: str, baseline: str) -> None:
    assert read_arm(arm).baseline == baseline
    assert read_arm(baseline).baseline == baseline


def test_a_rate_is_part_of_a_name_only_where_two_arms_differ_in_it_alone() -> None:
    own = ["seq2seq, learning_rate=12e-3", "uni-path, learning_rate=6e-3, typed=true", "uni-path", "lookup"]
    arms = read_arms(own)
    assert [arm.name for arm in arms] == ["seq2seq", "uni-path, typed=true", "uni-path", "lookup"]
    assert [arm.parameters for arm in arms] == [read_arm(text).parameters for text in own]
    assert {arm.baseline for arm in arms} == {"seq2seq"}
    trials = ["seq2seq", "seq2seq, learning_rate=12e-3", "uni-path, learning_rate=3e-3", "uni-path, learning_rate=6e-3"]
    assert [arm.name for arm in read_arms(trials)] == trials


def test_a_grid_trains_each_arm_at_its_rate_and_names_it_without() -> None:
    texts = ["seq2seq, learning_rate=0.01", "uni-path-merged, strategy=gold, learning_rate=0.002"]
    grid = {"arms": texts, "train_sizes": [50], "budgets": ["1e9 flops"], "seeds": [0]}
    cells = runs.cells(runs.plan(grid)[-1])
    assert {cell.arm.name: cell.run.settings.training.learning_rate for cell in cells} == {
        "seq2seq": 0.01, "uni-path-merged, strategy=gold": 0.002,
    }  # fmt: skip
    with pytest.raises(ParameterError, match="without 'seq2seq'"):
        runs.plan({**grid, "arms": ["seq2seq, learning_rate=0.01", "seq2seq, learning_rate=0.02", "uni-path"]})


AT = ["seq2seq at 1e9 flops", "seq2seq, learning_rate=0.01 at 2e9 flops or 4e9 flops", "uni-path"]


def test_an_arm_may_have_some_of_the_budgets_only() -> None:
    grid = {"arms": AT, "train_sizes": [50], "budgets": ["1e9 flops", "2e9 flops", "4e9 flops"], "seeds": [0]}
    cells = runs.cells(runs.plan(grid)[-1])
    rates = {(cell.arm.name, cell.budget.amount): cell.run.settings.training.learning_rate for cell in cells}
    usual = rates["uni-path", 1e9]
    assert rates == {
        ("seq2seq", 1e9): usual, ("seq2seq", 2e9): 0.01, ("seq2seq", 4e9): 0.01,
        **{("uni-path", budget): usual for budget in (1e9, 2e9, 4e9)},
    }  # fmt: skip
    assert len(cells) == 6


def test_an_arm_may_have_a_budget_at_one_training_set_size_only() -> None:
    arms = ["seq2seq", "uni-path, learning_rate=0.01 at 1e9 flops or 2e9 flops at 60", "uni-path at 2e9 flops at 50"]
    grid = {"arms": arms, "train_sizes": [50, 60], "budgets": ["1e9 flops", "2e9 flops"], "seeds": [0]}
    cells = [cell for cell in runs.cells(runs.plan(grid)[-1]) if cell.arm.name == "uni-path"]
    rates = {(cell.train_size, cell.budget.name): cell.run.settings.training.learning_rate for cell in cells}
    usual = rates.pop((50, "2e9 flops"))
    assert rates == {(50, "1e9 flops"): 0.01, (60, "1e9 flops"): 0.01, (60, "2e9 flops"): 0.01} and usual < 0.01
    with pytest.raises(ParameterError, match="'uni-path' stands twice"):
        runs.plan({**grid, "arms": [*arms, "uni-path at 2e9 flops"]})
    with pytest.raises(ParameterError, match="without 'seq2seq', which .* at 2e9 flops at 60"):
        runs.plan({**grid, "arms": ["seq2seq at 1e9 flops or 2e9 flops at 50", *arms[1:]]})


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ([*AT, "uni-path-merged at 3e9 flops"], r"'uni-path-merged' at 3e9 flops, but the budgets are 1e9 flops"),
        (["seq2seq at 1e9 flops", "uni-path"], r"'uni-path' without 'seq2seq', which .* at 2e9 flops"),
        (["seq2seq", "seq2seq at 1e9 flops"], "'seq2seq' stands twice"),
        (
            ["seq2seq", "uni-path at 1e9 flops", "uni-path-merged at 2e9 flops"],
            "have no budget of FLOPs in common with 50",
        ),
        (["seq2seq at 1e9", "uni-path"], "'1e9' is no budget"),
        (["seq2seq", "lookup at 1e9 flops"], "trains nothing"),
        (["seq2seq", "seq2seq, typed=true"], "typed marks each target"),
        (
            ["seq2seq", "uni-path at 1e9 flops at 60"],
            "'uni-path' at 1e9 flops at 60, but the budgets are .*, and the training-set sizes 50",
        ),
    ],
)
def test_arms_and_budgets_that_do_not_belong_together_are_refused(arms: list[str], message: str) -> None:
    grid = {"train_sizes": [50], "budgets": ["1e9 flops", "2e9 flops", "4e9 flops"], "seeds": [0]}
    with pytest.raises(ParameterError, match=message):
        runs.plan({**grid, "arms": arms})


def test_a_grid_without_a_budget_of_flops_is_refused_before_it_is_trained() -> None:
    grid = {"arms": ["seq2seq", "uni-path"], "train_sizes": [50], "budgets": ["1e4 target_tokens"], "seeds": [0]}
    with pytest.raises(ParameterError, match="arms have no budget of FLOPs, from which the best is chosen"):
        runs.plan(grid)
    assert runs.plan({**grid, "budgets": ["1e4 target_tokens", "1e9 flops"]})


def test_where_a_rate_is_chosen_the_baseline_may_have_any() -> None:
    arms = ["seq2seq at 1e9 flops", "seq2seq, learning_rate=0.01", "uni-path"]
    gold = "uni-path-merged, strategy=gold at 2e9 flops"  # where only the seq2seq with a rate of its own is
    others = [[50], ["1e9 flops", "2e9 flops"], [0]]

    def cells(step: str) -> list[runs.Cell]:
        names = runs.OF_SEVERAL[step]
        return runs.cells(runs.plan(dict(zip(names, [[*arms, gold], *others], strict=True)))[-1])

    assert len(cells("efficiency")) == len(cells("rates")) == 6
    with pytest.raises(ParameterError, match="without 'seq2seq'"):
        cells("sensitivity")


@pytest.mark.parametrize(
    ("arm", "usual"),
    [
        ("uni-path", "uni-path"),
        ("uni-path-merged, strategy=gold, beta=2", "uni-path-merged"),
        ("seq2seq, model=micro, init=seq2seq", "seq2seq"),
        ("uni-path, strategy=gold, steps_to=4, longest_learned=2", "uni-path, steps_to=4, longest_learned=2"),
    ],
)
def test_a_variant_differs_from_its_usual_arm_in_anything_but_the_data(arm: str, usual: str) -> None:
    assert read_arm(arm).usual == usual


def test_a_sensitivity_that_varies_nothing_is_refused_before_any_work() -> None:
    lists = {"variant_sizes": [50], "variant_budgets": ["1e9 flops"], "variant_seeds": [0]}
    for variants in (["seq2seq", "uni-path"], ["seq2seq", "uni-path-merged, strategy=gold"]):
        with pytest.raises(ParameterError, match="variants varies nothing.*'uni-path-merged, strategy=gold' does from"):
            runs.plan({**lists, "variants": variants})
    apart = ["seq2seq", "uni-path-merged at 1e9 flops", "uni-path-merged, strategy=gold"]
    with pytest.raises(ParameterError, match=r"'uni-path-merged, strategy=gold' without 'uni-path-merged', .* at 2e9"):
        runs.plan({**lists, "variants": apart, "variant_budgets": ["1e9 flops", "2e9 flops"]})
    named = ["seq2seq", "uni-path-merged, learning_rate=6e-3", "uni-path-merged, strategy=gold"]
    assert len(runs.cells(runs.plan({**lists, "variants": named})[-1])) == 3


def test_an_experiment_that_compares_nothing_is_refused_before_any_work() -> None:
    grid = {"train_sizes": [50], "budgets": ["1e9 flops"], "seeds": [0]}
    for arms in (["seq2seq"], ["seq2seq", "seq2seq, model=micro"]):
        with pytest.raises(ParameterError, match="arms compares nothing: add one beside the baseline"):
            runs.plan({**grid, "arms": arms})
    assert runs.plan({**grid, "arms": ["seq2seq", "lookup"]})


def test_a_grid_holds_an_arm_that_goes_on_against_the_control_that_does() -> None:
    grid = {"train_sizes": [50], "budgets": ["1e9 flops"], "seeds": [0]}
    with pytest.raises(ParameterError, match="'uni-path, init=seq2seq' without 'seq2seq, init=seq2seq'"):
        runs.plan({**grid, "arms": ["seq2seq", "uni-path, init=seq2seq"]})
    plan = runs.plan({**grid, "arms": ["seq2seq", "seq2seq, init=seq2seq", "uni-path, init=seq2seq"]})
    plain, control, arm = (cell.run.input("training") for cell in runs.cells(plan[-1]))
    assert control.input("training").key == arm.input("training").key == plain.key
    assert control.settings.training.budget == arm.settings.training.budget == plain.settings.training.budget


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tri-path", "begins with 'tri-path', but methods are answer-only"),
        ("uni-path, gold", "holds 'gold'.*such as strategy=gold"),
        ("uni-path, seed=1", "cannot set method, seed, train_size and budget"),
        ("uni-path, budget=1e12", "lists of the whole experiment"),
        ("uni-path, colour=red", "holds 'colour=red'"),
        ("uni-path, beta=1, beta=2", "sets beta twice"),
        ("lookup, strategy=gold", "trains nothing"),
        ("lookup, init=seq2seq", "trains nothing"),
    ],
)
def test_what_is_no_arm_is_refused(text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        read_arm(text)


def test_budgets_have_an_amount_and_a_unit() -> None:
    budget = read_budget("2e12 flops")
    assert budget.parameters == {"budget": 2e12, "budget_unit": "flops"}
    assert read_budget(budget.name) == budget
    assert read_budget("2e12 flops at 500") == Budget(2e12, "flops", 500) != budget
    assert read_budget("2e12 flops at 500").name == budget.name, "a table tells sizes apart in another column"
    no_size = ("2e12 flops at", "2e12 flops at ", "2e12 flops at all", "2e12 flops at -5", "2e12 at 500")
    for text in ("2e12", "flops", "0 flops", "-1 epochs", "3 days", "nan flops", *no_size):
        with pytest.raises(ParameterError, match="is no budget"):
            read_budget(text)


def _sizes_and_budgets(*budgets: str) -> list[tuple[int, str]]:
    grid = {"size": "smoke", "arms": ["seq2seq", "uni-path"], "train_sizes": [50, 60], "seeds": [0]}
    cells = runs.cells(runs.plan({**grid, "budgets": list(budgets)})[-1])
    places = [(cell.train_size, cell.budget.name) for cell in cells]
    assert places[: len(places) // 2] == places[len(places) // 2 :], "each arm has all of them"
    return places[: len(places) // 2]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1.6e13 flops", "16e12 flops"),
        ("4000000000000 flops", "4e12 flops"),
        ("3.2e6 target_tokens", "3.2e6 target_tokens"),
        ("4e5 target_tokens", "400e3 target_tokens"),
        ("2.5 epochs", "2.5 epochs"),
        ("20 epochs", "20 epochs"),
    ],
)
def test_a_budget_has_one_name_however_it_is_written(text: str, name: str) -> None:
    assert read_budget(text).name == name
    assert read_budget(name) == read_budget(text)


def test_a_budget_may_belong_to_one_training_set_size() -> None:
    both, large = (50, "1e9 flops"), (60, "1e9 flops")
    assert _sizes_and_budgets("1e9 flops") == [both, large]
    assert _sizes_and_budgets("1e9 flops", "4e9 flops at 60") == [both, large, (60, "4e9 flops")]
    assert _sizes_and_budgets("1e9 flops at 50", "4e9 flops at 60") == [both, (60, "4e9 flops")]


@pytest.mark.parametrize(
    ("budgets", "message"),
    [
        (("1e9 flops", "4e9 flops at 70"), r"budgets holds '4e9 flops at 70', but train_sizes are \[50, 60\]"),
        (("1e9 flops at 60",), "hold no budget for 50 of train_sizes"),
        (("1e9 flops", "10e8 flops at 60"), "budgets name '1e9 flops' more than once for 60"),
    ],
)
def test_sizes_and_budgets_that_do_not_belong_together_are_refused(budgets: tuple[str, ...], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        _sizes_and_budgets(*budgets)


def test_lists_of_arms_are_checked_with_all_other_parameters() -> None:
    problems = problems_of({"arms": ["seq2seq", "uni-pathh"], "budgets": ["much"], "train_sizes": [-1], "seeds": [0]})
    assert len(problems) == 3
    assert any("uni-pathh" in problem for problem in problems) and any("much" in problem for problem in problems)
