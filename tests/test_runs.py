"""Run folders: equal work has one key, unequal work another, and done means whole."""

from __future__ import annotations

import json
from pathlib import Path

import pandas
import pytest

from ases import needs, parameters, runs
from ases.errors import DataError, ParameterError, RunError
from ases.folders import MEASURED, STEPS
from ases.grids import GRIDS
from ases.provenance import code_hash, notebook_code
from ases.settings import METHODS
from tests import fake_project


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASES_ROOT", str(tmp_path))
    monkeypatch.delenv("ASES_BUILD", raising=False)
    return fake_project.make(tmp_path)


STUDY = {"study_data": ["generated"], "scorer_seeds": [0]}


def key(step: str, **given: object) -> str:
    return runs.run_for(step, given).key


@pytest.mark.parametrize("method", ["answer-only", "seq2seq", "uni-path"])
def test_a_training_without_labels_does_not_depend_on_them(method: str) -> None:
    run = runs.run_for("training", {"method": method, "beta": 1.1, "strategy": "similarity"})
    assert run.key == key("training", method=method)
    assert [one.step for one in run.inputs] == ["data"]
    assert run.parameters == {"method": method}
    assert run.settings == runs.run_for("training", {"method": method}).settings


@pytest.mark.parametrize("method", ["uni-path-merged", "dual-path", "dual-path-merged"])
def test_a_training_with_labels_depends_on_them(method: str) -> None:
    run = runs.run_for("training", {"method": method, "beta": 1.1})
    assert run.key != key("training", method=method)
    assert [one.step for one in run.inputs] == ["data", "scoring"]
    assert run.parameters == {"method": method, "beta": 1.1}
    assert run.input("scoring").key == key("scoring")  # another beta labels the same scores anew
    for given in ({"strategy": "similarity"}, {"strategy": "location"}, {"strategy": "random", "random_of": "gold"}):
        assert [one.step for one in runs.run_for("training", {"method": method, **given}).inputs] == ["data"]


def test_what_changes_a_key_and_what_does_not() -> None:
    base = key("training", method="seq2seq")
    assert base == key("training", method="seq2seq", max_rounds=3)  # generation comes after
    assert base == key("training", method="seq2seq", budget=3.5e12)  # the size's own value, said aloud
    assert base == key("training", method="seq2seq", seed=0, data_folder="anywhere")
    assert base != key("training", method="seq2seq", seed=1)
    assert base != key("training", method="seq2seq", data_seed=1)
    assert base != key("training", method="seq2seq", size="smoke")
    assert key("training", warmup=0) == key("training", warmup=0.0)
    assert key("generation", max_rounds=3) != key("generation")
    assert key("data", size="quick", beta=1.1) == key("data", seed=3)


def test_the_scorer_is_the_seq2seq_of_the_same_seed() -> None:
    scored = runs.run_for("scoring", {"seed": 2, "method": "dual-path", "beta": 1.1})
    assert scored.input("training").bits == "seq2seq-seed2"
    assert scored.input("training").key == key("training", method="seq2seq", seed=2)
    assert "method" not in scored.parameters and "beta" not in scored.parameters
    control = runs.run_for("training", {"method": "dual-path", "strategy": "random", "random_of": "loss"})
    assert control.input("scoring").key == key("scoring")
    gain = runs.run_for("training", {"method": "dual-path", "strategy": "information_gain"}).input("scoring")
    assert gain.key == key("scoring", scorer="answer-from-prefix") != key("scoring")
    assert gain.input("training").settings.training.method == "answer-from-prefix"
    assert gain.parameters == {"scorer": "answer-from-prefix"}


def test_a_cross_fitted_scoring_has_a_scorer_for_each_fold() -> None:
    scored = runs.run_for("scoring", {"folds": 3, "seed": 1})
    parts = [one.settings.training.left_out for one in scored.all("training")]
    assert parts == ["1/3", "2/3", "3/3"]
    assert len({one.key for one in scored.all("training")} | {key("training", method="seq2seq", seed=1)}) == 4
    assert scored.key == key("scoring", folds=3, seed=1) != key("scoring", seed=1)
    trained = runs.run_for("training", {"method": "dual-path", "folds": 3, "seed": 1})
    assert trained.input("scoring").key == scored.key
    with pytest.raises(ParameterError, match="left_out"):
        key("training", left_out="4/3")


