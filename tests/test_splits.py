"""Splits: exact sizes, no leak, nothing lost, and nothing that moves when training grows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ases.duplicates import NEAR, families, masked_words, near_duplicates
from ases.errors import DataError
from ases.examples import states_answer
from ases.settings import DataSettings, settings_for
from ases.splits import Splits, leaks, make_splits


def generated(**changes: Any) -> DataSettings:
    return settings_for({"size": "smoke", **changes}).data


def collected(folder: Path, **changes: Any) -> DataSettings:
    return settings_for({"size": "real", "data": "llm_adapters_cot", "data_folder": str(folder), **changes}).data


def qids(splits: Splits) -> list[str]:
    return [example.qid for _, examples in splits.items() for example in examples]


def sizes(splits: Splits) -> tuple[int, int, int]:
    return len(splits.train), len(splits.valid), len(splits.test)


# Likeness ----------------------------------------------------------------------------------------------------------

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


# Generated data ----------------------------------------------------------------------------------------------------


def test_generated_splits_have_the_sizes_asked_for_and_no_leak() -> None:
    splits = make_splits(generated(train_size=300, valid_size=50, test_size=100))
    assert sizes(splits) == (300, 50, 100)
    assert len(set(qids(splits))) == 450
    assert leaks(splits).empty
    assert all(states_answer(example.rationale) for _, part in splits.items() for example in part)
    assert splits.account["rows"].sum() == 450
    assert splits.near_duplicates.empty


def test_generated_test_and_validation_stay_when_training_grows() -> None:
    small, large = make_splits(generated(train_size=50)), make_splits(generated(train_size=150))
    assert (small.test, small.valid) == (large.test, large.valid)
    assert small.train == large.train[:50]
    assert make_splits(generated(train_size=50, data_seed=1)).test != small.test


def test_leaks_finds_what_is_put_there_on_generated_data() -> None:
    splits = make_splits(generated())
    twin = replace(splits.test[0], qid="twin")
    renamed = replace(twin, qid="renamed", question="Xy. " + twin.question)
    found = leaks(replace(splits, train=[*splits.train, twin], valid=[*splits.valid, renamed]))
    assert set(zip(found["kind"], found["split_1"], found["qid_1"], found["split_2"], found["qid_2"], strict=True)) == {
        ("same question", "train", "twin", "test", twin_of := splits.test[0].qid),
        ("same schema and numbers", "train", "twin", "valid", "renamed"),
        ("same schema and numbers", "valid", "renamed", "test", twin_of),
    }
    assert leaks(replace(splits, train=[*splits.train, replace(splits.train[0], qid="within")])).empty


# Collected data ----------------------------------------------------------------------------------------------------


def write(folder: Path, questions: list[str]) -> Path:
    records = [
        {"question": question, "chain-of-thought": f"A: So it is {index}.", "pred": index, "answer": index}
        for index, question in enumerate(questions)
    ]
    (folder / "own_1.json").write_text(json.dumps(records))
    return folder


def story(number: int) -> str:
    """A question that shares no word with any other story's."""
    return " ".join(f"w{'abcdefghij'[number // 10]}{'abcdefghij'[number % 10]}{letter}" for letter in "pqrst")


def test_sizes_are_exact_and_families_stay_together(tmp_path: Path) -> None:
    # Five families of four, which differ in their numbers only, and twenty single questions.
    copies = [f"{story(family)} {number}" for family in range(5) for number in range(2, 6)]
    folder = write(tmp_path, copies + [story(family) for family in range(5, 25)])
    for seed in range(5):
        splits = make_splits(collected(folder, test_size=10, valid_size=7, train_size=0, data_seed=seed))
        assert sizes(splits) == (23, 7, 10)
        assert leaks(splits).empty
        place = {example.question: name for name, part in splits.items() for example in part}
        for family in range(5):
            assert len({place[question] for question in copies if question.startswith(story(family))}) == 1
        assert all(states_answer(example.rationale) for example in splits.train)
    table = splits.near_duplicates.set_index("measure")["value"]
    assert table["near-duplicate pairs"] == 5 * 6
    assert table["families of two questions or more"] == 5
    assert table["largest family"] == 4


def test_a_family_too_large_for_a_split_is_cut_and_its_rest_is_in_none(tmp_path: Path) -> None:
    folder = write(tmp_path, [f"{story(family)} {number}" for family in range(4) for number in range(2, 8)])
    splits = make_splits(collected(folder, test_size=4, valid_size=6, train_size=0))
    assert sizes(splits) == (12, 6, 4)
    assert leaks(splits).empty
    account = splits.account[splits.account["rows"] > 0]
    assert dict(account.groupby("split")["rows"].sum()) == {"near copy": 2, "test": 4, "train": 12, "valid": 6}


