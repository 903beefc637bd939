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

from ases.choices import ANSWERED as ANSWERED
from ases.choices import BASELINE as BASELINE
from ases.choices import BENCHMARKS as BENCHMARKS
from ases.choices import COLUMN_FIELDS as COLUMN_FIELDS
from ases.choices import CONTROLS as CONTROLS
from ases.choices import DEFAULT_BETA as DEFAULT_BETA
from ases.choices import GENERATED as GENERATED
from ases.choices import LABELLED as LABELLED
from ases.choices import LANGUAGE_OF as LANGUAGE_OF
from ases.choices import LANGUAGES as LANGUAGES
from ases.choices import METHODS as METHODS
from ases.choices import PRIVATE as PRIVATE
from ases.choices import REAL_RATIONALES as REAL_RATIONALES
from ases.choices import SCORED as SCORED
from ases.choices import SCORER_METHODS as SCORER_METHODS
from ases.choices import SCORER_OF as SCORER_OF
from ases.choices import SIZE_NAMES as SIZE_NAMES
from ases.choices import SOURCES as SOURCES
from ases.choices import check_choice, check_values
from ases.errors import ParameterError
from ases.presets import dial_of


@dataclass(frozen=True)
class DataSettings:
    """Where the examples come from, and how many go into each split.

    ``data_folder`` is the place of collected data: a folder, a file, or the name of a data set on a hub. ``columns``
    holds entries such as ``question=problem`` and is for own data only; ``language`` is that of reports and of own
    data. With ``held_out_schemas`` the stories of the test split are told nowhere in training. With
    ``longest_learned`` the problems of training and validation have at most so many operations, and those of the test
    more; 0 for no such cut.
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
    longest_learned: int


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
    models share it in the proportion of their pairs. With ``budget_unit`` it is in target tokens, or in epochs (which
    both models of a dual-path get in full). ``init`` is ``base``, the model as it is, or ``seq2seq``, the weights that
    the whole-chain method ended with. ``batch_size`` counts the pairs of a step, whatever the rest: each of
    ``processes`` takes its share of them, in ``accumulate`` parts one after the other. ``sharded`` spreads the weights
    over the processes too (FSDP) instead of copying them. ``left_out`` is for the scorers of cross-fitting: ``2/5``
    leaves the second of five folds out of training; empty leaves nothing out.
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
    left_out: str
    seed: int


@dataclass(frozen=True)
class GenerationSettings:
    """How chains are written, with which weights, and how many questions at a time (METHOD, sections 5 and 6).

    ``selection`` says which weights of a training write: those of the lowest validation ``loss``, or of the point of
    the learning curve with the best headline ``measure`` on validation questions. (Scorers are selected by loss.)
    ``max_rounds`` counts the turns of each model, passes included. A batch has at most ``generation_batch`` rows and
    ``token_budget`` context tokens, padding included. ``compute_type`` is CTranslate2's: int8 on a CPU or a GPU,
    bfloat16 on a GPU. ``samples`` texts are drawn for each vote: over whole chains (self-consistency) or over each
    segment.
    """

    selection: str
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
class BenchmarkSettings:
    """What the performance notebook measures, and on how much.

    ``parts`` of :data:`ases.choices.BENCHMARKS`. ``threads`` are those of generation; scoring and training take one a
    process. The scorer that is timed has random weights and the shape of ``flan-t5-small`` or of a preset. The plain
    procedure scores ``plain_pieces`` pieces and ours ``scored_pieces``; engines answer ``asked`` questions, in chains
    of at most ``most_turns`` turns of ``longest_turn`` tokens; ``timed_steps`` steps are trained of each way to make
    batches, and memory is measured up to ``memory_questions`` questions, ``file_rows`` records of a file and
    ``made_problems`` generated problems.
    """

    parts: tuple[str, ...]
    threads: int
    scorer_shape: str
    scored_pieces: int
    plain_pieces: int
    timed_steps: int
    asked: int
    most_turns: int
    longest_turn: int
    memory_questions: int
    file_rows: int
    made_problems: int


@dataclass(frozen=True)
class Settings:
    """The settings of all steps of one run."""

    data: DataSettings
    scoring: ScoringSettings
    segmentation: SegmentationSettings
    training: TrainingSettings
    generation: GenerationSettings
    benchmark: BenchmarkSettings


PARTS = (
    DataSettings,
    ScoringSettings,
    SegmentationSettings,
    TrainingSettings,
    GenerationSettings,
    BenchmarkSettings,
)
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
    "longest_learned": 0,
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
    "left_out": "",
    "seed": 0,
    "selection": "loss",
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
    "parts": BENCHMARKS,
    "threads": 2,
    "scorer_shape": "flan-t5-small",
    "scored_pieces": 600,
    "plain_pieces": 48,
    "timed_steps": 24,
    "asked": 256,
    "most_turns": 20,
    "longest_turn": 320,
    "memory_questions": 100_000,
    "file_rows": 100_000,
    "made_problems": 100_000,
}
_SMALLEST = {
    **{"scorer_shape": "nano", "scored_pieces": 24, "plain_pieces": 24, "timed_steps": 2, "asked": 16},
    **{"most_turns": 2, "longest_turn": 8, "memory_questions": 1, "file_rows": 400, "made_problems": 400},
}
SIZES: dict[str, dict[str, Any]] = {
    "smoke": {"train_size": 96, "valid_size": 24, "test_size": 48, "budget": 2e10, "curve_points": 2, **_SMALLEST},
    "quick": {"train_size": 4000, "valid_size": 200, "test_size": 1000, "budget": 3.5e12},
    # The main experiment, over several sittings: what `make reproduce` shows in one seed, with the power to tell.
    "classroom": {
        **{"train_size": 2000, "valid_size": 300, "test_size": 1000, "budget": 4e12, "curve_points": 2},
        "selection": "measure",  # with few problems the lowest validation loss comes long before the best accuracy
    },
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
    "gpu": {
        "train_size": 16000,
        "valid_size": 400,
        "test_size": 2000,
        "budget": 1e15,
        # more problems, of more steps, than there are of the small ones
        "steps_to": 4,
        "largest": 20,
    },
    "paper": {"train_size": 0, "valid_size": 400, "test_size": 1000, "budget": 1e15},
}
"""``train_size`` 0 takes all that is left after validation and test."""

_REPORTS = {"max_rounds": 40, "max_segment_tokens": 400, "max_chain_tokens": 400}  # impressions have 14 pieces
BY_DATA: dict[tuple[str, str], dict[str, Any]] = {
    ("smoke", "reports"): {
        **_REPORTS,
        "train_size": 48,
        "valid_size": 12,
        "test_size": 24,
        "curve_points": 1,
        "budget": 1e11,  # a batch of the longest pairs, in English, costs 4e10
    },
    ("quick", "reports"): {
        **_REPORTS,
        "train_size": 1000,
        "valid_size": 100,
        "test_size": 200,
        "curve_points": 1,
        "budget": 1.2e12,
        "batch_size": 8,  # the budget pays for two epochs, which are few steps with more
    },
    ("classroom", "reports"): {
        **_REPORTS,
        "train_size": 500,
        "valid_size": 60,
        "test_size": 200,
        "curve_points": 1,  # writing 60 impressions takes as long as a tenth of the training
        "budget": 8e12,
        "batch_size": 8,
        "learning_rate": 6e-3,
    },
    ("gpu", "reports"): _REPORTS,
}
"""What a size means for data other than word problems, whose texts are longer."""

BY_METHOD: dict[tuple[str, str, str], dict[str, Any]] = {
    ("quick", "", "answer-from-prefix"): {"budget": 1.5e12, "curve_points": 1},
    ("classroom", "", "seq2seq"): {"learning_rate": 6e-3},
    ("classroom", "reports", "seq2seq"): {"learning_rate": 12e-3},
}
"""What a size means for one method, on any data ("") or on one kind, which comes before any.

