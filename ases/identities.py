"""What a name means: the place that a parameter names, and what lies there, told by its content.

>>> model_identity("nano")
'nano'

A run's key holds the content of what it reads and not the place, so that a copied folder means the same work.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ases.parameters import root
from ases.presets import is_preset
from ases.provenance import digest, file_hash
from ases.settings import DataSettings


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


def fingerprint(data: DataSettings) -> str:
    """Fingerprint of collected data, by its files' content. Raises DataError where it is missing."""
    place = Path(data.data_folder)
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return _fingerprint(data.data, data.data_folder, tuple((str(path), path.stat().st_mtime_ns) for path in files))


@cache
def _fingerprint(data: str, place: str, _changed: tuple[tuple[str, int], ...]) -> str:
    from ases import sources  # late: it loads datasets, which a look at generated data's runs does not need

    return sources.fingerprint(data, place)
