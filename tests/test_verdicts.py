"""Intervals and verdicts: what is said must follow from where an interval lies."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ases.verdicts import (
    FAILED,
    HELD,
    NOT_RUN,
    UNDECIDED,
    UNTESTED,
    above,
    all_above,
    all_within,
    apart,
    reversed_interval,
    unsigned,
    within,
)

SHARES = st.floats(-1, 1)
INTERVALS = st.tuples(SHARES, SHARES, SHARES).map(lambda ends: tuple(sorted(ends))).map(lambda e: (e[1], e[0], e[2]))


@given(INTERVALS, INTERVALS)
def test_what_is_apart_one_way_is_as_far_apart_the_other(first: tuple, second: tuple) -> None:
    assert apart(first, second) == pytest.approx(reversed_interval(apart(second, first)))
    middle, low, high = apart(first, second)
    assert low <= middle <= high
    widest = max(first[2] - first[1], second[2] - second[1])
    assert high - low <= math.sqrt(2) * 2 * widest + 1e-9


@given(INTERVALS, SHARES)
def test_above_and_its_opposite_never_hold_together(found: tuple, least: float) -> None:
    both = {above([found], least), above([reversed_interval(found)], -least)}
    assert both in ({HELD, FAILED}, {UNDECIDED})


@given(INTERVALS)
def test_the_size_of_a_difference_has_no_sign(found: tuple) -> None:
    assert unsigned(found) == unsigned(reversed_interval(found))
    middle, low, high = unsigned(found)
    assert 0 <= low <= middle <= high


def test_within_needs_the_whole_interval() -> None:
    assert within((0.0, -0.04, 0.04), -0.05, 0.05) == HELD
    assert within((0.0, -0.06, 0.04), -0.05, 0.05) == UNDECIDED
    assert within((0.1, 0.06, 0.14), -0.05, 0.05) == within((-0.1, -0.14, -0.06), -0.05, 0.05) == FAILED


def test_several_hold_together_and_fail_by_one() -> None:
    high, low, open_ = (0.1, 0.05, 0.15), (-0.1, -0.15, -0.05), (0.0, -0.05, 0.05)
    assert above([]) == UNTESTED
    assert [above([high, one]) for one in (high, low, open_)] == [HELD, FAILED, UNDECIDED]
    assert all_above({"a": high}, 2) == all_within({"a": high}, 2, 0.0, 1.0) == NOT_RUN
    assert all_above({"a": high, "b": low}, 2) == (
        FAILED,
        "a +10.0 points (+5.0 to +15.0); b -10.0 points (-15.0 to -5.0)",
    )
    assert all_within({"a": open_, "b": high}, 2, -0.1, 0.2)[0] == HELD
    assert all_within({"a": open_, "b": high}, 2, -0.1, 0.1)[0] == UNDECIDED
    assert all_within({"a": open_, "b": high}, 2, -0.1, 0.04)[0] == FAILED
