"""Run folders: which run a set of parameters means, what it needs first, and whether it is done.

>>> runs = plan({"size": "smoke", "methods": ["seq2seq"], "seeds": [0]})
>>> [run.step for run in runs]
['data', 'training', 'generation', 'comparison', 'results']

A run's key hashes the settings that matter for its step, the keys of its inputs, the source of the modules it
computes with, and the fingerprint of collected data. So equal work has one folder, whoever asks for it, and a
changed notebook finds its trained model again. ``manifest.json``, written last, says that a run is done.
"""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from ases import parameters as strict
from ases.errors import ParameterError, RunError
from ases.folders import STEPS, Run, build_folder, figure_place
from ases.parameters import PARTS, notebook_path, root
from ases.provenance import code_hash, digest, file_hash
from ases.settings import (
    BASELINE,
    GENERATED,
    DataSettings,
    GenerationSettings,
    SegmentationSettings,
    Settings,
    TrainingSettings,
    needs_labels,
    settings_for,
)

__all__ = ["STEPS", "Run", "build_folder", "check_inputs", "command", "open_run", "plan", "run_for"]

ENTRIES = {
    "data": ("examples", "problems", "reports", "sources", "splits"),
    "segmentation": ("labels", "scores"),
    "training": ("models", "segments", "training"),
    "generation": ("generation", "models", "training"),
    "comparison": ("evaluation",),
    "own_data": ("checks", "sources"),
    "results": ("evaluation",),
}
"""The modules whose code decides what a step computes; what those import counts too.

What is only drawn, tabled or measured again at each execution need not be here: see ``provenance.notebook_code``.
"""

_OWN = {
    "data": DataSettings,
    "segmentation": SegmentationSettings,
    "training": TrainingSettings,
    "generation": GenerationSettings,
}
_OF_SEVERAL = frozenset(["size", "methods", "seeds"])
_OF_ONE_METHOD = frozenset(["method", "typed"])  # a scorer or a comparison has none of its own


def run_for(step: str, parameters: Mapping[str, Any]) -> Run:
    """The run of a step that flat parameters mean, with its inputs.

    ``method`` and ``seed`` choose one training; ``methods`` and ``seeds`` those of a comparison. Parameters that
    do not matter to the step are left out of it. Raises ParameterError for what cannot be set.
    """
    if step not in STEPS:
        raise ParameterError(f"there is no step {step}; steps are {', '.join(STEPS)}")
    return _run(step, {name: value for name, value in parameters.items() if value is not None}, {})


def plan(parameters: Mapping[str, Any]) -> list[Run]:
    """Every run that ``methods`` x ``seeds`` needs, each once, inputs before what needs them."""
    ordered: dict[str, Run] = {}

    def visit(run: Run) -> None:
        if run.key not in ordered:
            for one in run.inputs:
                visit(one)
            ordered[run.key] = run

    visit(run_for("results", parameters))
    return list(ordered.values())


def _run(step: str, given: dict[str, Any], known: dict[str, Run]) -> Run:
    name = digest([step, given])
    if name not in known:
        known[name] = _make(step, given, known)
    return known[name]


def _make(step: str, given: dict[str, Any], known: dict[str, Run]) -> Run:
    plain = {name: value for name, value in given.items() if name not in ("methods", "seeds")}
    if step not in _OWN and given.get("methods"):
        typing = [method for method in given["methods"] if method.startswith("uni-path")]  # which `typed` is for
        settings = settings_for({**plain, "method": (typing or given["methods"])[0]})
    else:
        settings = settings_for(_only(plain, plain.keys() - _OF_ONE_METHOD) if step == "segmentation" else plain)
    if step in ("comparison", "results") and not (given.get("methods") and given.get("seeds")):
        raise ParameterError(f"{STEPS[step]} needs methods and seeds, each a list with at least one entry")
    data = () if step in ("data", "own_data") else (_run("data", _only(plain, _names(DataSettings)), known),)
    if step == "data":
        words = (settings.data.data, settings.data.language if settings.data.data == "reports" else "")
        inputs, bits = (), "-".join([*filter(None, words), str(settings.data.train_size or "all")])
    elif step == "own_data":
        inputs, bits = (), "check"
    elif step == "segmentation":
        inputs, bits = (*data, *_scorer(plain, settings, known)), settings.segmentation.strategy
        if bits == "random":
            bits = f"random-{settings.segmentation.random_of}"
        if len(inputs) > 1:  # the scorer's
            bits = f"{bits}-seed{settings.training.seed}"
    elif step == "training":
        inputs, bits = data, f"{settings.training.method}-seed{settings.training.seed}"
        if needs_labels(settings.training.method, settings.training.typed):
            inputs = (*data, _run("segmentation", _only(plain, _names(*PARTS[:3]) - _OF_ONE_METHOD), known))
    elif step == "generation":
        inputs, bits = (_run("training", _only(plain, _names(*PARTS[:3])), known),), ""
        bits = inputs[0].bits
    elif step == "comparison":
        _check_comparable(given["methods"], given["seeds"])
        for_one = {True: plain, False: {name: value for name, value in plain.items() if name != "typed"}}
        each = [
            {**for_one[method.startswith("uni-path")], "method": method, "seed": seed}
            for method in given["methods"]
            for seed in given["seeds"]
        ]
        generations = [_run("generation", one, known) for one in each]
        used = {one.key: one for run in generations for one in run.all("segmentation")}
        inputs, bits = (*generations, *used.values()), f"{len(given['methods'])}x{len(given['seeds'])}"
    else:
        inputs = (_run("comparison", given, known), _run("own_data", _only(plain, ["size"]), known))
        bits = inputs[0].bits
    content = {
        "step": step,
        "settings": _keyed(step, settings, given),
        "inputs": [run.key for run in inputs],
        "code": code_hash(ENTRIES[step]),
    }
    if step == "results":
        content["shown beside"] = _published_real()
    folder = settings.data.data_folder
    if settings.data.data not in GENERATED:
        folder = place_of(folder)
        if step == "data":
            content["fingerprint"] = fingerprint(settings.data.data, folder)
    matter = {"size", *_names(_OWN[step])} if step in _OWN else {"size"} if step == "own_data" else _OF_SEVERAL
    matter = matter.union(*(run.parameters for run in inputs))
    if step == "segmentation":
        matter -= _OF_ONE_METHOD
    elif step not in _OWN:
        matter -= {"method", "seed"}
    # What does not matter to this run is left at its default, so that equal runs have equal manifests.
    settings = settings_for(_only(plain, matter if step in ("training", "generation") else matter - _OF_ONE_METHOD))
    settings = replace(settings, data=replace(settings.data, data_folder=folder))
    return Run(step, _only(given, matter), settings, inputs, bits, digest(content)[:16])


