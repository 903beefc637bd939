"""How right the labels are: precision, recall and F1 of AS for every strategy and beta, against gold.

>>> table = detection_table(pieces, scores)                                     # doctest: +SKIP
>>> best_sentence(best_beta(table))                                             # doctest: +SKIP

Input and names are those of :mod:`ases.aligned`. How the two sources of chance enter: a strategy's precision, recall
and F1 are computed for each scorer seed over all pieces and then averaged over the seeds. The 95 % intervals come from
a percentile bootstrap that draws examples (all their pieces together, the same draws for every strategy and seed, so
that rows can be compared) and, where there are several, seeds, each independently of the other; deviations between
seeds are scaled by sqrt(seeds / (seeds - 1)) so that their variance is unbiased, as in
:func:`ases.statistics.seed_difference`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ases.aligned import Aligned, Series, align
from ases.errors import DataError, ParameterError
from ases.labels import BETAS
from ases.settings import DEFAULT_BETA
from ases.statistics import LEVEL

MEASURES = ("precision", "recall", "f1")
NAMES = ("strategy", "reduce", "condition")
FLAT = 0.01
"""Betas whose F1 is at most this below the best count as equally good."""

_TAILS = [50 * (1 - LEVEL), 50 * (1 + LEVEL)]


@dataclass(frozen=True)
class Draws:
    """Bootstrap samples of examples: how often each is in each, shape (draws, examples), and a generator for seeds."""

    examples: np.ndarray
    seed: int

    def totals(self, counts: np.ndarray) -> np.ndarray:
        """Sums over each sample: counts of shape (..., examples) -> (draws, ...)."""
        flat = counts.reshape(-1, counts.shape[-1]).astype(np.float32)
        # Whole numbers far below 2 ** 24, so single precision adds them up exactly, twice as fast.
        return (self.examples @ flat.T).reshape(len(self.examples), *counts.shape[:-1]).astype(float)

    def over_seeds(self, values: np.ndarray) -> np.ndarray:
        """Means over resampled seeds: (draws, seeds, ...) -> (draws, ...); one seed is taken as it is."""
        draws, seeds = values.shape[:2]
        if seeds == 1:
            return values[:, 0]
        generator = np.random.default_rng([self.seed, seeds])
        times = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws)
        weights = 1 + math.sqrt(seeds / (seeds - 1)) * (times - 1)
        return np.einsum("ds,ds...->d...", weights, values) / seeds


def draw_examples(count: int, draws: int, seed: int) -> Draws:
    """Bootstrap samples of ``count`` examples. Raises ParameterError for no draws."""
    if draws < 1:
        raise ParameterError(f"draws is {draws}, but must be above 0")
    generator = np.random.default_rng(seed)
    times = generator.multinomial(count, np.full(count, 1 / count), size=draws)
    return Draws(times.astype(np.float32), seed)


def bounds(drawn: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % percentile interval along the first axis; values that a sample leaves undefined are left out.

    NaN where nothing is defined, and for a single example, which says nothing of its spread.
    """
    shape = drawn.shape[1:]
    if count < 2:
        return np.full(shape, math.nan), np.full(shape, math.nan)
    defined = np.isfinite(drawn).any(axis=0)
    limits = np.full((2, *shape), math.nan)
    limits[:, defined] = np.nanpercentile(np.where(np.isfinite(drawn), drawn, math.nan)[:, defined], _TAILS, axis=0)
    return limits[0], limits[1]


