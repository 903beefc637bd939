"""What is compared: the headline measure of a task, how it is called in tables, and how it is written.

>>> headline([Example("a", "2 + 2?", "2 + 2 = 4.", "4", "own")])
'correct'

Word problems have an answer, so their measure is whether it is right, and a share of right ones is an accuracy.
Reports have none: there it is ROUGE-L, the first figure that the paper gives for them (METHOD, section 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ases.errors import DataError
from ases.examples import Example


@dataclass(frozen=True)
class Measure:
    """``name`` of the value of one chain, ``column`` of its mean in tables, ``label`` in figures and texts.

    A share is written in per cent and its differences in percentage points, a score as it is, from 0 to 1.
    """

    name: str
    column: str
    label: str
    share: bool

    def text(self, value: float) -> str:
        """``80.0%`` for a share, ``0.800`` for a score."""
        return f"{value:.1%}" if self.share else f"{value:.3f}"

    def difference_text(self, value: float) -> str:
        """``+3.0`` percentage points for a share, ``+0.030`` for a score."""
        return f"{value * 100:+.1f}" if self.share else f"{value:+.3f}"


MEASURES = {
    "correct": Measure("correct", "accuracy", "accuracy", share=True),
    "rouge_l": Measure("rouge_l", "rouge_l", "ROUGE-L", share=False),
}
"""The headline measures by their name, which is a column of every table of predictions."""


def headline(data: Sequence[Example] | pd.DataFrame) -> str:
    """The headline measure of examples or of a table of predictions: ``correct``, or ``rouge_l`` without answers.

    Raises DataError where some have an answer and some have none, naming the first without, or where there are none.
    """
    if len(data) == 0:
        raise DataError("there are no examples or predictions to measure")
    if isinstance(data, pd.DataFrame):
        if "correct" not in data:
            return "rouge_l"
        absent = data["correct"].isna()
        qids = data["qid"] if "qid" in data else data.index.to_series()
    else:
        absent = pd.Series([example.answer is None for example in data])
        qids = pd.Series([example.qid for example in data])
    if absent.all():
        return "rouge_l"
    if absent.any():
        first = qids[absent.to_numpy()].iloc[0]
        raise DataError(
            f"{int(absent.sum())} of {len(absent)} questions have no answer, the first {first}; one evaluation needs "
            "answers to all (accuracy) or to none (ROUGE-L): take the others apart"
        )
    return "correct"


def measure_in(table: pd.DataFrame) -> Measure:
    """The headline measure that a table of means shows: by its column ``measure``, else ``accuracy`` or ``rouge_l``.

    Accuracy where it shows neither. Raises DataError for several measures in one table or an unknown one.
    """
    if "measure" in table and len(table):
        names = sorted(map(str, table["measure"].unique()))
        if len(names) > 1 or names[0] not in MEASURES:
            raise DataError(f"the table's measure is {', '.join(names)}, but must be one of {', '.join(MEASURES)}")
        return MEASURES[names[0]]
    return MEASURES["rouge_l" if "accuracy" not in table and "rouge_l" in table else "correct"]
