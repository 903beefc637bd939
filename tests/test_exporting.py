"""Finished runs kept: no text, nothing private, drawn from where allowed, and made anew where weights are needed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from ases import exporting, runs
from ases.chains import Chain
from ases.errors import RunError
from ases.evaluation import evaluate_chains
from ases.examples import Example
from ases.execution import execute, state
from ases.exporting import export, restore, results_folder, results_table
from ases.parameters import load_file
from ases.reproduction import planned, prepared, to_do, waits_for
from ases.sources import load_llm_adapters
from ases.steps import first_errors, steps_of_chains
from tests import fake_project

LONG: dict[str, Any] = {"size": "gpu", "methods": ["seq2seq", "dual-path"], "seeds": [0], "beta": [0.8, 1.4]}
CHAINS = ["Two and two. The answer is 4.", "No idea.", "3 + 4 = 7"]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASES_ROOT", str(tmp_path))
    monkeypatch.delenv("ASES_BUILD", raising=False)
    return fake_project.make(tmp_path)


def finish(run: runs.Run) -> None:
    run.figure_folder.mkdir(parents=True, exist_ok=True)
    qids = ["a", "b", "c"]
    if run.step == "data":
        rows = {"qid": qids, "question": ["secret?"] * 3, "answer": ["4", "5", None]}
        pd.DataFrame(rows).to_parquet(run.path("test.parquet"))
    if run.step == "training":
        run.path("training.json").write_text('{"budget": [], "log": []}')
        pd.DataFrame({"flops": [1.0]}).to_parquet(run.path("points.parquet"))
        run.path("model.safetensors").write_bytes(b"weights")
        for name in ("esm", "asm") if run.settings.training.method.startswith("dual") else ("model",):
            run.path(name).mkdir(exist_ok=True)
            run.path(f"{name}/measured.json").write_text('{"seconds": 2.5, "peak_memory_mib": 800.0}')
    if run.step == "generation":
        table = pd.DataFrame({"qid": qids, "chain": CHAINS, "correct": [True, False, True], "bleu": [1.0, 2.0, 3.0]})
        table.to_parquet(run.path("predictions.parquet"))
        examples = [Example(qid, "3 and 4?", "3 + 4 = 7.", "7", "own") for qid in qids]
        steps_of_chains(table, examples).to_parquet(run.path("steps.parquet"))
        first_errors(table, examples).to_parquet(run.path("first_errors.parquet"))
    if run.step == "segmentation":
        run.figure_folder.joinpath("auc.csv").write_text("auc\n0.5\n")
        run.figure_folder.joinpath("auc.png").write_bytes(b"picture")
    fake_project.finish(run)


def finished(parameters: dict[str, Any] = LONG) -> list[runs.Run]:
    plan = planned(parameters)
    for run in plan:
        finish(run)
    return plan


def states(parameters: dict[str, Any] = LONG) -> list[tuple[str, str]]:
    return [(run.step, state(run)) for run in planned(parameters)]


def test_what_is_kept_has_labels_and_predictions_and_no_text(project: Path) -> None:
    plan = finished()
    written = export(plan)
    assert sorted(path.name.partition("-")[0] for path in written) == (
        ["generation"] * 3 + ["scoring"] + ["training"] * 3
    )
    place = next(path for path in written if path.name.startswith("generation-dual"))
    steps, first = (pd.read_parquet(place / f"{name}.parquet") for name in ("steps", "first_errors"))
    assert steps.to_dict("records") == [
        {"qid": "c", "step": 1, "arithmetic": True, "kind": "right", "after_right": True}
    ]
    assert first["kind"].tolist() == ["missing", "stopped", "none"]
    table = pd.read_parquet(place / "predictions.parquet")
    assert list(table.columns) == ["qid", "label", "prediction", "correct", "bleu"]
    assert table["label"].fillna("").tolist() == ["4", "5", ""]
    assert table["prediction"].fillna("").tolist() == ["4", "", ""]  # without an answer nothing is right or wrong
    kept = b"".join(path.read_bytes() for path in results_folder("gpu").rglob("*") if path.is_file())
    assert b"secret" not in kept and b"Two and two" not in kept and b"weights" not in kept
    assert str(project).encode() not in kept
    assert export(plan) == []  # appended once
    made = results_table("gpu")
    assert made["accuracy"].tolist() == [0.5] * 3 and sorted(made["beta"]) == [0.8, 1.4, 1.4]
    assert results_table("paper").empty


def test_only_finished_runs_are_kept() -> None:
    plan = planned(LONG)
    finish(plan[0])
    finish(plan[1])
    assert [path.name for path in export(plan)] == [plan[1].folder.name]


def took(folder: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(folder).parent): json.loads(path.read_text()) for path in folder.rglob("measured.json")
    }


def test_what_a_training_took_is_kept_beside_its_tables_and_asked_for_by_nothing(project: Path) -> None:
    plan = finished()
    written = {path.name: path for path in export(plan)}
    trainings = {run.settings.training.method: run for run in plan if run.step == "training"}
    place = written[trainings["dual-path"].folder.name]
    assert took(place) == dict.fromkeys(("esm", "asm"), {"seconds": 2.5, "peak_memory_mib": 800.0})
    assert list(took(written[trainings["seq2seq"].folder.name])) == ["model"]
    listed = json.loads((place / "manifest.json").read_text())["files"]
    assert sorted(listed) == ["points.parquet", "training.json"]
    (place / "esm" / "measured.json").write_text("{}")  # of another run: no table follows from it
    shutil.rmtree(place / "asm")
    shutil.rmtree(project / "build")
    run = next(run for run in prepared(LONG) if run.key == trainings["dual-path"].key)
    assert state(run) == "exported" and took(run.folder) == {}


def test_an_export_from_before_is_given_what_its_training_took_and_nothing_of_another(project: Path) -> None:
    plan = finished()
    export(plan)
    whole = {
        path: path.stat().st_mtime_ns for path in results_folder("gpu").rglob("*.*") if path.name != "measured.json"
    }
    places = sorted(results_folder("gpu").glob("training-*"))
    for path in results_folder("gpu").rglob("measured.json"):
        path.unlink()
    elsewhere = next(run for run in plan if run.step == "training" and run.folder.name == places[0].name)
    elsewhere.path("training.json").write_text('{"budget": [], "log": [1]}')  # other weights than those of the export
    assert sorted(export(plan)) == places[1:] and export(plan) == []
    assert not took(places[0]) and all(took(place) for place in places[1:])
    assert {path: path.stat().st_mtime_ns for path in whole} == whole, "the tables are as they were"


def test_what_was_kept_counts_as_done_in_another_clone(project: Path) -> None:
    export(finished())
    shutil.rmtree(project / "build")
    plan = prepared(LONG)
    now = {run.folder.name: state(run) for run in plan}
    assert {name.partition("-")[0] for name, found in now.items() if found == "exported"} == {
        "training", "scoring", "generation",
    }  # fmt: skip
    assert [run.step for run in to_do(plan)] == ["data", "comparison", "comparison"]
    generation = next(run for run in plan if run.step == "generation")
    assert pd.read_parquet(generation.path("predictions.parquet"))["bleu"].tolist() == [1.0, 2.0, 3.0]
    assert generation.manifest()["numbers"] == {"accuracy": 0.5}
    before = generation.manifest_path.stat().st_mtime_ns
    prepared(LONG)
    assert generation.manifest_path.stat().st_mtime_ns == before  # laid once
    for run in plan:  # a data run made later makes nothing that was drawn stale
        if state(run) == "missing":
            finish(run)
    assert to_do(plan) == []


def test_a_run_that_needs_weights_trains_anew_and_nothing_else(project: Path) -> None:
    export(finished())
    shutil.rmtree(project / "build")
    prepared(LONG)
    more = {**LONG, "seeds": [0, 1]}
    wanted = [run.step for run in to_do(prepared(more)) if run.settings.training.seed == 0]
    assert wanted == ["data", "comparison", "comparison"]
    further = {**LONG, "beta": [0.8, 1.4, 2.0]}  # its dual-path is labelled by the scores of the seq2seq model
    again = [(run.step, run.settings.training.method) for run in to_do(prepared(further)) if run.step != "comparison"]
    assert again == [
        ("data", "seq2seq"), ("training", "seq2seq"), ("scoring", "seq2seq"),
        ("training", "dual-path"), ("generation", "dual-path"),
    ]  # fmt: skip
    trained = next(run for run in prepared(further) if run.step == "training" and state(run) == "missing")
    assert trained.settings.training.method == "seq2seq"
    assert not [path for path in trained.folder.rglob("*") if path.is_file()], "a log there would be taken for its own"


def test_a_grid_waits_for_the_training_behind_an_exported_generation(project: Path) -> None:
    """The scorer's weights are needed again, so that its training has no tables meanwhile; its generation has."""
    export(finished())
    shutil.rmtree(project / "build")
    plan = prepared({**LONG, "beta": [0.8, 1.4, 2.0]})
    seq2seq = {run.step: run for run in plan if run.settings.training.method == "seq2seq" and run.step != "comparison"}
    assert state(seq2seq["generation"]) == "exported" and state(seq2seq["training"]) == "missing"
    assert waits_for(seq2seq["generation"]) == []
    for run in (one for one in plan if one.step == "comparison"):
        before = waits_for(run)
        assert seq2seq["training"] in before and set(run.inputs) <= set(before)
    (new,) = [run for run in plan if run.step == "training" and run.settings.segmentation.beta == 2.0]
    assert waits_for(new) == list(new.inputs), "of an input that is to be made, the workflow knows what it needs"


