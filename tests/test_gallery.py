"""Sets side by side, and the file that stands in for a user's own."""

from __future__ import annotations

from pathlib import Path

from ases.checks import check_file, tables
from ases.demonstration import broken_copy, demonstration_file
from ases.gallery import NAMED, SAMPLE, examples_shown, sets_at_hand
from ases.problems import generate_problems
from ases.settings import settings_for
from ases.splits import make_splits
from tests.conftest import SHARED

COLUMNS = {"question": "problem", "rationale": "solution", "answer": "result"}


def test_generated_sets_are_always_at_hand() -> None:
    at_hand = sets_at_hand(settings_for({"size": "smoke"}).data)
    assert {name: len(members) for name, members in at_hand.examples.items()} == {
        "word problems": SAMPLE,
        "PET reports, zh": SAMPLE,
        "PET reports, en": SAMPLE,
    }
    assert at_hand.account.empty and at_hand.near_duplicates.empty


def test_real_sets_are_found_beside_the_one_given(real: Path) -> None:
    at_hand = sets_at_hand(settings_for({"size": "real", "data": "llm_adapters_cot", "data_folder": str(real)}).data)
    assert set(NAMED) < set(at_hand.examples)
    rows = at_hand.account.groupby("data")["rows"].sum()
    assert rows.to_dict() == {"gsm8k": 7473 + 1319, "llm_adapters_cot": 3822, "palm_svamp_cot": 1000}
    assert all(1 <= len(members) <= SAMPLE for members in at_hand.examples.values())
    assert (SHARED / "gsm8k").is_dir()


def test_a_small_set_of_ones_own_is_at_hand_with_the_sizes_asked_for(tmp_path: Path) -> None:
    path = demonstration_file(tmp_path / "mine.csv", problems=30)
    columns = [f"{field}={column}" for field, column in COLUMNS.items()]
    own = {"data": "own", "data_folder": str(path), "columns": columns, "valid_size": 4, "test_size": 6}
    at_hand = sets_at_hand(settings_for({"size": "smoke", "train_size": 10, **own}).data)
    assert len(at_hand.examples["own"]) == 20
    assert at_hand.account.groupby("split")["rows"].sum().to_dict() == {"train": 20, "valid": 4, "test": 6}


def test_examples_are_shown_with_their_gold_labels() -> None:
    example = generate_problems(1, seed=5)[0]
    (row,) = examples_shown([example])
    assert [label for _, label, _ in row["pieces"]] == list(example.gold)


def test_the_demonstration_is_sound_and_its_broken_copy_is_not(tmp_path: Path) -> None:
    path = demonstration_file(tmp_path / "mine.csv", problems=30)
    checked = check_file(path, columns=COLUMNS)
    assert checked.good and checked.rows == checked.answers == 30
    given = [f"{field}={column}" for field, column in COLUMNS.items()]
    own = {"data": "own", "data_folder": str(path), "columns": given}
    splits = make_splits(settings_for({**own, "train_size": 0, "valid_size": 4, "test_size": 6}).data)
    assert (len(splits.valid), len(splits.test)) == (4, 6)
    broken = check_file(broken_copy(path, tmp_path / "broken.csv"), columns=COLUMNS)
    lines = set(tables(broken)["problems"]["line"])
    assert {2, 4, 6} <= lines
