"""Scores and labels of many strategies in long form, lined up with the pieces that they speak of.

>>> pieces = pd.DataFrame({"split": "valid", "qid": "q1", "piece": [0, 1], "text": ["a, ", "b"], "gold": ["ES", "AS"]})
>>> align(pieces).counts
array([2])

Three tables meet here. ``pieces`` has a row a piece: ``split, qid, piece, text, gold`` (gold missing for collected
data). ``scores`` has a row a piece, strategy and scorer: ``qid, piece, strategy, reduce, condition, seed, score``,
where ``reduce`` and ``condition`` are empty texts for strategies that have none, and the score is what enters the rule
(information gain as max(0, gain)). ``labels`` is the same with ``label`` in place of ``score``. What is computed from
them (:mod:`ases.detection`, :mod:`ases.ranking`, :mod:`ases.agreement`) then is arithmetic on arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from ases.errors import DataError, ParameterError
from ases.examples import AS, ES, Example
from ases.kinds import label_by_number_novelty
from ases.labels import label_at_random, label_by_location
from ases.pieces import split_pieces
from ases.settings import DEFAULT_BETA

LABEL_COLUMNS = ("qid", "piece", "strategy", "reduce", "condition", "seed", "label")
Control = Callable[[Sequence[str], str], Sequence[str]]
NUMBER_NOVELTY = "number novelty"
"""The heuristic that needs no model and no gold: AS if and only if the piece brings a new number."""


class Series(NamedTuple):
    """What tells one set of scores from another, the scorer's seed apart.

    ``reduce`` also holds the kind of a similarity (``rouge``, ``bleu``) where both are compared.
    """

    strategy: str
    reduce: str = ""
    condition: str = ""

    def __str__(self) -> str:
        details = ", ".join(part for part in (self.reduce, self.condition) if part)
        return f"{self.strategy} ({details})" if details else self.strategy


@dataclass(frozen=True)
class Aligned:
    """Pieces in order of split, qid and place. Examples are numbered in that order.

    ``pieces`` is the table sorted; ``starts`` and ``counts``, shape (examples,), say where an example's pieces begin
    and how many there are; ``splits`` gives the examples of each split as a slice.
    """

    pieces: pd.DataFrame
    starts: np.ndarray
    counts: np.ndarray
    splits: dict[str, slice]

    def piece_slice(self, examples: slice) -> slice:
        """The pieces of a run of examples."""
        last = examples.stop - 1
        return slice(int(self.starts[examples.start]), int(self.starts[last] + self.counts[last]))

    def per_example(self, values: np.ndarray) -> np.ndarray:
        """Sums over each example's pieces, along the last axis: (..., pieces) -> (..., examples)."""
        numbers = values.astype(np.int64) if values.dtype == bool else values  # sums of flags are counts
        return np.add.reduceat(numbers, self.starts, axis=-1)

    def gold(self, split: str) -> np.ndarray | None:
        """True where gold is AS, shape (pieces of the split,); None where the split has no gold labels."""
        gold = self.pieces["gold"].iloc[self.piece_slice(self.splits[split])]
        if gold.isna().all():
            return None
        if not gold.isin([ES, AS]).all():
            first = self.pieces.loc[gold.index[~gold.isin([ES, AS])][0]]
            raise DataError(
                f"split {split}, {first['qid']}, piece {first['piece']}: gold is {first['gold']}, but must be "
                f"{ES} or {AS} for every piece of a split, or missing for all"
            )
        return (gold == AS).to_numpy()

    def thresholds(self, scores: np.ndarray, betas: Sequence[float]) -> np.ndarray:
        """beta times the mean score of the example, for each piece: (pieces,) -> (betas, pieces).

        Summed exactly, as :func:`ases.labels.label_by_rule` does, so that equal scores are equal to their mean here
        too.
        """
        for beta in betas:
            if not beta > 0:
                raise ParameterError(f"beta is {beta}, but must be above 0")
        listed = scores.tolist()
        ends = self.starts + self.counts
        sums = np.array([math.fsum(listed[start:end]) for start, end in zip(self.starts, ends, strict=True)])
        bounds = np.asarray(betas, dtype=float)[:, None] * sums / self.counts
        return np.repeat(bounds, self.counts, axis=1)

    def relative(self, scores: np.ndarray) -> np.ndarray:
        """Scores over the mean of their example, (pieces,): beta then is the threshold of every example.

        Where all scores of an example are 0 the rule labels nothing AS at any beta, so its pieces are 0 here.
        """
        mean = self.thresholds(scores, [1.0])[0]
        return np.divide(scores, mean, out=np.zeros_like(scores), where=mean > 0)

    def series(self, table: pd.DataFrame, value: str = "score") -> Iterator[tuple[Series, np.ndarray]]:
        """Each series of a long table with its values, shape (seeds, pieces), in the order of the table.

        Labels come out as True for AS. Values of pieces that are not among ours are not used. Raises DataError, naming
        the series, for a piece without a value or with two, and for a score that is not finite.
        """
        lacking = [name for name in (*LABEL_COLUMNS[:-1], value) if name not in table]
        if lacking:
            raise DataError(f"the table of {value}s lacks {', '.join(lacking)}; it has {', '.join(map(str, table))}")
        index = pd.MultiIndex.from_frame(self.pieces[["qid", "piece"]])
        places = index.get_indexer(pd.MultiIndex.from_frame(table[["qid", "piece"]]))
        values = self._values(table, value)
        groups = table.groupby(["strategy", "reduce", "condition", "seed"], sort=False, dropna=False, observed=True)
        found: dict[Series, list[tuple[float, np.ndarray]]] = {}
        for (*names, seed), rows in groups.indices.items():
            ours = rows[places[rows] >= 0]
            series, at = Series(*names), places[ours]
            times = np.bincount(at, minlength=len(index))
            if (times != 1).any():
                qid, piece = index[int(np.flatnonzero(times != 1)[0])]
                what = f"no {value}" if times.min() == 0 else f"more than one {value}"
                raise DataError(f"{series}, seed {seed}: {what} for piece {piece} of {qid}; give one for every piece")
            row = np.empty(len(index), dtype=values.dtype)
            row[at] = values[ours]
            found.setdefault(series, []).append((seed, row))
        for series, rows in found.items():
            yield series, np.stack([row for _, row in sorted(rows, key=lambda pair: str(pair[0]))])

    def _values(self, table: pd.DataFrame, value: str) -> np.ndarray:
        if value == "label":
            if not table[value].isin([ES, AS]).all():
                first = table[~table[value].isin([ES, AS])].iloc[0]
                raise DataError(f"{first['qid']}, piece {first['piece']}: label {first[value]!r} must be {ES} or {AS}")
            return (table[value] == AS).to_numpy()
        values = table[value].to_numpy(dtype=float)
        bad = ~np.isfinite(values) | ((table["strategy"] == "information_gain").to_numpy() & (values < 0))
        if bad.any():
            first = table.iloc[int(np.flatnonzero(bad)[0])]
            raise DataError(
                f"{first['strategy']}, {first['qid']}, piece {first['piece']}: {value} {first[value]} must be finite, "
                "and information_gain enters the rule as max(0, gain)"
            )
        return values


