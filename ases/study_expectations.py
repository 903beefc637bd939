"""What was expected of the studies after the main experiment, beside what came out: each prediction with a verdict.

>>> size_expectations(table, best, multiples)[["prediction", "verdict"]]        # doctest: +SKIP
>>> variant_expectations(table, changes)[["prediction", "verdict"]]             # doctest: +SKIP

Those of ``notebooks/07_efficiency`` and ``07_sensitivity``; the rest is as in :mod:`ases.expectations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import pandas as pd

from ases.arms import Budget, read_arm
from ases.choices import BASELINE
from ases.longer import share_text
from ases.verdicts import (
    CLOSE,
    FAILED,
    HELD,
    NOT_RUN,
    SMALL,
    UNDECIDED,
    Interval,
    Verdict,
    above,
    accuracy_of,
    all_above,
    all_within,
    apart,
    interval_text,
    judged,
    lead_of,
    reversed_interval,
    unsigned,
)

_UNI, _UNI_MERGED = "uni-path", "uni-path-merged"
_SMALL_BUDGET, _MIDDLE_BUDGET, _LARGE_BUDGET, _LARGEST_BUDGET = 1e12, 4e12, 16e12, 64e12


class _Sizes(NamedTuple):
    table: pd.DataFrame
    best: pd.DataFrame
    multiples: pd.DataFrame


class _Variants(NamedTuple):
    table: pd.DataFrame
    changes: pd.DataFrame
    longer: pd.DataFrame


def size_expectations(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> pd.DataFrame:
    """``prediction, verdict, evidence``: those of ``07_efficiency``, of seq2seq and uni-path by training-set size.

    ``table`` and ``best`` are those of :func:`ases.cells.cell_table`, of all budgets and of each arm's best;
    ``multiples`` is :func:`ases.efficiency.data_multiple`. They are about accuracy; what needs a size or budget that
    was not run is not tested.
    """
    tables = (table, best, multiples)
    if "accuracy" not in table:
        tables = (one[:0] for one in tables)
    return judged(_OF_SIZES, _Sizes(*tables))


def variant_expectations(table: pd.DataFrame, changes: pd.DataFrame, longer: pd.DataFrame) -> pd.DataFrame:
    """``prediction, verdict, evidence``: those of ``07_sensitivity``, of what else could change the order.

    Two are those of :func:`ases.cells.cell_table`: ``table`` with each arm against its baseline, ``changes`` with each
    variant against its usual arm (:func:`ases.cells.against_usual`). ``longer`` is :func:`ases.longer.longer_table` of
    all longer problems together. They are about accuracy with 2,000 problems and 16e12 FLOPs; what needs an arm not run
    there is not tested.
    """
    budget, given = Budget(_LARGE_BUDGET, "flops").name, (table, changes, longer[longer["longer"].astype(bool)])
    parts = [one[(one["train_size"] == 2000) & (one["budget"] == budget)] for one in given]
    if "accuracy" not in table:
        parts = [one[:0] for one in parts]
    return judged(_OF_VARIANTS, _Variants(*(one.set_index(one["arm"].map(_plain)) for one in parts)))


def _one(table: pd.DataFrame, size: int, flops: float | None, arm: str) -> pd.Series | None:
    """The row of a training-set size, a budget in FLOPs and an arm, None where there is none."""
    rows = table[(table["train_size"] == size) & (table["arm"] == arm)]
    if flops is not None:
        rows = rows[rows["budget"] == Budget(flops, "flops").name]
    return None if rows.empty else rows.iloc[0]


def _rises(found: _Sizes) -> Verdict:
    gains = {}
    for arm in (BASELINE, _UNI):
        rows = found.best[found.best["arm"] == arm].sort_values("train_size")
        if len(rows) < 2:
            return NOT_RUN
        gains[arm] = apart(accuracy_of(rows.iloc[-1]), accuracy_of(rows.iloc[0]))
    return all_above(gains, 2)


def _needs_no_less(found: _Sizes) -> Verdict:
    rows = found.multiples[found.multiples["arm"] == _UNI]
    more, less = rows.loc[rows["low"] > 1, "train_size"].tolist(), (rows["high"] < 1).sum()
    said = f"seq2seq clearly needs more data at {len(more)} of {len(rows)} sizes, clearly less at {less}"
    if more:
        return FAILED, f"{said} ({', '.join(f'{size:,}' for size in more)})"
    return (HELD if len(rows) and (rows["high"] <= 1).all() else UNDECIDED), said


def _closer_with_little(found: _Sizes) -> Verdict:
    nearer = {}
    for size in (2000, 8000):
        rows = [_one(found.table, size, flops, _UNI) for flops in (_MIDDLE_BUDGET, _SMALL_BUDGET)]
        if any(row is None for row in rows):
            return NOT_RUN
        nearer[f"{size:,}: by"] = apart(*(unsigned(lead_of(row)) for row in rows))
    return all_above(nearer, 2)


def _leads_with_few(found: _Sizes) -> Verdict:
    rows = {f"{size}:": _one(found.best, size, None, _UNI) for size in (125, 500)}
    return all_above({size: lead_of(row) for size, row in rows.items() if row is not None}, 2)


def _lead_shrinks(size: int) -> Callable[[_Sizes], Verdict]:
    def judge(found: _Sizes) -> Verdict:
        rows = [_one(found.table, size, flops, _UNI) for flops in (_LARGE_BUDGET, _MIDDLE_BUDGET)]
        if any(row is None for row in rows):
            return NOT_RUN
        large, middle = (lead_of(row) for row in rows)
        nearer, behind = apart(large, middle), reversed_interval(large)
        return above([nearer, behind]), f"{interval_text(large)}, after {interval_text(middle)}"

    return judge


def _seq2seq_gain(table: pd.DataFrame, size: int, more: float, less: float) -> Interval | None:
    """What seq2seq gains by the larger of two budgets in FLOPs, None where one was not run."""
    rows = [_one(table, size, flops, BASELINE) for flops in (more, less)]
    return None if any(row is None for row in rows) else apart(*(accuracy_of(row) for row in rows))


def _buys_nothing(found: _Sizes) -> Verdict:
    gain = _seq2seq_gain(found.table, 125, _LARGE_BUDGET, _MIDDLE_BUDGET)
    if gain is None:
        return NOT_RUN
    verdict = FAILED if gain[1] > 0 else HELD if gain[2] < SMALL else UNDECIDED
    return verdict, interval_text(gain)


def _leads_in_the_end(size: int) -> Callable[[_Sizes], Verdict]:
    def judge(found: _Sizes) -> Verdict:
        row = _one(found.table, size, _LARGEST_BUDGET, _UNI)
        return NOT_RUN if row is None else all_above({_UNI: lead_of(row)}, 1)

    return judge


def _seq2seq_is_done(found: _Sizes) -> Verdict:
    gain = _seq2seq_gain(found.table, 500, _LARGEST_BUDGET, _LARGE_BUDGET)
    if gain is None:
        return NOT_RUN
    verdict = FAILED if gain[1] > CLOSE else HELD if gain[2] < CLOSE else UNDECIDED
    return verdict, interval_text(gain)


def _keeps_its_level(found: _Sizes) -> Verdict:
    gain = _seq2seq_gain(found.table, 500, _LARGEST_BUDGET, _LARGE_BUDGET)
    return NOT_RUN if gain is None else (above([gain], -CLOSE), interval_text(gain))


_OF_SIZES: dict[str, Callable[[_Sizes], Verdict]] = {
    "Accuracy rises with the data for both": _rises,
    "uni-path needs no less data than seq2seq": _needs_no_less,
    "At the smallest budget the two are closer than at the middle one": _closer_with_little,
    "With 125 and 500 problems, each at its best budget, uni-path leads": _leads_with_few,
    "With 2,000 problems seq2seq leads at 16e12 FLOPs, by less than at a quarter of them": _lead_shrinks(2000),
    "With 125 problems 16e12 FLOPs buy seq2seq nothing (less than 3 points) over a quarter of them": _buys_nothing,
    "With 500 problems and 64e12 FLOPs, each trained to the end, uni-path leads": _leads_in_the_end(500),
    "With 500 problems seq2seq gains less than 5 points from 64e12 FLOPs over a quarter of them": _seq2seq_is_done,
    "With 2,000 problems and 64e12 FLOPs uni-path leads": _leads_in_the_end(2000),
    "With 8,000 problems seq2seq leads at 16e12 FLOPs, by less than at a quarter of them": _lead_shrinks(8000),
    "With 500 problems seq2seq loses less than 5 points from 64e12 FLOPs over a quarter of them": _keeps_its_level,
}


_LOOKING, _ASKING = ("novelty", "similarity"), ("loss", "information_gain")
"""Strategies that look at what a piece restates, and those that ask a model as entropy does."""

_STORIES, _LONGER, _LARGER = "held_out_schemas=true", "steps_to=4, longest_learned=2", "model=micro"


def _plain(arm: str) -> str:
    """An arm's name, however its parameters are ordered and written: ``beta=1`` and ``beta=1.0`` are one."""
    read = read_arm(arm)
    values = {name: float(value) if isinstance(value, int) else value for name, value in read.parameters.items()}
    return ", ".join([read.method, *(f"{name}={values[name]}" for name in sorted(values))])


