"""One token at a time: a decoder's step for the rows that still write, and their removal when they are done.

>>> steps = steps_for(model, states, mask, limit)                                # doctest: +SKIP
>>> steps.next(tokens).shape                                                     # doctest: +SKIP
torch.Size([64, 1024])

For small models most of a step in transformers is not arithmetic but what surrounds it: masks, caches and hooks made
anew for each token. T5's and mT5's encoder and step are therefore written out here, on the model's own weights; every
other kind goes through its model. Both give the same logits up to rounding (tested).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch.nn import functional as F
from transformers import (
    DynamicCache,
    EncoderDecoderCache,
    MT5ForConditionalGeneration,
    PreTrainedModel,
    T5ForConditionalGeneration,
)
from transformers.modeling_outputs import BaseModelOutput


class Steps(Protocol):
    """A batch of rows that are being decoded."""

    def next(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits (rows x vocabulary) after the given token of each row (rows x 1)."""
        ...

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with these rows alone, in this order."""
        ...


def steps_for(model: PreTrainedModel, states: torch.Tensor, mask: torch.Tensor, limit: int) -> Steps:
    """The steps of a batch from its encoder states (rows x longest x width) and mask; ``limit`` at most."""
    return (T5Steps if _is_written_out(model) else ModelSteps)(model, states, mask, limit)


def encoder_for(model: PreTrainedModel, longest: int) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Token ids and mask (rows x at most ``longest``) -> encoder states (rows x tokens x width)."""
    if _is_written_out(model):
        return T5Reader(model, longest)
    encoder = model.get_encoder()
    return lambda ids, mask: encoder(input_ids=ids, attention_mask=mask).last_hidden_state


def _is_written_out(model: PreTrainedModel) -> bool:
    # In half precision transformers clamps what overflows; there the model's own code is taken.
    kinds = (T5ForConditionalGeneration, MT5ForConditionalGeneration)
    return type(model) in kinds and model.dtype == torch.float32


class ModelSteps:
    """Steps through any model's own forward pass and cache."""

    def __init__(self, model: PreTrainedModel, states: torch.Tensor, mask: torch.Tensor, limit: int) -> None:
        self.model, self.states, self.mask = model, states, mask
        self.cache = EncoderDecoderCache(DynamicCache(), DynamicCache())

    def next(self, tokens: torch.Tensor) -> torch.Tensor:
        """See :class:`Steps`."""
        output = self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=self.states),
            attention_mask=self.mask,
            decoder_input_ids=tokens,
            past_key_values=self.cache,
            use_cache=True,
        )
        return output.logits[:, -1]

    def keep(self, rows: torch.Tensor) -> None:
        """See :class:`Steps`; the width shrinks to the longest context that is left."""
        mask = self.mask[rows]
        width = int(mask.sum(dim=1).max())
        self.states, self.mask = self.states[rows, :width], mask[:, :width]
        for layer in self.cache.self_attention_cache.layers:
            layer.keys, layer.values = layer.keys[rows], layer.values[rows]
        for layer in self.cache.cross_attention_cache.layers:
            layer.keys, layer.values = layer.keys[rows, :, :width], layer.values[rows, :, :width]


