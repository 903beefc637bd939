"""The tables of the segmentation notebook: every measure of :mod:`ases.detection` and its neighbours, for all studies.

Each table has a column ``data`` before it; those that need gold labels leave out data that has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from ases.agreement import errors_by_kind, kappa_sentence, kappa_table
from ases.aligned import Series, relative_table
from ases.detection import best_beta, best_sentence, detection_table
from ases.ranking import auc_table, length_sentence, length_share
from ases.settings import DEFAULT_BETA
from ases.study import DEFAULT, Study

REPORTED = "test"
"""The split that is reported; betas are chosen on ``valid``."""


def _each(studies: Sequence[Study], table: Callable[[Study], pd.DataFrame], gold: bool = True) -> pd.DataFrame:
    parts = [table(one).assign(data=one.data) for one in studies if one.has_gold or not gold]
    if not parts:
        return pd.DataFrame()
    found = pd.concat(parts, ignore_index=True)
    return found[["data", *found.columns.drop("data")]]


def detection_of(studies: Sequence[Study], progress: Callable[[str, float], None] | None = None) -> pd.DataFrame:
    """:func:`ases.detection.detection_table` of each study, controls included."""
    return _each(studies, lambda one: detection_table(one.pieces, one.scores, labels=one.controls, progress=progress))


def best_of(detection: pd.DataFrame) -> pd.DataFrame:
    """:func:`ases.detection.best_beta` of each set of data; no rows where nothing has gold."""
    if detection.empty:
        return detection
    parts = [
        best_beta(part.drop(columns="data")).assign(data=data) for data, part in detection.groupby("data", sort=False)
    ]
    found = pd.concat(parts, ignore_index=True)
    return found[["data", *found.columns.drop("data")]]


def best_sentences(best: pd.DataFrame) -> list[str]:
    """What :func:`best_of` found, a sentence a set of data."""
    if best.empty:
        return ["Without gold labels nothing can be said of how right a strategy is."]
    parts = best.groupby("data", sort=False)
    return [f"{data}: {best_sentence(part.drop(columns='data'))}" for data, part in parts]


def auc_of(studies: Sequence[Study]) -> pd.DataFrame:
    """:func:`ases.ranking.auc_table` of each study, of the split that is reported."""
    table = _each(studies, lambda one: auc_table(one.pieces, one.scores))
    return table[table["split"] == REPORTED].reset_index(drop=True) if len(table) else table


def length_of(studies: Sequence[Study]) -> pd.DataFrame:
    """:func:`ases.ranking.length_share` of each study, of the split that is reported."""
    table = _each(studies, lambda one: length_share(one.pieces, one.scores))
    return table[table["split"] == REPORTED].reset_index(drop=True) if len(table) else table


def length_sentences(owed: pd.DataFrame) -> list[str]:
    """What the sums owe to length, a sentence a set of data and strategy of a seq2seq scorer."""
    lines = []
    for data, part in owed.groupby("data", sort=False) if len(owed) else ():
        for strategy in ("entropy", "loss"):
            lines.append(f"{data}, {strategy}: {length_sentence(part.drop(columns='data'), strategy)}")
    return lines or ["Without gold labels nothing can be said of it."]


def distributions_of(study: Study, series: Series, beta: float) -> pd.DataFrame:
    """Relative scores of validation under the chosen series and some others: for the figure of distributions."""
    wanted = {series, DEFAULT, Series("entropy", "mean", "prefix"), Series("novelty")}
    shown = [tuple(row) in wanted for row in study.scores[list(Series._fields)].itertuples(index=False)]
    pieces = study.pieces[study.pieces["split"] == "valid"]
    return relative_table(pieces, study.scores[shown], {**DEFAULT_BETA, series.strategy: beta})


def errors_of(studies: Sequence[Study], series: Series) -> pd.DataFrame:
    """:func:`ases.agreement.errors_by_kind` of the chosen series, the default one, novelty and similarity."""
    wanted = set(dict.fromkeys([series, DEFAULT, Series("novelty"), Series("similarity", "rouge")]))

    def table(one: Study) -> pd.DataFrame:
        chosen = [tuple(row) in wanted for row in one.labels[list(Series._fields)].itertuples(index=False, name=None)]
        return errors_by_kind(one.pieces, one.labels[chosen], one.kinds)

    found = _each(studies, table)
    return found[found["split"] == REPORTED].reset_index(drop=True) if len(found) else found


def kappas_of(studies: Sequence[Study]) -> pd.DataFrame:
    """:func:`ases.agreement.kappa_table` of each study; sums given the question alone, to keep the map readable."""

    def table(one: Study) -> pd.DataFrame:
        labels = one.labels
        shown = labels["reduce"].isin(["", "sum", "mean", "rouge"]) & labels["condition"].isin(["", "question"])
        pieces = one.pieces[one.pieces["split"] == REPORTED]
        return kappa_table(pieces, pd.concat([labels[shown], one.controls], ignore_index=True))

    return _each(studies, table, gold=False)


def kappa_sentences(kappa: pd.DataFrame) -> list[str]:
    """How far strategies agree, a sentence a set of data."""
    parts = kappa.groupby("data", sort=False)
    return [f"{data}: {kappa_sentence(part.drop(columns='data'))}" for data, part in parts]
