"""The speed of batches: what is compared is the same work, and padding is counted right. Speeds are not asserted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ases.benchmarks_training import PADDED_TO, WAYS, _padded_to, _waste, batching_speed, peak_shares
from ases.losses import IGNORED
from ases.models import codec_for
from ases.problems import generate_problems
from ases.segments import pairs_for
from ases.settings import settings_for
from ases.splits import make_splits

EXAMPLES = generate_problems(30, seed=2)
CODEC = codec_for("nano", [text for e in EXAMPLES for text in (e.question, e.rationale)])
PAIRS = [pair for e in EXAMPLES for pair in pairs_for("uni-path", e, None, CODEC)]
SETTINGS = replace(settings_for({"size": "smoke"}).training, batch_size=8)


def test_each_way_is_a_row_and_ours_is_what_the_others_are_held_against():
    heard = []
    table = batching_speed(PAIRS, CODEC, SETTINGS, steps=2, progress=lambda message, done: heard.append(done))
    assert table["batches"].tolist() == list(WAYS) and table["times"][0] == 1
    assert table["padding_waste"].is_monotonic_increasing and heard[-1] == 1
    ratio = table["real_tokens_per_second"][0] / table["real_tokens_per_second"][2]
    assert table["times"][2] == pytest.approx(ratio, rel=0.01)


def test_presets_are_measured_against_the_same_peak():
    table = peak_shares(["nano", "micro"], PAIRS, CODEC, SETTINGS, steps=1)
    assert table["parameters"].is_monotonic_increasing and (table["with_padding"] >= table["share_of_peak"]).all()
    assert table["outside_model"].between(0, 1).all()


def test_waste_counts_both_sides():
    assert _waste([(0, 1), (2,)], [(10, 4), (6, 4), (3, 3)], 0) == pytest.approx(1 - 30 / 34)
    assert _waste([(0,)], [(300, 16)], PADDED_TO) == pytest.approx(1 - 316 / 556)


def test_what_is_padded_further_is_read_as_padding():
    batch = dict(_padded_to(PAIRS[:3], CODEC, PADDED_TO))
    assert {value.shape for value in batch.values()} == {(3, PADDED_TO)}
    assert batch["attention_mask"].sum() == sum(len(pair.context) for pair in PAIRS[:3])
    assert (batch["labels"] != IGNORED).sum() == sum(len(pair.target) for pair in PAIRS[:3])
    assert (batch["input_ids"][batch["attention_mask"] == 0] == CODEC.pad).all()


@pytest.mark.parametrize(("method", "most"), [("uni-path", 0.1), ("seq2seq", 0.2)])
def test_padding_takes_little_of_real_rationales(method, most, real):
    data = settings_for({"size": "real", "data": "llm_adapters_cot", "data_folder": str(real)}).data
    examples = make_splits(data).train
    codec = codec_for("nano", [text for e in examples[:300] for text in (e.question, e.rationale)])
    lengths = [(len(p.context), len(p.target)) for e in examples for p in pairs_for(method, e, None, codec)]
    from ases.batches import epoch_batches

    batches = epoch_batches(lengths, batch_size=32, seed=0, epoch=0)
    assert _waste(batches, lengths, 0) < most
