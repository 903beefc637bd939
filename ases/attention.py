"""What re-reading buys: where a model looks when it writes the next segment, and what it loses without looking there.

>>> looking(model, views, codec)[["layer", "source", "mass", "share"]]             # doctest: +SKIP

Every piece of a gold chain but the first is forced as the next target, after the question and the pieces before it.
The encoder's input then falls into sources: the question, earlier ES and AS pieces, and the end token. ``mass`` is the
attention paid to a source, averaged over heads and target tokens; set beside ``share``, the source's share of the
tokens, it says whether a source is sought out. Attention alone shows no use: so each source is also hidden, from the
encoder and the decoder, and the rise of the loss is what reading it was worth. Ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel

from ases.errors import DataError
from ases.examples import AS, ES, Example
from ases.losses import IGNORED
from ases.pieces import split_pieces
from ases.ratios import difference_table, ratio_table
from ases.tokens import Codec, padded
from ases.trials import verdict

QUESTION, FACTS, INFERENCES, END = "question", "earlier ES pieces", "earlier AS pieces", "end token"
SOURCES = (QUESTION, FACTS, INFERENCES, END)
HIDDEN = ("nothing", QUESTION, "earlier pieces")
"""What is hidden from the model, one after the other."""

_BATCH = 64


@dataclass(frozen=True)
class View:
    """One target piece and what is read for it: token ids, and the source (a place in :data:`SOURCES`) of each."""

    qid: str
    label: str
    context: tuple[int, ...]
    sources: tuple[int, ...]
    target: tuple[int, ...]


def views_of(examples: Sequence[Example], codec: Codec) -> list[View]:
    """The views of gold chains, piece by piece from the second on. Raises DataError for examples without gold labels.

    Pieces are tokenised alone, as unmerged uni-path reads them, whatever the arm: all arms are asked the same.
    """
    views = []
    for example in examples:
        if example.gold is None:
            raise DataError(f"example {example.qid} has no gold labels, by which earlier pieces are told apart")
        context = codec.encode(example.question)
        sources = [0] * len(context)
        for place, (piece, label) in enumerate(zip(split_pieces(example.rationale), example.gold, strict=True)):
            ids = codec.encode(piece)
            if place:
                read = ((*context, codec.end), (*sources, SOURCES.index(END)))
                views.append(View(example.qid, label, *read, tuple(ids)))
            context = [*context, *ids]
            sources = [*sources, *[SOURCES.index(FACTS if label == ES else INFERENCES)] * len(ids)]
    return views


@torch.no_grad()
def looking(model: PreTrainedModel, views: Sequence[View], codec: Codec) -> pd.DataFrame:
    """Where the decoder looks, one row a view, layer and source; and the encoder, from the last piece it has read.

    ``qid, label`` (of the target), ``side`` (``decoder``: cross-attention from the target's tokens; ``encoder``:
    self-attention from the tokens of the last piece), ``layer`` (from 1), ``source``, ``mass`` (sums to 1 over the
    sources), ``share`` (of the tokens read), NaN where the view lacks the source. Taken by the
    plain kernel, which alone gives its weights back.
    """
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    model.eval()
    rows: list[pd.DataFrame] = []
    try:
        for start in range(0, len(views), _BATCH):
            part = views[start : start + _BATCH]
            batch, source = _tensors(part, codec, model.device)
            output = model(**batch, output_attentions=True)
            real = batch["labels"] != IGNORED
            count = torch.stack([(source == number).sum(dim=1) for number in range(len(SOURCES))], dim=1)
            share = (count / (source >= 0).sum(dim=1, keepdim=True)).cpu().numpy()
            last = _last_pieces(source, batch["attention_mask"])
            for side, layers, asked in (
                ("decoder", output.cross_attentions, real),
                ("encoder", output.encoder_attentions, last),
            ):
                for number, weights in enumerate(layers, start=1):
                    mass = _mass(weights.float().mean(dim=1), asked, source)
                    rows.append(_rows(part, side, number, np.where(share > 0, mass, np.nan), share))
    finally:
        model.set_attn_implementation(before)
    return pd.concat(rows, ignore_index=True)


def _tensors(views: Sequence[View], codec: Codec, device: torch.device) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    ids, mask = padded([view.context for view in views], codec.pad)
    labels, _ = padded([view.target for view in views], IGNORED)
    source, _ = padded([view.sources for view in views], -1)
    batch = {"input_ids": ids, "attention_mask": mask, "labels": labels}
    return {name: values.to(device) for name, values in batch.items()}, source.to(device)


def _last_pieces(source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The tokens of the last source before the end token: the last piece, with its like neighbours."""
    length = mask.sum(dim=1)
    rows = torch.arange(len(source), device=source.device)
    last = source[rows, length - 2]
    place = torch.arange(source.shape[1], device=source.device)
    other = (source != last[:, None]) & (place < (length - 1)[:, None])
    begin = torch.where(other, place, -1).max(dim=1).values
    return (place > begin[:, None]) & (place < (length - 1)[:, None])