def align(pieces: pd.DataFrame) -> Aligned:
    """Line up a table of pieces. Raises DataError for missing columns, no rows, or a piece that is there twice."""
    lacking = [name for name in ("split", "qid", "piece", "text", "gold") if name not in pieces]
    if lacking:
        raise DataError(f"the table of pieces lacks {', '.join(lacking)}; it has {', '.join(map(str, pieces))}")
    if pieces.empty:
        raise DataError("the table of pieces has no rows; give it at least one example")
    order = {split: place for place, split in enumerate(pieces["split"].unique())}
    ordered = pieces.assign(_split=pieces["split"].map(order)).sort_values(["_split", "qid", "piece"], kind="stable")
    ordered = ordered.drop(columns="_split").reset_index(drop=True)
    if (doubled := ordered[ordered.duplicated(["qid", "piece"])]).size:
        raise DataError(f"piece {doubled.iloc[0]['piece']} of {doubled.iloc[0]['qid']} is there twice; give it once")
    counts = ordered.groupby(["split", "qid"], sort=False).size()
    starts = np.concatenate([[0], np.cumsum(counts.to_numpy())[:-1]])
    splits, first = {}, 0
    for split in order:
        members = int((counts.index.get_level_values("split") == split).sum())
        splits[split] = slice(first, first + members)
        first += members
    return Aligned(ordered, starts, counts.to_numpy(), splits)


