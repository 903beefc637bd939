"""Pairs -> model: every method from the same start, for the same budget, resumable (METHOD, section 5).

>>> trained = train(method_pairs, validation_pairs, codec, settings, folder)      # doctest: +SKIP
>>> trained.budget[["model", "epochs", "flops", "target_tokens"]]                 # doctest: +SKIP

Weights are selected by validation loss, taken each epoch, each model on its own validation pairs. With several
processes the same function starts them (``torchrun -m ases.training JOB``) and follows them.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors.torch import load_model as load_weights
from transformers import PreTrainedModel

from ases.batches import Plan, plan_batches, price_of
from ases.checkpoints import write_whole
from ases.errors import AsesError, ModelError, ParameterError, RunError
from ases.losses import TokenLabels, collate, validation_loss, validation_losses
from ases.models import Cost, context_limit, cost_of, load_model, read_model, start_model
from ases.processes import alone, barrier, follow, inside, is_main, tell, tell_error
from ases.segments import Pair, models_of
from ases.settings import TrainingSettings
from ases.tokens import Codec, load_codec
from ases.trainer import Job, ModelRun, Progress

__all__ = [
    "Trained",
    "collate",
    "curve_models",
    "measured",
    "read_training",
    "train",
    "trained_models",
    "validation_loss",
    "validation_losses",
]


@dataclass(frozen=True)
class Trained:
    """What a training run leaves: its folder, its log (a row an evaluation) and its budget (a row a model).

    ``log``: ``step, epoch, flops, target_tokens, loss, loss_as, loss_es, model``. ``budget``: ``model, pairs, epochs,
    steps, target_tokens, flops, padded_flops, padding_waste`` (share of tokens), ``start_flops`` (what the weights that
    training began with had cost), ``selected_step``.
    """

    folder: Path
    log: pd.DataFrame
    budget: pd.DataFrame


def train(
    pairs: Sequence[Pair],
    validation: Sequence[Pair],
    codec: Codec,
    settings: TrainingSettings,
    folder: Path,
    progress: Progress = lambda message, done: None,
    *,
    start: Path | None = None,
    validation_labels: Sequence[TokenLabels] | None = None,
) -> Trained:
    """Train the models of one method and keep each one's best weights by validation loss.

    ``start`` is the folder of a finished seq2seq training, for ``init: seq2seq``; ``validation_labels``
    (:func:`ases.losses.target_labels`) let the log tell AS and ES tokens apart. A finished run is read, not repeated;
    an interrupted one goes on from its last whole checkpoint. Dual-path's models share a budget of FLOPs or target
    tokens in the proportion of what their pairs take of it, which gives them equal epochs. Raises ModelError for a
    loss that is not finite, naming the step and the questions, and for pairs longer than the model can read;
    RunError where the disk is full or another process trains in the folder.
    """
    folder = Path(folder)
    if (folder / "training.json").is_file():
        return read_training(folder)
    _check_start(settings, codec, start)
    if settings.processes > 1 and not inside():
        return _train_together(pairs, validation, codec, settings, folder, progress, start, validation_labels)
    names = models_of(settings.method)

    def begin() -> PreTrainedModel:
        if start is None:
            return start_model(settings.model, codec, settings.seed)
        return load_model(str(_whole_chain_model(start)), codec, settings.seed)

    first = begin()
    _check_lengths([*pairs, *validation], context_limit(first))
    cost = cost_of(first)
    by_model = {name: [pair for pair in pairs if pair.model == name] for name in names}
    _check_every_model_learns(settings.method, by_model, {pair.model for pair in validation})
    plans = _plans(by_model, cost, settings)

    def train_one(position: int, name: str) -> tuple[pd.DataFrame, dict[str, Any]]:
        def show(message: str, done: float) -> None:
            progress(f"{settings.method} {name}: {message}", (position + done) / len(names))

        held_out = [row for row, pair in enumerate(validation) if pair.model == name]
        labels = None if validation_labels is None else [validation_labels[row] for row in held_out]
        own = [validation[row] for row in held_out]
        job = Job(begin, codec, plans[name], by_model[name], own, labels, settings, folder / name, show)
        log, best = ModelRun(job).train()
        row = _budget_row(name, len(by_model[name]), plans[name], best, _cost_of_start(start))
        return log.assign(model=name), row

    with alone(folder):
        done = [train_one(position, name) for position, name in enumerate(names)]
        log, budget = pd.concat([log for log, _ in done], ignore_index=True), pd.DataFrame([row for _, row in done])
        if is_main():
            write_whole(folder / "training.json", {"log": log.to_dict("records"), "budget": budget.to_dict("records")})
        barrier()
    return Trained(folder, log, budget)


def _plans(by_model: Mapping[str, Sequence[Pair]], cost: Cost, settings: TrainingSettings) -> dict[str, Plan]:
    """The plan of each model; a dual-path's two share FLOPs and target tokens, and get epochs in full."""
    lengths = {name: [_size(pair) for pair in rows] for name, rows in by_model.items()}
    unit, cost_of_pair = settings.budget_unit, cost.training
    prices = {
        name: float(price_of(sizes, cost=cost_of_pair, unit=unit).sum()) if sizes else 0.0
        for name, sizes in lengths.items()
    }
    whole = 1.0 if unit == "epochs" else sum(prices.values())
    return {
        name: plan_batches(
            sizes,
            cost=cost_of_pair,
            budget=settings.budget * prices[name] / whole,
            batch_size=settings.batch_size,
            seed=settings.seed,
            unit=unit,
        )
        for name, sizes in lengths.items()
    }


