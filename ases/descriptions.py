"""What examples, pieces and pairs look like, as tables: for readers, before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ases.errors import DataError
from ases.examples import AS, ES, Example
from ases.kinds import label_by_number_novelty
from ases.pieces import split_pieces
from ases.segments import Pair

MEASURES = ("question, characters", "rationale, characters", "pieces a rationale")


def lengths(splits: Mapping[str, Sequence[Example]]) -> pd.DataFrame:
    """One row an example and measure: ``split, measure, value``; the measures are :data:`MEASURES`."""
    rows = []
    for split, examples in splits.items():
        for example in examples:
            values = (len(example.question), len(example.rationale), len(split_pieces(example.rationale)))
            rows += [(split, measure, value) for measure, value in zip(MEASURES, values, strict=True)]
    return pd.DataFrame(rows, columns=["split", "measure", "value"])


def overview(splits: Mapping[str, Sequence[Example]]) -> pd.DataFrame:
    """One row a split: examples, pieces, mean lengths, graphs, and the share of pieces that are AS in gold."""
    rows = []
    for split, examples in splits.items():
        gold = [label for example in examples for label in example.gold or ()]
        pieces = [len(split_pieces(example.rationale)) for example in examples]
        rows.append(
            {
                "split": split,
                "examples": len(examples),
                "pieces": sum(pieces),
                "pieces a rationale": sum(pieces) / len(pieces),
                "rationale, characters": sum(len(example.rationale) for example in examples) / len(examples),
                "operation graphs": len({example.graph for example in examples if example.graph}),
                "AS share in gold": gold.count(AS) / len(gold) if gold else float("nan"),
            }
        )
    return pd.DataFrame(rows)


def lengths_by_set(sets: Mapping[str, Sequence[Example]]) -> pd.DataFrame:
    """Sets side by side: one row an example and measure, ``set, measure, value``; the measures are :data:`MEASURES`."""
    return lengths(sets).rename(columns={"split": "set"})


def extractive_share(sets: Mapping[str, Sequence[Example]]) -> pd.DataFrame:
    """One row a set: how much of its rationales restates, in gold and by a heuristic that needs no gold.

    Columns: ``set, examples, pieces, pieces_each`` (mean pieces a rationale), ``gold_es``, the share of pieces that
    are ES in gold (NaN where there is none), and ``heuristic_es``, the share without a new number
    (:func:`ases.kinds.label_by_number_novelty`), with ``agreement``, the share of pieces where both say the same.
    Raises DataError for an empty set, or one where only some examples have gold.
    """
    rows = []
    for name, examples in sets.items():
        gold, found, count = [], [], 0
        for example in examples:
            pieces = split_pieces(example.rationale)
            count += len(pieces)
            found += label_by_number_novelty(example.question, pieces)
            gold += example.gold or ()
        if not count:
            raise DataError(f"extractive_share: set {name} has no pieces")
        if gold and len(gold) != count:
            raise DataError(f"extractive_share: set {name} has {count} pieces but {len(gold)} gold labels")
        same = sum(left == right for left, right in zip(gold, found, strict=False))
        rows.append(
            {
                "set": name,
                "examples": len(examples),
                "pieces": count,
                "pieces_each": count / len(examples),
                "gold_es": gold.count(ES) / count if gold else float("nan"),
                "heuristic_es": found.count(ES) / count,
                "agreement": same / count if gold else float("nan"),
            }
        )
    return pd.DataFrame(rows)


def pair_overview(pairs: Sequence[Pair]) -> pd.DataFrame:
    """One row a model and label: how many pairs, and the mean tokens of their contexts and targets."""
    table = pd.DataFrame(
        {
            "model": [pair.model for pair in pairs],
            "label": [pair.label or ("pass" if len(pair.target) == 1 else "all") for pair in pairs],
            "context": [len(pair.context) for pair in pairs],
            "target": [len(pair.target) for pair in pairs],
        }
    )
    grouped = table.groupby(["model", "label"], sort=True)
    return grouped.agg(
        pairs=("context", "size"), context_tokens=("context", "mean"), target_tokens=("target", "mean")
    ).reset_index()


def coloured_rows(table: pd.DataFrame, examples: Sequence[Example], count: int = 3) -> list[dict[str, Any]]:
    """The first examples of a label table, as :func:`ases.figures.coloured` wants them."""
    rows = []
    for example in examples[:count]:
        part = table[table["qid"] == example.qid].sort_values("piece")
        scores = [None if pd.isna(score) else float(score) for score in part["score"]]
        labels = [None if pd.isna(label) else label for label in part["label"]]
        row: dict[str, Any] = {
            "qid": example.qid,
            "question": example.question,
            "pieces": list(zip(part["text"], labels, scores, strict=True)),
        }
        if example.gold is not None:
            row["gold"] = list(example.gold)
        rows.append(row)
    return rows


def relative_scores(table: pd.DataFrame) -> pd.DataFrame:
    """Each piece's score over the mean of its example, beside its gold label: ``relative, gold``."""
    mean = table.groupby(["split", "qid"])["score"].transform("mean")
    # Where all scores are zero there is nothing to relate them to: those pieces stay without a value.
    return pd.DataFrame({"relative": table["score"] / mean.where(mean > 0), "gold": table["gold"]})


def shown_chains(table: pd.DataFrame, examples: Sequence[Example], count: int = 3) -> pd.DataFrame:
    """The first right and the first wrong chains beside their questions and references."""
    by_qid = {example.qid: example for example in examples}
    if table["correct"].isna().all():  # nothing is right or wrong: the nearest to their references, and the furthest
        ordered = table.sort_values("rouge_l", ascending=False, kind="stable")
        part = pd.concat([ordered.head(count), ordered.tail(count)])
    else:
        right = table["correct"].astype(bool)
        part = pd.concat([table[right].head(count), table[~right].head(count)])
    return pd.DataFrame(
        {
            "right": part["correct"],
            "question": [by_qid[qid].question for qid in part["qid"]],
            "reference": [by_qid[qid].rationale for qid in part["qid"]],
            "written": part["chain"],
            "ended by": part["reason"],
        }
    ).reset_index(drop=True)
