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

from ases.aligned import LABEL_COLUMNS, Series, control_labels, labels_at, number_novelty_labels, piece_table
from ases.examples import Example, read_examples
from ases.kinds import kind_table
from ases.labels import label_at_random, label_random_boundaries
from ases.pieces import split_pieces
from ases.scores import score_examples, similarity_scores
from ases.settings import SCORER_OF, SegmentationSettings, Settings, settings_for

SPLITS = ("valid", "test")
REDUCES, CONDITIONS = ("sum", "mean"), ("question", "prefix")
DEFAULT = Series("entropy", "sum", "question")
"""The released scripts' own: what a control is made of, and what is looked at first."""

CONTROLS = {"random": label_at_random, "random_boundaries": label_random_boundaries}

_COLUMNS = (*LABEL_COLUMNS[:-1], "score")


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
    parts = []
    wanted = {example.qid for example in examples}
    for one in measured:
        rows = one.table[one.table["qid"].isin(wanted)]
        for series in _series_of(one.scorer):
            table = rows[["qid", "piece"]].assign(**series._asdict(), seed=one.seed, score=_column(rows, series))
            parts.append(table[list(_COLUMNS)])
    for kind in ("rouge", "bleu"):
        own = [
            similarity_scores(one.question, split_pieces(one.rationale), kind, one.language, one.qid)
            for one in examples
        ]
        parts.append(_long(examples, own, Series("similarity", kind), 0))
    parts.append(_long(examples, score_examples(examples, _settings("novelty")), Series("novelty"), 0))
    return pd.concat(parts, ignore_index=True)


def _series_of(scorer: str) -> list[Series]:
    strategies = [name for name, own in SCORER_OF.items() if own == scorer]
    if scorer != "seq2seq":
        return [Series(name) for name in strategies]
    return [Series(name, reduce, given) for name in strategies for reduce in REDUCES for given in CONDITIONS]


def _column(rows: pd.DataFrame, series: Series) -> pd.Series:
    if series.strategy == "information_gain":
        return rows["gain"].clip(lower=0)
    total = rows[f"{series.strategy}_{series.condition}"]
    return total / rows[f"tokens_{series.condition}"] if series.reduce == "mean" else total


def _settings(strategy: str) -> SegmentationSettings:
    return settings_for({"strategy": strategy}).segmentation


def _long(examples: Sequence[Example], scores: Sequence[Sequence[float]], series: Series, seed: int) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "qid": [example.qid for example, own in zip(examples, scores, strict=True) for _ in own],
            "piece": [place for own in scores for place in range(len(own))],
            "score": [float(score) for own in scores for score in own],
        }
    )
    return table.assign(**series._asdict(), seed=seed)[list(_COLUMNS)]


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


def relative_table(study: Study, series: Sequence[Series], betas: Mapping[str, float], split: str) -> pd.DataFrame:
    """Scores over their example's mean beside gold: ``series, relative, gold, beta``, for a figure of distributions."""
    chosen = study.pieces.loc[study.pieces["split"] == split, ["qid", "piece", "gold"]]
    parts = []
    for one in series:
        rows = chosen.merge(
            scores_of(study, one)[["qid", "piece", "score"]], on=["qid", "piece"], validate="one_to_one"
        )
        mean = rows.groupby("qid")["score"].transform("mean")
        relative = (rows["score"] / mean.where(mean > 0)).fillna(0.0)
        parts.append(rows.assign(series=str(one), relative=relative, beta=betas[one.strategy]))
    return pd.concat(parts, ignore_index=True)[["series", "relative", "gold", "beta"]]
