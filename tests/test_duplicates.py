"""Near copies: what is masked, what is near, and that the fast ways find what the plain way finds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ases.duplicates import (
    NEAR,
    WINDOW,
    families,
    family_labels,
    likely_pairs,
    masked_words,
    near_duplicates,
    near_pairs,
    straddling_cost,
    straddling_pairs,
    word_sets,
)

BASE = "Ann had 3 red pens. She lost two of them. How many pens does Ann have left?"


@pytest.mark.parametrize(
    "copy",
    [
        "Ann had 41 red pens. She lost 7 of them. How many pens does Ann have left?",
        "Ann had 1,300 red pens. She lost 0.5 of them. How many pens does Ann have left?",
        "Tom had 3 red pens. He lost two of them. How many pens does Tom have left?",
        "Ann had 3 red pens , she lost two of them . how many pens does ann have left ?",
        "She lost two of them. Ann had 3 red pens. How many pens does Ann have left?",
        "Ann had 3 red pencils. She lost two of them. How many pencils does Ann have left?",
    ],
    ids=["numbers", "number formats", "names", "case and punctuation", "order of sentences", "items"],
)
def test_a_copy_with_something_swapped_is_a_near_duplicate(copy: str) -> None:
    (pair,) = near_duplicates([BASE, copy]).itertuples(index=False)
    assert (pair.first, pair.second) == (0, 1)
    assert pair.similarity >= NEAR


def test_another_story_with_the_same_sum_is_none() -> None:
    other = "There were 3 birds on a branch, and 2 flew away. How many birds were still sitting there?"
    assert near_duplicates([BASE, other]).empty


def test_masks_are_exact() -> None:
    assert masked_words("After lunch, Ann's 3 pens cost $1,000.50; her two hats cost .5!") == (
        ["after", "lunch", "@", "s", "#", "pens", "cost", "#", "his", "#", "hats", "cost", "#"]
    )


def test_similarity_is_the_overlap_of_word_sets() -> None:
    # {a, b, c, d} and {a, b, c, e}: three shared of five.
    pairs = near_duplicates(["a b c d", "a b c e", "", "x y"], threshold=0.5)
    assert [tuple(row) for row in pairs.itertuples(index=False)] == [(0, 1, 0.6)]
    assert near_duplicates(["a b c d", "a b c e"], threshold=0.61).empty


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdefg"), max_size=5).map(" ".join), max_size=12))
def test_pairs_and_families_agree_with_a_plain_computation(questions: list[str]) -> None:
    sets = [set(question.split()) for question in questions]
    alike = {
        (i, j): len(sets[i] & sets[j]) / len(sets[i] | sets[j])
        for j in range(len(sets))
        for i in range(j)
        if sets[i] & sets[j] and len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= NEAR
    }
    pairs = near_duplicates(questions)
    assert {(row.first, row.second): row.similarity for row in pairs.itertuples()} == pytest.approx(alike)
    groups = families(questions)
    assert sorted(index for group in groups for index in group) == list(range(len(questions)))
    place = {index: number for number, group in enumerate(groups) for index in group}
    assert all(place[i] == place[j] for i, j in alike)
    assert len(groups) == len(questions) or alike


def test_families_join_by_single_link() -> None:
    questions = ["a b c d e f g h i", "a b c d e f g h z", "a b c d e f g y z", "p q r"]
    assert sorted(map(sorted, families(questions, threshold=0.8))) == [[0, 1, 2], [3]]


# The fast ways -----------------------------------------------------------------------------------------------------

QUESTIONS = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=5).map(" ".join), max_size=14)


def pairs_of(table) -> dict[tuple[int, int], float]:
    return {(int(row.first), int(row.second)): row.similarity for row in table.itertuples()}


@hypothesis_settings(max_examples=60, deadline=None)
@given(QUESTIONS, st.randoms())
def test_pairs_between_groups_are_those_of_all_pairs(questions: list[str], rng) -> None:
    sets = word_sets(questions)
    groups = np.array([rng.randrange(3) for _ in questions], dtype=np.int64)
    every = pairs_of(near_pairs(sets))
    wanted = {pair: value for pair, value in every.items() if groups[pair[0]] != groups[pair[1]]}
    assert pairs_of(straddling_pairs(sets, groups)) == wanted
    likely = pairs_of(likely_pairs(sets, groups))
    assert likely.items() <= wanted.items()
    linked = pairs_of(likely_pairs(sets))
    assert linked.items() <= every.items()
    same = {pair for pair, value in every.items() if value == 1}
    labels = family_labels(len(sets), likely_pairs(sets))
    assert all(labels[first] == labels[second] for first, second in same)


def test_the_cost_is_held_out_times_all() -> None:
    assert straddling_cost(np.array([0] * 90 + [1] * 6 + [2] * 4)) == 1000
    assert straddling_cost(np.zeros(0, dtype=np.int64)) == 0


def test_a_crowd_larger_than_the_window_is_one_family() -> None:
    # All share a long stem, so every band of theirs is one crowd; each has a word of its own.
    stem = " ".join(f"stem{letter}" for letter in "abcdefghijklmnopqrst")
    letters = "abcdefghij"
    crowd = [f"{stem} own{letters[n // 100]}{letters[n // 10 % 10]}{letters[n % 10]}" for n in range(300)]
    assert len(crowd) > 4 * WINDOW
    sets = word_sets(crowd)
    assert set(family_labels(len(sets), likely_pairs(sets))) == {0}


def test_sets_taken_are_the_sets() -> None:
    sets = word_sets(["a b c", "", "b d", "e"])
    assert sets.sizes.tolist() == [3, 0, 1 + 1, 1]
    taken = sets.take(np.array([2, 0, 0, 1]))
    assert [taken.ids[a:b].tolist() for a, b in zip(taken.starts, taken.starts[1:], strict=False)] == [
        sets.ids[3:5].tolist(),
        sets.ids[:3].tolist(),
        sets.ids[:3].tolist(),
        [],
    ]


def test_words_are_numbered_alike_in_every_process() -> None:
    code = "from ases.duplicates import word_sets; print(word_sets(['a b c d e f', 'f g e h']).ids.tolist())"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


# Chinese -----------------------------------------------------------------------------------------------------------

FINDINGS = (
    "右肺上叶见大小约3.2cm×2.8cm软组织肿块，边缘见毛刺，放射性摄取增高，SUVmax 8.5；"
    "纵隔4R区见肿大淋巴结，短径1.4cm。"
)


def test_chinese_is_compared_by_runs_of_characters_with_numbers_masked() -> None:
    assert masked_words("约3.2cm，增高。", "zh") == ["约0cm", "0cm增", "cm增高"]
    assert masked_words("增高", "zh") == ["增高"]
    assert masked_words("。", "zh") == []
    swapped = FINDINGS.replace("3.2", "10.1").replace("8.5", "12").replace("1.4", "0.9")
    other = "肝脏形态、大小正常，各叶比例协调，实质内未见异常密度影及异常放射性摄取；胆囊不大，壁不厚。"
    assert pairs_of(near_pairs(word_sets([FINDINGS, other, swapped], "zh"))) == {(0, 2): 1.0}


# The real data -----------------------------------------------------------------------------------------------------


def real_questions(real: Path) -> list[str]:
    found = [row["question"] for path in sorted(real.glob("*_1.json")) for row in json.loads(path.read_text())]
    for path in sorted((real.parent / "gsm8k").glob("*.jsonl")):
        found += [json.loads(line)["question"] for line in path.read_text().splitlines()]
    return found


def test_minhash_finds_the_families_of_the_real_questions(real: Path) -> None:
    questions = real_questions(real)
    sets = word_sets(questions)
    pairs = near_pairs(sets)
    first, second = pairs["first"].to_numpy(), pairs["second"].to_numpy()
    labels = family_labels(len(sets), likely_pairs(sets))
    assert len(pairs) > 1000
    assert (labels[first] == labels[second]).mean() >= 0.999
    assert labels.max() + 1 < len(questions) * 0.9
    groups = np.arange(len(sets)) % 3
    apart = groups[first] != groups[second]
    assert len(straddling_pairs(sets, groups)) == apart.sum()
    met = {int(labels[first]) for first in likely_pairs(sets, groups, seed=2)["first"]}
    wanted = set(labels[first[apart]].tolist())
    assert met <= wanted and len(met) >= 0.99 * len(wanted)
