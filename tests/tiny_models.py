"""Random models of the three kinds, small enough that every token is written often, the end token included."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    MT5Config,
    MT5ForConditionalGeneration,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

VOCABULARY = 14
MARKS = SimpleNamespace(pad=0, end=1)
"""All that an engine asks of a vocabulary."""

NEAR = 1e-4
"""Where the two highest logits are closer than this, rounding may decide: such texts are set aside, and counted."""


def tiny_model(kind: str, seed: int, end_bias: int | None = None, **other: Any) -> PreTrainedModel:
    """A random model of kind ``t5``, ``t5-v1.1``, ``mt5`` or ``bart`` over :data:`VOCABULARY` tokens.

    ``end_bias`` names an end token to write more often, where the vocabulary is larger.
    """
    ids = {"vocab_size": VOCABULARY, "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
    small = {"d_model": 16, "d_kv": 4, "d_ff": 24, "num_layers": 2, "num_heads": 4, "dropout_rate": 0.0}
    torch.manual_seed(seed)
    if kind == "bart":
        shape = {"encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4}
        wide = {"encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "max_position_embeddings": 64, "init_std": 0.6}
        start = {"bos_token_id": 2, "forced_eos_token_id": None}
        model = BartForConditionalGeneration(BartConfig(**ids | start | shape | wide | {"d_model": 16} | other))
        model.final_logits_bias.normal_()
        layers = [layer.encoder_attn.out_proj for layer in model.model.decoder.layers]
    elif kind == "mt5":
        model = MT5ForConditionalGeneration(MT5Config(**ids | small | other))
    elif kind == "t5-v1.1":
        gated = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
        model = T5ForConditionalGeneration(T5Config(**ids | small | gated | other))
    else:
        model = T5ForConditionalGeneration(T5Config(**ids | small | {"feed_forward_proj": "relu"} | other))
    if kind != "bart":
        layers = [block.layer[1].EncDecAttention.o for block in model.decoder.block]
    # Left as drawn, a model repeats its last token whatever it reads: tied embeddings favour it.
    model.lm_head = torch.nn.Linear(16, model.config.vocab_size, bias=False)
    torch.nn.init.normal_(model.lm_head.weight, std=3.0)
    if end_bias is not None:
        model.lm_head.weight.data[end_bias] *= 3.0
    for layer in layers:
        layer.weight.data *= 12.0
    return model.eval()


def contexts(count: int, seed: int, longest: int = 20) -> list[list[int]]:
    """Random contexts of 2 to ``longest`` tokens, the end token last."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest, (count,), generator=generator).tolist()
    return [[*torch.randint(2, VOCABULARY, (length,), generator=generator).tolist(), 1] for length in lengths]


@torch.no_grad()
def log_probabilities(model: PreTrainedModel, context: Sequence[int], text: Sequence[int]) -> torch.Tensor:
    """Teacher-forced logits before each token of the text (tokens x vocabulary)."""
    start = torch.tensor([[model.config.decoder_start_token_id, *text[:-1]]])
    return model(input_ids=torch.tensor([list(context)]), decoder_input_ids=start).logits[0]


def margin(model: PreTrainedModel, context: Sequence[int], text: Sequence[int]) -> float:
    """The smallest distance between the two highest logits on the way through the text."""
    if not text:
        return float("inf")
    top = log_probabilities(model, context, text).topk(2).values
    return float((top[:, 0] - top[:, 1]).min())
