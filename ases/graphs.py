"""Operation graphs: what a generated problem computes, and the numbers for it.

>>> GRAPHS["groups-then-lose"].expression
'((a * b) - c)'

A graph is a list of moves, each worth one to three operations on a running quantity. The words for the moves are in
:mod:`ases.stories`; :mod:`ases.problems` tells them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

MOVES: dict[str, tuple[str, ...]] = {
    "start": (),
    "groups": ("v = a * b",),
    "kinds": ("v = a + b",),
    "pool": ("v = a + b",),
    "more": ("v = a + k",),
    "fewer": ("v = a - k",),
    "times": ("v = a * k",),
    "more-total": ("p = a + k", "v = a + p"),
    "fewer-total": ("p = a - k", "v = a + p"),
    "times-total": ("p = a * k", "v = a + p"),
    "branches": ("p = a * b", "q = c * d", "v = p + q"),
    "branches-difference": ("p = a * b", "q = c * d", "v = p - q"),
    "gain": ("v = v + k",),
    "lose": ("v = v - k",),
    "double": ("v = v * k",),
    "half": ("v = v / k",),
    "add-groups": ("p = a * b", "v = v + p"),
    "take-groups": ("p = a * b", "v = v - p"),
    "share": ("v = v / k",),
    "pack": ("v = v / k",),
    "price": ("v = v * k",),
    "sell": ("v = v * k",),
    "spend": ("v = v - k",),
    "goal": ("v = m - v",),
    "fill": ("v = v / k",),
    "cost": ("v = v * k",),
    "compare": ("v = v - m",),
}
"""Each move's operations: on numbers given (a b c d k m), the running quantity v and results within the move (p q)."""

_GRAPHS = """
start gain; start lose; groups; kinds; pool; more; fewer; times; start half; start double; start share; start pack;
start sell; start goal; start compare; start gain lose; start lose gain; start gain compare; start gain pack;
start gain sell; start lose share; start lose sell; start half gain; start double lose; start sell spend;
start pack price; start goal fill; start add-groups; start take-groups; groups gain; groups lose; groups sell;
groups share; groups pack; groups goal; groups compare; kinds lose; kinds share; kinds goal; kinds sell; pool lose;
pool share; pool pack; more-total; fewer-total; times-total; start gain lose share; start gain half lose;
start gain sell spend; start pack price spend; start goal fill cost; start add-groups lose; start add-groups goal;
start take-groups pack; start take-groups sell; groups lose share; groups lose sell; groups gain pack;
groups goal fill; groups half gain; groups sell spend; groups add-groups; kinds lose pack; kinds pack price;
kinds goal fill; pool lose share; more-total share; fewer-total pack; times-total lose; times-total pack; branches;
branches-difference; branches lose; branches share; branches goal; branches sell; more-total lose pack;
times-total lose share; groups lose sell spend; groups add-groups lose; groups take-groups gain;
kinds lose pack price; start add-groups lose pack; start add-groups take-groups; start take-groups gain share;
start gain half lose share; start gain lose pack price; branches lose share; branches lose sell; branches pack price;
branches half lose; groups add-groups lose share; groups take-groups sell spend; more-total gain lose pack;
kinds take-groups pack price; start add-groups take-groups pack; branches lose pack price; branches lose sell spend;
branches add-groups lose; groups add-groups take-groups share; kinds add-groups lose sell spend;
times-total lose pack price spend; start gain half add-groups lose pack; branches add-groups lose share;
branches take-groups sell spend; groups add-groups take-groups sell spend; more-total add-groups lose pack price;
kinds gain take-groups lose pack price; branches add-groups take-groups share; branches add-groups lose pack price;
branches take-groups pack price spend; groups add-groups take-groups lose pack price;
more-total add-groups take-groups sell spend
"""


@dataclass(frozen=True)
class Graph:
    """An operation graph: its moves, its operations in order, and what it computes as one bracketed expression."""

    name: str
    moves: tuple[str, ...]
    operations: tuple[str, ...]
    expression: str

    @property
    def steps(self) -> int:
        """Number of operations."""
        return len(self.operations)


