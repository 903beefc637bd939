"""Where labels err, by kind of piece, and how far strategies agree, with or without gold.

>>> errors_by_kind(pieces, labels_at(pieces, scores), kind_table(examples))     # doctest: +SKIP
>>> kappa_table(pieces, pd.concat([labels, number_novelty_labels(pieces, questions)]))  # doctest: +SKIP

``labels`` is a long table as in :mod:`ases.aligned`: labels at one beta a strategy, and those made without a score.
Estimates are means over scorer seeds; the intervals are those of :mod:`ases.detection`: a bootstrap over examples and,
where a strategy has several, over seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from statsmodels.stats.inter_rater import cohens_kappa

from ases.aligned import Aligned, Series, align
from ases.detection import Draws, bounds, draw_examples
from ases.errors import DataError
from ases.examples import AS, ES


def errors_by_kind(
    pieces: pd.DataFrame, labels: pd.DataFrame, kinds: pd.DataFrame, *, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """One row a split with gold, series, kind and gold label: how often the label is wrong.

    ``kinds`` has ``qid, piece, kind`` (:func:`ases.kinds.kind_table`). Columns: ``split, strategy, reduce, condition,
    kind, gold, wrong, wrong_low, wrong_high`` (shares of those pieces), ``share_of_errors`` (of all that the series
    gets wrong in the split), ``pieces, examples, seeds``. Raises DataError for a piece without a kind, or where no
    split has gold.
    """
    aligned = align(pieces)
    kind = _kinds(aligned, kinds)
    judged = {split: gold for split in aligned.splits if (gold := aligned.gold(split)) is not None}
    if not judged:
        raise DataError(f"no split ({', '.join(aligned.splits)}) has gold labels, so nothing can be right or wrong")
    found, rows = list(aligned.series(labels, "label")), []
    for split, gold in judged.items():
        examples, part = aligned.splits[split], aligned.piece_slice(aligned.splits[split])
        drawn = draw_examples(examples.stop - examples.start, draws, seed)
        cells = [(name, truth) for name in pd.unique(kind[part]) for truth in (ES, AS)]
        members = {cell: (kind[part] == cell[0]) & (gold == (cell[1] == AS)) for cell in cells}
        for series, flags in found:
            wrong = flags[:, part] != gold
            for (name, truth), chosen in members.items():
                if not chosen.any():
                    continue
                errors = _per_example(aligned, split, wrong & chosen)
                sizes = _per_example(aligned, split, chosen)
                with np.errstate(invalid="ignore", divide="ignore"):
                    sampled = drawn.over_seeds(drawn.totals(errors) / drawn.totals(sizes)[:, None])
                low, high = bounds(sampled, len(sizes))
                rows.append(
                    {"split": split, **series._asdict(), "kind": name, "gold": truth}
                    | {"wrong": errors.sum() / len(flags) / chosen.sum()}
                    | {"wrong_low": float(np.clip(low, 0, 1)), "wrong_high": float(np.clip(high, 0, 1))}
                    | {"share_of_errors": errors.sum() / wrong.sum() if wrong.any() else math.nan}
                    | {"pieces": int(chosen.sum()), "examples": int((sizes > 0).sum()), "seeds": len(flags)}
                )
    return pd.DataFrame(rows)


def errors_sentence(table: pd.DataFrame, series: Series) -> str:
    """Where one series errs most, from the rows of one split of :func:`errors_by_kind`."""
    part = table[np.logical_and.reduce([table[name] == value for name, value in series._asdict().items()])]
    if part.empty or part["split"].nunique() != 1:
        raise DataError(f"errors_sentence: give the rows of one split that hold {series}")
    if part["share_of_errors"].isna().all():
        return f"**{series}** labels every piece as gold does."
    told = [
        f"{row['share_of_errors']:.0%} of its errors are pieces of the kind *{row['kind']}* ({row['gold']} in gold; "
        f"{row['wrong']:.0%} of {row['pieces']:,.0f} are labelled wrong)"
        for _, row in part.sort_values("share_of_errors", ascending=False, kind="stable").head(2).iterrows()
        if row["share_of_errors"] > 0
    ]
    return f"**{series}**: {'; '.join(told)}."


def kappa_table(pieces: pd.DataFrame, labels: pd.DataFrame, *, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Cohen's kappa between the labels of every two series, one row a split and pair; no gold is needed.

    Columns: ``split, first, second`` (names of series), ``kappa`` (statsmodels), ``kappa_low, kappa_high``,
    ``agreement`` (share of pieces with the same label), ``first_as, second_as`` (shares labelled AS), ``pieces,
    examples, seeds``. Seeds are compared one by one, a series with one seed with all seeds of the other. A series
    beside itself has a row where it has several seeds: the mean over pairs of different seeds, which is as far as its
    labels can be reproduced; only examples are resampled there. Kappa is NaN where both label all pieces alike. Raises
    DataError where two series have other numbers of seeds, both above one.
    """
    aligned, rows = align(pieces), []
    found = dict(aligned.series(labels, "label"))
    for split, examples in aligned.splits.items():
        drawn = draw_examples(examples.stop - examples.start, draws, seed)
        for first, second, left, right in _pairs(found):
            part = aligned.piece_slice(examples)
            left, right = left[:, part], right[:, part]
            cells = [left & right, left & ~right, ~left & right, ~left & ~right]
            counts = np.stack([_per_example(aligned, split, cell) for cell in cells])
            kappa = np.mean([_kappa(table) for table in counts.sum(axis=-1).T])
            size = left.shape[1]
            low, high = bounds(_sampled_kappas(drawn, counts, resample_seeds=first != second), counts.shape[-1])
            rows.append(
                {"split": split, "first": str(first), "second": str(second)}
                | {"kappa": float(kappa), "kappa_low": float(max(low, -1)), "kappa_high": float(min(high, 1))}
                | {"agreement": float((left == right).mean())}
                | {"first_as": float(left.mean()), "second_as": float(right.mean())}
                | {"pieces": size, "examples": counts.shape[-1], "seeds": max(len(found[first]), len(found[second]))}
            )
    return pd.DataFrame(rows)


