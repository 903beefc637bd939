"""Several processes, started and followed: what they tell, and how they end."""

from __future__ import annotations

import pytest

from ases.errors import ModelError, RunError
from ases.processes import alone, follow

MODULE = """
import os, sys
from ases.errors import ModelError
from ases.processes import tell, tell_error, world_size
tell("half", 0.5)
print("just talk")
assert world_size() == 2
mode = open(sys.argv[1]).read()
if mode == "told" and os.environ["RANK"] == "1":
    tell_error(ModelError("the loss is nan at step 3"))
    sys.exit(2)
if mode == "untold":
    sys.exit("something broke")
"""


@pytest.fixture
def job(tmp_path, monkeypatch):
    (tmp_path / "followed.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "job"


def test_progress_is_told_once_and_other_lines_go_to_the_log(job):
    job.write_text("")
    heard = []
    follow("followed", job, 2, lambda message, done: heard.append((message, done)))
    assert heard == [("half", 0.5)]
    assert (job.parent / "processes.log").read_text().count("just talk") == 2


def test_an_error_of_any_process_is_raised_here(job):
    job.write_text("told")
    with pytest.raises(ModelError, match="the loss is nan at step 3"):
        follow("followed", job, 2, lambda message, done: None)


def test_an_end_without_words_shows_the_end_of_the_log(job):
    job.write_text("untold")
    with pytest.raises(RunError, match="(?s)2 processes of followed ended with 1.*something broke"):
        follow("followed", job, 2, lambda message, done: None)


def test_the_lock_of_a_folder_ends_with_its_holder(tmp_path):
    with alone(tmp_path), pytest.raises(RunError, match="wait until it is done"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass
    assert not list(tmp_path.iterdir())
