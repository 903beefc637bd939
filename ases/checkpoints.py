"""Checkpoints that count only when they are whole, and files that are there whole or not at all.

>>> seal(folder / "checkpoint-40")                       # doctest: +SKIP
>>> last_whole(folder)                                   # doctest: +SKIP
('.../checkpoint-40', 40)

The trainer writes straight into ``checkpoint-N``; a kill inside a save leaves one that looks finished. Ours, then:
a marker with every file's hash, written last, and the older checkpoint dropped only after that.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARKER = "whole.json"

_NO_ROOM = ("No space left", "File too large", "Disk quota exceeded", "PytorchStreamWriter failed", "unexpected pos")


def seal(checkpoint: Path) -> None:
    """Mark a checkpoint as whole, its hashes written last; only then drop the ones before it."""
    hashes = {path.name: _sha256(path) for path in sorted(checkpoint.iterdir()) if path.is_file()}
    write_whole(checkpoint / MARKER, hashes)
    for other in checkpoint.parent.glob("checkpoint-*"):
        if other != checkpoint:
            shutil.rmtree(other)


def last_whole(folder: Path) -> tuple[str | None, int]:
    """The newest whole checkpoint in the folder and its step, ``(None, 0)`` where there is none.

    Those that are not whole, cut short or changed, are removed: the trainer would take them.
    """
    whole = []
    for checkpoint in folder.glob("checkpoint-*"):
        if _is_whole(checkpoint):
            whole.append((int(checkpoint.name.removeprefix("checkpoint-")), checkpoint))
        else:
            shutil.rmtree(checkpoint)
    if not whole:
        return None, 0
    step, checkpoint = max(whole)
    return str(checkpoint), step


def write_whole(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON so that the file is there whole or not at all, after a loss of power too."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def is_disk_full(error: BaseException) -> bool:
    """Whether the error, or what led to it, says that a file could not be written for want of room.

    Full disks, quotas and limits on a file's size; torch and safetensors tell them in words of their own.
    """
    known, seen = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}, set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, OSError) and one.errno in known:
            return True
        if any(words in str(one) for words in _NO_ROOM):
            return True
        waiting += [one.__cause__, one.__context__]
    return False


def _is_whole(checkpoint: Path) -> bool:
    try:
        hashes = json.loads((checkpoint / MARKER).read_text())
    except (OSError, ValueError):
        return False
    return all(
        (checkpoint / name).is_file() and _sha256(checkpoint / name) == digest for name, digest in hashes.items()
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
