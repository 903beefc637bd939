"""What a name means: the place that a parameter names, and what lies there, told by its content.

>>> model_identity("nano")
'nano'

A run's key holds the content of what it reads and not the place, so that a copied folder means the same work.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from ases.errors import ModelError
from ases.parameters import root
from ases.presets import PRESETS, is_preset
from ases.provenance import digest, file_hash
from ases.settings import DataSettings

START = "params/start/checkpoint"
"""The start checkpoint that comes with the project."""

_DEEP, _LOOKED_AT, _SHOWN = 3, 2000, 5
"""Where folders with a model are looked for: levels below a folder, folders in all, and how many are named."""


def place_of(given: str) -> str:
    """The place of collected data or of a checkpoint, absolute.

    A relative one counts from the project's folder, else from here. What is neither a folder nor a file stays as it
    is: it may be a preset, or a name on a hub.
    """
    if is_preset(given):
        return given
    place = Path(given).expanduser()
    here = [one for one in (root() / place, place) if one.exists()]
    return str(here[0].resolve()) if here else str(given)


def model_identity(model: str) -> str:
    """What a model's name means: a preset or a hub's name as it is, a checkpoint in a folder by its files' content."""
    place = Path(place_of(model))
    if is_preset(model) or not place.is_dir():
        return model
    files = sorted(path for path in place.iterdir() if path.suffix in (".json", ".model", ".safetensors", ".txt"))
    return _content_of(tuple((str(path), path.stat().st_mtime_ns) for path in files))


@cache
def _content_of(files: tuple[tuple[str, int], ...]) -> str:
    return digest([(Path(path).name, file_hash(Path(path))) for path, _ in files])


def check_models(models: Iterable[str]) -> None:
    """Refuse models that are no preset, no folder, and not to be had from a hub, before anything is run for them.

    A hub is asked for what loading asks it for first, ``config.json``, so that what it refuses here it would refuse
    there; what lies in its cache needs no network. Raises ModelError, naming what would serve.
    """
    wrong = {model: problem for model in dict.fromkeys(models) if (problem := _model_problem(model))}
    if wrong:
        named = "; ".join(f"{model!r} ({problem})" for model, problem in wrong.items())
        here = _folders_with_a_model([Path(model).expanduser().parent for model in wrong])
        raise ModelError(
            f"no model can be had as {named}. Set model to a preset ({', '.join(PRESETS)}), to {START}, the small "
            "checkpoint that comes with this project, or to a folder that holds config.json and model.safetensors "
            f"beside its tokenizer. {'Such folders here: ' + ', '.join(here) if here else 'None was found here'}."
        )


def _model_problem(model: str) -> str | None:
    if is_preset(model) or Path(place_of(model)).is_dir():
        return None
    from huggingface_hub import hf_hub_download  # late: most models are presets
    from huggingface_hub.errors import LocalEntryNotFoundError
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()  # for a file of some hundred bytes
    try:
        hf_hub_download(model, "config.json")
    except Exception as error:  # the hub's client raises whatever its layers raise
        cause = error.__cause__ if isinstance(error, LocalEntryNotFoundError) else None  # it names no reason itself
        said = " ".join(str(cause or error).split())[:200]
        return f"no such folder; from the hub: {said or type(error).__name__}"
    return None


def _folders_with_a_model(more: Iterable[Path]) -> list[str]:
    """Folders with a model in the project, the working directory and ``more``, a few levels deep; those of runs not."""
    found: dict[str, None] = {}
    looked_at = 0
    for base in dict.fromkeys(place.resolve() for place in (root(), Path.cwd(), *more) if place.is_dir()):
        for place, folders, files in os.walk(base):
            looked_at += 1
            if "config.json" in files and any(name.endswith(".safetensors") for name in files):
                inside = Path(place).is_relative_to(root())
                found[str(Path(place).relative_to(root())) if inside else place] = None
            deeper = len(Path(place).relative_to(base).parts) < _DEEP and looked_at < _LOOKED_AT
            left_out = ("build", "node_modules", "site-packages")
            folders[:] = sorted(name for name in folders if deeper and name[0] != "." and name not in left_out)
    return list(found)[:_SHOWN]


def fingerprint(data: DataSettings) -> str:
    """Fingerprint of collected data, by its files' content. Raises DataError where it is missing."""
    place = Path(data.data_folder)
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return _fingerprint(data.data, data.data_folder, tuple((str(path), path.stat().st_mtime_ns) for path in files))


@cache
def _fingerprint(data: str, place: str, _changed: tuple[tuple[str, int], ...]) -> str:
    from ases import sources  # late: it loads datasets, which a look at generated data's runs does not need

    return sources.fingerprint(data, place)
