"""Which pairs are learned together, and when: the plan of a whole training run, fixed before it starts.

>>> plan = plan_batches([(9, 4), (30, 5), (8, 4), (31, 6)], cost=lambda s, t: s + t, budget=97, batch_size=2, seed=0)
>>> plan.epochs, len(plan.batches)
(1.0, 2)

Ours, in place of the trainer's sampler: bucketed by encoder and decoder length, so that little is padding; seeded
by (seed, epoch), so that a run can stop and go on; and the same for every method. A batch holds the same number of
pairs for every method, never a number of tokens: steps of all methods then weigh as many targets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ases.errors import ParameterError

BLUR = 0.02
"""Lengths are blurred by up to this share before they are sorted, anew each epoch, so that pairs meet others each time.

Measured on 12,162 pairs of collected rationales (batch 32): sorted exactly, 3.6 % of the tokens are padding and 95 %
of a batch meets again in the next epoch; at 2 % it is 4.7 % and about half of a batch, at 10 % 11 % and a fifth. In
shuffled order 60 % is padding.
"""


@dataclass(frozen=True)
class Plan:
    """Every batch of a run, as row numbers, in order; ``epoch_ends`` are the steps after which an epoch is complete.

    ``flops`` counts real tokens only, ``padded_flops`` what a machine computes that takes a batch in one piece;
    ``target_tokens`` are those the loss is taken over, ``real_tokens`` and ``padded_tokens`` count both sides. All
    are per batch.
    """

    batches: tuple[tuple[int, ...], ...]
    epoch_ends: tuple[int, ...]
    epochs: float
    flops: tuple[int, ...]
    padded_flops: tuple[int, ...]
    target_tokens: tuple[int, ...]
    real_tokens: tuple[int, ...]
    padded_tokens: tuple[int, ...]

    @property
    def padding_waste(self) -> float:
        """The share of the tokens of both sides that is padding."""
        return 1 - sum(self.real_tokens) / sum(self.padded_tokens)


def plan_batches(
    lengths: Sequence[tuple[int, int]],
    *,
    cost: Callable[[int, int], int],
    budget: float,
    batch_size: int,
    seed: int,
    unit: str = "flops",
) -> Plan:
    """Plan batches until what they spend comes nearest to the budget.

    ``lengths`` holds (source, target) tokens a pair; ``cost(source, target)`` is in FLOPs. The budget is in training
    FLOPs on real tokens, or in ``target_tokens`` or ``epochs``, as ``unit`` says. Raises ParameterError where there
    is nothing to learn from, or where the budget does not pay for one batch.
    """
    if not lengths:
        raise ParameterError("there are no training pairs; check the data's sizes and the method's labels")
    pair_cost = np.array([cost(source, target) for source, target in lengths], dtype=np.float64)
    price = price_of(lengths, cost=cost, unit=unit)
    batches: list[tuple[int, ...]] = []
    epoch_ends: list[int] = []
    spent, epoch = 0.0, 0
    while True:
        for batch in epoch_batches(lengths, batch_size=batch_size, seed=seed, epoch=epoch):
            rise = float(price[list(batch)].sum())
            if spent + rise / 2 > budget:
                if not batches:
                    raise ParameterError(
                        f"the budget of {budget:.3g} {unit} does not pay for one batch ({rise:.3g}); raise budget"
                    )
                return _plan(batches, epoch_ends, lengths, cost, pair_cost)
            batches.append(batch)
            spent += rise
        epoch += 1
        epoch_ends.append(len(batches))


def price_of(lengths: Sequence[tuple[int, int]], *, cost: Callable[[int, int], int], unit: str) -> np.ndarray:
    """What each pair takes from a budget in that unit: FLOPs, target tokens, or its share of an epoch."""
    if unit == "flops":
        return np.array([cost(source, target) for source, target in lengths], dtype=np.float64)
    if unit == "target_tokens":
        return np.array([target for _, target in lengths], dtype=np.float64)
    if unit == "epochs":
        return np.full(len(lengths), 1 / len(lengths))
    raise ParameterError(f"budget_unit is {unit!r}, but must be flops, target_tokens or epochs")


def epoch_batches(
    lengths: Sequence[tuple[int, int]], *, batch_size: int, seed: int, epoch: int
) -> list[tuple[int, ...]]:
    """One epoch's batches: every row once, drawn by (seed, epoch), similar lengths together, in random order.

    The rows are cut in two again and again, each time along the side and at the batch boundary that leave the least
    padding, down to single batches.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    blurred = np.array(lengths) * (1 + BLUR * rng.uniform(-1, 1, (len(lengths), 2)))
    batches, waiting = [], [order]
    while waiting:
        rows = waiting.pop()
        if len(rows) <= batch_size:
            batches.append(tuple(rows.tolist()))
        else:
            waiting += _cut(rows, blurred, batch_size)
    return [batches[i] for i in rng.permutation(len(batches))]


def _cut(rows: np.ndarray, lengths: np.ndarray, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Two parts of the rows, the first of whole batches, that are smallest when each is padded to its widest."""
    best, parts = np.inf, (rows, rows)
    ends = np.arange(batch_size, len(rows), batch_size)
    for side in (0, 1):
        ordered = rows[np.lexsort((lengths[rows, 1 - side], lengths[rows, side]))]
        widths = lengths[ordered]
        before = np.maximum.accumulate(widths).sum(1)[ends - 1]
        after = np.maximum.accumulate(widths[::-1])[::-1].sum(1)[ends]
        padded = ends * before + (len(rows) - ends) * after
        place = int(padded.argmin())
        if padded[place] < best:
            best, parts = padded[place], (ordered[: ends[place]], ordered[ends[place] :])
    return parts


def split_step(batch: tuple[int, ...], lengths: Sequence[tuple[int, int]], parts: int) -> list[tuple[int, ...]]:
    """A step's batch in that many parts of nearly equal size, similar lengths together; a part can be empty.

    What several processes learn beside each other, or one after the other in turns, adds up to the same step.
    """
    ordered = sorted(batch, key=lambda row: (lengths[row], row))
    ends = [round(len(ordered) * part / parts) for part in range(parts + 1)]
    return [tuple(ordered[start:end]) for start, end in zip(ends, ends[1:], strict=False)]


def _plan(
    batches: Sequence[tuple[int, ...]],
    epoch_ends: Sequence[int],
    lengths: Sequence[tuple[int, int]],
    cost: Callable[[int, int], int],
    pair_cost: np.ndarray,
) -> Plan:
    sizes = [[lengths[row] for row in batch] for batch in batches]
    widest = [(max(s for s, _ in rows), max(t for _, t in rows), len(rows)) for rows in sizes]
    return Plan(
        batches=tuple(batches),
        epoch_ends=tuple(epoch_ends),
        epochs=sum(map(len, batches)) / len(lengths),
        flops=tuple(int(pair_cost[list(batch)].sum()) for batch in batches),
        padded_flops=tuple(int(n * cost(s, t)) for s, t, n in widest),
        target_tokens=tuple(sum(t for _, t in rows) for rows in sizes),
        real_tokens=tuple(sum(s + t for s, t in rows) for rows in sizes),
        padded_tokens=tuple(n * (s + t) for s, t, n in widest),
    )