def _rows(table: pd.DataFrame, arms: Iterable[str]) -> dict[str, pd.Series]:
    """The rows of those arms that the table has, by their names as they are given."""
    return {arm: table.loc[_plain(arm)] for arm in arms if _plain(arm) in table.index}


def _gains(changes: pd.DataFrame, *parameters: str) -> dict[str, Interval]:
    """What merged segments gain over entropy's by a parameter of their own, by arm."""
    rows = _rows(changes, (f"{_UNI_MERGED}, {one}" for one in parameters))
    return {arm: lead_of(row) for arm, row in rows.items()}


def _typed_gain_little(found: _Variants) -> Verdict:
    return all_within(_gains(found.changes, "typed=true"), 1, -1.0, SMALL)


def _looking_gains(found: _Variants) -> Verdict:
    return all_above(_gains(found.changes, *(f"strategy={one}" for one in _LOOKING)), len(_LOOKING), SMALL)


def _asking_gains_little(found: _Variants) -> Verdict:
    return all_within(_gains(found.changes, *(f"strategy={one}" for one in _ASKING)), len(_ASKING), -1.0, SMALL)


def _pieces_beat_strategies(found: _Variants) -> Verdict:
    arms = [f"{_UNI_MERGED}, strategy={one}" for one in (*_LOOKING, *_ASKING)]
    rows = _rows(found.table, [_UNI, *arms])
    if _UNI not in rows:
        return NOT_RUN
    own = accuracy_of(rows.pop(_UNI))
    return all_above({f"over {arm}": apart(own, accuracy_of(row)) for arm, row in rows.items()}, len(arms))


