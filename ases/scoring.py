"""One scoring run: every piece of every split under its scorer, in shards that a killed run finds again.

>>> table = score_run(splits, [load_scorer(folder)], run.folder)                 # doctest: +SKIP
>>> table.groupby("split").size()                                                # doctest: +SKIP

With several scorers they are cross-fitted (METHOD, section 2): each example is scored by the one that its fold was left
out of when that scorer was trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from ases.errors import ParameterError
from ases.examples import Example
from ases.labels import label_examples, label_table
from ases.pieces import split_pieces
from ases.scorers import ANSWER, CONDITIONS, Scorer, fold_of, outside_fold, scoring_flops
from ases.scores import score_splits
from ases.settings import Settings, settings_for
from ases.shards import merge_shards, score_shards

CONDITIONS_OF = {"seq2seq": CONDITIONS, "answer-from-prefix": (ANSWER,)}
"""What is measured under a scorer of each kind; both conditions of a chain come of one pass."""

Progress = Callable[[str, float], None]


def fold_and_folds(left_out: str) -> tuple[int, int]:
    """``2/5`` as the fold's number, counted from 0, and the number of folds: (1, 5)."""
    fold, _, folds = left_out.partition("/")
    return int(fold) - 1, int(folds)


def learned_from(examples: Sequence[Example], left_out: str) -> Sequence[Example]:
    """The examples that a training with this ``left_out`` learns from: all of them where it is empty."""
    return outside_fold(examples, *fold_and_folds(left_out)) if left_out else examples


def score_run(
    splits: Mapping[str, Sequence[Example]],
    scorers: Sequence[Scorer],
    folder: Path,
    scorer: str = "seq2seq",
    progress: Progress = lambda message, done: None,
) -> pd.DataFrame:
    """The table of :func:`ases.scorers.measure` with ``split`` before it, for all splits, in their order.

    ``scorers`` is one for all, or one a fold in the order of folds; shards go into ``folder/shards``. Raises
    ParameterError for no scorer.
    """
    if not scorers:
        raise ParameterError("there is no scorer to score with; train one first (04_training)")
    tables = []
    for number, one in enumerate(scorers):

        def show(message: str, done: float, number: int = number) -> None:
            progress(message, (number + done) / len(scorers))

        for split, examples in splits.items():
            own = [e for e in examples if len(scorers) == 1 or fold_of(e.qid, len(scorers)) == number]
            if own:
                place = Path(folder) / "shards" / f"{split}-{number}"
                score_shards(own, one, place, conditions=CONDITIONS_OF[scorer], progress=show)
                tables.append(merge_shards(place).assign(split=split))
    table = pd.concat(tables, ignore_index=True)
    order = {e.qid: place for place, e in enumerate(e for part in splits.values() for e in part)}
    table = table.sort_values(["qid", "piece"], key=lambda c: c.map(order) if c.name == "qid" else c, kind="stable")
    return table[["split", *table.columns.drop("split")]].reset_index(drop=True)


def flops_of(splits: Mapping[str, Sequence[Example]], scorer: Scorer, kind: str, training: float) -> dict[str, float]:
    """What scores of each condition cost: the scorers' training, and one pass over the splits; FLOPs by condition."""
    members = [example for examples in splits.values() for example in examples]
    return {f"scorer_flops_{name}": training + scoring_flops(members, scorer, name) for name in CONDITIONS_OF[kind]}


def scorer_condition(strategy: str, condition: str) -> str:
    """The condition under which :func:`flops_of` counts a strategy's scores."""
    return ANSWER if strategy == "information_gain" else condition


def shown_scores(table: pd.DataFrame, examples: Sequence[Example]) -> pd.DataFrame:
    """The first example's pieces with what was measured of each; sums in nats."""
    first = examples[0]
    rows = table[table["qid"] == first.qid].drop(columns=["split", "qid"]).set_index("piece")
    return rows.assign(text=split_pieces(first.rationale))[["text", *rows.columns]]


def labels_at_hand(examples: Sequence[Example]) -> tuple[str, dict[str, list[str | None]]]:
    """Labels that need no trained model, by qid, and the strategy they are of: gold where all have it, else novelty.

    The same for every method, those without labels of their own included, so that what a method learns of AS and of
    ES tokens can be followed by one measure.
    """
    strategy = "gold" if all(example.gold is not None for example in examples) else "novelty"
    known = settings_for({"strategy": strategy}).segmentation
    scores = score_splits({"valid": examples}, known)
    labels = label_examples(examples, known, scores and scores["valid"])
    return strategy, {example.qid: list(row) for example, row in zip(examples, labels, strict=True)}


class LabelledRun(Protocol):
    """What :func:`labels_for` needs of a run: its settings and, through its inputs, the scores."""

    settings: Settings

    def all(self, step: str) -> list[Any]: ...


def labels_for(run: LabelledRun, splits: Mapping[str, Sequence[Example]]) -> pd.DataFrame:
    """The labels of every piece by the run's strategy, from its scoring's scores: :func:`ases.labels.label_table`."""
    chosen = run.settings.segmentation
    measured = [pd.read_parquet(one.path("scores.parquet")) for one in run.all("scoring")]
    tables = {split: measured[0][measured[0]["split"] == split] for split in splits} if measured else None
    scores = score_splits(splits, chosen, tables=tables)
    labels = {split: label_examples(part, chosen, scores and scores[split]) for split, part in splits.items()}
    return label_table(splits, labels, scores)
