"""Finished runs kept in the project: their metrics and predictions, so that a long sweep loses nothing.

>>> export(planned(load_file("params/paper.yaml")))                             # doctest: +SKIP

``figures/results/runs/<size>/<run folder>/`` holds a manifest and small tables: of a training its curve and budget, of
a scoring its numbers, of a segmentation the tables of its figures, of a generation one row a question with ``qid``,
``label`` and ``prediction``, and one row a step of what was written with how it was judged (numbers; no text). Two
machines never write the same file, so what both export can be merged. A run found there counts as done for the sizes
that take too long for one sitting, as long as nothing to be done needs its weights or scores.

Beside a training's tables lies what it took, ``<model>/measured.json``: seconds, tokens a second, peak memory, machine.
It differs from run to run, so nothing is drawn from it or compared with it, and an export without it is whole.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ases.errors import RunError
from ases.execution import state
from ases.folders import Run
from ases.grids import GRIDS
from ases.parameters import root
from ases.provenance import file_hash
from ases.settings import PRIVATE

if TYPE_CHECKING:
    import pandas as pd

ALWAYS_COMPUTED = ("smoke", "quick")
"""Sizes for which nothing is drawn from what was exported."""

_TABLES = {
    "training": ("training.json", "points.parquet"),
    "scoring": (),
    "segmentation": (),  # and the tables of its figures
    "generation": ("predictions.parquet", "steps.parquet", "first_errors.parquet"),
}
_TOOK = "measured.json"
_TEXTS = ["chain"]
_READ_TABLES_ONLY = ("comparison", "results", "start", *(step for step in GRIDS if step != "why"))
"""Steps that read tables; all others need the weights or scores of what comes before them."""


def results_folder(size: str) -> Path:
    """Where finished runs of a size are kept."""
    return root() / "figures" / "results" / "runs" / size


def export(plan: Sequence[Run]) -> list[Path]:
    """Keep each finished training, scoring, segmentation and generation not kept yet; returns the folders written to:
    new ones, and those of trainings kept before without what they took.

    Raises RunError for private data, and where a finished run has lost a table.
    """
    private = sorted({run.settings.data.data for run in plan} & set(PRIVATE))
    if private:
        raise RunError(f"nothing that is computed from {private[0]} is exported: its texts are about real patients")
    written = []
    for run in plan:
        if run.step not in _TABLES or state(run) != "done":
            continue
        new = not _is_kept(run)
        if new:
            _keep(run, _place(run))
        if new or _keep_what_it_took(run, _place(run)):
            written.append(_place(run))
    return written


def restore(plan: Sequence[Run]) -> list[Run]:
    """Lay exported runs into the run folders, where they are not done; returns those that count as done by this.

    A run laid there before is taken away again where a run that is to do needs more of it than its tables. Raises
    RunError for an export that was changed since.
    """
    needed_by: dict[str, list[Run]] = defaultdict(list)
    for run in plan:
        for one in run.inputs:
            needed_by[one.key].append(run)
    drawn: dict[str, Run] = {}
    for run in reversed(plan):  # what needs a run comes after it
        now = state(run)
        if now in ("done", "running", "stale") or run.step not in _TABLES:
            continue
        users = [one for one in needed_by[run.key] if one.step not in _READ_TABLES_ONLY and one.key not in drawn]
        if any(state(one) not in ("done", "exported") for one in users):
            if now == "exported":
                _take_away(run)
        elif now == "exported" or _is_kept(run):
            drawn[run.key] = run
    for run in drawn.values():
        if state(run) != "exported" or not all(run.path(name).is_file() for name in run.manifest()["files"]):
            _lay(run)
    return list(drawn.values())


def drawn_sizes(plan: Iterable[Run]) -> bool:
    """Whether runs of this plan may be drawn from what was exported."""
    return not any(_size(run) in ALWAYS_COMPUTED for run in plan if run.step in _TABLES)  # a check of a file has none


def results_table(size: str) -> pd.DataFrame:
    """One row an exported generation: ``run``, its settings by name, and its numbers. Empty where there is none."""
    import pandas as pd  # late: the workflow needs no tables

    rows = []
    for path in sorted(results_folder(size).glob("generation-*/manifest.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        settings = {name: value for part in content["settings"].values() for name, value in part.items()}
        rows.append({"run": path.parent.name, **settings, **content["numbers"]})
    return pd.DataFrame(rows)


def _size(run: Run) -> str:
    return run.parameters.get("size") or "quick"


def _place(run: Run) -> Path:
    return results_folder(_size(run)) / run.folder.name


def _is_kept(run: Run) -> bool:
    """Whether the run is kept with all tables; one that an earlier version kept with fewer is kept anew."""
    path = _place(run) / "manifest.json"
    return path.is_file() and set(_TABLES[run.step]) <= set(json.loads(path.read_text(encoding="utf-8"))["files"])


def _keep(run: Run, place: Path) -> None:
    import pandas as pd  # late: most commands need no tables

    partial = place.with_name(f"{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    names = [*_TABLES[run.step]]
    if run.step == "segmentation":
        names += [f"figures/{path.name}" for path in sorted(run.figure_folder.glob("*.csv"))]
        (partial / "figures").mkdir()
    for name in names:
        if not run.path(name).is_file():
            raise RunError(f"{run.label} has lost {name}; delete its folder {run.folder.name} and run it again")
        if run.step == "generation":  # many rows: they are kept as small as they can be
            table = _without_texts(run) if name == "predictions.parquet" else pd.read_parquet(run.path(name))
            table.to_parquet(partial / name, index=False, compression="zstd")
        else:
            shutil.copyfile(run.path(name), partial / name)
    files = {name: file_hash(partial / name) for name in names}
    _keep_what_it_took(run, partial)
    content = {**_placeless(run.manifest()), "files": files, "exported": True}
    _write_whole(partial / "manifest.json", content)
    shutil.rmtree(place, ignore_errors=True)  # without a manifest: left by one that was killed
    partial.rename(place)


def _keep_what_it_took(run: Run, place: Path) -> bool:
    """Copy what a training took to its tables, where it is not yet beside them; whether there was any to copy."""
    if run.step != "training" or file_hash(place / "training.json") != file_hash(run.path("training.json")):
        return False  # exported from another machine, with another log: what it took here is not what that took
    found = [path.relative_to(run.folder) for path in sorted(run.folder.glob(f"*/{_TOOK}"))]
    new = [name for name in found if not (place / name).is_file()]
    for name in new:
        (place / name).parent.mkdir(exist_ok=True)
        partial = place / f"{name}.partial"
        shutil.copyfile(run.path(str(name)), partial)
        partial.replace(place / name)
    return bool(new)


def _placeless(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest that does not say where on this machine its data lay."""
    content = json.loads(json.dumps(manifest))
    content["settings"]["data"]["data_folder"] = ""
    content["parameters"].pop("data_folder", None)
    return content