def _beta_matters_little(found: _Variants) -> Verdict:
    return all_within(_gains(found.changes, "beta=1.0", "beta=2.0"), 2, -CLOSE, CLOSE)


def _start_brings_nearer(found: _Variants) -> Verdict:
    rows = _rows(found.table, (_UNI, f"{_UNI}, init=seq2seq"))
    if len(rows) < 2:
        return NOT_RUN
    scratch, continued = (unsigned(lead_of(row)) for row in rows.values())
    return all_above({"nearer by": apart(scratch, continued)}, 1)


def _behind_with(parameter: str, *arms: str) -> Callable[[_Variants], Verdict]:
    def judge(found: _Variants) -> Verdict:
        rows = _rows(found.table, (f"{arm}, {parameter}" for arm in arms))
        return all_above({f"over {arm}": reversed_interval(lead_of(row)) for arm, row in rows.items()}, len(arms))

    return judge


def _stories_cost(found: _Variants) -> Verdict:
    costs = {}
    for arm in (BASELINE, _UNI):
        rows = _rows(found.table, (arm, f"{arm}, {_STORIES}"))
        if len(rows) == 2:
            costs[arm] = apart(*(accuracy_of(row) for row in rows.values()))
    return all_above(costs, 2, CLOSE)


def _leads_on_longer(found: _Variants) -> Verdict:
    rows = _rows(found.table, (f"{_UNI}, {_LONGER}",))
    return all_above({arm: lead_of(row) for arm, row in rows.items()}, 1)


def _stop_early(found: _Variants) -> Verdict:
    rows = _rows(found.longer, (f"{arm}, {_LONGER}" for arm in (BASELINE, _UNI)))
    if len(rows) < 2:
        return NOT_RUN
    enough = {arm: (row["enough"], row["enough_low"], row["enough_high"]) for arm, row in rows.items()}
    verdict, _ = all_within(enough, 2, -1.0, 0.5)
    return verdict, "; ".join(f"{arm} {share_text(row, 'enough')}" for arm, row in rows.items())


_OF_VARIANTS: dict[str, Callable[[_Variants], Verdict]] = {
    "Types in the targets gain less than 3 points": _typed_gain_little,
    "Labels by novelty and by similarity gain more than 3 points over entropy's": _looking_gains,
    "Labels by loss and by information gain gain less than 3 points over entropy's": _asking_gains_little,
    "Single pieces beat the segments of each of these four strategies": _pieces_beat_strategies,
    "Betas of 1.0 and 2.0 (1.4 is usual) move accuracy by less than 5 points": _beta_matters_little,
    "Continued from seq2seq, uni-path lies nearer to seq2seq continued than from scratch": _start_brings_nearer,
    "With a model twice as wide seq2seq leads uni-path, too": _behind_with(_LARGER, _UNI),
    "On stories never told seq2seq and uni-path lose more than 5 points each": _stories_cost,
    "On stories never told seq2seq leads uni-path and segments by gold labels": _behind_with(
        _STORIES, _UNI, f"{_UNI_MERGED}, strategy=gold"
    ),
    "Trained on up to 2 steps, uni-path answers more problems of 3 and 4 steps than seq2seq": _leads_on_longer,
    "On these both write as many steps as needed in less than half of their chains": _stop_early,
}
