"""From run folders to what the project shows: executed notebooks, figures, and how two tables agree.

Nothing but :func:`publish` writes into ``notebooks/``, ``figures/`` and ``tests/notebooks/``.
"""

from __future__ import annotations

import csv
import json
import math
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
from ases.folders import MEASURED, STEPS, Run, build_folder, figure_place
from ases.parameters import defaults, notebook_path, read_notebook, root
from ases.provenance import injected, machine_type
from ases.reproduction import planned
from ases.settings import PRIVATE

_PLACES = {"quick": "notebooks", "real": "notebooks/real", "smoke": "tests/notebooks"}


def published_runs(parameters: Mapping[str, Any], plan: list[Run]) -> list[Run]:
    """One run a notebook: the first seed, and the notebook's own default method, or the last where that is not run."""
    size, keys, methods = parameters.get("size") or "quick", {run.key for run in plan}, parameters["methods"]
    chosen = []
    for step, notebook in STEPS.items():
        if step == MEASURED or (size == "real" and step not in ("data", "comparison")):
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
    plan = planned(parameters)
    size = parameters.get("size") or "quick"
    private = [run.settings.data.data for run in plan if run.settings.data.data in PRIVATE]
    if private:
        raise RunError(f"nothing that is computed from {private[0]} is published: its texts are about real patients")
    chosen = [run for run in published_runs(parameters, plan) if not only or run.notebook in only]
    absent = [name for name in only if name not in [run.notebook for run in chosen]]
    if absent:
        raise RunError(f"size {size} publishes no notebook {', '.join(absent)}")
    unfinished = [run.label for run in (chosen if only else plan) if state(run) != "done"]
    if unfinished:
        raise RunError(f"publishing needs all runs done; not done: {', '.join(unfinished)}. Run make reproduce first")
    contents, copies = _texts(chosen, size, parameters, in_file), _figures(chosen, size)
    if size != "smoke" and not only:
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
    size = run.parameters.get("size") or "quick"
    if size == "real" or (size == "smoke" and run.parameters.get("data_folder")):
        raise RunError("not published: that is for size quick, and for size smoke without data_folder")
    return _written(_texts([run], size, run.parameters, in_file), _figures([run], size))


def _texts(
    chosen: list[Run], size: str, parameters: Mapping[str, Any], in_file: Mapping[str, Any]
) -> dict[Path, str]:
    """The executed notebooks as they are published, by where they go."""
    contents: dict[Path, str] = {}
    for run in chosen:
        content = read_notebook(run.path("notebook.ipynb"))
        if size == "quick" and any(injected(cell) for cell in content["cells"]):
            raise RunError(
                f"{run.label} was run with other parameters than the notebook's defaults, and published notebooks show "
                "the defaults: change its parameters cell or the parameter file"
            )
        replacements = _replacements(run, parameters, in_file)
        contents[root() / _PLACES[size] / f"{run.notebook}.ipynb"] = normalised(content, run.notebook, replacements)
    return contents


def _figures(chosen: list[Run], size: str) -> list[tuple[Path, Path]]:
    """The figures and tables that are published, each with where it goes."""
    copies: list[tuple[Path, Path]] = []
    for run in chosen:
        place = figure_place(size, run.notebook)
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
            cell["outputs"] = _mapped(_joined_streams(cell["outputs"]), replacements)
            if injected(cell):
                cell["source"] = _mapped("".join(cell["source"]), replacements)
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


def read_table(path: Path) -> list[dict[str, str]]:
    """A CSV file as its rows."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table_text(rows: list[dict[str, str]]) -> str:
    """Rows as aligned text."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)] if rows else []
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


IDENTICAL, WITHIN, DIFFERENT = "identical", "within tolerance", "different"


