"""How fast training reads: real tokens a second of three ways to make batches, side by side in one run.

>>> table = batching_speed(pairs, codec, settings)                            # doctest: +SKIP
>>> table[["batches", "padding_waste", "real_tokens_per_second", "times"]]    # doctest: +SKIP

Speeds of different runs do not compare where a machine has other work; the ways take turns here, step by step, on the
same pairs, so that their ratio does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel

from ases.batches import epoch_batches
from ases.errors import ModelError
from ases.hardware import device_now, peak_rate, precision
from ases.losses import IGNORED, collate
from ases.models import cost_of, start_model
from ases.segments import Pair
from ases.settings import TrainingSettings
from ases.tokens import Codec

PADDED_TO = 256
"""The length to which the released scripts pad what they train on."""

WAYS = ("by both lengths", "shuffled, padded to the longest", f"shuffled, padded to {PADDED_TO}")
"""Ours; dynamic padding in random order; a fixed length. Pairs longer than that keep their length: nothing is cut."""

Progress = Callable[[str, float], None]


def batching_speed(
    pairs: Sequence[Pair],
    codec: Codec,
    settings: TrainingSettings,
    *,
    steps: int = 40,
    progress: Progress = lambda message, done: None,
) -> pd.DataFrame:
    """Train that many steps with each way of making batches, in turns; one row a way.

    ``batches, padding_waste`` (share of the tokens of a whole epoch), ``real_tokens_per_second`` (both sides, padding
    not counted; forward, backward and optimiser step), ``times`` (ours against this way), ``share_of_peak`` (FLOPs on
    real tokens against the rate of large matrix products here), ``steps``, ``device``, ``threads``. Two steps of each
    way are taken before the clock starts.
    """
    lengths = [(len(pair.context), len(pair.target)) for pair in pairs]
    size = settings.batch_size
    ours = epoch_batches(lengths, batch_size=size, seed=settings.seed, epoch=0)
    shuffled = np.random.default_rng(settings.seed).permutation(len(pairs)).tolist()
    plain = [tuple(shuffled[start : start + size]) for start in range(0, len(shuffled), size)]
    plans = dict(zip(WAYS, (ours, plain, plain), strict=True))
    widths = dict(zip(WAYS, (0, 0, PADDED_TO), strict=True))
    device = device_now()
    step = _stepper(start_model(settings.model, codec, settings.seed).to(device), codec, settings.learning_rate)
    turns = {way: cycle(batches) for way, batches in plans.items()}
    seconds, tokens, flops = (dict.fromkeys(WAYS, 0.0) for _ in range(3))
    cost = cost_of(start_model(settings.model, codec, settings.seed))
    for number in range(-2, steps):
        for way in WAYS:
            batch = next(turns[way])
            took = step([pairs[row] for row in batch], widths[way])
            if number >= 0:
                seconds[way] += took
                tokens[way] += sum(sum(lengths[row]) for row in batch)
                flops[way] += sum(cost.training(*lengths[row]) for row in batch)
        progress(f"step {max(number + 1, 0)} of {steps} of each way", max(number + 1, 0) / steps)
    rates = {way: tokens[way] / seconds[way] for way in WAYS}
    peak = peak_rate(device)
    return pd.DataFrame(
        {
            "batches": list(WAYS),
            "padding_waste": [round(_waste(plans[way], lengths, widths[way]), 4) for way in WAYS],
            "real_tokens_per_second": [round(rates[way]) for way in WAYS],
            "times": [round(rates[WAYS[0]] / rates[way], 2) for way in WAYS],
            "share_of_peak": [round(flops[way] / seconds[way] / peak.flops_per_second, 3) for way in WAYS],
            "steps": steps,
            "device": peak.device,
            "threads": peak.threads,
        }
    )


def peak_shares(
    presets: Sequence[str],
    pairs: Sequence[Pair],
    codec: Codec,
    settings: TrainingSettings,
    *,
    steps: int = 20,
    progress: Progress = lambda message, done: None,
) -> pd.DataFrame:
    """What share of the machine's best each size of model reaches on real pairs, and what padding takes of it.

    One row a preset: ``model, parameters, real_tokens_per_second, share_of_peak`` (FLOPs on real tokens),
    ``with_padding`` (FLOPs as computed, padding included), ``outside_model`` (share of the time in making batches and
    the optimiser), ``numbers, device``. Refuses a model whose loss is not finite in these numbers.
    """
    device, rows = device_now(), []
    peak = peak_rate(device)
    for place, preset in enumerate(presets):
        model = start_model(preset, codec, settings.seed).to(device)
        cost, step = cost_of(model), _stepper(model, codec, settings.learning_rate)
        lengths = [(len(pair.context), len(pair.target)) for pair in pairs]
        turns = cycle(epoch_batches(lengths, batch_size=settings.batch_size, seed=settings.seed, epoch=0))
        took = tokens = real = padded = model_seconds = 0.0
        for number in range(-2, steps):
            batch = next(turns)
            rows_now = [pairs[row] for row in batch]
            inside: list[float] = []
            seconds = step(rows_now, 0, inside)
            if number >= 0:
                widest = [max(lengths[row][side] for row in batch) for side in (0, 1)]
                took, model_seconds = took + seconds, model_seconds + inside[0]
                tokens += sum(sum(lengths[row]) for row in batch)
                real += sum(cost.training(*lengths[row]) for row in batch)
                padded += len(batch) * cost.training(*widest)
            done = max(number + 1, 0)
            progress(f"{preset}: step {done} of {steps}", (place + done / steps) / len(presets))
        rows.append(
            {
                "model": preset,
                "parameters": model.num_parameters(),
                "real_tokens_per_second": round(tokens / took),
                "share_of_peak": round(real / took / peak.flops_per_second, 3),
                "with_padding": round(padded / took / peak.flops_per_second, 3),
                "outside_model": round(1 - model_seconds / took, 3),
                "numbers": peak.numbers,
                "device": peak.device,
            }
        )
    return pd.DataFrame(rows)


def _stepper(model: PreTrainedModel, codec: Codec, learning_rate: float) -> Callable[..., float]:
    """A function that takes one training step and says how many seconds it took, making the batch included."""
    device = next(model.parameters()).device
    numbers, words = precision(device)
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
    optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, fused=True)
    model.train()

    def step(rows: Sequence[Pair], width: int, inside: list[float] | None = None) -> float:
        began = time.perf_counter()
        batch = {name: value.to(device, non_blocking=True) for name, value in _padded_to(rows, codec, width)}
        ready = _now(device)
        with torch.autocast(device.type, dtype=numbers, enabled=numbers != torch.float32):
            loss = model(**batch).loss
        loss.backward()
        learned = _now(device)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        ended = _now(device)
        if not torch.isfinite(loss.detach()):
            raise ModelError(f"the loss is {loss.item()} in {words}; its speed would mean nothing: lower learning_rate")
        if inside is not None:
            inside.append(learned - ready)
        return ended - began

    return step


def _padded_to(rows: Sequence[Pair], codec: Codec, width: int) -> Iterator[tuple[str, torch.Tensor]]:
    fill = {"input_ids": codec.pad, "attention_mask": 0, "labels": IGNORED}
    for name, value in collate(rows, codec).items():
        yield name, torch.nn.functional.pad(value, (0, max(0, width - value.shape[1])), value=fill[name])


def _waste(batches: Sequence[tuple[int, ...]], lengths: Sequence[tuple[int, int]], width: int) -> float:
    real = padded = 0
    for batch in batches:
        for side in (0, 1):
            sizes = [lengths[row][side] for row in batch]
            real += sum(sizes)
            padded += len(batch) * max(width, *sizes)
    return 1 - real / padded


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
