"""The trained arms that are looked into, and their tables with a column ``arm``.

>>> trials = trials_of(runs.cells(run))                                           # doctest: +SKIP
>>> predictions_of(trials).groupby(["arm", "seed"])["correct"].mean()             # doctest: +SKIP

A trial is one arm trained from one seed; all of an analysis have the same training set and budget. Ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from transformers import PreTrainedModel

from ases.arms import read_arm
from ases.curves import selected_models
from ases.errors import DataError
from ases.examples import Example
from ases.labels import labels_by_question
from ases.scoring import labels_for
from ases.settings import CONTROLS, needs_labels
from ases.tokens import Codec
from ases.training import read_training

_INGREDIENTS = ("strategy", "random_of", "typed")

LOOKED_AT = 2
"""Seeds of each arm whose models are looked into; what was written is counted for all."""


class GridCell(Protocol):
    """What :func:`trials_of` needs of a cell: an arm with a name, a seed, and the run of its generation."""

    arm: Any
    seed: int | None
    run: Any


@dataclass(frozen=True)
class Trial:
    """One arm trained from one seed; ``run`` is its generation."""

    arm: str
    seed: int
    run: Any

    @property
    def training(self) -> Any:
        """The run that trained it."""
        return self.run.input("training")

    @property
    def method(self) -> str:
        """One of METHODS."""
        return self.run.settings.training.method

    @property
    def rule(self) -> str:
        """What tells its segments apart: a strategy, ``none`` where labels change nothing."""
        settings = self.training.settings
        needed = needs_labels(self.method, settings.training.typed)
        return settings.segmentation.strategy if needed else "none"


def trials_of(cells: Sequence[GridCell]) -> list[Trial]:
    """The trials of a grid's cells, in their order. Raises DataError for an arm that trains nothing, or for none."""
    untrained = [cell.arm.name for cell in cells if cell.seed is None]
    if untrained or not cells:
        raise DataError(f"there is no trained model to look into: {', '.join(untrained) or 'no arms were given'}")
    return [Trial(cell.arm.name, cell.seed, cell.run) for cell in cells]


def data_of(trials: Sequence[Trial]) -> Any:
    """The data run that all trials share. Raises DataError where they learned from different data."""
    found = {one.run.input("data").key: one.run.input("data") for one in trials}
    if len(found) != 1:
        raise DataError(f"these arms learn from {len(found)} different data; what they learn is compared on one")
    (data,) = found.values()
    return data


def trained(trial: Trial) -> tuple[dict[str, PreTrainedModel], Codec]:
    """The weights that wrote the trial's chains, by model name, and their vocabulary."""
    selection = trial.run.settings.generation.selection
    points = pd.read_parquet(trial.training.path("points.parquet"))
    models, codec, _ = selected_models(trial.training.folder, trial.method, selection, points)
    return models, codec


def looked_into(trials: Sequence[Trial], seeds: int = LOOKED_AT) -> list[Trial]:
    """The trials of the first seeds of each arm, for what takes time."""
    kept = sorted({one.seed for one in trials})[:seeds]
    return [one for one in trials if one.seed in kept]


def predictions_of(trials: Sequence[Trial]) -> pd.DataFrame:
    """What the arms wrote to all test questions: the rows of each run's predictions with ``arm`` and ``seed``."""
    tables = [pd.read_parquet(one.run.path("predictions.parquet")).assign(arm=one.arm, seed=one.seed) for one in trials]
    return pd.concat(tables, ignore_index=True).drop(columns="method")


def answered(predictions: pd.DataFrame, examples: Sequence[Example]) -> pd.DataFrame:
    """The predictions of these examples alone. Raises DataError where one has none."""
    part = predictions[predictions["qid"].isin({example.qid for example in examples})]
    if missing := {example.qid for example in examples} - set(part["qid"]):
        raise DataError(f"{len(missing)} questions have no chains, the first {min(missing)}; generate them first")
    return part.reset_index(drop=True)


def drawn_examples(examples: Sequence[Example], count: int, seed: int = 0) -> list[Example]:
    """At most ``count`` examples, drawn by seed, in their order; all where there are no more."""
    places = np.random.default_rng(seed).permutation(len(examples))[:count]
    return [examples[int(place)] for place in sorted(places)]


def shown_labels(trial: Trial, split: str, examples: Sequence[Example]) -> dict[str, list[str | None]] | None:
    """The labels by which the arm parts these examples' pieces, by qid; None where labels change nothing for it."""
    if trial.rule == "none":
        return None
    return labels_by_question(labels_for(trial.training, {split: examples}))


def with_chains(examples: Sequence[Example], chains: pd.DataFrame) -> list[Example]:
    """The examples with what one arm wrote in place of their rationales, without gold; empty chains left out."""
    texts = dict(zip(chains["qid"], chains["chain"], strict=True))
    return [
        replace(example, rationale=texts[example.qid], gold=None) for example in examples if texts[example.qid].strip()
    ]


