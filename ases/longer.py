"""Problems longer than any that training has shown: how many steps do arms write there, and do they get them right?

>>> table = longer_table(chains_by_length(runs.cells(run)))                       # doctest: +SKIP

An arm with ``longest_learned`` is tested on longer problems alone, so that its method as it is otherwise set stands
beside it on those of the lengths that both have learned. Steps are those of :mod:`ases.steps`. Ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from ases.arms import Arm
from ases.needs import Cell
from ases.ratios import ratio_table
from ases.statistics import proportion_interval

_OF_LENGTH = ("steps_from", "steps_to", "longest_learned")
_PLACE = ["train_size", "budget", "arm", "method", "longer"]
VALUES = ("written", "enough", "correct")


def method_of(arm: Arm) -> str:
    """The arm without what it says about lengths, which an arm and its neighbour on learned lengths share."""
    return ", ".join([arm.method, *arm.own(without=_OF_LENGTH)])


def chains_by_length(cells: Sequence[Cell]) -> pd.DataFrame:
    """One row a chain of the arms with ``longest_learned`` and of their neighbours without; none where there are none.

    ``train_size, budget, arm, method`` (:func:`method_of`), ``longer`` (whether training has shown no problem of that
    length), ``seed, qid, needed`` (operations of the question), ``written`` (steps of the chain), ``enough`` (as many
    as needed, at the least), ``correct``.
    """
    trained = [cell for cell in cells if cell.seed is not None]
    tested = {method_of(cell.arm) for cell in trained if cell.run.settings.data.longest_learned}
    rows = []
    for cell in trained:
        if (method := method_of(cell.arm)) not in tested:
            continue
        asked = pd.read_parquet(cell.run.path("predictions.parquet"), columns=["qid", "steps"])
        found = pd.read_parquet(cell.run.path("first_errors.parquet"), columns=["qid", "steps", "correct"])
        table = asked.rename(columns={"steps": "needed"}).merge(found, on="qid", validate="one_to_one")
        learned = cell.run.settings.data.longest_learned or cell.run.settings.data.steps_to
        keys = {"train_size": cell.train_size, "budget": cell.budget.name, "arm": cell.arm.name, "method": method}
        rows.append(table.assign(longer=table["needed"] > learned, seed=cell.seed, **keys))
    if not rows:
        return pd.DataFrame(columns=[*_PLACE, "seed", "qid", "needed", *VALUES])
    table = pd.concat(rows, ignore_index=True).rename(columns={"steps": "written"})
    table["enough"] = table["written"] >= table["needed"]
    return table[[*_PLACE, "seed", "qid", "needed", *VALUES]]


def longer_table(chains: pd.DataFrame, by: Sequence[str] = ("needed",)) -> pd.DataFrame:
    """Means of ``written``, ``enough`` and ``correct`` over the chains of each arm and length, with ``_low, _high``.

    ``chains`` is that of :func:`chains_by_length`; intervals are 95 % (:func:`ases.ratios.ratio_table` of steps,
    :func:`share_table` of shares); ``n, questions, seeds`` count. With an empty ``by`` an arm has one row for all
    lengths that it has learned, and one for all longer ones.
    """
    keys, found = [*_PLACE, *by], None
    for value in VALUES:
        table = (ratio_table if value == "written" else share_table)(chains.astype({value: float}), value, keys)
        table = table.rename(columns={"low": f"{value}_low", "high": f"{value}_high"})
        counts = ["n", "questions", "seeds"]
        found = table if found is None else found.drop(columns=counts).merge(table, on=keys)
    return found.sort_values(list(by), kind="stable", ignore_index=True) if by else found


def share_table(table: pd.DataFrame, value: str, by: Sequence[str]) -> pd.DataFrame:
    """:func:`ases.ratios.ratio_table` of a share, with an interval for none and all, too, which no draw can widen.

    That is Wilson's over the questions.
    """
    found = ratio_table(table, value, by)
    for row in found.index[found[value].isin([0, 1]) & (found["low"] == found["high"])]:
        count = int(found.loc[row, "questions"])
        wilson = proportion_interval(round(found.loc[row, value] * count), count)
        found.loc[row, ["low", "high"]] = wilson.low, wilson.high
    return found


def share_text(row: Mapping[str, float], value: str) -> str:
    """A share of a row of :func:`longer_table` in words: ``12% (10% to 14%)``; one question has no interval."""
    middle, low, high = (row[name] for name in (value, f"{value}_low", f"{value}_high"))
    return f"{middle:.0%}" if pd.isna(low) else f"{middle:.0%} ({low:.0%} to {high:.0%})"


def longer_findings(table: pd.DataFrame) -> list[str]:
    """A :func:`longer_table` by ``needed`` in sentences, one an arm and length."""
    lines = []
    for (size, budget, method), rows in table.groupby(["train_size", "budget", "method"], sort=False):
        said = [
            f"of problems of {row['needed']} step{'s'[: row['needed'] > 1]}{', never shown,' if row['longer'] else ''} "
            f"{share_text(row, 'enough')} of chains have so many or more, "
            f"and {share_text(row, 'correct')} the right answer"
            for row in rows.sort_values(["longer", "needed"]).to_dict("records")
        ]
        lines.append(f"{size:,} training examples, {budget}, {method}: {'; '.join(said)}.")
    return lines
