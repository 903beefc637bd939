"""A full disk and a read-only folder end in a sentence that says what to do, and what was finished is kept."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ases import runs
from ases.__main__ import main
from ases.execution import ADVICE, state, unwritable
from tests import fake_project

LARGE = 'run.path("large.bin").write_bytes(bytes(3_000_000))'


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in fake_project.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ASES_BUILD", raising=False)
    folder = fake_project.make(tmp_path)
    path = folder / "notebooks" / "02_data.ipynb"
    fake_project.notebook(path, "data", fake_project.COMMON, LARGE, fake_project.LAST)
    return folder


def limited(size: int) -> subprocess.CompletedProcess[str]:
    """Execute a notebook where no file may become larger: what a full disk does, without filling one."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    command = [sys.executable, "-m", "ases", "run", "02_data"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, preexec_fn=limit)


@pytest.mark.parametrize(("size", "where"), [(1_000_000, "02_data stopped in its cell [3]"), (900, "02_data: cannot")])
def test_no_room_while_a_notebook_works_or_is_written(size: int, where: str) -> None:
    done = limited(size)
    assert done.returncode == 1, done.stderr
    assert where in done.stderr and "File too large" in done.stderr and "Traceback" not in done.stderr
    assert ADVICE.split(";")[0] in done.stderr
    run = runs.run_for("data", {})
    assert not run.is_done() and state(run) in ("failed", "missing")
    assert not run.path("notebook.ipynb").exists()


def test_a_read_only_folder_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    real = Path.mkdir

    def refuse(path: Path, *arguments: object, **options: object) -> None:
        if "build" in path.parts:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        real(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", refuse)
    for arguments in (["run", "02_data"], ["reproduce"]):
        assert main(arguments) == 2
        said = capsys.readouterr().err
        assert said.startswith("cannot write ") and "Read-only file system" in said and "ASES_BUILD" in said


def test_another_error_of_the_system_is_not_dressed_up() -> None:
    assert unwritable(OSError(errno.ECONNRESET, "reset")) is None
    told = unwritable(OSError(errno.ENOSPC, "x"))
    assert told == f"cannot write into the output folder: No space left on device. {ADVICE}"
