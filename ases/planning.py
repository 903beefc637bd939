"""What a grid of runs could have found, and how many seeds would find what one aims at.

>>> power_line(cell_table(grid))                                                  # doctest: +SKIP
>>> seeds_line(seeds_table(grid, aim=0.03))                                       # doctest: +SKIP

Grids and their tables are those of :mod:`ases.cells`, power is :mod:`ases.power`'s. Ours.
"""

from __future__ import annotations

import math

import pandas as pd

from ases.cells import Grid, by_baseline
from ases.certainty import few_seeds, power_table, seeds_needed
from ases.measures import MEASURES, measure_in
from ases.verdicts import unit_of


def power_line(table: pd.DataFrame) -> str:
    """The smallest differences that a :func:`cell_table` could find, in words, and whether its seeds are too few.

    By training-set size, each comparison counted alone and at the strictest step of Holm's correction over the table.
    Empty where nothing can be said of it.
    """
    measure, found, seeds = measure_in(table), table[table["detectable"].notna()], int(table["seeds"].max())
    if found.empty:
        return ""

    def text(values: pd.Series) -> str:
        return " and ".join(measure.difference_text(one).lstrip("+") for one in (values.median(), values.max()))

    said = []
    for size, part in found.groupby("train_size", sort=False):
        one = f"with {size:,} training examples {text(part['detectable'])} {unit_of(measure)}, each counted alone"
        strictest = f", {text(part['detectable_corrected'])} at the strictest step of Holm's correction"
        said.append(one + strictest * (len(found) > 1))
    start = (
        f"With {table['n'].max():,.0f} test questions and {seeds} seed{'s' if seeds > 1 else ''} the smallest "
        "difference found with 80 % power, for the middle one of these comparisons and the worst, is"
    )
    return " ".join(filter(None, [f"{start}: {'; '.join(said)}.", few_seeds(seeds)]))


def seeds_table(grid: Grid, aim: float) -> pd.DataFrame:
    """How many seeds would find a difference of ``aim`` with 80 % power: a row an arm, training-set size and budget.

    Counted for one comparison alone; after a correction for all of them it takes more. Columns: ``train_size, budget,
    arm, measure, n, seeds`` (as run), ``detectable``, what these find, ``aim``, ``needed``, the seeds for it on as many
    questions (:func:`ases.certainty.seeds_needed`; NaN where only more questions would help), ``seed_spread`` and
    ``question_spread`` of the difference, as standard deviations. Empty for a grid of one seed.
    """
    rows = []
    for (size, budget), part in grid.predictions.groupby(["train_size", "budget"], sort=False):
        for baseline, of_one in by_baseline(part, grid.baselines):
            if of_one["seed"].nunique() > 1:
                power = power_table(of_one, baseline)
                rows.append(power.assign(aim=aim, needed=seeds_needed(power, aim), train_size=size, budget=budget))
    columns = "train_size budget arm measure n seeds detectable aim needed seed_spread question_spread".split()
    if not rows:
        return pd.DataFrame(columns=columns)
    named = {"method": "arm", "detectable_difference": "detectable"}
    return pd.concat(rows, ignore_index=True).rename(columns=named)[columns]


def seeds_line(table: pd.DataFrame) -> str:
    """A :func:`seeds_table` in words, empty where it is."""
    if table.empty:
        return ""
    measure, needed, aim = MEASURES[table["measure"].iloc[0]], table["needed"].dropna(), table["aim"].iloc[0]
    size = f"{measure.difference_text(aim).lstrip('+')} {unit_of(measure)}"
    found = int((table["needed"] <= table["seeds"]).sum())
    said = f"A difference of {size} would be found with 80 % power in {found} of these {len(table)} comparisons"
    if len(needed) > found:
        said += f", with {math.ceil(needed.median())} seeds in half of the {len(needed)} that seeds alone can decide"
    if len(needed) < len(table):
        said += f"; {len(table) - len(needed)} would take more questions as well"
    return said + "."
