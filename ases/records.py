"""The files of one model's training: its log, its best weights so far, its curve, and what was measured.

>>> records.note("checkpoint", step=40)                                       # doctest: +SKIP
>>> records.finished()                                                        # doctest: +SKIP

What must come out the same each time (``log.jsonl``, ``curve/``, ``model/``) lies apart from what cannot: times, in
``events.jsonl`` while the training runs, and in ``measured.json`` at its end. Only the first of several processes
writes.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from transformers import PreTrainedModel

from ases.batches import Plan
from ases.checkpoints import last_whole, write_whole
from ases.errors import RunError
from ases.hardware import device_now, peak_memory_mib, peak_rate
from ases.models import save_model
from ases.processes import is_main, world_size
from ases.tokens import Codec


class Records:
    """The folder of one model in training.

    ``log.jsonl`` has a row an evaluation, ``events.jsonl`` starts, steps and checkpoints with their times,
    ``checkpoints/`` the trainer's state, ``best-N/`` the best weights so far, ``curve/`` those at equal shares of the
    steps; at last ``model/`` and ``measured.json``.
    """

    def __init__(self, folder: Path, plan: Plan, codec: Codec) -> None:
        self.folder, self.plan, self.codec = Path(folder), plan, codec
        self.total = len(plan.batches)
        self.log_file, self.events_file = self.folder / "log.jsonl", self.folder / "events.jsonl"
        self.checkpoints = self.folder / "checkpoints"
        self.began = time.monotonic()

    def is_finished(self) -> bool:
        """Whether the selected weights are in place."""
        return (self.folder / "model").is_dir()

    def finished(self) -> tuple[pd.DataFrame, int]:
        """The log of a finished model and the step whose weights were kept."""
        log = pd.DataFrame(_lines(self.log_file))
        return log, int(log.loc[log["loss"].idxmin(), "step"])

    def begin(self, step: int, parts: int) -> None:
        """Begin a sitting at a checkpoint's step: what the log holds beyond it is going to be done again."""
        self.began = time.monotonic()
        if is_main():
            _rewrite(self.log_file, [entry for entry in _lines(self.log_file) if entry["step"] <= step])
            _rewrite(self.events_file, _lines(self.events_file))  # without a line that a kill cut short
        self.note("start", step, parts=parts)

    def note(self, event: str, step: int, **more: Any) -> None:
        """Append to the events: what happened at which step, seconds after the sitting began."""
        if is_main():
            with self.events_file.open("a") as events:
                seconds = round(time.monotonic() - self.began, 3)
                events.write(json.dumps({"event": event, "step": step, "seconds": seconds, **more}) + "\n")

    def parts(self) -> int:
        """In how many parts the last sitting learned a step; 1 before the first."""
        return max([1, *(event["parts"] for event in _lines(self.events_file) if "parts" in event)])

    def record(self, step: int, losses: dict[str, float], model: PreTrainedModel, weights: dict | None) -> None:
        """Append an evaluation to the log, and keep the weights when they are the best so far."""
        earlier = [entry["loss"] for entry in _lines(self.log_file)]
        if not earlier or losses["loss"] < min(earlier):
            part, kept = self.folder / "best.partial", self.folder / f"best-{step}"
            for folder in (part, kept):
                shutil.rmtree(folder, ignore_errors=True)
            save_model(model, self.codec, part, weights)
            part.rename(kept)
        entry = {
            "step": step,
            "epoch": round(self.plan.epochs * step / self.total, 4),
            "flops": sum(self.plan.flops[:step]),
            "target_tokens": sum(self.plan.target_tokens[:step]),
            **losses,
        }
        with self.log_file.open("a") as log:
            log.write(json.dumps(entry) + "\n")

    def prune(self) -> None:
        """Drop weights that were bettered; only after a checkpoint, since a resumed run may need those before it."""
        best = min(_lines(self.log_file), key=lambda entry: entry["loss"], default=None)
        for folder in self.folder.glob("best-*"):
            if best is not None and folder.name != f"best-{best['step']}":
                shutil.rmtree(folder)

    def keep_curve_point(self, point: int, model: PreTrainedModel, weights: dict[str, Any] | None) -> None:
        """Keep the weights of a point of the learning curve; ``weights`` where the model holds only a share of them."""
        part, kept = self.folder / "curve.partial", self.folder / "curve" / f"{point}.safetensors"
        kept.parent.mkdir(exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        # Not safetensors' own way to save a model: what it notes of tied weights comes in another order each time.
        save_model(model, self.codec, part, weights)
        (part / "model.safetensors").replace(kept)
        shutil.rmtree(part)

    def disk_full(self) -> RunError:
        """Drop what was cut short, and say what to do. The last whole checkpoint stays."""
        for left in self.folder.glob("*.partial"):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
        _, step = last_whole(self.checkpoints)  # removes the one that was cut short
        free = shutil.disk_usage(self.folder).free / 2**20
        return RunError(
            f"no room to write into {self.folder} ({free:,.0f} MiB free on that disk, quotas and limits aside); make "
            f"room and run again: training goes on from step {step} of {self.total}"
        )

    def measured(self, batch_size: int) -> None:
        """Write ``measured.json``: time of all sittings, rates of the last, memory, and the machine they hold for."""
        # Times differ from run to run, so they lie apart from what must come out the same.
        sittings: list[dict[str, Any]] = []
        for event in _lines(self.events_file):
            if event["event"] == "start":
                sittings.append({"from_step": event["step"], "parts": event["parts"]})
            sittings[-1] |= {"to_step": event["step"], "seconds": event["seconds"]}
        last, plan, device = sittings[-1], self.plan, device_now()
        steps = slice(last["from_step"], last["to_step"])
        rate = sum(plan.flops[steps]) / max(last["seconds"], 1e-9)
        tokens = sum(plan.real_tokens[steps]) / max(last["seconds"], 1e-9)
        peak = peak_rate(device)
        content = {
            "seconds": sum(sitting["seconds"] for sitting in sittings),
            "real_tokens_per_second": tokens,
            "flops_per_second": rate,
            "peak_flops_per_second": peak.flops_per_second * world_size(),
            "share_of_peak": rate / (peak.flops_per_second * world_size()),
            "peak_memory_mib": peak_memory_mib(device),
            "device": peak.device,
            "numbers": peak.numbers,
            "threads": peak.threads,
            "processes": world_size(),
            "pairs_at_a_time": math.ceil(batch_size / (last["parts"] * world_size())),
            "sittings": sittings,
        }
        write_whole(self.folder / "measured.json", content)

    def keep_best(self, step: int) -> None:
        """Put the selected weights in place: from here on this model is finished."""
        (self.folder / f"best-{step}").rename(self.folder / "model")

    def clear(self) -> None:
        """Drop what only an unfinished training needs."""
        for left in (self.checkpoints, *self.folder.glob("best*")):
            shutil.rmtree(left, ignore_errors=True)
        self.events_file.unlink(missing_ok=True)


def _lines(path: Path) -> list[dict[str, Any]]:
    entries = []
    for line in path.read_text().splitlines() if path.is_file() else ():
        try:
            entries.append(json.loads(line))
        except json.JSONDecodeError:
            break  # the line that a kill cut short; the steps after the checkpoint are done again anyway
    return entries


def _rewrite(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    partial.replace(path)
