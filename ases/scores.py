"""Pieces -> one score each: the higher, the more abstractive (METHOD, section 2).

>>> similarity_scores("Ann had 3 apples.", ["Ann had 3 apples, ", "so 3 + 4 = 7."])      # doctest: +SKIP
[0.0, 0.5...]

Every strategy is a function from an example and its pieces to one score a piece, and is registered by name; a new one
takes a few lines, in a notebook as here:

>>> @strategy("length")                                                                  # doctest: +SKIP
... def length_scores(example, pieces, given):
...     return [len(piece) for piece in pieces]
>>> score_examples(examples, replace(settings, strategy="length"))                       # doctest: +SKIP

``entropy``, ``loss`` and ``information_gain`` pick from what a model measured (:mod:`ases.scorers`), all of it from one
table. A piece that cannot be scored is an error that names its question, never a silent zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from rouge_score.rouge_scorer import RougeScorer

from ases.errors import DataError, ParameterError
from ases.examples import Example
from ases.metrics import rouge_tokenizer, sentence_bleu
from ases.novelty import novelty_scores
from ases.pieces import split_pieces
from ases.scorers import ANSWER, Progress, Scorer, measure
from ases.settings import LABELLED, SCORED, SCORER_OF, SegmentationSettings


@dataclass(frozen=True)
class Given:
    """What a strategy may look at beside the example: the settings and, where it has a scorer, its table's rows."""

    settings: SegmentationSettings
    measured: pd.DataFrame | None = None


Strategy = Callable[[Example, Sequence[str], Given], Sequence[float]]

STRATEGIES: dict[str, Strategy] = {}
"""Every strategy that gives scores, by name: those of :data:`ases.settings.SCORED`, and what a notebook adds."""


def strategy(name: str) -> Callable[[Strategy], Strategy]:
    """Register a function (example, pieces, given) -> one finite score a piece, higher being more abstractive.

    A name of one's own may be registered again (a notebook's cell runs more than once); the shipped ones stand.
    """

    def register(function: Strategy) -> Strategy:
        if name in LABELLED or (name in SCORED and name in STRATEGIES):
            raise ParameterError(f"there is a strategy {name} already; give yours another name")
        STRATEGIES[name] = function
        return function

    return register


def score_examples(
    examples: Sequence[Example],
    settings: SegmentationSettings,
    scorer: Scorer | None = None,
    progress: Progress = lambda message, done: None,
    table: pd.DataFrame | None = None,
) -> list[list[float]]:
    """One score for each piece of each example's rationale, by the strategy that the settings name.

    ``entropy``, ``loss`` and ``information_gain`` need the table that their scorer measured for these examples
    (:func:`ases.scorers.measure`), or the scorer, to measure it now. Raises ParameterError for a strategy without
    scores or without its scorer, DataError for a piece that cannot be scored.
    """
    name = settings.scored_strategy
    if name not in STRATEGIES:
        kind = "gives labels, not scores" if name in LABELLED else "is not known"
        raise ParameterError(f"strategy {name} {kind}; strategies with scores: {', '.join(STRATEGIES)}")
    parts: dict[str, pd.DataFrame] = {}
    if name in SCORER_OF:
        if table is None:
            if scorer is None:
                raise ParameterError(f"strategy {name} needs a scorer: a model trained with method {_method(name)}")
            conditions = (ANSWER,) if name == "information_gain" else (settings.condition,)
            table = measure(examples, scorer, conditions, progress=progress)
        parts = _by_question(table)
    scores = []
    for example in examples:
        pieces = split_pieces(example.rationale)
        if name in SCORER_OF and len(parts.get(example.qid, ())) != len(pieces):
            raise DataError(
                f"example {example.qid} has {len(pieces)} pieces, but the scorer's table has "
                f"{len(parts.get(example.qid, ()))} rows for it; measure these examples again"
            )
        own = [float(s) for s in STRATEGIES[name](example, pieces, Given(settings, parts.get(example.qid)))]
        if len(own) != len(pieces) or not all(map(math.isfinite, own)):
            raise DataError(
                f"example {example.qid}: strategy {name} gave {own}, but {len(pieces)} finite scores are due"
            )
        scores.append(own)
    return scores


