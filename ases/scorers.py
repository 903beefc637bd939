"""What a trained model says of every piece: one pass, one table, from which the strategies pick (METHOD, section 2).

>>> table = score_table(examples, load_scorer(folder))                       # doctest: +SKIP
>>> table.columns.tolist()                                                   # doctest: +SKIP
['qid', 'piece', 'tokens_question', 'entropy_question', 'loss_question', 'tokens_prefix', ...]

Entropy and loss come of one pass, for both conditions at once, as sums beside token counts: another strategy,
reduction, condition or beta never scores anything again. A piece that cannot be scored is an error that names its
question, never a silent zero.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from transformers import PreTrainedModel

from ases.errors import DataError, ParameterError
from ases.examples import Example
from ases.likelihoods import Row, token_values
from ases.models import cost_of
from ases.pieces import split_pieces
from ases.segments import answer_from_prefix_pairs
from ases.tokens import Codec
from ases.training import trained_models

Progress = Callable[[str, float], None]

CONDITIONS = ("question", "prefix")
"""What a piece is scored given: the question alone, or the question and the earlier pieces."""

ANSWER = "answer"
"""In place of a condition: what each piece adds to the log-probability of the answer (for information gain)."""


@dataclass(frozen=True)
class Scorer:
    """A trained model and its vocabulary."""

    model: PreTrainedModel
    codec: Codec


def load_scorer(folder: Path, method: str = "seq2seq") -> Scorer:
    """The scorer out of the folder of a finished training run of that method. Raises RunError where there is none."""
    models, codec = trained_models(folder, method)
    return Scorer(models["model"], codec)


def score_table(
    examples: Sequence[Example],
    scorer: Scorer,
    conditions: Sequence[str] = CONDITIONS,
    *,
    precision: str = "float32",
    token_budget: int | None = None,
    progress: Progress = lambda message, done: None,
) -> pd.DataFrame:
    """Entropy and loss of each piece: one row a piece, in order, all conditions from one pass.

    Columns: ``qid, piece`` and, a condition, ``tokens_``, ``entropy_`` and ``loss_`` with its name behind: the
    tokens that count as the piece's, and sums over them in nats. ``question`` scores each piece as if it were the
    chain's first, tokenised alone; ``prefix`` scores the chain as a whole, where a token belongs to the piece of its
    first non-space character. End tokens are not counted. Raises DataError, naming the qid, for a piece without a
    token of its own and for what is longer than the model can read.
    """
    unknown = [name for name in conditions if name not in CONDITIONS]
    if unknown or not conditions:
        raise ParameterError(f"conditions are {list(conditions)}, but must be one or both of {', '.join(CONDITIONS)}")
    chains = [_chain(example, scorer.codec, conditions) for example in examples]
    values = token_values(
        scorer.model,
        scorer.codec,
        [Row(chain.qid, chain.context, tuple(ids for ids, _, _ in chain.blocks)) for chain in chains],
        precision=precision,
        token_budget=token_budget,
        progress=progress,
    )
    starts = np.cumsum([0, *(chain.pieces for chain in chains)])
    table = _rows_of([chain.qid for chain in chains], [chain.pieces for chain in chains])
    for condition in conditions:
        blocks = [
            (start + np.asarray(owner), block)
            for start, chain, own in zip(starts, chains, values, strict=False)  # starts ends with the total
            for (_, owner, kind), block in zip(chain.blocks, own, strict=True)
            if kind == condition
        ]
        owners, measured = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        table[f"tokens_{condition}"] = np.bincount(owners, minlength=starts[-1])
        for column, measure in enumerate(("entropy", "loss")):
            table[f"{measure}_{condition}"] = np.bincount(owners, measured[:, column], minlength=starts[-1])
    return table


def _rows_of(qids: Sequence[str], pieces: Sequence[int]) -> pd.DataFrame:
    """Columns ``qid`` and ``piece``: a row for each piece of each example."""
    places = np.concatenate([np.arange(count) for count in pieces])
    return pd.DataFrame({"qid": np.repeat(np.array(qids, dtype=object), pieces), "piece": places})


def answer_table(
    examples: Sequence[Example],
    scorer: Scorer,
    *,
    precision: str = "float32",
    token_budget: int | None = None,
    progress: Progress = lambda message, done: None,
) -> pd.DataFrame:
    """What each piece adds to the answer's log-probability: columns ``qid, piece, log_answer, gain``, nats.

    ``log_answer`` is log p(A given Q and the pieces up to this one), ``gain`` its difference to the piece before (to
    Q alone for the first), under a scorer trained with method ``answer-from-prefix``; it may be below zero. The mark
    ``<eoc>`` that ends the answer counts as part of it, since without it "1" would stand for "12" as well. Source:
    Ton et al., ICML 2025. Raises DataError for an example without an answer.
    """
    rows = [
        Row(pair.qid, pair.context, (pair.target[:-1],))
        for example in examples
        for pair in answer_from_prefix_pairs(example, scorer.codec)
    ]
    values = token_values(
        scorer.model, scorer.codec, rows, precision=precision, token_budget=token_budget, progress=progress
    )
    logs = iter([-block[:, 1].sum() for (block,) in values])
    counts = [len(split_pieces(example.rationale)) for example in examples]
    own = [np.array([next(logs) for _ in range(count + 1)]) for count in counts]
    table = _rows_of([example.qid for example in examples], counts)
    return table.assign(log_answer=np.concatenate([one[1:] for one in own]), gain=np.concatenate([*map(np.diff, own)]))


def measure(
    examples: Sequence[Example], scorer: Scorer, conditions: Sequence[str] = CONDITIONS, **options: object
) -> pd.DataFrame:
    """:func:`score_table`, or for conditions ``("answer",)`` :func:`answer_table`; the same options."""
    if tuple(conditions) == (ANSWER,):
        return answer_table(examples, scorer, **options)
    return score_table(examples, scorer, conditions, **options)


# Cross-fitting ---------------------------------------------------------------------------------------------------


def fold_of(qid: str, folds: int) -> int:
    """The fold of a question, 0 to ``folds`` - 1, by the hash of its qid: the same in every split, run and machine."""
    if folds < 2:
        raise ParameterError(f"folds is {folds}, but must be 2 or more to keep a scorer from its own training examples")
    return int.from_bytes(hashlib.sha256(f"fold {qid}".encode()).digest()[:8], "big") % folds


def outside_fold(examples: Sequence[Example], fold: int, folds: int) -> list[Example]:
    """The examples that the scorer of this fold trains on: all but the fold's own."""
    return [example for example in examples if fold_of(example.qid, folds) != fold]