def kappa_sentence(table: pd.DataFrame) -> str:
    """The two different series of one split of a :func:`kappa_table` that agree most, and the two that agree least."""
    part = table[(table["first"] != table["second"]) & table["kappa"].notna()].sort_values("kappa", kind="stable")
    if part.empty or part["split"].nunique() != 1:
        raise DataError("kappa_sentence: give the rows of one split, with at least one pair whose kappa is defined")
    most, least = part.iloc[-1], part.iloc[0]
    text = f"Agreement beyond chance is greatest between {_pair(most)}"
    if len(part) > 1:
        text += f" and least between {_pair(least)}"
    return f"{text} ({most['pieces']:,.0f} pieces of {most['examples']:,.0f} rationales)."


def _pair(row: pd.Series) -> str:
    bounds_ = f"[{row['kappa_low']:.2f}, {row['kappa_high']:.2f}]".replace("-", "\N{MINUS SIGN}")
    return f"{row['first']} and {row['second']}: kappa {row['kappa']:.2f} ".replace("-0", "\N{MINUS SIGN}0") + bounds_


def _kinds(aligned: Aligned, kinds: pd.DataFrame) -> np.ndarray:
    given = kinds.set_index(["qid", "piece"])["kind"]
    if given.index.has_duplicates:
        raise DataError(f"kinds: {given.index[given.index.duplicated()][0]} has two kinds; give one a piece")
    found = given.reindex(pd.MultiIndex.from_frame(aligned.pieces[["qid", "piece"]]))
    if found.isna().any():
        qid, piece = found.index[int(np.flatnonzero(found.isna())[0])]
        raise DataError(f"kinds: piece {piece} of {qid} has no kind; make them from the same examples")
    return found.to_numpy(dtype=object)


def _per_example(aligned: Aligned, split: str, values: np.ndarray) -> np.ndarray:
    """Counts by example of one split: flags of shape (..., pieces of the split) -> (..., examples of it)."""
    starts = aligned.starts[aligned.splits[split]]
    return np.add.reduceat(values.astype(np.int64), starts - starts[0], axis=-1)


def _pairs(found: dict[Series, np.ndarray]) -> Iterator[tuple[Series, Series, np.ndarray, np.ndarray]]:
    """Every two series, and each with several seeds beside itself, with labels of the same shape (seeds, pieces)."""
    names = list(found)
    for place, first in enumerate(names):
        if (seeds := len(found[first])) > 1:
            one, other = np.triu_indices(seeds, k=1)
            yield first, first, found[first][one], found[first][other]
        for second in names[place + 1 :]:
            left, right = found[first], found[second]
            if len(left) != len(right) and 1 not in (len(left), len(right)):
                raise DataError(f"{first} has {len(left)} seeds and {second} {len(right)}; give both the same, or one")
            left, right = np.broadcast_arrays(left, right)
            yield first, second, left, right


def _kappa(counts: np.ndarray) -> float:
    """Cohen's kappa of the counts (both AS, only the first, only the second, neither); NaN where it is 0 / 0."""
    both, first, second, neither = counts
    if max(both, neither) == counts.sum():
        return math.nan
    return float(cohens_kappa(counts.reshape(2, 2), return_results=False))


def _sampled_kappas(drawn: Draws, counts: np.ndarray, *, resample_seeds: bool) -> np.ndarray:
    """Kappa of each bootstrap sample, shape (draws,), of counts of shape (4, seeds, examples)."""
    both, first, second, neither = np.moveaxis(drawn.totals(counts), 1, 0)
    size = both + first + second + neither
    chance = ((both + first) * (both + second) + (neither + first) * (neither + second)) / size
    with np.errstate(invalid="ignore", divide="ignore"):
        kappas = (both + neither - chance) / np.where(size > chance, size - chance, math.nan)
    return drawn.over_seeds(kappas) if resample_seeds else kappas.mean(axis=1)
