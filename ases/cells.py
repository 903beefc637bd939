"""A grid of runs -> tables: every arm at every training-set size and budget, and each at its best budget.

>>> grid = gather(runs.cells(run))                                               # doctest: +SKIP
>>> cell_table(grid)[["arm", "train_size", "budget", "accuracy", "difference"]]  # doctest: +SKIP

An arm (:mod:`ases.arms`) is held against seq2seq on the same task, test questions and seeds. Validation questions
choose an arm's plateau, test questions measure it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from ases.arms import LEARNING_RATE, LOOKUP, Arm, Budget, read_arm
from ases.certainty import power_table
from ases.effects import effect_sizes
from ases.errors import DataError
from ases.evaluation import budgets_of, measure_by_length, steps_of
from ases.examples import read_examples
from ases.lookup import lookup_predictions
from ases.measures import MEASURES, Measure, headline, measure_in
from ases.power import ALPHA
from ases.statistics import compare, holm, summarise
from ases.verdicts import CLOSE, accuracy_of, apart

BEST = "best budget"
"""The name of the budget that each arm was best with on validation questions."""

_KEYS = ["train_size", "budget", "arm"]
_VALUES = ("correct", "bleu", "rouge_l", "flops", "steps")
_BESIDE = ("bleu", "rouge_l")
_COMPARED = ("difference", "difference_low", "difference_high", "p")


class Cell(Protocol):
    """What :func:`gather` needs of a cell (:class:`ases.needs.Cell`)."""

    arm: Arm
    train_size: int
    budget: Budget | None
    seed: int | None
    run: Any


@dataclass(frozen=True)
class Grid:
    """A grid's results. ``baselines`` holds the arm that each arm is compared with.

    ``predictions`` has a row a cell and test question (``train_size, budget, arm, seed, qid`` and what was measured),
    ``costs`` one a cell: corpus ``bleu``, ``learning_rate, epochs, training_flops, target_tokens, scorer_flops``, and
    ``valid``, the best point of its validation curve. The arm that trains nothing stands at every budget and seed with
    the same predictions, so that it can be compared.
    """

    predictions: pd.DataFrame
    costs: pd.DataFrame
    baselines: dict[str, str]


def gather(cells: Sequence[Cell]) -> Grid:
    """Read the predictions, costs and validation curves of all cells.

    Rows are in the order of training-set sizes, then of budgets, then of the grid, whichever of them an arm has; the
    arm that trains nothing comes last.
    """
    trained = sorted((cell for cell in cells if cell.seed is not None), key=_place)
    if not trained:
        raise DataError("no arm of this grid is trained; name at least seq2seq")
    predictions, costs = [], []
    for cell in trained:
        keys = {"train_size": _examples(cell), "budget": cell.budget.name, "arm": cell.arm.name, "seed": cell.seed}
        table = pd.read_parquet(cell.run.path("predictions.parquet"))
        predictions.append(table[[name for name in ("qid", *_VALUES) if name in table]].assign(**keys))
        costs.append({**keys, **_costs(cell)})
    for cell in cells:
        if cell.seed is None:
            table = _looked_up(cell)
            alike = [one for one in trained if one.train_size == cell.train_size]
            for budget, seed in dict.fromkeys((one.budget.name, one.seed) for one in alike):
                keys = {"train_size": _examples(cell), "budget": budget, "arm": cell.arm.name, "seed": seed}
                predictions.append(table.assign(**keys))
                costs.append({**keys, "bleu": float("nan"), "training_flops": 0.0, "scorer_flops": 0.0})
    baselines = {cell.arm.name: cell.arm.baseline for cell in cells}
    return Grid(pd.concat(predictions, ignore_index=True), pd.DataFrame(costs), baselines)


def _place(cell: Cell) -> tuple[int, int, float]:
    return _examples(cell), *cell.budget.order


def _examples(cell: Cell) -> int:
    """How many training examples there are, which for size 0 (all that is left) the data knows."""
    if cell.train_size:
        return cell.train_size
    data = cell.run if cell.seed is None else cell.run.input("data")
    return int(data.manifest()["numbers"]["train"])


def _costs(cell: Cell) -> dict[str, float]:
    training = cell.run.input("training")
    spent = budgets_of([training])
    points = pd.read_parquet(training.path("points.parquet"))
    return {
        "bleu": float(cell.run.manifest()["numbers"]["bleu"]),
        "valid": float(points[measure_in(points).column].max()),
        LEARNING_RATE: cell.run.settings.training.learning_rate,
        "epochs": float(spent["epochs"].mean()),
        "training_flops": float(spent["flops"].sum()),
        "target_tokens": float(spent["target_tokens"].sum()),
        "scorer_flops": float(spent["scorer_flops"].max()),
    }


def _looked_up(cell: Cell) -> pd.DataFrame:
    train, test = (read_examples(Path(cell.run.path(f"{name}.parquet"))) for name in ("train", "test"))
    table = lookup_predictions(train, test)
    steps = table["qid"].map({example.qid: steps_of(example) for example in test})
    return table[[name for name in ("qid", *_VALUES) if name in table]].assign(flops=0.0, steps=steps)


def cell_table(grid: Grid) -> pd.DataFrame:
    """The main table: one row an arm at each training-set size and budget, arms in the order of the grid.

    Columns: ``train_size, budget, arm, n`` (questions), ``seeds, accuracy`` (or ``rouge_l``), ``low, high``,
    ``difference`` to the arm's baseline with ``difference_low, difference_high`` (95 %, paired: same seeds and
    questions) and ``p_holm``, corrected over all rows that have one; ``detectable``, the smallest difference that these
    seeds and questions find with 80 % power, counted alone, and ``detectable_corrected``, at the strictest step of
    Holm's correction, which the first of all rows has to pass; ``bleu`` of the corpus, ``rouge_l`` beside accuracy,
    ``valid, learning_rate, epochs, training_flops, target_tokens, scorer_flops, generation_flops`` (a question's):
    means over seeds; of :func:`at_plateau` also ``tried, largest``, its choice of budgets. Then ``cohens_h`` of
    accuracy's difference (``cohens_d`` of ROUGE-L's) with ``_low, _high`` (:func:`ases.effects.effect_sizes`); and for
    the mean sentence BLEU (0-100) and ROUGE-L (0-1), where predictions
    have them and they are not the headline, ``bleu_difference, bleu_difference_low, bleu_difference_high, bleu_p_holm``
    and the like: as accuracy has them, each measure's p corrected over the rows for itself.
    """
    measure = MEASURES[headline(grid.predictions)]
    beside = [name for name in _BESIDE if name != measure.name and name in grid.predictions]
    beside = [name for name in beside if grid.predictions[name].notna().all()]
    blocks = list(grid.predictions.groupby(["train_size", "budget"], sort=False))
    compared = sum(rows["arm"].nunique() - 1 for _, part in blocks for _, rows in by_baseline(part, grid.baselines))
    alphas = {"detectable": ALPHA, "detectable_corrected": ALPHA / max(compared, 1)}
    rows = []
    for (size, budget), part in blocks:
        rows.append(_block(part, grid.baselines, measure, beside, alphas).assign(train_size=size, budget=budget))
    table = pd.concat(rows, ignore_index=True)
    for start in ("", *(f"{name}_" for name in beside)):
        compared = table[f"{start}p"].notna()
        table[f"{start}p_holm"] = float("nan")
        if compared.any():
            table.loc[compared, f"{start}p_holm"] = holm(table.loc[compared, f"{start}p"])
    table = table.merge(grid.costs.groupby(_KEYS, sort=False).mean().drop(columns="seed").reset_index(), on=_KEYS)
    first = [*_KEYS, "n", "seeds", measure.column, "low", "high", *_COMPARED[:-1], "p_holm", *alphas, "bleu"]
    shown = ["rouge_l"] if measure.name == "correct" else []
    last = ["valid", LEARNING_RATE, "epochs", "training_flops", "target_tokens", "scorer_flops", "generation_flops"]
    others = [f"{name}_{column}" for name in beside for column in (*_COMPARED[:-1], "p_holm")]
    choice = [name for name in ("tried", "largest") if name in table]
    return table[[*first, *shown, *last, *choice, *_effect(measure), *others]]


def at_floor(part: pd.DataFrame) -> bool:
    """Whether nobody has learned to answer from rationales, in rows of a :func:`cell_table` of one size and budget.

    So it is where seq2seq leads answer-only by less than :data:`ases.verdicts.CLOSE` (the whole interval) and no
    trained arm is clearly better than both, its baseline and answer-only (by intervals taken to be independent).
    Without answer-only or answers there is no floor to see.
    """
    alone = part[part["arm"] == "answer-only"]
    if "accuracy" not in part or alone.empty or not (alone["difference_low"] > -CLOSE).all():
        return False
    better = part[(part["p_holm"] < 0.05) & (part["difference"] > 0) & ~part["arm"].str.startswith(LOOKUP)]
    answers = accuracy_of(alone.iloc[0])
    return not any(apart(accuracy_of(row), answers)[1] > 0 for _, row in better.iterrows())


def _effect(measure: Measure) -> list[str]:
    name = "cohens_h" if measure.share else "cohens_d"
    return [name, f"{name}_low", f"{name}_high"]


def _block(
    part: pd.DataFrame,
    baselines: dict[str, str],
    measure: Measure,
    beside: Sequence[str],
    alphas: Mapping[str, float],
) -> pd.DataFrame:
    """All arms at one training-set size and budget; ``alphas`` are levels by the column of what is found at them."""
    blocks = []
    for baseline, rows in _held_against(part, baselines):
        arms = summarise(rows, value=measure.name).set_index("method").drop(columns="value")
        if len(arms) > 1:
            effects = effect_sizes(rows, baseline=baseline, value=measure.name).set_index("method")[_effect(measure)]
            found = {name: power_table(rows, baseline, alpha).set_index("method") for name, alpha in alphas.items()}
            power = pd.DataFrame({name: one["detectable_difference"] for name, one in found.items()})
            others = [_compared(rows, baseline, name, f"{name}_") for name in beside]
            arms = arms.join([_compared(rows, baseline, measure.name), power, effects, *others])
        blocks.append(arms.rename(columns={"mean": measure.column}))
    found = pd.concat(blocks)
    compared = [f"{start}{name}" for start in ("", *(f"{name}_" for name in beside)) for name in _COMPARED]
    found = found.reindex(columns=list(dict.fromkeys([*found, *compared, *alphas, *_effect(measure)])))
    means = part.groupby("arm", sort=False)[[name for name in ("rouge_l", "flops") if name in part]].mean()
    means = means.rename(columns={"flops": "generation_flops"})
    means = means.drop(columns=[name for name in means if name == measure.column])
    in_order = [arm for arm in baselines if arm in found.index]
    return found.join(means).loc[in_order].rename_axis("arm").reset_index()


def _held_against(part: pd.DataFrame, baselines: dict[str, str]) -> Iterator[tuple[str, pd.DataFrame]]:
    # Arms on other data have other questions: only those that are held against one baseline have the same.
    yield from part.assign(method=part["arm"]).groupby(part["arm"].map(baselines), sort=False)


def by_baseline(part: pd.DataFrame, baselines: dict[str, str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each baseline with its predictions and those of the arms held against it, where there are any.

    With a column ``method``, by which the tables of :mod:`ases.statistics` tell rows apart.
    """
    return ((baseline, rows) for baseline, rows in _held_against(part, baselines) if rows["arm"].nunique() > 1)


