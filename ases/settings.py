"""What can be set: one frozen dataclass a step, and the one dial, ``size``, that the rest follows from.

>>> settings_for({"size": "smoke", "method": "uni-path", "seed": 1}).training.method
'uni-path'

The notebooks' parameters are flat; :func:`settings_for` sorts them into steps, fills what is not given from
:data:`SIZES` and raises :class:`ParameterError` for what cannot be, before any work is done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ases.errors import ParameterError

METHODS = ("answer-only", "seq2seq", "uni-path", "uni-path-merged", "dual-path", "dual-path-merged")
"""The methods compared. ``-merged`` joins adjacent pieces with one label (METHOD, section 4)."""

SCORER_METHODS = ("answer-from-prefix",)
"""Methods that train a scorer, not compared: that of information_gain learns the answer from partial chains."""

BASELINE = "seq2seq"
"""What every method is compared with: whole rationales learned at once."""

SCORED = ("entropy", "loss", "similarity", "novelty", "information_gain")
"""Strategies that give each piece a score, which the rule turns into a label."""

CONTROLS = ("random", "random_boundaries")
"""Controls: what the strategy ``random_of`` gives, its labels or its segments' lengths in random order."""

LABELLED = ("location", "gold", *CONTROLS, "none")
"""Strategies that label the pieces without a score."""

SCORER_OF = {"entropy": "seq2seq", "loss": "seq2seq", "information_gain": "answer-from-prefix"}
"""Strategies whose scores come from a model, with the method by which that model, the scorer, was trained."""

GENERATED = ("generated", "reports")
"""Data that is made here, from a seed, with gold labels."""

ANSWERED = ("generated", "gsm8k", "llm_adapters_cot", "palm_svamp_cot")
"""Data in which every question has an answer."""

PRIVATE = ("cpet",)
"""Data about people: what is computed from it stays in the folder that holds it, and nothing of it is published."""

DEFAULT_BETA = {"entropy": 1.4, "loss": 1.4, "similarity": 1.0, "novelty": 1.0, "information_gain": 1.0}
SOURCES = ("generated", "reports", "gsm8k", "llm_adapters_cot", "palm_svamp_cot", "cpet", "own")
COLUMN_FIELDS = ("qid", "question", "rationale", "answer", "source", "licence")
LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class DataSettings:
    """Where the examples come from, and how many go into each split.

    ``data_folder`` is the place of collected data: a folder, a file, or the name of a data set on a hub. ``columns``
    holds entries such as ``question=problem`` and is for own data only; ``language`` is that of reports and of own
    data. With ``held_out_schemas`` the stories of the test split are told nowhere in training.
    """

    data: str
    data_folder: str
    data_seed: int
    train_size: int
    valid_size: int
    test_size: int
    steps_from: int
    steps_to: int
    largest: int
    distractors: float
    keep_teacher_wrong: bool
    language: str
    columns: tuple[str, ...]
    held_out_schemas: bool


@dataclass(frozen=True)
class ScoringSettings:
    """Which model scores the pieces (METHOD, section 2).

    ``scorer`` is the method that it was trained by. With ``folds`` of 2 or more the scorer is cross-fitted: each
    example is scored by a model that has not seen it in training; 1 scores the split that the model was trained on.
    """

    scorer: str
    folds: int


@dataclass(frozen=True)
class SegmentationSettings:
    """How scores become labels (METHOD, sections 2 and 3)."""

    strategy: str
    reduce: str
    condition: str
    similarity: str
    random_of: str
    beta: float

    @property
    def scored_strategy(self) -> str:
        """The strategy whose scores or labels count: for a control the one it is made of."""
        return self.random_of if self.strategy in CONTROLS else self.strategy


@dataclass(frozen=True)
class TrainingSettings:
    """One training run: method, model, budget and optimiser (METHOD, section 5).

    ``budget`` is in training FLOPs, counted on real tokens; every method gets the same, and a dual-path's two
    models share it in the proportion of their pairs. ``left_out`` is for the scorers of cross-fitting: ``2/5`` leaves
    the second of five folds out of training; empty leaves nothing out.
    """

    method: str
    typed: bool
    model: str
    budget: float
    batch_size: int
    learning_rate: float
    weight_decay: float
    warmup: float
    curve_points: int
    left_out: str
    seed: int


@dataclass(frozen=True)
class GenerationSettings:
    """How chains are written and how many questions at a time (METHOD, section 6).

    ``max_rounds`` counts the turns of each model, passes included. A batch has at most ``generation_batch`` rows and
    ``token_budget`` context tokens, padding included. ``samples`` texts are drawn for each vote: over whole chains
    (self-consistency) or over each segment.
    """

    max_rounds: int
    max_segment_tokens: int
    max_chain_tokens: int
    generation_batch: int
    token_budget: int
    engine: str
    compute_type: str
    decoding: str
    temperature: float
    top_k: int
    beams: int
    vote: str
    samples: int
    generation_seed: int


@dataclass(frozen=True)
class Settings:
    """The settings of all steps of one run."""

    data: DataSettings
    scoring: ScoringSettings
    segmentation: SegmentationSettings
    training: TrainingSettings
    generation: GenerationSettings


