"""Pieces -> one score each: the higher, the more abstractive (METHOD, section 2).

>>> similarity_scores("Ann had 3 apples.", ["Ann had 3 apples, ", "so 3 + 4 = 7."])      # doctest: +SKIP
[0.0, 0.5...]

``entropy`` and ``loss`` come from a model trained on whole chains; ``similarity`` from the question's words alone.
A piece that cannot be scored is an error that names its question, never a silent zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rouge_score.rouge_scorer import RougeScorer
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from ases.errors import DataError, ParameterError
from ases.examples import Example
from ases.metrics import rouge_tokenizer, sentence_bleu
from ases.models import context_limit, cost_of
from ases.pieces import split_pieces
from ases.settings import SCORED, SegmentationSettings
from ases.tokens import Codec
from ases.training import read_training, trained_models

Progress = Callable[[str, float], None]
TOKEN_BUDGET = 6144
"""Target tokens, padding included, that are scored at a time."""


@dataclass(frozen=True)
class Scorer:
    """A model trained on whole chains, and its vocabulary."""

    model: PreTrainedModel
    codec: Codec


def load_scorer(folder: Path) -> Scorer:
    """The scorer out of a finished seq2seq training run's folder. Raises RunError where there is none."""
    models, codec = trained_models(folder, "seq2seq")
    return Scorer(models["model"], codec)


def scoring_flops(examples: Sequence[Example], scorer: Scorer, condition: str) -> int:
    """FLOPs of one scoring pass over the examples: each question read once, each token predicted once."""
    cost = cost_of(scorer.model)
    total = 0
    for index, example in enumerate(examples):
        source = len(scorer.codec.encode(example.question)) + 1
        rows = _rows(index, example, scorer.codec, condition)
        # The encoder's share is paid once, however many pieces share the question.
        total += cost.forward(source, len(rows[0].ids))
        total += sum(cost.forward(source, len(row.ids)) - cost.forward(source, 0) for row in rows[1:])
    return total


def score_examples(
    examples: Sequence[Example],
    settings: SegmentationSettings,
    scorer: Scorer | None = None,
    progress: Progress = lambda message, done: None,
) -> list[list[float]]:
    """One score for each piece of each example's rationale, by the strategy that the settings name.

    ``entropy`` (nats) and ``loss`` (nats) need a scorer; ``similarity`` is within [0, 1]. Raises ParameterError for
    a strategy without scores or without its scorer, DataError for a piece that cannot be scored.
    """
    strategy = settings.strategy if settings.strategy != "random" else settings.random_of
    if strategy not in SCORED:
        raise ParameterError(
            f"strategy {strategy} gives labels, not scores; strategies with scores: {', '.join(SCORED)}"
        )
    if strategy == "similarity":
        return [
            similarity_scores(e.question, split_pieces(e.rationale), settings.similarity, e.language, e.qid)
            for e in examples
        ]
    if scorer is None:
        raise ParameterError(f"strategy {strategy} needs a scorer: a model trained on whole chains (seq2seq)")
    return model_scores(examples, scorer, strategy, settings.reduce, settings.condition, progress)


def score_splits(
    splits: Mapping[str, Sequence[Example]],
    settings: SegmentationSettings,
    scorer: Scorer | None = None,
    progress: Progress = lambda message, done: None,
) -> dict[str, list[list[float]]] | None:
    """:func:`score_examples` for each split; ``None`` for a strategy that labels without scores."""
    strategy = settings.strategy if settings.strategy != "random" else settings.random_of
    if strategy not in SCORED:
        return None
    return {name: score_examples(examples, settings, scorer, progress) for name, examples in splits.items()}


def scorer_flops(
    splits: Mapping[str, Sequence[Example]], scorer: Scorer, settings: SegmentationSettings, folder: Path
) -> float:
    """What the scorer cost: the FLOPs of its training (from its run's folder) and of scoring the splits."""
    scoring = sum(scoring_flops(examples, scorer, settings.condition) for examples in splits.values())
    return float(read_training(folder).budget["flops"].sum()) + scoring


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