def rules_of(trials: Sequence[Trial]) -> pd.DataFrame:
    """What each arm is, a row an arm: ``arm, method, rule, random_of, typed`` and its ``other`` parameters."""
    rows = {}
    for one in trials:
        chosen, typed = one.training.settings.segmentation, one.training.settings.training.typed
        source = chosen.random_of if one.rule in CONTROLS else ""
        rows[one.arm] = {"arm": one.arm, "method": one.method, "rule": one.rule, "random_of": source, "typed": typed}
        rows[one.arm]["other"] = ", ".join(read_arm(one.arm).own(without=_INGREDIENTS))
    return pd.DataFrame(list(rows.values()))


# 1. What is learned when ------------------------------------------------------------------------------------------


def losses_of(trials: Sequence[Trial], labels: str) -> pd.DataFrame:
    """Validation losses over training, a row an evaluation: ``arm, seed, model, flops, loss_as, loss_es`` and more.

    Nats a token, told apart by ``labels`` (a column too); ``share`` is the share of that model's FLOPs. Arms that write
    no rationale have no such loss, and no row.
    """
    logs = []
    for one in trials:
        log = read_training(one.training.folder).log
        share = log["flops"] / log.groupby("model")["flops"].transform("max")
        logs.append(log.assign(arm=one.arm, seed=one.seed, share=share, labels=labels))
    names = ["arm", "seed", "model", "epoch", "flops", "share", "target_tokens", "loss_as", "loss_es", "labels"]
    table = pd.concat(logs, ignore_index=True)[names]
    return table[table[["loss_as", "loss_es"]].notna().any(axis=1)].reset_index(drop=True)


def learned_when(losses: pd.DataFrame) -> pd.DataFrame:
    """When each kind of token was learned: a row an arm, model and kind, means over seeds.

    ``first, lowest, last`` are losses (nats a token), those of the first and the last evaluation and the least;
    ``half_way`` the share of the model's FLOPs at which half of the fall between the first evaluation and the lowest
    was done (linear between evaluations; NaN without a fall), with ``half_low, half_high``, its least and greatest over
    ``seeds``.
    """
    rows = []
    for (arm, model), part in losses.groupby(["arm", "model"], sort=False):
        for column, kind in (("loss_es", "ES"), ("loss_as", "AS")):
            runs = [run.sort_values("flops") for _, run in part[part[column].notna()].groupby("seed")]
            if not runs:
                continue
            half = np.array([_half_way(run["share"].to_numpy(), run[column].to_numpy()) for run in runs])
            known = half[np.isfinite(half)]
            spread = (known.mean(), known.min(), known.max()) if len(known) else (np.nan, np.nan, np.nan)
            row = {"arm": arm, "model": model, "tokens": kind}
            row |= {"first": np.mean([run[column].iloc[0] for run in runs])}
            row |= {"lowest": np.mean([run[column].min() for run in runs])}
            row |= {"last": np.mean([run[column].iloc[-1] for run in runs])}
            row |= dict(zip(("half_way", "half_low", "half_high"), spread, strict=True))
            rows.append(row | {"seeds": len(runs), "evaluations": min(map(len, runs))})
    return pd.DataFrame(rows)


def _half_way(share: np.ndarray, loss: np.ndarray) -> float:
    low = int(loss.argmin())
    falling = np.minimum.accumulate(loss[: low + 1])
    if not falling[0] > falling[-1]:
        return float("nan")
    half = (falling[0] + falling[-1]) / 2
    return float(np.interp(-half, -falling, share[: low + 1]))


def _went(row: pd.Series) -> str:
    risen = f" and back up to {row['last']:.2f}" if f"{row['last']:.2f}" != f"{row['lowest']:.2f}" else ""
    return f"from {row['first']:.2f} to {row['lowest']:.2f}{risen}"


def learned_sentences(when: pd.DataFrame) -> list[str]:
    """A :func:`learned_when` table in words, and whether it was predicted: ES tokens first, AS tokens dearer."""
    lines, held = [], []
    for (arm, model), part in when.groupby(["arm", "model"], sort=False):
        of = part.set_index("tokens")
        if set(of.index) != {"ES", "AS"}:
            continue
        named = arm if model == "model" else f"{arm} ({model.upper()})"
        halves = [of.loc[kind, "half_way"] for kind in ("ES", "AS")]
        when_text = ""
        if np.isfinite(halves).all():
            when_text = f"; half of the fall was done after {halves[0]:.0%} and {halves[1]:.0%} of the FLOPs"
        went = [_went(of.loc[kind]) for kind in ("ES", "AS")]
        lines.append(f"{named}: ES tokens went {went[0]} nats, AS tokens {went[1]}{when_text}.")
        if model == "model" and np.isfinite(halves).all():
            held.append(bool(halves[0] < halves[1] and of.loc["ES", "last"] < of.loc["AS", "last"]))
    return [*lines, verdict(sum(held), len(held), "arms")]


def verdict(held: int, of: int, what: str) -> str:
    """Whether a prediction held, in how many of the cases that could tell."""
    if of == 0:
        return "**The prediction cannot be judged here.**"
    if held in (0, of):
        return f"**The prediction {'held' if held else 'did not hold'}** ({held} of {of} {what})."
    return f"**The prediction held in part** ({held} of {of} {what})."
