"""Pulls of two kinds of token: against gradients by hand, and against what opposed tasks must show."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from ases.errors import DataError
from ases.examples import AS, ES
from ases.interference import PARTS, _expected, _gradients, _kinds, _mean_cosine, interference_sentences, pulls
from ases.losses import collate, target_labels
from ases.models import fresh_model
from ases.problems import generate_problems
from ases.segments import pairs_of
from ases.tokens import train_codec

EXAMPLES = generate_problems(12, seed=8, steps_from=1, steps_to=2)
CODEC = train_codec([text for e in EXAMPLES for text in (e.question, e.rationale)])
PAIRS = pairs_of("seq2seq", EXAMPLES, None, CODEC)
LABELS = target_labels(PAIRS, EXAMPLES, None, CODEC)


@pytest.fixture
def model():
    return fresh_model("nano", CODEC, seed=1)


def test_a_gradient_is_that_of_the_mean_loss_over_its_tokens(model):
    kinds = _kinds(LABELS[:3], np.random.default_rng(0))
    found = _gradients(model, PAIRS[:3], kinds, CODEC)
    batch = collate(PAIRS[:3], CODEC)
    chances = model(**batch).logits.log_softmax(dim=-1)
    places = [(row, place) for row in range(3) for place, label in enumerate(LABELS[row]) if label == AS]
    (-sum(chances[row, place, batch["labels"][row, place]] for row, place in places) / len(places)).backward()
    by_hand = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    torch.testing.assert_close(found[AS]["all"], by_hand, rtol=1e-4, atol=1e-7)
    assert sum(len(found[AS][part]) for part in PARTS[1:]) == len(by_hand)


def test_the_control_parts_the_same_tokens_into_the_same_sizes():
    kinds = _kinds(LABELS, np.random.default_rng(0))
    assert ((kinds[0] == "") == (kinds[1] == "")).all()
    assert (kinds[0] == AS).sum() == (kinds[1] == "first half").sum() > 0
    mixed = kinds[1][kinds[0] == ES]
    assert {"first half", "second half"} == set(mixed)


def test_equal_kinds_pull_alike_and_one_kind_alone_is_an_error(model):
    table = pulls(model, PAIRS, LABELS, CODEC, batches=4).set_index("part")
    assert list(table.index) == list(PARTS) and table["batches"].eq(4).all() and table["questions"].eq(12).all()
    assert table.loc["all", "as_tokens"] == sum(row.count(AS) for row in LABELS)
    assert table["cosine"].min() >= -1 and table["cosine"].max() <= 1
    assert (table["low"] <= table["cosine"]).all() and (table["cosine"] <= table["high"]).all()
    assert table.loc["all", "control"] > 0.3, "halves of one batch pull together in a model that knows nothing"
    alone = [tuple(AS if label else None for label in row) for row in LABELS]
    with pytest.raises(DataError, match="both kinds"):
        pulls(model, PAIRS, alone, CODEC)


def test_cosines_by_hand():
    first, second = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[2.0, 0.0], [1.0, 0.0]])
    found = _mean_cosine(first, second, "cosine", "low", "high")
    assert found["cosine"] == pytest.approx(0.5) and found["low"] < 0.5 < found["high"]
    assert np.isnan(_mean_cosine(first[:1], second[:1], "cosine", "low", "high")["low"])


def test_noise_does_not_enter_the_expected_cosine():
    generator = np.random.default_rng(0)
    true = generator.normal(size=400)
    opposed = [true + 2 * generator.normal(size=(40, 400)), -true + 2 * generator.normal(size=(40, 400))]
    assert _expected(*opposed) == pytest.approx(-1, abs=0.1)
    plain = _mean_cosine(*opposed, "c", "l", "h")["c"]
    assert -0.35 < plain < -0.1, "within a batch noise hides most of it"
    assert np.isnan(_expected(np.ones((1, 2)), np.ones((1, 2))))


def judged(first: float, last: float, early: float = 0.1) -> str:
    """The verdict where the cosine is ``first`` at that share of the budget and ``last`` at its end, 0.1 either way."""
    rows = [
        {
            "arm": "uni-path",
            "model": "model",
            "part": "all",
            "seed": seed,
            "share": share,
            "questions": 8,
            "control": 0.0,
        }
        | {"cosine": cosine, "low": cosine - 0.1, "high": cosine + 0.1}
        for seed in (0, 1)
        for share, cosine in ((early, first), (1.0, last))
    ]
    return interference_sentences(pd.DataFrame(rows), pd.DataFrame(columns=["arm", "model", "target_tokens"]))[-1]


def test_what_pulls_together_early_needs_an_early_point():
    assert "held** (1 of 1" in judged(0.5, 0.0)
    assert (
        "did not hold" in judged(0.5, -0.2) and "did not hold" in judged(0.05, 0.0) and "not hold" in judged(0.3, 0.4)
    )
    assert "cannot be judged" in judged(0.5, 0.0, early=0.5)