def test_a_table_taken_away_by_hand_is_laid_again(project: Path) -> None:
    export(finished())
    shutil.rmtree(project / "build")
    table = next(run for run in prepared(LONG) if run.step == "generation").path("predictions.parquet")
    before = table.read_bytes()
    table.unlink()
    prepared(LONG)
    assert table.read_bytes() == before


def test_a_results_page_is_drawn_from_exports_too(project: Path) -> None:
    """The segmentation on it is kept with the tables of its figures: nothing is trained or scored for it again."""
    whole = {**LONG, "beta": 1.4, "study_data": ["generated"], "scorer_seeds": [0, 1]}
    written = export(finished(whole))
    (kept,) = [path for path in written if path.name.startswith("segmentation")]
    assert sorted(path.name for path in kept.rglob("*.*")) == ["auc.csv", "manifest.json"]
    shutil.rmtree(project / "build")
    plan = prepared(whole)
    assert [run.step for run in to_do(plan)] == ["data", "comparison", "own_data", "results"]
    segmentation = next(run for run in plan if run.step == "segmentation")
    assert state(segmentation) == "exported" and (segmentation.figure_folder / "auc.csv").read_text() == "auc\n0.5\n"
    (kept / "figures" / "auc.csv").write_text("auc\n0.9\n")
    shutil.rmtree(project / "build")
    with pytest.raises(RunError, match="auc.csv is not what was exported"):
        prepared(whole)


