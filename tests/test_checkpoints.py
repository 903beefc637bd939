"""A checkpoint counts only when it is whole."""

from __future__ import annotations

import errno
import json

import pytest

from ases.checkpoints import MARKER, is_disk_full, last_whole, seal, write_whole


def checkpoint(folder, step, *, sealed=True):
    path = folder / f"checkpoint-{step}"
    path.mkdir()
    (path / "model.safetensors").write_bytes(b"weights %d" % step)
    if sealed:
        seal(path)
    return path


def test_sealing_drops_the_older_one(tmp_path):
    checkpoint(tmp_path, 9)
    newer = checkpoint(tmp_path, 10)
    assert last_whole(tmp_path) == (str(newer), 10) and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", ["no marker", "half a marker", "changed", "missing"])
def test_a_damaged_one_is_passed_over_and_removed(tmp_path, damage):
    good = checkpoint(tmp_path, 9)
    bad = checkpoint(tmp_path, 10, sealed=False)
    if damage != "no marker":
        (bad / MARKER).write_text('{"model.safetensors": "' + "0" * 64 + ('"}' if damage != "half a marker" else ""))
    if damage == "missing":
        (bad / "model.safetensors").unlink()
    assert last_whole(tmp_path) == (str(good), 9) and not bad.exists()


def test_no_checkpoint_means_a_fresh_start(tmp_path):
    assert last_whole(tmp_path / "none") == (None, 0)


def test_a_full_disk_is_told_from_other_errors_whoever_tells_it():
    full = OSError(errno.ENOSPC, "No space left on device")
    assert is_disk_full(full) and is_disk_full(OSError(errno.EDQUOT, "Disk quota exceeded"))
    assert is_disk_full(RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/3"))
    try:
        try:
            raise full
        except OSError as error:
            raise ValueError("could not save") from error
    except ValueError as wrapped:
        assert is_disk_full(wrapped)
    assert not is_disk_full(OSError(errno.EACCES, "Permission denied")) and not is_disk_full(ValueError("shapes"))


def test_a_file_that_cannot_be_written_leaves_the_one_before(tmp_path):
    path = tmp_path / "file.json"
    write_whole(path, {"a": 1})
    with pytest.raises(TypeError):
        write_whole(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
