"""The loss of targets, over all tokens and by the label of the piece that a token belongs to."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from ases.errors import DataError
from ases.examples import AS, ES, Example
from ases.labels import label_by_gold
from ases.losses import IGNORED, collate, target_labels, token_losses, validation_loss, validation_losses
from ases.models import fresh_model
from ases.pieces import split_pieces
from ases.problems import generate_problems
from ases.segments import MODELS, pairs_for
from ases.settings import METHODS
from ases.tokens import train_codec

EXAMPLES = generate_problems(12, seed=8, steps_from=1, steps_to=3)
CODEC = train_codec([text for e in EXAMPLES for text in (e.question, e.rationale)])
MODEL = fresh_model("nano", CODEC, seed=1)


def pairs(method, typed=False):
    return [pair for e in EXAMPLES for pair in pairs_for(method, e, label_by_gold(e), CODEC, typed=typed)]


def by_piece(example):
    """Piece by piece, how many tokens it has when tokenised alone, and its label."""
    return [
        (len(CODEC.encode(piece)), label)
        for piece, label in zip(split_pieces(example.rationale), example.gold, strict=True)
    ]


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_every_token_gets_the_label_of_its_piece(method, typed):
    if typed and not method.startswith("uni-path"):
        pytest.skip("only one model of several kinds of step is typed")
    made = pairs(method, typed)
    labels = target_labels(made, EXAMPLES, None, CODEC)
    assert [len(row) for row in labels] == [len(pair.target) for pair in made]
    counts = {label: sum(row.count(label) for row in labels) for label in (AS, ES)}
    if method == "answer-only":
        assert counts == {AS: 0, ES: 0}
        return
    # the vocabulary splits at spaces, so that pieces alone and in a chain have nearly as many tokens
    expected = {label: sum(n for e in EXAMPLES for n, of in by_piece(e) if of == label) for label in (AS, ES)}
    tolerance = 0 if method in ("uni-path", "dual-path") else 0.15
    assert counts == {label: pytest.approx(expected[label], rel=tolerance) for label in (AS, ES)}
    for pair, row in zip(made, labels, strict=True):
        if pair.label is not None:
            assert set(row) == {pair.label, None}
            assert row.count(None) == 1 + typed + (pair.target[-2] == CODEC.eoc)


def test_other_labels_than_gold_are_taken_where_given():
    example = EXAMPLES[0]
    pieces = len(split_pieces(example.rationale))
    made = pairs_for("uni-path", example, None, CODEC)
    given = {example.qid: [AS] * pieces}
    assert {label for row in target_labels(made, [example], given, CODEC) for label in row} == {AS, None}
    with pytest.raises(DataError, match=f"{example.qid} has {pieces} pieces but 1 labels"):
        target_labels(made, [example], {example.qid: [AS]}, CODEC)
    with pytest.raises(DataError, match="has no labels"):
        target_labels(made, [replace(example, gold=None)], None, CODEC)
    with pytest.raises(DataError, match="without the example"):
        target_labels(made, EXAMPLES[1:], None, CODEC)


def test_pairs_of_another_rationale_are_refused():
    first, second = EXAMPLES[:2]
    made = pairs_for("uni-path", first, None, CODEC)
    with pytest.raises(DataError, match="does not fit"):
        target_labels(made, [replace(second, qid=first.qid)], None, CODEC)


def test_a_token_that_spans_two_pieces_belongs_to_its_first_character():
    text = "a,b c."
    example = Example("x", "q", text, None, "own", gold=(AS, ES))
    made = pairs_for("seq2seq", example, None, CODEC)
    (row,) = target_labels(made, [example], None, CODEC)
    _, offsets = CODEC.encode_with_offsets(text)
    assert split_pieces(text) == ["a,", "b c."]
    assert list(row[: len(offsets)]) == [AS if start < 2 else ES for start, _ in offsets]


def test_the_loss_is_the_mean_of_the_labels_losses_weighed_by_their_tokens():
    made = pairs("uni-path-merged")
    labels = target_labels(made, EXAMPLES, None, CODEC)
    losses = validation_losses(MODEL, made, labels, CODEC, batch_size=7)
    each = token_losses(MODEL, made, CODEC, batch_size=5)
    flat = np.concatenate(each)
    kinds = np.array([str(label) for row in labels for label in row])
    assert losses["loss"] == pytest.approx(flat.mean(), rel=1e-5)
    for name, kind in (("loss_as", AS), ("loss_es", ES)):
        assert losses[name] == pytest.approx(flat[kinds == kind].mean(), rel=1e-5)
    assert validation_loss(MODEL, made, CODEC) == pytest.approx(losses["loss"], rel=1e-5)
    unlabelled = validation_losses(MODEL, made, None, CODEC)
    assert math.isnan(unlabelled["loss_as"]) and unlabelled["loss"] == pytest.approx(losses["loss"], rel=1e-5)


def test_token_losses_are_those_of_each_pair_alone_and_leave_the_model_in_its_mode():
    made = pairs("dual-path")[:9]
    MODEL.train()
    together = token_losses(MODEL, made, CODEC, batch_size=4)
    assert MODEL.training
    for pair, values in zip(made, together, strict=True):
        batch = collate([pair], CODEC)
        with torch.no_grad():
            logs = MODEL(**batch).logits.log_softmax(-1)[0]
        alone = [-logs[place, token].item() for place, token in enumerate(pair.target)]
        assert values.tolist() == pytest.approx(alone, abs=1e-5)


def test_collate_pads_with_what_is_ignored():
    rows = pairs("uni-path")[:6]
    batch = collate(rows, CODEC)
    for row, pair in enumerate(rows):
        assert batch["input_ids"][row, : len(pair.context)].tolist() == list(pair.context)
        assert (batch["input_ids"][row, len(pair.context) :] == CODEC.pad).all()
        assert batch["attention_mask"][row].sum() == len(pair.context)
        assert batch["labels"][row][batch["labels"][row] != IGNORED].tolist() == list(pair.target)


def test_pairs_of_both_models_are_labelled_together():
    made = pairs("dual-path-merged")
    labels = target_labels(made, EXAMPLES, None, CODEC)
    for model, label in zip(MODELS["dual-path"], (ES, AS), strict=True):
        kinds = {kind for pair, row in zip(made, labels, strict=True) if pair.model == model for kind in row}
        assert kinds == {label, None}