@torch.no_grad()
def model_scores(
    examples: Sequence[Example],
    scorer: Scorer,
    strategy: str,
    reduce: str,
    condition: str,
    progress: Progress = lambda message, done: None,
) -> list[list[float]]:
    """``entropy`` or ``loss`` of each piece under the scorer, ``sum`` or ``mean`` over its tokens, in nats.

    ``condition`` ``question`` scores each piece as if it were the chain's first, tokenised alone; ``prefix`` scores
    the whole chain in one pass, where a token belongs to the piece of its first non-space character. End tokens are
    not counted.
    """
    model, codec = scorer.model.eval(), scorer.codec
    limit = context_limit(model)
    rows: list[_Row] = []
    for index, example in enumerate(examples):
        own = _rows(index, example, codec, condition)
        rows += own
        longest = max(len(codec.encode(example.question)) + 1, *(len(row.ids) for row in own))
        if limit is not None and longest > limit:
            raise DataError(f"example {example.qid}: {longest} tokens are more than the scorer's {limit}")
    totals = [[0.0] * len(split_pieces(example.rationale)) for example in examples]
    counts = [[0] * len(scores) for scores in totals]
    done = 0
    for batch in _batches(rows):
        values = _token_values(model, codec, examples, batch, strategy)
        for row, row_values in zip(batch, values, strict=True):
            for piece, value in zip(row.pieces, row_values, strict=True):
                totals[row.example][piece] += value
                counts[row.example][piece] += 1
        done += len(batch)
        progress(f"scored {done} of {len(rows)}", done / len(rows))
    for example, example_counts in zip(examples, counts, strict=True):
        if 0 in example_counts:
            piece = split_pieces(example.rationale)[example_counts.index(0)]
            raise DataError(f"example {example.qid}: the piece {piece!r} has no token of its own and cannot be scored")
    if reduce == "sum":
        return totals
    return [[t / n for t, n in zip(total, count, strict=True)] for total, count in zip(totals, counts, strict=True)]


@dataclass(frozen=True)
class _Row:
    """A target to score: its example, its token ids, and the piece that each token belongs to."""

    example: int
    ids: tuple[int, ...]
    pieces: tuple[int, ...]


def _rows(index: int, example: Example, codec: Codec, condition: str) -> list[_Row]:
    pieces = split_pieces(example.rationale)
    if not pieces:
        raise DataError(f"example {example.qid} has an empty rationale, which cannot be scored; set it aside before")
    if condition == "question":
        encoded = [codec.encode(piece) for piece in pieces]
        return [_Row(index, tuple(ids), (place,) * len(ids)) for place, ids in enumerate(encoded)]
    ids, offsets = codec.encode_with_offsets(example.rationale)
    ends, position = [], 0
    for piece in pieces:
        position += len(piece)
        ends.append(position)
    owner, place = [], 0
    for start, end in offsets:
        token = example.rationale[start:end]
        first = start + len(token) - len(token.lstrip()) if token.strip() else start
        while place < len(ends) - 1 and first >= ends[place]:
            place += 1
        owner.append(place)
    return [_Row(index, tuple(ids), tuple(owner))]


def _batches(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Rows of like length together, as many as the token budget holds."""
    batch: list[_Row] = []
    for row in sorted(rows, key=lambda row: (len(row.ids), row.example)):
        if batch and (len(batch) + 1) * len(row.ids) > TOKEN_BUDGET:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _token_values(
    model: PreTrainedModel, codec: Codec, examples: Sequence[Example], batch: Sequence[_Row], strategy: str
) -> list[list[float]]:
    """Entropy or negative log-likelihood of each token of each row; a question is encoded once a batch."""
    present = sorted({row.example for row in batch})
    contexts = [[*codec.encode(examples[index].question), codec.end] for index in present]
    ids, mask = _padded(contexts, codec.pad)
    ids, mask = ids.to(model.device), mask.to(model.device)
    read = model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
    place = torch.tensor([present.index(row.example) for row in batch], device=model.device)
    targets, target_mask = _padded([row.ids for row in batch], codec.pad)
    targets, target_mask = targets.to(model.device), target_mask.to(model.device)
    start = torch.full((len(batch), 1), model.config.decoder_start_token_id, device=model.device)
    logits = model(
        encoder_outputs=BaseModelOutput(last_hidden_state=read[place]),
        attention_mask=mask[place],
        decoder_input_ids=torch.cat([start, targets[:, :-1]], dim=1),
        use_cache=False,
    ).logits
    where = target_mask.bool()
    logs = torch.log_softmax(logits[where].float(), dim=-1)
    if strategy == "entropy":
        values = -(logs.exp() * logs).sum(-1)
    else:
        values = -logs.gather(-1, targets[where].unsqueeze(-1)).squeeze(-1)
    return [part.tolist() for part in torch.split(values.double().cpu(), [len(row.ids) for row in batch])]


def _padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(len(row) for row in rows)
    ids = torch.full((len(rows), width), pad)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(row)
        mask[index, : len(row)] = 1
    return ids, mask
