"""The paper's claims beside what a grid of runs finds: confirmed, not confirmed, or not testable here.

>>> claims_table(at_plateau(grid))[["claim", "finding", "difference", "low", "high"]]    # doctest: +SKIP

What the paper claims is second-hand (METHOD, headline figures). A claim is a comparison of two arms; the rule that
turns it into a finding is fixed here, and was before any result. Two parts of it are younger, of 2026-12-01, and
confirm less than it did before: where nobody has learned to answer no claim is judged, and lower BLEU alone is not what
the paper reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ases.cells import Grid, at_floor, cell_table
from ases.errors import DataError
from ases.measures import headline
from ases.statistics import compare, holm
from ases.verdicts import interval_text

MARGIN = 0.03
"""Two arms do as well as each other when the whole 95 % interval of their difference lies within this (accuracy)."""


@dataclass(frozen=True)
class Claim:
    """``first`` is said to be ``better`` than ``second``, ``worse``, or ``equal`` to it, by ``value``; arms by name.

    ``worse`` is said by BLEU, together with a better headline measure. ``paper`` is what the paper is said to report
    (METHOD, headline figures: second-hand), empty for what it does not claim itself.
    """

    text: str
    first: str
    second: str
    kind: str
    value: str = "correct"
    paper: str = ""


CLAIMS = (
    Claim(
        "AS-ES with one model beats seq2seq",
        "uni-path-merged",
        "seq2seq",
        "better",
        paper="by up to 15.28 % (accuracy) and 30.6 % (ROUGE-L of reports)",
    ),
    Claim("AS-ES with two models beats seq2seq", "dual-path-merged", "seq2seq", "better", paper="yes, too"),
    Claim("One model does as well as two", "uni-path-merged", "dual-path-merged", "equal", paper="can be even better"),
    Claim(
        "AS-ES chains have lower BLEU than seq2seq's, and yet do better",
        "uni-path-merged",
        "seq2seq",
        "worse",
        "bleu",
        paper="yes",
    ),
    Claim(
        "Telling AS from ES helps: entropy's segments beat random ones of the same lengths",
        "uni-path-merged",
        "uni-path-merged, strategy=random_boundaries",
        "better",
    ),
    Claim("Merging helps: segments beat single pieces", "uni-path-merged", "uni-path", "better"),
    Claim(
        "Better labels would help: gold segments beat entropy's",
        "uni-path-merged, strategy=gold",
        "uni-path-merged",
        "better",
    ),
)
"""The first four are the paper's, the rest what its explanation implies and what would follow from it."""

NOT_JUDGED = "not judged: too little learned"


def claims_table(grid: Grid) -> pd.DataFrame:
    """One row a claim and training-set size, tested on the grid's only budget (:func:`ases.cells.at_plateau`).

    Columns: ``train_size, claim, first, second, measure, difference`` (first - second), ``low, high`` (95 %, paired on
    seeds and questions), ``p_holm`` (over all claims tested), ``n, seeds, finding``. A claim about an arm that the grid
    does not hold is not testable; where nobody has learned to answer (:func:`ases.cells.at_floor`) none is judged.
    Accuracies as shares, BLEU (sentence) from 0 to 100. Raises DataError for a grid of several budgets.
    """
    if grid.predictions["budget"].nunique() != 1:
        raise DataError("claims are tested at one budget: give at_plateau(grid), or a grid of one")
    headline_name, rows = headline(grid.predictions), []
    for size, part in grid.predictions.groupby("train_size", sort=False):
        there = set(part["arm"])
        for claim in CLAIMS:
            value = claim.value if claim.value != "correct" else headline_name
            keys = {"train_size": size, "claim": claim.text, "first": claim.first, "second": claim.second}
            row = {**keys, "measure": value, "kind": claim.kind}
            if {claim.first, claim.second} <= there:
                pair = part[part["arm"].isin([claim.first, claim.second])]
                pair = pair.assign(method=pair["arm"])
                (found,) = compare(pair, baseline=claim.second, value=value).to_dict("records")
                row |= {name: found[name] for name in ("difference", "low", "high", "p", "n", "seeds")}
            rows.append(row)
    table = pd.DataFrame(rows).reindex(columns=[*rows[0], "difference", "low", "high", "p", "n", "seeds"])
    table = table.loc[:, ~table.columns.duplicated()]
    tested = table["difference"].notna()
    table["p_holm"] = float("nan")
    if tested.any():
        table.loc[tested, "p_holm"] = holm(table.loc[tested, "p"])
    table["floor"] = table["train_size"].isin(_floors(grid))
    table["finding"] = [_finding(row) for row in table.to_dict("records")]
    table["finding"] = [_with_answers(row, table) for row in table.to_dict("records")]
    columns = "train_size claim first second measure difference low high p_holm n seeds finding".split()
    return table[columns]


