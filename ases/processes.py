"""Several processes that train one model together, started from here and followed like one.

>>> follow("ases.training", job_folder, processes=2, progress=print)          # doctest: +SKIP

They are started by ``torchrun``, one a GPU or a core. Each tells its progress and its errors as a line of JSON;
whatever else they write lies in ``processes.log`` beside the job. When whoever follows them is gone, they stop at
their next line.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch.distributed as distributed

from ases import errors
from ases.errors import AsesError, RunError


def world_size() -> int:
    """How many processes take part; 1 outside torchrun."""
    return distributed.get_world_size() if _together() else int(os.environ.get("WORLD_SIZE", 1))


def rank() -> int:
    """Which of the processes this is, from 0."""
    return distributed.get_rank() if _together() else int(os.environ.get("RANK", 0))


def is_main() -> bool:
    """Whether this is the process that writes."""
    return rank() == 0


def barrier() -> None:
    """Wait until all processes are here."""
    if _together():
        distributed.barrier()


def inside() -> bool:
    """Whether this process was started by torchrun, as one of several."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()


def tell(message: str, done: float) -> None:
    """Tell the process that follows how far this one is; only the first of several does."""
    if is_main():
        print(json.dumps({"message": message, "done": done}), flush=True)


def tell_error(error: AsesError) -> None:
    """Tell the process that follows what went wrong."""
    print(json.dumps({"error": str(error), "kind": type(error).__name__}), flush=True)


def follow(module: str, job: Path, processes: int, progress: Callable[[str, float], None]) -> None:
    """Start ``torchrun -m module job`` with that many processes and follow it to its end.

    Raises the error that one of them told, else RunError with the end of their log. Stopped together with this
    process.
    """
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // processes))
    # The package is found where it was found here, whatever the working directory.
    path = os.pathsep.join([str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONPATH": path}
    told: AsesError | None = None
    log = job.parent / "processes.log"
    with log.open("w") as others:
        running = subprocess.Popen(
            [*command, "-m", module, str(job)], stdout=subprocess.PIPE, stderr=others, text=True, env=environment
        )
        try:
            for line in running.stdout:
                said = _said(line)
                if "done" in said:
                    progress(said["message"], said["done"])
                elif "error" in said:
                    told = told or getattr(errors, said["kind"], RunError)(said["error"])
                else:
                    others.write(line)
        finally:
            if running.poll() is None:
                running.terminate()
            running.wait()
    if told is not None:
        raise told
    if running.returncode:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-60:])
        raise RunError(f"{processes} processes of {module} ended with {running.returncode}; the end of {log}:\n{end}")


def _said(line: str) -> dict:
    try:
        content = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other trainings out of a folder; the lock ends with the process that holds it, however it ends.

    Of several processes that train together the first holds it. Raises RunError where another process trains there.
    """
    if not is_main():
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "training.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunError(f"another process trains in {folder}; wait until it is done, or stop it") from error
        try:
            yield
        finally:
            (folder / "training.lock").unlink(missing_ok=True)
