"""A checkpoint counts only when it is whole."""

from __future__ import annotations

import pytest

from ases.checkpoints import MARKER, last_whole, seal


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
