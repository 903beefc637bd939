"""One model or two: do AS and ES tokens pull the weights the same way, and how much does each model get to read?

>>> pulls(model, pairs, labels, codec)                                             # doctest: +SKIP
   part  cosine   low  high  plain ...
0   all    0.31  0.22  0.40   0.12

The gradient of the mean loss on AS tokens and that on ES tokens are taken on the same questions, in batches. A batch's
gradient is mostly noise, which pulls every cosine towards 0; so the cosine reported is that of the expected gradients:
products of different batches only, in which noise cancels. Above 0 a step for one kind also lowers the loss of the
other; below 0 they interfere. Ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

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
from ases.training import curve_models, read_training
from ases.trials import Trial, shown_labels, verdict

BATCHES = 8
"""Batches of questions whose gradients are held against each other."""

PARTS = ("all", "embeddings", "encoder", "decoder")


def pulls(
    model: PreTrainedModel, pairs: Sequence[Pair], labels: Sequence[TokenLabels], codec: Codec, batches: int = BATCHES
) -> pd.DataFrame:
    """How AS and ES tokens pull one model's weights, a row a part of it (:data:`PARTS`).

    ``labels`` (:func:`ases.losses.target_labels`) say which tokens are which. ``cosine`` is that of the two expected
    gradients, with ``low, high`` (95 %, jackknife over batches of questions; NaN where the products of different
    batches leave no length to divide by); ``plain`` the mean cosine of a batch's two gradients, as training meets
    them; ``as_norm, es_norm`` the lengths of the expected gradients; ``as_tokens, es_tokens, questions, batches``.
    Raises DataError where one kind of token is missing.
    """
    qids = list(dict.fromkeys(pair.qid for pair in pairs))
    groups = [set(part) for part in np.array_split(np.array(qids, dtype=object), min(batches, len(qids)))]
    gradients: dict[str, list[dict[str, torch.Tensor]]] = {AS: [], ES: []}
    counts = {AS: 0, ES: 0}
    for group in groups:
        rows = [row for row, pair in enumerate(pairs) if pair.qid in group]
        for kind in (AS, ES):
            found, tokens = _gradient(model, [pairs[row] for row in rows], [labels[row] for row in rows], kind, codec)
            gradients[kind].append(found)
            counts[kind] += tokens
    model.zero_grad(set_to_none=True)
    if min(counts.values()) == 0:
        raise DataError(f"there are {counts[AS]} AS and {counts[ES]} ES tokens; both are needed to compare their pulls")
    rows = []
    for part in PARTS:
        vectors = [torch.stack([one[part] for one in gradients[kind]]) for kind in (AS, ES)]
        gram = torch.cat(vectors) @ torch.cat(vectors).T
        rows.append({"part": part, **_cosine(gram.double().numpy())})
    table = pd.DataFrame(rows)
    return table.assign(as_tokens=counts[AS], es_tokens=counts[ES], questions=len(qids), batches=len(groups))


def _gradient(
    model: PreTrainedModel, pairs: Sequence[Pair], labels: Sequence[TokenLabels], kind: str, codec: Codec
) -> tuple[dict[str, torch.Tensor], int]:
    """The gradient of the mean loss on one kind of token over these pairs, flat, by part of the model."""
    model.eval()  # no dropout: two gradients of one batch must differ by their tokens alone
    model.zero_grad(set_to_none=True)
    batch = {name: values.to(model.device) for name, values in collate(pairs, codec).items()}
    wanted = torch.full_like(batch["labels"], IGNORED)
    for row, own in enumerate(labels):
        places = [place for place, label in enumerate(own) if label == kind]
        wanted[row, places] = batch["labels"][row, places]
    tokens = int((wanted != IGNORED).sum())
    if tokens:
        logits = model(**batch).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED)
        loss.backward()
    by_part: dict[str, list[torch.Tensor]] = {part: [] for part in PARTS}
    for name, parameter in model.named_parameters():
        flat = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
        flat = flat.detach().flatten().float().cpu()
        for part in ("all", _part_of(name)):
            by_part[part].append(flat)
    model.zero_grad(set_to_none=True)
    return {part: torch.cat(found) if found else torch.zeros(1) for part, found in by_part.items()}, tokens


def _part_of(name: str) -> str:
    if "shared" in name or "embed" in name or "lm_head" in name:
        return "embeddings"
    return "encoder" if "encoder." in name else "decoder"


def _cosine(gram: np.ndarray) -> dict[str, float]:
    """The cosine and its jackknife interval from all products of gradients: AS of each batch, then ES of each."""
    count = len(gram) // 2
    within = [_expected(gram, np.arange(count))]
    if count > 2:
        within += [_expected(gram, np.delete(np.arange(count), left_out)) for left_out in range(count)]
    (cosine, as_norm, es_norm), *others = within
    left = np.array([one[0] for one in others])
    low = high = math.nan
    if len(left) and np.isfinite(left).all():
        error = math.sqrt((count - 1) / count * float(((left - left.mean()) ** 2).sum()))
        half = float(scipy.stats.t.ppf((1 + LEVEL) / 2, count - 1)) * error
        low, high = max(-1.0, cosine - half), min(1.0, cosine + half)
    lengths = np.sqrt(np.diag(gram))
    with np.errstate(invalid="ignore", divide="ignore"):
        plain = np.diag(gram[:count, count:]) / (lengths[:count] * lengths[count:])
    plain_mean = float(np.nanmean(plain)) if np.isfinite(plain).any() else math.nan
    return {"cosine": cosine, "low": low, "high": high, "plain": plain_mean, "as_norm": as_norm, "es_norm": es_norm}


def _expected(gram: np.ndarray, kept: np.ndarray) -> tuple[float, float, float]:
    """Cosine and lengths of the expected gradients from products of different batches, which noise does not enter."""
    count = len(gram) // 2
    apart = ~np.eye(len(kept), dtype=bool)

    def product(first: int, second: int) -> float:
        block = gram[np.ix_(kept + first * count, kept + second * count)]
        return float(block[apart].mean()) if apart.any() else math.nan

    squares = product(0, 0), product(1, 1)
    norms = tuple(math.sqrt(square) if square > 0 else math.nan for square in squares)
    cosine = product(0, 1) / (norms[0] * norms[1])
    return float(np.clip(cosine, -1, 1)) if not math.isnan(cosine) else math.nan, *norms


def interference_table(
    trials: Sequence[Trial], examples: Sequence[Example], codec_of: dict[str, Codec], points: bool = True
) -> pd.DataFrame:
    """:func:`pulls` of each trial along its learning curve, on training examples with gold labels.

    ``arm, seed, model, share`` (of the budget spent), then the columns of :func:`pulls`. ``codec_of`` has each trial's
    vocabulary by its arm. A model that is asked for one kind of token only (a dual-path's, by gold) has no row; arms
    that write no rationale neither.
    """
    rows = []
    for trial in trials:
        if trial.method == "answer-only":
            continue
        typed, codec = trial.training.settings.training.typed, codec_of[trial.arm]
        pairs = pairs_of(trial.method, examples, shown_labels(trial, "train", examples), codec, typed=typed)
        labels = target_labels(pairs, examples, None, codec)
        for share, models in _along(trial, points):
            for name in models_of(trial.method):
                own = [row for row, pair in enumerate(pairs) if pair.model == name]
                kinds = {label for row in own for label in labels[row]}
                if {AS, ES} <= kinds:
                    table = pulls(models[name], [pairs[row] for row in own], [labels[row] for row in own], codec)
                    rows.append(table.assign(arm=trial.arm, seed=trial.seed, model=name, share=share))
    if not rows:
        raise DataError("no arm here learns AS and ES tokens with one model")
    table = pd.concat(rows, ignore_index=True)
    first = ["arm", "seed", "model", "share"]
    return table[[*first, *table.columns.drop(first)]]


def _along(trial: Trial, points: bool) -> Iterator[tuple[float, dict[str, PreTrainedModel]]]:
    count = trial.training.settings.training.curve_points
    for share, models in curve_models(trial.training.folder, trial.method, count):
        if points or share == 1:
            yield share, models


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
    """Both tables in words, and whether AS and ES pull together at the start and less so at the end, as predicted."""
    whole, lines, held, told = table[table["part"] == "all"], [], 0, 0
    for (arm, model), part in whole.groupby(["arm", "model"], sort=False):
        by_share = part.groupby("share")["cosine"].mean()
        first, last = by_share.iloc[0], by_share.iloc[-1]
        named = arm if model == "model" else f"{arm} ({model.upper()})"
        lines.append(
            f"{named}: the cosine of AS and ES gradients is {first:+.2f} after {by_share.index[0]:.0%} of the budget and "
            f"{last:+.2f} at its end ({part['questions'].iloc[0]} questions, {part['seed'].nunique()} seeds)."
        )
        if model == "model" and np.isfinite([first, last]).all():
            told += 1
            held += first > 0 and 0 <= last < first
    dual = reading[reading["model"].isin(["esm", "asm"])]
    for arm, part in dual.groupby("arm", sort=False):
        said = ", ".join(f"{row['model'].upper()} {row['target_tokens']:,.0f}" for row in part.to_dict("records"))
        alone = reading.loc[reading["arm"].str.startswith("uni-path") & (reading["model"] == "model"), "target_tokens"]
        beside = f"; one model alone sees {alone.max():,.0f}" if len(alone) else ""
        lines.append(f"{arm}: target tokens seen are {said}{beside}.")
    return [*lines, verdict(int(held), told, "arms with one model")]