def _compared(predictions: pd.DataFrame, baseline: str, value: str, start: str = "") -> pd.DataFrame:
    """Differences of a value to the baseline, by method: the columns of _COMPARED, their names begun with ``start``."""
    found = compare(predictions, baseline=baseline, value=value).set_index("method")
    return found[["difference", "low", "high", "p"]].set_axis([f"{start}{name}" for name in _COMPARED], axis=1)


def at_plateau(grid: Grid) -> Grid:
    """Each arm at each training-set size with the budget of FLOPs that was best on validation questions, as one grid.

    All arms that are held against one baseline choose there from the same budgets, those that each of them has had. The
    grid's only budget is named :data:`BEST`; ``costs`` has two further columns: ``tried``, how many budgets there were
    to choose from, and ``largest``, whether the best was the largest of them, so that the plateau may lie beyond it.
    Raises DataError where there is no budget in FLOPs, and where arms of one baseline and size have none in common.
    """
    costs = grid.costs[grid.costs["budget"].str.endswith(" flops")]
    if costs.empty:
        raise DataError("this grid has no budget in flops to choose from")
    groups = [costs["train_size"], costs["arm"].map(grid.baselines)]
    amounts, shared = costs["budget"].str.partition(" ")[0].astype(float), _had_by_all(costs, groups)
    if (alone := ~shared.groupby(groups).transform("any")).any():
        size, baseline = (one[alone].iloc[0] for one in groups)
        raise DataError(f"with {size} training examples {baseline!r} and its arms have no budget of FLOPs in common")
    of_all = amounts.where(shared).groupby(groups)
    costs = costs.assign(tried=of_all.transform("nunique"), largest=amounts == of_all.transform("max"))[shared]
    means = costs.groupby(_KEYS, sort=False)["valid"].mean().fillna(0.0).reset_index()
    best = means.loc[means.groupby(["train_size", "arm"], sort=False)["valid"].idxmax(), _KEYS]
    predictions = grid.predictions.merge(best, on=_KEYS)
    kept = costs.merge(best, on=_KEYS)
    return Grid(predictions.assign(budget=BEST), kept.assign(budget=BEST), grid.baselines)


