"""What can be set: one frozen dataclass a step, and the one dial, ``size``, that the rest follows from.

>>> settings_for({"size": "smoke", "method": "uni-path", "seed": 1}).training.method
'uni-path'

The notebooks' parameters are flat; :func:`settings_for` sorts them into steps, fills what is not given from
:data:`SIZES` and raises :class:`ParameterError` for what cannot be, before any work is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ases.errors import ParameterError
from ases.presets import dial_of

METHODS = ("answer-only", "seq2seq", "uni-path", "uni-path-merged", "dual-path", "dual-path-merged")
"""The methods compared. ``-merged`` joins adjacent pieces with one label (METHOD, section 4)."""

BASELINE = "seq2seq"
"""What every method is compared with: whole rationales learned at once."""

SCORED = ("entropy", "loss", "similarity")
"""Strategies that give each piece a score, which the rule turns into a label."""

LABELLED = ("location", "gold", "random", "none")
"""Strategies that label the pieces without a score."""

DEFAULT_BETA = {"entropy": 1.4, "loss": 1.4, "similarity": 1.0}
SOURCES = ("generated", "llm_adapters_cot")


@dataclass(frozen=True)
class DataSettings:
    """Where the examples come from, and how many go into each split."""

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


@dataclass(frozen=True)
class SegmentationSettings:
    """How pieces are scored and labelled (METHOD, sections 2 and 3)."""

    strategy: str
    reduce: str
    condition: str
    similarity: str
    random_of: str
    beta: float


@dataclass(frozen=True)
class TrainingSettings:
    """One training run: method, model, budget and optimiser (METHOD, section 5).

    ``budget`` is in training FLOPs, counted on real tokens; every method gets the same, and a dual-path's two
    models share it in the proportion of their pairs. With ``budget_unit`` it is in target tokens, or in epochs (which
    both models of a dual-path get in full). ``init`` is ``base``, the model as it is, or ``seq2seq``, the weights that
    the whole-chain method ended with. ``batch_size`` counts the pairs of a step, whatever the rest: each of
    ``processes`` takes its share of them, in ``accumulate`` parts one after the other. ``sharded`` spreads the weights
    over the processes too (FSDP) instead of copying them.
    """

    method: str
    typed: bool
    model: str
    init: str
    budget: float
    budget_unit: str
    batch_size: int
    accumulate: int
    processes: int
    sharded: bool
    gradient_checkpointing: bool
    compile: bool
    learning_rate: float
    weight_decay: float
    warmup: float
    curve_points: int
    seed: int


@dataclass(frozen=True)
class GenerationSettings:
    """How chains are written and how many questions at a time (METHOD, section 6).

    ``max_rounds`` counts the turns of each model, passes included.
    """

    max_rounds: int
    max_segment_tokens: int
    max_chain_tokens: int
    generation_batch: int


@dataclass(frozen=True)
class Settings:
    """The settings of all steps of one run."""

    data: DataSettings
    segmentation: SegmentationSettings
    training: TrainingSettings
    generation: GenerationSettings


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
    "strategy": "entropy",
    "reduce": "sum",
    "condition": "question",
    "similarity": "rouge",
    "random_of": "entropy",
    "method": "seq2seq",
    "typed": False,
    "model": "nano",
    "init": "base",
    "budget_unit": "flops",
    "accumulate": 1,
    "processes": 1,
    "sharded": False,
    "gradient_checkpointing": False,
    "compile": False,
    **dial_of("nano"),
    "weight_decay": 0.01,
    "warmup": 0.06,
    "curve_points": 4,
    "seed": 0,
    "max_rounds": 15,
    "max_segment_tokens": 200,
    "max_chain_tokens": 200,
    "generation_batch": 128,
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

_CHOICES = {
    "size": tuple(SIZES),
    "data": SOURCES,
    "method": METHODS,
    "init": ("base", "seq2seq"),
    "budget_unit": ("flops", "epochs", "target_tokens"),
    "strategy": SCORED + LABELLED,
    "reduce": ("sum", "mean"),
    "condition": ("question", "prefix"),
    "similarity": ("rouge", "bleu"),
    "random_of": SCORED + ("location", "gold"),
}
_ABOVE_ZERO = (
    "valid_size test_size steps_from steps_to largest budget batch_size accumulate processes learning_rate "
    "curve_points "
    "max_rounds max_segment_tokens max_chain_tokens generation_batch"
).split()
_NOT_BELOW_ZERO = "train_size distractors weight_decay warmup data_seed seed".split()


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
    values = {**_BASE, **dial_of(given.get("model", _BASE["model"])), **SIZES[size], **given}
    rule = values["random_of"] if values["strategy"] == "random" else values["strategy"]
    values.setdefault("beta", DEFAULT_BETA.get(rule, 1.0))
    _check(values, budgeted="budget" in given)
    parts = (DataSettings, SegmentationSettings, TrainingSettings, GenerationSettings)
    return Settings(*(part(**{field.name: values[field.name] for field in fields(part)}) for part in parts))


def needs_labels(method: str, typed: bool = False) -> bool:
    """Whether labels change anything for the method (METHOD, section 4)."""
    return method.startswith("dual-path") or method.endswith("-merged") or (typed and method.startswith("uni-path"))


def flat(settings: Any) -> dict[str, Any]:
    """The settings as one flat dictionary, as they are hashed and written into manifests."""
    values = asdict(settings)
    nested = [value for value in values.values() if isinstance(value, dict)]
    return {key: item for part in nested for key, item in part.items()} if nested else values


def _check(values: Mapping[str, Any], budgeted: bool) -> None:
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
    if values["steps_to"] < values["steps_from"] or values["steps_to"] > 8:
        raise ParameterError(
            f"steps_from {values['steps_from']} to steps_to {values['steps_to']} is not a range within 1 to 8"
        )
    if not values["warmup"] < 1:
        raise ParameterError(f"warmup is {values['warmup']}, but is a share of the steps, below 1")
    if values["distractors"] > 1:
        raise ParameterError(f"distractors is {values['distractors']}, but is a probability, from 0 to 1")
    if values["data"] != "generated":
        if not values["data_folder"]:
            raise ParameterError(f"data is {values['data']}, which needs data_folder: the folder that holds its files")
        if values["strategy"] == "gold" or (values["strategy"], values["random_of"]) == ("random", "gold"):
            raise ParameterError("strategy gold needs generated data: collected rationales carry no gold labels")
    elif values["train_size"] == 0:
        raise ParameterError("train_size 0 (all that is left) needs collected data; give a number for generated data")
    unlabelled = values["strategy"] == "none"
    if values["method"].startswith("dual-path") and unlabelled:
        raise ParameterError("strategy none has no labels, so dual-path cannot send its segments to two models")
    if values["budget_unit"] != "flops" and not budgeted:
        raise ParameterError(
            f"budget_unit is {values['budget_unit']}, but no budget is given; the dial's own is in training FLOPs"
        )
    if values["accumulate"] * values["processes"] > values["batch_size"]:
        raise ParameterError(
            f"accumulate {values['accumulate']} times processes {values['processes']} is more than batch_size "
            f"{values['batch_size']}: each part of a step needs at least one pair"
        )
    if values["sharded"] and values["processes"] == 1:
        raise ParameterError("sharded spreads a model over several processes; set processes, or sharded to false")
    if values["typed"] and (not values["method"].startswith("uni-path") or unlabelled):
        raise ParameterError(
            "typed marks each target with its label: it needs method uni-path and a strategy with labels"
        )


def _check_choice(name: str, value: Any) -> None:
    if value not in _CHOICES[name]:
        raise ParameterError(f"{name} is {value!r}, but must be one of {', '.join(_CHOICES[name])}")