def read_training(folder: Path) -> Trained:
    """A finished training run, from its folder. Raises RunError where it is not finished."""
    folder = Path(folder)
    try:
        content = json.loads((folder / "training.json").read_text())
    except FileNotFoundError as error:
        raise RunError(
            f"{folder} holds no finished training run; run the training notebook (04_training) first"
        ) from error
    return Trained(folder, pd.DataFrame(content["log"]), pd.DataFrame(content["budget"]))


def measured(folder: Path) -> pd.DataFrame:
    """What a finished run took on this machine, a row a model; differs from run to run.

    ``model, seconds`` (all sittings), ``real_tokens_per_second, flops_per_second, peak_flops_per_second`` (matrix
    products, measured in the same process), ``share_of_peak, peak_memory_mib, device, numbers, threads, processes,
    pairs_at_a_time, sittings`` (how often it was started).
    """
    rows = []
    for name in read_training(folder).budget["model"]:
        content = json.loads((Path(folder) / name / "measured.json").read_text())
        rows.append({"model": name, **content, "sittings": len(content["sittings"])})
    return pd.DataFrame(rows)


def trained_models(folder: Path, method: str) -> tuple[dict[str, PreTrainedModel], Codec]:
    """The selected weights of a finished run, by model name, and their vocabulary."""
    folder = Path(folder)
    names = models_of(method)
    for name in names:
        if not (folder / name / "model" / "config.json").is_file():
            raise RunError(f"{folder / name / 'model'} holds no model; run the training notebook (04_training) first")
    codec = load_codec(str(folder / names[0] / "model"), offline=True)
    return {name: read_model(folder / name / "model") for name in names}, codec


def curve_models(folder: Path, method: str, points: int) -> Iterator[tuple[float, dict[str, PreTrainedModel]]]:
    """The weights as they were at each point of the learning curve, with the share of the budget spent by then."""
    models, _ = trained_models(folder, method)
    for point in range(1, points + 1):
        for name, model in models.items():
            load_weights(model, str(Path(folder) / name / "curve" / f"{point}.safetensors"))
        yield point / points, models


def _train_together(
    pairs: Sequence[Pair],
    validation: Sequence[Pair],
    codec: Codec,
    settings: TrainingSettings,
    folder: Path,
    progress: Progress,
    start: Path | None,
    validation_labels: Sequence[TokenLabels] | None,
) -> Trained:
    """The same in several processes, which find what they need in a job's folder."""
    job = folder / "job"
    shutil.rmtree(job, ignore_errors=True)
    job.mkdir(parents=True)
    codec.save(job / "codec")
    _write_pairs(job / "pairs.parquet", pairs, None)
    _write_pairs(job / "validation.parquet", validation, validation_labels)
    content = {
        "settings": asdict(settings),
        "folder": str(folder.resolve()),
        "start": None if start is None else str(Path(start).resolve()),
        "labelled": validation_labels is not None,
    }
    write_whole(job / "job.json", content)
    follow("ases.training", job / "job.json", settings.processes, progress)
    shutil.rmtree(job)
    return read_training(folder)


