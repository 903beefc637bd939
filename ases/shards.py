"""Scoring in shards: over processes and machines, stopped and gone on with, merged when whole.

>>> score_shards(examples, scorer, folder, worker=(0, 2))        # doctest: +SKIP  one process
>>> score_shards(examples, scorer, folder, worker=(1, 2))        # doctest: +SKIP  another, here or elsewhere
>>> table = merge_shards(folder)                                 # doctest: +SKIP

From a shell: ``python -m ases.shards examples.parquet scorer_run folder --worker 0 2``.

A shard is a Parquet file named for what it holds: a hash of its examples, the scorer's weights and vocabulary and the
options. It is there whole or not at all, so a killed process is started again and scores what is missing; a shard of
other examples or another scorer has another name and is never taken for this one. ``log.jsonl`` has a line for each
shard scored. Only folders shared by all workers are needed, no server.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from ases.errors import ParameterError, RunError
from ases.examples import Example, read_examples
from ases.scorers import CONDITIONS, Scorer, load_scorer, measure

Progress = Callable[[str, float], None]

SHARD_SIZE = 512
"""Examples a shard: enough to sort by length with little padding, few enough that a kill costs a minute or so."""

PLAN, LOG = "plan.json", "log.jsonl"
_MEASUREMENT = 1  # to be raised when the same inputs would be measured as something else


@dataclass(frozen=True)
class Shard:
    """A file to be, and the examples (from, to) that it holds."""

    name: str
    start: int
    stop: int


def score_shards(
    examples: Sequence[Example],
    scorer: Scorer,
    folder: Path,
    *,
    shard_size: int = SHARD_SIZE,
    worker: tuple[int, int] = (0, 1),
    conditions: Sequence[str] = CONDITIONS,
    precision: str = "float32",
    token_budget: int | None = None,
    progress: Progress = lambda message, done: None,
) -> list[Path]:
    """Score this worker's shards that are not there yet: worker (i, n) takes shards i, i + n, i + 2n and so on.

    All workers are given the same examples, in the same order, and the same options. Returns the paths of the shards
    scored now. Raises ParameterError for a worker or a shard size that cannot be; otherwise as
    :func:`ases.scorers.measure`.
    """
    index, count = worker
    if not 0 <= index < count or shard_size < 1 or not examples:
        raise ParameterError(
            f"worker {worker}, shard_size {shard_size}, {len(examples)} examples: a worker is (i, n) with i from 0 to "
            "n - 1, and shard_size and the examples are at least one"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    options = {"conditions": list(conditions), "precision": precision}
    shards = plan_shards(examples, scorer_key(scorer), options, shard_size)
    _write(folder / PLAN, json.dumps([shard.name for shard in shards]).encode())
    own = shards[index::count]
    waiting = [shard for shard in own if not (folder / shard.name).is_file()]
    scored = []
    for place, shard in enumerate(waiting):

        def show(message: str, done: float, place: int = place) -> None:
            progress(f"shard {place + 1} of {len(waiting)}: {message}", (place + done) / len(waiting))

        began = time.monotonic()
        table = measure(
            examples[shard.start : shard.stop],
            scorer,
            conditions,
            precision=precision,
            token_budget=token_budget,
            progress=show,
        )
        path = folder / shard.name
        _write(path, table.to_parquet(index=False))
        # After the file: a kill in between leaves a shard without a line, never a line without its shard.
        entry = {"shard": shard.name, "examples": shard.stop - shard.start, "pieces": len(table)}
        entry |= {"seconds": round(time.monotonic() - began, 3), "worker": [index, count], "host": socket.gethostname()}
        _append(folder / LOG, entry | {"pid": os.getpid()})
        scored.append(path)
    progress(f"{len(scored)} shards scored, {len(own) - len(scored)} were there", 1.0)
    return scored


def merge_shards(folder: Path) -> pd.DataFrame:
    """The table of all shards of the folder's plan, in the order of the examples.

    Raises RunError, naming the first of them, where shards are missing.
    """
    folder = Path(folder)
    try:
        names = json.loads((folder / PLAN).read_text())
    except FileNotFoundError as error:
        raise RunError(f"{folder} holds no plan of shards; score into it first (ases.shards.score_shards)") from error
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise RunError(
            f"{len(missing)} of {len(names)} shards are not in {folder}, first {missing[0]}; "
            "let every worker run to its end"
        )
    return pd.concat([pd.read_parquet(folder / name) for name in names], ignore_index=True)


def scored_log(folder: Path) -> pd.DataFrame:
    """The log, a row a shard scored: ``shard, examples, pieces, seconds, worker, host, pid``."""
    path = Path(folder) / LOG
    lines = path.read_text().splitlines() if path.is_file() else []
    columns = ["shard", "examples", "pieces", "seconds", "worker", "host", "pid"]
    return pd.DataFrame([json.loads(line) for line in lines], columns=columns)


def plan_shards(
    examples: Sequence[Example], scorer: str, options: dict[str, Any], shard_size: int = SHARD_SIZE
) -> list[Shard]:
    """The shards of the examples in order, each named by its number and by the hash of all that decides its content."""
    shards = []
    for number, start in enumerate(range(0, len(examples), shard_size)):
        part = examples[start : start + shard_size]
        content = [_MEASUREMENT, scorer, options, [(e.qid, e.question, e.rationale, e.answer) for e in part]]
        key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
        shards.append(Shard(f"shard-{number:06d}-{key}.parquet", start, start + len(part)))
    return shards


def scorer_key(scorer: Scorer) -> str:
    """A hash of the scorer's weights and vocabulary, 64 hex digits; the same on every device."""
    key = hashlib.sha256(scorer.codec.tokenizer.backend_tokenizer.to_str().encode())
    key.update(json.dumps([scorer.codec.exact, scorer.model.config.model_type]).encode())
    seen: set[int] = set()
    for name, tensor in sorted(scorer.model.state_dict().items()):
        if tensor.data_ptr() in seen:
            continue  # tied weights, once
        seen.add(tensor.data_ptr())
        key.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        key.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return key.hexdigest()


