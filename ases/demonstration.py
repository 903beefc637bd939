"""A file as a user might bring it, and a broken copy, so that a reader sees a check before having data of their own."""

from __future__ import annotations

import csv
from pathlib import Path

from ases.examples import state_answer
from ases.problems import generate_problems


def demonstration_file(path: Path, problems: int = 50, seed: int = 0) -> Path:
    """Write generated problems as a CSV under the columns ``problem, solution, result``; returns the path."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["problem", "solution", "result"])
        for one in map(state_answer, generate_problems(problems, seed=seed, steps_from=1, steps_to=4)):
            writer.writerow([one.question, one.rationale, one.answer])
    return Path(path)


def broken_copy(path: Path, target: Path) -> Path:
    """Copy a :func:`demonstration_file`, with an empty solution and rows of two and of four cells; returns the copy."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    question = next(csv.reader([lines[1]]))[0]
    lines[1] = f'"{question}",,5'
    lines[3] = '"How many are left?","There are 5 left."'
    lines[5] = f"{lines[5]},one cell too many"
    Path(target).write_text("\n".join([*lines, ""]), encoding="utf-8")
    return Path(target)
