"""Labels -> segments -> training pairs (METHOD, section 4).

>>> [segment.text for segment in make_segments(["a, ", "b, ", "c."], ["ES", "ES", "AS"], merge=True)]
['a, b, ', 'c.']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ases.errors import DataError, ParameterError
from ases.examples import ES, Example
from ases.pieces import split_pieces
from ases.settings import needs_labels
from ases.tokens import Codec

MODELS = {
    "answer-only": ("model",),
    "answer-from-prefix": ("model",),
    "seq2seq": ("model",),
    "uni-path": ("model",),
    "dual-path": ("esm", "asm"),
}
"""The models that each method trains; a dual-path's take turns in this order. ``answer-from-prefix`` is no method to
compare: it trains the scorer of strategy ``information_gain``."""


@dataclass(frozen=True)
class Segment:
    """What the model writes in one go: one piece, or a run of adjacent pieces with one label."""

    text: str
    label: str | None


@dataclass(frozen=True)
class Pair:
    """One training pair: ``context`` (question and earlier segments) -> ``target``, both as token ids.

    Both end with the end token. ``model`` names the model that learns it; ``label`` is the target's, ``None``
    for whole chains and for an empty target (a pass).
    """

    qid: str
    model: str
    label: str | None
    context: tuple[int, ...]
    target: tuple[int, ...]


def make_segments(pieces: Sequence[str], labels: Sequence[str | None], *, merge: bool) -> list[Segment]:
    """Pieces and their labels -> segments; ``merge`` joins adjacent pieces that share a label.

    Unlabelled pieces (``None``, strategy ``none``) never merge. Raises DataError when the counts differ.
    """
    if len(pieces) != len(labels):
        raise DataError(f"{len(pieces)} pieces but {len(labels)} labels; each piece needs one")
    segments: list[Segment] = []
    for piece, label in zip(pieces, labels, strict=True):
        if merge and segments and label is not None and segments[-1].label == label:
            segments[-1] = Segment(segments[-1].text + piece, label)
        else:
            segments.append(Segment(piece, label))
    return segments


def whole_pair(example: Example, codec: Codec, *, answer_only: bool) -> Pair:
    """The baselines' pair: question -> whole rationale (seq2seq), or question -> answer (answer-only)."""
    if answer_only and example.answer is None:
        raise DataError(f"example {example.qid} has no answer; method answer-only needs one")
    text = example.answer if answer_only else example.rationale
    context = (*codec.encode(example.question), codec.end)
    return Pair(example.qid, "model", None, context, (*codec.encode(text), codec.eoc, codec.end))


def answer_from_prefix_pairs(example: Example, codec: Codec) -> Iterator[Pair]:
    """The pairs of information gain's scorer: the question and the first i pieces -> the answer, i from 0 to all.

    Pieces are joined as ids, each tokenised alone, as generated segments are. Raises DataError without an answer.
    """
    if example.answer is None:
        raise DataError(f"example {example.qid} has no answer; information_gain needs data with answers")
    target = (*codec.encode(example.answer), codec.eoc, codec.end)
    context = codec.encode(example.question)
    pieces = split_pieces(example.rationale)
    if not pieces:
        raise DataError(f"example {example.qid} has an empty rationale; set it aside before making pairs")
    for piece in [None, *pieces]:
        context = context if piece is None else [*context, *codec.encode(piece)]
        yield Pair(example.qid, "model", None, (*context, codec.end), target)


def segment_pairs(
    example: Example, segments: Sequence[Segment], codec: Codec, *, dual: bool = False, typed: bool = False
) -> Iterator[Pair]:
    """The pairs of one chain: at each turn, everything written so far -> the next segment.

    With ``dual``, the extractive and the abstractive model take turns, the extractive first; at a turn that is
    the other's, the model learns to pass: an empty target. With ``typed`` (one model only) a target begins with
    the mark of its label. The last segment ends with ``<eoc>``. Raises DataError for a chain without segments.
    """
    if not segments:
        raise DataError(f"example {example.qid} has an empty rationale; set it aside before making pairs")
    if (dual or typed) and any(segment.label is None for segment in segments):
        raise DataError(f"example {example.qid} has unlabelled segments; dual-path and typed need labels")
    if dual and typed:
        raise ParameterError("typed is for one model; a dual-path's models know their own type")
    context = codec.encode(example.question)
    turn, done = 0, 0
    while done < len(segments):
        segment = segments[done]
        model = MODELS["dual-path"][turn % 2] if dual else "model"
        if dual and (segment.label == ES) != (model == "esm"):
            yield Pair(example.qid, model, None, (*context, codec.end), (codec.end,))
        else:
            mark = [codec.es if segment.label == ES else codec.as_] if typed else []
            last = [codec.eoc] if done == len(segments) - 1 else []
            written = [*mark, *codec.encode(segment.text), *last]
            yield Pair(example.qid, model, segment.label, (*context, codec.end), (*written, codec.end))
            context += written
            done += 1
        turn += 1


def pairs_for(
    method: str, example: Example, labels: Sequence[str | None] | None, codec: Codec, *, typed: bool = False
) -> list[Pair]:
    """All pairs that the method learns from one example.

    ``labels`` has one entry a piece and is needed for merging and for dual-path; ``uni-path`` without merging
    works from the pieces alone, whatever the labels (METHOD, section 4), unless it is typed.
    """
    if method in ("answer-only", "seq2seq"):
        return [whole_pair(example, codec, answer_only=method == "answer-only")]
    if method == "answer-from-prefix":
        return list(answer_from_prefix_pairs(example, codec))
    pieces = split_pieces(example.rationale)
    if labels is None:
        if needs_labels(method, typed):
            raise DataError(f"method {method} needs the labels of example {example.qid}")
        labels = [None] * len(pieces)
    segments = make_segments(pieces, labels, merge=method.endswith("-merged"))
    return list(segment_pairs(example, segments, codec, dual=method.startswith("dual-path"), typed=typed))


def models_of(method: str) -> tuple[str, ...]:
    """The names of the models that the method trains."""
    return MODELS[method.removesuffix("-merged")]


def pairs_of(
    method: str,
    examples: Sequence[Example],
    labels: Mapping[str, Sequence[str | None]] | None,
    codec: Codec,
    *,
    typed: bool = False,
) -> list[Pair]:
    """The pairs of many examples; ``labels`` by qid where the method needs them. DataError for a qid without any."""
    needed = needs_labels(method, typed)
    if needed and labels is None:
        raise DataError(f"method {method} needs labels; run the segmentation notebook (03_segmentation) first")
    pairs: list[Pair] = []
    for example in examples:
        if needed and example.qid not in labels:
            raise DataError(f"example {example.qid} has no labels; run the segmentation notebook on this data again")
        pairs += pairs_for(method, example, labels[example.qid] if needed else None, codec, typed=typed)
    return pairs
