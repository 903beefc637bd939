"""Intervals -> the verdict on a prediction: it holds or does not where an interval says so; else it is undecided.

>>> above([(0.10, 0.06, 0.14), (0.05, 0.01, 0.09)])
'held'
>>> within((0.04, 0.01, 0.07), -0.05, 0.05)
'undecided'
>>> verdicts_line(verdict_table({"It rises": (HELD, "by 3 points"), "It falls": NOT_RUN}))
'Of 2 predictions 1 held, 1 not tested.'

An interval is ``(middle, low, high)``, at 95 %; accuracies and their differences are shares from 0 to 1. Ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import pandas as pd

from ases.measures import MEASURES, Measure

T = TypeVar("T")
Interval = tuple[float, float, float]
Verdict = tuple[str, str]
"""What became of a prediction, and the figures that say so."""

HELD, FAILED, UNDECIDED, UNTESTED = "held", "did not hold", "undecided", "not tested"
NOT_RUN: Verdict = UNTESTED, "its arms, sizes or budgets were not run"
CLOSE = 0.05
"""Two arms end within 5 points of each other; also a gain that matters."""

SMALL = 0.03
"""A gain below 3 points is none that matters."""

points: Callable[[float], str] = MEASURES["correct"].difference_text


def accuracy_of(row: pd.Series) -> Interval:
    """An arm's accuracy, of a row of :func:`ases.cells.cell_table`."""
    return row["accuracy"], row["low"], row["high"]


def lead_of(row: pd.Series) -> Interval:
    """How far an arm is ahead of its baseline, of a row of :func:`ases.cells.cell_table`."""
    return row["difference"], row["difference_low"], row["difference_high"]


def reversed_interval(found: Interval) -> Interval:
    """The same seen from the other side: how far behind for how far ahead."""
    return -found[0], -found[2], -found[1]


def unsigned(found: Interval) -> Interval:
    """How far from 0 a difference may lie."""
    middle, low, high = found
    ends = sorted((abs(low), abs(high)))
    return abs(middle), 0.0 if low <= 0 <= high else ends[0], ends[1]


def apart(first: Interval, second: Interval) -> Interval:
    """First minus second, the two taken to be independent."""
    middle = first[0] - second[0]
    down = ((first[0] - first[1]) ** 2 + (second[2] - second[0]) ** 2) ** 0.5
    up = ((first[2] - first[0]) ** 2 + (second[0] - second[1]) ** 2) ** 0.5
    return middle, middle - down, middle + up


def above(found: Sequence[Interval], least: float = 0.0) -> str:
    """Held where all lie above ``least``, failed where one lies below it, each with its whole interval."""
    if not found:
        return UNTESTED
    if any(high < least for _, _, high in found):
        return FAILED
    return HELD if all(low > least for _, low, _ in found) else UNDECIDED


def within(found: Interval, least: float, most: float) -> str:
    """Held where the whole interval lies between the two, failed where it lies wholly outside."""
    _, low, high = found
    if least < low and high < most:
        return HELD
    return FAILED if high < least or low > most else UNDECIDED


def all_above(found: Mapping[str, Interval], arms: int, least: float = 0.0, measure: str = "correct") -> Verdict:
    """:func:`above` of named intervals, which are fewer than ``arms`` where something was not run."""
    return NOT_RUN if len(found) < arms else (above(list(found.values()), least), named(found, measure))


def all_within(found: Mapping[str, Interval], arms: int, least: float, most: float) -> Verdict:
    """:func:`within` of named intervals: held where each holds, failed where one fails."""
    if len(found) < arms:
        return NOT_RUN
    verdicts = [within(one, least, most) for one in found.values()]
    verdict = FAILED if FAILED in verdicts else HELD if set(verdicts) == {HELD} else UNDECIDED
    return verdict, named(found)


def unit_of(measure: Measure) -> str:
    """What the differences of a measure are told in: ``points`` of a share, its label of a score."""
    return "points" if measure.share else measure.label


def interval_text(found: Interval, measure: str = "correct") -> str:
    """In words, of a name in :data:`ases.measures.MEASURES`: ``+3.0 points (+1.0 to +5.0)``."""
    shown = MEASURES[measure]
    middle, low, high = (shown.difference_text(value) for value in found)
    return f"{middle} {unit_of(shown)} ({low} to {high})"


def named(found: Mapping[str, Interval], measure: str = "correct") -> str:
    """Named intervals in words."""
    return "; ".join(f"{name} {interval_text(one, measure)}" for name, one in found.items())


def judged(judges: Mapping[str, Callable[[T], Verdict]], found: T) -> pd.DataFrame:
    """The :func:`verdict_table` of predictions, each with the rule that judges it by what was found."""
    return verdict_table({text: judge(found) for text, judge in judges.items()})


def verdict_table(found: Mapping[str, Verdict]) -> pd.DataFrame:
    """One row a prediction: ``prediction, verdict, evidence``."""
    rows = [{"prediction": text, "verdict": verdict, "evidence": said} for text, (verdict, said) in found.items()]
    return pd.DataFrame(rows)


def verdicts_line(table: pd.DataFrame) -> str:
    """How many of the predictions held, in words."""
    counts = table["verdict"].value_counts()
    said = [f"{counts[verdict]} {verdict}" for verdict in (HELD, FAILED, UNDECIDED, UNTESTED) if verdict in counts]
    counted = " (each training-set size counts)" if "train_size" in table else ""
    return f"Of {len(table)} predictions{counted} {', '.join(said)}."