def test_left_over_examples_are_counted(tmp_path: Path) -> None:
    folder = write(tmp_path, [story(number) for number in range(20)])
    splits = make_splits(collected(folder, test_size=4, valid_size=3, train_size=5))
    assert sizes(splits) == (5, 3, 4)
    assert dict(splits.account.groupby("split")["rows"].sum())["left over"] == 8


def test_splits_do_not_depend_on_the_order_of_records(tmp_path: Path) -> None:
    questions = [story(number) for number in range(30)]
    records = [
        {"ID": f"id{index}", "question": question, "chain-of-thought": "A: The answer is 1.", "pred": 1, "answer": 1}
        for index, question in enumerate(questions)
    ]
    parts = []
    for order in (records, records[::-1]):
        (tmp_path / "own_1.json").write_text(json.dumps(order))
        parts.append(qids(make_splits(collected(tmp_path, test_size=5, valid_size=5, train_size=10))))
    assert parts[0] == parts[1]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (dict(test_size=15, valid_size=6, train_size=0), "holds 20 usable questions, but test_size 15, valid_size 6"),
        (dict(test_size=5, valid_size=5, train_size=11), "train_size 11 need 21; ask for fewer"),
    ],
)
def test_too_few_examples_are_an_error_that_says_how_many(tmp_path: Path, asked: dict, message: str) -> None:
    folder = write(tmp_path, [story(number) for number in range(20)])
    with pytest.raises(DataError, match=message):
        make_splits(collected(folder, **asked))


def test_data_that_are_all_near_copies_cannot_be_split(tmp_path: Path) -> None:
    folder = write(tmp_path, [f"{story(1)} {number}" for number in range(2, 20)])
    with pytest.raises(DataError, match="near copies of each other.*test gets 5, validation 0, training 0"):
        make_splits(collected(folder, test_size=5, valid_size=5, train_size=0))


def test_leaks_finds_what_is_put_there_on_collected_data(tmp_path: Path) -> None:
    splits = make_splits(collected(write(tmp_path, [story(n) for n in range(20)]), test_size=4, valid_size=4))
    victim = splits.test[0]
    swapped = replace(victim, qid="swapped", question=victim.question + " 17")
    found = leaks(replace(splits, train=[*splits.train, swapped]))
    assert found[["kind", "split_1", "qid_1", "split_2", "qid_2"]].values.tolist() == [
        ["near-duplicate", "train", "swapped", "test", victim.qid]
    ]
    assert 0.7 <= found["similarity"].item() < 1


# The real data -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def splits(real: Path) -> Splits:
    return make_splits(collected(real))


def test_real_splits_have_no_leak_and_lose_nothing(splits: Splits) -> None:
    assert sizes(splits)[1:] == (200, 400)
    assert len(splits.train) > 2000
    assert len(set(qids(splits))) == sum(sizes(splits))
    assert leaks(splits).empty
    account = splits.account
    assert account["rows"].sum() == 3822
    assert dict(account[account["reason"].str.startswith("kept")].groupby("split")["rows"].sum()) == {
        name: len(part) for name, part in splits.items()
    }
    assert not account.loc[~account["reason"].str.startswith("kept"), "split"].any()


def test_a_random_split_of_the_real_data_would_leak_and_families_do_not_chain(splits: Splits) -> None:
    table = splits.near_duplicates.set_index("measure")["value"]
    assert table["pairs that a random split would part"] > 1000
    assert table["test questions with a near copy elsewhere in a random split"] > 150
    assert table["largest family"] < 100


def test_leaks_sees_a_random_split_of_the_real_data(splits: Splits) -> None:
    everything = sorted(
        (example for _, part in splits.items() for example in part), key=lambda example: example.question
    )
    mixed = replace(splits, train=everything[0::3], valid=everything[1::3], test=everything[2::3])
    assert len(leaks(mixed)) > 1000


def test_growing_the_training_size_keeps_the_rest_of_the_real_splits(real: Path, splits: Splits) -> None:
    small = make_splits(collected(real, train_size=500))
    assert (small.test, small.valid) == (splits.test, splits.valid)
    assert small.train == splits.train[:500]


def test_the_account_is_a_table_of_known_columns(splits: Splits) -> None:
    assert list(splits.account.columns) == ["set", "reason", "split", "rows"]
    assert isinstance(splits.near_duplicates, pandas.DataFrame)
