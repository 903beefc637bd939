"""One run's folder: what lies in it, and how it comes to count as done.

``manifest.json`` is written last, under a temporary name first: a run whose process was killed at any moment has
none, and is made again. Which folder a set of parameters means is decided in :mod:`ases.runs`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ases.choices import LANGUAGE_OF
from ases.errors import RunError
from ases.parameters import notebook_path, root
from ases.progress import show
from ases.provenance import environment, file_hash, notebook_code
from ases.settings import PRIVATE, Settings

if TYPE_CHECKING:
    import pandas as pd  # a look at which runs are done needs no tables

STEPS = {
    "data": "02_data",
    "training": "04_training",
    "scoring": "03_scoring",
    "segmentation": "03_segmentation",
    "generation": "05_generation",
    "comparison": "06_comparison",
    "own_data": "10_your_own_data",
    "start": "07_start",
    "experiment": "07_experiment",
    "efficiency": "07_efficiency",
    "sensitivity": "07_sensitivity",
    "rates": "07_rates",
    "why": "08_why",
    "results": "00_results",
    "performance": "09_performance",
}
"""Each step and the notebook that takes it."""

MEASURED = "performance"
"""The step whose numbers are measured times: no part of what is reproduced, compared and published with the rest."""

_NOT_ARTIFACTS = {"manifest.json", "progress.json", "running.lock", "log.jsonl", "duration.json"}


def build_folder() -> Path:
    """Where runs are made: ``ASES_BUILD``, else ``build`` in the project's folder."""
    given = os.environ.get("ASES_BUILD")
    return Path(given).expanduser().resolve() if given else root() / "build"


_SHELVES = {
    ("quick", ""): "",
    ("real", ""): "real",
    ("classroom", ""): "",  # its notebooks are others than quick's
    ("classroom", "reports_en"): "reports_en",
    ("classroom", "reports_zh"): "reports_zh",
}


@dataclass(frozen=True)
class Shelf:
    """Where the runs of a size and a task are published, if anywhere.

    >>> str(Shelf.of({"size": "classroom", "data": "reports", "language": "en"}))
    'size classroom of reports_en'

    ``task`` is ``reports_en`` or ``reports_zh`` for generated reports, empty for word problems, whose data the size
    says.
    """

    size: str
    task: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Shelf:
        """The shelf that flat parameters mean."""
        data, task = parameters.get("data"), ""
        if data == "reports":
            task = f"{data}_{parameters.get('language') or LANGUAGE_OF[data]}"
        return cls(parameters.get("size") or "quick", task)

    def __str__(self) -> str:
        return " of ".join(filter(None, [f"size {self.size}", self.task]))

    @property
    def notebooks(self) -> Path | None:
        """Where executed notebooks are published, None for those that are not."""
        if self.size == "smoke":
            return root() / "tests" / "notebooks"  # the twins of the notebooks that the tests execute
        return self._in("notebooks")

    def figures(self, notebook: str) -> Path | None:
        """Where the figures and tables of a notebook are published, None for those that are not."""
        place = self._in("figures")
        return None if place is None else place / notebook

    def _in(self, folder: str) -> Path | None:
        place = _SHELVES.get((self.size, self.task))
        return None if place is None else root() / folder / place


