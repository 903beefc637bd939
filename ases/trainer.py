"""One model's training: transformers' trainer over a fixed plan of batches, resumable at any moment.

>>> log, best = ModelRun(job).train()                                         # doctest: +SKIP

The trainer is transformers'; ours are the plan of batches, the loss a token of a step, and checkpoints that count
only when they are whole. What must come out the same (log, weights) lies apart from what cannot (``measured.json``).
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch.utils.data import DataLoader
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
)
from transformers.utils import logging as hf_logging

from ases.batches import Plan, split_step
from ases.checkpoints import is_disk_full, last_whole, seal
from ases.errors import ModelError
from ases.hardware import device_now, is_out_of_memory, precision
from ases.losses import IGNORED, TokenLabels, collate, validation_losses
from ases.processes import barrier, is_main, rank, world_size
from ases.records import Records
from ases.segments import Pair
from ases.settings import TrainingSettings
from ases.tokens import Codec

CHECKPOINTS = 20
"""Checkpoints a run, at equal shares of its steps: what a kill can cost is a twentieth."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Job:
    """What one model is to learn, from which start, in which order, and where it is kept.

    ``start`` makes the model as it is before the first step, the same each time. ``pairs`` may be made as they are
    asked for: only single rows are taken.
    """

    start: Callable[[], PreTrainedModel]
    codec: Codec
    plan: Plan
    pairs: Sequence[Pair]
    validation: Sequence[Pair]
    validation_labels: Sequence[TokenLabels] | None
    settings: TrainingSettings
    folder: Path
    progress: Progress


class _OutOfMemory(Exception):
    """Memory did not suffice for one part of a step."""


class _Parts(Sequence):
    """The parts of all steps that this process learns, as tensors, in order.

    A part without pairs still takes part, with a row whose every target is left out of the loss.
    """

    def __init__(self, run: ModelRun, parts: int) -> None:
        plan = run.job.plan
        self.run = run
        self.rows = []
        for batch in plan.batches:
            split = split_step(batch, self._lengths(batch), parts) if parts > 1 else [batch]
            # One process after the other: what two learn beside each other, one learns in two parts.
            self.rows += [(part, batch) for part in split[rank() :: world_size()]]

    def _lengths(self, batch: tuple[int, ...]) -> dict[int, tuple[int, int]]:
        pairs = {row: self.run.job.pairs[row] for row in batch}
        return {row: (len(pair.context), len(pair.target)) for row, pair in pairs.items()}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        part, batch = self.rows[index]
        tensors = collate([self.run.job.pairs[row] for row in part or batch[:1]], self.run.job.codec)
        if not part:
            tensors["labels"].fill_(IGNORED)
        return tensors


