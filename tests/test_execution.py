"""One notebook: refused before any work, told in plain words when it fails, finished only when whole."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import papermill
import pytest

from ases import runs
from ases.errors import ParameterError, RunError
from ases.execution import NotebookError, execute, incomplete, is_locked, locked, prepare, state
from ases.parameters import notebook_path
from tests import fake_project

WAIT = """\
import pathlib
import time
if train_size == 1:
    raise ValueError("no luck\\nat all")
if train_size == 2:
    from ases.errors import DataError
    raise DataError("mine.csv, line 3: no answer")
if train_size == 3:
    run.path("sleeping").touch()
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in fake_project.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ASES_BUILD", raising=False)
    folder = fake_project.make(tmp_path)
    fake_project.notebook(
        folder / "notebooks" / "02_data.ipynb", "data", fake_project.COMMON, WAIT, fake_project.WORK, fake_project.LAST
    )
    return folder


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "04_training", "-p", "beta=0"], "beta is 0, but must be above 0"),
        (["run", "04_training", "-p", "strategy=entrpy"], "strategy is 'entrpy', but must be one of entropy"),
        (["run", "04_training", "-p", "bta=1"], "unknown parameter bta (did you mean beta?)"),
        (["run", "04_training", "-p", "data=llm_adapters_cot", "-p", "data_folder=nowhere"], "nowhere is not there"),
        (["run", "04_training", "-f", "nofile.yaml"], "cannot read parameter file"),
        (["run", "04_training"], "python -m ases run 02_data -p size=quick"),
        (["run", "4_training"], "did you mean 04_training?"),
        (["reproduce", "-p", "methods=[sq2seq]"], "did you mean seq2seq?"),
        (["reproduce", "-p", "beta=-1"], "beta is -1"),
        (["reproduce", "-p", "strategy=none", "-p", "methods=[dual-path]"], "strategy none has no labels"),
        (["reproduce", "-p", "data=llm_adapters_cot", "-p", "data_folder=nowhere"], "nowhere is not there"),
        (["publish"], "not done: 02_data"),
    ],
)
def test_problems_are_told_before_any_work(
    project: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from ases.__main__ import main

    assert main(arguments) == 2
    printed = capsys.readouterr().err
    assert said in printed and "Traceback" not in printed
    assert not list((project / "build").rglob("*.ipynb"))


def test_the_command_line_itself_shows_no_traceback(project: Path) -> None:
    done = fake_project.ases(project, "run", "04_training", "-p", "beta=0")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("wrong parameters for 04_training: beta is 0") and done.stderr.count("\n") == 1


def test_names_of_other_notebooks_are_set_aside_from_files_only() -> None:
    data = notebook_path("02_data")
    run, values = prepare(data, {"size": "smoke", "beta": 1.1, "methods": ["seq2seq"]}, {})
    assert values == {"size": "smoke"} and run.key == runs.run_for("data", {"size": "smoke"}).key
    with pytest.raises(ParameterError, match="unknown parameter beta"):
        prepare(data, {}, {"beta": 1.1})


def test_a_name_that_the_result_depends_on_is_never_set_aside(project: Path) -> None:
    path = project / "notebooks" / "02_data.ipynb"
    fake_project.notebook(path, "data", 'size: str = "quick"')
    with pytest.raises(ParameterError, match="02_data depends on train_size, but does not declare it"):
        prepare(path, {"train_size": 7}, {})


def test_a_whole_run_and_its_injected_cell(capsys: pytest.CaptureFixture[str]) -> None:
    data = notebook_path("02_data")
    run, values = prepare(data, {}, {"size": "smoke", "steps_to": None})
    path = execute(data, run, values)
    assert path == run.path("notebook.ipynb") and run.is_done() and state(run) == "done"
    assert incomplete(path) is None and not run.path("notebook.part.ipynb").exists()
    cells = json.loads(path.read_text())["cells"]
    added = [cell for cell in cells if "injected-parameters" in cell["metadata"].get("tags", [])]
    assert len(added) == 1 and "smoke" in "".join(added[0]["source"])
    assert "steps_to" not in "".join(added[0]["source"])  # what is the default is not passed
    assert "02_data generated-96: done in" in capsys.readouterr().out
    fake_project.notebook(data, "data", fake_project.COMMON, "print(1)", fake_project.LAST)
    assert state(run) == "stale"


@pytest.mark.parametrize(("train_size", "said"), [(1, "ValueError: no luck"), (2, "\n  mine.csv, line 3: no answer\n")])
def test_a_failing_cell_is_named_and_leaves_nothing_finished(
    train_size: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from ases.__main__ import main

    assert main(["run", "02_data", "-p", f"train_size={train_size}"]) == 1
    printed = capsys.readouterr().err
    assert "02_data stopped in its cell [4], which begins with `import pathlib`" in printed and said in printed
    assert "Traceback" not in printed and "notebook.part.ipynb" in printed
    run = runs.run_for("data", {"train_size": train_size})
    assert state(run) == "failed" and not run.path("notebook.ipynb").exists() and not run.is_done()


def test_of_asyncios_reports_only_a_dead_kernel_is_no_news(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    nbclient = pytest.importorskip("nbclient.exceptions", reason="papermill's, not ours")
    with pytest.raises(NotebookError, match="no luck"):
        execute(notebook_path("02_data"), runs.run_for("data", {"train_size": 1}), {"train_size": 1})
    for error in (nbclient.DeadKernelError("Kernel died"), ValueError("news")):
        logging.getLogger("asyncio").error("Task exception was never retrieved", exc_info=error)
    logging.getLogger("asyncio").error("news without an error")
    said = [record.exc_info[0].__name__ if record.exc_info else record.message for record in caplog.records]
    assert said == ["ValueError", "news without an error"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_is_not_finished_and_lets_go_of_its_folder(project: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-m", "ases", "run", "02_data", "-p", "train_size=3"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command,
        cwd=project,
        stdout=pipe,
        stderr=pipe,
        text=True,
        start_new_session=True,
        # A job in the background is born deaf to interrupts, and has to heed them all the same.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    run = runs.run_for("data", {"train_size": 3})
    ended = time.monotonic() + 120
    while not run.path("sleeping").exists() and process.poll() is None and time.monotonic() < ended:
        time.sleep(0.1)
    assert state(run) == "running"
    with pytest.raises(RunError, match=f"already running as pid {process.pid}"):
        execute(notebook_path("02_data"), run, {"train_size": 3})
    os.kill(process.pid, how)
    printed = process.communicate(timeout=60)[1]
    assert process.returncode == (130 if how == signal.SIGINT else -how)
    assert "Traceback" not in printed
    if how == signal.SIGINT:
        assert printed.startswith("interrupted") and printed.count("\n") == 1
    assert state(run) == "failed" and not run.path("notebook.ipynb").exists() and not run.is_done()


@pytest.mark.parametrize(
    ("given", "said"),
    [({"beeta": 1.0}, "unknown parameter beeta"), ({"keep_teacher_wrong": "false"}, "is the text 'false'")],
)
def test_plain_papermill_is_stopped_by_the_guard(project: Path, given: dict, said: str) -> None:
    source = project / "notebooks" / "02_data.ipynb"
    out = project / "out.ipynb"
    with pytest.raises(papermill.exceptions.PapermillExecutionError) as error:
        papermill.execute_notebook(str(source), str(out), given, progress_bar=False, cwd=str(project))
    assert error.value.ename == "ParameterError" and said in error.value.evalue
    assert not (project / "build").exists()


def test_a_lock_is_held_by_the_living_only(tmp_path: Path) -> None:
    path = tmp_path / "some.lock"
    path.write_text("1")  # left by the dead: nobody holds it
    assert not is_locked(path)
    with locked(path, "it"):
        assert is_locked(path) and path.read_text() == str(os.getpid())
        with pytest.raises(RunError, match=f"it is already running as pid {os.getpid()}"), locked(path, "it"):
            pass
    assert not is_locked(path)


def test_what_is_written_into_a_lock_replaces_what_stood_there(tmp_path: Path) -> None:
    path = tmp_path / "it.lock"
    path.write_text("a process of before, long dead")
    with locked(path, "it") as lock:
        assert path.read_text() == str(os.getpid())
        os.pwrite(lock, b"12345678, its workflow as pid 9", 0)
        with (
            pytest.raises(RunError, match="already running as pid 12345678, its workflow as pid 9$"),
            locked(path, "it"),
        ):
            pass


def test_executing_leaves_this_process_its_own_environment(project: Path) -> None:
    before = dict(os.environ)
    notebook, run, values = notebook_path("02_data"), *prepare(notebook_path("02_data"), {}, {"train_size": 4})
    execute(notebook, run, values)
    assert dict(os.environ) == before
