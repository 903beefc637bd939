"""A start checkpoint of our own, for rooms without a hub: T5's span corruption on plain text (Raffel et al., 2020).

    python -m ases pretrain start --gsm8k GSM8K/train.jsonl --tested gsm8k=GSM8K --tested llm_adapters_cot=FOLDER
    python -m ases reproduce params/smoke.yaml -p model=start/checkpoint

Texts are generated problems and reports, and collected training questions with solutions, read as plain text: never the
pairs or whole chains that a method trains on, and no question of a test split (:func:`collect_texts`). Every method
starts from the same checkpoint, so what it knows favours none.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ases.batches import Plan, plan_batches
from ases.checkpoints import write_whole
from ases.corruption import Corrupted, Noise, sentinels
from ases.errors import DataError, ParameterError
from ases.examples import Example
from ases.gathering import gather
from ases.losses import validation_loss
from ases.models import cost_of, fresh_model, read_model, save_model
from ases.presets import PRESETS, dial_of
from ases.problems import generate_problems
from ases.provenance import environment
from ases.reports import generate_reports
from ases.segments import Pair
from ases.settings import TrainingSettings, settings_for
from ases.splits import Splits, leaks, make_splits
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


@dataclass(frozen=True)
class Texts:
    """Plain texts, how many came from where and how many were dropped as known from a test split (``account``).

    ``tested`` counts the collected questions that they were held against, by source.
    """

    texts: tuple[str, ...]
    account: pd.DataFrame
    tested: Mapping[str, int]


# Seeds of problems far from any that a split is made with, and of other shapes than the default ones too.
_BLOCKS = ((1_000_003, 1, 2, 20), (1_000_033, 1, 3, 50), (1_000_037, 2, 6, 100))
_REPORTS = {"zh": 1_000_039, "en": 1_000_081}


def collect_texts(
    settings: PretrainingSettings,
    *,
    gsm8k: Path | None = None,
    evaluated: Sequence[Example] = (),
) -> Texts:
    """Generated problems, Chinese and English reports, and GSM8K's training part where its file is; shuffled by seed.

    Dropped is what is known from a default validation or test split of generated data (the same question, or the
    same story with the same numbers), and whatever equals or nearly equals a question of ``evaluated``: give every
    collected example that models are ever tested on. Raises DataError for a file that is not GSM8K's training part.
    """
    share = -(-settings.problems // len(_BLOCKS))
    found: dict[str, list[Example]] = {"generated problems": []}
    for seed, fewest, most, largest in _BLOCKS:
        found["generated problems"] += generate_problems(
            share, seed=seed + settings.seed, steps_from=fewest, steps_to=most, largest=largest
        )
    for language, seed in _REPORTS.items() if settings.reports else ():
        found[f"generated reports, {language}"] = generate_reports(
            settings.reports, seed=seed + settings.seed, language=language
        )
    if gsm8k is not None:
        found["GSM8K, training part"] = _read_gsm8k(Path(gsm8k))
    tested = [*_default_tests(), *evaluated]
    rows, texts = [], []
    for source, examples in found.items():
        known = _known(examples, tested)
        kept = [example for example in examples if example.qid not in known]
        texts += [f"{example.question} {example.rationale}" for example in kept]
        licences = ", ".join(sorted({example.licence for example in examples if example.licence}))
        rows.append({"source": source, "licence": licences, "texts": len(kept), "dropped": len(known)})
    order = np.random.default_rng(settings.seed).permutation(len(texts))
    against = dict(sorted(Counter(example.source for example in evaluated).items()))
    return Texts(tuple(texts[place] for place in order), pd.DataFrame(rows), against)


def collected_examples(places: Mapping[str, str]) -> list[Example]:
    """Every usable example of collected sets, by name and folder, that some split, by some seed, tests on.

    That is all of a set whatever its teacher answered, but for an official training part. For ``evaluated``.
    """
    found: list[Example] = []
    for name, folder in places.items():
        given = {"size": "real", "data": name, "data_folder": folder, "keep_teacher_wrong": True}
        found += [one for one in gather(settings_for(given).data).examples if one.official_split != "train"]
    return found


_KNOBS = ("batch_size", "learning_rate", "weight_decay", "warmup")


def pretrain(
    folder: Path,
    settings: PretrainingSettings,
    texts: Texts,
    progress: Progress = lambda message, done: None,
) -> Path:
    """Train a start checkpoint and return its folder, to be given as ``model``; resumable at any moment.

    In ``folder``: ``checkpoint/`` (weights as safetensors, tokenizer), ``recipe.json`` (settings, texts and their
    hash, results; written last), ``curve.csv`` and ``MODEL_CARD.md``.
    """
    folder = Path(folder)
    done = folder / "checkpoint"
    digest = hashlib.sha256("\0".join(texts.texts).encode()).hexdigest()
    if (folder / "recipe.json").is_file():
        _check_same(folder, settings, digest)
        shutil.rmtree(folder / "training", ignore_errors=True)
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


_HELD_AGAINST = ("smoke", "quick")
"""The sizes whose generated test questions are left out of what is read."""


@cache
def _default_tests() -> list[Example]:
    held_out = []
    of_reports = [{"data": "reports", "language": language} for language in _REPORTS]
    for size in _HELD_AGAINST:
        for data in ({}, *of_reports):
            splits = make_splits(settings_for({"size": size, **data}).data)
            held_out += [*splits.valid, *splits.test]
    unique = {example.question: example for example in held_out}
    return [replace(example, qid=f"held-out-{place}") for place, example in enumerate(unique.values())]


def _known(examples: Sequence[Example], tested: Sequence[Example]) -> set[str]:
    nothing = pd.DataFrame()
    # Near copies are looked for between collected questions only; generated ones are told by story and numbers.
    leaked = leaks(Splits(list(examples), [], list(tested), account=nothing, near_duplicates=nothing))
    ours = {example.qid for example in examples}
    return ours & {*leaked["qid_1"], *leaked["qid_2"]}


_CALCULATOR, _FINAL = re.compile(r"<<[^<>]*>>"), re.compile(r"\n#### *(.+?)\s*$")


def _read_gsm8k(path: Path) -> list[Example]:
    if "test" in path.name:
        raise DataError(f"{path} looks like GSM8K's test part, which models are tested on; give train.jsonl")
    examples = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give GSM8K's train.jsonl") from error
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            question, answer = record["question"].strip(), _CALCULATOR.sub("", record["answer"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path} line {number} is not a question with its answer: {error}") from error
        rationale = _FINAL.sub(r"\nThe answer is \1.", answer)
        examples.append(Example(f"gsm8k-train-{number}", question, rationale, None, "gsm8k", licence="MIT"))
    return examples


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


def _check_same(folder: Path, settings: PretrainingSettings, digest: str) -> None:
    before = json.loads((folder / "recipe.json").read_text())
    if before["settings"] != asdict(settings) or before["texts"]["sha256"] != digest:
        raise ParameterError(
            f"{folder} holds a checkpoint made with other settings or texts; give another folder, or delete that one"
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
            "Left out is what equals or nearly equals a question of the default validation and test splits of what is "
            f"generated{_listed(texts['tested'])}.",
            "",
            f"They are read as plain text ({recipe['tokens']:,} tokens, {recipe['epochs']:g} epochs, "
            f"{recipe['flops']:.2g} training FLOPs); never as the pairs or whole chains that a method trains on. "
            f"Loss on {settings['held_out']} texts held out: {recipe['validation_loss']:.3f} nats a token; its course "
            "is in `curve.csv`, settings and hashes in `recipe.json`.",
            "",
            "**Limits.** It has read every story of the generated problems and reports, with other numbers than the "
            "default test splits hold: how a method does on stories never told (`held_out_schemas`), with another "
            "`data_seed`, or on a test set not listed in its recipe is for models from scratch to say. What is "
            "generated knows a few dozen stories; numbers are written digit by digit.",
            "",
        ]
    )


def _listed(tested: Mapping[str, int]) -> str:
    sets = ", ".join(f"{name} ({count:,})" for name, count in tested.items())
    return f", or of these sets: {sets}" if sets else ""