def piece_table(splits: Mapping[str, Sequence[Example]]) -> pd.DataFrame:
    """The pieces of each split's examples: ``split, qid, piece, text, gold``; gold missing where there is none."""
    rows = []
    for split, examples in splits.items():
        for example in examples:
            texts = split_pieces(example.rationale)
            gold = example.gold or [None] * len(texts)
            pairs = zip(texts, gold, strict=True)
            rows += [(split, example.qid, piece, text, truth) for piece, (text, truth) in enumerate(pairs)]
    return pd.DataFrame(rows, columns=["split", "qid", "piece", "text", "gold"]).astype({"gold": object})


def measured_scores(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Every score that one scorer's table holds, in long form.

    ``table`` has a row a piece: ``qid, piece`` and sums in nats, ``entropy_<condition>`` and ``loss_<condition>``,
    beside ``tokens_<condition>``; or ``gain``. Sums and means of each are scores; a gain enters as max(0, gain).
    Raises DataError for a table that holds neither, or a piece without a token.
    """
    parts = []
    for column in table:
        strategy, _, condition = str(column).partition("_")
        if strategy not in ("entropy", "loss") or not condition:
            continue
        tokens = table[f"tokens_{condition}"]
        if not (tokens > 0).all():
            first = table[~(tokens > 0)].iloc[0]
            raise DataError(f"{first['qid']}, piece {first['piece']}: no token under condition {condition}, so no mean")
        for reduce, values in (("sum", table[column]), ("mean", table[column] / tokens)):
            parts.append(_scored(table, Series(strategy, reduce, condition), seed, values))
    if "gain" in table:
        parts.append(_scored(table, Series("information_gain"), seed, table["gain"].clip(lower=0)))
    if not parts:
        raise DataError(f"the table holds no score of a scorer; it has {', '.join(map(str, table))}")
    return pd.concat(parts, ignore_index=True)


def listed_scores(
    examples: Sequence[Example], scores: Sequence[Sequence[float]], series: Series, seed: int = 0
) -> pd.DataFrame:
    """Scores that come as one list an example (:func:`ases.scores.score_examples`), in long form."""
    rows = [
        (example.qid, piece, score)
        for example, own in zip(examples, scores, strict=True)
        for piece, score in enumerate(own)
    ]
    table = pd.DataFrame(rows, columns=["qid", "piece", "score"])
    return _scored(table, series, seed, table["score"])


def _scored(table: pd.DataFrame, series: Series, seed: int, values: pd.Series) -> pd.DataFrame:
    return table[["qid", "piece"]].assign(**series._asdict(), seed=seed, score=values.astype(float))


def labels_at(
    pieces: pd.DataFrame, scores: pd.DataFrame, betas: Mapping[str, float] = DEFAULT_BETA
) -> pd.DataFrame:
    """The labels of every series of scores by the rule, at one beta a strategy: a long table with ``label``.

    Raises ParameterError for a strategy without a beta.
    """
    aligned, parts = align(pieces), []
    for series, values in aligned.series(scores):
        if series.strategy not in betas:
            raise ParameterError(f"no beta for strategy {series.strategy}; betas has {', '.join(betas)}")
        for seed, row in enumerate(values):
            flags = row > aligned.thresholds(row, [betas[series.strategy]])[0]
            parts.append(_long(aligned, series, seed, flags))
    return pd.concat(parts, ignore_index=True)


def relative_table(
    pieces: pd.DataFrame, scores: pd.DataFrame, betas: Mapping[str, float] = DEFAULT_BETA
) -> pd.DataFrame:
    """Each piece's score over the mean of its example: ``split, qid, piece, series, relative, gold, beta``.

    ``series`` is the name of a series, ``beta`` its threshold. Of several seeds the first is taken, so that a piece
    counts once. For :func:`ases.detection_figures.score_distributions`. Raises ParameterError for a strategy without a
    beta.
    """
    aligned, parts = align(pieces), []
    for series, values in aligned.series(scores):
        if series.strategy not in betas:
            raise ParameterError(f"no beta for strategy {series.strategy}; betas has {', '.join(betas)}")
        columns = {"series": str(series), "relative": aligned.relative(values[0]), "gold": aligned.pieces["gold"]}
        parts.append(aligned.pieces[["split", "qid", "piece"]].assign(**columns, beta=betas[series.strategy]))
    return pd.concat(parts, ignore_index=True)


def control_labels(
    pieces: pd.DataFrame,
    labels: pd.DataFrame,
    random_of: Series,
    controls: Mapping[str, Control] = MappingProxyType({"random": label_at_random}),
) -> pd.DataFrame:
    """Labels without a score: ``location``, and controls made of the labels of the series named, seed by seed.

    ``labels`` is a long table that holds that series (:func:`labels_at`); ``controls`` gives each control's function
    of an example's labels and qid. METHOD, section 2.
    """
    aligned = align(pieces)
    named = dict(aligned.series(labels, "label"))
    if random_of not in named:
        raise ParameterError(f"random_of is {random_of}, but there are labels of {', '.join(map(str, named))}")
    location = [label for count in aligned.counts for label in label_by_location(int(count))]
    parts = [_long(aligned, Series("location"), 0, np.array(location) == AS)]
    qids = aligned.pieces["qid"].to_numpy()[aligned.starts]
    for seed, flags in enumerate(named[random_of]):
        words = np.where(flags, AS, ES).tolist()
        ends = aligned.starts + aligned.counts
        for name, control in controls.items():
            permuted: list[str] = []
            for qid, start, end in zip(qids, aligned.starts, ends, strict=True):
                permuted += control(words[start:end], str(qid))
            parts.append(_long(aligned, Series(name), seed, np.array(permuted) == AS))
    return pd.concat(parts, ignore_index=True)


def number_novelty_labels(pieces: pd.DataFrame, questions: Mapping[str, str]) -> pd.DataFrame:
    """The labels of the heuristic :data:`NUMBER_NOVELTY`, a long table; ``questions`` gives each qid's question.

    Raises DataError for a qid without a question.
    """
    aligned = align(pieces)
    texts = aligned.pieces["text"].tolist()
    labels: list[str] = []
    qids = aligned.pieces["qid"].to_numpy()[aligned.starts]
    for qid, start, count in zip(qids, aligned.starts, aligned.counts, strict=True):
        if qid not in questions:
            raise DataError(f"{qid}: its question is not among those given")
        labels += label_by_number_novelty(questions[qid], texts[start : start + count])
    return _long(aligned, Series(NUMBER_NOVELTY), 0, np.array(labels) == AS)


def _long(aligned: Aligned, series: Series, seed: int, flags: np.ndarray) -> pd.DataFrame:
    table = aligned.pieces[["qid", "piece"]].assign(**series._asdict(), seed=seed, label=np.where(flags, AS, ES))
    return table[list(LABEL_COLUMNS)]
