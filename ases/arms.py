"""Arms and budgets of an experiment, as a parameter file names them.

>>> arm = read_arm("uni-path-merged, strategy=gold")
>>> arm.method, arm.parameters
('uni-path-merged', {'strategy': 'gold'})
>>> [arm.name for arm in read_arms(["seq2seq, learning_rate=12e-3", "uni-path, learning_rate=6e-3"])]
['seq2seq', 'uni-path']
>>> read_budget("2e12 flops")
Budget(amount=2000000000000.0, unit='flops', size=None)

An arm is a method with the parameters that tell it from the method as it is otherwise set; ``lookup`` is the one that
trains nothing. Arms of an experiment are crossed with training-set sizes, budgets and seeds. An arm may have some of
the budgets only, so that each can have the learning rate that suits it, and be trained where it is asked about and not
elsewhere: ``uni-path, learning_rate=6e-3 at 16e12 flops or 64e12 flops at 500``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from itertools import combinations
from typing import Any

import yaml

from ases.choices import BASELINE, CONTROLS, METHODS
from ases.errors import ParameterError
from ases.flat_yaml import read_yaml
from ases.settings import PARTS, BenchmarkSettings, DataSettings

LOOKUP = "lookup"
"""The control that trains nothing: the nearest training problem with its numbers swapped (METHOD, controls)."""

LEARNING_RATE = "learning_rate"
UNITS = ("flops", "target_tokens", "epochs")
"""What a budget is an amount of."""

_BUDGETED = ("budget", "budget_unit")
_ALL = frozenset(one.name for part in PARTS if part is not BenchmarkSettings for one in fields(part))
_TAKEN = _ALL - {"method", "seed", "train_size", "data_folder", *_BUDGETED}
_OF_THE_DATA = frozenset(one.name for one in fields(DataSettings))
_OF_THE_TASK = _OF_THE_DATA | {"model", "gradient_checkpointing"}
_OF_THE_BASELINE = _OF_THE_TASK | {"init"}


@dataclass(frozen=True)
class Arm:
    """A method and the parameters that are its own. ``name`` is the arm as it was written, but for spaces.

    In a list of arms (:func:`read_arms`) it may be shorter than that. ``budgets`` holds the only budgets that it has,
    each of one training-set size or of all; none where it has every budget.
    """

    name: str
    method: str
    parameters: dict[str, Any] = field(compare=False)
    budgets: tuple[Budget, ...] = ()

    @property
    def baseline(self) -> str:
        """The arm that this one is held against: seq2seq on the same task, with the same model and ``init``.

        So what goes on from seq2seq is held against seq2seq continued as long, which is its own baseline (METHOD,
        baselines and controls).
        """
        return ", ".join([BASELINE, *self.own(set(self.parameters) - _OF_THE_BASELINE)])

    def own(self, without: Collection[str] = ()) -> list[str]:
        """Its own parameters as they are written, ``strategy=gold``, but for those whose names are given."""
        return [part for part in self.name.split(", ")[1:] if part.partition("=")[0] not in without]

    @property
    def usual(self) -> str:
        """The arm that this one is a variant of: its method on the same data, with nothing else of its own."""
        return ", ".join([self.method, *self.own(set(self.parameters) - _OF_THE_DATA)])

    @property
    def name_without_rate(self) -> str:
        """The name without the learning rate, where it has one of its own."""
        return ", ".join([self.method, *self.own(without=[LEARNING_RATE])])

    def has(self, budget: Budget) -> bool:
        """Whether it is trained for that budget, with the training-set size that the budget names."""
        return not self.budgets or any(own.meets(budget) for own in self.budgets)

    def meets(self, other: Arm) -> bool:
        """Whether there is a budget that both have with one training-set size."""
        return not self.budgets or any(other.has(budget) for budget in self.budgets)


@dataclass(frozen=True)
class Budget:
    """What each training may spend: an amount of ``flops``, ``target_tokens`` or ``epochs``.

    ``size`` is the only training-set size that has this budget, None where all have it.
    """

    amount: float
    unit: str
    size: int | None = None

    @property
    def name(self) -> str:
        """As tables name it, and :func:`read_budget` reads it, whatever the size: ``16e12 flops``.

        Powers of ten are those of thousands, so that budgets of one table are compared at a glance.
        """
        amount = Decimal(f"{self.amount:g}").normalize().to_eng_string()
        return f"{amount.lower().replace('e+', 'e')} {self.unit}"

    @property
    def order(self) -> tuple[int, float]:
        """By which budgets are put in order: their units, then amounts."""
        return UNITS.index(self.unit), self.amount

    @property
    def text(self) -> str:
        """The name with the training-set size, where there is one: ``16e12 flops at 500``."""
        return self.name if self.size is None else f"{self.name} at {self.size}"

    def meets(self, other: Budget) -> bool:
        """Whether it is the same amount, and there is a training-set size that has both."""
        return self.name == other.name and (None in (self.size, other.size) or self.size == other.size)

    @property
    def parameters(self) -> dict[str, Any]:
        """As flat parameters."""
        return {"budget": self.amount, "budget_unit": self.unit}


def read_arm(text: str) -> Arm:
    """An arm from its text: a method, then ``name=value`` for each parameter that is its own, after commas.

    After that may come the only budgets that it has: ``at 4e12 flops or 16e12 flops at 2000``. Raises ParameterError
    for an unknown method, for a parameter that arms cannot set (sizes of the training set, budgets and seeds are lists
    of the experiment's own), for one named twice, and for what is no budget. Values are checked where all parameters
    come together.
    """
    what, at, only = text.partition(" at ")
    budgets = [read_budget(one) for one in only.split(" or ")] if at else []
    method, *rest = [part.strip() for part in what.split(",")]
    known = (*METHODS, LOOKUP)
    if method not in known:
        raise ParameterError(f"the arm {text!r} begins with {method!r}, but methods are {', '.join(known)}")
    values: dict[str, Any] = {}
    for part in rest:
        name, equals, value = (one.strip() for one in part.partition("="))
        if not equals or name not in _TAKEN:
            raise ParameterError(
                f"the arm {text!r} holds {part!r}, but after the method come entries such as strategy=gold; an arm "
                "cannot set method, seed, train_size and budget, which are lists of the whole experiment"
            )
        if name in values:
            raise ParameterError(f"the arm {text!r} sets {name} twice")
        try:
            values[name] = read_yaml(value)
        except yaml.YAMLError as error:
            raise ParameterError(f"the arm {text!r}: {name} is not a plain value: {error}") from None
    if method == LOOKUP and (set(values) - _OF_THE_TASK or budgets):
        raise ParameterError(f"the arm {text!r} trains nothing, so that only parameters of the data can be its own")
    name = ", ".join([method, *(part.replace(" ", "") for part in rest)])
    return Arm(name, method, values, tuple(budgets))


def by_segments(arm: str) -> bool:
    """Whether the arm of that name writes a chain segment by segment: an AS-ES arm, or one of their controls."""
    return read_arm(arm).method.startswith(("uni-path", "dual-path"))


def is_control(arm: str) -> bool:
    """Whether it writes segment by segment without AS-ES: piece by piece (``none``), or with borders by chance."""
    read = read_arm(arm)
    return read.method == "uni-path" or read.parameters.get("strategy") in (*CONTROLS, "none")


def arm_text(arm: str) -> str:
    """An arm's name in Markdown, set apart where it has commas of its own."""
    return f"`{arm}`" if "," in arm else arm


def read_arms(texts: Iterable[str]) -> list[Arm]:
    """All arms of a list. A learning rate is part of a name only where it tells two arms with one budget apart.

    So a list can give each arm the rate that suits it, or one for each budget, and the arm keeps the name that it is
    compared by: ``uni-path`` for ``uni-path, learning_rate=6e-3``, unless there is another uni-path that has one of its
    budgets and differs from it in the rate alone. Raises ParameterError as :func:`read_arm` does, and for two arms of
    one name and budget.
    """
    arms = [read_arm(text) for text in texts]
    alike: dict[str, list[Arm]] = {}
    for arm in arms:
        alike.setdefault(arm.name_without_rate, []).append(arm)
    told_apart = {
        name for name, found in alike.items() if any(one.meets(other) for one, other in combinations(found, 2))
    }
    named = [arm if arm.name_without_rate in told_apart else replace(arm, name=arm.name_without_rate) for arm in arms]
    for one, other in combinations(named, 2):
        if one.name == other.name and one.meets(other):
            raise ParameterError(f"the arm {one.name!r} stands twice in a list, for one budget at the least")
    return named


def read_budget(text: str) -> Budget:
    """A budget from its text, such as ``2e12 flops``, or ``2e12 flops at 500`` for one training-set size alone.

    Raises ParameterError for what is none.
    """
    amount, _, rest = text.strip().partition(" ")
    unit, at, size = rest.partition(" at ")
    try:
        value = float(amount)
    except ValueError:
        value = 0.0
    if not value > 0 or unit not in UNITS or (at and not size.isdecimal()):
        raise ParameterError(
            f"{text!r} is no budget: write an amount above 0 and its unit, such as '2e12 flops', '4e5 target_tokens' "
            "or '30 epochs', and for one training-set size alone '2e12 flops at 500'"
        )
    return Budget(value, unit, int(size) if at else None)


def entry_problem(name: str, value: Any) -> str | None:
    """What is wrong with one entry of a list of arms or budgets, None where nothing is."""
    if not isinstance(value, str):
        return f"{name} holds {value!r}, but its entries are texts"
    try:
        read_budget(value) if name.endswith("budgets") else read_arm(value)
    except ParameterError as error:
        return f"{name}: {error}"
    return None