def with_common_budgets(grid: Grid) -> Grid:
    """The grid with those budgets alone that every arm has at every training-set size, as far as one baseline goes.

    Where one size may train for longer than another, a curve over sizes would show that and not the data. Raises
    DataError where no budget is common to all.
    """
    kept = grid.costs[_had_by_all(grid.costs, [grid.costs["arm"].map(grid.baselines)])]
    if kept.empty:
        raise DataError("no budget of this grid is common to all its training-set sizes; add one for all of them")
    return Grid(grid.predictions.merge(kept[_KEYS].drop_duplicates(), on=_KEYS), kept, grid.baselines)


def _had_by_all(costs: pd.DataFrame, groups: Sequence[pd.Series]) -> pd.Series:
    """Whether the budget of each row has been had by all arms, at all sizes, of the row's group."""
    places = costs.groupby(["train_size", "arm"]).ngroup()
    with_it = places.groupby([*groups, costs["budget"]]).transform("nunique")
    return with_it == places.groupby(list(groups)).transform("nunique")


def against_usual(grid: Grid) -> Grid:
    """Each variant against its method as it is otherwise set, on the same questions: what does one choice change?

    Kept are the variants whose usual arm (:attr:`ases.arms.Arm.usual`) the grid holds, and those arms. Raises DataError
    where there is none.
    """
    usual = {arm: read_arm(arm).usual for arm in grid.baselines}
    varied = {one for arm, one in usual.items() if one in usual and arm != one}
    if not varied:
        raise DataError("this grid holds no variant of one of its arms, such as one of its own strategy")
    kept = {arm: one for arm, one in usual.items() if one in varied}
    return Grid(*(one[one["arm"].isin(kept)] for one in (grid.predictions, grid.costs)), kept)