def _write(path: Path, content: bytes) -> None:
    # A name of its own for each process: two workers may write the same plan at the same time.
    partial = path.with_name(f"{path.name}.{socket.gethostname()}-{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def _append(path: Path, entry: dict[str, Any]) -> None:
    # One write to a file opened for appending: lines of several processes do not mix.
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, (json.dumps(entry) + "\n").encode())
    finally:
        os.close(file)


def main(arguments: Sequence[str] | None = None) -> None:
    """Score one worker's shards: what a workflow or a cluster's job starts once a process."""
    parser = argparse.ArgumentParser(prog="python -m ases.shards", description=main.__doc__)
    parser.add_argument("examples", type=Path, help="Parquet file of examples")
    parser.add_argument("scorer", type=Path, help="folder of the scorer's finished training run")
    parser.add_argument("folder", type=Path, help="where the shards go, shared by all workers")
    parser.add_argument("--worker", type=int, nargs=2, default=(0, 1), metavar=("I", "N"))
    parser.add_argument("--shard-size", type=int, default=SHARD_SIZE)
    parser.add_argument("--conditions", nargs="+", default=list(CONDITIONS), help="question prefix, or answer")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args(arguments)
    scorer = load_scorer(given.scorer, "answer-from-prefix" if given.conditions == ["answer"] else "seq2seq")
    scorer.model.to(given.device)
    scored = score_shards(
        read_examples(given.examples),
        scorer,
        given.folder,
        shard_size=given.shard_size,
        worker=tuple(given.worker),
        conditions=given.conditions,
        precision=given.precision,
    )
    print(f"{len(scored)} shards scored")


if __name__ == "__main__":
    main()
