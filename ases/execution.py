"""Execute one notebook: checked before, whole or not at all.

The notebook is written under a temporary name and renamed once every cell has run and its run is finished, so a
``notebook.ipynb`` in a run folder is always a complete one. One process executes one notebook: papermill changes
the working directory, which is not safe for threads.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from ases import runs
from ases.errors import ParameterError, RunError
from ases.folders import STEPS, Run, build_folder
from ases.parameters import assignments, check, declared, defaults, read_notebook, root
from ases.progress import OFF
from ases.provenance import notebook_code
from ases.sweeps import swept

PARTIAL = "notebook.part.ipynb"
DURATION = "duration.json"
SECONDS_BETWEEN_LINES = 15.0


UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
ADVICE = (
    "Make room, or make the folder writable, or set ASES_BUILD to another one; what is finished is kept, and the same "
    "command goes on from there."
)


def unwritable(error: OSError) -> str | None:
    """A sentence for a disk that is full, a folder that is read-only, a quota or a limit; None for another error."""
    if error.errno not in UNWRITABLE:
        return None
    return f"cannot write {error.filename or 'into the output folder'}: {os.strerror(error.errno)}. {ADVICE}"


class NotebookError(RunError):
    """A notebook that failed while it ran."""


def prepare(
    notebook: Path, from_file: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[Run | None, dict[str, Any]]:
    """Check everything before any work; returns the run (None for a notebook that is no step) and its values.

    Names in ``from_file`` that only other notebooks declare are set aside, unless this notebook's result depends
    on them. ``given`` is strict. Raises ParameterError, DataError.
    """
    accepted = declared(notebook)
    chosen = {name: value for name, value in from_file.items() if name not in swept(from_file)}
    if open_lists := [name for name in swept(from_file) if name in accepted and name not in given]:
        raise ParameterError(
            f"the parameter file sweeps over {', '.join(open_lists)}, and one notebook is one run: choose, such as "
            + " ".join(f"-p {word}" for word in assignments({name: from_file[name][0] for name in open_lists}))
        )
    from_file = chosen
    values = {name: value for name, value in from_file.items() if name in accepted} | dict(given)
    check(notebook, values)
    step = next((step for step, name in STEPS.items() if name == notebook.stem), None)
    if step is None or notebook.parent != root() / "notebooks":
        return None, values
    complete = {**defaults(notebook), **values}
    run = runs.run_for(step, complete)
    # methods and seeds are those of other notebooks, and a size may be set by both
    lost = runs.run_for(
        step, {**complete, **{k: v for k, v in from_file.items() if k not in ("methods", "seeds")}, **given}
    )
    if lost.key != run.key:
        undeclared = ", ".join(name for name in from_file if name not in accepted and name in lost.parameters)
        raise ParameterError(f"{notebook.stem} depends on {undeclared}, but does not declare it as a parameter")
    return run, values


def execute(notebook: Path, run: Run | None, values: Mapping[str, Any], out: Path | None = None) -> Path:
    """Execute a notebook in its run's folder; returns the finished notebook.

    Only values other than the notebook's own defaults are passed, so that a run with the defaults has no injected
    cell. Raises RunError where inputs are not done, another process has the folder, a cell fails, or the notebook
    ends without finishing its run.
    """
    if run is not None:
        runs.check_inputs(run)
    folder = run.folder if run else build_folder() / "notebooks" / notebook.stem
    folder.mkdir(parents=True, exist_ok=True)
    label = run.label if run else notebook.stem
    own = defaults(notebook)
    passed = {name: value for name, value in values.items() if own[name] != value or type(own[name]) is not type(value)}
    partial, final = folder / PARTIAL, folder / "notebook.ipynb"
    with locked(folder / "running.lock", label):
        for old in (partial, final, folder / "progress.json"):
            old.unlink(missing_ok=True)
        start = time.monotonic()
        _say(label, "started")
        with _progress_of(folder / "progress.json", label):
            _papermill(notebook, partial, passed)
        problem = incomplete(partial)
        if problem:
            raise NotebookError(f"{label} did not run to its end ({problem}); what there is lies in {partial}")
        if run is not None and not run.is_done():
            raise NotebookError(
                f"{label} ran to its end without finishing this run: its last cell must call run.finish(...), and the "
                "library must not be edited meanwhile"
            )
        seconds = time.monotonic() - start
        if run is not None:
            _keep_duration(folder / DURATION, seconds)
        partial.replace(final)
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(final, out)
        _say(label, f"done in {_duration(seconds)}")
    return out or final


def _keep_duration(path: Path, seconds: float) -> None:
    # An execution that finds its work done, whole or half, says nothing about how long the work takes.
    with suppress(OSError, ValueError, KeyError, TypeError):
        seconds = max(seconds, json.loads(path.read_text(encoding="utf-8"))["seconds"])
    path.write_text(json.dumps({"seconds": round(seconds, 1)}) + "\n", encoding="utf-8")


def _papermill(notebook: Path, partial: Path, passed: Mapping[str, Any]) -> None:
    # It warns of every parameter whose type it cannot read, such as `float | None`; ours are checked already.
    logging.getLogger("papermill").setLevel(logging.ERROR)
    logging.getLogger("asyncio").addFilter(_worth_saying)
    with _kernel_environment():
        _with_retry(notebook, partial, passed)


def _worth_saying(record: logging.LogRecord) -> bool:
    """Whether a report of asyncio's is news: a task that still waits for a kernel we stopped finds it dead."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or kind.__name__ != "DeadKernelError"


