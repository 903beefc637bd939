"""The plan of a training run: every pair once an epoch, the budget met, the same plan for the same seed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ases.batches import epoch_batches, plan_batches, split_step
from ases.errors import ParameterError

lengths_lists = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 30)), min_size=1, max_size=150)


def cost(source: int, target: int) -> int:
    return 3 * source + 5 * target


@given(lengths_lists, st.integers(1, 16), st.integers(0, 9), st.integers(0, 9))
def test_an_epoch_has_every_row_once(lengths, batch_size, seed, epoch):
    batches = epoch_batches(lengths, batch_size=batch_size, seed=seed, epoch=epoch)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert max(map(len, batches)) <= batch_size
    assert batches == epoch_batches(lengths, batch_size=batch_size, seed=seed, epoch=epoch)


@given(lengths_lists, st.integers(1, 16), st.floats(1, 6))
def test_the_budget_is_met_within_half_a_batch_and_counted_exactly(lengths, batch_size, epochs):
    whole = sum(cost(*pair) for pair in lengths)
    plan = plan_batches(lengths, cost=cost, budget=whole * epochs, batch_size=batch_size, seed=1)
    dearest = max(cost(*pair) for pair in lengths) * batch_size
    assert abs(sum(plan.flops) - whole * epochs) <= dearest / 2 + 1
    assert plan.flops == tuple(sum(cost(*lengths[row]) for row in batch) for batch in plan.batches)
    assert plan.target_tokens == tuple(sum(lengths[row][1] for row in batch) for batch in plan.batches)
    assert all(padded >= real for padded, real in zip(plan.padded_flops, plan.flops, strict=True))
    for number, end in enumerate(plan.epoch_ends, start=1):
        assert sum(len(batch) for batch in plan.batches[:end]) == number * len(lengths)


def test_epochs_and_seeds_differ_and_a_longer_run_begins_as_a_shorter_one():
    lengths = [(n % 7 + 3, n % 5 + 2) for n in range(100)]
    first, second = (epoch_batches(lengths, batch_size=8, seed=0, epoch=e) for e in (0, 1))
    assert first != second != epoch_batches(lengths, batch_size=8, seed=1, epoch=1)
    short, long = (plan_batches(lengths, cost=cost, budget=b, batch_size=8, seed=0) for b in (9000, 20000))
    assert long.batches[: len(short.batches)] == short.batches


def test_bucketing_keeps_padding_low_on_both_sides():
    lengths = [((n * 37) % 80 + 10, (n * 53) % 40 + 2) for n in range(4000)]
    plan = plan_batches(lengths, cost=cost, budget=1, unit="epochs", batch_size=32, seed=0)
    assert plan.padding_waste < 0.1
    assert plan.padding_waste == 1 - sum(plan.real_tokens) / sum(plan.padded_tokens)
    assert sum(plan.real_tokens) == sum(map(sum, lengths))


def test_pairs_meet_others_in_the_next_epoch():
    lengths = [((n * 37) % 80 + 10, (n * 53) % 40 + 2) for n in range(2000)]
    first, second = (epoch_batches(lengths, batch_size=20, seed=0, epoch=epoch) for epoch in (0, 1))
    before = {row: batch for batch in first for row in batch}
    again = [max(len(set(batch) & set(before[row])) for row in batch) / len(batch) for batch in second]
    assert sum(again) / len(again) < 0.7


@given(lengths_lists, st.integers(1, 16), st.integers(1, 6))
def test_budgets_in_epochs_and_target_tokens_are_met(lengths, batch_size, epochs):
    plan = plan_batches(lengths, cost=cost, budget=epochs, unit="epochs", batch_size=batch_size, seed=1)
    assert plan.epochs == pytest.approx(epochs) and plan.epoch_ends[-1] == len(plan.batches)
    tokens = epochs * sum(target for _, target in lengths)
    plan = plan_batches(lengths, cost=cost, budget=tokens, unit="target_tokens", batch_size=batch_size, seed=1)
    assert sum(plan.target_tokens) == pytest.approx(tokens)


@given(lengths_lists, st.integers(1, 9))
def test_the_parts_of_a_step_hold_every_row_once(lengths, parts):
    split = split_step(tuple(range(len(lengths))), lengths, parts)
    assert len(split) == parts and sorted(row for part in split for row in part) == list(range(len(lengths)))
    sizes = [len(part) for part in split]
    assert max(sizes) - min(sizes) <= 1
    ordered = [lengths[row] for part in split for row in part]
    assert ordered == sorted(ordered), "similar lengths together"


def test_what_cannot_be_planned_is_refused():
    with pytest.raises(ParameterError, match="no training pairs"):
        plan_batches([], cost=cost, budget=1e9, batch_size=8, seed=0)
    with pytest.raises(ParameterError, match="budget"):
        plan_batches([(10, 10)], cost=cost, budget=1, batch_size=8, seed=0)
    with pytest.raises(ParameterError, match="budget_unit is 'hours'"):
        plan_batches([(10, 10)], cost=cost, budget=1, unit="hours", batch_size=8, seed=0)
