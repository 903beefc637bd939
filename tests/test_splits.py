"""Splits: exact sizes, no leak, nothing lost, and nothing that moves when training grows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas
import pytest

from ases import splits as splitting
from ases.errors import DataError
from ases.examples import states_answer
from ases.settings import DataSettings, settings_for
from ases.splits import EXACT_UP_TO, Splits, leak_sentence, leaks, make_splits


def generated(**changes: Any) -> DataSettings:
    return settings_for({"size": "smoke", **changes}).data


def collected(folder: Path, **changes: Any) -> DataSettings:
    return settings_for({"size": "real", "data": "llm_adapters_cot", "data_folder": str(folder), **changes}).data


def qids(splits: Splits) -> list[str]:
    return [example.qid for _, examples in splits.items() for example in examples]


def sizes(splits: Splits) -> tuple[int, int, int]:
    return len(splits.train), len(splits.valid), len(splits.test)


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


# Official splits ---------------------------------------------------------------------------------------------------


def gsm8k(folder: Path, train: list[str], test: list[str], **changes: Any) -> DataSettings:
    for name, questions in (("train", train), ("test", test)):
        rows = [{"question": question, "answer": f"It is {n}.\n#### {n}"} for n, question in enumerate(questions)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return settings_for({"size": "real", "data": "gsm8k", "data_folder": str(folder), **changes}).data


def fates(splits: Splits) -> dict[tuple[str, str], int]:
    return {(row.set, row.split): row.rows for row in splits.account.itertuples()}


def test_test_questions_come_from_the_official_test_set_and_near_copies_leave_training(tmp_path: Path) -> None:
    train = [story(number) for number in range(20)] + [story(20) + " 5", story(21) + " 7 times 7"]
    test = [story(20) + " 6", story(21) + " 8"] + [story(number) for number in range(30, 36)]
    splits = make_splits(gsm8k(tmp_path, train, test, test_size=5, valid_size=4, train_size=0))
    assert sizes(splits) == (16, 4, 5)
    assert all(example.official_split == "test" for example in splits.test)
    assert all(example.official_split == "train" for part in (splits.train, splits.valid) for example in part)
    assert leaks(splits).empty
    assert fates(splits) == {
        ("train", "train"): 16,
        ("train", "valid"): 4,
        ("train", "near copy of a test question"): 2,
        ("test", "test"): 5,
        # never in training, drawn for the test or not
        ("test", "left over"): 3,
    }
    table = splits.near_duplicates.set_index("measure")["value"]
    assert table["pairs that the official split parts"] == 2
    assert table["questions dropped: near copy of a test question"] == 2


def test_an_equal_question_is_kept_for_the_official_test(tmp_path: Path) -> None:
    shared = story(50)
    train, test = [shared, *map(story, range(9))], [shared.upper(), *map(story, range(10, 13))]
    splits = make_splits(gsm8k(tmp_path, train, test, test_size=4, valid_size=2, train_size=0))
    assert sizes(splits) == (7, 2, 4)
    assert shared.upper() in [example.question for example in splits.test]
    account = splits.account.set_index("reason")["rows"]
    assert account["duplicate question, kept from test"] == 1


def test_more_test_questions_than_the_official_set_has_are_an_error(tmp_path: Path) -> None:
    settings = gsm8k(tmp_path, list(map(story, range(20))), list(map(story, range(20, 24))), test_size=5, valid_size=2)
    with pytest.raises(DataError, match="4 are of the official test set, but test_size is 5"):
        make_splits(settings)


def test_an_official_test_set_alone_cannot_be_split(tmp_path: Path) -> None:
    settings = gsm8k(tmp_path, [], list(map(story, range(20))), test_size=5, valid_size=2)
    (tmp_path / "train.jsonl").unlink()
    with pytest.raises(DataError, match="holds 20 usable questions, all of an official test set"):
        make_splits(settings)


# Many questions ----------------------------------------------------------------------------------------------------


def crowd(folder: Path, **changes: Any) -> DataSettings:
    copies = [f"{story(family)} {number}" for family in range(8) for number in range(2, 6)]
    write(folder, copies + [story(family) for family in range(8, 60)])
    return collected(folder, **{"test_size": 12, "valid_size": 9, "train_size": 0, **changes})


def test_many_questions_go_through_minhash_with_the_same_guarantees(tmp_path: Path, monkeypatch) -> None:
    exact = make_splits(crowd(tmp_path))
    monkeypatch.setattr(splitting, "EXACT_UP_TO", 10)
    splits = make_splits(crowd(tmp_path))
    assert leaks(splits).empty
    assert [set(qids_of) for qids_of in by_split(splits)] == [set(qids_of) for qids_of in by_split(exact)]
    assert "near-duplicate pairs" not in set(splits.near_duplicates["measure"])
    small = make_splits(crowd(tmp_path, train_size=20))
    assert (small.test, small.valid) == (splits.test, splits.valid)
    assert set(by_split(small)[0]) < set(by_split(splits)[0])


def by_split(splits: Splits) -> list[list[str]]:
    return [[example.qid for example in part] for _, part in splits.items()]


def test_what_minhash_misses_is_found_between_splits_and_dropped(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(splitting, "EXACT_UP_TO", 10)
    monkeypatch.setattr(splitting, "likely_pairs", lambda sets: splitting.near_pairs(sets, threshold=2.0))
    splits = make_splits(crowd(tmp_path))
    assert sizes(splits)[1:] == (9, 12)
    assert leaks(splits).empty
    dropped = splits.account[splits.account["split"].str.startswith("near copy")]["rows"].sum()
    assert dropped > 0
    assert splits.account["rows"].sum() == 84 == sum(sizes(splits)) + dropped


def test_leaks_beyond_the_exact_comparison_are_still_found(tmp_path: Path, monkeypatch) -> None:
    splits = make_splits(crowd(tmp_path))
    swapped = replace(splits.test[0], qid="swapped", question=splits.test[0].question + " 17")
    mixed = replace(splits, train=[*splits.train, swapped])
    exact = leaks(mixed)
    monkeypatch.setattr(splitting, "COMPARED_UP_TO", 0)
    assert leaks(mixed).equals(exact)
    assert len(exact) >= 1


# Stories held out --------------------------------------------------------------------------------------------------


def schemas(examples: Any) -> set[str]:
    return {example.schema for example in examples}


def test_held_out_schemas_are_in_the_test_alone() -> None:
    splits = make_splits(generated(held_out_schemas=True, train_size=200, valid_size=30, test_size=40))
    assert sizes(splits) == (200, 30, 40)
    assert not schemas(splits.test) & (schemas(splits.train) | schemas(splits.valid))
    assert leaks(splits).empty
    assert "known from training for 0% of test questions" in leak_sentence(splits, leaks(splits))
    larger = make_splits(generated(held_out_schemas=True, train_size=300, valid_size=30, test_size=40))
    assert (larger.test, larger.valid, larger.train[:200]) == (splits.test, splits.valid, splits.train)
    numbers = [int(qid.rsplit("-", 1)[1]) for qid in qids(splits)]
    assert splits.account["rows"].sum() == max(numbers) + 1  # what was generated and not needed is counted
    assert schemas(splits.test) & schemas(make_splits(generated(train_size=200)).train)


def test_too_few_schemas_to_hold_any_out_are_an_error(monkeypatch) -> None:
    one = make_splits(generated()).train[0]
    monkeypatch.setattr(splitting, "iter_problems", lambda count, **kinds: iter([one] * min(count, 500)))
    with pytest.raises(DataError, match="test got 48 too few.*too few schemas to hold some out"):
        make_splits(generated(held_out_schemas=True))


# Reports -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
def test_generated_reports_are_split_with_the_same_guarantees(language: str) -> None:
    chosen = {"train_size": 60, "valid_size": 10, "test_size": 20, "language": language}
    splits = make_splits(generated(data="reports", **chosen))
    assert sizes(splits) == (60, 10, 20)
    assert leaks(splits).empty
    assert {example.language for _, part in splits.items() for example in part} == {language}
    assert all(example.gold and example.answer is None for example in splits.test)
    assert splits.account.values.tolist()[0] == ["reports", "kept", "test", 20]
    held = make_splits(generated(data="reports", held_out_schemas=True, **chosen))
    assert not schemas(held.test) & schemas(held.train)


# Arrow -------------------------------------------------------------------------------------------------------------


def test_with_a_folder_the_tables_lie_there_and_the_splits_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    settings, folder = crowd(tmp_path / "data"), tmp_path / "run"
    messages: list[str] = []
    for _ in range(2):
        splits = make_splits(settings, folder, lambda message, done: messages.append(message))
        assert [*splits.train] == [*make_splits(settings).train]
    assert sorted(path.suffix for path in folder.iterdir()) == [".arrow", ".parquet"]
    assert any(message.startswith("found the records") for message in messages)
    for _ in range(2):
        assert make_splits(generated(), folder).test == make_splits(generated()).test
    assert len([*folder.glob("generated-*.arrow")]) == 1


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


def test_the_official_splits_of_the_real_sets_keep_their_sizes_and_lose_nothing(real: Path) -> None:
    for name, records, held in (("gsm8k", 8792, 1319), ("palm_svamp_cot", 1000, 193)):
        folder = real.parent / name
        if not folder.is_dir():
            pytest.skip(f"no real rationales at {folder}")
        chosen = {"data": name, "data_folder": str(folder), "test_size": 150, "valid_size": 50}
        splits = make_splits(settings_for({"size": "real", "keep_teacher_wrong": True, **chosen}).data)
        assert splits.account["rows"].sum() == records
        assert leaks(splits).empty
        assert {example.official_split for example in splits.test} == {"test"}
        table = splits.near_duplicates.set_index("measure")["value"]
        assert table["official test questions"] == held
        assert 50 < table["questions dropped: near copy of a test question"] < 500
        assert len(splits.train) > 200


def test_the_real_sets_are_small_enough_for_the_exact_comparison(splits: Splits) -> None:
    assert sum(sizes(splits)) < EXACT_UP_TO
