"""Sweeps: a parameter that a notebook takes one value of, given as a list in a parameter file.

>>> [point["beta"] for point in points({"size": "quick", "methods": ["seq2seq"], "beta": [0.8, 1.0]})]
[0.8, 1.0]

Each entry makes one comparison, with all ``methods`` and ``seeds``; several such lists are crossed. Runs that two
points share are made once, and a further entry adds only what depends on it (:func:`ases.runs.plan`).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from ases.errors import ParameterError
from ases.parameters import LISTS

TAKE_LISTS = LISTS | {"columns"}
"""Parameters whose value is a list in any case: nothing to sweep."""

_ELSEWHERE = {"method": "methods", "seed": "seeds"}


def swept(parameters: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The parameters that are swept, each with its entries, in the order of the file."""
    return {name: value for name, value in parameters.items() if isinstance(value, list) and name not in TAKE_LISTS}


def points(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Flat parameters with one value each: one dictionary where nothing is swept, else one a combination.

    The last list in the file changes fastest. Raises ParameterError for an empty list, for an entry named twice, and
    for ``size``, ``method`` and ``seed``, which are not set this way.
    """
    for name, lists_them in _ELSEWHERE.items():
        if parameters.get(name) is not None:
            raise ParameterError(f"{name} is for one notebook: write {lists_them}, which are compared with each other")
    lists = swept(parameters)
    for name, values in lists.items():
        if name == "size":
            raise ParameterError("size is not swept: each size has a parameter file of its own")
        if not values:
            raise ParameterError(f"{name} is an empty list: give it a value, or several to sweep over")
        if double := [value for position, value in enumerate(values) if value in values[:position]]:
            raise ParameterError(f"{name} names {double[0]!r} more than once")
    combined = itertools.product(*lists.values())
    return [{**parameters, **dict(zip(lists, values, strict=True))} for values in combined]


def point_name(parameters: Mapping[str, Any], point: Mapping[str, Any]) -> str:
    """What tells a point of a sweep from its neighbours, such as ``beta=0.8, strategy=loss``; empty without a sweep.

    Of a run's parameters in place of a point's: what tells this run, which only some of the swept ones matter to.
    """
    return ", ".join(f"{name}={point[name]}" for name in swept(parameters) if name in point)