def test_the_study_of_segmentation_has_all_scorers_on_all_data() -> None:
    study = runs.run_for("segmentation", {"study_data": ["generated", "reports"], "scorer_seeds": [0, 1]})
    named = [(one.settings.data.data, one.settings.scoring.scorer, one.settings.training.seed) for one in study.inputs]
    scorings = [name for name, one in zip(named, study.inputs, strict=True) if one.step == "scoring"]
    assert scorings == [
        ("generated", "seq2seq", 0),
        ("generated", "answer-from-prefix", 0),
        ("generated", "seq2seq", 1),
        ("generated", "answer-from-prefix", 1),
        ("reports", "seq2seq", 0),  # reports have no answers to gain information about
        ("reports", "seq2seq", 1),
    ]
    assert study.inputs[2].key == key("scoring")
    both = {"study_data": ["generated", "reports"], "scorer_seeds": [0]}
    larger = runs.run_for("segmentation", {**both, "train_size": 50})
    sizes = {one.settings.data.data: one.settings.data.train_size for one in larger.all("data")}
    assert sizes == {"generated": 50, "reports": runs.run_for("data", {"data": "reports"}).settings.data.train_size}


def test_targets_marked_with_labels_need_them() -> None:
    run = runs.run_for("training", {"method": "uni-path", "typed": True, "beta": 1.1})
    assert [one.step for one in run.inputs] == ["data", "scoring"]
    assert run.key != key("training", method="uni-path", beta=1.1)
    assert run.input("scoring").key == key("scoring")  # its scorer has no labels to mark
    given = {"methods": ["seq2seq", "uni-path"], "seeds": [0], "typed": True}
    comparison = runs.run_for("comparison", given)
    typed = {one.settings.training.method: one.settings.training.typed for one in comparison.all("generation")}
    assert comparison.parameters["typed"] is True and typed == {"seq2seq": False, "uni-path": True}


@pytest.mark.parametrize(
    "given",
    [
        {"methods": ["uni-path", "dual-path"], "seeds": [0]},
        {"methods": ["seq2seq", "seq2seq"], "seeds": [0]},
        {"methods": ["seq2seq", "uni-path"], "seeds": [0, 0]},
    ],
)
def test_what_could_not_be_compared_is_refused_before_any_training(given: dict) -> None:
    with pytest.raises(ParameterError, match="twice|cannot be compared"):
        runs.plan({**given, **STUDY})


def test_inputs_are_found_near_before_far() -> None:
    run = runs.run_for("generation", {"method": "uni-path-merged", "seed": 1})
    assert run.input("training").bits == "uni-path-merged-seed1"  # not the scorer, which is further away
    assert run.input("data").step == "data"
    comparison = runs.run_for("comparison", {"methods": ["seq2seq", "dual-path"], "seeds": [0, 1]})
    assert len(comparison.all("generation")) == 4 and len(comparison.all("scoring")) == 2
    with pytest.raises(RunError, match="4 inputs from generation"):
        comparison.input("generation")


def test_a_plan_is_complete_ordered_and_without_repeats() -> None:
    plan = runs.plan({"methods": list(METHODS), "seeds": list(range(70)), **STUDY})
    # one data set; a seed: six trainings, six generations, one scoring; the study's scorer of answers and its scoring,
    # the study, comparison, own data and results
    assert len(plan) == 1 + 70 * 13 + 6 == len({run.key for run in plan}) == len({run.folder for run in plan})
    seen: set[str] = set()
    for run in plan:
        assert {one.key for one in run.inputs} <= seen
        seen.add(run.key)
    assert plan[0].step == "data" and plan[-1].step == "results"


def test_planned_runs_are_those_that_their_parameters_mean() -> None:
    given = {"methods": list(METHODS), "seeds": [0, 3], "beta": 1.2, "train_size": 50, "max_rounds": 9, "folds": 2}
    for run in runs.plan({**given, "study_data": ["reports", "generated"], "scorer_seeds": [0, 1]}):
        assert runs.run_for(run.step, run.parameters).key == run.key


