"""From run folders to what the project shows: executed notebooks and figures.

Nothing but :func:`publish` writes into ``notebooks/``, ``figures/`` and ``tests/notebooks/``.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ases import runs
from ases.errors import RunError
from ases.execution import state
from ases.folders import MEASURED, STEPS, Run, Shelf, build_folder
from ases.grids import GRIDS
from ases.parameters import defaults, notebook_path, read_notebook, root
from ases.provenance import injected
from ases.reproduction import planned
from ases.settings import PRIVATE

_ALONE = ("start", *GRIDS)
"""Steps that a parameter file asks for by lists of their own."""


def published_runs(parameters: Mapping[str, Any], plan: list[Run]) -> list[Run]:
    """One run a notebook: the first seed, and the notebook's own default method, or the last where that is not run."""
    size, keys, methods = parameters.get("size") or "quick", {run.key for run in plan}, parameters.get("methods")
    chosen = [run for run in plan if run.step in _ALONE]
    for step, notebook in STEPS.items() if methods else ():
        if step in (*_ALONE, MEASURED) or (size == "real" and step not in ("data", "segmentation", "comparison")):
            continue
        method = defaults(notebook_path(notebook)).get("method")
        method = method if method in methods else methods[-1]
        run = runs.run_for(step, {**parameters, "method": method, "seed": parameters["seeds"][0]})
        if run.key in keys:  # a plan without segments has no segmentation
            chosen.append(run)
    return chosen


def publish(parameters: Mapping[str, Any], in_file: Mapping[str, Any], only: Sequence[str] = ()) -> list[Path]:
    """Copy a complete reproduction's notebooks and figures into the project; returns what was written.

    ``in_file`` is what the parameter file says: its ``data_folder`` stands in the published text for the one given.
    ``only`` names the notebooks to publish, which need their own runs done and no others; none means all. Raises
    RunError where a run is not done, where the data is private, or where a text names a place of this machine.
    """
    shelf = Shelf.of(parameters)
    if shelf.notebooks is None:
        raise RunError(f"{shelf} is not published: its runs are exported (python -m ases export)")
    plan = planned(parameters)
    private = [run.settings.data.data for run in plan if run.settings.data.data in PRIVATE]
    if private:
        raise RunError(f"nothing that is computed from {private[0]} is published: its texts are about real patients")
    chosen = [run for run in published_runs(parameters, plan) if not only or run.notebook in only]
    absent = [name for name in only if name not in [run.notebook for run in chosen]]
    if absent:
        raise RunError(f"{shelf} publishes no notebook {', '.join(absent)}")
    unfinished = [run.label for run in (chosen if only else plan) if state(run) != "done"]
    if unfinished:
        raise RunError(f"publishing needs all runs done; not done: {', '.join(unfinished)}. Run make reproduce first")
    contents, copies = _texts(chosen, shelf, parameters, in_file), _figures(chosen, shelf)
    size = shelf.size
    if size != "smoke" and not only and plan[-1].step == "results":
        comparison, place = plan[-1].input("comparison"), root() / "figures" / "results"
        manifest = {k: v for k, v in comparison.manifest().items() if k not in ("parameters", "settings", "files")}
        contents[place / f"{size}-manifest.json"] = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
        if comparison.path("predictions.parquet").is_file():
            copies.append((comparison.path("predictions.parquet"), place / f"{size}-predictions.parquet"))
        copies += [(path, place / f"{size}-{path.name}") for path in sorted(comparison.folder.glob("*.csv"))]
    return _written(contents, copies)


def publish_measured(run: Run, in_file: Mapping[str, Any]) -> list[Path]:
    """Copy what ``make benchmark`` measured into the project, as :func:`publish` does with the rest.

    Raises RunError where other parameters than the notebook's defaults were measured at size quick, and where real
    rationales were measured at size smoke, whose notebook must run where there are none.
    """
    shelf = Shelf(run.parameters.get("size") or "quick")
    if shelf.size not in ("quick", "smoke") or (shelf.size == "smoke" and run.parameters.get("data_folder")):
        raise RunError("not published: that is for size quick, and for size smoke without data_folder")
    return _written(_texts([run], shelf, run.parameters, in_file), _figures([run], shelf))


def _texts(
    chosen: list[Run], shelf: Shelf, parameters: Mapping[str, Any], in_file: Mapping[str, Any]
) -> dict[Path, str]:
    """The executed notebooks as they are published, by where they go."""
    contents: dict[Path, str] = {}
    place = shelf.notebooks
    for run in chosen:
        content = read_notebook(run.path("notebook.ipynb"))
        # The notebooks at the top are the sources themselves, executed with their own defaults.
        if place == root() / "notebooks" and any(injected(cell) for cell in content["cells"]):
            raise RunError(
                f"{run.label} was run with other parameters than the notebook's defaults, and published notebooks show "
                "the defaults: change its parameters cell or the parameter file"
            )
        replacements = _replacements(run, parameters, in_file)
        contents[place / f"{run.notebook}.ipynb"] = normalised(content, run.notebook, replacements)
    return contents