def _without_texts(run: Run) -> pd.DataFrame:
    import pandas as pd  # late: most commands need no tables

    from ases.arithmetic import extract_answer

    table = pd.read_parquet(run.path("predictions.parquet"))
    test = pd.read_parquet(run.input("data").path("test.parquet"), columns=["qid", "answer"]).set_index("qid")["answer"]
    table["label"] = table["qid"].map(test)
    answered = table["label"].notna()
    given = [extract_answer(text) if known else None for text, known in zip(table["chain"], answered, strict=True)]
    table["prediction"] = pd.Series([None if one is None else str(one) for one in given], dtype="str")
    left = table.drop(columns=_TEXTS)
    return left[["qid", "label", "prediction", *left.columns.drop(["qid", "label", "prediction"])]]


def _lay(run: Run) -> None:
    place = _place(run)
    content = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    for name, found in content["files"].items():
        if not (place / name).is_file() or file_hash(place / name) != found:
            raise RunError(f"{place / name} is not what was exported; restore it, or delete the folder {place.name}")
    run.figure_folder.mkdir(parents=True, exist_ok=True)
    for name in content["files"]:
        shutil.copyfile(place / name, run.path(name))
    _write_whole(run.manifest_path, content)


def _take_away(run: Run) -> None:
    """What :func:`_lay` laid, tables first: a training that found its log there would take itself to be finished."""
    for name in run.manifest()["files"]:
        run.path(name).unlink(missing_ok=True)
    run.manifest_path.unlink()


def _write_whole(path: Path, content: Mapping[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
