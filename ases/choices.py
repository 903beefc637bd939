"""What each setting can be: the names of methods, strategies and data, the ranges of numbers, and what goes together.

>>> check_choice("method", "tri-path")                                          # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
ases.errors.ParameterError: method is 'tri-path', but must be one of ...

The settings themselves, and their values by size, are in :mod:`ases.settings`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ases.errors import ParameterError
from ases.presets import PRESETS

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

BENCHMARKS = ("scoring", "training", "generation", "data")
"""The parts of the performance notebook."""

REAL_RATIONALES = "llm_adapters_cot"
"""The collected set that measurements of speed are taken on, beside generated problems."""

PRIVATE = ("cpet",)
"""Data about people: what is computed from it stays in the folder that holds it, and nothing of it is published."""

DEFAULT_BETA = {"entropy": 1.4, "loss": 1.4, "similarity": 1.0, "novelty": 1.0, "information_gain": 1.0}
SOURCES = ("generated", "reports", "gsm8k", "llm_adapters_cot", "palm_svamp_cot", "cpet", "own")
COLUMN_FIELDS = ("qid", "question", "rationale", "answer", "source", "licence")
LANGUAGES = ("en", "zh")
LANGUAGE_OF = {"reports": "zh", "cpet": "zh"}
"""Languages of data that is not English, unless another is given."""
SIZE_NAMES = ("smoke", "quick", "real", "classroom", "gpu", "paper")

MOST_CURVE_POINTS = 5
"""How often a run may look at validation accuracy or ROUGE-L (METHOD, section 5)."""

_CHOICES = {
    "size": SIZE_NAMES,
    "data": SOURCES,
    "language": LANGUAGES,
    "method": METHODS + SCORER_METHODS,
    "init": ("base", "seq2seq"),
    "budget_unit": ("flops", "epochs", "target_tokens"),
    "scorer": tuple(dict.fromkeys(SCORER_OF.values())),
    "strategy": SCORED + LABELLED,
    "reduce": ("sum", "mean"),
    "condition": ("question", "prefix"),
    "similarity": ("rouge", "bleu"),
    "random_of": SCORED + ("location", "gold"),
    "selection": ("loss", "measure"),
    "engine": ("transformers", "ctranslate2"),
    "compute_type": ("float32", "int8", "bfloat16"),
    "decoding": ("greedy", "sampling", "beams"),
    "vote": ("none", "chain", "segment"),
    "scorer_shape": ("flan-t5-small", *PRESETS),
}
_ABOVE_ZERO = (
    "valid_size test_size steps_from steps_to largest budget batch_size accumulate processes learning_rate "
    "curve_points folds max_rounds max_segment_tokens max_chain_tokens generation_batch token_budget temperature "
    "beams samples threads scored_pieces plain_pieces timed_steps asked most_turns longest_turn "
    "memory_questions file_rows made_problems"
).split()
_LEFT_OUT = re.compile(r"([1-9]\d*)/([1-9]\d*)")
_NOT_BELOW_ZERO = (
    "longest_learned train_size distractors weight_decay warmup data_seed seed top_k generation_seed"
).split()


def check_values(values: Mapping[str, Any], budgeted: bool) -> None:
    """Refuse what cannot be. ``budgeted``: a budget was given. Raises ParameterError for the first problem."""
    for name in _CHOICES:
        if name in values:
            check_choice(name, values[name])
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
    if values["longest_learned"] and not values["steps_from"] <= values["longest_learned"] < values["steps_to"]:
        raise ParameterError(
            f"longest_learned is {values['longest_learned']}, but must be steps_from {values['steps_from']} or more "
            f"and less than steps_to {values['steps_to']}: longer problems are the test's"
        )
    if values["longest_learned"] and values["data"] != "generated":
        raise ParameterError("longest_learned needs data generated: no other problems are made by length")
    if values["curve_points"] > MOST_CURVE_POINTS:
        raise ParameterError(
            f"curve_points is {values['curve_points']}, but validation answers are looked at {MOST_CURVE_POINTS} times "
            "a run at most (the validation loss of each epoch is in the log)"
        )
    if not values["warmup"] < 1:
        raise ParameterError(f"warmup is {values['warmup']}, but is a share of the steps, below 1")
    if values["distractors"] > 1:
        raise ParameterError(f"distractors is {values['distractors']}, but is a probability, from 0 to 1")
    _check_columns(values["columns"], values["data"])
    if not values["parts"] or set(values["parts"]) - set(BENCHMARKS):
        raise ParameterError(f"parts is {list(values['parts'])}, but holds one or more of {', '.join(BENCHMARKS)}")
    if values["held_out_schemas"] and values["data"] not in GENERATED:
        raise ParameterError("held_out_schemas needs generated data: collected questions carry no story schemas")
    if values["data"] not in ("reports", "own") and values["language"] != LANGUAGE_OF.get(values["data"], "en"):
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


def check_choice(name: str, value: Any) -> None:
    """Raise ParameterError for a value that is not one of the parameter's choices."""
    if value not in _CHOICES[name]:
        raise ParameterError(f"{name} is {value!r}, but must be one of {', '.join(_CHOICES[name])}")
