"""What a start checkpoint buys: the same methods, from scratch and from it, on training sets of several sizes.

>>> table = start_table(run.inputs)                                              # doctest: +SKIP
>>> table[["train_size", "method", "start", "accuracy", "difference", "p_holm"]]  # doctest: +SKIP

Two starts of one shape are compared on the same test questions, each after the same training FLOPs on the same
examples; the first start listed is the one that the others are held against.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from ases.errors import DataError
from ases.measures import headline, measure_in
from ases.presets import is_preset
from ases.settings import Settings
from ases.statistics import compare, holm, summarise
from ases.training import read_training


class GenerationRun(Protocol):
    """What :func:`start_table` needs of a generation run."""

    settings: Settings
    parameters: dict[str, Any]
    folder: Path

    def input(self, step: str) -> Any: ...


def start_name(model: str) -> str:
    """``micro, from scratch`` for a preset, a checkpoint's name or folder as it was given."""
    return f"{model}, from scratch" if is_preset(model) else model


def start_table(generations: Sequence[GenerationRun]) -> pd.DataFrame:
    """One row a training set, method and start.

    Columns: ``train_size, method, start, n`` (questions), ``seeds, accuracy`` (or ``rouge_l``), ``low, high``,
    ``difference`` to the first start with ``difference_low, difference_high`` and ``p_holm``, corrected over all rows
    that have one (95 %, paired: :func:`ases.statistics.compare`), ``epochs, training_flops`` (means over seeds),
    ``start_flops``: what making the start had cost, 0 from scratch and empty where no recipe lies beside it. Raises
    DataError for a single start.
    """
    predictions, spent = [], []
    for one in generations:
        model, training = one.parameters["model"], one.input("training")
        keys = {
            "train_size": int(one.input("data").manifest()["numbers"]["train"]),
            "method": training.settings.training.method,
            "start": start_name(model),
        }
        budget = read_training(training.folder).budget
        cost = {"epochs": budget["epochs"].mean(), "training_flops": float(budget["flops"].sum())}
        spent.append({**keys, **cost, "start_flops": _cost(training.settings.training.model)})
        predictions.append(pd.read_parquet(one.folder / "predictions.parquet").assign(**keys))
    table = pd.concat(predictions, ignore_index=True)
    starts = list(dict.fromkeys(table["start"]))
    if len(starts) < 2:
        raise DataError(f"{', '.join(starts) or 'nothing'} is the only start here; give starts a second one")
    measure = measure_in(pd.DataFrame(columns=["rouge_l" if headline(table) == "rouge_l" else "accuracy"]))
    rows = [
        _cell(part, starts[0], measure.name).assign(train_size=size, method=method)
        for (size, method), part in table.groupby(["train_size", "method"], sort=False)
    ]
    found = pd.concat(rows, ignore_index=True).rename(columns={"mean": measure.column})
    compared = found["p"].notna()
    found.loc[compared, "p_holm"] = holm(found.loc[compared, "p"])
    costs = pd.DataFrame(spent).groupby(["train_size", "method", "start"], as_index=False).mean()
    found = found.merge(costs, on=["train_size", "method", "start"], validate="one_to_one")
    names = ["train_size", "method", "start", "n", "seeds", measure.column, "low", "high"]
    names += ["difference", "difference_low", "difference_high", "p_holm", "epochs", "training_flops", "start_flops"]
    return found[names]


def _cell(part: pd.DataFrame, first: str, value: str) -> pd.DataFrame:
    """The starts of one method on one training set, each against the first."""
    of_start = part.assign(method=part["start"])  # the tables of statistics tell rows apart by method
    means = summarise(of_start, value=value).set_index("method")
    against = compare(of_start, baseline=first, value=value).set_index("method")
    names = {"difference": "difference", "low": "difference_low", "high": "difference_high", "p": "p"}
    joined = means.drop(columns="value").join(against[list(names)].rename(columns=names))
    return joined.rename_axis("start").reset_index()


def _cost(model: str) -> float:
    """Training FLOPs in a checkpoint that :mod:`ases.pretraining` made; NaN for another whose cost nobody has told."""
    if is_preset(model):
        return 0.0
    recipe = _recipe(model)
    return float(recipe["flops"]) if recipe is not None else float("nan")


def _recipe(checkpoint: str) -> dict[str, Any] | None:
    """What :func:`ases.pretraining.pretrain` left beside a checkpoint, None where another made it."""
    path = Path(checkpoint).parent / "recipe.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def start_findings(table: pd.DataFrame) -> list[str]:
    """The table in sentences, one a difference, and what making the start cost in trainings; read from the table."""
    measure, lines = measure_in(table), []
    keys = ["train_size", "method"]
    for (size, method), part in table.groupby(keys, sort=False):
        base, apart = part.iloc[0], measure.difference_text
        for row in part.iloc[1:].to_dict("records"):
            clear = row["p_holm"] < 0.05
            verdict = "" if clear else ", which cannot be told apart"
            unit = " points" if measure.share else ""
            lines.append(
                f"{size:,} training examples, {method}: {measure.text(base[measure.column])} from {base['start']}, "
                f"{measure.text(row[measure.column])} from {row['start']}{verdict} ({apart(row['difference'])}{unit}, "
                f"95 % interval {apart(row['difference_low'])} to {apart(row['difference_high'])})."
            )
    made = table[table["start_flops"] > 0]
    for start, part in made.groupby("start", sort=False):
        ratio = part["start_flops"].iloc[0] / part["training_flops"].mean()
        lines.append(f"Making {start} took {ratio:.1f} times the training FLOPs of one run here; it is made once.")
    return lines


def recipes(generations: Sequence[GenerationRun]) -> pd.DataFrame:
    """What each start of these runs was made from, a column a start: texts, training FLOPs, loss of the gaps.

    Empty from scratch, and where no recipe of ours lies beside the checkpoint.
    """
    places = {one.parameters["model"]: one.input("training").settings.training.model for one in generations}
    columns = {}
    for model, place in places.items():
        column: dict[str, Any] = {}
        recipe = None if is_preset(model) else _recipe(place)
        if recipe is not None:
            column = {f"texts: {row['source']}": f"{row['texts']:,}" for row in recipe["texts"]["account"]}
            column |= {"tokens": f"{recipe['tokens']:,}", "epochs": f"{recipe['epochs']:.1f}"}
            column |= {"training FLOPs": f"{recipe['flops']:.2g}", "parameters": f"{recipe['parameters']:,}"}
            column |= {"loss of gaps held out (nats)": f"{recipe['validation_loss']:.3f}"}
        columns[start_name(model)] = pd.Series(column, dtype=object)
    return pd.DataFrame(columns).fillna("")