@dataclass(frozen=True)
class Run:
    """One run of one step. ``parameters`` are the given ones that matter to it; ``settings`` are complete.

    A folder of data (``settings.data.data_folder``) or of a checkpoint (``settings.training.model``) is absolute here,
    so that it does not depend on the working directory.
    """

    step: str
    parameters: dict[str, Any] = field(compare=False)
    settings: Settings = field(compare=False)
    inputs: tuple[Run, ...] = field(compare=False, repr=False)
    bits: str
    key: str

    @property
    def notebook(self) -> str:
        """The name of the notebook that makes this run."""
        return STEPS[self.step]

    @property
    def label(self) -> str:
        """For people: notebook and what tells this run from its neighbours."""
        return f"{self.notebook} {self.bits}"

    @property
    def folder(self) -> Path:
        """``build/runs/<step>-<bits>-<key>``; of private data, within the folder that holds the data."""
        return self.home / "runs" / f"{self.step}-{self.bits}-{self.key}"

    @property
    def home(self) -> Path:
        """Where this run and those it needs are made: nothing of private data leaves the folder that holds it."""
        data = self.settings.data
        if data.data not in PRIVATE:
            return build_folder()
        place = Path(data.data_folder)
        return (place.parent if place.is_file() else place) / "ases-build"

    @property
    def figure_folder(self) -> Path:
        """Where this run's figures and their tables go."""
        return self.folder / "figures"

    @property
    def manifest_path(self) -> Path:
        """The file whose presence says that the run is done."""
        return self.folder / "manifest.json"

    def path(self, name: str) -> Path:
        """An artifact of this run, by its name in the folder."""
        return self.folder / name

    def all(self, step: str) -> list[Run]:
        """The nearest inputs of a step: the run's own, else its inputs' inputs, and so on."""
        level: Iterable[Run] = self.inputs
        while level:
            if found := {run.key: run for run in level if run.step == step}:
                return list(found.values())
            level = [deeper for run in level for deeper in run.inputs]
        return []

    def input(self, step: str) -> Run:
        """The one input of a step. Raises RunError where there is none, or more than one (see :meth:`all`)."""
        found = self.all(step)
        if len(found) != 1:
            raise RunError(f"{self.label} has {len(found)} inputs from {step}, not one; `all` lists them")
        return found[0]

    def manifest(self) -> dict[str, Any]:
        """The manifest. Raises RunError where it is missing or unreadable."""
        try:
            content = json.loads(self.manifest_path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{self.label} is not done: {self.manifest_path}: {error}") from None
        if not isinstance(content, dict) or content.get("key") != self.key:
            raise RunError(f"{self.manifest_path} belongs to another run; delete the folder {self.folder.name}")
        return content

    def is_done(self) -> bool:
        """Whether the manifest is there, readable, and every file that it lists exists."""
        try:
            return all(self.path(name).is_file() for name in self.manifest().get("files", {}))
        except RunError:
            return False

    def progress(self, message: str, done: float) -> None:
        """Tell whoever waits how far the run is; ``done`` from 0 to 1."""
        _write_json(self.path("progress.json"), {"message": message, "done": float(done)})
        show(message, float(done))

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Keep a table as Parquet under that name in the folder; whoever reads it finds it whole or not at all."""
        partial = self.path(f"{name}.partial")
        table.to_parquet(partial, index=False)
        partial.replace(self.path(name))

    def finish(self, **numbers: Any) -> None:
        """Write ``manifest.json``, as the last thing a run does: the run counts as done from here on.

        ``numbers`` are the run's results in short. A manifest that already says the same stays untouched, so that
        looking at a finished run again does not make the runs after it stale.
        """
        names = sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())
        content = {
            "step": self.step,
            "key": self.key,
            "parameters": self.parameters,
            "settings": _portable(self.settings, self.parameters),
            "inputs": {run.folder.name: run.key for run in self.inputs},
            "notebook": notebook_code(notebook_path(self.notebook)),
            "numbers": {name: _plain(name, value) for name, value in numbers.items()},
            "files": {name: file_hash(self.path(name)) for name in names if _is_artifact(name)},
            **environment(),
        }
        try:
            json.dumps(content, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise RunError(f"{self.label}: the numbers given to finish cannot be written as JSON: {error}") from None
        if self.is_done():
            before = self.manifest()
            before.pop("finished", None)
            if before == json.loads(json.dumps(content)):
                return
        _write_json(self.manifest_path, {**content, "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})


def _is_artifact(name: str) -> bool:
    kept = name.startswith(("arrow/", "shards/"))  # on the way to an artifact, for whoever goes on after a kill
    return name not in _NOT_ARTIFACTS and not kept and not name.endswith((".partial", ".ipynb"))


def _plain(name: str, value: Any) -> Any:
    return value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value


def _write_json(path: Path, content: Any) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)


def _portable(settings: Settings, parameters: Mapping[str, Any]) -> dict[str, Any]:
    content = asdict(settings)
    content["data"]["data_folder"] = parameters.get("data_folder") or ""  # as given, not where it lies here
    content["training"]["model"] = parameters.get("model") or settings.training.model
    return content