# What it costs ---------------------------------------------------------------------------------------------------


def scoring_flops(examples: Sequence[Example], scorer: Scorer, condition: str) -> int:
    """FLOPs of one scoring pass over the examples: each question read once, each token predicted once.

    ``condition`` is ``question``, ``prefix`` or, for information gain, ``answer``: there every chain so far is read
    anew, since an encoder looks both ways. Beginnings that pieces share are counted as often as they stand.
    """
    cost = cost_of(scorer.model)
    if condition == ANSWER:
        pairs = [pair for example in examples for pair in answer_from_prefix_pairs(example, scorer.codec)]
        return sum(cost.forward(len(pair.context), len(pair.target) - 1) for pair in pairs)
    total = 0
    for example in examples:
        chain = _chain(example, scorer.codec, [condition])
        source = len(chain.context)
        # The encoder's share is paid once, however many pieces share the question.
        total += cost.forward(source, 0)
        total += sum(cost.forward(source, len(ids)) - cost.forward(source, 0) for ids, _, _ in chain.blocks)
    return total


@dataclass(frozen=True)
class _Chain:
    """A rationale to score: its question's ids, and blocks of (ids, the piece of each token, condition)."""

    qid: str
    pieces: int
    context: tuple[int, ...]
    blocks: list[tuple[tuple[int, ...], list[int], str]]


def _chain(example: Example, codec: Codec, conditions: Sequence[str]) -> _Chain:
    pieces = split_pieces(example.rationale)
    if not pieces:
        raise DataError(f"example {example.qid} has an empty rationale, which cannot be scored; set it aside before")
    blocks: list[tuple[tuple[int, ...], list[int], str]] = []
    for condition in conditions:
        if condition == "question":
            encoded = [codec.encode(piece) for piece in pieces]
            own = [(tuple(ids), [place] * len(ids), condition) for place, ids in enumerate(encoded)]
        else:
            own = [(*_owned(example.rationale, pieces, codec), condition)]
        silent = set(range(len(pieces))) - {place for _, owner, _ in own for place in owner}
        if silent:
            raise DataError(
                f"example {example.qid}: the piece {pieces[min(silent)]!r} has no token of its own "
                f"(condition {condition}) and cannot be scored"
            )
        blocks += own
    return _Chain(example.qid, len(pieces), (*codec.encode(example.question), codec.end), blocks)


def _owned(text: str, pieces: Sequence[str], codec: Codec) -> tuple[tuple[int, ...], list[int]]:
    """The whole chain's ids, and for each the piece of its first non-space character."""
    ids, offsets = codec.encode_with_offsets(text)
    ends = np.cumsum([len(piece) for piece in pieces])
    owner, place = [], 0
    for start, end in offsets:
        token = text[start:end]
        first = start + len(token) - len(token.lstrip()) if token.strip() else start
        while place < len(ends) - 1 and first >= ends[place]:
            place += 1
        owner.append(place)
    return tuple(ids), owner
