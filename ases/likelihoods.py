"""How sure a model is of every token of given texts: entropy and negative log-likelihood, exactly and fast.

>>> rows = [Row("q1", context=(5, 6, 1), blocks=((7, 8), (9,)))]
>>> [values.shape for values in token_values(model, codec, rows)[0]]                 # doctest: +SKIP
[(2, 2), (1, 2)]

All texts under one context ("blocks": the pieces of a rationale, say) lie in one row of the decoder as a tree of
prefixes: what a text has read so far decides the next token's distribution, so each distinct prefix is computed
once, and sees its own ancestors only, at its own depth. A context is then encoded once, its cross-attention keys and
values are computed once, and pieces scored one by one cost no more than the same tokens in one chain. The output
layer is computed where tokens are, in chunks, so that no copy of logits over all tokens and the vocabulary exists.
Source: ours; the values are METHOD's, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.activations import NewGELUActivation
from transformers.modeling_outputs import BaseModelOutput

from ases.errors import DataError, ParameterError
from ases.models import context_limit
from ases.tokens import Codec, padded

Progress = Callable[[str, float], None]

TOKEN_BUDGET = {"cpu": 1024, "cuda": 65536}
"""Tokens of both sides, padding included, that are computed at a time: small on a CPU, where that pads least."""

CHUNK = {"cpu": 192, "cuda": 2048}
"""Positions whose logits exist at a time."""

BAND = 4
"""How many batches' worth of rows of like target length are then sorted by source length."""

PRECISIONS = ("float32", "bfloat16")

_RELATIVE, _LEARNED = {"t5", "mt5"}, {"bart"}
_NOTHING = -80.0
"""exp of this counts for nothing beside exp(0); of less it is a denormal number, which takes a CPU ten times longer."""


@dataclass(frozen=True)
class Row:
    """A context and the texts scored under it, each as token ids; ``context`` ends with the end token."""

    qid: str
    context: tuple[int, ...]
    blocks: tuple[tuple[int, ...], ...]


