"""Sweeps: lists expand to runs, a change makes new only what depends on it, and a seed more is a seed more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ases import needs, runs
from ases.errors import ParameterError
from ases.execution import prepare
from ases.grids import GRIDS
from ases.parameters import load_file, notebook_path
from ases.reproduction import planned
from ases.settings import SIZES
from ases.sweeps import point_name, points
from tests import fake_project

BASE: dict[str, Any] = {"size": "quick", "methods": ["seq2seq", "dual-path"], "seeds": [0]}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASES_ROOT", str(tmp_path))
    monkeypatch.delenv("ASES_BUILD", raising=False)
    return fake_project.make(tmp_path)


def steps(plan: list[runs.Run]) -> dict[str, int]:
    names = [run.step for run in plan]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def added(more: dict[str, Any], to: dict[str, Any] = BASE) -> list[str]:
    """The steps of the runs that a change needs beyond those that are there."""
    there = {run.key for run in planned(to)}
    return sorted(run.step for run in planned({**to, **more}) if run.key not in there)


def test_lists_are_crossed_and_named() -> None:
    parameters = {**BASE, "beta": [0.8, 1.4], "strategy": ["entropy", "loss"]}
    made = points(parameters)
    assert [(one["beta"], one["strategy"]) for one in made] == [
        (0.8, "entropy"), (0.8, "loss"), (1.4, "entropy"), (1.4, "loss"),
    ]  # fmt: skip
    assert all(one["seeds"] == [0] and one["methods"] == BASE["methods"] for one in made)
    assert point_name(parameters, made[1]) == "beta=0.8, strategy=loss"
    assert points(BASE) == [BASE] and point_name(BASE, BASE) == ""


def test_points_share_the_runs_that_do_not_differ() -> None:
    plan = planned({**BASE, "beta": [0.8, 1.0, 1.4]})
    # seq2seq, which scores too, does not know beta
    wanted = {"data": 1, "training": 4, "generation": 4, "scoring": 1, "comparison": 3}
    assert steps(plan) == wanted and len({run.key for run in plan}) == len(plan)
    places = {run.key: number for number, run in enumerate(plan)}
    assert all(places[one.key] < places[run.key] for run in plan for one in run.inputs)
    betas = [run.settings.segmentation.beta for run in plan if run.step == "comparison"]
    assert betas == [0.8, 1.0, 1.4]


def test_a_changed_parameter_makes_anew_what_depends_on_it_and_nothing_else() -> None:
    whole = {**BASE, "study_data": ["generated"], "scorer_seeds": [0]}
    assert added({"beta": 1.1}, whole) == ["comparison", "generation", "results", "segmentation", "training"]
    assert "data" not in added({"learning_rate": 0.1}) and "data" in added({"train_size": 50})
    assert added({"beta": [1.4]}) == []  # the default, said aloud


def test_a_seed_more_runs_one_seed() -> None:
    # each method is trained and generates once more; the new seed's seq2seq scores for it
    assert added({"seeds": [0, 1]}) == ["comparison", "generation", "generation", "scoring", "training", "training"]
    assert added({"beta": [1.0]}, {**BASE, "beta": [0.8]}) == ["comparison", "generation", "training"]


def test_without_a_study_of_segmentation_a_plan_ends_with_the_comparison() -> None:
    assert planned(BASE)[-1].step == "comparison"
    assert planned({**BASE, "study_data": ["generated"], "scorer_seeds": [0]})[-1].step == "results"
    with pytest.raises(ParameterError, match="scorer_seeds"):
        planned({**BASE, "study_data": ["generated"]})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"beta": []}, "beta is an empty list"),
        ({"beta": [1.0, 1.0]}, "beta names 1.0 more than once"),
        ({"beta": [1.0, "high"]}, "beta must be float or None, but is the text 'high'"),
        ({"beta": [1.0, -1.0]}, "beta is -1.0"),
        ({"strategy": ["entropy", "entrpy"]}, "strategy is 'entrpy'"),
        ({"strategy": ["entropy", "none"]}, "strategy none has no labels"),
        ({"size": ["quick", "smoke"]}, "size is not swept"),
        ({"seed": [0, 1]}, "write seeds"),
        ({"method": ["seq2seq"]}, "write methods"),
        ({"seed": 1}, "write seeds"),
        ({"learning_rte": 1.0}, "did you mean learning_rate"),
    ],
)
def test_what_cannot_be_swept_is_refused_before_any_work(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        planned({**BASE, **given})


def test_a_key_that_no_run_depends_on_is_refused() -> None:
    with pytest.raises(ParameterError, match="beta changes nothing here: no run depends on it"):
        planned({**BASE, "methods": ["seq2seq"], "beta": 1.0})
    planned({**BASE, "beta": 1.0})


def test_one_notebook_of_a_sweep_needs_a_choice() -> None:
    training, sweep = notebook_path("04_training"), {**BASE, "beta": [0.8, 1.0], "max_rounds": [1, 2]}
    with pytest.raises(ParameterError, match="sweeps over beta, and .*: choose, such as -p beta=0.8"):
        prepare(training, sweep, {"method": "dual-path"})
    run, values = prepare(training, sweep, {"method": "dual-path", "beta": 1.0})
    assert values["beta"] == 1.0 and run.settings.segmentation.beta == 1.0


def test_a_thousand_runs_ask_for_each_setting_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = needs.settings_for
    monkeypatch.setattr(needs, "settings_for", lambda values: asked.append(1) or real(values))
    plan = runs.plan({**BASE, "seeds": list(range(25)), "beta": [round(0.5 + 0.1 * step, 1) for step in range(20)]})
    assert len(plan) > 1000
    assert len(asked) < 15 * len(plan)  # work grows with the plan, not with its square


SHIPPED = sorted((fake_project.PROJECT / "params").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_key_of_every_shipped_file_is_known_and_used(path: Path, monkeypatch: pytest.MonkeyPatch, real) -> None:
    monkeypatch.setenv("ASES_ROOT", str(fake_project.PROJECT))
    parameters = load_file(path)
    if parameters.get("data_folder"):
        parameters["data_folder"] = str(real)
        monkeypatch.setattr("ases.reproduction._check_data", lambda plan: None)  # reading it is another test's
    if path.stem == "benchmark":
        assert runs.run_for("performance", parameters).parameters == parameters
        return
    plan = planned(parameters)  # refuses what is unknown or changes nothing
    assert plan[-1].step in ("comparison", "results", "start", *GRIDS)
    assert parameters["size"] in SIZES
    assert parameters.get("data", "generated") in {run.settings.data.data for run in plan}