def detection_table(
    pieces: pd.DataFrame,
    scores: pd.DataFrame,
    betas: Sequence[float] = BETAS,
    *,
    labels: pd.DataFrame | None = None,
    draws: int = 1000,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> pd.DataFrame:
    """One row a split, series and beta: what the rule labels, and how right that is.

    Columns: ``split, strategy, reduce, condition, beta``; ``precision, recall, f1`` of AS, each with ``_low`` and
    ``_high``; ``as_share``, the share of pieces labelled AS; ``degenerate_share``, that of examples with one label
    only; ``pieces, examples, seeds``. ``labels`` are those made without a score (:func:`ases.aligned.control_labels`):
    one row each, beta NaN. Without gold the measures are NaN, and so are they where undefined (precision with nothing
    labelled AS by one of the seeds). Raises DataError and ParameterError as :mod:`ases.aligned` does.
    """
    if not len(betas):
        raise ParameterError("there is no beta to try; give at least one")
    aligned, rows = align(pieces), []
    drawn = {
        split: draw_examples(part.stop - part.start, draws, seed)
        for split, part in aligned.splits.items()
        if aligned.gold(split) is not None
    }
    found = list(aligned.series(scores))
    for done, (series, values) in enumerate(found):
        flags = np.stack([row > aligned.thresholds(row, betas) for row in values])
        rows += _rows(aligned, series, betas, flags, drawn)
        if progress is not None:
            progress(f"labels of {series}", (done + 1) / len(found))
    for series, flags in aligned.series(labels, "label") if labels is not None else ():
        rows += _rows(aligned, series, [math.nan], flags[:, None], drawn)
    order = {split: place for place, split in enumerate(aligned.splits)}
    return pd.DataFrame(rows).sort_values("split", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def _rows(
    aligned: Aligned, series: Series, betas: Sequence[float], flags: np.ndarray, drawn: Mapping[str, Draws]
) -> list[dict[str, object]]:
    """The rows of one series; ``flags`` is True where a piece is labelled AS, shape (seeds, betas, pieces)."""
    labelled = aligned.per_example(flags)
    rows: list[dict[str, object]] = []
    for split, examples in aligned.splits.items():
        part, sizes = labelled[..., examples], aligned.counts[examples]
        size = int(sizes.sum())
        as_share = part.sum(axis=-1).mean(axis=0) / size
        degenerate = ((part == 0) | (part == sizes)).mean(axis=(0, -1))
        measures = _measures(aligned, split, flags, part, drawn.get(split))
        for place, beta in enumerate(betas):
            rows.append(
                {"split": split, **series._asdict(), "beta": float(beta)}
                | {name: float(column[place]) for name, column in measures.items()}
                | {"as_share": float(as_share[place]), "degenerate_share": float(degenerate[place])}
                | {"pieces": size, "examples": len(sizes), "seeds": len(flags)}
            )
    return rows


def _measures(
    aligned: Aligned, split: str, flags: np.ndarray, labelled: np.ndarray, drawn: Draws | None
) -> dict[str, np.ndarray]:
    gold = aligned.gold(split)
    if gold is None or drawn is None:
        nothing = np.full(flags.shape[1], math.nan)
        return {f"{name}{end}": nothing for name in MEASURES for end in ("", "_low", "_high")}
    examples, everywhere = aligned.splits[split], np.zeros(flags.shape[-1], dtype=bool)
    everywhere[aligned.piece_slice(examples)] = gold
    hits = aligned.per_example(flags & everywhere)[..., examples]
    truth = aligned.per_example(everywhere)[examples]
    exact = _ratios(hits.sum(axis=-1), labelled.sum(axis=-1), truth.sum())
    gold_drawn = drawn.totals(truth)[:, None, None]
    sampled = _ratios(drawn.totals(hits), drawn.totals(labelled), gold_drawn)
    columns = {}
    for name in MEASURES:
        low, high = bounds(drawn.over_seeds(sampled[name]), len(truth))
        columns[name] = exact[name].mean(axis=0)
        # Scaled deviations between few seeds can reach beyond what a share can be.
        columns[f"{name}_low"], columns[f"{name}_high"] = np.clip(low, 0, 1), np.clip(high, 0, 1)
    return columns


def _ratios(hits: np.ndarray, labelled: np.ndarray, gold: np.ndarray) -> dict[str, np.ndarray]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "precision": hits / np.where(labelled > 0, labelled, math.nan),
            "recall": hits / np.where(gold > 0, gold, math.nan),
            "f1": 2 * hits / np.where(labelled + gold > 0, labelled + gold, math.nan),
        }


def best_beta(table: pd.DataFrame, *, choose_on: str = "valid", report_on: str = "test") -> pd.DataFrame:
    """Per series: the beta with the best F1 on one split, its F1 on another, and how flat the optimum is.

    Columns: ``strategy, reduce, condition, beta``, ``chosen_f1`` (on ``choose_on``), ``f1, f1_low, f1_high, precision,
    recall`` (on ``report_on``, at that beta), ``flat_from, flat_to``: the betas around the best, without a gap, whose
    F1 on ``choose_on`` is at most :data:`FLAT` below it; ``at_edge``: the best is the first or last beta tried, so a
    better one may lie beyond; ``default_beta`` and ``default_f1`` (on ``report_on``; NaN where that beta was not
    tried). Of equal betas the least counts. Series without a beta have NaN there, and their F1 all the same. Sorted by
    ``chosen_f1``. Raises DataError where a split is not in the table or has no gold.
    """
    splits = list(table["split"].unique())
    for split in (choose_on, report_on):
        if split not in splits:
            raise DataError(f"best_beta: there is no split {split} in the table; it has {', '.join(splits)}")
        if table.loc[table["split"] == split, "recall"].isna().all():
            raise DataError(f"best_beta: split {split} has no gold labels with AS among them, so no beta can be chosen")
    report = table[table["split"] == report_on].set_index([*NAMES, "beta"])
    rows = []
    for names, part in table[table["split"] == choose_on].groupby(list(NAMES), sort=False):
        part = part.sort_values("beta").reset_index(drop=True)
        at = int(part["f1"].to_numpy().argmax())
        near = part["f1"] >= part["f1"].iloc[at] - FLAT
        first = last = at
        while first > 0 and near[first - 1]:
            first -= 1
        while last < len(part) - 1 and near[last + 1]:
            last += 1
        beta, default = part["beta"].iloc[at], DEFAULT_BETA.get(names[0], math.nan)
        told = report.loc[[(*names, beta)]].iloc[0]
        at_default = report["f1"].get((*names, default), math.nan) if default == default else math.nan
        rows.append(
            dict(zip(NAMES, names, strict=True))
            | {"beta": beta, "chosen_f1": part["f1"].iloc[at]}
            | {name: told[name] for name in ("f1", "f1_low", "f1_high", "precision", "recall")}
            | {"flat_from": part["beta"].iloc[first], "flat_to": part["beta"].iloc[last]}
            | {"at_edge": bool(len(part) > 1 and at in (0, len(part) - 1))}
            | {"default_beta": default, "default_f1": at_default}
            | {name: told[name] for name in ("pieces", "examples", "seeds")}
        )
    return pd.DataFrame(rows).sort_values("chosen_f1", ascending=False, kind="stable", ignore_index=True)


def best_sentence(best: pd.DataFrame) -> str:
    """A :func:`best_beta` table as sentences: the best series with a beta, its optimum, and what its default gives."""
    scored = best[best["beta"].notna()]
    if scored.empty:
        raise DataError("best_sentence: no series in the table has a beta")
    row = scored.iloc[0]
    name = Series(*(row[column] for column in NAMES))
    flat = (
        f"no other beta tried comes within {FLAT:g}"
        if row["flat_from"] == row["flat_to"]
        else f"any beta from {row['flat_from']:g} to {row['flat_to']:g} comes within {FLAT:g}"
    )
    text = (
        f"Chosen on validation, **{name}** at beta {row['beta']:g} labels best: F1 of AS {row['f1']:.2f} on test "
        f"[{row['f1_low']:.2f}, {row['f1_high']:.2f}] ({row['examples']:.0f} rationales), and {flat}."
    )
    if row["at_edge"]:
        text += " That is the last beta tried, so a better one may lie beyond."
    if not math.isnan(row["default_f1"]) and row["default_beta"] != row["beta"]:
        text += f" Its default, {row['default_beta']:g}, gives {row['default_f1']:.2f}."
    controls = best[best["beta"].isna()].sort_values("f1", ascending=False)
    if len(controls):
        told = [f"{row['strategy']} {row['f1']:.2f}" for _, row in controls.iterrows()]
        text += f" Without any score: {', '.join(told)}."
    return text