def score_splits(
    splits: Mapping[str, Sequence[Example]],
    settings: SegmentationSettings,
    scorer: Scorer | None = None,
    progress: Progress = lambda message, done: None,
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> dict[str, list[list[float]]] | None:
    """:func:`score_examples` for each split; ``None`` for a strategy that labels without scores."""
    if settings.scored_strategy in LABELLED:
        return None
    return {
        name: score_examples(examples, settings, scorer, progress, tables[name] if tables is not None else None)
        for name, examples in splits.items()
    }


def scores_from(
    table: pd.DataFrame, strategy: str, reduce: str = "sum", condition: str = "question"
) -> dict[str, list[float]]:
    """The scores of ``entropy``, ``loss`` or ``information_gain`` out of a scorer's table, by qid, in its order."""
    if strategy not in SCORER_OF:
        raise ParameterError(f"strategy is {strategy!r}, but a scorer's table holds {', '.join(SCORER_OF)}")
    return {qid: _picked(part, strategy, reduce, condition) for qid, part in _by_question(table).items()}


def _picked(part: pd.DataFrame, name: str, reduce: str, condition: str) -> list[float]:
    column = "gain" if name == "information_gain" else f"{name}_{condition}"
    if column not in part:
        raise ParameterError(f"the table has no {column}; it was not measured. It has {', '.join(part)}")
    if name == "information_gain":
        return part["gain"].clip(lower=0).tolist()
    if reduce not in ("sum", "mean"):
        raise ParameterError(f"reduce is {reduce!r}, but must be sum or mean")
    return (part[column] / (part[f"tokens_{condition}"] if reduce == "mean" else 1)).tolist()


def _by_question(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(qid): part.sort_values("piece") for qid, part in table.groupby("qid", sort=False)}


def _method(name: str) -> str:
    return SCORER_OF[name] + (", on whole chains" if SCORER_OF[name] == "seq2seq" else ", on partial chains")


# The strategies --------------------------------------------------------------------------------------------------


@strategy("entropy")
def _entropy(example: Example, pieces: Sequence[str], given: Given) -> list[float]:
    return _picked(given.measured, "entropy", given.settings.reduce, given.settings.condition)


@strategy("loss")
def _loss(example: Example, pieces: Sequence[str], given: Given) -> list[float]:
    return _picked(given.measured, "loss", given.settings.reduce, given.settings.condition)


@strategy("information_gain")
def _information_gain(example: Example, pieces: Sequence[str], given: Given) -> list[float]:
    # The rule works with max(0, gain), since a mean over gains of both signs means nothing; the table keeps the raw.
    return _picked(given.measured, "information_gain", given.settings.reduce, given.settings.condition)


@strategy("novelty")
def _novelty(example: Example, pieces: Sequence[str], given: Given) -> list[float]:
    return novelty_scores(example.question, pieces)


@strategy("similarity")
def _similarity(example: Example, pieces: Sequence[str], given: Given) -> list[float]:
    return similarity_scores(example.question, pieces, given.settings.similarity, example.language, example.qid)


def similarity_scores(
    question: str, pieces: Sequence[str], kind: str = "rouge", language: str = "en", qid: str = "?"
) -> list[float]:
    """1 - similarity of each piece to the question: ROUGE-L precision, or sentence BLEU / 100, of the piece.

    A piece without a word (only marks) restates nothing and infers nothing: its similarity is undefined, and a
    DataError names its question.
    """
    if kind == "bleu":
        return [1 - bleu / 100 for bleu in sentence_bleu(list(pieces), [question] * len(pieces), language)]
    tokenizer = rouge_tokenizer(language)
    rouge = RougeScorer(["rougeL"], tokenizer=tokenizer)
    scores = []
    for piece in pieces:
        if not tokenizer.tokenize(piece):
            raise DataError(f"example {qid}: the piece {piece!r} has no word to compare with the question")
        scores.append(1 - rouge.score(question, piece)["rougeL"].precision)
    return scores
