"""Families: taken whole, cut only where no other will do, and what a careless split would have parted."""

from __future__ import annotations

import numpy as np
import pandas
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ases.families import Families, measures


def test_families_are_numbered_and_listed_in_the_order_given() -> None:
    families = Families(np.array([0, 1, 0, 2]), np.array([3, 2, 1, 0]))
    assert len(families) == 3
    assert [families.members(family) for family in range(3)] == [[3], [2, 0], [1]]
    assert families.sizes().tolist() == [1, 2, 1]


def test_a_family_that_does_not_fit_waits_and_the_smallest_is_cut_only_at_the_end() -> None:
    families = Families(np.array([0, 0, 0, 1, 1, 2]), np.arange(6))
    assert families.take([0, 1, 2], 3) == ([0, 1, 2], [1, 2], [])
    assert families.take([0, 1], 4) == ([0, 1, 2, 3], [], [4])
    assert families.take([1, 0], 1) == ([3], [0], [4])


def test_what_is_placed_is_not_taken_again() -> None:
    families = Families(np.array([0, 0, 1]), np.arange(3))
    families.open[[0, 2]] = False
    assert families.members(0) == [1]
    assert families.take([0, 1], 2) == ([1], [], [])


@hypothesis_settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(1, 20), st.randoms())
def test_taking_loses_nothing(labels: list[int], size: int, rng) -> None:
    order = list(range(len(labels)))
    rng.shuffle(order)
    families = Families(np.array(labels), np.array(order))
    waiting = list(range(len(families)))
    part, left, rest = families.take(waiting, size)
    whole = [index for family in left for index in families.members(family)]
    assert sorted(part + rest + whole) == list(range(len(labels)))
    assert len(part) == min(size, len(labels))
    shared = {labels[index] for index in part} & {labels[index] for index in rest + whole}
    assert shared == ({labels[rest[0]]} if rest else set())


def test_measures_are_exact() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    pairs = pandas.DataFrame({"first": [0, 1, 3], "second": [1, 2, 4], "similarity": [1.0, 0.8, 0.9]})
    place = np.array([0, 0, 2, 1, 1, 2])
    assert measures(labels, pairs, place, official=False) == {
        "near-duplicate pairs": 3,
        "of these with the same words but for numbers and names": 1,
        "families of two questions or more": 2,
        "questions in these families": 5,
        "largest family": 3,
        "pairs that a random split would part": 1,
        "test questions with a near copy elsewhere in a random split": 1,
        "families that a random split would part": 1,
        "questions to move or drop so that it parts none": 1,
    }
    assert measures(labels, None, place, official=True) == {
        "families of two questions or more": 2,
        "questions in these families": 5,
        "largest family": 3,
        "families that the official split parts": 1,
        "questions to move or drop so that it parts none": 1,
    }