PARTS = (DataSettings, ScoringSettings, SegmentationSettings, TrainingSettings, GenerationSettings)
"""The settings of each step, in the order in which :class:`Settings` holds them."""

# The dial. Knobs were chosen on validation data only; README, "How the sizes were chosen".
_BASE: dict[str, Any] = {
    "data": "generated",
    "data_folder": "",
    "data_seed": 0,
    "steps_from": 1,
    "steps_to": 2,
    "largest": 10,
    "distractors": 0.2,
    "keep_teacher_wrong": False,
    "language": "en",
    "columns": (),
    "held_out_schemas": False,
    "scorer": "seq2seq",
    "folds": 1,
    "strategy": "entropy",
    "reduce": "sum",
    "condition": "question",
    "similarity": "rouge",
    "random_of": "entropy",
    "method": "seq2seq",
    "typed": False,
    "model": "nano",
    "batch_size": 32,
    "learning_rate": 3e-3,
    "weight_decay": 0.01,
    "warmup": 0.06,
    "curve_points": 4,
    "left_out": "",
    "seed": 0,
    "max_rounds": 15,
    "max_segment_tokens": 200,
    "max_chain_tokens": 200,
    "generation_batch": 256,
    "token_budget": 16384,
    "engine": "transformers",
    "compute_type": "float32",
    "decoding": "greedy",
    "temperature": 1.0,
    "top_k": 0,
    "beams": 4,
    "vote": "none",
    "samples": 1,
    "generation_seed": 0,
}
SIZES: dict[str, dict[str, Any]] = {
    "smoke": {"train_size": 96, "valid_size": 24, "test_size": 48, "budget": 2e10, "curve_points": 2},
    "quick": {"train_size": 4000, "valid_size": 200, "test_size": 1000, "budget": 3.5e12},
    "real": {
        "train_size": 0,
        "valid_size": 200,
        "test_size": 400,
        "budget": 3.5e12,
        # what people and their models write is longer than what is generated here
        "max_rounds": 40,
        "max_segment_tokens": 400,
        "max_chain_tokens": 400,
    },
}
"""``train_size`` 0 takes all that is left after validation and test."""

_LANGUAGE_OF = {"reports": "zh", "cpet": "zh"}  # unless another is given
_REPORTS = {"max_rounds": 40, "max_segment_tokens": 400, "max_chain_tokens": 400}  # impressions have 14 pieces
BY_DATA: dict[tuple[str, str], dict[str, Any]] = {
    ("smoke", "reports"): {**_REPORTS, "train_size": 48, "valid_size": 12, "test_size": 24, "curve_points": 1},
    ("quick", "reports"): {**_REPORTS, "train_size": 1000, "valid_size": 100, "test_size": 200, "budget": 1e12,
                           "curve_points": 1},
}
"""What a size means for data other than word problems, whose texts are longer."""

_CHOICES = {
    "size": tuple(SIZES),
    "data": SOURCES,
    "language": LANGUAGES,
    "method": METHODS + SCORER_METHODS,
    "scorer": tuple(dict.fromkeys(SCORER_OF.values())),
    "strategy": SCORED + LABELLED,
    "reduce": ("sum", "mean"),
    "condition": ("question", "prefix"),
    "similarity": ("rouge", "bleu"),
    "random_of": SCORED + ("location", "gold"),
    "engine": ("transformers", "ctranslate2"),
    "compute_type": ("float32", "int8", "bfloat16"),
    "decoding": ("greedy", "sampling", "beams"),
    "vote": ("none", "chain", "segment"),
}
_ABOVE_ZERO = (
    "valid_size test_size steps_from steps_to largest budget batch_size learning_rate curve_points "
    "folds max_rounds max_segment_tokens max_chain_tokens generation_batch token_budget temperature beams samples"
).split()
_LEFT_OUT = re.compile(r"([1-9]\d*)/([1-9]\d*)")
_NOT_BELOW_ZERO = "train_size distractors weight_decay warmup data_seed seed top_k generation_seed".split()


