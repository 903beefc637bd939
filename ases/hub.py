"""Sets on the Hugging Face hub, read row by row without a copy on disk.

>>> is_name("hub:owner/name"), is_name("my/rationales.csv")
(True, False)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ases.errors import DataError
from ases.files import LAYOUTS

_NAME = re.compile(r"(?:hub:)?([\w.-]+/[\w.-]+)(?::([\w.-]+))?(?:@([\w./-]+))?")


def is_name(place: str | Path) -> bool:
    """Whether a place is a hub name: ``hub:owner/name[:config][@revision]``, or ``owner/name`` where no such path is.

    What ends like a data file is a path, there or not.
    """
    text = str(place)
    if text.startswith("hub:"):
        return True
    packed = (*LAYOUTS, ".gz", ".zip")
    return bool(_NAME.fullmatch(text)) and not text.lower().endswith(packed) and not Path(text).exists()


def read(place: str) -> Iterator[tuple[str, str, int, str, dict[str, Any]]]:
    """Set (the split's name), place, row counted from 1, unit and values of every row of every split, streamed.

    Raises DataError where the hub cannot be reached or the set cannot be read; no code of the set is run.
    """
    name, config, revision_ = _parts(place)
    import datasets  # late: only a hub set needs it here

    try:
        splits = datasets.load_dataset(name, config, revision=revision_, streaming=True)
        for split, rows in splits.items():
            for number, values in enumerate(rows, start=1):
                yield str(split), f"{place} ({split})", number, "row", dict(values)
    except DataError:
        raise
    except Exception as error:  # the hub's client raises whatever its layers raise
        raise DataError(_message(place, error)) from None


def revision(place: str) -> str:
    """``owner/name:config@commit``: what the hub serves now, or the commit that the name states."""
    name, config, given = _parts(place)
    if given is None or not re.fullmatch(r"[0-9a-f]{40}", given):
        import huggingface_hub

        try:
            given = huggingface_hub.HfApi().dataset_info(name, revision=given).sha
        except Exception as error:
            raise DataError(_message(place, error)) from None
    return f"{name}:{config or ''}@{given}"


def _parts(place: str) -> tuple[str, str | None, str | None]:
    match = _NAME.fullmatch(place)
    if match is None:
        raise DataError(f"{place!r} is no name of a hub set; write hub:owner/name, hub:owner/name:config@revision")
    return match[1], match[2], match[3]


def _message(place: str, error: Exception) -> str:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return (
        f"the hub set {place} cannot be read ({reason}); check the name, the network and HTTPS_PROXY, or save it where "
        f"there is a network as rationales.jsonl, .csv or .parquet, and name that file in its place"
    )