def test_private_data_stays_where_it_lies(project: Path) -> None:
    path = project / "hospital" / "reports.csv"
    path.parent.mkdir()
    path.write_text("question,answer,qid\na,b,1\n", encoding="utf-8")
    given = {"data": "cpet", "data_folder": "hospital/reports.csv", "train_size": 1}
    for step in ("data", "training", "scoring", "generation"):
        run = runs.run_for(step, given)
        assert run.folder.parent == path.parent / "ases-build" / "runs", step
    assert runs.run_for("data", {}).folder.parent == project / "build" / "runs"


def test_collected_data_is_known_by_its_content_not_its_place(project: Path) -> None:
    record = {"question": "2 + 2?", "chain-of-thought": "2 + 2 = 4. The answer is 4.", "pred": 4, "answer": 4}
    keys = []
    for name, rows in (("one", [record]), ("two", [record]), ("three", [record, {**record, "question": "1 + 3?"}])):
        (project / name).mkdir()
        (project / name / "addsub_1.json").write_text(json.dumps(rows), encoding="utf-8")
        keys.append(key("data", size="real", data="llm_adapters_cot", data_folder=name))
    assert keys[0] == keys[1] != keys[2]
    run = runs.run_for("training", {"size": "real", "data": "llm_adapters_cot", "data_folder": "one"})
    assert run.settings.data.data_folder == str(project / "one")
    given = {"size": "real", "data": "llm_adapters_cot", "data_folder": "one"}
    lists = {"methods": ["seq2seq", "dual-path"], "seeds": [0], "study_data": ["llm_adapters_cot"], "scorer_seeds": [0]}
    steps = {one.step for one in runs.plan({**given, **lists})}
    assert steps == set(STEPS) - {MEASURED, "start", *GRIDS}
    for one in runs.plan({**given, **lists}):  # all of a file's parameters at once, as publishing has them
        again = runs.run_for(one.step, {**given, **lists, "method": "dual-path", "seed": 0})
        assert again.key == one.key or one.step in ("training", "generation", "scoring")
    with pytest.raises(DataError, match="nowhere"):
        key("data", size="real", data="llm_adapters_cot", data_folder="nowhere")


STARTS = {"starts": ["micro", "params/start/checkpoint"], "train_sizes": [8, 16], "start_methods": ["seq2seq"]}


def test_starts_are_compared_on_the_same_data_for_the_same_budget(project: Path) -> None:
    run = runs.run_for("start", {**STARTS, "seeds": [0, 1], "test_size": 9, "model": "tiny", "method": "uni-path"})
    arms = [(one.settings.data.train_size, one.parameters["model"], one.parameters["seed"]) for one in run.inputs]
    assert arms == [(size, start, seed) for size in (8, 16) for start in STARTS["starts"] for seed in (0, 1)]
    assert len(run.all("data")) == 2 and {one.settings.data.test_size for one in run.inputs} == {9}
    assert len({one.settings.training.budget for one in run.inputs}) == 1
    assert set(run.parameters) == {*STARTS, "seeds", "test_size"}, "model and method are the step's own affair"
    assert run.inputs[0].key == key("generation", method="seq2seq", model="micro", train_size=8, test_size=9)
    alone = runs.plan({**STARTS, "seeds": [0]})
    assert {one.step for one in alone} == {"data", "training", "generation", "start"} and alone[-1].step == "start"
    both = runs.plan({**STARTS, "seeds": [0], "methods": ["seq2seq"], **STUDY})
    assert both[-1].step == "results" and [one.key for one in both if one.step == "start"] == [alone[-1].key]
    with pytest.raises(ParameterError, match="needs train_sizes and start_methods"):
        runs.plan({"starts": ["nano"], "seeds": [0]})