def settings_for(parameters: Mapping[str, Any]) -> Settings:
    """Sort flat parameters into the settings of each step, filled up from the dial ``size``.

    None stands for a value not given. Unknown names, values outside their choices or ranges, and combinations
    without meaning raise ParameterError. ``beta`` not given takes the strategy's own default.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    size = given.pop("size", "quick")
    _check_choice("size", size)
    known = {"beta", *_BASE, *SIZES[size]}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ParameterError(f"unknown parameter {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    data = given.get("data", _BASE["data"])
    by_data = {"language": _LANGUAGE_OF.get(data, "en"), **BY_DATA.get((size, data), {})}
    values = {**_BASE, **SIZES[size], **by_data, **given}
    values["columns"] = (values["columns"],) if isinstance(values["columns"], str) else tuple(values["columns"])
    rule = values["random_of"] if values["strategy"] in CONTROLS else values["strategy"]
    values.setdefault("beta", DEFAULT_BETA.get(rule, 1.0))
    _check(values)
    return Settings(*(part(**{field.name: values[field.name] for field in fields(part)}) for part in PARTS))


def needs_labels(method: str, typed: bool = False) -> bool:
    """Whether labels change anything for the method (METHOD, section 4)."""
    return method.startswith("dual-path") or method.endswith("-merged") or (typed and method.startswith("uni-path"))


def flat(settings: Any) -> dict[str, Any]:
    """The settings of all steps, or of one, as one flat dictionary."""
    values = asdict(settings)
    nested = [value for value in values.values() if isinstance(value, dict)]
    return {key: item for part in nested for key, item in part.items()} if nested else values


def _check(values: Mapping[str, Any]) -> None:
    for name in _CHOICES:
        if name in values:
            _check_choice(name, values[name])
    if not values["beta"] > 0:
        raise ParameterError(
            f"beta is {values['beta']}, but must be above 0: a piece is AS when its score exceeds beta times the mean"
        )
    for name in _ABOVE_ZERO:
        if not values[name] > 0:
            raise ParameterError(f"{name} is {values[name]}, but must be above 0")
    for name in _NOT_BELOW_ZERO:
        if values[name] < 0:
            raise ParameterError(f"{name} is {values[name]}, but must not be below 0")
    if values["left_out"]:
        match = _LEFT_OUT.fullmatch(values["left_out"])
        if match is None or not int(match[1]) <= int(match[2]) or int(match[2]) < 2:
            raise ParameterError(f"left_out is {values['left_out']!r}, but names a fold of several, such as 2/5")
    if values["steps_to"] < values["steps_from"] or values["steps_to"] > 8:
        raise ParameterError(
            f"steps_from {values['steps_from']} to steps_to {values['steps_to']} is not a range within 1 to 8"
        )
    if not values["warmup"] < 1:
        raise ParameterError(f"warmup is {values['warmup']}, but is a share of the steps, below 1")
    if values["distractors"] > 1:
        raise ParameterError(f"distractors is {values['distractors']}, but is a probability, from 0 to 1")
    _check_columns(values["columns"], values["data"])
    if values["held_out_schemas"] and values["data"] not in GENERATED:
        raise ParameterError("held_out_schemas needs generated data: collected questions carry no story schemas")
    if values["data"] not in ("reports", "own") and values["language"] != _LANGUAGE_OF.get(values["data"], "en"):
        raise ParameterError(f"language is {values['language']}, but data {values['data']} is in another language")
    if values["data"] not in GENERATED:
        if not values["data_folder"]:
            raise ParameterError(f"data is {values['data']}, which needs data_folder: the folder or file that holds it")
        if "gold" in (values["strategy"], values["strategy"] in CONTROLS and values["random_of"]):
            raise ParameterError("strategy gold needs generated data: collected rationales carry no gold labels")
    elif values["train_size"] == 0:
        raise ParameterError("train_size 0 (all that is left) needs collected data; give a number for generated data")
    _check_decoding(values)
    unlabelled = values["strategy"] == "none"
    if values["method"].startswith("dual-path") and unlabelled:
        raise ParameterError("strategy none has no labels, so dual-path cannot send its segments to two models")
    if values["typed"] and (not values["method"].startswith("uni-path") or unlabelled):
        raise ParameterError(
            "typed marks each target with its label: it needs method uni-path and a strategy with labels"
        )


def _check_columns(columns: tuple[str, ...], data: str) -> None:
    fields_named = [entry.partition("=")[0] for entry in columns]
    for entry, name in zip(columns, fields_named, strict=True):
        if name not in COLUMN_FIELDS or not entry.partition("=")[2]:
            raise ParameterError(
                f"columns holds {entry!r}, but each entry is field=column, the field one of {', '.join(COLUMN_FIELDS)}"
            )
    if len(set(fields_named)) < len(fields_named):
        raise ParameterError(f"columns names a field twice: {', '.join(columns)}")
    if columns and data != "own":
        raise ParameterError(f"columns is for data own; the columns of {data} are known")


def _check_decoding(values: Mapping[str, Any]) -> None:
    voting, sampling = values["vote"] != "none", values["decoding"] == "sampling"
    if voting and not (sampling and values["samples"] > 1):
        raise ParameterError(
            f"vote {values['vote']} needs decoding sampling and samples above 1: equal texts always agree"
        )
    if values["samples"] > 1 and not voting:
        raise ParameterError(
            f"samples is {values['samples']}, but vote is none; say what is voted on: chain or segment"
        )
    if sampling and values["engine"] == "ctranslate2":
        raise ParameterError(
            "decoding sampling needs engine transformers: what ctranslate2 draws depends on what shares the batch"
        )
    if values["compute_type"] != "float32" and values["engine"] == "transformers":
        raise ParameterError(
            f"compute_type {values['compute_type']} needs engine ctranslate2; transformers computes in float32 here"
        )


def _check_choice(name: str, value: Any) -> None:
    if value not in _CHOICES[name]:
        raise ParameterError(f"{name} is {value!r}, but must be one of {', '.join(_CHOICES[name])}")