def _floors(grid: Grid) -> set[int]:
    """The training-set sizes with which nobody has learned to answer, which only an arm that answers alone can show."""
    if "answer-only" not in grid.baselines:
        return set()
    return {size for size, part in cell_table(grid).groupby("train_size") if at_floor(part)}


def _finding(row: dict) -> str:
    """The rule: an interval beyond 0 and a corrected p below 0.05 decide; equality needs an interval within MARGIN."""
    if pd.isna(row["difference"]):
        return "not testable here"
    if row["floor"]:
        return NOT_JUDGED
    clear = row["p_holm"] < 0.05
    if row["kind"] == "equal":
        if row["low"] > -MARGIN and row["high"] < MARGIN:
            return "confirmed"
        better = "one model is ahead" if row["difference"] > 0 else "two models are ahead"
        return f"not confirmed: not equal, {better}" if clear else "undecided"
    wanted = row["difference"] > 0 if row["kind"] == "better" else row["difference"] < 0
    if not clear:
        return "not confirmed: cannot be told apart"
    return "confirmed" if wanted else "not confirmed: the opposite"


def _with_answers(row: dict, table: pd.DataFrame) -> str:
    """The finding; a claim of lower BLEU is confirmed where the same arm is clearly better, too."""
    if row["measure"] != "bleu" or row["finding"] != "confirmed":
        return row["finding"]
    answers = _beside_bleu(row, table)
    if len(answers) and answers["finding"].iloc[0] == "confirmed":
        return row["finding"]
    return "not confirmed: lower BLEU, but not better"


def claims_shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table as a reader wants it: one row a claim, a column a training-set size with finding, effect, interval.

    A claim names its two arms, and what the paper reports of it; one about BLEU says what became of accuracy, too.
    """
    paper, shown = {claim.text: claim.paper for claim in CLAIMS}, {}
    for (size, claim, first, second), part in table.groupby(["train_size", "claim", "first", "second"], sort=False):
        row = part.iloc[0]
        text = row["finding"]
        if pd.notna(row["difference"]):
            text += f"{',' if ':' in text else ':'} {_effect_text(row)}"
            others = _beside_bleu(row, table)
            text += f", with {_effect_text(others.iloc[0])}" if len(others) else ""
        found = shown.setdefault(f"{claim} ({first} against {second})", {"the paper": paper.get(claim) or "-"})
        found[f"{size:,} training examples"] = text
    return pd.DataFrame(shown).T.rename_axis("claim").reset_index()


def _effect_text(row: pd.Series) -> str:
    effect = row["difference"], row["low"], row["high"]
    if row["measure"] != "bleu":
        return interval_text(effect, row["measure"])
    return "{:+.1f} BLEU ({:+.1f} to {:+.1f})".format(*effect)


def _beside_bleu(row: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    """Of a claim about BLEU: the rows about the same two arms in the measure of the other claims, if there are any."""
    keys = ["train_size", "first", "second"]
    alike = (table[keys] == [row[key] for key in keys]).all(axis=1)
    return table[alike & (table["measure"] != "bleu") & table["difference"].notna() & (row["measure"] == "bleu")]
