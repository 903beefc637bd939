"""Learning rates of a grid's arms -> which is best for each on validation questions, and the arms at their best.

>>> rates = rates_table(gather(cells))                                            # doctest: +SKIP
>>> cell_table(at_best_rate(gather(cells), rates))                                # doctest: +SKIP

An arm stands in such a grid once as it is, with its usual rate, and once with each further ``learning_rate``.
Validation questions choose, test questions measure. Ours.
"""

from __future__ import annotations

import pandas as pd

from ases.arms import LEARNING_RATE, arm_text, read_arm, read_budget
from ases.cells import Grid
from ases.measures import MEASURES, headline, measure_in
from ases.statistics import summarise

_PLACE = ["train_size", "budget"]


def rates_table(grid: Grid) -> pd.DataFrame:
    """One row an arm and learning rate at each training-set size and budget, in the order of the grid.

    ``grid`` is what :func:`ases.cells.gather` makes of cells. Columns: ``train_size, budget, arm`` (without its rate),
    ``learning_rate, usual_rate`` (that of the arm without one of its own; NaN where that was not run), ``chosen`` (the
    best on validation questions; of equals the first), ``valid`` (accuracy or ROUGE-L there, the mean over seeds), then
    on test questions ``accuracy`` (or ``rouge_l``) with ``low, high`` (95 %) and ``n, seeds``; and ``written``, the arm
    as the grid names it. What trains nothing has no row.
    """
    measure = MEASURES[headline(grid.predictions)]
    costs = grid.costs.groupby([*_PLACE, "arm"])[["valid", LEARNING_RATE]].mean()
    rows = []
    for (size, budget), part in grid.predictions.groupby(_PLACE, sort=False):
        found = summarise(part.assign(method=part["arm"]), value=measure.name).set_index("method")
        own = costs.loc[size, budget].dropna(subset=LEARNING_RATE)
        for name in (one for one in grid.baselines if one in own.index):
            row, cost, arm = found.loc[name], own.loc[name], without_rate(name)
            usual = own[LEARNING_RATE].get(arm, float("nan"))
            keys = {"train_size": size, "budget": budget, "arm": arm, LEARNING_RATE: cost[LEARNING_RATE]}
            keys |= {"usual_rate": usual, "valid": cost["valid"]}
            shown = {measure.column: row["mean"], **row[["low", "high", "n", "seeds"]].to_dict()}
            rows.append({**keys, **shown, "written": name})
    table = pd.DataFrame(rows).astype({"n": int, "seeds": int})
    best = table.groupby([*_PLACE, "arm"], sort=False)["valid"].idxmax()
    table.insert(5, "chosen", table.index.isin(best))
    return table


def without_rate(arm: str) -> str:
    """An arm's name without the learning rate that is its own: ``uni-path`` for ``uni-path, learning_rate=6e-3``."""
    return read_arm(arm).name_without_rate


def at_best_rate(grid: Grid, rates: pd.DataFrame) -> Grid:
    """The grid with each arm at the rate that :func:`rates_table` has chosen, under its name without the rate.

    An arm that trains nothing has none to choose, and stays as it is.
    """
    chosen = rates.loc[rates["chosen"], [*_PLACE, "written", "arm"]].rename(columns={"arm": "short"})
    sizes, budgets = (grid.costs[name].unique() for name in _PLACE)
    in_order = (sorted(sizes), sorted(budgets, key=lambda budget: read_budget(budget).order))
    rank = {name: {value: at for at, value in enumerate(one)} for name, one in zip(_PLACE, in_order, strict=True)}
    parts = []
    for table in (grid.predictions, grid.costs):
        found = table.merge(chosen, how="left", left_on=[*_PLACE, "arm"], right_on=[*_PLACE, "written"])
        kept = found[found["short"].notna() | ~found["arm"].isin(rates["written"])]
        kept = kept.assign(arm=kept["short"].fillna(kept["arm"])).drop(columns=["short", "written"])
        # As :func:`ases.cells.gather` has sizes and budgets in order, whichever rates were chosen.
        by_rank = {"key": lambda column: column.map(rank[column.name]), "kind": "stable", "ignore_index": True}
        parts.append(kept.sort_values(_PLACE, **by_rank))
    there = set(parts[0]["arm"])
    names = dict.fromkeys(without_rate(arm) for arm in grid.baselines)
    return Grid(*parts, {arm: read_arm(arm).baseline for arm in names if arm in there})


def rate_findings(rates: pd.DataFrame) -> list[str]:
    """The chosen rates in sentences, one a training-set size and budget; every figure is read from the table."""
    measure, lines = measure_in(rates), []
    for (size, budget), part in rates.groupby(_PLACE, sort=False):
        texts, edges = [], []
        for arm, rows in part.groupby("arm", sort=False):
            row = rows[rows["chosen"]].iloc[0]
            usual = rows[rows[LEARNING_RATE] == row["usual_rate"]]
            gained = row["valid"] - usual["valid"].iloc[0] if len(usual) else 0.0
            text = measure.text(row["valid"])
            text += f", {measure.difference_text(gained)} over its usual rate" if gained else ", its usual rate"
            texts.append(f"{arm_text(arm)} {row[LEARNING_RATE]:g} ({text})")
            if len(rows) > 1 and row[LEARNING_RATE] in (rows[LEARNING_RATE].min(), rows[LEARNING_RATE].max()):
                edges.append(arm)
        lines.append(f"{size:,} training examples, {budget}: best on validation questions are {', '.join(texts)}.")
        if edges:
            lines.append(
                f"At an end of the rates tried, so that a better one may lie beyond: {', '.join(map(arm_text, edges))}."
            )
    return lines