def _run_job(path: Path) -> None:
    content = json.loads(path.read_text())
    settings = TrainingSettings(**content["settings"])
    codec = load_codec(str(path.parent / "codec"), offline=True)
    pairs, _ = _read_pairs(path.parent / "pairs.parquet")
    validation, labels = _read_pairs(path.parent / "validation.parquet")
    start = None if content["start"] is None else Path(content["start"])
    given = labels if content["labelled"] else None
    train(pairs, validation, codec, settings, Path(content["folder"]), tell, start=start, validation_labels=given)


def main(arguments: Sequence[str] | None = None) -> int:
    """``torchrun -m ases.training JOB``: one of the processes of the training that the job's file describes."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 1 or not Path(given[0]).is_file():
        print("usage: torchrun --nproc-per-node=N -m ases.training JOB, a file that training wrote", file=sys.stderr)
        return 2
    try:
        _run_job(Path(given[0]))
    except AsesError as error:
        tell_error(error)
        return 2
    return 0


def _write_pairs(path: Path, pairs: Sequence[Pair], labels: Sequence[TokenLabels] | None) -> None:
    table = pd.DataFrame([asdict(pair) for pair in pairs])
    table["labels"] = [None] * len(pairs) if labels is None else [list(row) for row in labels]
    table.to_parquet(path, index=False)


def _read_pairs(path: Path) -> tuple[list[Pair], list[TokenLabels]]:
    table = pd.read_parquet(path)
    pairs = [
        Pair(qid, model, label if isinstance(label, str) else None, tuple(map(int, context)), tuple(map(int, target)))
        for qid, model, label, context, target in table[["qid", "model", "label", "context", "target"]].itertuples(
            index=False
        )
    ]
    return pairs, [() if row is None else tuple(row) for row in table["labels"]]


def _budget_row(name: str, pairs: int, plan: Plan, best: int, start_flops: float) -> dict[str, Any]:
    return {
        "model": name,
        "pairs": pairs,
        "epochs": round(plan.epochs, 3),
        "steps": len(plan.batches),
        "target_tokens": sum(plan.target_tokens),
        "flops": sum(plan.flops),
        "padded_flops": sum(plan.padded_flops),
        "padding_waste": round(plan.padding_waste, 4),
        "start_flops": start_flops,
        "selected_step": best,
    }


def _whole_chain_model(start: Path) -> Path:
    (name,) = models_of("seq2seq")
    return Path(start) / name / "model"


def _cost_of_start(start: Path | None) -> float:
    if start is None:
        return 0.0
    before = read_training(start).budget
    return float(before["flops"].sum() + before["start_flops"].sum())


def _check_start(settings: TrainingSettings, codec: Codec, start: Path | None) -> None:
    if start is None:
        if settings.init == "seq2seq":
            raise ParameterError("init is seq2seq: give start, the folder of a finished seq2seq training to go on from")
        return
    if settings.init != "seq2seq":
        raise ParameterError(f"init is {settings.init}, but weights to start from are given; set init to seq2seq")
    read_training(start)
    model = _whole_chain_model(start)
    if not (model / "config.json").is_file():
        raise RunError(f"{start} is a finished training, but not of seq2seq; init: seq2seq goes on from one of that")
    if load_codec(str(model), offline=True).tokenizer.get_vocab() != codec.tokenizer.get_vocab():
        raise ModelError(f"the vocabulary of {model} is not the one of these pairs; train both on the same data")


def _size(pair: Pair) -> tuple[int, int]:
    return len(pair.context), len(pair.target)


def _check_every_model_learns(method: str, by_model: Mapping[str, Sequence[Pair]], validated: Container[str]) -> None:
    for name, rows in by_model.items():
        if not any(len(pair.target) > 1 for pair in rows) or name not in validated:
            raise ModelError(
                f"{method}: the model {name} has nothing to write in training, or no validation pairs; see the labels "
                "(03_segmentation): with this strategy and beta one label may be missing"
            )


def _check_lengths(pairs: Sequence[Pair], limit: int | None) -> None:
    if limit is None:
        return
    long = sorted({pair.qid for pair in pairs if max(_size(pair)) > limit})
    if long:
        raise ModelError(
            f"{len(long)} questions have pairs longer than the {limit} tokens that the model can read, first "
            f"{', '.join(long[:5])}; set them aside or choose a model without that limit"
        )


if __name__ == "__main__":
    sys.exit(main())