def _check_comparable(methods: list[str], seeds: list[int]) -> None:
    """Refuse before any training what the comparison could not compare after it."""
    for name, values in (("methods", methods), ("seeds", seeds)):
        if len(set(values)) < len(values):
            raise ParameterError(f"{name} {values} names one of them twice")
    if BASELINE not in methods:
        raise ParameterError(f"methods {methods} cannot be compared: {BASELINE}, the baseline, is not among them")


def _published_real() -> str | None:
    """The results page also shows what was published for real rationales: another table, another page."""
    path = figure_place("real", STEPS["comparison"]) / "comparison.csv"
    return file_hash(path) if path.is_file() else None


def _scorer(plain: dict[str, Any], settings: Settings, known: dict[str, Run]) -> tuple[Run, ...]:
    chosen = settings.segmentation
    strategy = chosen.random_of if chosen.strategy == "random" else chosen.strategy
    if strategy not in ("entropy", "loss"):
        return ()
    names = _names(DataSettings, TrainingSettings) - _OF_ONE_METHOD
    return (_run("training", {**_only(plain, names), "method": "seq2seq"}, known),)


def _keyed(step: str, settings: Settings, given: Mapping[str, Any]) -> dict[str, Any]:
    if step == "own_data":
        return {}
    if step not in _OWN:
        return {"methods": list(given["methods"]), "seeds": list(given["seeds"])}
    part = next(part for part in vars(settings).values() if isinstance(part, _OWN[step]))
    # 1 and 1.0 are one value; a folder is known by what is in it.
    own = {one.name: getattr(part, one.name) for one in fields(part) if one.name != "data_folder"}
    return {name: float(value) if _OWN[step].__annotations__[name] == "float" else value for name, value in own.items()}


@cache
def _names(*parts: type) -> frozenset[str]:
    return frozenset(["size", *(one.name for part in parts for one in fields(part))])


def _only(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    names = set(names)
    return {name: value for name, value in values.items() if name in names}


def place_of(given: str) -> str:
    """The place of collected data, absolute; a relative one counts from the project's folder, else from here.

    What is neither a folder nor a file stays as it is: it may be the name of a data set on a hub.
    """
    place = Path(given).expanduser()
    here = [one for one in (root() / place, place) if one.exists()]
    return str(here[0].resolve()) if here else str(place)


def fingerprint(data: str, place: str) -> str:
    """Fingerprint of collected data, by its files' content. Raises DataError where it is missing."""
    top = Path(place)
    files = [top] if top.is_file() else sorted(path for path in top.rglob("*") if path.is_file())
    return _fingerprint(data, place, tuple((str(path), path.stat().st_mtime_ns) for path in files))


@cache
def _fingerprint(data: str, place: str, _changed: tuple[tuple[str, int], ...]) -> str:
    from ases import sources  # late: it loads datasets, which a look at generated data's runs does not need

    return sources.fingerprint(data, place)


def command(run: Run) -> str:
    """The command line that makes a run."""
    words = [part for word in strict.assignments(run.parameters) for part in ("-p", word)]
    return shlex.join(["python", "-m", "ases", "run", run.notebook, *words])


def check_inputs(run: Run) -> None:
    """Raise RunError naming the inputs that are not done, each with the command that makes it."""
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
    run = run_for(step, strict.given(notebook_path(STEPS[step]), namespace))
    check_inputs(run)
    run.figure_folder.mkdir(parents=True, exist_ok=True)
    return run
