"""Pairs -> model: every method from the same start, for the same budget, resumable (METHOD, section 5).

>>> trained = train(method_pairs, validation_pairs, codec, settings, folder)      # doctest: +SKIP
>>> trained.budget[["model", "epochs", "flops", "target_tokens"]]                 # doctest: +SKIP

The trainer is transformers'; ours are the plan of batches, the budget, and checkpoints that count only when they
are whole. Weights are selected by validation loss, taken each epoch, each model on its own validation pairs.
"""

from __future__ import annotations

import json
import math
import resource
import shutil
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors.torch import load_model as load_weights
from safetensors.torch import save_model as save_weights
from torch.utils.data import DataLoader
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
)
from transformers.utils import logging as hf_logging

from ases.batches import Plan, plan_batches
from ases.checkpoints import last_whole, seal, write_whole
from ases.errors import ModelError, RunError
from ases.models import Cost, context_limit, cost_of, read_model, save_model, start_model
from ases.segments import Pair, models_of
from ases.settings import TrainingSettings
from ases.tokens import Codec, load_codec

IGNORED = -100
"""The target id that the loss skips: transformers' convention for padding."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Trained:
    """What a training run leaves: its folder, its log (a row an evaluation) and its budget (a row a model)."""

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
) -> Trained:
    """Train the models of one method and keep each one's best weights by validation loss.

    A finished run is read, not repeated; an interrupted one goes on from its last whole checkpoint. Dual-path's
    models share the budget in the proportion of their pairs' cost, which gives them equal epochs. Raises ModelError
    for a loss that is not finite, naming the step and the questions, and for pairs longer than the model can read.
    """
    folder = Path(folder)
    if (folder / "training.json").is_file():
        return read_training(folder)
    names = models_of(settings.method)
    start = start_model(settings.model, codec, settings.seed)
    _check_lengths([*pairs, *validation], context_limit(start))
    cost = cost_of(start)
    by_model = {name: [pair for pair in pairs if pair.model == name] for name in names}
    _check_every_model_learns(settings.method, by_model, {pair.model for pair in validation})
    price = {name: sum(cost.training(*_size(pair)) for pair in rows) for name, rows in by_model.items()}
    logs, budgets = [], []
    for position, name in enumerate(names):
        plan = plan_batches(
            [_size(pair) for pair in by_model[name]],
            cost=cost.training,
            budget=settings.budget * price[name] / sum(price.values()),
            batch_size=settings.batch_size,
            seed=settings.seed,
        )

        def show(message: str, done: float, name: str = name, position: int = position) -> None:
            progress(f"{settings.method} {name}: {message}", (position + done) / len(names))

        model = start_model(settings.model, codec, settings.seed)
        held_out = [pair for pair in validation if pair.model == name]
        run = _Run(model, codec, plan, by_model[name], held_out, settings, folder / name, show)
        log, best = run.train()
        logs.append(log.assign(model=name))
        budgets.append(_budget_row(name, len(by_model[name]), plan, best, cost))
    log, budget = pd.concat(logs, ignore_index=True), pd.DataFrame(budgets)
    write_whole(folder / "training.json", {"log": log.to_dict("records"), "budget": budget.to_dict("records")})
    return Trained(folder, log, budget)


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


def collate(pairs: Sequence[Pair], codec: Codec) -> dict[str, torch.Tensor]:
    """Padded tensors: ``input_ids`` and ``attention_mask`` (pairs x longest source), ``labels`` (pairs x target)."""
    source = max(len(pair.context) for pair in pairs)
    target = max(len(pair.target) for pair in pairs)
    ids = torch.full((len(pairs), source), codec.pad)
    labels = torch.full((len(pairs), target), IGNORED)
    mask = torch.zeros((len(pairs), source), dtype=torch.long)
    for row, pair in enumerate(pairs):
        ids[row, : len(pair.context)] = torch.tensor(pair.context)
        mask[row, : len(pair.context)] = 1
        labels[row, : len(pair.target)] = torch.tensor(pair.target)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


class _Trainer(Seq2SeqTrainer):
    """transformers' trainer over a fixed plan of batches, with the loss a token over real tokens for validation."""

    def __init__(self, run: _Run, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.run = run

    def get_train_dataloader(self) -> DataLoader:
        # One pass over the whole plan: skipping its first N batches is then all that a resumed run needs.
        loader = DataLoader(
            self.run.pairs, batch_sampler=self.run.plan.batches, collate_fn=lambda rows: collate(rows, self.run.codec)
        )
        return self.accelerator.prepare(loader)

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        loss = super().training_step(model, inputs, num_items_in_batch)
        if not torch.isfinite(loss):
            step = self.state.global_step
            qids = sorted({self.run.pairs[row].qid for row in self.run.plan.batches[step]})
            raise ModelError(
                f"the loss is {loss.item()} at step {step + 1}; lower learning_rate (now {self.args.learning_rate:g}) "
                f"or look at these questions: {', '.join(qids[:8])}{' ...' if len(qids) > 8 else ''}"
            )
        return loss

    def floating_point_ops(self, inputs: Any) -> int:
        return 0  # its formula counts encoder tokens by all parameters; the plan has the true figure

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        loss = validation_loss(self.model, self.run.validation, self.run.codec)
        metrics = {"eval_loss": loss}
        self.run.record(self.state.global_step, loss, self.model)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


@torch.no_grad()
def validation_loss(model: PreTrainedModel, pairs: Sequence[Pair], codec: Codec, batch_size: int = 128) -> float:
    """Mean negative log-likelihood (nats a token) of the targets, over real tokens."""
    was_training = model.training
    model.eval()
    ordered = sorted(pairs, key=lambda pair: (len(pair.target), len(pair.context)))
    total, count = 0.0, 0
    for start in range(0, len(ordered), batch_size):
        batch = {k: v.to(model.device) for k, v in collate(ordered[start : start + batch_size], codec).items()}
        tokens = int((batch["labels"] != IGNORED).sum())
        total += model(**batch).loss.item() * tokens
        count += tokens
    model.train(was_training)
    return total / count


class _Steps(TrainerCallback):
    """Evaluate after each epoch and at the end; checkpoint and keep a curve point at equal shares of the steps."""

    def __init__(self, run: _Run) -> None:
        self.run = run

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        step, total = state.global_step, len(self.run.plan.batches)
        control.should_evaluate = step == total or step in self.run.epoch_ends
        control.should_save = step in self.run.curve_steps
        if step in self.run.curve_steps:
            self.run.keep_curve_point(step)
        if step % max(1, total // 50) == 0:
            self.run.progress(f"step {step} of {total}", step / total)
        return control

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        seal(Path(args.output_dir) / f"checkpoint-{state.global_step}")
        self.run.prune()


class _Run:
    """One model's training: the state that the trainer's hooks share."""

    def __init__(
        self,
        model: PreTrainedModel,
        codec: Codec,
        plan: Plan,
        pairs: Sequence[Pair],
        validation: Sequence[Pair],
        settings: TrainingSettings,
        folder: Path,
        progress: Progress,
    ) -> None:
        self.model, self.codec, self.plan, self.settings = model, codec, plan, settings
        self.pairs, self.validation = list(pairs), list(validation)
        self.folder, self.progress = folder, progress
        total = len(plan.batches)
        self.curve_steps = [
            max(1, round(total * point / settings.curve_points)) for point in range(1, settings.curve_points + 1)
        ]
        self.epoch_ends = frozenset(plan.epoch_ends)
        self.log_file = folder / "log.jsonl"

    def train(self) -> tuple[pd.DataFrame, int]:
        """Train, or go on, or read what is finished; returns the log and the step whose weights were kept."""
        if (self.folder / "model").is_dir():
            return self._finished()
        hf_logging.disable_progress_bar()
        self.folder.mkdir(parents=True, exist_ok=True)
        checkpoint, step = last_whole(self.folder / "checkpoints")
        self._keep_log_up_to(step)
        settings, total = self.settings, len(self.plan.batches)
        arguments = Seq2SeqTrainingArguments(
            output_dir=str(self.folder / "checkpoints"),
            max_steps=total,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            lr_scheduler_type="cosine",
            warmup_steps=math.ceil(total * settings.warmup),
            optim="adamw_torch_fused",
            seed=settings.seed,
            bf16=torch.cuda.is_available(),
            logging_nan_inf_filter=False,
            logging_strategy="no",
            eval_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_num_workers=0,
            dataloader_pin_memory=torch.cuda.is_available(),
        )
        self.model.train()
        trainer = _Trainer(self, model=self.model, args=arguments, train_dataset=self.pairs, callbacks=[_Steps(self)])
        trainer.remove_callback(PrinterCallback)
        began = time.monotonic()
        trainer.train(resume_from_checkpoint=checkpoint)
        self._measured(time.monotonic() - began, total - step)
        _, best = self._finished()
        (self.folder / f"best-{best}").rename(self.folder / "model")  # from here on this model is finished
        for folder in (self.folder / "checkpoints", *self.folder.glob("best-*")):
            shutil.rmtree(folder)
        return self._finished()

    def _finished(self) -> tuple[pd.DataFrame, int]:
        log = pd.DataFrame(self._log())
        return log, int(log.loc[log["loss"].idxmin(), "step"])

    def record(self, step: int, loss: float, model: PreTrainedModel) -> None:
        """Append an evaluation to the log, and keep the weights when they are the best so far."""
        earlier = [entry["loss"] for entry in self._log()]
        if not earlier or loss < min(earlier):
            part, kept = self.folder / "best.partial", self.folder / f"best-{step}"
            for folder in (part, kept):
                shutil.rmtree(folder, ignore_errors=True)
            save_model(model, self.codec, part)
            part.rename(kept)
        entry = {
            "step": step,
            "epoch": round(self.plan.epochs * step / len(self.plan.batches), 4),
            "flops": sum(self.plan.flops[:step]),
            "target_tokens": sum(self.plan.target_tokens[:step]),
            "loss": loss,
        }
        with self.log_file.open("a") as log:
            log.write(json.dumps(entry) + "\n")

    def prune(self) -> None:
        """Drop weights that were bettered; only after a checkpoint, since a resumed run may need those before it."""
        best = min(self._log(), key=lambda entry: entry["loss"], default=None)
        for folder in self.folder.glob("best-*"):
            if best is not None and folder.name != f"best-{best['step']}":
                shutil.rmtree(folder)

    def keep_curve_point(self, step: int) -> None:
        """Keep the weights of a point of the learning curve."""
        folder = self.folder / "curve"
        folder.mkdir(exist_ok=True)
        for point, at in enumerate(self.curve_steps, start=1):
            if at == step:
                save_weights(self.model, str(folder / f"{point}.safetensors"))

    def _log(self) -> list[dict[str, Any]]:
        if not self.log_file.is_file():
            return []
        entries = []
        for line in self.log_file.read_text().splitlines():
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError:
                break  # the line that a kill cut short; the steps after the checkpoint are done again anyway
        return entries

    def _keep_log_up_to(self, step: int) -> None:
        kept = [entry for entry in self._log() if entry["step"] <= step]
        partial = self.log_file.with_suffix(".partial")
        partial.write_text("".join(json.dumps(entry) + "\n" for entry in kept))
        partial.replace(self.log_file)

    def _measured(self, seconds: float, steps: int) -> None:
        # Wall time differs from run to run, so it lies apart from what must come out the same.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        content = {"seconds": seconds, "steps": steps, "peak_memory_mib": peak, "threads": torch.get_num_threads()}
        write_whole(self.folder / "measured.json", content)


def _budget_row(name: str, pairs: int, plan: Plan, best: int, cost: Cost) -> dict[str, Any]:
    flops, padded = sum(plan.flops), sum(plan.padded_flops)
    return {
        "model": name,
        "pairs": pairs,
        "epochs": round(plan.epochs, 3),
        "steps": len(plan.batches),
        "target_tokens": sum(plan.target_tokens),
        "flops": flops,
        "padding_waste": round(1 - flops / padded, 4),
        "selected_step": best,
    }


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
