"""Segments and pairs, on exact small cases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ases.errors import DataError, ParameterError
from ases.examples import Example
from ases.pieces import split_pieces
from ases.segments import make_segments, models_of, needs_labels, pairs_for
from ases.tokens import train_codec

EXAMPLE = Example(
    qid="q1",
    question="Ann had 3. Bob had 4. Total?",
    rationale="Ann had 3, Bob had 4, so 3 + 4 = 7. The answer is 7.",
    answer="7",
    source="own",
    gold=("ES", "ES", "AS", "ES"),
)
CODEC = train_codec([EXAMPLE.question, EXAMPLE.rationale])


def text(ids):
    """Ids as text, the marks spelled out."""
    marks = {CODEC.end: "</s>", CODEC.eoc: "<eoc>", CODEC.es: "<es>", CODEC.as_: "<as>"}
    return "".join(marks.get(token) or CODEC.decode([token]) for token in ids)


def shown(pairs):
    return [(pair.model, pair.label, text(pair.context), text(pair.target)) for pair in pairs]


def test_merging_joins_runs_of_one_label():
    pieces = split_pieces(EXAMPLE.rationale)
    merged = make_segments(pieces, list(EXAMPLE.gold), merge=True)
    assert [(s.text, s.label) for s in merged] == [
        ("Ann had 3, Bob had 4, ", "ES"),
        ("so 3 + 4 = 7. ", "AS"),
        ("The answer is 7.", "ES"),
    ]
    assert len(make_segments(pieces, [None] * 4, merge=True)) == 4, "unlabelled pieces never merge"


@given(st.text(max_size=80), st.booleans(), st.integers(0, 2**32))
def test_segments_rebuild_the_rationale(rationale, merge, bits):
    pieces = split_pieces(rationale)
    labels = ["AS" if bits >> (i % 32) & 1 else "ES" for i in range(len(pieces))]
    segments = make_segments(pieces, labels, merge=merge)
    assert "".join(s.text for s in segments) == rationale
    if merge:
        assert all(a.label != b.label for a, b in zip(segments, segments[1:], strict=False))


def test_the_pairs_of_information_gains_scorer_grow_piece_by_piece():
    pieces = split_pieces(EXAMPLE.rationale)
    contexts = [EXAMPLE.question + "".join(pieces[:count]) + "</s>" for count in range(len(pieces) + 1)]
    assert shown(pairs_for("answer-from-prefix", EXAMPLE, None, CODEC)) == [
        ("model", None, context, "7<eoc></s>") for context in contexts
    ]
    assert models_of("answer-from-prefix") == ("model",) and not needs_labels("answer-from-prefix")
    for wrong in (replace(EXAMPLE, answer=None), replace(EXAMPLE, rationale="")):
        with pytest.raises(DataError, match="q1"):
            pairs_for("answer-from-prefix", wrong, None, CODEC)


def test_whole_chain_pairs():
    assert shown(pairs_for("seq2seq", EXAMPLE, None, CODEC)) == [
        ("model", None, EXAMPLE.question + "</s>", EXAMPLE.rationale + "<eoc></s>")
    ]
    assert shown(pairs_for("answer-only", EXAMPLE, None, CODEC)) == [
        ("model", None, EXAMPLE.question + "</s>", "7<eoc></s>")
    ]


def test_uni_path_pairs_grow_the_context_segment_by_segment():
    q = EXAMPLE.question
    assert shown(pairs_for("uni-path-merged", EXAMPLE, EXAMPLE.gold, CODEC)) == [
        ("model", "ES", f"{q}</s>", "Ann had 3, Bob had 4, </s>"),
        ("model", "AS", f"{q}Ann had 3, Bob had 4, </s>", "so 3 + 4 = 7. </s>"),
        ("model", "ES", f"{q}Ann had 3, Bob had 4, so 3 + 4 = 7. </s>", "The answer is 7.<eoc></s>"),
    ]


def test_unmerged_uni_path_does_not_depend_on_labels():
    def bare(labels):
        return [(p.context, p.target) for p in pairs_for("uni-path", EXAMPLE, labels, CODEC)]

    assert bare(None) == bare(EXAMPLE.gold) == bare(["AS"] * 4) and len(bare(None)) == 4


def test_dual_path_models_take_turns_and_pass():
    q = EXAMPLE.question
    labels = ["AS", "ES", "ES", "AS"]
    assert shown(pairs_for("dual-path", EXAMPLE, labels, CODEC)) == [
        ("esm", None, f"{q}</s>", "</s>"),
        ("asm", "AS", f"{q}</s>", "Ann had 3, </s>"),
        ("esm", "ES", f"{q}Ann had 3, </s>", "Bob had 4, </s>"),
        ("asm", None, f"{q}Ann had 3, Bob had 4, </s>", "</s>"),
        ("esm", "ES", f"{q}Ann had 3, Bob had 4, </s>", "so 3 + 4 = 7. </s>"),
        ("asm", "AS", f"{q}Ann had 3, Bob had 4, so 3 + 4 = 7. </s>", "The answer is 7.<eoc></s>"),
    ]
    merged = pairs_for("dual-path-merged", EXAMPLE, labels, CODEC)
    assert [(p.model, p.label) for p in merged] == [("esm", None), ("asm", "AS"), ("esm", "ES"), ("asm", "AS")]


def test_typed_targets_begin_with_their_mark():
    pairs = shown(pairs_for("uni-path-merged", EXAMPLE, EXAMPLE.gold, CODEC, typed=True))
    assert pairs[1][2:] == (f"{EXAMPLE.question}<es>Ann had 3, Bob had 4, </s>", "<as>so 3 + 4 = 7. </s>")


def test_what_has_no_meaning_is_refused():
    with pytest.raises(ParameterError, match="typed"):
        pairs_for("dual-path", EXAMPLE, EXAMPLE.gold, CODEC, typed=True)
    with pytest.raises(DataError, match="q1"):
        pairs_for("dual-path-merged", EXAMPLE, None, CODEC)
    with pytest.raises(DataError, match="unlabelled"):
        pairs_for("dual-path", EXAMPLE, [None] * 4, CODEC)
    with pytest.raises(DataError, match="empty rationale"):
        pairs_for("uni-path", Example("q2", "a", "", "1", "own"), None, CODEC)
    with pytest.raises(DataError, match="4 pieces but 2 labels"):
        pairs_for("uni-path", EXAMPLE, ["ES", "AS"], CODEC)


def test_small_questions_about_methods():
    assert models_of("dual-path-merged") == ("esm", "asm") and models_of("uni-path-merged") == ("model",)
    assert needs_labels("uni-path-merged") and needs_labels("dual-path") and needs_labels("uni-path", typed=True)
    assert not needs_labels("uni-path") and not needs_labels("seq2seq")
