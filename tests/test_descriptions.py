"""Descriptions of data sets: shares and lengths on exact cases, generated beside real."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from ases.descriptions import MEASURES, extractive_share, lengths, lengths_by_set
from ases.errors import DataError
from ases.examples import AS, ES, Example
from ases.problems import generate_problems
from ases.sources import load_llm_adapters

EXAMPLE = Example("q", "2 and 3?", "There is 2. 2 + 3 = 5. The answer is 5.", "5", "own", gold=(ES, AS, ES))


def test_shares_of_an_exact_case() -> None:
    restates = replace(EXAMPLE, qid="r", rationale="2 + 3 = 2. Done.", gold=(AS, ES))
    (row,) = extractive_share({"own": [EXAMPLE, restates]}).to_dict("records")
    assert (row["examples"], row["pieces"], row["pieces_each"]) == (2, 5, 2.5)
    assert (row["gold_es"], row["heuristic_es"], row["agreement"]) == (3 / 5, 4 / 5, 4 / 5)
    (real,) = extractive_share({"own": [replace(EXAMPLE, gold=None)]}).to_dict("records")
    assert math.isnan(real["gold_es"]) and math.isnan(real["agreement"]) and real["heuristic_es"] == 2 / 3


def test_half_a_gold_and_empty_sets_are_refused() -> None:
    with pytest.raises(DataError, match="set own has 6 pieces but 3 gold"):
        extractive_share({"own": [EXAMPLE, replace(EXAMPLE, gold=None)]})
    with pytest.raises(DataError, match="set own has no pieces"):
        extractive_share({"own": []})


def test_lengths_by_set_are_lengths() -> None:
    table = lengths_by_set({"own": [EXAMPLE]})
    assert table.columns.tolist() == ["set", "measure", "value"] and tuple(table["measure"]) == MEASURES
    assert table["value"].tolist() == [8, 39, 3] == lengths({"own": [EXAMPLE]})["value"].tolist()


def test_generated_problems_stand_near_the_real_ones(real: Path) -> None:
    collected = load_llm_adapters(real, sets=["multiarith"]).examples
    sets = {"generated": generate_problems(300, seed=0), "multiarith": collected}
    table = extractive_share(sets).set_index("set")
    assert table.loc["generated", "agreement"] > 0.9
    assert abs(table.loc["generated", "heuristic_es"] - table.loc["multiarith", "heuristic_es"]) < 0.1
