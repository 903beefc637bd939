"""Kill a workflow, with every process that it started, at a moment that is watched for; and look at what it left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from ases.execution import PARTIAL
from ases.folders import Run
from ases.provenance import file_hash

MEASURED = {"measured.json", "log.jsonl", "events.jsonl"}
"""Files of a run that hold times, by name: no two executions agree on them."""


def start(folder: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    """``python -m ases reproduce ...``, its output in ``<folder>/killed.log``."""
    command = [sys.executable, "-m", "ases", "reproduce", *arguments]
    with (folder / "killed.log").open("a") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, text=True)


def kill(process: subprocess.Popen[str], first: Iterable[int] = ()) -> None:
    """Kill -9 the whole tree, ``first`` before all others, and wait until nothing of it is left."""
    for pid in first:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with suppress(psutil.NoSuchProcess):
        tree = psutil.Process(process.pid)
        family = [*tree.children(recursive=True), tree]
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(family, timeout=30)
    process.wait(30)


def worker_of(run: Run) -> int | None:
    """The process that executes a run's notebook, by what it wrote into the lock; None where there is none."""
    try:
        pid = int(run.path("running.lock").read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def kernel_of(pid: int | None) -> list[int]:
    """The processes under a worker: its kernel, and what that started."""
    try:
        return [] if pid is None else [one.pid for one in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def torn(run: Run) -> bool:
    """Whether the notebook that is being written is cut short just now."""
    try:
        json.loads(run.path(PARTIAL).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False


def wait_for(process: subprocess.Popen[str], happens: Callable[[], bool], seconds: float) -> bool:
    """Watch without pause until something happens; False where the workflow ends, or the time, before it does."""
    until = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > until or process.poll() is not None:
            return False
    return True


def contents(plan: Iterable[Run]) -> dict[str, object]:
    """What a plan's runs hold, but times: numbers and the hash of each file, by run."""
    found = {}
    for run in plan:
        manifest = run.manifest()
        files = {name: of for name, of in manifest["files"].items() if Path(name).name not in MEASURED}
        found[run.folder.name] = (manifest["numbers"], manifest["inputs"], files)
    return found


def half_written(plan: Iterable[Run]) -> list[str]:
    """Files that no finished run may hold: cut short, temporary, or other than their manifest says."""
    wrong = []
    for run in plan:
        for path in run.folder.rglob("*"):
            if path.name.endswith((".partial", ".part.ipynb", ".tmp")):
                wrong.append(f"{path} is left")
            if path.suffix in (".json", ".ipynb"):
                try:
                    json.loads(path.read_text(encoding="utf-8"))
                except ValueError:
                    wrong.append(f"{path} is cut short")
        for name, of in run.manifest()["files"].items():
            if file_hash(run.path(name)) != of:
                wrong.append(f"{run.path(name)} is not what its manifest says")
    return wrong


def made_at(plan: Iterable[Run]) -> dict[str, int]:
    """When each finished run's manifest was written."""
    return {run.key: run.manifest_path.stat().st_mtime_ns for run in plan if run.manifest_path.is_file()}
