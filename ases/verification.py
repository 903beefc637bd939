"""How what was computed here agrees with what is published: table by table, row by row, and why not.

>>> agreement([{"method": "a", "accuracy": "0.5"}], [{"method": "a", "accuracy": "0.5"}])
[('a', 'identical')]

Measured times (``*.measured.csv``) are nobody's to reproduce, and are left out.
"""

from __future__ import annotations

import csv
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ases import runs
from ases.errors import AsesError
from ases.folders import STEPS, Run, Shelf
from ases.parameters import load_file, root
from ases.provenance import machine_type
from ases.publishing import published_runs
from ases.reproduction import planned
from ases.sweeps import point_name, swept


def read_table(path: Path) -> list[dict[str, str]]:
    """A CSV file as its rows."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table_text(rows: list[dict[str, str]]) -> str:
    """Rows as aligned text."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)] if rows else []
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


IDENTICAL, WITHIN, EQUAL, DIFFERENT = "identical", "within the published interval", "equal to six digits", "different"
_COUNTS = ("n", "seeds", "questions")  # no estimates: another count is another table


def agreement(ours: list[dict[str, str]], published: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Row by row, how a table agrees with the published one: (row's name, verdict).

    A row is found by its text columns. It is identical where every cell but times is; within the published interval
    where each value that has one (columns ``x``, ``x_low``, ``x_high``; or a value before ``low`` and ``high``; over
    seeds where there are several) lies in it and the counts are the same, whatever has no interval; equal to six digits
    in a table without intervals where all numbers agree to 1e-6; else different.
    """
    texts = [
        name
        for name in (published[0] if published else {})
        # A verdict such as True is a result, not a name.
        if any(_number(row[name]) is None and row[name] not in ("", "True", "False") for row in published)
    ]
    mine = {tuple(row.get(name) for name in texts): row for row in ours}
    theirs = {tuple(row.get(name) for name in texts): row for row in published}
    if len(mine) < len(ours) or len(theirs) < len(published):  # rows without names of their own: by position
        mine, theirs = dict(enumerate(ours)), dict(enumerate(published))
    verdicts = []
    for key in [*theirs, *(key for key in mine if key not in theirs)]:
        row, other = mine.get(key), theirs.get(key)
        shown = f"row {key + 1}" if isinstance(key, int) else " ".join(filter(None, key)) or "the row"
        if row is None or other is None:
            verdicts.append((shown, "only in the published table" if row is None else "not in the published table"))
        else:
            verdicts.append((shown, _row_verdict(row, other)))
    return verdicts


def _row_verdict(row: Mapping[str, str], published: Mapping[str, str]) -> str:
    names = [name for name in published if not name.endswith(("seconds", "minutes"))]
    if list(row) == list(published) and all(row[name] == published[name] for name in names):
        return IDENTICAL
    intervals = []
    for position, name in enumerate(names):
        if name == "low" or name.endswith("_low"):
            value = names[position - 1] if name == "low" else name.removesuffix("_low")
            intervals.append((value, name, f"{name.removesuffix('low')}high"))
    if intervals:
        same = all(row.get(name) == published[name] for name in names if name in _COUNTS)
        return WITHIN if same and all(_inside(row, published, *one) for one in intervals) else DIFFERENT
    close = all(row.get(name) == published[name] or _close(row.get(name), published[name]) for name in names)
    return EQUAL if close else DIFFERENT


def _inside(row: Mapping[str, str], published: Mapping[str, str], value: str, low: str, high: str) -> bool:
    if row.get(value) == published.get(value):
        return True
    numbers = [_number(row.get(value)), _number(published.get(low)), _number(published.get(high))]
    return None not in numbers and numbers[1] <= numbers[0] <= numbers[2]


def _close(one: str | None, other: str | None) -> bool:
    numbers = _number(one), _number(other)
    return None not in numbers and math.isclose(*numbers, rel_tol=1e-6, abs_tol=1e-9)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


# What a terminal is wide enough for; the whole table lies in the run's figures folder.
_SHOWN = tuple(
    "train_size budget arm method start n seeds accuracy low high difference difference_low difference_high p_holm "
    "bleu rouge_l epochs still_rises".split()
)
_AGAINST = {"comparison": "seq2seq", "start": "the first start"} | dict.fromkeys(
    ("experiment", "sensitivity", "rates"), "the arm's baseline"
)
_MAIN = {"experiment": "plateau", "rates": "best"}
"""The table that says most of a step, where it is not named like the step."""


def report(parameters: Mapping[str, Any], plan: list[Run]) -> str:
    """The tables of comparisons and of starts; of one comparison also how it agrees with the published one."""
    shelf, ends = Shelf.of(parameters), [run for run in plan if run.step in _AGAINST]
    comparisons = [run for run in ends if run.step == "comparison"]
    parts, absent = [], []
    for run in sorted(ends, key=lambda one: one.step == "comparison"):  # what was asked for first comes last
        path = run.figure_folder / f"{_MAIN.get(run.step, run.step)}.csv"
        if not path.is_file():
            absent.append(f"{run.notebook} has left no table {path.name}")
            continue
        rows = [{name: row[name] for name in row if name in _SHOWN} for row in read_table(path)]
        told = ", ".join(filter(None, [shelf.size, point_name(parameters, run.parameters)]))
        title = f"{run.step.capitalize()} ({told})"
        measure = "accuracy" if "accuracy" in rows[0] else "ROUGE-L"
        against = f"{measure} and its difference to {_AGAINST[run.step]} with 95 % intervals"
        parts += [f"\n{title}, {against}:", table_text(rows)]
    if len(comparisons) != 1 or absent:
        return "\n".join([*parts, *absent])
    ours = read_table(comparisons[0].figure_folder / "comparison.csv")
    place = shelf.figures(STEPS["comparison"])
    published = place / "comparison.csv" if place else None
    if published is None or not published.is_file():
        return "\n".join([*parts, "\nThere is no published table of this size to compare it with."])
    parts += [f"\nAgainst the published table ({published.relative_to(root())}):"]
    parts += [f"  {name}: {verdict}" for name, verdict in agreement(ours, read_table(published))]
    return "\n".join([*parts, *_reasons(shelf.size, comparisons[0])])


def _reasons(size: str, comparison: Run) -> list[str]:
    """Why what was computed here may differ from what is published."""
    manifest = root() / "figures" / "results" / f"{size}-manifest.json"
    published = json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    reasons = []
    if published and published.get("key") != comparison.key:
        reasons.append("The published table was made with other parameters, data or code than this one.")
    if published and published.get("machine") != machine_type():
        reasons.append(
            f"It was made on another type of machine ({published.get('machine')}; this is {machine_type()}), where "
            "trained weights differ: rows may lie as far apart as those of two seeds, and intervals of one seed do not "
            "cover that."
        )
    here = comparison.manifest() if comparison.is_done() else {}
    if published and here and published.get("threads") != here["threads"]:
        reasons.append(f"It was made with {published.get('threads')} threads a job, this with {here['threads']}.")
    changed = {
        name: f"{name} {version} (here {here['versions'].get(name)})"
        for name, version in published.get("versions", {}).items()
        if here and here["versions"].get(name) != version
    }
    if changed:
        reasons.append(f"It was made with {', '.join(changed.values())}.")
    return reasons


def verify(parameters: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Every published table against the one in the run folders: lines to print, and whether all agree.

    Rows that differ are named. Tables agree where none differs and none is missing that these parameters should have
    made. Published tables of other parameter files are named with the command that makes them, and tables that have
    not been published are named; neither counts against it, nor for it. Raises ParameterError for wrong parameters.
    """
    shelf = Shelf.of(parameters)
    if swept(parameters):
        return ["a sweep is not published table by table: its runs are exported (python -m ases export)"], False
    plan = planned(parameters)
    chosen = published_runs(parameters, plan)
    lines, compared, good = [], 0, True
    elsewhere: dict[str, list[str]] = defaultdict(list)
    for notebook, name, ours, published in _tables(shelf, chosen):
        if published is None:
            lines.append(f"{notebook}/{name}: not published")
        elif ours is None and notebook not in [run.notebook for run in chosen]:
            elsewhere[notebook].append(name)
        elif ours is None:
            lines.append(f"{notebook}/{name}: only published")
            good = False
        else:
            verdicts = agreement(ours, published)
            counts = Counter(verdict for _, verdict in verdicts)
            said = ", ".join(f"{n} rows {verdict}" for verdict, n in counts.items()) or "empty"
            lines.append(f"{notebook}/{name}: {said}")
            lines += [f"    {row}: {verdict}" for row, verdict in verdicts if verdict not in _AGREE]
            compared += 1
            good &= set(counts) <= _AGREE
    lines += [f"{notebook}/{', '.join(names)}: {_made_by(shelf, notebook)}" for notebook, names in elsewhere.items()]
    comparison = next((run for run in plan if run.step == "comparison"), None)
    if comparison and not good:
        lines += _reasons(shelf.size, comparison)
    return lines or [f"no tables are published for {shelf}"], good and compared > 0


def _made_by(shelf: Shelf, notebook: str) -> str:
    """Which command makes the published tables of a notebook that the parameters at hand do not run."""
    for path in sorted((root() / "params").glob("*.yaml")):
        try:
            given = load_file(path)
            there = Shelf.of(given).figures(notebook) == shelf.figures(notebook)
            made = there and published_runs(given, runs.plan(given))
        except AsesError:  # such as collected data that is not at hand
            continue
        if made and notebook in [run.notebook for run in made]:
            command = f"python -m ases reproduce params/{path.name}"
            return f"not compared, since another parameter file makes it: {command}"
    return "not compared, since other parameters than these make it"


_AGREE = {IDENTICAL, WITHIN, EQUAL}
_Table = list[dict[str, str]] | None


def _tables(shelf: Shelf, chosen: list[Run]) -> Iterator[tuple[str, str, _Table, _Table]]:
    """Each table that is published or would be: notebook, name, as computed here, as published; None where not."""
    here = {run.notebook: run.figure_folder for run in chosen}
    for notebook in dict.fromkeys(STEPS.values()):
        place = shelf.figures(notebook)
        if place is None:
            continue
        folders = [here.get(notebook), place]
        names = {path.name for folder in folders if folder for path in folder.glob("*.csv")}
        for name in sorted(name for name in names if not name.endswith(".measured.csv")):
            paths = [folder / name if folder and (folder / name).is_file() else None for folder in folders]
            yield notebook, name, *(read_table(path) if path else None for path in paths)