def agreement(ours: list[dict[str, str]], published: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Row by row, how a table agrees with the published one: (row's name, verdict).

    A row is found by its text columns. It is identical where every cell but times is; within tolerance where each
    value that has an interval (columns ``x``, ``x_low``, ``x_high``; or a value before ``low`` and ``high``) lies in
    the published one, or, in a table without intervals, where numbers agree to 1e-6; else different.
    """
    texts = [
        name
        for name in (published[0] if published else {})
        # A verdict such as True is a result, not a name.
        if any(_number(row[name]) is None and row[name] not in ("", "True", "False") for row in published)
    ]
    mine = {tuple(row.get(name) for name in texts): row for row in ours}
    theirs = {tuple(row.get(name) for name in texts): row for row in published}
    if len(mine) < len(ours) or len(theirs) < len(published):  # rows without names of their own: by position
        mine, theirs = dict(enumerate(ours)), dict(enumerate(published))
    verdicts = []
    for key in [*theirs, *(key for key in mine if key not in theirs)]:
        row, other = mine.get(key), theirs.get(key)
        shown = f"row {key + 1}" if isinstance(key, int) else " ".join(filter(None, key)) or "the row"
        if row is None or other is None:
            verdicts.append((shown, "only in the published table" if row is None else "not in the published table"))
        else:
            verdicts.append((shown, _row_verdict(row, other)))
    return verdicts


def _row_verdict(row: Mapping[str, str], published: Mapping[str, str]) -> str:
    names = [name for name in published if not name.endswith(("seconds", "minutes"))]
    if list(row) == list(published) and all(row[name] == published[name] for name in names):
        return IDENTICAL
    intervals = []
    for position, name in enumerate(names):
        if name == "low" or name.endswith("_low"):
            value = names[position - 1] if name == "low" else name.removesuffix("_low")
            intervals.append((value, name, f"{name.removesuffix('low')}high"))
    if intervals:
        within = [_inside(row, published, *one) for one in intervals]
    else:
        within = [row.get(name) == published[name] or _close(row.get(name), published[name]) for name in names]
    return WITHIN if all(within) else DIFFERENT


def _inside(row: Mapping[str, str], published: Mapping[str, str], value: str, low: str, high: str) -> bool:
    if row.get(value) == published.get(value):
        return True
    numbers = [_number(row.get(value)), _number(published.get(low)), _number(published.get(high))]
    return None not in numbers and numbers[1] <= numbers[0] <= numbers[2]


def _close(one: str | None, other: str | None) -> bool:
    numbers = _number(one), _number(other)
    return None not in numbers and math.isclose(*numbers, rel_tol=1e-6, abs_tol=1e-9)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


# What a terminal is wide enough for; the whole table lies in the run's figures folder.
_SHOWN = (
    *("method", "n", "seeds", "accuracy", "low", "high", "difference", "difference_low", "difference_high", "p_holm"),
    *("bleu", "rouge_l", "epochs", "still_rises"),
)


def report(parameters: Mapping[str, Any], plan: list[Run]) -> str:
    """The comparison table, and line by line how it agrees with the published one."""
    comparison, size = plan[-1].input("comparison"), parameters.get("size") or "quick"
    path = comparison.figure_folder / "comparison.csv"
    if not path.is_file():
        return f"{comparison.notebook} has left no table {path.name}"
    ours = read_table(path)
    shown = [{name: row[name] for name in row if name in _SHOWN} for row in ours]
    parts = [f"\nComparison ({size}), accuracy and its difference to seq2seq with 95 % intervals:", table_text(shown)]
    place = figure_place(size, comparison.notebook)
    if place is None or not (place / path.name).is_file():
        return "\n".join([*parts, "\nThere is no published table of this size to compare it with."])
    parts += [f"\nAgainst the published table ({(place / path.name).relative_to(root())}):"]
    parts += [f"  {name}: {verdict}" for name, verdict in agreement(ours, read_table(place / path.name))]
    manifest = root() / "figures" / "results" / f"{size}-manifest.json"
    if manifest.is_file():
        published = json.loads(manifest.read_text(encoding="utf-8"))
        if published.get("key") != comparison.key:
            parts.append("The published table was made with other parameters, data or code than this one.")
        if published.get("machine") != machine_type():
            parts.append(
                f"It was made on another type of machine ({published.get('machine')}; this is {machine_type()}), where "
                "trained weights differ: rows agree statistically, not digit by digit."
            )
    return "\n".join(parts)


def verify(parameters: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Every published table against the one in the run folders: lines to print, and whether all agree."""
    plan = planned(parameters)
    size = parameters.get("size") or "quick"
    lines, good = [], True
    for run in published_runs(parameters, plan):
        place = figure_place(size, run.notebook)
        names = {path.name for folder in (place, run.figure_folder) if folder for path in folder.glob("*.csv")}
        for name in sorted(names) if place else []:
            one, other = run.figure_folder / name, place / name
            if not one.is_file() or not other.is_file():
                verdict = "only published" if other.is_file() else "not published"
            else:
                verdicts = [verdict for _, verdict in agreement(read_table(one), read_table(other))]
                counts = {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}
                verdict = ", ".join(f"{count} rows {verdict}" for verdict, count in counts.items()) or "empty"
            good &= "different" not in verdict and "publ" not in verdict
            lines.append(f"{run.notebook}/{name}: {verdict}")
    return lines or [f"no tables are published for size {size}"], good


def published_table(name: str, size: str, notebook: str = "06_comparison") -> pd.DataFrame | None:
    """A published table, by its file's name, size and notebook; None where it has not been published."""
    place = figure_place(size, notebook)
    path = place / name if place is not None else None
    return pd.read_csv(path) if path is not None and path.is_file() else None