For a scorer that is compared with no method: enough to score with. In the main experiment: the learning rate that was
best on validation, of three tried for each method alike (README, "How it is built").
"""


def settings_for(parameters: Mapping[str, Any]) -> Settings:
    """Sort flat parameters into the settings of each step, filled up from the dial ``size``.

    None stands for a value not given. Unknown names, values outside their choices or ranges, and combinations
    without meaning raise ParameterError. ``beta`` not given takes the strategy's own default.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    size = given.pop("size", "quick")
    check_choice("size", size)
    known = {"beta", *_BASE, *SIZES[size]}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ParameterError(f"unknown parameter {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    data = given.get("data", _BASE["data"])
    by_data = {"language": LANGUAGE_OF.get(data, "en"), **BY_DATA.get((size, data), {})}
    dial = dial_of(given.get("model", _BASE["model"]))
    method = given.get("method", _BASE["method"])
    by_method = {name: value for kind in ("", data) for name, value in BY_METHOD.get((size, kind, method), {}).items()}
    values = {**_BASE, **dial, **SIZES[size], **by_data, **by_method, **given}
    for name in ("columns", "parts"):
        values[name] = (values[name],) if isinstance(values[name], str) else tuple(values[name])
    rule = values["random_of"] if values["strategy"] in CONTROLS else values["strategy"]
    values.setdefault("beta", DEFAULT_BETA.get(rule, 1.0))
    check_values(values, budgeted="budget" in given)
    return Settings(*(part(**{field.name: values[field.name] for field in fields(part)}) for part in PARTS))


def needs_labels(method: str, typed: bool = False) -> bool:
    """Whether labels change anything for the method (METHOD, section 4)."""
    return method.startswith("dual-path") or method.endswith("-merged") or (typed and method.startswith("uni-path"))


def flat(settings: Any) -> dict[str, Any]:
    """The settings of all steps, or of one, as one flat dictionary."""
    values = asdict(settings)
    nested = [value for value in values.values() if isinstance(value, dict)]
    return {key: item for part in nested for key, item in part.items()} if nested else values
