"""One model or two: do AS and ES tokens pull the weights the same way, and how much does each model get to read?

>>> pulls(model, pairs, labels, codec)                                             # doctest: +SKIP
   part  cosine   low  high  control ...
0   all    0.31  0.22  0.40     0.35

The gradient of the mean loss on AS tokens and that on ES tokens are taken on the same questions, batch by batch, as
training meets them. Above 0 a step for one kind also lowers the loss of the other; below 0 they interfere. The control
parts the same tokens at random: what two halves of a batch have in common anyway.

Beside it stands the cosine of the expected gradients, from products of different batches, in which noise cancels. Mind
what it must do: where training has come to rest on its own examples, the pulls of all tokens add up to nothing, so
those of the two kinds point apart whatever they are. It is no measure of interference at the end. Ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy.stats
import torch
from transformers import PreTrainedModel

from ases.errors import DataError
from ases.examples import AS, ES, Example
from ases.losses import IGNORED, TokenLabels, collate, target_labels
from ases.segments import Pair, models_of, pairs_of
from ases.statistics import LEVEL
from ases.tokens import Codec
from ases.training import curve_models, read_training, trained_models
from ases.trials import Trial, shown_labels, verdict

BATCHES = 8
"""Batches of questions whose gradients are held against each other."""

EARLY = 0.25
"""The share of the budget up to which a point of training is an early one."""

PARTS = ("all", "embeddings", "encoder", "decoder")

_CONTROL = ("first half", "second half")


def pulls(
    model: PreTrainedModel, pairs: Sequence[Pair], labels: Sequence[TokenLabels], codec: Codec, batches: int = BATCHES
) -> pd.DataFrame:
    """How AS and ES tokens pull one model's weights, a row a part of it (:data:`PARTS`).

    ``labels`` (:func:`ases.losses.target_labels`) say which tokens are which. ``cosine`` of a batch's two gradients,
    mean over batches of questions with ``low, high`` (95 %, Student's t); ``control, control_low, control_high``: the
    same where tokens are parted at random into groups of the same sizes; ``expected``, the cosine of the expected
    gradients (NaN where their lengths cannot be told from noise); ``as_tokens, es_tokens, questions, batches``.
    Holds four gradients a batch. Raises DataError where one kind of token is missing.
    """
    qids = list(dict.fromkeys(pair.qid for pair in pairs))
    groups = [set(part) for part in np.array_split(np.array(qids, dtype=object), min(batches, len(qids)))]
    found: list[dict[str, dict[str, torch.Tensor]]] = []
    counts = {AS: 0, ES: 0}
    generator = np.random.default_rng(0)
    for group in groups:
        rows = [row for row, pair in enumerate(pairs) if pair.qid in group]
        kinds = _kinds([labels[row] for row in rows], generator)
        if all((kinds[0] == kind).any() for kind in (AS, ES)):
            found.append(_gradients(model, [pairs[row] for row in rows], kinds, codec))
            for kind in counts:
                counts[kind] += int((kinds[0] == kind).sum())
    if not found:
        raise DataError("no batch has tokens of both kinds, AS and ES; both are needed to compare their pulls")
    rows = []
    for part in PARTS:
        of = {kind: torch.stack([one[kind][part] for one in found]).double().numpy() for kind in (AS, ES, *_CONTROL)}
        row = {"part": part, **_mean_cosine(of[AS], of[ES], "cosine", "low", "high")}
        names = ("control", "control_low", "control_high")
        row |= _mean_cosine(of[_CONTROL[0]], of[_CONTROL[1]], *names)
        rows.append(row | {"expected": _expected(of[AS], of[ES])})
    table = pd.DataFrame(rows)
    return table.assign(as_tokens=counts[AS], es_tokens=counts[ES], questions=len(qids), batches=len(found))


def _kinds(labels: Sequence[TokenLabels], generator: np.random.Generator) -> np.ndarray:
    """What each target token counts as, shape (2, pairs, longest): its label, and a half drawn at random."""
    width = max(map(len, labels))
    kinds = np.full((2, len(labels), width), "", dtype=object)
    for row, own in enumerate(labels):
        kinds[0, row, : len(own)] = [label or "" for label in own]
    labelled = kinds[0] != ""
    halves = np.where(kinds[0][labelled] == AS, *_CONTROL)
    kinds[1][labelled] = generator.permutation(halves)
    return kinds


def _gradients(
    model: PreTrainedModel, pairs: Sequence[Pair], kinds: np.ndarray, codec: Codec
) -> dict[str, dict[str, torch.Tensor]]:
    """The gradient of the mean loss over each kind of token, flat, by part of the model; one forward pass for all."""
    model.eval()  # no dropout: two gradients of one batch must differ by their tokens alone
    batch = {name: values.to(model.device) for name, values in collate(pairs, codec).items()}
    logits = model(**batch).logits.float()
    losses = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORED, reduction="none"
    ).view(batch["labels"].shape)
    named = dict(model.named_parameters())
    found = {}
    for kind in (AS, ES, *_CONTROL):
        wanted = torch.from_numpy((kinds == kind).any(axis=0)).to(model.device)
        grads = torch.autograd.grad(losses[wanted].mean(), list(named.values()), retain_graph=True, allow_unused=True)
        by_part: dict[str, list[torch.Tensor]] = {part: [] for part in PARTS}
        for (name, parameter), grad in zip(named.items(), grads, strict=True):
            flat = (torch.zeros_like(parameter) if grad is None else grad).flatten().float().cpu()
            for part in ("all", _part_of(name)):
                by_part[part].append(flat)
        found[kind] = {part: torch.cat(own) if own else torch.zeros(1) for part, own in by_part.items()}
    return found


def _part_of(name: str) -> str:
    if "shared" in name or "embed" in name or "lm_head" in name:
        return "embeddings"
    return "encoder" if "encoder." in name else "decoder"


def _mean_cosine(first: np.ndarray, second: np.ndarray, *names: str) -> dict[str, float]:
    """The mean over batches (rows) of the cosine of two gradients, with its interval; NaN bounds for one batch."""
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    cosines = (first * second).sum(axis=1)[lengths > 0] / lengths[lengths > 0]
    if not len(cosines):
        return dict.fromkeys(names, math.nan)
    low = high = math.nan
    if len(cosines) > 1:
        error = float(cosines.std(ddof=1)) / math.sqrt(len(cosines))
        half = float(scipy.stats.t.ppf((1 + LEVEL) / 2, len(cosines) - 1)) * error
        low, high = float(cosines.mean()) - half, float(cosines.mean()) + half
    return dict(zip(names, (float(cosines.mean()), low, high), strict=True))


def _expected(first: np.ndarray, second: np.ndarray) -> float:
    """The cosine of the expected gradients from products of different batches, which noise does not enter."""
    apart = ~np.eye(len(first), dtype=bool)
    if not apart.any():
        return math.nan
    between, one, two = (float((a @ b.T)[apart].mean()) for a, b in ((first, second), (first, first), (second, second)))
    return float(np.clip(between / math.sqrt(one * two), -1, 1)) if min(one, two) > 0 else math.nan


def along_training(trial: Trial, examples: Sequence[Example]) -> pd.DataFrame:
    """:func:`pulls` along the learning curve of one trial, on training examples with gold labels.

    ``model, share`` (of the budget spent), then the columns of :func:`pulls`. A model that learns one kind of token
    only (a dual-path's by gold) has no row.
    """
    _, codec = trained_models(trial.training.folder, trial.method)
    settings = trial.training.settings.training
    pairs = pairs_of(trial.method, examples, shown_labels(trial, "train", examples), codec, typed=settings.typed)
    labels = target_labels(pairs, examples, None, codec)
    tables = []
    for share, models in curve_models(trial.training.folder, trial.method, settings.curve_points):
        for name in models_of(trial.method):
            own = [row for row, pair in enumerate(pairs) if pair.model == name]
            if {AS, ES} <= {label for row in own for label in labels[row]}:
                table = pulls(models[name], [pairs[row] for row in own], [labels[row] for row in own], codec)
                tables.append(table.assign(model=name, share=share))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["part", "model", "share"])


def reading_table(trials: Sequence[Trial]) -> pd.DataFrame:
    """What each model of an arm got to learn from: a row an arm and model, means over seeds.

    ``pairs``, ``epochs``, ``target_tokens`` and ``flops`` (training), ``share_of_tokens`` of its arm's target tokens,
    ``loss_as, loss_es`` (nats, at the last evaluation, on its own validation pairs), ``seeds``.
    """
    logs = []
    for trial in trials:
        read = read_training(trial.training.folder)
        last = read.log.groupby("model")[["loss_as", "loss_es"]].last()
        budget = read.budget[["model", "pairs", "epochs", "target_tokens", "flops"]].set_index("model")
        logs.append(budget.join(last).reset_index().assign(arm=trial.arm, seed=trial.seed))
    table = pd.concat(logs, ignore_index=True)
    means = table.groupby(["arm", "model"], sort=False).mean(numeric_only=True).drop(columns="seed")
    means["share_of_tokens"] = means["target_tokens"] / means.groupby("arm")["target_tokens"].transform("sum")
    means["seeds"] = table.groupby(["arm", "model"], sort=False)["seed"].nunique()
    return means.reset_index()


def interference_sentences(table: pd.DataFrame, reading: pd.DataFrame) -> list[str]:
    """Both tables in words, and whether AS and ES pull together early, less so late, and never apart, as predicted.

    An arm whose first point comes later than :data:`EARLY` cannot tell.
    """
    whole, lines, held, told = table[table["part"] == "all"], [], 0, 0
    for (arm, model), part in whole.groupby(["arm", "model"], sort=False):
        means = part.groupby("share")[["cosine", "low", "high", "control"]].mean()
        first, last = means.iloc[0], means.iloc[-1]
        named = arm if model == "model" else f"{arm} ({model.upper()})"
        lines.append(
            f"{named}: the cosine of AS and ES gradients is {first['cosine']:+.2f} after {means.index[0]:.0%} of the "
            f"budget and {last['cosine']:+.2f} at its end; with the same tokens parted at random "
            f"{first['control']:+.2f} and {last['control']:+.2f} ({part['questions'].iloc[0]} questions, "
            f"seeds: {part['seed'].nunique()})."
        )
        if model == "model" and means.index[0] <= EARLY:
            told += 1
            held += bool(first["low"] > 0 and last["cosine"] < first["cosine"] and last["high"] > 0)
    for arm, part in reading[reading["model"].isin(["esm", "asm"])].groupby("arm", sort=False):
        said = " and ".join(f"{row['model'].upper()} {row['target_tokens']:,.0f}" for row in part.to_dict("records"))
        alone = reading.loc[reading["arm"] == arm.replace("dual-path", "uni-path"), "target_tokens"]
        beside = f"; one model on the same segments sees {alone.iloc[0]:,.0f}" if len(alone) == 1 else ""
        lines.append(f"{arm}: of the budget {said} target tokens were seen{beside}.")
    return [*lines, verdict(held, told, "arms with one model and a point early in training")]