def _figures(chosen: list[Run], shelf: Shelf) -> list[tuple[Path, Path]]:
    """The figures and tables that are published, each with where it goes."""
    copies: list[tuple[Path, Path]] = []
    for run in chosen:
        place = shelf.figures(run.notebook)
        names = [path for path in sorted(run.figure_folder.glob("*")) if path.suffix in (".png", ".svg", ".csv")]
        copies += [(path, place / path.name) for path in names if place]
    return copies


def _written(contents: Mapping[Path, str], copies: Sequence[tuple[Path, Path]]) -> list[Path]:
    for place in {target.parent for _, target in copies if target.parent.name in STEPS.values()}:
        if place.is_dir():
            shutil.rmtree(place)  # a figure that is no longer drawn must not stay
    for path, text in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for source, target in copies:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return [*contents, *(target for _, target in copies)]


def _replacements(run: Run, parameters: Mapping[str, Any], in_file: Mapping[str, Any]) -> dict[str, str]:
    shown = in_file.get("data_folder") or ""
    folders = [run.settings.data.data_folder, parameters.get("data_folder") or ""] if shown else []
    places = {folder: shown for folder in folders if folder}
    return {**places, str(build_folder()): "build", f"{root()}/": "", str(root()): "."}


def normalised(content: dict[str, Any], name: str, replacements: Mapping[str, str]) -> str:
    """An executed notebook as text without times and places; ids, execution counts, tags and outputs stay.

    Raises RunError naming the cell in which a place of this machine is left.
    """
    import nbformat  # late: only publishing needs it

    places = {str(Path.home()), tempfile.gettempdir() + "/", sys.prefix, str(root()), str(build_folder())} - {"/", ""}
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    cells = []
    for number, cell in enumerate(content["cells"]):
        cell = {**cell, "metadata": {k: v for k, v in cell["metadata"].items() if k == "tags" and v}}
        if cell["cell_type"] == "code":
            cell["outputs"] = _mapped(_joined_streams(cell["outputs"]), {**replacements, **_styled(cell, number)})
            if injected(cell):
                cell["source"] = _mapped("".join(cell["source"]), replacements)
                cell["id"] = "injected-parameters"  # papermill's is random
        text = json.dumps({k: v for k, v in cell.items() if k != "metadata"}, ensure_ascii=False)
        left = sorted(place for place in places if place in text)
        if left:
            raise RunError(f"{name}, cell {number} would publish {left[0]}, a place of this machine: do not print it")
        cells.append(cell)
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    version = {"nbformat": content["nbformat"], "nbformat_minor": content["nbformat_minor"]}
    return nbformat.writes(nbformat.from_dict({"cells": cells, "metadata": metadata, **version})) + "\n"


_NO_WIDGETS = "TqdmWarning: IProgress not found"
"""Said once where Jupyter's widgets are not installed: about the environment, not about the run."""


def _joined_streams(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # How many messages a text arrives in is a matter of timing.
    joined: list[dict[str, Any]] = []
    for output in outputs:
        if output["output_type"] == "stream":
            output = {**output, "text": "".join(output["text"])}
            if _NO_WIDGETS in output["text"] and output["name"] == "stderr":
                continue
            if joined and joined[-1]["output_type"] == "stream" and joined[-1]["name"] == output["name"]:
                joined[-1]["text"] += output["text"]
                continue
        joined.append({k: v for k, v in output.items()})
    return joined


def _styled(cell: Mapping[str, Any], number: int) -> dict[str, str]:
    """The random names that pandas gives to styled tables of a cell, each with one that stays."""
    found = dict.fromkeys(re.findall(r"\bid=\\?\"(T_[0-9a-f]{5})\b", json.dumps(cell["outputs"])))
    return {name: f"T_{number}_{place}" for place, name in enumerate(found)}


def _mapped(value: Any, replacements: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for old, new in replacements.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, list):
        return [_mapped(one, replacements) for one in value]
    if isinstance(value, dict):
        return {k: v if k == "image/png" else _mapped(v, replacements) for k, v in value.items()}
    return value


def published_table(name: str, size: str, notebook: str = "06_comparison", task: str = "") -> pd.DataFrame | None:
    """A published table, by its file's name, size, notebook and task; None where it has not been published."""
    place = Shelf(size, task).figures(notebook)
    path = place / name if place is not None else None
    return pd.read_csv(path) if path is not None and path.is_file() else None