def lengths_table(grid: Grid) -> pd.DataFrame:
    """Each arm's measure by how long the reference is: a row an arm and length at each training-set size and budget.

    ``train_size, budget, arm, baseline, steps`` (operations of the reference, or its pieces where there is no answer;
    many lengths are put into ranges up to ``steps_to``), then ``accuracy`` (or ``rouge_l``) with ``low, high`` (95 %)
    and ``n``, test questions of that length (:func:`ases.evaluation.measure_by_length`), and ``seeds``.
    """
    rank = {arm: place for place, arm in enumerate(grid.baselines)}
    rows = []
    for (size, budget), part in grid.predictions.groupby(["train_size", "budget"], sort=False):
        found = measure_by_length(part.assign(method=part["arm"])).rename(columns={"method": "arm"})
        found = found.sort_values(["arm", "steps"], key=lambda one: one.map(rank) if one.name == "arm" else one)
        seeds = found["arm"].map(part.groupby("arm")["seed"].nunique())
        keys = {"train_size": size, "budget": budget, "baseline": found["arm"].map(grid.baselines)}
        rows.append(found.assign(**keys, seeds=seeds))
    table = pd.concat(rows, ignore_index=True)
    first = [*_KEYS, "baseline", "steps"]
    return table[[*first, *(name for name in table if name not in first)]]


def by_flops(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a :func:`cell_table` whose budget is in FLOPs, of trained arms, with what they spent as ``flops``.

    None of an arm with one such budget only at a training-set size, which is no curve.
    """
    rows = table[table["budget"].str.endswith(" flops") & (table["training_flops"] > 0)]
    rows = rows[rows.groupby(["train_size", "arm"])["budget"].transform("nunique") > 1]
    return rows.rename(columns={"training_flops": "flops"}).reset_index(drop=True)


def seed_spread(grid: Grid) -> pd.DataFrame:
    """How much an arm's measure differs between seeds, a row an arm, training-set size and budget.

    ``least, mean, greatest`` of the seeds' means, ``deviation`` (standard deviation between them) and ``by_chance``,
    what drawing as many questions anew would give alone. Without the arm that trains nothing.
    """
    measure = headline(grid.predictions)
    means = grid.predictions.groupby([*_KEYS, "seed"], sort=False)[measure].mean()
    rows = []
    for keys, part in means.groupby(_KEYS, sort=False):
        n = grid.predictions["qid"].nunique()
        row = dict(zip(_KEYS, keys, strict=True)) | {"least": part.min(), "mean": part.mean(), "greatest": part.max()}
        chance = (part.mean() * (1 - part.mean()) / n) ** 0.5 if measure == "correct" else float("nan")
        rows.append(row | {"deviation": part.std(), "by_chance": chance, "seeds": len(part)})
    table = pd.DataFrame(rows)
    return table[table["arm"].map(lambda arm: not arm.startswith(LOOKUP))].reset_index(drop=True)
