"""Chains step by step: is each equation right, and where does a chain first go wrong?

>>> example = Example("q", "6 pots of 10, less 5?", "6 * 10 = 60. 60 - 5 = 55. The answer is 55.", "55", "own")
>>> first_error("6 * 10 = 60. 60 + 5 = 65. The answer is 65.", example)
FirstError(kind='operation', step=2, steps=2, correct=False)

A step is an equation that a chain states (:func:`ases.arithmetic.equations`; ``a = b = c`` is one step). It is held
against the question, the steps before it and the equations of the reference rationale. For generated problems those
are the solution. A collected rationale is one of several ways: there a step that is not in the reference may still
be good, which the count of right answers beside each kind of error shows. Ours; METHOD, section 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache

import pandas as pd

from ases.arithmetic import numbers_in, parse_number, read_equations
from ases.errors import DataError
from ases.examples import Example, states_answer
from ases.measures import headline
from ases.metrics import is_correct
from ases.statistics import proportion_interval

RIGHT, NONE = "right", "none"
KINDS = {
    "arithmetic": "the equation is wrong",
    "missing": "uses a result that no step has worked out, or answers without all steps",
    "operand": "uses a number found neither in the question nor in a step before",
    "operation": "right arithmetic on known numbers, but not a step of the reference",
    "stopped": "no step is wrong, but the chain ends without an answer",
    "answer": "all steps are there and right, but another answer is stated",
}
"""What can go wrong first, in the order in which it is looked for; :data:`NONE` where nothing does."""

NOTHING_TO_CHECK = "There are no steps to check: the questions have no answer, or no chain states an equation."


@dataclass(frozen=True)
class Step:
    """One step of a chain: its place from 1, its text, whether its arithmetic is right, and its verdict.

    ``kind`` is :data:`RIGHT` or what is wrong first (:data:`KINDS`); ``after_right`` whether all steps before it
    are right.
    """

    step: int
    text: str
    arithmetic: bool
    kind: str
    after_right: bool


@dataclass(frozen=True)
class FirstError:
    """What goes wrong first in a chain and at which step; how many steps it has; whether its answer is right.

    ``kind`` is :data:`NONE` and ``step`` 0 where nothing goes wrong. An error after the last step has the place after
    it.
    """

    kind: str
    step: int
    steps: int
    correct: bool


@dataclass(frozen=True)
class _Stated:
    """A step as stated: numbers used, result, numbers worked out on the way, and what it goes back to."""

    text: str
    used: tuple[Fraction, ...]
    result: Fraction
    between: tuple[Fraction, ...]
    right: bool
    leaves: tuple[Fraction, ...]

    @property
    def keys(self) -> set[tuple[Fraction, ...]]:
        """Steps that share a key are the same: in one go or in several, operands in any order."""
        return {(*sorted(self.used), self.result), (*self.leaves, self.result)}


def chain_steps(chain: str, example: Example) -> list[Step]:
    """The steps of a chain with their verdicts, in order.

    Looked for in this order: wrong arithmetic; a number that is known from nowhere, which is a ``missing`` step where
    the reference works it out, else a wrong ``operand``; a step that the reference does not take (``operation``).
    Known are the numbers of the question (:func:`ases.arithmetic.numbers_in`), the results of earlier steps, right or
    wrong, and constants that the reference brings in itself (7 days a week). Where the reference has no equations,
    no step is called a wrong operation. Raises DataError for an example without an answer.
    """
    return list(_judged(chain, example)[0])


def first_error(chain: str, example: Example) -> FirstError:
    """What goes wrong first in a chain, see :data:`KINDS`.

    With all steps right, a right answer leaves nothing wrong, even where steps of the reference are left out. A wrong
    one is ``stopped`` where no answer is stated, ``missing`` where the last step of the reference is not reached,
    else ``answer``. Raises DataError for an example without an answer.
    """
    steps, reached = _judged(chain, example)
    correct = is_correct(chain, example.answer)
    for one in steps:
        if one.kind != RIGHT:
            return FirstError(one.kind, one.step, len(steps), correct)
    if correct:
        return FirstError(NONE, 0, len(steps), correct)
    alone = not any(map(str.isalpha, chain)) and parse_number(chain) is not None  # as answer-only writes it
    stated = alone or states_answer(chain)
    kind = "stopped" if not stated else "answer" if reached else "missing"
    return FirstError(kind, len(steps) + 1, len(steps), correct)


def _judged(chain: str, example: Example) -> tuple[tuple[Step, ...], bool]:
    """The steps, and whether the last step of the reference is among them."""
    if example.answer is None:
        raise DataError(f"{example.qid} has no answer, so there are no steps towards it to check")
    return _judged_texts(chain, example.question, example.rationale)


@lru_cache(maxsize=1 << 14)  # two tables ask for the same chains
def _judged_texts(chain: str, question: str, rationale: str) -> tuple[tuple[Step, ...], bool]:
    given, reference = _known_of(question, rationale)
    known = set(given)
    expected = set().union(*(one.keys for one in reference))
    results = {abs(one.result) for one in reference}
    steps: list[Step] = []
    reached = not reference
    for place, one in enumerate(_stated(chain), start=1):
        unknown = [number for number in one.used if abs(number) not in known]
        if not one.right:
            kind = "arithmetic"
        elif unknown:
            kind = "missing" if all(abs(number) in results for number in unknown) else "operand"
        else:
            kind = RIGHT if not reference or one.keys & expected else "operation"
        steps.append(Step(place, one.text, one.right, kind, all(before.kind == RIGHT for before in steps)))
        known |= {abs(one.result), *map(abs, one.between)}
        reached = reached or bool(one.keys & reference[-1].keys)
    return tuple(steps), reached


@lru_cache(maxsize=1 << 12)  # every method answers the same questions
def _known_of(question: str, rationale: str) -> tuple[frozenset[Fraction], tuple[_Stated, ...]]:
    """The numbers that a chain may use from the start, and the steps of the reference."""
    known, reference = numbers_in(question), _stated(rationale)
    # Numbers that the reference takes from nowhere are its constants, and free for all.
    derived: set[Fraction] = set()
    for one in reference:
        known |= {abs(number) for number in one.used if abs(number) not in derived}
        derived |= {abs(one.result), *map(abs, one.between)}
    return frozenset(known), tuple(reference)


def _stated(text: str) -> list[_Stated]:
    found: list[_Stated] = []
    origins: dict[Fraction, tuple[Fraction, ...]] = {}
    last_start = last_end = -1
    for one in read_equations(text):
        between = one.right_side if len(one.right_side) > 1 else ()
        if one.start < last_end and found:  # a = b = c: the second equation begins inside the first
            before = found.pop()
            step = _Stated(
                text[last_start : one.end],
                before.used,
                one.result,
                (*before.between, *one.left, *between),
                before.right and one.right,
                before.leaves,
            )
        else:
            last_start = one.start
            leaves = tuple(sorted(leaf for number in one.left for leaf in origins.get(number, (number,))))
            step = _Stated(one.text, one.left, one.result, between, one.right, leaves)
        found.append(step)
        origins[step.result] = step.leaves
        last_end = one.end
    return found


# Tables ---------------------------------------------------------------------------------------------------------


def steps_of_chains(table: pd.DataFrame, examples: Sequence[Example]) -> pd.DataFrame:
    """One row a step of the chains of an :func:`ases.evaluation.evaluate_chains` table, without its text.

    Columns: ``method, seed`` where the table has them, ``qid``, then ``step, arithmetic, kind, after_right`` of
    :class:`Step`. A chain without equations has no row, and examples without answers (reports) have no steps. Raises
    DataError where there are no chains, or a question is not among the examples.
    """
    names = ("step", "arithmetic", "kind", "after_right")
    rows = [
        keys | {name: getattr(step, name) for name in names} for keys, chain, example in _chains(table, examples)
        for step in chain_steps(chain, example)
    ]  # fmt: skip
    return _typed(rows, table, names)


def first_errors(table: pd.DataFrame, examples: Sequence[Example]) -> pd.DataFrame:
    """One row a chain: ``method, seed`` where the table has them, ``qid``, then the columns of :class:`FirstError`.

    No row for examples without answers. Raises as :func:`steps_of_chains` does.
    """
    rows = [keys | asdict(first_error(chain, example)) for keys, chain, example in _chains(table, examples)]
    return _typed(rows, table, ("kind", "step", "steps", "correct"))


def step_table(steps: pd.DataFrame, by: Sequence[str] = ("method",)) -> pd.DataFrame:
    """How often the first, second, ... step of a chain is right, with 95 % Wilson intervals; one row a step.

    ``steps`` is that of :func:`steps_of_chains`, of one run or several. Columns: those of ``by``, ``step``, ``n``
    (chains with so many steps), ``arithmetic, arithmetic_low, arithmetic_high`` (share of equations that are right),
    ``n_after_right`` (those whose steps before are all right), ``right, right_low, right_high`` (share of these that
    are right, see :func:`chain_steps`; NaN where there are none). Each chain counts once a row; without answers, or
    without any equation, the table is empty. Raises DataError for several seeds in one row: they answer the same
    questions, so ask for ``by=("method", "seed")``.
    """
    by = _groups(steps, by, "step")
    rows = []
    for values, part in steps.groupby([*by, "step"], sort=False):
        row = dict(zip([*by, "step"], values, strict=True)) | {"n": len(part)}
        row |= _share("arithmetic", int(part["arithmetic"].sum()), len(part))
        prefix = part[part["after_right"]]
        row |= {"n_after_right": len(prefix)} | _share("right", int((prefix["kind"] == RIGHT).sum()), len(prefix))
        rows.append(row)
    named = [f"{name}{end}" for name in ("arithmetic", "right") for end in ("", "_low", "_high")]
    columns = [*by, "step", "n", *named[:3], "n_after_right", *named[3:]]
    found = pd.DataFrame(rows, columns=columns)
    order = {value: place for place, value in enumerate(steps[by[0]].unique())} if by else {}
    return found.sort_values(
        [*by, "step"], key=lambda one: one.map(order) if by and one.name == by[0] else one, kind="stable"
    ).reset_index(drop=True)


def first_error_table(errors: pd.DataFrame, by: Sequence[str] = ("method",), places: bool = False) -> pd.DataFrame:
    """Where chains first go wrong: the share of chains for each kind of error, with 95 % Wilson intervals.

    ``errors`` is that of :func:`first_errors`, of one run or several. Columns: those of ``by``, ``kind`` (all of
    :data:`KINDS`, and :data:`NONE`), ``step`` with ``places`` (only those that occur), ``chains, share, low, high, n``
    (all chains), ``right_answers`` (those of these chains whose answer is right all the same). The shares of a group
    add up to 1. Empty for examples without answers. Raises as :func:`step_table` does.
    """
    by = _groups(errors, by)
    rows = []
    for values, group in errors.groupby(by, sort=False) if by else [((), errors)]:
        keys, n = dict(zip(by, values, strict=True)), len(group)
        for kind in (*KINDS, NONE):
            found = group[group["kind"] == kind]
            parts = [({"step": step}, part) for step, part in found.groupby("step")] if places else [({}, found)]
            for place, part in parts:
                row = keys | {"kind": kind} | place | {"chains": len(part)} | _share("share", len(part), n)
                row = {{"share_low": "low", "share_high": "high"}.get(name, name): value for name, value in row.items()}
                rows.append(row | {"n": n, "right_answers": int(part["correct"].sum())})
    place = ["step"] if places else []
    return pd.DataFrame(rows, columns=[*by, "kind", *place, "chains", "share", "low", "high", "n", "right_answers"])


def error_places(errors: pd.DataFrame) -> pd.DataFrame:
    """How many chains first go wrong at each step: a row a kind (:data:`KINDS`), a column a step.

    ``errors`` is that of :func:`first_errors`. Step 0 are chains in which nothing goes wrong. Several methods or seeds
    are added up.
    """
    return pd.crosstab(errors["kind"], errors["step"]).reindex([*KINDS, NONE], fill_value=0)


def step_sentence(steps: pd.DataFrame, errors: pd.DataFrame) -> str:
    """A :func:`step_table` and a :func:`first_error_table` of one method and seed in words."""
    if errors.empty:
        return NOTHING_TO_CHECK
    lines = []
    if len(steps) and steps["n_after_right"].iloc[0]:
        first = steps.iloc[0]
        lines.append(f"The first step is right in {first['right']:.0%} of the {first['n']:.0f} chains that have one.")
        later = steps[(steps["step"] > 1) & (steps["n_after_right"] > 0)]
        if len(later):
            right = (later["right"] * later["n_after_right"]).sum() / later["n_after_right"].sum()
            lines.append(f"A later step, where all before it are right, is right in {right:.0%} of cases.")
    else:
        lines.append("No chain states an equation.")
    wrong = errors[errors["kind"] != NONE]
    most = wrong.loc[wrong["chains"].idxmax()]
    if most["chains"]:
        lines.append(
            f"What goes wrong first is most often this: {KINDS[most['kind']]} ({most['share']:.0%} of {most['n']:.0f} "
            "chains)."
        )
    return " ".join(lines)


def _share(name: str, count: int, n: int) -> dict[str, float]:
    if n == 0:
        return {name: float("nan"), f"{name}_low": float("nan"), f"{name}_high": float("nan")}
    interval = proportion_interval(count, n)
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _groups(judged: pd.DataFrame, by: Sequence[str], *more: str) -> list[str]:
    missing = [name for name in (*by, "qid", *more) if name not in judged]
    if missing:
        raise DataError(f"the table of judged chains lacks {', '.join(missing)}; it has {', '.join(map(str, judged))}")
    if judged.duplicated([*by, "qid", *more]).any():
        raise DataError(
            f"some questions occur twice for one {', '.join(by) or 'table'}; seeds and methods answer the same "
            'questions, so keep them apart: by=("method", "seed")'
        )
    return list(by)


_KEYS = ("method", "seed", "qid")
_TYPES = {"step": "int16", "steps": "int16", "arithmetic": "bool", "after_right": "bool", "correct": "bool"}


def _typed(rows: Sequence[dict[str, object]], table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """A table that has the same types without rows: it is kept as a file, and put together with others."""
    columns = [*(name for name in _KEYS if name in table), *names]
    types = {name: table.dtypes[name] if name in _KEYS else _TYPES.get(name, "str") for name in columns}
    return pd.DataFrame(rows, columns=columns).astype(types)


def _chains(table: pd.DataFrame, examples: Sequence[Example]) -> list[tuple[dict[str, object], str, Example]]:
    missing = [name for name in ("qid", "chain") if name not in table]
    if missing:
        raise DataError(f"the table of chains lacks {', '.join(missing)}; it has {', '.join(map(str, table))}")
    if table.empty:
        raise DataError("there are no chains to look at step by step")
    known = {example.qid: example for example in examples}
    names = [name for name in _KEYS if name in table]
    if headline(examples) != "correct":
        return []
    found = []
    for row in table[[*names, "chain"]].to_dict("records"):
        if row["qid"] not in known:
            raise DataError(f"the chain of question {row['qid']!r} has no example; give the examples of its split")
        found.append(({name: row[name] for name in names}, row["chain"], known[row["qid"]]))
    return found
