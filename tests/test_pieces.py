"""Pieces: METHOD, section 1, on exact cases, on arbitrary Unicode and on the real rationales."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ases.pieces import END_MARKS, split_pieces

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

CASES = {
    "every end mark": ["a. ", "b, ", "c; ", "d? ", "e! ", "f"],
    "no white space after a mark": ["a;", "b,", "c"],
    "thousands": ["1,032 pieces, ", "42 more. ", "1,000,000 in all."],
    "decimals": ["She ran 3.5 miles, ", "he 0.25. "],
    "money": ["It costs $3.50, ", "or $1,234.56. ", "Cheap."],
    "units": ["a 5.9 cm nodule, ", "3.1×2.4 cm."],
    "a number without a leading zero": ["Add .5 cups, ", ".25 more."],
    "such a number right after a mark": ["Add,", ".5 cups\n", ".5 more"],
    "a number at the end of a sentence": ["There were 5. ", "Then 6, ", "and 7."],
    "a list of digits is no number": ["1, ", "2,", "3,", "4"],
    "an ellipsis": ["Well... then, ", "so… on."],
    "an ellipsis before another mark": ["Really...? ", "Yes."],
    "titles": ["Mr. and Mrs. Cruz met Dr. No, ", "who left."],
    "Latin abbreviations": ["some, ", "e.g. red ones, ", "i.e. not blue."],
    "times of day": ["At 5 p.m. he left, ", "at 6 a.m. she came."],
    "a sentence that ends like an abbreviation": ["He has 300 M&Ms. ", "She ate a fig. ", "He said no. ", "Done."],
    "number signs": ["See No. 5 and Fig. 2, ", "please."],
    "initials": ["The U.S. team won, ", "twice."],
    "list marks": ["1. Find the total. ", "It is 2. ", "Late\n", "2) Add, ", "then\n", "(3) stop."],
    "indented list marks": ["  1. one, ", "two\n  ", "2. three"],
    "a decimal at the start of a line": ["1.5 cups.\n", "2.5 more."],
    "closing quotes and brackets": ['He said "no." ', '(She said "yes!") ', "Then, ", "so"],
    "an opening quote after a mark": ["He said,", '"No," ', "and left."],
    "runs of marks": ["What?! ", "beach . ", "No.\n\n", "Yes"],
    "leading white space joins the first piece": ["\n  a, ", "b"],
    "newlines": ["a\n", "b\n\n", "c"],
    "Windows newlines": ["a.\r\n", "b"],
    "Chinese marks": ["肝脏大小正常，", "形态规则；", "未见异常。", "脾脏呢？", "好！"],
    "the enumeration comma does not split": ["肺、肝、脾未见异常，", "骨正常。"],
    "Chinese list marks": ["1、左肺上叶结节，", "5.9cm×3.1cm；\n", "（2）余未见异常。"],
    "Chinese quotes": ["“好。”", "他说，", "「是！」", "完"],
    "no mark": ["just words"],
    "white space only": [" \n "],
    "nothing": [],
}


@pytest.mark.parametrize("pieces", CASES.values(), ids=CASES.keys())
def test_exact_cases(pieces: list[str]) -> None:
    assert split_pieces("".join(pieces)) == pieces


def test_the_example_of_the_docstring() -> None:
    text = "Debby had 1,032 pieces, her sister 42. They had 1,032 + 42 = 1,074."
    assert split_pieces(text) == ["Debby had 1,032 pieces, ", "her sister 42. ", "They had 1,032 + 42 = 1,074."]


# Unicode at large rarely hits two special characters in a row; the second alphabet does little else.
TEXTS = st.text() | st.text(alphabet="aA1 2.,;?!。，；、\n\t\"'()（）$…\u3000", max_size=60)


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_joining_gives_back_any_text(text: str) -> None:
    pieces = split_pieces(text)
    assert "".join(pieces) == text
    assert all(pieces)


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_no_piece_but_the_first_is_bare_white_space_and_each_but_the_last_ends_with_a_mark(text: str) -> None:
    pieces = split_pieces(text)
    for piece in pieces[1:]:
        assert piece.strip()
    for piece in pieces[:-1]:
        assert re.search(rf"[{re.escape(END_MARKS)}]", piece)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 10**11), min_size=1, max_size=5), st.sampled_from(".,;?!，。"))
def test_numbers_come_through_whole(cents: list[int], mark: str) -> None:
    written = [f"{number // 100:,}.{number % 100:02}" for number in cents]
    pieces = split_pieces("".join(f"x {number}{mark} " for number in written))
    assert pieces == [f"x {number}{mark} " for number in written]


def test_long_and_nasty_texts_take_no_noticeable_time() -> None:
    # A pattern that backtracks would never return from these.
    for text in ("\n" * 100_000, "1," * 50_000, ". " * 50_000, "a." * 50_000, " " * 100_000 + "1", '.."' * 30_000):
        assert "".join(split_pieces(text)) == text


def real_rationales() -> list[str]:
    folder = SHARED / "llm_adapters_cot"
    if not folder.is_dir():
        pytest.skip(f"no real rationales at {folder}")
    records = [record for path in sorted(folder.glob("*_1.json")) for record in json.loads(path.read_text("utf-8"))]
    return [record["chain-of-thought"] for record in records]


def test_real_rationales_are_split_without_loss_and_never_inside_a_number() -> None:
    texts = real_rationales()
    assert len(texts) == 3822
    pieces_of = [split_pieces(text) for text in texts]
    assert [("".join(pieces)) for pieces in pieces_of] == texts
    cuts = [
        (before[-12:], after[:12])
        for pieces in pieces_of
        for before, after in zip(pieces, pieces[1:], strict=False)
        if re.search(r"\d[.,]$", before) and after[0].isdigit()
    ]
    assert cuts == []


def test_real_rationales_have_several_pieces() -> None:
    # One rationale used to be a single piece, because it counts M&Ms.
    texts = [text for text in real_rationales() if text.strip()]
    single = [text for text in texts if len(split_pieces(text.strip())) < 2]
    assert single == []