@contextmanager
def _kernel_environment() -> Iterator[None]:
    """What kernels inherit; afterwards this process has its own environment back, for whatever it runs next."""
    before = os.environ.copy()
    package = str(Path(__file__).resolve().parents[1])
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # The kernel must use this Python and this package, whatever else is installed for the user.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.environ["PYTHONPATH"] = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ["ASES_ROOT"], os.environ["ASES_BUILD"] = str(root()), str(build_folder())
    os.environ[OFF] = "off"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _with_retry(notebook: Path, partial: Path, passed: Mapping[str, Any]) -> None:
    import papermill  # late: only this command needs it, and it takes a second to load
    from papermill.exceptions import PapermillExecutionError

    for attempt in (1, 2):
        try:
            papermill.execute_notebook(
                str(notebook),
                str(partial),
                parameters=dict(passed),
                kernel_name="python3",
                progress_bar=False,
                cwd=str(root()),
                start_timeout=120,
                # ipykernel 7 warns at each start that it talks over local TCP, and reports its own interruption
                extra_arguments=["--IPKernelApp.log_level=50"],
            )
            return
        except PapermillExecutionError as error:
            lines = [line for line in error.source.splitlines() if line.strip()]
            # An error of ours is a sentence for people; of another, the name says half of what is wrong.
            what = error.evalue if _is_ours(error.ename) else f"{error.ename}: {error.evalue}"
            first = lines[0] if lines else ""
            hint = f"\n  {ADVICE}" if any(os.strerror(number) in what for number in UNWRITABLE) else ""
            raise NotebookError(
                f"{notebook.stem} stopped in its cell [{error.exec_count}], which begins with `{first}`:\n"
                f"  {what}{hint}\nThe notebook up to there, with the whole report, is {partial}"
            ) from None
        except OSError as error:
            if problem := unwritable(error):
                raise NotebookError(f"{notebook.stem}: {problem}") from None
            raise
        except RuntimeError as error:
            # More kernels than cores: about one start in a hundred fails (and no cell has run then).
            if attempt == 2 or "ernel" not in str(error) or _any_executed(partial):
                raise NotebookError(f"{notebook.stem}: {error}. The notebook up to there is {partial}") from None
            _say(notebook.stem, "the kernel did not start; trying once more")


def _is_ours(name: str) -> bool:
    from ases import errors

    return isinstance(getattr(errors, name, None), type)


def _any_executed(path: Path) -> bool:
    return path.is_file() and any(cell.get("execution_count") for cell in read_notebook(path)["cells"])


def incomplete(path: Path) -> str | None:
    """What keeps an executed notebook from being complete, or None."""
    content = read_notebook(path)
    if not content.get("metadata", {}).get("papermill", {}).get("end_time"):
        return "papermill did not end"
    for number, cell in enumerate(content["cells"]):
        if cell["cell_type"] == "code" and "".join(cell["source"]).strip() and cell.get("execution_count") is None:
            return f"cell {number} was not executed"
    return None


def state(run: Run) -> str:
    """``done``, ``exported`` (drawn from figures/results), ``running``, ``failed``, ``stale`` or ``missing``.

    A stale one is done, but its notebook's code has changed since.
    """
    if is_locked(run.path("running.lock")):
        return "running"
    if run.is_done():
        manifest = run.manifest()
        if manifest.get("exported"):
            return "exported"
        if run.path("notebook.ipynb").is_file():
            return "done" if manifest["notebook"] == _code_of(run.notebook) else "stale"
    return "failed" if run.path(PARTIAL).is_file() else "missing"


def _code_of(notebook: str) -> str:
    path = runs.notebook_path(notebook)
    return _code_at(path, path.stat().st_mtime_ns)


@cache
def _code_at(path: Path, _changed: int) -> str:
    return notebook_code(path)


@contextmanager
def locked(path: Path, what: str) -> Iterator[int]:
    """Hold a lock file for the time of a block; gives its file descriptor.

    The system lets go of it when the process dies, however it dies. Raises RunError where another one holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not opened for appending: on Linux a later write at an offset would then be appended all the same.
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(f"{what} is already running as pid {file.read().strip() or 'unknown'}") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file.fileno()


def is_locked(path: Path) -> bool:
    """Whether a living process holds a lock file."""
    if not path.is_file():
        return False
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@contextmanager
def _progress_of(path: Path, label: str) -> Iterator[None]:
    ended = threading.Event()

    def watch() -> None:
        before = ""
        while not ended.wait(SECONDS_BETWEEN_LINES):
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                line = f"{content['message']} ({100 * content['done']:.0f} %)"
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if line != before:
                _say(label, line)
                before = line

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _say(label: str, text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {label}: {text}", file=sys.stdout, flush=True)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"
