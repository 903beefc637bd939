"""The workflow from end to end on a project in miniature: done once, checked, published, and made anew where needed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from ases import runs
from ases.errors import ParameterError
from ases.execution import is_locked, state
from ases.reproduction import planned, to_do
from ases.verification import report
from tests import fake_project, killing

QUICK = {"size": "quick", "methods": ["seq2seq"], "seeds": [0], "study_data": ["generated"], "scorer_seeds": [0]}
# Both scorers are trained for the study of segmentation; the first is the seq2seq model of the comparison.
STEPS = "data training training scoring scoring segmentation generation comparison own_data results".split()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = fake_project.make(tmp_path_factory.mktemp("project"))
    # left by a killed Snakemake: a lock, which only `--unlock` takes away
    locks = folder / "build" / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    for name in ("0.input.lock", "0.output.lock"):
        target = runs_of(folder, lambda: runs.plan(QUICK)[0].manifest_path)
        (locks / name).write_text(f"{target.relative_to(folder / 'build')}\n")
    done = fake_project.ases(folder, "reproduce")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "first.txt").write_text(done.stdout + done.stderr)
    return folder


def runs_of(folder: Path, asked):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASES_ROOT", str(folder))
        patch.delenv("ASES_BUILD", raising=False)
        return asked()


def executed(folder: Path) -> list[str]:
    return (folder / "build" / "runs" / "executed.txt").read_text().split()


def test_it_runs_everything_once_and_prints_the_table_last(project: Path) -> None:
    order = executed(project)
    assert sorted(order) == sorted(STEPS)
    # what needs nothing of each other may come in any order
    for chain in (["data", "training", "generation", "comparison", "results"], ["training", "scoring", "segmentation"]):
        assert [order.index(step) for step in chain] == sorted(order.index(step) for step in chain)
    assert max(n for n, step in enumerate(order) if step == "scoring") < order.index("segmentation")
    assert order[-1] == "results"
    printed = (project / "first.txt").read_text()
    assert f"0 done, {len(STEPS)} to do" in printed and "Warning" not in printed and "WARNING" not in printed
    assert printed.index("Comparison (quick), accuracy") > printed.index("00_results 1x1: done")
    assert "no published table" in printed
    for folder in runs_of(project, lambda: [run.folder for run in runs.plan(QUICK)]):
        assert folder.parent == project / "build" / "runs"
        assert (folder / "notebook.ipynb").is_file() and (folder / "manifest.json").is_file()
    top = {path.name for path in project.iterdir()}
    assert top == {"ases", "build", "first.txt", "notebooks", "params", "Snakefile"}  # nothing beside build/


def test_killed_in_the_middle_it_goes_on_and_ends_the_same(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One kill of the whole tree, as a cell runs; make test-kill has ten, of real work."""
    folder = fake_project.make(tmp_path)
    parameters = {name: QUICK[name] for name in ("size", "methods", "seeds")}
    (folder / "short.yaml").write_text(json.dumps(parameters))
    arguments = [str(folder / "short.yaml"), "--cores", "1"]
    wanted = runs_of(project, lambda: killing.contents(runs.plan(parameters)))
    monkeypatch.setenv("ASES_ROOT", str(folder))
    monkeypatch.delenv("ASES_BUILD", raising=False)
    data, training, *_ = plan = runs.plan(parameters)
    process = killing.start(folder, fake_project.environment(folder), *arguments)
    assert killing.wait_for(process, training.path("trained.txt").is_file, 120), (folder / "killed.log").read_text()
    killing.kill(process, filter(None, [killing.worker_of(training)]))
    assert state(training) == "failed" and not is_locked(training.path("running.lock"))
    finished = killing.made_at(plan)
    assert list(finished) == [data.key]
    done = fake_project.ases(folder, "reproduce", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {key: made for key, made in killing.made_at(plan).items() if key in finished} == finished
    assert killing.half_written(plan) == [] and killing.contents(plan) == wanted
    assert [run.label for run in plan if state(run) != "done"] == []


def test_a_second_time_there_is_nothing_to_do(project: Path) -> None:
    before = executed(project)
    done = fake_project.ases(project, "reproduce")
    assert done.returncode == 0 and "nothing to do" in done.stdout and "seq2seq" in done.stdout
    assert executed(project) == before


def test_publish_then_verify_then_agreement(project: Path) -> None:
    assert fake_project.ases(project, "verify").returncode == 1
    done = fake_project.ases(project, "publish")
    assert done.returncode == 0, done.stderr
    for name in ("00_results", "02_data", "04_training", "05_generation", "06_comparison"):
        text = (project / "notebooks" / f"{name}.ipynb").read_text()
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
        assert str(project) not in text and "papermill" not in text and "injected" not in text
    for name in ("06_comparison/comparison.csv", "results/quick-predictions.parquet", "results/quick-manifest.json"):
        assert (project / "figures" / name).is_file()
    assert fake_project.ases(project, "verify").returncode == 0
    done = fake_project.ases(project, "reproduce")
    assert "nothing to do" in done.stdout  # published outputs are not code
    assert "seq2seq: identical" in done.stdout.splitlines()[-1]


def test_the_report_says_how_a_table_differs(project: Path) -> None:
    published = project / "figures" / "06_comparison" / "comparison.csv"
    manifest = project / "figures" / "results" / "quick-manifest.json"
    texts = published.read_text(), manifest.read_text()
    try:
        published.write_text(texts[0].replace("0.5,0.4,0.6", "0.45,0.35,0.55"))
        manifest.write_text(json.dumps({**json.loads(texts[1]), "machine": "Linux elsewhere"}))
        said = runs_of(project, lambda: report(QUICK, runs.plan(QUICK)))
        assert "seq2seq: within the published interval" in said and "another type of machine (Linux elsewhere;" in said
        published.write_text(texts[0].replace("0.5,0.4,0.6", "0.7,0.65,0.75"))
        assert "seq2seq: different" in runs_of(project, lambda: report(QUICK, runs.plan(QUICK)))
    finally:
        published.write_text(texts[0])
        manifest.write_text(texts[1])


def test_what_is_not_whole_is_to_do_with_all_that_follows(project: Path) -> None:
    def left() -> list[str]:
        return runs_of(project, lambda: [run.step for run in to_do(planned(QUICK))])

    assert left() == []
    generation = runs_of(project, lambda: runs.plan(QUICK)[2].folder)
    for name in ("trained.txt", "notebook.ipynb", "manifest.json"):
        content = (generation / name).read_bytes()
        (generation / name).unlink()
        assert left() == ["generation", "comparison", "results"], name
        (generation / name).write_bytes(content)
        if name == "manifest.json":  # written now, after what follows from it
            assert left() == ["comparison", "results"]


def test_a_changed_notebook_is_executed_again_in_the_same_folder(project: Path) -> None:
    time.sleep(0.01)
    path = project / "notebooks" / "00_results.ipynb"
    path.write_text(path.read_text().replace("run.finish(accuracy=0.5)", "run.finish(accuracy=0.25)"))
    done = fake_project.ases(project, "reproduce", "--cores", "1")
    assert done.returncode == 0, done.stderr
    # comparison, too: the test before this one has made its input anew
    assert executed(project)[len(STEPS) :] == ["comparison", "results"]
    assert runs_of(project, lambda: runs.plan(QUICK)[-1].manifest()["numbers"]) == {"accuracy": 0.25}


def test_a_failure_stops_with_its_reason_and_what_is_done_is_kept(project: Path) -> None:
    done = fake_project.ases(project, "reproduce", "-p", "max_rounds=7")
    path = project / "notebooks" / "05_generation.ipynb"
    assert done.returncode == 2 and "06_comparison depends on max_rounds" not in done.stdout
    assert "unknown parameter max_rounds" in done.stderr  # 06_comparison does not declare it: nothing is run
    text = path.read_text()
    path.write_text(text.replace("trained = run", "1 / 0\\ntrained = run"))
    try:
        done = fake_project.ases(project, "reproduce")
    finally:
        path.write_text(text)
    assert done.returncode == 2 and "ZeroDivisionError: division by zero" in done.stdout
    assert f"3 of {len(STEPS)} runs are not done, 1 failed" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    *lines, summary = fake_project.ases(project, "status").stdout.splitlines()
    states = [line.split()[0] for line in lines if not line.startswith(" ")]
    steps = runs_of(project, lambda: [run.step for run in runs.plan(QUICK)])
    wanted = {"generation": "failed", "comparison": "missing", "results": "missing"}
    assert states == [wanted.get(step, "done") for step in steps]
    said = "\n".join(lines)
    assert "cell [3], which begins with `1 / 0`:\n           ZeroDivisionError: division by zero" in said
    assert summary.startswith(f"{len(STEPS) - 3} done, 1 failed, 2 missing; ") and "none has finished yet" in summary


def test_what_goes_wrong_in_the_workflow_itself_is_told(project: Path) -> None:
    path, text = project / "Snakefile", (project / "Snakefile").read_text()
    path.write_text(text.replace("rule all:", "rule all"))
    try:
        done = fake_project.ases(project, "reproduce")
    finally:
        path.write_text(text)
    assert done.returncode == 2 and "The workflow says:" in done.stderr and "Snakefile" in done.stderr


def test_a_default_that_means_another_run_is_found_before(project: Path) -> None:
    path = project / "notebooks" / "04_training.ipynb"
    text = path.read_text()
    path.write_text(text.replace("learning_rate: float | None = None", "learning_rate: float = 0.1"))
    try:
        with pytest.raises(ParameterError, match="04_training declares a default other than"):
            runs_of(project, lambda: planned(QUICK))
    finally:
        path.write_text(text)


def test_the_benchmark_makes_what_it_needs_measures_and_publishes(project: Path) -> None:
    before = len(executed(project))
    done = fake_project.ases(project, "benchmark")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 runs to make" in done.stdout, "the whole-chain model is there, the uni-path one is not"
    assert executed(project)[before:] == ["training", "performance"]
    place = project / "figures" / "09_performance" / "scoring.measured.csv"
    assert place.read_text() == "a,seconds\n1,2\n"
    cells = json.loads((project / "notebooks" / "09_performance.ipynb").read_text())["cells"]
    assert [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"] == [1, 2, 3, 4, 5]
    place.write_text("published\n")
    done = fake_project.ases(project, "benchmark", "-p", "asked=5")
    assert done.returncode == 2 and "other parameters than the notebook's defaults" in done.stderr
    assert "measured: " in done.stdout and place.read_text() == "published\n", "what was measured stays in build/"
    assert fake_project.ases(project, "benchmark", "-p", "size=real").returncode == 2
    assert "performance" not in fake_project.ases(project, "status").stdout, "it is no part of what is reproduced"
