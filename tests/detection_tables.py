"""Small tables of pieces, scores and labels in long form, for the tests of what is computed from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ases.examples import Example
from ases.pieces import split_pieces
from ases.problems import generate_problems


def pieces_of(gold: Mapping[str, Sequence[str] | None], split: str = "valid") -> pd.DataFrame:
    """One example an entry: its qid and its gold labels, a letter a piece: ``A``, ``E`` or ``-`` for none."""
    names = {"A": "AS", "E": "ES", "-": None}
    rows = [
        (split, qid, piece, f"{qid} {piece}. ", names[letter])
        for qid, letters in gold.items()
        for piece, letter in enumerate(letters)
    ]
    return pd.DataFrame(rows, columns=["split", "qid", "piece", "text", "gold"]).astype({"gold": object})


def scores_of(
    values: Mapping[str, Sequence[float]], strategy: str = "entropy", reduce: str = "sum", seed: int = 0
) -> pd.DataFrame:
    """Scores of one series, condition ``question``: a list of scores a qid."""
    rows = [(qid, piece, score) for qid, scores in values.items() for piece, score in enumerate(scores)]
    table = pd.DataFrame(rows, columns=["qid", "piece", "score"])
    return table.assign(strategy=strategy, reduce=reduce, condition="question", seed=seed)


def labels_of(values: Mapping[str, str], strategy: str = "entropy", seed: int = 0) -> pd.DataFrame:
    """Labels of one series without reduce and condition: letters a qid, ``A`` or ``E``."""
    rows = [(qid, piece, f"{letter}S") for qid, letters in values.items() for piece, letter in enumerate(letters)]
    table = pd.DataFrame(rows, columns=["qid", "piece", "label"])
    return table.assign(strategy=strategy, reduce="", condition="", seed=seed)


def problems_scored(count: int, *, seeds: int = 2) -> tuple[list[Example], pd.DataFrame, pd.DataFrame]:
    """Generated problems, every second one in ``valid``, with made-up scores of three series, two of them near gold."""
    examples = generate_problems(count, seed=3, steps_to=3)
    rows = [
        ("valid" if place % 2 else "test", example.qid, piece, text, example.gold[piece])
        for place, example in enumerate(examples)
        for piece, text in enumerate(split_pieces(example.rationale))
    ]
    pieces = pd.DataFrame(rows, columns=["split", "qid", "piece", "text", "gold"])
    generator = np.random.default_rng(0)
    length, gold = pieces["text"].str.len().to_numpy() / 10, (pieces["gold"] == "AS").to_numpy()
    parts = []
    for seed in range(seeds):
        mean = np.exp(generator.normal(0, 0.5, len(pieces)) + gold)
        for strategy, reduce, values in (("entropy", "sum", mean * length), ("entropy", "mean", mean)):
            names = {"strategy": strategy, "reduce": reduce, "condition": "question", "seed": seed}
            parts.append(pieces[["qid", "piece"]].assign(**names, score=values))
    values = np.round(generator.beta(2, 3, len(pieces)), 2)
    names = {"strategy": "similarity", "reduce": "", "condition": "", "seed": 0}
    parts.append(pieces[["qid", "piece"]].assign(**names, score=values))
    return examples, pieces, pd.concat(parts, ignore_index=True)