class T5Reader:
    """The encoder of T5 and mT5; position biases are taken once, for the longest of all contexts."""

    def __init__(self, model: PreTrainedModel, longest: int) -> None:
        self.encoder, self.heads = model.get_encoder(), model.config.num_heads
        self.blocks = self.encoder.block
        self.fused = [_fused(block.layer[0].SelfAttention) for block in self.blocks]
        self.biases = self.blocks[0].layer[0].SelfAttention.compute_bias(longest, longest, device=model.device)

    def __call__(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """See :func:`encoder_for`."""
        states = self.encoder.embed_tokens(ids)
        rows, width = ids.shape
        bias = self.biases[..., :width, :width] + _hidden(mask, states.dtype)
        for fused, block in zip(self.fused, self.blocks, strict=True):
            attending, feeding = block.layer
            parts = F.linear(_normed(attending.layer_norm, states), fused)
            query, key, value = parts.view(rows, width, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            weights = torch.softmax((query @ key.transpose(2, 3)).add_(bias), dim=-1)
            states = states + attending.SelfAttention.o((weights @ value).transpose(1, 2).reshape(rows, width, -1))
            states = states + feeding.DenseReluDense(_normed(feeding.layer_norm, states))
        return _normed(self.encoder.final_layer_norm, states)


class T5Steps:
    """Steps of T5 and mT5: pre-norm layers, relative position biases shared by all layers, no attention scaling."""

    def __init__(self, model: PreTrainedModel, states: torch.Tensor, mask: torch.Tensor, limit: int) -> None:
        self.model, self.heads = model, model.config.num_heads
        self.blocks = model.decoder.block
        self.scale = model.config.d_model**-0.5 if getattr(model.config, "scale_decoder_outputs", False) else 1.0
        self.step, self.limit = 0, limit
        # Biases by distance: column limit - 1 is the distance 0, the one before it 1, and so on.
        first = self.blocks[0].layer[0].SelfAttention
        self.biases = first.compute_bias(1, limit, device=states.device, past_seen_tokens=limit - 1)
        self.fused = [_fused(block.layer[0].SelfAttention) for block in self.blocks]
        self.mask = mask
        self.hidden = _hidden(mask, states.dtype)
        self.cross = []
        for block in self.blocks:
            attention = block.layer[1].EncDecAttention
            keys, values = self._split(attention.k(states)), self._split(attention.v(states))
            self.cross.append((keys.transpose(2, 3).contiguous(), values.contiguous()))
        # With room for tokens to come, doubled when full: to join each to what there is would copy everything a step.
        shape, size = (len(states), self.heads), model.config.d_kv
        self.own = [(states.new_empty(*shape, size, 16), states.new_empty(*shape, 16, size)) for _ in self.blocks]

    def next(self, tokens: torch.Tensor) -> torch.Tensor:
        """See :class:`Steps`."""
        states = self.model.decoder.embed_tokens(tokens[:, 0])
        if self.step == self.own[0][0].shape[3]:
            more = self.step
            self.own = [(F.pad(keys, (0, more)), F.pad(values, (0, 0, 0, more))) for keys, values in self.own]
        self.step += 1
        bias = self.biases[..., self.limit - self.step :]
        for place, block in enumerate(self.blocks):
            attending, crossing, feeding = block.layer
            parts = F.linear(_normed(attending.layer_norm, states), self.fused[place]).chunk(3, dim=-1)
            query, key, value = (part.view(len(part), self.heads, 1, -1) for part in parts)
            keys, values = self.own[place][0][..., : self.step], self.own[place][1][:, :, : self.step]
            keys[..., -1:], values[:, :, -1:] = key.transpose(2, 3), value
            states = states + attending.SelfAttention.o(_attend(query, keys, values, bias))
            query = crossing.EncDecAttention.q(_normed(crossing.layer_norm, states))
            query = query.view(len(query), self.heads, 1, -1)
            states = states + crossing.EncDecAttention.o(_attend(query, *self.cross[place], self.hidden))
            states = states + feeding.DenseReluDense(_normed(feeding.layer_norm, states))
        return self.model.lm_head(_normed(self.model.decoder.final_layer_norm, states) * self.scale)

    def keep(self, rows: torch.Tensor) -> None:
        """See :class:`Steps`; the width shrinks to the longest context that is left."""
        self.mask = self.mask[rows]
        width = int(self.mask.sum(dim=1).max())
        self.mask = self.mask[:, :width]
        self.hidden = _hidden(self.mask, self.hidden.dtype)
        self.own = [(keys[rows], values[rows]) for keys, values in self.own]
        self.cross = [(keys[rows, :, :, :width], values[rows, :, :width]) for keys, values in self.cross]

    def _split(self, states: torch.Tensor) -> torch.Tensor:
        """Rows x tokens x inner -> rows x heads x tokens x inner / heads."""
        return states.view(*states.shape[:2], self.heads, -1).transpose(1, 2)


def _fused(attention: torch.nn.Module) -> torch.Tensor:
    """Queries, keys and values of a layer from one product."""
    return torch.cat([attention.q.weight, attention.k.weight, attention.v.weight])


def _hidden(mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """What hides padding when it is added to scores (rows x 1 x 1 x tokens)."""
    return (1 - mask)[:, None, None].to(dtype) * torch.finfo(dtype).min


def _normed(norm: torch.nn.Module, states: torch.Tensor) -> torch.Tensor:
    return F.rms_norm(states, states.shape[-1:], norm.weight, norm.variance_epsilon)


def _attend(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """One query a row over its keys (rows x heads x size x tokens) and values; rows x inner."""
    return (torch.softmax(query @ keys + bias, dim=-1) @ values).view(len(query), -1)
