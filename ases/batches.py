"""Which pairs are learned together, and when: the plan of a whole training run, fixed before it starts.

>>> plan = plan_batches([(9, 4), (30, 5), (8, 4), (31, 6)], cost=lambda s, t: s + t, budget=97, batch_size=2, seed=0)
>>> plan.epochs, len(plan.batches)
(1.0, 2)

Ours, in place of the trainer's sampler: bucketed by decoder and encoder length, so that little is padding; seeded
by (seed, epoch), so that a run can stop and go on; and the same for every method.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ases.errors import ParameterError

BUCKET, GROUP = 16, 4
"""Batches drawn at random before they are sorted by target length, and how many of those are then sorted by source:
enough to cut padding on both sides, few enough that batches differ from epoch to epoch."""


@dataclass(frozen=True)
class Plan:
    """Every batch of a run, as row numbers, in order; ``epoch_ends`` are the steps after which an epoch is complete.

    ``flops`` counts real tokens only, ``padded_flops`` what the machine computes; ``target_tokens`` are those the
    loss is taken over. All three are per batch.
    """

    batches: tuple[tuple[int, ...], ...]
    epoch_ends: tuple[int, ...]
    epochs: float
    flops: tuple[int, ...]
    padded_flops: tuple[int, ...]
    target_tokens: tuple[int, ...]


def plan_batches(
    lengths: Sequence[tuple[int, int]],
    *,
    cost: Callable[[int, int], int],
    budget: float,
    batch_size: int,
    seed: int,
) -> Plan:
    """Plan batches until their training FLOPs on real tokens come nearest to the budget.

    ``lengths`` holds (source, target) tokens a pair; ``cost(source, target)`` is in FLOPs. Raises ParameterError
    where there is nothing to learn from, or where the budget does not pay for one batch.
    """
    if not lengths:
        raise ParameterError("there are no training pairs; check the data's sizes and the method's labels")
    pair_cost = np.array([cost(source, target) for source, target in lengths], dtype=np.float64)
    batches: list[tuple[int, ...]] = []
    epoch_ends: list[int] = []
    flops: list[int] = []
    spent, drawn, epoch = 0.0, 0, 0
    while True:
        for batch in epoch_batches(lengths, batch_size=batch_size, seed=seed, epoch=epoch):
            price = float(pair_cost[list(batch)].sum())
            if spent + price / 2 > budget:
                if not batches:
                    raise ParameterError(
                        f"the budget of {budget:.3g} FLOPs does not pay for one batch ({price:.3g}); raise budget"
                    )
                sizes = [[lengths[row] for row in batch] for batch in batches]
                widest = [(max(s for s, _ in rows), max(t for _, t in rows), len(rows)) for rows in sizes]
                return Plan(
                    tuple(batches),
                    tuple(epoch_ends),
                    drawn / len(lengths),
                    tuple(flops),
                    tuple(int(n * cost(s, t)) for s, t, n in widest),
                    tuple(sum(t for _, t in rows) for rows in sizes),
                )
            batches.append(batch)
            flops.append(int(price))
            spent += price
            drawn += len(batch)
        epoch += 1
        epoch_ends.append(len(batches))


def epoch_batches(
    lengths: Sequence[tuple[int, int]], *, batch_size: int, seed: int, epoch: int
) -> list[tuple[int, ...]]:
    """One epoch's batches: every row once, shuffled by (seed, epoch), similar lengths together."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), BUCKET * batch_size):
        bucket = sorted(order[start : start + BUCKET * batch_size].tolist(), key=lambda row: lengths[row][1])
        for first in range(0, len(bucket), GROUP * batch_size):
            group = sorted(bucket[first : first + GROUP * batch_size], key=lambda row: lengths[row])
            batches += [tuple(group[i : i + batch_size]) for i in range(0, len(group), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]
