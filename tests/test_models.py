"""Fresh and loaded models, and what they cost."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    MT5Config,
    MT5ForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
)

from ases.errors import ModelError
from ases.models import cost_of, fresh_model, load_model, save_model, start_model
from ases.presets import PRESETS, dial_of
from ases.settings import settings_for
from ases.tokens import load_codec, train_codec

CODEC = train_codec(["Ann had 3. Bob had 4. So 3 + 4 = 7."])


def bart() -> BartForConditionalGeneration:
    config = BartConfig(
        vocab_size=len(CODEC), d_model=32, encoder_layers=2, decoder_layers=3, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=64,
        pad_token_id=CODEC.pad, eos_token_id=CODEC.end, bos_token_id=CODEC.pad, decoder_start_token_id=CODEC.end,
        forced_eos_token_id=None,
    )  # fmt: skip
    return BartForConditionalGeneration(config)


def mt5() -> MT5ForConditionalGeneration:
    config = MT5Config(
        vocab_size=len(CODEC), d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
        pad_token_id=CODEC.pad, eos_token_id=CODEC.end, decoder_start_token_id=CODEC.pad,
    )  # fmt: skip
    return MT5ForConditionalGeneration(config)


def t5(**changes) -> T5ForConditionalGeneration:
    config = T5Config(
        vocab_size=len(CODEC), d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
        pad_token_id=CODEC.pad, eos_token_id=CODEC.end, decoder_start_token_id=CODEC.pad, **changes,
    )  # fmt: skip
    return T5ForConditionalGeneration(config)


def flan_t5() -> T5ForConditionalGeneration:
    """As Flan-T5 differs from T5: a gated feed-forward layer, and an output layer of its own."""
    return t5(feed_forward_proj="gated-gelu", tie_word_embeddings=False)


KINDS = {"t5": t5, "flan-t5": flan_t5, "mt5": mt5, "bart": bart}


def test_the_same_seed_gives_the_same_start_and_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (fresh_model("nano", CODEC, seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.random.get_rng_state())
    weights = [model.state_dict() for model in (first, again, other)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert any(not torch.equal(weights[0][name], weights[2][name]) for name in weights[0])


@pytest.mark.parametrize("make", [lambda: fresh_model("nano", CODEC, 0), *KINDS.values()], ids=["nano", *KINDS])
@pytest.mark.parametrize(("source", "target"), [(30, 12), (7, 40)])
def test_the_cost_formula_matches_a_counted_pass(make, source, target):
    model = make()
    model.set_attn_implementation("eager")
    ids = torch.full((1, source), 9), torch.full((1, target), 9)
    with FlopCounterMode(display=False) as forward, torch.no_grad():
        model(input_ids=ids[0], labels=ids[1])
    assert forward.get_total_flops() == pytest.approx(cost_of(model).forward(source, target), rel=0.01)
    with FlopCounterMode(display=False) as both:
        model(input_ids=ids[0], labels=ids[1]).loss.backward()
    # The first layer needs no gradient with respect to its input, so a counted pass is a little below 3x.
    assert both.get_total_flops() == pytest.approx(cost_of(model).training(source, target), rel=0.05)


@pytest.mark.parametrize("make", [lambda: fresh_model("nano", CODEC, 0), *KINDS.values()], ids=["nano", *KINDS])
def test_a_saved_checkpoint_is_loaded_by_folder_as_a_start(make, tmp_path):
    model = make()
    save_model(model, CODEC, tmp_path)
    assert not list(tmp_path.glob("*.bin")), "weights are safetensors"
    codec = load_codec(str(tmp_path))
    loaded = start_model(str(tmp_path), codec, seed=0)
    assert len(codec) == len(CODEC)
    assert all(
        torch.equal(a, b) for a, b in zip(model.state_dict().values(), loaded.state_dict().values(), strict=True)
    )


def test_a_checkpoint_with_a_smaller_vocabulary_gets_the_marks(tmp_path):
    config = MT5Config(
        vocab_size=len(CODEC) - 4, d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=4,
        pad_token_id=CODEC.pad, eos_token_id=CODEC.end, decoder_start_token_id=CODEC.pad,
    )  # fmt: skip
    MT5ForConditionalGeneration(config).save_pretrained(tmp_path)
    model = load_model(str(tmp_path), CODEC, seed=0)
    assert model.get_input_embeddings().num_embeddings == len(CODEC)
    assert model.get_output_embeddings().weight.shape[0] == len(CODEC)
    again, other = (load_model(str(tmp_path), CODEC, seed).get_input_embeddings().weight for seed in (0, 1))
    assert torch.equal(model.get_input_embeddings().weight, again) and not torch.equal(again, other)


def test_a_model_that_is_not_there_says_what_would_serve(tmp_path):
    with pytest.raises(ModelError, match=r"config.json and model.safetensors.*nano"):
        load_model(str(tmp_path / "none"), CODEC, seed=0)


def test_folders_nearby_that_would_serve_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_model(mt5(), CODEC, tmp_path / "models" / "mt5-small")
    with pytest.raises(ModelError, match="These folders hold one: .*models/mt5-small"):
        load_model("google/mt5-small", CODEC, seed=0)
    with pytest.raises(ModelError, match="These folders hold one: .*models/mt5-small"):
        load_model(str(tmp_path / "models" / "mt5-smal"), CODEC, seed=0)


def test_pickled_weights_are_not_loaded(tmp_path):
    model = mt5()
    model.config.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="model.safetensors"):
        load_model(str(tmp_path), CODEC, seed=0)


def test_the_dial_sets_batch_and_learning_rate():
    assert dial_of("nano") == {"batch_size": 32, "learning_rate": 3e-3}
    for smaller, larger in pairwise(PRESETS.values()):
        assert smaller.width < larger.width and smaller.learning_rate > larger.learning_rate
        assert smaller.batch_size <= larger.batch_size
        assert smaller.learning_rate * smaller.width == pytest.approx(larger.learning_rate * larger.width)
    given = settings_for({"model": "small"}).training
    assert (given.batch_size, given.learning_rate) == (64, 3.75e-4)
    assert settings_for({"model": "small", "batch_size": 8}).training.batch_size == 8, "what is given wins"
    assert settings_for({"model": "google/flan-t5-small"}).training.learning_rate == 5e-4


def test_presets_are_the_sizes_they_say():
    count = {name: sum(p.numel() for p in fresh_model(name, CODEC, 0).parameters()) for name in ("nano", "micro")}
    assert count["nano"] < 0.3e6 < count["micro"] < 1.5e6 and set(PRESETS) == {"nano", "micro", "tiny", "small"}
