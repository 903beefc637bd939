"""What several scorers measured, put together: one table of pieces and one of scores for each set of data.

>>> studies = studies_of(run)                                                   # doctest: +SKIP
>>> detection_table(studies[0].pieces, studies[0].scores)                       # doctest: +SKIP

The long form is that of :mod:`ases.aligned`. Training examples are left out: what a scorer learned by heart says little
about what it finds uncertain; ``beta`` is chosen on validation and reported on test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from ases.aligned import (
    Series,
    control_labels,
    labels_at,
    listed_scores,
    measured_scores,
    number_novelty_labels,
    piece_table,
)
from ases.examples import Example, read_examples
from ases.kinds import kind_table
from ases.labels import label_at_random, label_random_boundaries
from ases.pieces import split_pieces
from ases.scores import score_examples, similarity_scores
from ases.settings import SegmentationSettings, Settings, settings_for

SPLITS = ("valid", "test")
DEFAULT = Series("entropy", "sum", "question")
"""The released scripts' own: what a control is made of, and what is looked at first."""

CONTROLS = {"random": label_at_random, "random_boundaries": label_random_boundaries}


@dataclass(frozen=True)
class Measured:
    """One scorer's table (:func:`ases.scorers.measure`): how the scorer was trained, and from which seed."""

    scorer: str
    seed: int
    table: pd.DataFrame


@dataclass(frozen=True)
class Study:
    """One set of data under all its scorers. ``pieces`` and ``scores`` are as :mod:`ases.aligned` takes them.

    ``labels`` holds the labels of every series of scores at its strategy's own default beta, ``controls`` those that
    need no score, ``kinds`` what kind of piece each piece is.
    """

    data: str
    examples: dict[str, Sequence[Example]]
    pieces: pd.DataFrame
    scores: pd.DataFrame
    labels: pd.DataFrame
    controls: pd.DataFrame
    kinds: pd.DataFrame

    @property
    def has_gold(self) -> bool:
        """Whether the true labels are known."""
        return bool(self.pieces["gold"].notna().all())


class StudyRun(Protocol):
    """What :func:`studies_of` needs of a run: its inputs, each with a step, settings and files."""

    inputs: Sequence[Any]


def studies_of(run: StudyRun, progress: Callable[[str, float], None] = lambda message, done: None) -> list[Study]:
    """The studies of a segmentation run, one a set of data, in the order of its inputs."""
    datas = [one for one in run.inputs if one.step == "data"]
    studies = []
    for number, data in enumerate(datas):
        progress(f"scores of {data.settings.data.data}", number / len(datas))
        examples = {split: read_examples(data.path(f"{split}.parquet")) for split in SPLITS}
        own = [one for one in run.inputs if one.step == "scoring" and one.input("data").key == data.key]
        measured = [_measured(one.settings, one.path("scores.parquet")) for one in own]
        studies.append(make_study(data.settings.data.data, examples, measured))
    return studies


def _measured(settings: Settings, path: Path) -> Measured:
    return Measured(settings.scoring.scorer, settings.training.seed, pd.read_parquet(path))


def make_study(data: str, examples: Mapping[str, Sequence[Example]], measured: Sequence[Measured]) -> Study:
    """Pieces, scores, labels and kinds of some examples, by split, under some scorers."""
    pieces = piece_table(examples)
    members = [example for part in examples.values() for example in part]
    scores = series_table(members, measured)
    seq2seq = [one.table for one in measured if one.scorer == "seq2seq"]
    if seq2seq:  # a piece's length as its scorer counts it
        tokens = seq2seq[0][["qid", "piece", "tokens_question"]].rename(columns={"tokens_question": "tokens"})
        pieces = pieces.merge(tokens, on=["qid", "piece"], how="left", validate="one_to_one")
    labels = labels_at(pieces, scores)
    controls = control_labels(pieces, labels, DEFAULT, CONTROLS) if seq2seq else labels.iloc[:0]
    heuristic = number_novelty_labels(pieces, {example.qid: example.question for example in members})
    kinds = kind_table(members)
    return Study(data, dict(examples), pieces, scores, labels, pd.concat([controls, heuristic]), kinds)


def series_table(examples: Sequence[Example], measured: Sequence[Measured]) -> pd.DataFrame:
    """Every strategy's scores of these examples in long form: ``qid, piece, strategy, reduce, condition, seed, score``.

    ``similarity`` comes twice, told apart by its measure in place of a reduction: ``rouge`` and ``bleu``. Information
    gain is what enters the rule, max(0, gain). Scores without a scorer have the seed 0.
    """
    wanted = {example.qid for example in examples}
    parts = [measured_scores(one.table[one.table["qid"].isin(wanted)], one.seed) for one in measured]
    for kind in ("rouge", "bleu"):
        own = [
            similarity_scores(one.question, split_pieces(one.rationale), kind, one.language, one.qid)
            for one in examples
        ]
        parts.append(listed_scores(examples, own, Series("similarity", kind)))
    novelty = settings_for({"strategy": "novelty"}).segmentation
    parts.append(listed_scores(examples, score_examples(examples, novelty), Series("novelty")))
    return pd.concat(parts, ignore_index=True)


def chosen_series(studies: Sequence[Study], settings: SegmentationSettings) -> Series:
    """The series that the settings name, as far as the studies hold it; else the default one."""
    known = {Series(*names) for one in studies for names in one.scores[list(Series._fields)].itertuples(index=False)}
    strategy = settings.scored_strategy
    wanted = [
        Series(strategy, settings.reduce, settings.condition),
        Series(strategy, settings.similarity),
        Series(strategy),
    ]
    return next((series for series in wanted if series in known), DEFAULT)


def scores_of(study: Study, series: Series, seed: int | None = None) -> pd.DataFrame:
    """The rows of one series under one seed, the first where none is given: what a slider of beta takes."""
    rows = study.scores
    for name, value in series._asdict().items():
        rows = rows[rows[name] == value]
    first = rows["seed"].min() if seed is None else seed
    return rows[rows["seed"] == first].reset_index(drop=True)