class _PlannedTrainer(Seq2SeqTrainer):
    """transformers' trainer over a fixed plan, with the mean loss a real token over the whole of each step."""

    def __init__(self, run: ModelRun, parts: _Parts, **arguments: Any) -> None:
        super().__init__(train_dataset=parts, **arguments)
        self.run = run
        self.model_accepts_loss_kwargs = False

    def get_train_dataloader(self) -> DataLoader:
        # One pass over the whole plan: skipping its first N batches is then all that a resumed run needs. Not
        # prepared by accelerate, which would deal the batches out once more.
        order = [[place] for place in range(len(self.train_dataset))]
        return DataLoader(
            self.train_dataset,
            batch_sampler=order,
            collate_fn=lambda parts: parts[0],
            pin_memory=torch.cuda.is_available(),
        )

    def compute_loss(self, model: Any, inputs: Any, *_: Any, **__: Any) -> torch.Tensor:
        tokens = int((inputs["labels"] != IGNORED).sum())
        output = model(**inputs)
        if not tokens:
            return output.logits.sum() * 0.0
        # The mean over this part, weighed by its share of the step; processes are averaged, so their number counts.
        return output.loss * (tokens * world_size() / self.run.job.plan.target_tokens[self.state.global_step])

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        try:
            model.train()
            inputs = self._prepare_inputs(inputs)
            with self.compute_loss_context_manager():
                loss = self.compute_loss(model, inputs)
            if not torch.isfinite(loss):
                self.run.refuse_loss(float(loss.detach()), self.state.global_step)
            self.accelerator.backward(loss)
        except Exception as error:
            if is_out_of_memory(error):
                raise _OutOfMemory(str(error).splitlines()[0]) from error
            raise
        return loss.detach()

    def whole_model(self) -> PreTrainedModel:
        """The model without what several processes wrap it in."""
        return self.accelerator.unwrap_model(self.model)

    def whole_weights(self) -> dict[str, torch.Tensor] | None:
        """All weights, gathered from the processes where each holds a share; None where the model has them all."""
        return self.accelerator.get_state_dict(self.model) if self.is_fsdp_enabled else None

    def floating_point_ops(self, inputs: Any) -> int:
        return 0  # its formula counts encoder tokens by all parameters; the plan has the true figure

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        job = self.run.job
        losses = validation_losses(self.model, job.validation, job.validation_labels, job.codec)
        weights = self.whole_weights()
        if is_main():
            self.run.records.record(self.state.global_step, losses, self.whole_model(), weights)
        metrics = {"eval_loss": losses["loss"]}
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class _Steps(TrainerCallback):
    """Evaluate after each epoch and at the end; checkpoints and curve points at equal shares of the steps."""

    def __init__(self, run: ModelRun) -> None:
        self.run = run
        self.trainer: _PlannedTrainer | None = None

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        step, run = state.global_step, self.run
        control.should_evaluate = step == run.total or step in run.epoch_ends
        control.should_save = step in run.save_steps
        if step in run.curve_steps:
            run.keep_curve_points(step, self.trainer)
        if step % max(1, run.total // 50) == 0:
            run.records.note("step", step)
            run.job.progress(f"step {step} of {run.total}", step / run.total)
        return control

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        barrier()  # each process has written its random state
        if is_main():
            seal(Path(args.output_dir) / f"checkpoint-{state.global_step}")
            self.run.records.prune()
            self.run.records.note("checkpoint", state.global_step)


class ModelRun:
    """One model's training: the state that the trainer's hooks share."""

    def __init__(self, job: Job) -> None:
        self.job, self.total = job, len(job.plan.batches)
        self.records = Records(job.folder, job.plan, job.codec)
        self.curve_steps = _shares(self.total, job.settings.curve_points)
        self.save_steps = {*self.curve_steps, *_shares(self.total, CHECKPOINTS)}
        self.epoch_ends = frozenset(job.plan.epoch_ends)

    def train(self) -> tuple[pd.DataFrame, int]:
        """Train, or go on, or read what is finished; returns the log and the step whose weights were kept.

        Where memory does not suffice for a step's pairs, they are learned in twice as many parts, from the last
        checkpoint on. Raises ModelError where one pair is too much, or for a loss that is not finite; RunError where
        the disk is full. What was sealed before stays.
        """
        records, settings = self.records, self.job.settings
        if settings.processes != world_size():
            raise ModelError(
                f"processes is {settings.processes}, but {world_size()} take part; training with several is started "
                "by ases.training.train, or by torchrun with as many"
            )
        if not records.is_finished():
            hf_logging.disable_progress_bar()
            records.folder.mkdir(parents=True, exist_ok=True)
            parts = max(settings.accumulate, records.parts())
            while not records.is_finished():
                try:
                    self._sitting(parts)
                except _OutOfMemory as error:
                    parts = self._smaller(parts, error)
                except Exception as error:
                    if is_disk_full(error):
                        raise records.disk_full() from error
                    raise
        barrier()
        if is_main():
            records.clear()
        return records.finished()

    def _sitting(self, parts: int) -> None:
        """From the last whole checkpoint, or the start, to the end."""
        gc.collect()  # what an earlier sitting held that ran out of memory
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        arguments, records = self._arguments(parts), self.records
        if is_main():
            last_whole(records.checkpoints)  # removes what is not whole, before another process looks
        barrier()
        checkpoint, step = last_whole(records.checkpoints)
        records.begin(step, parts)
        hook, model = _Steps(self), self.job.start()
        model.train()
        taken = _Parts(self, parts * world_size())
        hook.trainer = _PlannedTrainer(self, taken, model=model, args=arguments, callbacks=[hook])
        hook.trainer.remove_callback(PrinterCallback)
        hook.trainer.train(resume_from_checkpoint=checkpoint)
        if is_main():
            records.note("end", self.total)
            records.measured(self.job.settings.batch_size)
            records.keep_best(records.finished()[1])
        barrier()

    def _arguments(self, parts: int) -> Seq2SeqTrainingArguments:
        settings, cuda = self.job.settings, torch.cuda.is_available()
        half = precision(device_now())[0] == torch.bfloat16
        if settings.compile and not cuda:
            raise ModelError("compile pays on a GPU only: on a CPU it takes minutes and brings nothing; set it false")
        return Seq2SeqTrainingArguments(
            output_dir=str(self.records.checkpoints),
            max_steps=self.total,
            gradient_accumulation_steps=parts,
            activation_checkpointing=settings.gradient_checkpointing,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            lr_scheduler_type="cosine",
            warmup_steps=math.ceil(self.total * settings.warmup),
            optim="adamw_torch_fused",
            seed=settings.seed,
            use_cpu=not cuda,
            bf16=half,
            tf32=True if half else None,
            torch_compile=settings.compile,
            fsdp=True if settings.sharded else None,
            ddp_find_unused_parameters=False,
            logging_nan_inf_filter=False,
            logging_strategy="no",
            eval_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
        )

    def keep_curve_points(self, step: int, trainer: _PlannedTrainer) -> None:
        """Keep the weights for each point of the learning curve that lies at this step."""
        weights = trainer.whole_weights()
        for point, at in enumerate(self.curve_steps, start=1):
            if at == step and is_main():
                self.records.keep_curve_point(point, trainer.whole_model(), weights)

    def refuse_loss(self, loss: float, step: int) -> None:
        """Raise ModelError for a loss that is not finite, naming the step and its questions."""
        qids = sorted({self.job.pairs[row].qid for row in self.job.plan.batches[step]})
        raise ModelError(
            f"the loss is {loss} at step {step + 1}; lower learning_rate (now {self.job.settings.learning_rate:g}) "
            f"or look at these questions: {', '.join(qids[:8])}{' ...' if len(qids) > 8 else ''}"
        )

    def _smaller(self, parts: int, error: _OutOfMemory) -> int:
        step = math.ceil(self.job.settings.batch_size / (parts * world_size()))
        way = "set gradient_checkpointing to true, or a smaller model"
        if step <= 1:
            raise ModelError(f"memory does not suffice for one pair ({error}); {way}") from error
        if world_size() > 1:  # the others have not run out, and wait
            raise ModelError(
                f"memory does not suffice for {step} pairs at a time ({error}); set accumulate to {2 * parts}, or {way}"
            ) from error
        self.job.progress(f"out of memory with {step} pairs at a time: goes on with half as many", 0.0)
        return 2 * parts


def _shares(total: int, count: int) -> list[int]:
    return [max(1, round(total * share / count)) for share in range(1, count + 1)]