def _mass(weights: torch.Tensor, asked: torch.Tensor, source: torch.Tensor) -> np.ndarray:
    """Mean attention of the asked rows to each source: (views, queries, keys) -> (views, sources)."""
    queries = asked.float() / asked.sum(dim=1, keepdim=True)
    paid = torch.einsum("vq,vqk->vk", queries, weights)
    return torch.stack([(paid * (source == number)).sum(dim=1) for number in range(len(SOURCES))], dim=1).cpu().numpy()


def _rows(views: Sequence[View], side: str, layer: int, mass: np.ndarray, share: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "qid": np.repeat([view.qid for view in views], len(SOURCES)),
            "label": np.repeat([view.label for view in views], len(SOURCES)),
            "side": side,
            "layer": layer,
            "source": list(SOURCES) * len(views),
            "mass": mass.ravel(),
            "share": np.where(np.isnan(mass), np.nan, share).ravel(),
        }
    )


@torch.no_grad()
def blinded(model: PreTrainedModel, views: Sequence[View], codec: Codec) -> pd.DataFrame:
    """The loss of each target (nats a token) with a source hidden: ``qid, label, hidden`` (:data:`HIDDEN`), ``loss``.

    What is hidden is masked in the encoder and in the decoder's cross-attention; the rest stays in its place.
    """
    model.eval()
    tables = []
    for start in range(0, len(views), _BATCH):
        part = views[start : start + _BATCH]
        batch, source = _tensors(part, codec, model.device)
        for hidden in HIDDEN:
            gone = {QUESTION: source == 0, HIDDEN[2]: (source == 1) | (source == 2)}.get(hidden)
            mask = batch["attention_mask"] if gone is None else batch["attention_mask"] * ~gone
            logits = model(input_ids=batch["input_ids"], attention_mask=mask, labels=batch["labels"]).logits.float()
            losses = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORED, reduction="none"
            ).view(batch["labels"].shape)
            mean = losses.sum(dim=1) / (batch["labels"] != IGNORED).sum(dim=1)
            own = {"qid": [view.qid for view in part], "label": [view.label for view in part]}
            tables.append(pd.DataFrame({**own, "hidden": hidden, "loss": mean.cpu().numpy().astype(float)}))
    return pd.concat(tables, ignore_index=True)


# Tables ---------------------------------------------------------------------------------------------------------


def attention_table(looks: pd.DataFrame) -> pd.DataFrame:
    """Mean attention by arm, side, layer, target's label and source, from :func:`looking` with ``arm`` and ``seed``.

    ``mass`` with ``low, high`` (95 %), ``share`` (of the tokens), ``n`` (views), ``questions, seeds``. Views without a
    source do not count for it, so that the masses of a layer need not add up to 1.
    """
    keys = ["arm", "side", "layer", "label", "source"]
    share = ratio_table(looks, "share", keys, draws=1).set_index(keys)["share"]
    table = ratio_table(looks, "mass", keys)
    table.insert(len(keys) + 1, "share", share.loc[pd.MultiIndex.from_frame(table[keys])].to_numpy())
    return table


def reading_again(losses: pd.DataFrame) -> pd.DataFrame:
    """What reading a source is worth: a row an arm, target's label and hidden source, from :func:`blinded`.

    ``rise`` of the loss (nats a token) over nothing hidden, with ``low, high`` (95 %), ``n, questions, seeds``.
    """
    tables = [
        difference_table(losses, "loss", "hidden", hidden, HIDDEN[0], ["arm", "label"]).assign(hidden=hidden)
        for hidden in HIDDEN[1:]
    ]
    table = pd.concat(tables, ignore_index=True).rename(columns={"difference": "rise"})
    return table[["arm", "label", "hidden", "rise", "low", "high", "n", "questions", "seeds"]]


def reading_sentences(attention: pd.DataFrame, worth: pd.DataFrame) -> list[str]:
    """Both tables in words, and whether AS segments need earlier pieces more than ES segments do, as predicted."""
    lines, held, told = [], 0, 0
    for arm, part in worth.groupby("arm", sort=False):
        looks = attention[(attention["arm"] == arm) & (attention["side"] == "decoder")]
        asked = looks[looks["source"] == QUESTION].groupby("label")[["mass", "share"]].mean()
        said = [
            f"{label} segments pay {row['mass']:.0%} of their attention to the question, which holds "
            f"{row['share']:.0%} of the tokens"
            for label, row in asked.iterrows()
        ]
        of = part.set_index(["hidden", "label"])
        for hidden in HIDDEN[1:]:
            rises = [
                f"{of.loc[(hidden, label), 'rise']:+.2f} for {label}"
                for label in (ES, AS)
                if (hidden, label) in of.index
            ]
            what = f"the {hidden}" if hidden == QUESTION else hidden
            said.append(f"hiding {what} raises the loss (nats a token) by {', '.join(rises)}")
        lines.append(f"{arm}: {'; '.join(said)}.")
        if {(HIDDEN[2], AS), (HIDDEN[2], ES)} <= set(of.index):
            inference, fact = (of.loc[(HIDDEN[2], label)] for label in (AS, ES))
            told += bool(inference["low"] > fact["high"] or fact["low"] > inference["high"])
            held += bool(inference["low"] > fact["high"])
    return [*lines, verdict(held, told, "arms that can tell")]