def test_a_checkpoint_is_known_by_its_content_not_its_place(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, weights in (("one", b"w"), ("two", b"w"), ("other", b"v")):
        (project / name).mkdir()
        (project / name / "config.json").write_text('{"d_model": 64}')
        (project / name / "model.safetensors").write_bytes(weights)
    one, two, other = (key("training", model=name) for name in ("one", "two", "other"))
    assert one == two != other
    (project / "two" / "MODEL_CARD.md").write_text("Words about it.")
    assert key("training", model="two") == one
    run = runs.run_for("training", {"model": "one", "method": "seq2seq"})
    assert run.settings.training.model == str(project / "one"), "found from any working directory"
    run.figure_folder.mkdir(parents=True)
    run.finish()
    assert run.manifest()["settings"]["training"]["model"] == "one", "no place of this machine in what is published"
    assert runs.run_for("training", {"model": "google/t5"}).settings.training.model == "google/t5"
    assert runs.run_for("training", {}).settings.training.model == "nano"


def test_a_checkpoint_of_a_presets_shape_has_its_batch_and_learning_rate(project: Path) -> None:
    shape = {"d_model": 128, "num_layers": 2, "num_decoder_layers": 2, "d_ff": 512}
    for name, changed in (("ours", {}), ("wider", {"d_ff": 1024})):
        (project / name).mkdir()
        (project / name / "config.json").write_text(json.dumps(shape | changed))
    dials = {}
    for model in ("micro", "ours", "wider"):
        training = runs.run_for("training", {"model": model}).settings.training
        dials[model] = (training.batch_size, training.learning_rate)
    assert dials["ours"] == dials["micro"] != dials["wider"] == (64, 5e-4)


def test_going_on_from_the_whole_chain_model_needs_its_run() -> None:
    run = runs.run_for("training", {"method": "uni-path", "init": "seq2seq", "seed": 3})
    start = run.input("training")
    assert start.key == key("training", method="seq2seq", seed=3)
    assert run.key != key("training", method="uni-path", seed=3)
    labelled = runs.run_for("training", {"method": "dual-path", "init": "seq2seq"})
    assert labelled.input("training").key == labelled.input("scoring").input("training").key


def test_one_study_of_a_file_is_planned_alone() -> None:
    experiment = {"arms": ["seq2seq", "uni-path"], "train_sizes": [50], "budgets": ["1e10 flops"], "seeds": [0, 1]}
    rates = {"rate_arms": ["seq2seq"], "rate_sizes": [50], "rate_budgets": ["1e10 flops"], "rate_seeds": [0]}
    given = {"size": "smoke", **experiment, **rates}
    assert runs.only_for(given, []) == given
    assert runs.only_for(given, ["07_rates", "07_experiment"]) == given
    assert runs.only_for(given, ["07_experiment"]) == {"size": "smoke", **experiment}
    assert {run.step for run in runs.plan(runs.only_for(given, ["07_rates"]))} == {
        "data",
        "training",
        "generation",
        "rates",
    }
    starts = {"starts": ["seq2seq"], "start_methods": ["seq2seq"], "train_sizes": [50], "seeds": [0]}
    assert runs.only_for({**starts, **given}, ["07_start"]) == {"size": "smoke", **starts, "seeds": [0, 1]}
    with pytest.raises(ParameterError, match="do not end with 04_training, but with 07_experiment, 07_rates"):
        runs.only_for(given, ["04_training"])


def test_errors_of_plans() -> None:
    with pytest.raises(ParameterError, match="methods and seeds"):
        runs.plan({"size": "smoke"})
    with pytest.raises(ParameterError, match="no step"):
        runs.run_for("trainig", {})


def test_code_counts_and_comments_do_not(tmp_path: Path) -> None:
    package = tmp_path / "code"
    package.mkdir()
    outer, inner, other = (package / f"{name}.py" for name in ("outer", "inner", "other"))

    def hashed() -> str:
        code_hash.cache_clear()
        return code_hash(("outer",), package)

    outer.write_text("def f():\n    from ases.inner import g\n    return g()\n")
    inner.write_text('"""Text."""\nfrom ases import runs, settings\ndef g():\n    return 1\n')
    other.write_text("x = 1\n")
    before = hashed()
    inner.write_text(
        '"""Other text."""\nfrom ases import runs, settings  # why\n\n\ndef g():\n    "Doc."\n    return 1\n'
    )
    other.write_text("x = 2\n")
    assert hashed() == before
    inner.write_text('"""Text."""\nfrom ases import runs, settings\ndef g():\n    return 2\n')
    assert hashed() != before
    inner.unlink()
    with pytest.raises(RunError, match=r"missing\.py is missing"):
        code_hash(("missing",), package)


def test_a_notebooks_code_is_its_cells_and_the_modules_they_import(project: Path) -> None:
    path = project / "notebooks" / "09_new.ipynb"

    def hashed(*cells: str) -> str:
        fake_project.notebook(path, "data", 'size: str = "quick"', *cells)
        return notebook_code(path)

    base = hashed("x = 1")
    content = json.loads(path.read_text())
    content["cells"].append({"cell_type": "markdown", "id": "m", "metadata": {}, "source": "prose"})
    content["cells"][2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "out"}]
    content["cells"].insert(
        2, {**content["cells"][1], "metadata": {"tags": ["injected-parameters"]}, "source": "size = 1"}
    )
    path.write_text(json.dumps(content))
    assert notebook_code(path) == base
    assert hashed("x = 2") != base
    assert hashed("%matplotlib inline") != base  # no Python, yet code
    asked: list[tuple[str, ...]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ases.provenance.code_hash", lambda modules: asked.append(modules) or str(len(asked)))
        first = hashed("from ases.figures import save")
        assert asked == [("figures", "runs")]
        assert hashed("from ases.figures import save") != first  # a module has changed


def test_every_step_hashes_modules_that_exist() -> None:
    assert set(needs.ENTRIES) == set(STEPS)
    for step, modules in needs.ENTRIES.items():
        assert len(code_hash(modules)) == 64, step


def opened(**given: object) -> runs.Run:
    run = runs.run_for("data", given)
    run.figure_folder.mkdir(parents=True)
    return run


def test_done_means_manifest_and_files() -> None:
    run = opened(size="smoke")
    assert not run.is_done()
    run.path("model").mkdir()
    run.path("model/weights.bin").write_bytes(b"abc")
    run.path("notebook.part.ipynb").write_text("{}")
    run.progress("half", 0.5)
    assert not run.is_done()
    run.finish(accuracy=0.5, n=48)
    assert run.is_done()
    manifest = json.loads(run.manifest_path.read_text())
    sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of "abc", from FIPS 180-2
    assert manifest["files"] == {"model/weights.bin": sha}
    assert manifest["numbers"] == {"accuracy": 0.5, "n": 48}
    assert manifest["parameters"] == {"size": "smoke"} and manifest["settings"]["data"]["train_size"] == 96
    assert set(manifest["versions"]) >= {"python", "torch", "transformers", "ases"}
    assert manifest["machine"] and manifest["threads"] >= 1 and manifest["device"]
    run.path("model/weights.bin").unlink()
    assert not run.is_done()


def test_a_broken_or_foreign_manifest_is_not_done() -> None:
    run = opened(size="smoke")
    run.manifest_path.write_text('{"key": "' + run.key)
    assert not run.is_done()
    run.manifest_path.write_text('{"key": "other", "files": {}}')
    assert not run.is_done()
    with pytest.raises(RunError, match="another run"):
        run.manifest()


def test_finishing_again_with_the_same_result_leaves_the_manifest_alone() -> None:
    run = opened(size="smoke")
    run.finish(accuracy=0.5)
    before = run.manifest_path.stat().st_mtime_ns
    run.finish(accuracy=0.5)
    assert run.manifest_path.stat().st_mtime_ns == before
    run.finish(accuracy=0.6)
    assert run.manifest()["numbers"] == {"accuracy": 0.6}


def test_numbers_that_json_cannot_hold_are_refused() -> None:
    run = opened(size="smoke")
    for value in (float("nan"), object()):
        with pytest.raises(RunError, match="cannot be written"):
            run.finish(value=value)
    assert not run.is_done()


def test_opening_says_what_to_run_first_as_commands() -> None:
    namespace = {**runs.strict.defaults(runs.notebook_path("04_training")), "method": "dual-path", "size": "smoke"}
    with pytest.raises(RunError) as error:
        runs.open_run("training", namespace)
    assert "python -m ases run 02_data -p size=smoke\n" in str(error.value)
    assert "python -m ases run 03_scoring -p size=smoke -p seed=0" in str(error.value)
    with pandas.option_context("display.max_colwidth", 50):
        data = runs.open_run("data", {"size": "smoke"})
        assert pandas.get_option("display.max_colwidth") is None  # no reason in a table is cut
    assert data.figure_folder.is_dir()
    data.finish()
    assert runs.open_run("training", {**namespace, "method": "seq2seq"}).folder.is_dir()


def test_the_results_page_is_made_anew_when_another_real_table_is_published(project: Path) -> None:
    given = {"methods": ["seq2seq", "uni-path"], "seeds": [0], **STUDY}
    before = key("results", **given)
    table = project / "figures" / "real" / "06_comparison" / "comparison.csv"
    table.parent.mkdir(parents=True)
    table.write_text("method,accuracy\nseq2seq,0.5\n")
    assert key("results", **given) != before
    assert key("comparison", **given) == runs.run_for("results", given).inputs[0].key


@pytest.mark.parametrize("name", ["smoke", "start", "quick"])
def test_every_input_is_in_the_plan_under_its_own_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASES_ROOT", str(fake_project.PROJECT))  # a model may be named, or be the dial's own
    plan = runs.plan(parameters.load_file(fake_project.PROJECT / "params" / f"{name}.yaml"))
    folders = {run.folder for run in plan}
    assert len(folders) == len(plan) and all(one.folder in folders for run in plan for one in run.inputs)


def test_a_checkpoint_under_two_paths_is_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASES_ROOT", str(fake_project.PROJECT))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text('{"d_model": 8}')
    places = [str(tmp_path / name) for name in ("one", "two")]
    starts = {"starts": places, "train_sizes": [8], "start_methods": ["seq2seq"]}
    plan = runs.plan({"size": "smoke", "seeds": [0], **starts})
    folders = {run.folder for run in plan}
    assert len(folders) == len(plan) == len({run.key for run in plan})
    assert all(one.folder in folders for run in plan for one in run.inputs)


GRID = {"arms": ["seq2seq", "uni-path-merged, strategy=gold", "lookup"], "train_sizes": [50, 100]}
GRID |= {"budgets": ["1e12 flops", "5e4 target_tokens"], "seeds": [0, 1]}


def test_a_grid_crosses_arms_sizes_budgets_and_seeds() -> None:
    plan = runs.plan(GRID)
    last = plan[-1]
    assert last.step == "experiment" and last.bits == "3x2x2x2"
    cells = runs.cells(last)
    assert len(cells) == 2 * 2 * 2 * 2 + 2  # the lookup trains nothing: one cell a training set
    assert {cell.run.step for cell in cells} == {"generation", "data"}
    assert {cell.run.key for cell in cells} <= {one.key for one in last.inputs}
    for cell in cells:
        assert cell.run.settings.data.train_size == cell.train_size
        if cell.seed is None:
            assert (cell.arm.name, cell.budget) == ("lookup", None)
            continue
        training = cell.run.input("training").settings.training
        assert (training.method, training.seed) == (cell.arm.method, cell.seed)
        assert (training.budget, training.budget_unit) == (cell.budget.amount, cell.budget.unit)
        assert cell.run.settings.segmentation.strategy == cell.arm.parameters.get("strategy", "entropy")


def test_another_seed_of_a_grid_adds_its_own_runs_only() -> None:
    before = {run.key for run in runs.plan(GRID)}
    added = [run for run in runs.plan({**GRID, "seeds": [0, 1, 2]}) if run.key not in before]
    assert {run.step for run in added} == {"training", "generation", "experiment"}
    assert all(run.settings.training.seed == 2 for run in added[:-1])
    alone = runs.run_for("generation", {"method": "seq2seq", "train_size": 50, "budget": 1e12, "seed": 0})
    assert alone.key in before  # a cell is the run that anybody else would name so


def test_a_grid_needs_the_baseline_of_each_arm() -> None:
    with pytest.raises(ParameterError, match="'uni-path' without 'seq2seq', which it is compared with"):
        runs.plan({**GRID, "arms": ["uni-path"]})
    with pytest.raises(ParameterError, match="without 'seq2seq, steps_to=3'"):
        runs.plan({**GRID, "arms": ["seq2seq", "uni-path, steps_to=3"]})
    with pytest.raises(ParameterError, match="needs budgets, each a list"):
        runs.plan({name: value for name, value in GRID.items() if name != "budgets"})
