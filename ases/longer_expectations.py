"""What was expected of problems longer than any learned, beside what came out.

>>> longer_expectations(found)[["prediction", "verdict"]]                        # doctest: +SKIP

Predictions and rules were written before any model had been trained for these problems; the rest is as in
:mod:`ases.expectations`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from ases.arms import read_arm
from ases.choices import BASELINE
from ases.longer import share_text
from ases.verdicts import CLOSE, NOT_RUN, Interval, Verdict, all_above, all_within, judged

_UNI = "uni-path"
LEFT = 2
"""Steps left to write at which problems of learned lengths and longer ones are compared: training has shown them."""


@dataclass(frozen=True)
class Found:
    """The tables that say what came out, an arm a row.

    ``longer`` is :func:`ases.longer.longer_table` of all longer problems together, ``grid`` that of
    :func:`ases.cells.cell_table`, ``costs`` and ``leads`` :func:`ases.helps.length_costs` and
    :func:`ases.helps.arm_leads` at :data:`LEFT`, ``gains`` :func:`ases.helps.kept_gains`.
    """

    longer: pd.DataFrame
    grid: pd.DataFrame
    costs: pd.DataFrame
    leads: pd.DataFrame
    gains: pd.DataFrame


def longer_expectations(found: Found) -> pd.DataFrame:
    """``prediction, verdict, evidence``: of seq2seq and uni-path; what needs an arm not run is not tested."""
    return judged(_PREDICTIONS, found)


def _rows(table: pd.DataFrame) -> dict[str, pd.Series]:
    """The first row of each of the two methods' arms without a strategy or other choice of its own but a rate."""
    found: dict[str, pd.Series] = {}
    for _, row in table.iterrows():
        arm = read_arm(row["arm"])
        if arm.method in (BASELINE, _UNI) and set(arm.parameters) <= {"learning_rate"}:
            found.setdefault(arm.method, row)
    return found


def _differences(table: pd.DataFrame) -> dict[str, Interval]:
    return {arm: (row["difference"], row["low"], row["high"]) for arm, row in _rows(table).items()}


def _shares_below(value: str, most: float) -> Callable[[Found], Verdict]:
    def judge(found: Found) -> Verdict:
        rows = _rows(found.longer)
        if len(rows) < 2:
            return NOT_RUN
        shares = {arm: (row[value], row[f"{value}_low"], row[f"{value}_high"]) for arm, row in rows.items()}
        verdict, _ = all_within(shares, 2, -1.0, most)
        return verdict, "; ".join(f"{arm} {share_text(row, value)}" for arm, row in rows.items())

    return judge


def _leads(found: Found) -> Verdict:
    row = _rows(found.grid).get(_UNI)
    if row is None:
        return NOT_RUN
    return all_above({_UNI: (row["difference"], row["difference_low"], row["difference_high"])}, 1)


def _gains_little(found: Found) -> Verdict:
    return all_within(_differences(found.gains), 2, -1.0, CLOSE)


def _length_costs(found: Found) -> Verdict:
    return all_above(_differences(found.costs), 2, CLOSE)


def _leads_with_a_start(found: Found) -> Verdict:
    return all_above({arm: one for arm, one in _differences(found.leads).items() if arm == _UNI}, 1)


_PREDICTIONS: dict[str, Callable[[Found], Verdict]] = {
    "On problems of 5 to 8 steps each answers fewer than one in ten": _shares_below("correct", 0.1),
    "On these uni-path answers more than seq2seq": _leads,
    "On these both write as many steps as needed in less than half of their chains": _shares_below("enough", 0.5),
    "Kept from ending, each gains less than 5 points": _gains_little,
    "With 2 steps left, each answers longer problems less often than learned ones by more than 5 points": _length_costs,
    "With 2 steps left, uni-path answers more of the longer problems than seq2seq": _leads_with_a_start,
}