def test_what_was_kept_with_fewer_tables_does_not_count_and_is_kept_anew(project: Path) -> None:
    plan = finished()
    export(plan)
    path = next(results_folder("gpu").glob("generation-seq2seq-*/manifest.json"))
    content = json.loads(path.read_text())
    del content["files"]["steps.parquet"]
    path.write_text(json.dumps(content))
    assert [one.name for one in export(plan)] == [path.parent.name] and export(plan) == []
    path.write_text(json.dumps(content))
    shutil.rmtree(project / "build")
    wanted = [(run.step, run.settings.training.method) for run in to_do(prepared(LONG))]
    assert ("generation", "seq2seq") in wanted and ("generation", "dual-path") not in wanted


def test_many_runs_kept_are_small(project: Path, real: Path) -> None:
    """Chains of real length, each another question's: a thousand such stay under 100 kB, fifty runs under 5 MB."""
    examples = load_llm_adapters(real).examples[:200]
    texts = [one.rationale for one in [*examples[1:], examples[0]]]
    chains = [
        Chain(one.qid, text, (("esm", text),), "end", len(text) % 9, len(text), len(text) // 4, flops=7**9 * len(text))
        for one, text in zip(examples, texts, strict=True)
    ]
    table = evaluate_chains(chains, examples).assign(method="dual-path-merged", seed=0)
    run = next(run for run in finished() if run.step == "generation")
    pd.DataFrame({"qid": [one.qid for one in examples], "answer": [one.answer for one in examples]}).to_parquet(
        run.input("data").path("test.parquet")
    )
    table.to_parquet(run.path("predictions.parquet"))
    steps_of_chains(table, examples).to_parquet(run.path("steps.parquet"))
    first_errors(table, examples).to_parquet(run.path("first_errors.parquet"))
    (place,) = export([run])
    kept = sum(path.stat().st_size for path in place.iterdir())
    assert len(pd.read_parquet(place / "predictions.parquet")) == len(examples) == 200
    assert kept < 20_000 + 0.08 * 200 * 1000, "what a file takes whatever it holds, and 80 bytes a chain"


def test_small_sizes_are_always_computed(project: Path) -> None:
    quick = {**LONG, "size": "quick"}
    export(finished(quick))
    shutil.rmtree(project / "build")
    assert {found for _, found in ((run.step, state(run)) for run in prepared(quick))} == {"missing"}
    assert restore(planned(quick))  # it could be: the size alone decides


def test_an_export_that_was_changed_is_refused(project: Path) -> None:
    export(finished())
    shutil.rmtree(project / "build")
    path = next(results_folder("gpu").glob("generation-*/predictions.parquet"))
    path.write_bytes(b"other")
    with pytest.raises(RunError, match="is not what was exported"):
        prepared(LONG)


def test_one_that_was_killed_while_exporting_is_exported_again() -> None:
    plan = finished()
    training = next(run for run in plan if run.step == "training")
    left = results_folder("gpu") / f"{training.folder.name}.partial"
    left.mkdir(parents=True)
    (left / "points.parquet").write_bytes(b"half")
    assert training.folder.name in [path.name for path in export(plan)]
    assert not left.exists()
    content = json.loads((results_folder("gpu") / training.folder.name / "manifest.json").read_text())
    assert sorted(content["files"]) == ["points.parquet", "training.json"]


def test_private_data_is_never_exported() -> None:
    private = SimpleNamespace(settings=SimpleNamespace(data=SimpleNamespace(data="cpet")))
    with pytest.raises(RunError, match="nothing that is computed from cpet is exported"):
        export([private])
    assert exporting.ALWAYS_COMPUTED == ("smoke", "quick")


COMPARED = ("size", "methods", "seeds", "study_data", "scorer_seeds")
GRID = ("size", "arms", "train_sizes", "budgets", "seeds")


@pytest.mark.parametrize(("names", "steps"), [(COMPARED, ("comparison", "results")), (GRID, ("experiment",))])
def test_pages_drawn_from_exports_have_the_same_tables_and_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], steps: tuple[str, ...]
) -> None:
    """Of real runs at their smallest size, which `make test` leaves in build/: no weights and no texts are needed."""
    monkeypatch.setenv("ASES_ROOT", str(fake_project.PROJECT))
    smoke = load_file(fake_project.PROJECT / "params" / "smoke.yaml")
    plan = planned({name: smoke[name] for name in names})
    pages = [run for run in plan if run.step in steps]
    if not all(run.is_done() for run in plan):
        pytest.skip("no finished runs of params/smoke.yaml in build/: make test makes them first")
    wanted = {path: path.read_bytes() for run in pages for path in run.figure_folder.iterdir()}
    monkeypatch.setattr(exporting, "results_folder", lambda size: tmp_path / "kept")
    monkeypatch.setattr(exporting, "state", lambda run: "done" if run.is_done() else "missing")  # whatever was edited
    export(plan)
    monkeypatch.setenv("ASES_BUILD", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(exporting, "state", state)
    restore(plan)
    for again in (run for run in plan if run.step in ("data", "own_data")):  # made anew, as elsewhere
        shutil.copytree(fake_project.PROJECT / "build" / "runs" / again.folder.name, again.folder)
    for run in pages:
        execute(runs.notebook_path(run.notebook), run, run.parameters)
    drawn = {path: path.read_bytes() for run in pages for path in run.figure_folder.iterdir()}
    assert {f"{path.parents[1].name}/{path.name}": content for path, content in drawn.items()} == {
        f"{path.parents[1].name}/{path.name}": content for path, content in wanted.items()
    }
    assert not [path for path in (tmp_path / "elsewhere").rglob("*") if path.suffix in (".safetensors", ".jsonl")]


def test_what_the_readme_recomputes_is_what_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASES_ROOT", str(fake_project.PROJECT))
    monkeypatch.setenv("ASES_BUILD", str(tmp_path / "build"))
    text = (fake_project.PROJECT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    path = tmp_path / "table.csv"
    code = re.sub(r"print\((.*)\.T\)", rf"\1.to_csv({str(path)!r})", code)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    columns = ["accuracy", "low", "high", "difference", "difference_low", "difference_high"]
    published = pd.read_csv(fake_project.PROJECT / "figures" / "07_experiment" / "budgets.csv")
    (size,) = re.findall(r'"train_sizes": \[(\d+)\]', code)
    there = (published["budget"] == "4e12 flops") & (published["train_size"] == int(size))
    wanted = published[there & published["arm"].isin(["seq2seq", "uni-path"])]
    found = pd.read_csv(path)
    assert found["arm"].tolist() == wanted["arm"].tolist()
    assert found[columns].to_numpy() == pytest.approx(wanted[columns].to_numpy(), rel=1e-5, nan_ok=True)
