"""Grids: arms crossed with training-set sizes, budgets and seeds, checked before any run of them is looked for.

>>> lists = {"arms": ["seq2seq", "lookup"], "train_sizes": [500], "budgets": ["2e12 flops"], "seeds": [0, 1]}
>>> [(place.arm.name, place.seed) for place in places("experiment", lists)]
[('seq2seq', 0), ('seq2seq', 1), ('lookup', None)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ases.arms import LOOKUP, Arm, Budget, read_arms, read_budget
from ases.errors import ParameterError

GRIDS = {
    "experiment": ("arms", "train_sizes", "budgets", "seeds"),
    "efficiency": ("efficiency_arms", "efficiency_sizes", "efficiency_budgets", "efficiency_seeds"),
    "sensitivity": ("variants", "variant_sizes", "variant_budgets", "variant_seeds"),
    "rates": ("rate_arms", "rate_sizes", "rate_budgets", "rate_seeds"),
    "why": ("why_arms", "why_sizes", "why_budgets", "why_seeds"),
}
"""Steps whose runs are arms crossed with training-set sizes, budgets and seeds, with the lists that say which."""

_CHOOSING_BUDGETS = ("experiment", "efficiency")  # steps that compare each arm at its best budget
_CHOOSING = ("efficiency", "rates")  # steps that choose a rate for each arm first, the baseline's too


@dataclass(frozen=True)
class Place:
    """Where in a grid: an arm trained on so many examples, for a budget, from a seed.

    The arm ``lookup`` trains nothing, and has neither budget nor seed.
    """

    arm: Arm
    train_size: int
    budget: Budget | None
    seed: int | None

    def parameters(self, of_all: Mapping[str, Any]) -> dict[str, Any]:
        """Flat parameters of what is to run there: those of the whole grid, then the arm's own, then the place's."""
        typed = self.arm.method.startswith("uni-path")  # what is typed is uni-path's targets, and no other's
        plain = {name: value for name, value in of_all.items() if name != "typed" or typed}
        found = {**plain, **self.arm.parameters, "train_size": self.train_size}
        if self.budget is not None:
            found |= {"method": self.arm.method, **self.budget.parameters, "seed": self.seed}
        return found


def places(step: str, lists: Mapping[str, Any]) -> Iterator[Place]:
    """The places of a step's grid, the last list changing fastest.

    Raises ParameterError for an arm without its baseline, and for arms, training-set sizes and budgets that do not
    belong together, before the first of them.
    """
    arms, sizes, budgets, seeds = (lists[name] for name in GRIDS[step])
    of_size = _budgets_by_size(sizes, budgets, *GRIDS[step][1:3])
    read = read_arms(arms)
    _check_arms(step, read, [budget for found in of_size.values() for budget in found], budgets)
    return _crossed(read, of_size, seeds)


def _crossed(arms: Iterable[Arm], of_size: Mapping[int, Sequence[Budget]], seeds: Sequence[int]) -> Iterator[Place]:
    for arm in arms:
        for size, budgets in of_size.items():
            if arm.method == LOOKUP:
                yield Place(arm, size, None, None)
                continue
            for budget in filter(arm.has, budgets):
                for seed in seeds:
                    yield Place(arm, size, budget, seed)


def _check_arms(step: str, arms: Sequence[Arm], budgets: Sequence[Budget], texts: Sequence[str]) -> None:
    where, written = GRIDS[step][0], {arm.name for arm in arms}
    for arm in arms:
        if absent := [own for own in arm.budgets if not any(own.meets(budget) for budget in budgets)]:
            sizes = ", ".join(dict.fromkeys(str(budget.size) for budget in budgets))
            raise ParameterError(
                f"{where} holds {arm.name!r} at {absent[0].text}, but the budgets are {', '.join(texts)}, and the "
                f"training-set sizes {sizes}"
            )
    for budget in budgets:
        there = [arm for arm in arms if arm.has(budget)]
        names = {arm.name_without_rate if step in _CHOOSING else arm.name for arm in there}
        for arm in there:
            compared = {arm.baseline, *({arm.usual} & written if step == "sensitivity" else ())}
            if absent := sorted(compared - names):
                raise ParameterError(
                    f"{where} holds {arm.name!r} without {absent[0]!r}, which it is compared with, at {budget.text}"
                )
    if step in _CHOOSING_BUDGETS:
        _check_choice(step, where, arms, budgets)
    if step == "experiment" and all(arm.name == arm.baseline for arm in arms):
        raise ParameterError(f"{where} compares nothing: add one beside the baseline, such as 'uni-path'")
    if step == "sensitivity" and not any(arm.usual in written - {arm.name} for arm in arms):
        raise ParameterError(
            f"{where} varies nothing: no arm differs in a parameter from another, as 'uni-path-merged, strategy=gold' "
            "does from 'uni-path-merged'"
        )


def _check_choice(step: str, where: str, arms: Sequence[Arm], budgets: Iterable[Budget]) -> None:
    """Arms that are compared choose from the same budgets of FLOPs: there must be one that all of them have."""
    had: dict[tuple[str, int | None], dict[tuple[str, int | None], set[str]]] = {}
    for budget in budgets:
        for arm in arms:
            if budget.unit == "flops" and arm.method != LOOKUP and arm.has(budget):
                name = arm.name_without_rate if step in _CHOOSING else arm.name
                group = had.setdefault((arm.baseline, None if step == "efficiency" else budget.size), {})
                group.setdefault((name, budget.size), set()).add(budget.name)
    if not had:
        raise ParameterError(f"{where} have no budget of FLOPs, from which the best is chosen; give them one")
    for (baseline, size), budgets_of in had.items():
        if not set.intersection(*budgets_of.values()):
            at = "at all training-set sizes" if size is None else f"with {size} training examples"
            raise ParameterError(
                f"{where}: {baseline!r} and the arms held against it have no budget of FLOPs in common {at}, so that "
                "none can be chosen as the best; give all of them one"
            )


def _budgets_by_size(sizes: list[int], texts: list[str], sizes_are: str, budgets_are: str) -> dict[int, list[Budget]]:
    """The budgets of each training-set size, those of all sizes and those of its own, each naming that size."""
    budgets = [read_budget(text) for text in texts]
    for budget, text in zip(budgets, texts, strict=True):
        if budget.size not in (None, *sizes):
            raise ParameterError(f"{budgets_are} holds {text!r}, but {sizes_are} are {sizes}")
    found = {size: [replace(budget, size=size) for budget in budgets if budget.size in (None, size)] for size in sizes}
    for size, own in found.items():
        if not own:
            raise ParameterError(f"{budgets_are} {texts} hold no budget for {size} of {sizes_are}")
        names = [budget.name for budget in own]
        if double := [name for position, name in enumerate(names) if name in names[:position]]:
            raise ParameterError(f"{budgets_are} name {double[0]!r} more than once for {size} of {sizes_are}")
    return found
