"""Run folders: which run a set of parameters means, what it needs first, and whether it is done.

>>> runs = plan({"size": "smoke", "methods": ["seq2seq"], "seeds": [0]})
>>> [run.step for run in runs]
['data', 'training', 'generation', 'comparison']

A run's key hashes the settings that matter for its step, the keys of its inputs, the source of the modules it
computes with, and the fingerprint of collected data. So equal work has one folder, whoever asks for it, and a
changed notebook finds its trained model again. ``manifest.json``, written last, says that a run is done.
"""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Collection, Mapping
from typing import Any

from ases import parameters as strict
from ases.errors import ParameterError, RunError
from ases.folders import STEPS, Run, build_folder
from ases.grids import GRIDS
from ases.identities import check_models
from ases.needs import OF_SEVERAL, Cell, Known, find, grid_cells
from ases.parameters import notebook_path
from ases.sweeps import point_name, points

__all__ = [
    "STEPS",
    "Run",
    "build_folder",
    "cells",
    "check_inputs",
    "command",
    "last_steps",
    "only_for",
    "open_run",
    "plan",
    "run_for",
    "with_inputs",
]


def run_for(step: str, parameters: Mapping[str, Any]) -> Run:
    """The run of a step that flat parameters mean, with its inputs.

    ``method`` and ``seed`` choose one training; ``methods`` and ``seeds`` those of a comparison; ``study_data`` and
    ``scorer_seeds`` the scores that the segmentation is measured on. Parameters that do not matter to the step are
    left out of it. Raises ParameterError for what cannot be set.
    """
    if step not in STEPS:
        raise ParameterError(f"there is no step {step}; steps are {', '.join(STEPS)}")
    return find(step, {name: value for name, value in parameters.items() if value is not None}, {})


def plan(parameters: Mapping[str, Any]) -> list[Run]:
    """Every run that a parameter file needs, each once, inputs before what needs them.

    The results page is the last where ``study_data`` and ``scorer_seeds`` are given; without both of them it ends with
    the comparison. With ``starts`` the study of start checkpoints is among them; with that and without ``methods``
    nothing else is. A sweep (:mod:`ases.sweeps`) has one of those for each of its points.
    """
    known: Known = {}
    last = []
    for point in points(parameters):
        given = {name: value for name, value in point.items() if value is not None}
        try:
            last += [find(step, given, known) for step in last_steps(given)]
        except ParameterError as error:
            raise ParameterError(": ".join(filter(None, [point_name(parameters, point), str(error)]))) from None
    return with_inputs(*last)


def last_steps(given: Mapping[str, Any]) -> list[str]:
    """The steps that a parameter file ends with, told by its lists; of methods, the results page or the comparison."""
    steps = [step for step in ("start", *GRIDS) if given.get(OF_SEVERAL[step][0])]
    if given.get("methods") or not steps:
        studied = any(given.get(name) is not None for name in OF_SEVERAL["segmentation"])
        steps.append("results" if studied else "comparison")
    return steps


def only_for(given: Mapping[str, Any], notebooks: Collection[str]) -> dict[str, Any]:
    """The parameters without the lists of the other notebooks that the file ends with; all of them where none is named.

    Raises ParameterError where a name is not one of those notebooks.
    """
    ends = {STEPS[step]: OF_SEVERAL[step] for step in last_steps(given)}
    if absent := [name for name in notebooks if name not in ends]:
        raise ParameterError(f"these parameters do not end with {absent[0]}, but with {', '.join(ends)}")
    kept = {name for notebook in notebooks or ends for name in ends[notebook]}
    left = {name for names in ends.values() for name in names} - kept
    return {name: value for name, value in given.items() if name not in left}


def with_inputs(*last: Run) -> list[Run]:
    """Some runs and every run that they need, each once, inputs before what needs them."""
    ordered: dict[str, Run] = {}

    def visit(run: Run) -> None:
        if run.key not in ordered:
            for one in run.inputs:
                visit(one)
            ordered[run.key] = run

    for run in last:
        visit(run)
    return list(ordered.values())


def cells(run: Run) -> list[Cell]:
    """The runs that a grid puts together, each with its place in it (:class:`ases.needs.Cell`)."""
    return grid_cells(run.step, run.parameters, {})


def command(run: Run) -> str:
    """The command line that makes a run."""
    words = [part for word in strict.assignments(run.parameters) for part in ("-p", word)]
    return shlex.join(["python", "-m", "ases", "run", run.notebook, *words])


def check_inputs(run: Run) -> None:
    """Raise RunError naming the inputs that are not done, each with the command that makes it.

    Before that, ModelError where a training would begin with a model that cannot be had.
    """
    if run.step == "training" and not run.is_done():
        check_models([run.settings.training.model])
    missing = {one.key: one for one in run.inputs if not one.is_done()}
    if missing:
        lines = [f"  {command(one)}" for one in missing.values()]
        raise RunError("\n".join([f"{run.label} needs other notebooks run first (make reproduce runs all):", *lines]))


def open_run(step: str, namespace: Mapping[str, Any]) -> Run:
    """The guard cell of a notebook: check its parameters and inputs, and create its run folder.

    Pass ``globals()`` right after the parameters cell. Raises ParameterError for wrong parameters, RunError for
    inputs that are not done.
    """
    # Whether Jupyter's widgets are installed is no business of a notebook's output: our own bars do without.
    warnings.filterwarnings("ignore", message="IProgress not found")
    import pandas  # late: a look at which runs are done needs no tables

    pandas.set_option("display.max_colwidth", None)  # tables give reasons in sentences: none is cut
    run = run_for(step, strict.given(notebook_path(STEPS[step]), namespace))
    check_inputs(run)
    run.figure_folder.mkdir(parents=True, exist_ok=True)
    return run
