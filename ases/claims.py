"""The paper's claims beside what a grid of runs finds: confirmed, not confirmed, or not testable here.

>>> claims_table(at_plateau(grid))[["claim", "finding", "difference", "low", "high"]]    # doctest: +SKIP

What the paper claims is second-hand (METHOD, headline figures). A claim is a comparison of two arms; the rule that
turns it into a finding is fixed here, before any result.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ases.cells import Grid
from ases.errors import DataError
from ases.measures import MEASURES, headline
from ases.statistics import compare, holm
from ases.verdicts import interval_text

MARGIN = 0.03
"""Two arms do as well as each other when the whole 95 % interval of their difference lies within this (accuracy)."""


@dataclass(frozen=True)
class Claim:
    """``first`` is said to be ``better`` than ``second``, ``worse``, or ``equal`` to it, by ``value``; arms by name."""

    text: str
    first: str
    second: str
    kind: str
    value: str = "correct"


CLAIMS = (
    Claim("AS-ES with one model beats seq2seq", "uni-path-merged", "seq2seq", "better"),
    Claim("AS-ES with two models beats seq2seq", "dual-path-merged", "seq2seq", "better"),
    Claim("One model does as well as two", "uni-path-merged", "dual-path-merged", "equal"),
    Claim("AS-ES chains have lower BLEU than seq2seq's", "uni-path-merged", "seq2seq", "worse", "bleu"),
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


def claims_table(grid: Grid) -> pd.DataFrame:
    """One row a claim and training-set size, tested on the grid's only budget (:func:`ases.cells.at_plateau`).

    Columns: ``train_size, claim, first, second, measure, difference`` (first - second), ``low, high`` (95 %, paired on
    seeds and questions), ``p_holm`` (over all claims tested), ``n, seeds, finding``. A claim about an arm that the grid
    does not hold is not testable. Accuracies as shares, BLEU (sentence) from 0 to 100. Raises DataError for a grid of
    several budgets.
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
    table["finding"] = [_finding(row) for row in table.to_dict("records")]
    columns = "train_size claim first second measure difference low high p_holm n seeds finding".split()
    return table[columns]


def _finding(row: dict) -> str:
    """The rule: an interval beyond 0 and a corrected p below 0.05 decide; equality needs an interval within MARGIN."""
    if pd.isna(row["difference"]):
        return "not testable here"
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


def claims_shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table as a reader wants it: one row a claim, a column a training-set size with finding, effect, interval.

    A claim names its two arms; one about BLEU says what became of accuracy, too, since the paper found it to be higher.
    """
    shown = {}
    for (size, claim, first, second), part in table.groupby(["train_size", "claim", "first", "second"], sort=False):
        row = part.iloc[0]
        text = row["finding"]
        if pd.notna(row["difference"]):
            text += f"{',' if ':' in text else ':'} {_effect_text(row)}{_beside_bleu(row, table)}"
        shown.setdefault(f"{claim} ({first} against {second})", {})[f"{size:,} training examples"] = text
    return pd.DataFrame(shown).T.rename_axis("claim").reset_index()


def _effect_text(row: pd.Series) -> str:
    effect = row["difference"], row["low"], row["high"]
    if row["measure"] != "bleu":
        return interval_text(effect, row["measure"])
    return "{:+.1f} BLEU ({:+.1f} to {:+.1f})".format(*effect)


def _beside_bleu(row: pd.Series, table: pd.DataFrame) -> str:
    """Of a claim about BLEU: the difference of the same two arms in the measure of the other claims, if it is there."""
    alike = (table[["train_size", "first", "second"]] == row[["train_size", "first", "second"]]).all(axis=1)
    others = table[alike & (table["measure"] != "bleu") & table["difference"].notna()]
    if row["measure"] != "bleu" or others.empty:
        return ""
    measure = MEASURES[others["measure"].iloc[0]]
    said = measure.difference_text(others["difference"].iloc[0])
    return f", with {said} {'points in ' if measure.share else ''}{measure.label}"
