"""How far a plan is: each run's state, why the failed ones failed, and how long the rest takes.

>>> print(report_lines(plan, cores=2)[-1])                                      # doctest: +SKIP
12 done, 1 running, 1 failed, 3 missing; about 14 min left, 2 at a time

Time left is guessed from what finished runs of the same step took, and said to be unknown where none has finished.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ases.errors import ParameterError
from ases.execution import DURATION, PARTIAL, state
from ases.folders import Run
from ases.parameters import read_notebook
from ases.sweeps import point_name

WORDS = ("done", "exported", "running", "stale", "failed", "missing")
"""States, in the order in which they are counted: ``stale`` is done, but its notebook's code has changed since."""


def report_lines(plan: Sequence[Run], cores: int, parameters: Mapping[str, Any] | None = None) -> list[str]:
    """One line a run (state, name, folder), the reasons under failed and running ones, and last a summary.

    ``parameters`` are those of the plan: where some are swept, a run's name tells the values that matter to it.
    """
    states = {run.key: state(run) for run in plan}
    points = {run.key: point_name(parameters or {}, run.parameters) for run in plan}
    names = {run.key: f"{run.label} ({points[run.key]})" if points[run.key] else run.label for run in plan}
    width, lines = max(45, *map(len, names.values())), []
    for run in plan:
        lines.append(f"{states[run.key]:8} {names[run.key]:{width}} {run.folder.name}")
        if states[run.key] == "failed":
            lines += [f"           {line}" for line in failure(run).splitlines()]
        if states[run.key] == "running":
            lines.append(f"           {_how_far(run)}")
    counts = Counter(states.values())
    told = ", ".join(f"{counts[word]} {word}" for word in WORDS if counts[word] or word in ("done", "missing"))
    return [*lines, f"{told}; {time_left(plan, states, cores)}"]


def failure(run: Run) -> str:
    """Why a run did not finish: its failing cell and the error, or that it was stopped from outside."""
    path = run.path(PARTIAL)
    try:
        cells = [cell for cell in read_notebook(path)["cells"] if cell["cell_type"] == "code"]
    except ParameterError as error:
        return f"stopped while its notebook was written ({error})"
    for cell in cells:
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                first = next(line for line in "".join(cell["source"]).splitlines() if line.strip())
                where = f"cell [{cell['execution_count']}], which begins with `{first}`"
                return f"{where}:\n{output['ename']}: {output['evalue']}\n(all of it in {path})"
    begun = sum(cell.get("execution_count") is not None for cell in cells)
    return f"stopped from outside or out of memory, after {begun} of {len(cells)} cells; it goes on from there"


def time_left(plan: Sequence[Run], states: dict[str, str], cores: int) -> str:
    """How long the runs that are not done take, from the median of finished ones of the same step."""
    waiting = [run for run in plan if states[run.key] not in ("done", "exported")]
    if not waiting:
        return "nothing left to do"
    took: dict[str, list[float]] = defaultdict(list)
    for run in plan:
        if states[run.key] in ("done", "stale") and (seconds := _read(run, DURATION).get("seconds")):
            took[run.step].append(float(seconds))
    typical = {step: statistics.median(values) for step, values in took.items()}
    known = [run for run in waiting if run.step in typical]
    unknown = Counter(run.notebook for run in waiting if run.step not in typical)
    rests = [max(0.0, typical[run.step] - (_running_for(run) if states[run.key] == "running" else 0)) for run in known]
    text = f"about {_shown(sum(rests) / cores)} left, {cores} at a time" if known else "time left unknown"
    if unknown:
        named = ", ".join(f"{count} of {name}" for name, count in sorted(unknown.items()))
        text += f" (without {named}: none has finished yet)" if known else f" (none of these has finished yet: {named})"
    return text


def _how_far(run: Run) -> str:
    told = _read(run, "progress.json")
    said = f"{told['message']} ({100 * told['done']:.0f} %), " if {"message", "done"} <= set(told) else ""
    return f"{said}for {_shown(_running_for(run))}"


def _running_for(run: Run) -> float:
    try:
        return max(0.0, time.time() - run.path("running.lock").stat().st_mtime)
    except OSError:
        return 0.0


def _read(run: Run, name: str) -> dict[str, Any]:
    try:
        content = json.loads(run.path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _shown(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
