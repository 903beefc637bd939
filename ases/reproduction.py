"""The whole workflow: every run of a parameter file, with everything checked before any work.

Snakemake orders and starts the runs (see ``Snakefile``); around it stand the checks, one lock, and a summary in
which a run that was interrupted, or whose notebook has changed since, counts as still to do.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ases import exporting, runs
from ases.errors import ParameterError, RunError
from ases.execution import PARTIAL, execute, is_locked, locked, prepare, state
from ases.folders import MEASURED, STEPS, Run
from ases.identities import check_models
from ases.needs import OF_SEVERAL
from ases.parameters import check, check_declared, defaults, joined, notebook_path, problems_of, root
from ases.settings import GENERATED
from ases.sweeps import points


def planned(parameters: Mapping[str, Any]) -> list[Run]:
    """All runs of a parameter file, checked: types, ranges, data, and that each notebook means the same run.

    Raises ParameterError or DataError.
    """
    check_declared(parameters, "the parameters")
    # The results page's own lists, beside those of its comparison, are asked for where it is planned.
    steps = ["comparison" if step == "results" else step for step in runs.last_steps(parameters)]
    asked = [OF_SEVERAL[step] for step in steps]
    absent = [name for name in dict.fromkeys(sum(asked, ())) if parameters.get(name) is None]
    problems = [f"{name} is not given: add a line such as `{name}: [...]`" for name in absent]
    if not problems:
        found = [text for point in points(parameters) for text in problems_of(point)]
        problems = list(dict.fromkeys(found))
    if problems:
        raise ParameterError(joined("wrong parameters", problems))
    plan = runs.plan(parameters)
    used = {name for run in plan for name in run.parameters}
    unused = [name for name, value in parameters.items() if value is not None and name not in used]
    if unused:
        problems = [f"{name} changes nothing here: no run depends on it" for name in unused]
        raise ParameterError(joined("wrong parameters", problems))
    for run in plan:
        notebook = runs.notebook_path(run.notebook)
        check(notebook, run.parameters)
        if runs.run_for(run.step, {**defaults(notebook), **run.parameters}).key != run.key:
            raise ParameterError(
                f"{run.notebook} declares a default other than the library's for a parameter that {run.label} depends "
                "on; make that default None in its parameters cell"
            )
    _check_data(plan)
    return plan


def prepared(parameters: Mapping[str, Any]) -> list[Run]:
    """All runs, checked, with those laid into their folders that can be drawn from earlier exports."""
    plan = planned(parameters)
    if exporting.drawn_sizes(plan):
        exporting.restore(plan)
    return plan


def waits_for(run: Run) -> list[Run]:
    """The runs that must be done before this one begins: its inputs, or none where it is drawn from what was exported.

    Of an input that is drawn from what was exported its own inputs count, too: a grid reads the budget and curve of the
    training behind each generation, and one that is trained anew for its weights has no tables until it is done.
    """
    found: dict[str, Run] = {}

    def visit(one: Run) -> None:
        for each in one.inputs:
            if each.key not in found:
                found[each.key] = each
                if state(each) == "exported":
                    visit(each)

    if state(run) != "exported":
        visit(run)
    return list(found.values())


def _check_data(plan: list[Run]) -> None:
    """Read every row of collected data, once: what is wrong with it is told before anything is trained."""
    for data in {run.key: run.settings.data for run in plan if run.step == "data"}.values():
        if data.data not in GENERATED:
            from ases import sources  # late: it loads datasets

            columns = dict(entry.split("=", 1) for entry in data.columns)
            for _ in sources.read_records(data.data, data.data_folder, columns=columns, language=data.language):
                pass


def to_do(plan: list[Run]) -> list[Run]:
    """The runs that are not done, or whose inputs are still to do or were made anew since."""
    waiting: dict[str, Run] = {}
    for run in plan:
        now = state(run)
        if now == "exported":  # needs nothing of its inputs any more
            continue
        if now != "done" or any(one.key in waiting for one in run.inputs) or _older(run):
            waiting[run.key] = run
    return list(waiting.values())


def _older(run: Run) -> bool:
    made = run.manifest_path.stat().st_mtime
    return any(one.manifest_path.stat().st_mtime > made for one in run.inputs)


def at_a_time(cores: int | None = None) -> int:
    """How many notebooks run beside each other: two, or fewer where there are fewer cores, unless said otherwise."""
    return cores or min(2, os.cpu_count() or 1)


def reproduce(parameters: Mapping[str, Any], cores: int | None = None) -> list[Run]:
    """Make every run that is not done yet; returns the plan. Raises RunError where a run fails, ModelError before any
    is begun where a model cannot be had.

    Only the runs made here count as done, never published files.
    """
    plan = prepared(parameters)
    cores = at_a_time(cores)
    home = plan[-1].home
    with locked(home / "reproduce.lock", f"a reproduction in {home}") as lock:
        waiting = to_do(plan)
        steps = Counter(run.notebook for run in plan)
        print(f"{len(plan)} runs: {', '.join(f'{count} of {name}' for name, count in sorted(steps.items()))}")
        if not waiting:
            print("nothing to do: all are done", flush=True)
            return plan
        check_models(run.settings.training.model for run in waiting if run.step == "training")
        print(f"{len(plan) - len(waiting)} done, {len(waiting)} to do, {cores} at a time", flush=True)
        for run in waiting:
            # Snakemake goes by the manifest alone: what is not whole must not have one. A failure of before is past.
            if not is_locked(run.path("running.lock")):
                run.manifest_path.unlink(missing_ok=True)
                run.path(PARTIAL).unlink(missing_ok=True)
        code = _snakemake(parameters, home, cores, lock)
        left = to_do(plan)
    if code or left:
        failed = [run for run in left if state(run) == "failed"]
        lines = [f"{len(left)} of {len(plan)} runs are not done, {len(failed)} failed (reasons above):"]
        lines += [f"  {run.label}: {run.path(PARTIAL)}" for run in failed]
        if not failed:
            said = _report_path(home).read_text(encoding="utf-8", errors="replace")
            lines = [f"{len(left)} of {len(plan)} runs are not done. The workflow says:", said]
        raise RunError("\n".join([*lines, "What is done is kept; the same command goes on from here."]))
    return plan


def benchmark(from_file: Mapping[str, Any], given: Mapping[str, Any]) -> Run:
    """Measure what the performance notebook measures; the models that it needs are trained before, where they are not.

    What was measured before under the same key is read; see :mod:`ases.performance`. One notebook at a time, so that
    nothing of ours disturbs a time. Raises ParameterError, DataError or RunError.
    """
    notebook = notebook_path(STEPS[MEASURED])
    run, values = prepare(notebook, from_file, given)
    if run is None:
        raise RunError(f"{notebook} is not a notebook of this project's folder")
    with locked(run.home / "reproduce.lock", f"a reproduction in {run.home}"):
        needed = [one for one in runs.with_inputs(run)[:-1] if state(one) != "done"]
        print(f"{len(needed)} runs to make before anything is measured", flush=True)
        for one in needed:
            execute(notebook_path(one.notebook), *prepare(notebook_path(one.notebook), {}, one.parameters))
        execute(notebook, run, values)
    return run


def _report_path(home: Path) -> Path:
    return home / "snakemake.log"


def _snakemake(parameters: Mapping[str, Any], build: Path, cores: int, lock: int) -> int:
    config = build / "parameters.json"
    config.write_text(json.dumps(dict(parameters), indent=1), encoding="utf-8")
    base = [sys.executable, "-m", "snakemake", "--snakefile", str(root() / "Snakefile")]
    base += ["--directory", str(build), "--configfile", str(config), "--cores", str(cores), "--quiet"]
    base += ["rules", "progress", "host", "reason"]
    paths = [str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "ASES_ROOT": str(root()), "ASES_BUILD": str(build), "PYTHONPATH": os.pathsep.join(paths)}
    locks = build / ".snakemake" / "locks"
    if locks.is_dir() and any(locks.iterdir()):  # left by one that was killed: our own lock says that none is alive
        subprocess.run([*base, "--unlock"], env=env, check=False, capture_output=True)
    command = [*base, "--scheduler", "greedy", "--rerun-incomplete", "--rerun-triggers", "mtime", "params"]
    # It inherits the lock, which so outlives this process if only this one is killed. A session of its own lets an
    # interrupt reach it once, however it comes here.
    # Its own report goes into a file; what the notebooks say, errors too, comes through its standard output.
    with _report_path(build).open("w", encoding="utf-8") as report:
        process = subprocess.Popen(command, env=env, stderr=report, pass_fds=(lock,), start_new_session=True)
    os.pwrite(lock, f"{os.getpid()}, its workflow as pid {process.pid}".encode(), 0)
    try:
        return process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        raise
