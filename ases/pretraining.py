"""A start checkpoint of our own, for rooms without a hub: T5's span corruption on plain text (Raffel et al., 2020).

    python -m ases pretrain start --gsm8k GSM8K/train.jsonl --tested gsm8k=GSM8K --tested llm_adapters_cot=FOLDER
    python -m ases reproduce params/smoke.yaml -p model=start/checkpoint

Texts are generated problems and reports, and collected training questions with solutions, read as plain text: never the
pairs or whole chains that a method trains on, and no question of a test split
(:func:`ases.plain_texts.collect_texts`). Every method starts from the same checkpoint, so what it knows favours none.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ases.batches import Plan, plan_batches
from ases.checkpoints import write_whole
from ases.corruption import Corrupted, Noise, sentinels
from ases.errors import DataError, ParameterError
from ases.losses import validation_loss
from ases.models import cost_of, fresh_model, read_model, save_model
from ases.plain_texts import Texts, text_hash
from ases.presets import PRESETS, dial_of
from ases.processes import alone
from ases.provenance import environment
from ases.segments import Pair
from ases.settings import TrainingSettings, settings_for
from ases.tokens import Codec, train_codec
from ases.trainer import Job, ModelRun, Progress

EVALUATIONS = 20
"""Points of the curve of validation loss."""

LARGEST_SHIPPED = 20 * 2**20
"""Bytes of weights that may lie in version control; larger ones are kept in float16."""


@dataclass(frozen=True)
class PretrainingSettings:
    """What is learned from which texts, and for how long.

    ``problems``, ``reports`` (of each language) and ``held_out`` count generated problems, generated reports and
    validation texts; ``budget`` is in training FLOPs; ``noise`` is the share of tokens left out, in spans of ``span``
    tokens on average. Texts of more than ``longest`` tokens are read in several parts.
    """

    preset: str = "micro"
    problems: int = 20_000
    reports: int = 1_000
    held_out: int = 500
    vocabulary: int = 2048
    budget: float = 3e13
    noise: float = 0.15
    span: float = 3.0
    longest: int = 256
    seed: int = 0


_KNOBS = ("batch_size", "learning_rate", "weight_decay", "warmup")


def pretrain(
    folder: Path,
    settings: PretrainingSettings,
    texts: Texts,
    progress: Progress = lambda message, done: None,
) -> Path:
    """Train a start checkpoint and return its folder, to be given as ``model``; resumable at any moment.

    In ``folder``: ``checkpoint/`` (weights as safetensors, tokenizer), ``recipe.json`` (settings, texts and their
    hash, results; written last), ``curve.csv`` and ``MODEL_CARD.md``; until then ``begun.json``, what was begun with.
    Raises ParameterError where the folder holds one made or begun with other settings or texts, RunError where another
    process is at work in it, and DataError where the texts do not suffice.
    """
    folder = Path(folder)
    with alone(folder):
        return _pretrained(folder, settings, texts, progress)


def _pretrained(folder: Path, settings: PretrainingSettings, texts: Texts, progress: Progress) -> Path:
    done, begun = folder / "checkpoint", folder / "begun.json"
    digest = text_hash(texts.texts)
    made_of = {"settings": asdict(settings), "texts": {"sha256": digest}}
    for before in (folder / "recipe.json", begun):
        if before.is_file():
            _check_same(before, made_of)
    if (folder / "recipe.json").is_file():
        shutil.rmtree(folder / "training", ignore_errors=True)
        begun.unlink(missing_ok=True)
        return done
    codec = _codec(settings, texts.texts)
    windows = _windows(texts.texts, codec, settings.longest)
    if len(windows) <= settings.held_out:
        raise DataError(f"{len(windows)} texts do not suffice for {settings.held_out} held out; give more problems")
    held_out, train = windows[: settings.held_out], windows[settings.held_out :]
    training, noise = _training_settings(settings), _noise(settings)
    pairs = Corrupted(train, codec, noise)
    model = fresh_model(settings.preset, codec, settings.seed)
    cost = cost_of(model)
    plan = plan_batches(
        [pairs.lengths(len(window)) for window in train],
        cost=cost.training,
        budget=settings.budget,
        batch_size=training.batch_size,
        seed=settings.seed,
    )
    validation = list(Corrupted(held_out, codec, replace(noise, seed=settings.seed + 1)))
    write_whole(begun, made_of)
    job = Job(
        start=lambda: fresh_model(settings.preset, codec, settings.seed),
        codec=codec,
        plan=_measured_often(_with_new_noise_each_epoch(plan, len(train))),
        pairs=pairs,
        validation=validation,
        validation_labels=None,
        settings=training,
        folder=folder / "training",
        progress=lambda message, share: progress(f"pretraining: {message}", share),
    )
    log, best = ModelRun(job).train()
    log.drop(columns=["loss_as", "loss_es"]).to_csv(folder / "curve.csv", index=False)
    recipe = {
        "settings": asdict(settings),
        "training": {name: getattr(training, name) for name in _KNOBS},
        "texts": {
            "sha256": digest,
            "count": len(texts.texts),
            "account": texts.account.to_dict("records"),
            "tested": dict(texts.tested),
        },
        "tokens": sum(map(len, train)),
        "epochs": round(plan.epochs, 3),
        "flops": sum(plan.flops),
        "selected_step": best,
        "made_with": environment(),
        **_ship(folder, codec, validation),
    }
    recipe["parameters"] = model.num_parameters()
    (folder / "MODEL_CARD.md").write_text(_card(recipe), encoding="utf-8")
    write_whole(folder / "recipe.json", recipe)
    shutil.rmtree(folder / "training")  # its log is the curve, its weights are the checkpoint
    begun.unlink()
    return done


def _with_new_noise_each_epoch(plan: Plan, count: int) -> Plan:
    starts = [0, *plan.epoch_ends]
    epochs = np.searchsorted(starts, np.arange(len(plan.batches)), side="right") - 1
    shifted = tuple(
        tuple(row + int(epoch) * count for row in batch) for batch, epoch in zip(plan.batches, epochs, strict=True)
    )
    return replace(plan, batches=shifted)


def _measured_often(plan: Plan) -> Plan:
    # The texts are passed over a few times only: with a validation at the end of each the curve had three points.
    shares = {round(len(plan.batches) * share / EVALUATIONS) for share in range(1, EVALUATIONS + 1)}
    return replace(plan, epoch_ends=tuple(sorted(shares - {0})))


def _noise(settings: PretrainingSettings) -> Noise:
    return Noise(settings.noise, settings.span, settings.longest, settings.seed)


def _codec(settings: PretrainingSettings, texts: Sequence[str]) -> Codec:
    codec = train_codec(texts, settings.vocabulary)
    codec.tokenizer.add_tokens(sentinels(_noise(settings)), special_tokens=True)
    return codec


def _windows(texts: Sequence[str], codec: Codec, longest: int) -> list[tuple[int, ...]]:
    """Token ids of the texts; long ones in parts of nearly equal length, nothing left out."""
    windows = []
    for text in texts:
        ids = codec.encode(text)
        parts = -(-len(ids) // longest)
        ends = [round(len(ids) * part / parts) for part in range(parts + 1)] if parts else []
        windows += [tuple(ids[a:b]) for a, b in zip(ends, ends[1:], strict=False) if b - a > 1]
    return windows


def _training_settings(settings: PretrainingSettings) -> TrainingSettings:
    if settings.preset not in PRESETS:
        raise ParameterError(f"preset is {settings.preset!r}, but must be one of {', '.join(PRESETS)}")
    if not 0 < settings.noise < 1 or settings.span < 1 or settings.longest < 2:
        raise ParameterError(
            f"noise {settings.noise} must be between 0 and 1, span {settings.span} 1 or more, longest "
            f"{settings.longest} 2 or more"
        )
    given = {"model": settings.preset, "budget": settings.budget, "seed": settings.seed, **dial_of(settings.preset)}
    return settings_for(given).training


def _ship(folder: Path, codec: Codec, validation: Sequence[Pair]) -> dict[str, Any]:
    """Write ``checkpoint/`` from the selected weights, in float16 where float32 is too large to be shipped."""
    done, part = folder / "checkpoint", folder / "checkpoint.partial"
    model = read_model(folder / "training" / "model")
    numbers = "float32"
    if sum(parameter.numel() for parameter in model.parameters()) * 4 > LARGEST_SHIPPED:
        model, numbers = model.half(), "float16"
    shutil.rmtree(part, ignore_errors=True)
    save_model(model, codec, part)
    loss = validation_loss(model.float(), validation, codec)
    shutil.rmtree(done, ignore_errors=True)
    part.rename(done)
    size = (done / "model.safetensors").stat().st_size
    weights = hashlib.sha256((done / "model.safetensors").read_bytes()).hexdigest()
    return {"numbers": numbers, "bytes": size, "weights_sha256": weights, "validation_loss": round(loss, 4)}


def _check_same(before: Path, made_of: Mapping[str, Any]) -> None:
    found = json.loads(before.read_text(encoding="utf-8"))
    if found["settings"] != made_of["settings"] or found["texts"]["sha256"] != made_of["texts"]["sha256"]:
        raise ParameterError(
            f"{before.parent} holds a checkpoint made or begun with other settings or texts; give another folder, or "
            "delete that one"
        )


def _card(recipe: dict[str, Any]) -> str:
    settings, texts = recipe["settings"], recipe["texts"]
    rows = [
        f"| {row['source']} | {row['texts']:,} | {row['dropped']:,} | {row['licence'] or 'made here'} |"
        for row in texts["account"]
    ]
    shape = PRESETS[settings["preset"]]
    return "\n".join(
        [
            "# Start checkpoint for small sequence-to-sequence models",
            "",
            f"A T5 of width {shape.width}, {shape.layers} layers on each side ({recipe['parameters']:,} parameters, "
            f"{recipe['bytes'] / 1e6:.1f} MB of safetensors in {recipe['numbers']}), from scratch, by span corruption: "
            f"{settings['noise']:.0%} of the tokens left out, in spans of {settings['span']:g} tokens on average.",
            "",
            "**For** comparing ways to learn from rationales where no hub can be reached: every method starts from it. "
            "Not for use on its own: it fills gaps in texts of the kinds below, and answers nothing.",
            "",
            "| texts | read | dropped, known from a test split | licence |",
            "|---|---|---|---|",
            *rows,
            "",
            "Left out is what equals or nearly equals a question of the validation and test splits of what is "
            "generated, of every size, with stories held out (`held_out_schemas`) and with problems longer than those "
            f"learned (`longest_learned`){_listed(texts['tested'])}.",
            "",
            f"They are read as plain text ({recipe['tokens']:,} tokens, {recipe['epochs']:g} epochs, "
            f"{recipe['flops']:.2g} training FLOPs); never as the pairs or whole chains that a method trains on. "
            f"Loss on {settings['held_out']} texts held out: {recipe['validation_loss']:.3f} nats a token; its course "
            "is in `curve.csv`, settings and hashes in `recipe.json`.",
            "",
            "**Limits.** It has read every story of the generated problems and reports, with other numbers than the "
            "test splits hold: how a method does on stories never told (`held_out_schemas`), with another `data_seed`, "
            "or on a test set not listed here is for models from scratch to say. Some of the problems that it has read "
            "stand in training sets as well. What is generated knows a few dozen stories; numbers are written digit by "
            "digit. What it buys, and what not, is measured in `notebooks/07_start.ipynb` and "
            "`notebooks/real/07_start.ipynb`: look there before you use it.",
            "",
        ]
    )


def _listed(tested: Mapping[str, int]) -> str:
    sets = ", ".join(f"{name} ({count:,})" for name, count in tested.items())
    return f", or of these sets: {sets}" if sets else ""