def _graph(moves: tuple[str, ...]) -> Graph:
    letters = iter("abcdefghijklmnop")
    operations, value = [], "a" if moves[0] != "start" else next(letters)
    for move in moves:
        names = {"v": value}
        for operation in MOVES[move]:
            target, _, left, sign, right = operation.split()
            for operand in (left, right):
                if operand not in names:
                    names[operand] = "2" if move == "half" else next(letters)
            names[target] = f"({names[left]} {sign} {names[right]})"
            operations.append(operation)
        value = names["v"]
    name = "-then-".join(move for move in moves if move != "start")
    return Graph(name, moves, tuple(operations), value)


GRAPHS: Mapping[str, Graph] = {
    graph.name: graph for graph in (_graph(tuple(line.split())) for line in _GRAPHS.split(";"))
}
"""All operation graphs by name, from one step to eight."""

TOTALS = {"more-total": "more", "fewer-total": "fewer", "times-total": "times"}
"""Moves that compare two people and then count both, with the move that they begin as."""

TOGETHER = {"pool", *TOTALS}
"""After these moves the story goes on about both people."""


@dataclass
class Move:
    """A move with its numbers: ``equations`` pairs each operation's text with its result."""

    name: str
    numbers: dict[str, int]
    equations: list[tuple[str, int]]
    together: bool


def draw_moves(rng: random.Random, graph: Graph, largest: int) -> list[Move] | None:
    """Numbers for each move, in order; None where these numbers lead to no sensible next one."""
    moves, value, together = [], 0, False
    for name in graph.moves:
        numbers = _given(rng, name, value, largest)
        if numbers is None:
            return None
        if name == "start":
            value = numbers["a"]
        names, equations = {"v": value, **numbers}, []
        for operation in MOVES[name]:
            target, _, left, sign, right = operation.split()
            result = _compute(names[left], sign, names[right])
            if result is None or not 2 <= result <= 10 * largest:
                return None
            equations.append((f"{names[left]} {sign} {names[right]} = {result}", result))
            names[target] = result
        value = names["v"]
        moves.append(Move(name, numbers, equations, together))
        together = together or name in TOGETHER
    return moves


def _compute(left: int, sign: str, right: int) -> int | None:
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    if sign == "*":
        return left * right if _easy(left, right) else None
    return left // right if left % right == 0 and _easy(left // right, right) else None


def _easy(left: int, right: int) -> bool:
    # Tiny models must learn the table: up to 10 by 10, and small multiples of larger numbers.
    return max(left, right) <= 10 or min(left, right) <= 5


def _given(rng: random.Random, move: str, value: int, largest: int) -> dict[str, int] | None:
    """The numbers that a move gives, all from 2 to ``largest``; None where there are none that fit."""
    factor = min(largest, 10)
    operation = MOVES[move][0] if move != "start" else ""
    if move == "half":
        return {"k": 2}
    if move == "double":
        return {"k": rng.choice((2, 2, 3))} if largest > 2 else {"k": 2}
    if "a * b" in operation:
        names = "abcd" if "branches" in move else "ab"
        return {name: rng.randint(2, factor) for name in names}
    if operation == "v = v / k":
        fits = [k for k in range(2, factor + 1) if value % k == 0 and value // k >= 2 and _easy(value // k, k)]
        return {"k": rng.choice(fits)} if fits else None
    if operation == "v = v * k":
        return {"k": rng.randint(2, factor if value <= 10 else min(factor, 5))}
    if move in ("times", "times-total"):
        return {"a": rng.randint(2, largest), "k": rng.randint(2, min(factor, 4))}
    if move in ("lose", "spend", "compare"):
        top = min(largest, value - 2)
        return {"m" if move == "compare" else "k": rng.randint(2, top)} if top >= 2 else None
    if move == "goal":
        return {"m": rng.randint(value + 2, largest)} if value + 2 <= largest else None
    names = {"start": "a", "gain": "k", "kinds": "ab", "pool": "ab"}.get(move, "ak")
    return {name: rng.randint(2, largest) for name in names}
