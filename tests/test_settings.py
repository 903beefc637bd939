"""Settings: the dial fills what is not given, and what cannot be is refused before any work."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from ases.errors import ParameterError
from ases.settings import (
    CONTROLS,
    DEFAULT_BETA,
    LABELLED,
    METHODS,
    SCORED,
    SCORER_METHODS,
    SIZES,
    flat,
    settings_for,
)

COLLECTED = {"data": "llm_adapters_cot", "data_folder": "somewhere"}


@pytest.mark.parametrize("size", SIZES)
def test_the_dial_sets_the_rest(size: str) -> None:
    settings = settings_for({"size": size, **COLLECTED})
    for name, value in SIZES[size].items():
        assert flat(settings)[name] == value
    assert settings_for({"size": size, **COLLECTED, "test_size": 7}).data.test_size == 7


def test_without_a_size_the_dial_is_at_quick() -> None:
    assert settings_for({}) == settings_for({"size": "quick"}) != settings_for({"size": "smoke"})


def test_none_is_a_value_not_given() -> None:
    assert settings_for({"beta": None, "train_size": None, "size": None}) == settings_for({})
    with pytest.raises(ParameterError, match="sede"):
        settings_for({"sede": 1, "seed": None})


@pytest.mark.parametrize("strategy", SCORED)
def test_each_strategy_has_its_own_beta(strategy: str) -> None:
    assert settings_for({"strategy": strategy}).segmentation.beta == DEFAULT_BETA[strategy]
    for control in CONTROLS:
        segmentation = settings_for({"strategy": control, "random_of": strategy}).segmentation
        assert (segmentation.beta, segmentation.scored_strategy) == (DEFAULT_BETA[strategy], strategy)
    assert settings_for({"strategy": strategy, "beta": 1.1}).segmentation.beta == 1.1


@pytest.mark.parametrize("method", METHODS + SCORER_METHODS)
@pytest.mark.parametrize("strategy", SCORED + LABELLED)
def test_methods_and_strategies_go_together_but_for_dual_path_without_labels(method: str, strategy: str) -> None:
    given = {"method": method, "strategy": strategy}
    if method.startswith("dual-path") and strategy == "none":
        with pytest.raises(ParameterError, match="no labels"):
            settings_for(given)
    else:
        settings = settings_for(given)
        assert (settings.training.method, settings.segmentation.strategy) == (method, strategy)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown name": ({"bta": 1.4}, "unknown parameter bta; known are .*beta"),
    "two unknown names": ({"zeta": 1, "alpha": 2}, "alpha, zeta"),
    "unknown size": ({"size": "huge"}, "size is 'huge', but must be one of smoke, quick"),
    "unknown language": ({"data": "reports", "language": "fr"}, "language is 'fr'.*en, zh"),
    "columns of known data": ({"columns": ["question=q"]}, "columns is for data own"),
    "unknown field": ({"data": "own", "data_folder": "f", "columns": ["qestion=q"]}, "'qestion=q'.*question"),
    "a field twice": ({"data": "own", "data_folder": "f", "columns": ["qid=a", "qid=b"]}, "twice"),
    "stories of collected data": ({**COLLECTED, "held_out_schemas": True}, "held_out_schemas needs generated"),
    "unknown source": ({"data": "gsm9k"}, "data is 'gsm9k'"),
    "unknown method": ({"method": "tri-path"}, "method is 'tri-path'.*uni-path-merged"),
    "unknown strategy": ({"strategy": "magic"}, "strategy is 'magic'.*entropy"),
    "unknown start": ({"init": "best"}, "init is 'best', but must be one of base, seq2seq"),
    "unknown unit": ({"budget_unit": "hours", "budget": 3.0}, "budget_unit is 'hours'"),
    "a unit without a budget": ({"budget_unit": "epochs"}, "budget_unit is epochs, but no budget is given"),
    "more parts than pairs": ({"batch_size": 4, "accumulate": 3, "processes": 2}, "accumulate 3 times processes 2"),
    "no process": ({"processes": 0}, "processes is 0"),
    "looking too often": ({"curve_points": 6}, "curve_points is 6, but .* 5 times"),
    "sharded over one": ({"sharded": True}, "several processes"),
    "unknown reduction": ({"reduce": "max"}, "reduce is 'max', but must be one of sum, mean"),
    "unknown condition": ({"condition": "answer"}, "condition"),
    "unknown similarity": ({"similarity": "cosine"}, "similarity"),
    "a control of a control": ({"strategy": "random", "random_of": "random"}, "random_of"),
    "beta of zero": ({"beta": 0}, "beta is 0, but must be above 0"),
    "beta below zero": ({"beta": -1.4}, "beta is -1.4"),
    "beta that is no number": ({"beta": math.nan}, "beta is nan"),
    "no test questions": ({"test_size": 0}, "test_size is 0"),
    "no validation questions": ({"valid_size": 0}, "valid_size is 0"),
    "negative training size": ({"train_size": -1}, "train_size is -1, but must not be below 0"),
    "no budget": ({"budget": 0.0}, "budget"),
    "no learning rate": ({"learning_rate": 0}, "learning_rate"),
    "negative seed": ({"seed": -1}, "seed is -1"),
    "negative decay": ({"weight_decay": -0.1}, "weight_decay"),
    "no rounds": ({"max_rounds": 0}, "max_rounds"),
    "no batch": ({"generation_batch": 0}, "generation_batch"),
    "no steps": ({"steps_from": 0}, "steps_from"),
    "steps in the wrong order": ({"steps_from": 4, "steps_to": 2}, "steps_from 4 to steps_to 2"),
    "too many steps": ({"steps_to": 9}, "within 1 to 8"),
    "a probability above one": ({"distractors": 1.5}, "distractors is 1.5.*from 0 to 1"),
    "a probability below zero": ({"distractors": -0.5}, "distractors"),
    "collected data from nowhere": ({"data": "llm_adapters_cot"}, "needs data_folder"),
    "gold labels of collected data": ({**COLLECTED, "strategy": "gold"}, "gold needs generated data"),
    "permuted gold labels of them": ({**COLLECTED, "strategy": "random", "random_of": "gold"}, "gold needs generated"),
    "their segments' lengths": (
        {**COLLECTED, "strategy": "random_boundaries", "random_of": "gold"},
        "gold needs generated",
    ),
    "all that is left of generated data": ({"train_size": 0}, "train_size 0"),
    "a vote among equal texts": ({"vote": "chain", "samples": 5}, "vote chain needs decoding sampling"),
    "a vote of one": ({"vote": "segment", "decoding": "sampling"}, "samples above 1"),
    "samples for nothing": ({"samples": 3, "decoding": "sampling"}, "samples is 3, but vote is none"),
    "sampling by the other engine": ({"decoding": "sampling", "engine": "ctranslate2"}, "needs engine transformers"),
    "whole numbers in transformers": ({"compute_type": "int8"}, "int8 needs engine ctranslate2"),
    "no token budget": ({"token_budget": 0}, "token_budget is 0"),
    "unknown engine": ({"engine": "onnx"}, "engine is 'onnx'.*transformers, ctranslate2"),
    "the real size on generated data": ({"size": "real"}, "needs collected data"),
}


@pytest.mark.parametrize(("given", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_refused_in_words(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        settings_for(given)


@pytest.mark.parametrize("name", ["train_size", "data_seed", "seed", "weight_decay", "warmup", "distractors"])
def test_zero_is_allowed_where_it_means_something(name: str) -> None:
    assert flat(settings_for({**COLLECTED, name: 0}))[name] == 0


def test_the_flat_form_holds_every_field_once_and_gives_the_settings_back() -> None:
    settings = settings_for({"size": "smoke", "method": "uni-path", "seed": 5})
    parts = [getattr(settings, field.name) for field in fields(settings)]
    names = [field.name for part in parts for field in fields(part)]
    assert len(names) == len(set(names))
    assert set(flat(settings)) == set(names)
    assert settings_for(flat(settings)) == settings


def test_settings_cannot_be_changed_and_do_not_share_the_dial() -> None:
    settings = settings_for({"size": "smoke"})
    with pytest.raises(FrozenInstanceError):
        settings.data.train_size = 1  # type: ignore[misc]
    assert settings_for({"size": "smoke"}) == settings


# Sources of data ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "language"), [("generated", "en"), ("reports", "zh"), ("cpet", "zh"), ("gsm8k", "en"), ("own", "en")]
)
def test_the_language_not_given_is_that_of_the_source(data: str, language: str) -> None:
    settings = settings_for({"data": data, "data_folder": "somewhere"})
    assert settings.data.language == language


@pytest.mark.parametrize("size", ["smoke", "quick", "classroom", "gpu"])
def test_impressions_of_reports_have_room_at_every_size(size: str) -> None:
    room = settings_for({"size": size, "data": "reports"}).generation
    assert (room.max_rounds, room.max_segment_tokens, room.max_chain_tokens) == (40, 400, 400)
    assert settings_for({"size": size, "data": "reports", "max_rounds": 3}).generation.max_rounds == 3
    assert settings_for({"size": size}).generation.max_rounds == 15


def test_columns_are_entries_of_field_and_column() -> None:
    given = {"data": "own", "data_folder": "my.csv", "columns": ["question=findings", "rationale=a=b"]}
    assert settings_for(given).data.columns == ("question=findings", "rationale=a=b")
    assert settings_for({**given, "columns": "question=q"}).data.columns == ("question=q",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": "own"}, "data is own, which needs data_folder"),
        ({"data": "own", "data_folder": "x", "columns": ["question"]}, "columns holds .question., but each entry"),
        ({"data": "own", "data_folder": "x", "columns": ["=q"]}, "columns holds '=q'"),
        ({"data": "gsm8k", "data_folder": "x", "columns": ["question=q"]}, "columns is for data own"),
        ({"data": "gsm8k", "data_folder": "x", "held_out_schemas": True}, "held_out_schemas needs generated data"),
        ({"data": "gsm8k", "data_folder": "x", "language": "zh"}, "data gsm8k is in another language"),
        ({"data": "cpet", "data_folder": "x", "language": "en"}, "data cpet is in another language"),
        ({"language": "de"}, "language is 'de', but must be one of en, zh"),
        ({"data": "reports", "train_size": 0}, "train_size 0"),
        ({"data": "gsm8k", "data_folder": "x", "strategy": "gold"}, "strategy gold needs generated data"),
    ],
)
def test_sources_that_cannot_be_are_errors(changes: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        settings_for(changes)