def token_values(
    model: PreTrainedModel,
    codec: Codec,
    rows: Sequence[Row],
    *,
    precision: str = "float32",
    token_budget: int | None = None,
    progress: Progress = lambda message, done: None,
) -> list[list[np.ndarray]]:
    """Entropy and negative log-likelihood (nats) of every token: one array (tokens, 2) a block, float64, a list a row.

    Each block is forced as if it were the whole chain. ``bfloat16`` computes the matrix products in that type (with
    float32 between them). Raises DataError, naming the qid, for what is longer than the model can read and for an
    empty context or block, ParameterError for an unknown precision.
    """
    if precision not in PRECISIONS:
        raise ParameterError(f"precision is {precision!r}, but must be one of {', '.join(PRECISIONS)}")
    _check(rows, context_limit(model))
    model.eval()
    kind = "cuda" if model.device.type == "cuda" else "cpu"
    found: list[list[np.ndarray]] = [[] for _ in rows]
    done = 0
    low = torch.autocast(model.device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext()
    with torch.inference_mode(), low:
        for batch in _batches(rows, token_budget or TOKEN_BUDGET[kind]):
            for place, values in zip(batch, _batch_values(model, codec, [rows[i] for i in batch]), strict=True):
                found[place] = values
            done += len(batch)
            progress(f"scored {done} of {len(rows)} rows", done / len(rows))
    return found


def packs(model: PreTrainedModel) -> bool:
    """Whether several texts fit into one decoder row as a tree: only the kinds of models for which that is tested."""
    attention = getattr(model.config, "_attn_implementation", None)
    return model.config.model_type in _RELATIVE | _LEARNED and attention in ("eager", "sdpa")


def _check(rows: Sequence[Row], limit: int | None) -> None:
    for row in rows:
        if not row.context or not row.blocks or not all(row.blocks):
            raise DataError(f"example {row.qid} has an empty question or text, which cannot be scored")
        longest = max(len(row.context), *map(len, row.blocks))
        if limit is not None and longest > limit:
            raise DataError(f"example {row.qid}: {longest} tokens are more than the {limit} that the model can read")


def _batches(rows: Sequence[Row], budget: int) -> Iterator[list[int]]:
    """Row numbers, rows of like lengths together, as many as the budget holds."""
    sizes = [(len(row.context), sum(map(len, row.blocks))) for row in rows]
    batch: list[int] = []
    width = height = 0
    for place in _order(sizes, budget):
        source, target = sizes[place]
        width, height = max(width, source), max(height, target)
        if batch and (len(batch) + 1) * (width + height) > budget:
            yield batch
            batch, width, height = [], source, target
        batch.append(place)
    if batch:
        yield batch


def _order(sizes: Sequence[tuple[int, int]], budget: int) -> list[int]:
    """Row numbers by target length in bands of several batches, within a band by source length."""
    order = sorted(range(len(sizes)), key=lambda place: (sizes[place][1], sizes[place][0], place))
    ordered, band, tokens = [], [], 0
    for place in order:
        band.append(place)
        tokens += sum(sizes[place])
        if tokens > BAND * budget:
            ordered += sorted(band, key=lambda place: sizes[place])
            band, tokens = [], 0
    return ordered + sorted(band, key=lambda place: sizes[place])


@dataclass(frozen=True)
class _Tree:
    """The blocks of a row as a tree of prefixes: for each node what is read there, its parent and its depth.

    ``at`` holds, for every token of every block in turn, the node that predicts it.
    """

    read: list[int]
    parent: list[int]
    depth: list[int]
    at: list[int]


def _tree(blocks: Sequence[Sequence[int]], start: int) -> _Tree:
    tree = _Tree([start], [-1], [0], [])
    children: dict[tuple[int, int], int] = {}
    for block in blocks:
        node = 0
        for position in range(len(block)):
            if position:
                before = block[position - 1]
                child = children.setdefault((node, before), len(tree.read))
                if child == len(tree.read):
                    tree.read.append(before)
                    tree.parent.append(node)
                    tree.depth.append(position)
                node = child
            tree.at.append(node)
    return tree


def _batch_values(model: PreTrainedModel, codec: Codec, rows: Sequence[Row]) -> list[list[np.ndarray]]:
    device = model.device
    start = model.config.decoder_start_token_id
    # Where the model takes no tree, each block has a row of its own, and shares the encoder's states.
    split = [[row.blocks] if packs(model) else [(block,) for block in row.blocks] for row in rows]
    trees = [_tree(blocks, start) for own in split for blocks in own]
    contexts, mask = (part.to(device) for part in padded([row.context for row in rows], codec.pad))
    read, real = (part.to(device) for part in padded([tree.read for tree in trees], codec.pad))
    encoded = model.get_encoder()(input_ids=contexts, attention_mask=mask).last_hidden_state
    if len(trees) > len(rows):
        place = torch.tensor([row for row, own in enumerate(split) for _ in own], device=device)
        encoded, mask = encoded[place], mask[place]
    straight = all(tree.depth[-1] == len(tree.depth) - 1 for tree in trees)
    depth = None if straight else padded([tree.depth for tree in trees], 0)[0].to(device)
    with _depths(model, depth), _fused_gelu(model):
        hidden = _before_output(
            model,
            encoder_outputs=BaseModelOutput(last_hidden_state=encoded),
            attention_mask=mask,
            decoder_input_ids=read,
            decoder_attention_mask=None if straight else _ancestors(trees, read.shape[1]).to(device, encoded.dtype),
        )[real.bool()]
    starts = np.cumsum([0, *(len(tree.read) for tree in trees)])
    at = [node + int(first) for tree, first in zip(trees, starts, strict=False) for node in tree.at]
    targets = [token for row in rows for block in row.blocks for token in block]
    values = _entropy_and_loss(model, hidden, torch.tensor(at, device=device), torch.tensor(targets, device=device))
    ends = np.cumsum([len(block) for row in rows for block in row.blocks])
    rest = iter(np.split(values, ends[:-1]))
    return [[next(rest) for _ in row.blocks] for row in rows]


def _ancestors(trees: Sequence[_Tree], width: int) -> torch.Tensor:
    """The additive mask, shape (rows, 1, width, width): 0 where a node is an ancestor or itself, else the lowest."""
    seen = np.zeros((len(trees), width, width), dtype=bool)
    seen[:, np.arange(width), np.arange(width)] = True  # padding sees itself: a softmax over nothing is not a number
    for own, tree in zip(seen, trees, strict=True):
        for node, parent in enumerate(tree.parent[1:], start=1):
            own[node] |= own[parent]
    return torch.from_numpy(np.where(seen, np.float32(0), np.finfo(np.float32).min)).unsqueeze(1)


@contextmanager
def _depths(model: PreTrainedModel, depth: torch.Tensor | None) -> Iterator[None]:
    """Let the decoder count positions by depth, shape (rows, tokens), in place of the place in the row.

    Neither kind of decoder takes such positions as an argument, so they are put in where it reads its own.
    """
    if depth is None:
        yield
    elif model.config.model_type in _RELATIVE:
        attention = model.get_decoder().block[0].layer[0].SelfAttention

        def bias(*_: object, **__: object) -> torch.Tensor:
            bucket = attention._relative_position_bucket(
                depth[:, None, :] - depth[:, :, None],
                bidirectional=False,
                num_buckets=attention.relative_attention_num_buckets,
                max_distance=attention.relative_attention_max_distance,
            )
            return attention.relative_attention_bias(bucket).permute(0, 3, 1, 2)

        attention.compute_bias = bias
        try:
            yield
        finally:
            del attention.compute_bias  # the class's own is seen again
    else:
        table = model.get_decoder().embed_positions
        before = table.register_forward_pre_hook(
            lambda module, args, kwargs: (args, {**kwargs, "position_ids": depth}), with_kwargs=True
        )
        after = table.register_forward_hook(lambda module, args, output: output.squeeze(0))
        try:
            yield
        finally:
            before.remove()
            after.remove()


@contextmanager
def _fused_gelu(model: PreTrainedModel) -> Iterator[None]:
    """Compute T5's gate by torch's own kernel: the same formula, which transformers writes out in eight passes."""
    found = [module for module in model.modules() if isinstance(getattr(module, "act", None), NewGELUActivation)]
    slow = [module.act for module in found]
    for module in found:
        module.act = nn.GELU(approximate="tanh")
    try:
        yield
    finally:
        for module, act in zip(found, slow, strict=True):
            module.act = act


def _before_output(model: PreTrainedModel, **inputs: object) -> torch.Tensor:
    """What the output layer would have read, shape (rows, tokens, width), without computing a single logit."""
    kept: list[torch.Tensor] = []

    def keep(module: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        kept.append(args[0])
        return (args[0][:, :0],)

    hook = model.get_output_embeddings().register_forward_pre_hook(keep)
    try:
        model(**inputs, use_cache=False)
    finally:
        hook.remove()
    return kept[0]


def _entropy_and_loss(
    model: PreTrainedModel, hidden: torch.Tensor, at: torch.Tensor, targets: torch.Tensor
) -> np.ndarray:
    """Entropy and negative log-likelihood of every target, shape (targets, 2); ``at`` is its row of ``hidden``."""
    device = hidden.device
    head, bias = model.get_output_embeddings(), getattr(model, "final_logits_bias", None)
    chunk = CHUNK["cuda" if device.type == "cuda" else "cpu"]
    order = torch.argsort(at, stable=True)
    at, targets = at[order], targets[order]
    values = torch.empty(len(order), 2, dtype=torch.float64, device=device)
    buffer = torch.empty(0, device=device)
    for first in range(0, len(hidden), chunk):
        logits = head(hidden[first : first + chunk])
        logits = logits.float() if logits.dtype == torch.bfloat16 else logits
        if bias is not None:
            logits += bias
        # H = log sum exp z - sum p z with z shifted by its maximum: two sums of one sign each, so nothing cancels.
        logits -= logits.amax(-1, keepdim=True)
        own = slice(*torch.searchsorted(at, torch.tensor([first, first + len(logits)], device=device)).tolist())
        local = at[own] - first
        chosen = logits[local, targets[own]].double()
        logits.clamp_(min=_NOTHING)
        buffer = logits.new_empty(logits.shape) if buffer.shape != logits.shape else buffer
        total = torch.exp(logits, out=buffer).sum(-1).double()
        mean = torch.mul(buffer, logits, out=buffer).sum(-1).double() / total
        values[own, 0] = (total.log() - mean)[local]
        values[own, 1] = total.log()[local] - chosen
    result = torch.empty_like(values)
    result[order] = values
    return result.cpu().numpy()
