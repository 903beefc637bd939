"""What reading, checking and splitting a large file takes: seconds and peak memory by step.

    python -m ases.scale FOLDER ROWS

>>> million_rows(Path("build/scale"), rows=1_000_000)

The file is generated: word problems (:mod:`ases.problems`), each set in a scene of made-up words so that stories
differ, with copies whose numbers are swapped, equal copies, and rows without a rationale, as found in files that people
collect. Numbers are for the machine at hand: compare ratios.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas

from ases.checks import check_file
from ases.errors import RunError
from ases.examples import write_examples
from ases.gathering import Progress, content_key
from ases.memory import peak_mib
from ases.problems import iter_problems
from ases.settings import settings_for
from ases.splits import leaks, make_splits

_SWAPPED, _EQUAL, _EMPTY = 0.05, 0.01, 0.001  # shares of rows
_WORKS = ("write", "check", "split")


def million_rows(
    folder: Path, rows: int = 1_000_000, progress: Progress = lambda message, done: None
) -> pandas.DataFrame:
    """Write a file of ``rows`` generated records, then check, load, split, test for leaks and store the splits.

    Each of write, check, and all that concerns splits runs in a process of its own, so that memory is the work's and
    not the caller's. Returns step, rows, seconds, and peak_mb: the most resident memory the process had held when the
    step ended, mapped pages counted in. ``folder`` keeps the file and the splits. A call that was killed goes on with
    the work that it had not finished, as long as the code is the same. Raises RunError where a process fails.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    found: list[dict[str, Any]] = []
    marks = {work: folder / f"measured-{rows}-{work}-{content_key()}.json" for work in _WORKS}
    for number, (work, mark) in enumerate(marks.items()):

        def told(message: str, done: float, number: int = number, work: str = work) -> None:
            progress(f"{rows:,} rows: {work}{message and ': '}{message}", (number + done) / len(_WORKS))

        told("", 0.0)
        if not mark.is_file() or not _file(folder, rows).is_file():
            measured = _measure([sys.executable, "-m", "ases.scale", str(folder), str(rows), work], told)
            partial = mark.with_name(f"{mark.name}.partial")
            partial.write_text(json.dumps(measured), encoding="utf-8")
            partial.replace(mark)
        found += json.loads(mark.read_text(encoding="utf-8"))
    for mark in folder.glob(f"measured-{rows}-*.json"):
        mark.unlink()  # all is measured: another call measures anew
    return pandas.DataFrame(found, columns=["step", "rows", "seconds", "peak_mb"])


def _measure(command: list[str], told: Progress) -> list[dict[str, Any]]:
    """The steps that a process reports; what else it says is progress."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    found = []
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as process:
            try:
                for line in process.stdout or ():
                    entry = json.loads(line)
                    if "step" in entry:
                        found.append(entry)
                    else:
                        told(entry["doing"], entry["done"])
            except BaseException:  # such as an interrupt: no process may go on unseen
                process.kill()
                raise
        if process.returncode:
            errors.seek(0)
            raise RunError(f"{' '.join(command[1:])} failed: {errors.read().strip()[-500:]}")
    return found


def _file(folder: Path, rows: int) -> Path:
    return folder / f"rows-{rows}.jsonl"


def write_rows(path: Path, rows: int, seed: int = 0, progress: Progress = lambda message, done: None) -> None:
    """The generated file, one JSON object a line: qid, question, rationale, answer."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        for number, row in enumerate(_rows(rows, seed)):
            if number % 20_000 == 0:
                progress(f"{number:,} rows", number / rows)
            file.write(json.dumps(row) + "\n")
    partial.replace(path)


def _rows(rows: int, seed: int) -> Iterator[dict[str, str]]:
    rng = random.Random(f"scale {seed}")
    syllables = [first + second for first in "bdfgklmnprstvz" for second in ("a", "e", "i", "o", "u")]
    words = ["".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(30_000)]
    # A few words are common and most are rare, as in any language.
    weights = [1 / (rank + 20) for rank in range(len(words))]
    totals = [0.0]
    for weight in weights:
        totals.append(totals[-1] + weight)
    problems = iter_problems(rows, seed=seed, steps_from=1, steps_to=8, largest=1000)
    earlier: list[dict[str, str]] = []
    for number in range(rows):
        chance = rng.random()
        if chance < _EQUAL + _SWAPPED and earlier:
            row = dict(rng.choice(earlier))
            if chance >= _EQUAL:
                row["question"] = re.sub(r"\d+", lambda _: str(rng.randint(2, 1000)), row["question"])
        else:
            problem = next(problems)
            scene = rng.choices(words, cum_weights=totals[1:], k=rng.randint(6, 14))
            row = {"question": f"In {' '.join(scene)}: {problem.question}", "rationale": problem.rationale}
            row["answer"] = str(problem.answer)
            earlier = [*earlier[-999:], row] if number % 10 == 0 else earlier
        if rng.random() < _EMPTY:
            row = {**row, "rationale": ""}
        yield {"qid": f"row-{number:07d}", **row}


def _report(step: str, rows: int, start: float) -> None:
    found = {"step": step, "rows": rows, "seconds": round(time.perf_counter() - start, 1), "peak_mb": round(peak_mib())}
    print(json.dumps(found), flush=True)


def _told(message: str, done: float) -> None:
    print(json.dumps({"doing": message, "done": done}), flush=True)


def _work(folder: Path, rows: int, work: str) -> None:
    path = _file(folder, rows)
    start = time.perf_counter()
    if work == "write":
        write_rows(path, rows, progress=_told)
        _report("write the file", rows, start)
    elif work == "check":
        check_file(path, progress=_told)
        _report("check the file", rows, start)
    else:
        records = folder / f"records-{rows}"
        # Left by a process that was killed: records found there would not be read, and halves of splits are of no use.
        shutil.rmtree(records, ignore_errors=True)
        for half in folder.glob("*.parquet.*.partial"):
            half.unlink()
        held = max(min(rows // 20, 1000), 1)
        sizes = {"train_size": 0, "valid_size": held, "test_size": held}
        settings = settings_for({"size": "real", "data": "own", "data_folder": str(path), **sizes})
        splits = make_splits(settings.data, records, _told)
        _report("load and split", rows, start)
        start = time.perf_counter()
        for name, examples in splits.items():
            _told(f"storing {name}", 0.8)
            write_examples(examples, folder / f"{name}.parquet")
        _report("store the splits", rows, start)
        start = time.perf_counter()
        _told("looking for leaks", 0.9)
        found = leaks(splits)
        _report("look for leaks", rows, start)
        splits.account.to_csv(folder / "account.csv", index=False)
        splits.near_duplicates.to_csv(folder / "near_duplicates.csv", index=False)
        if len(found) or splits.account["rows"].sum() != rows:
            raise RunError(f"{len(found)} leaks; {splits.account['rows'].sum()} of {rows} records accounted for")
        shutil.rmtree(records, ignore_errors=True)


def _shown(message: str, done: float) -> None:
    print(f"{done:4.0%} {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _work(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    elif len(sys.argv) == 3 and sys.argv[2].isdecimal() and int(sys.argv[2]) > 0:
        print(million_rows(Path(sys.argv[1]), int(sys.argv[2]), _shown).to_string(index=False))
    else:
        sys.exit("usage: python -m ases.scale FOLDER ROWS (ROWS: a number above 0)")
