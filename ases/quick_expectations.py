"""What was expected of the small comparison and of the notebooks around it, each prediction with a verdict.

>>> comparison_expectations(table)[["prediction", "verdict"]]                   # doctest: +SKIP

Those of ``notebooks/03_segmentation``, ``06_comparison`` and ``07_start``. The predictions are older than the results;
the rules that judge them stand here and were written on 2026-12-01, when the results were known. The rest is as in
:mod:`ases.expectations`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ases.aligned import Series
from ases.choices import BASELINE
from ases.detection import NAMES
from ases.folders import STEPS
from ases.verdicts import (
    CLOSE,
    FAILED,
    HELD,
    NOT_RUN,
    UNTESTED,
    Interval,
    Verdict,
    above,
    accuracy_of,
    all_above,
    all_within,
    apart,
    judged,
    lead_of,
    verdict_table,
)


def quick_expectations(
    comparison: Path, segmentation: Path, start: pd.DataFrame | None = None
) -> dict[str, pd.DataFrame]:
    """By notebook ``prediction, verdict, evidence``, from the tables in the folders that two of them wrote into.

    Of a notebook without its tables, such as the segmentation of data without gold labels, nothing is said. ``start``
    is :func:`ases.starts.start_table`.
    """
    labels = [segmentation / name for name in ("auc.csv", "beta_sweep.csv")]
    found = {}
    if all(path.is_file() for path in labels):
        found[STEPS["segmentation"]] = segmentation_expectations(*map(pd.read_csv, labels))
    found[STEPS["comparison"]] = comparison_expectations(pd.read_csv(comparison / "comparison.csv"))
    if start is not None:
        found[STEPS["start"]] = start_expectations(start)
    return found


def comparison_expectations(table: pd.DataFrame) -> pd.DataFrame:
    """``prediction, verdict, evidence``: those of ``06_comparison``, by :func:`ases.evaluation.comparison_table`."""
    if "accuracy" not in table:
        return verdict_table(dict.fromkeys(_OF_COMPARISON, NOT_RUN))
    return judged(_OF_COMPARISON, table.set_index("method"))


def _answers_are_worst(rows: pd.DataFrame) -> Verdict:
    if "answer-only" not in rows.index or len(rows) < 2:
        return NOT_RUN
    own = accuracy_of(rows.loc["answer-only"])
    others = rows.index.drop("answer-only")
    return all_above({name: apart(accuracy_of(rows.loc[name]), own) for name in others}, 1)


def _few_gain(rows: pd.DataFrame) -> Verdict:
    return UNTESTED, "here are many; of few 07_experiment and 07_efficiency judge it"


def _two_are_worse(rows: pd.DataFrame) -> Verdict:
    pairs = [(one, one.replace("uni", "dual")) for one in ("uni-path", "uni-path-merged")]
    found = {
        f"{one} over {two}": apart(accuracy_of(rows.loc[one]), accuracy_of(rows.loc[two]))
        for one, two in pairs
        if {one, two} <= set(rows.index)
    }
    return all_above(found, 1)


_OF_COMPARISON: dict[str, Callable[[pd.DataFrame], Verdict]] = {
    "A model that writes an answer without steps does worst": _answers_are_worst,
    "With few training examples reading again is worth more than the epochs it costs": _few_gain,
    "Two models do worse than one": _two_are_worse,
}


def start_expectations(table: pd.DataFrame) -> pd.DataFrame:
    """``prediction, verdict, evidence``: those of ``07_start``, by :func:`ases.starts.start_table`."""
    if "accuracy" not in table:
        return verdict_table(dict.fromkeys(_OF_STARTS, NOT_RUN))
    return judged(_OF_STARTS, table[table["difference"].notna()].set_index(["method", "train_size"]))


def _few_gain_most(gains: pd.DataFrame) -> Verdict:
    found = {}
    for method in gains.index.unique("method"):
        sizes = sorted(gains.loc[method].index)
        if len(sizes) > 1:
            least, most = (lead_of(gains.loc[(method, size)]) for size in (sizes[0], sizes[-1]))
            found[f"{method}, {sizes[0]:,} over {sizes[-1]:,}"] = apart(least, most)
    return all_above(found, 1)


def _alike(gains: pd.DataFrame) -> Verdict:
    found = {}
    for size in gains.index.unique("train_size"):
        own = gains.xs(size, level="train_size")
        for method in own.index.drop(BASELINE, errors="ignore"):
            if BASELINE in own.index:
                found[f"{method}, {size:,}"] = apart(lead_of(own.loc[method]), lead_of(own.loc[BASELINE]))
    return all_within(found, 1, -CLOSE, CLOSE)


_OF_STARTS: dict[str, Callable[[pd.DataFrame], Verdict]] = {
    "The checkpoint helps most where training examples are few": _few_gain_most,
    "It helps methods alike (their gains differ by less than 5 points)": _alike,
}


class _Detection(NamedTuple):
    auc: pd.DataFrame
    sweep: pd.DataFrame


def segmentation_expectations(auc: pd.DataFrame, sweep: pd.DataFrame) -> pd.DataFrame:
    """``prediction, verdict, evidence``: those of ``03_segmentation``, on test rationales with gold labels.

    ``auc`` is :func:`ases.study_tables.auc_of`, ``sweep`` the rows of test in :func:`ases.study_tables.detection_of`.
    """
    return judged(_OF_SEGMENTATION, _Detection(auc, sweep))


def _by_series(table: pd.DataFrame) -> dict[Series, pd.DataFrame]:
    parts = table.assign(**{name: table[name].astype(object).fillna("") for name in NAMES})
    return {Series(*names): rows for names, rows in parts.groupby(list(NAMES), sort=False)}


def _aucs(auc: pd.DataFrame, data: str) -> dict[Series, Interval]:
    found = {series: rows.iloc[0] for series, rows in _by_series(auc[auc["data"] == data]).items()}
    return {series: (row["auc"], row["auc_low"], row["auc_high"]) for series, row in found.items()}


def _auc_text(found: Interval) -> str:
    middle, low, high = found
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _entropy_finds(found: _Detection) -> Verdict:
    entropy = Series("entropy", "sum", "question")
    aucs = _aucs(found.auc, "generated")
    if entropy not in aucs:
        return NOT_RUN
    return above([aucs[entropy]], 0.5), f"generated problems, {entropy}: AUC {_auc_text(aucs[entropy])}"


def _long_ones_pass(found: _Detection) -> Verdict:
    return UNTESTED, "its correlations stand in 03_segmentation, without intervals"


def _novelty_is_best(found: _Detection) -> Verdict:
    aucs, novelty = _aucs(found.auc, "reports"), Series("novelty")
    if novelty not in aucs or len(aucs) < 2:
        return NOT_RUN
    leads = {series: apart(aucs[novelty], one) for series, one in aucs.items() if series != novelty}
    nearest = min(leads, key=lambda series: leads[series][0])
    said = f"AUC {_auc_text(aucs[novelty])}; {nearest} {_auc_text(aucs[nearest])}"
    return above(list(leads.values())), said


def _no_beta_is_best(found: _Detection) -> Verdict:
    """Held where each beta is clearly worse, for some scores, than their own best; failed where one is so for none."""
    sweep = found.sweep[(found.sweep["data"] == "generated") & found.sweep["beta"].notna()]  # controls have none
    losses: dict[float, dict[Series, Interval]] = {}
    for series, rows in _by_series(sweep).items():
        rows = rows.set_index("beta")
        best = rows["f1"].idxmax()
        for beta in rows.index:
            one, other = (tuple(rows.loc[at, ["f1", "f1_low", "f1_high"]]) for at in (best, beta))
            losses.setdefault(beta, {})[series] = apart(one, other)
    if not losses or min(map(len, losses.values())) < 2:
        return NOT_RUN
    clear = {beta: [series for series, loss in one.items() if loss[1] > 0] for beta, one in losses.items()}
    fits = min(clear, key=lambda beta: len(clear[beta]))
    said = f"beta {fits:g} fits most, and is clearly worse than their best for {len(clear[fits])} of"
    return (HELD if clear[fits] else FAILED), f"{said} {len(losses[fits])} kinds of scores"


_OF_SEGMENTATION: dict[str, Callable[[_Detection], Verdict]] = {
    "Entropy finds pieces that infer": _entropy_finds,
    "A sum grows with length, so long pieces that restate pass for abstractive": _long_ones_pass,
    "On reports novelty does best": _novelty_is_best,
    "No one beta is best for all scores": _no_beta_is_best,
}
