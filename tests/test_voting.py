"""Votes: the most frequent wins, ties are settled by a stated rule, and every sample is paid for."""

from __future__ import annotations

import pytest

from ases.chains import Chain
from ases.engines import Written
from ases.errors import DataError
from ases.tokens import train_codec
from ases.voting import majority_answer, majority_text

CODEC = train_codec(["So 3 + 4 = 7. The answer is 7."])


def chain(text: str, number: int) -> Chain:
    return Chain("q", text, (("model", text),), "end", 1, 10 + number, 3, (None,), 100)


def test_the_most_frequent_answer_wins_whatever_its_words() -> None:
    texts = ["The answer is 8.", "So 7.0.", "No idea", "The answer is $7.", "The answer is 9."]
    won = majority_answer([chain(text, number) for number, text in enumerate(texts)])
    assert won.text == "So 7.0." and won.agreement == 2 / 5 and won.samples == 5
    assert (won.read_tokens, won.written_tokens, won.flops) == (60, 15, 500)


def test_a_tie_goes_to_the_answer_sampled_first_and_no_number_is_no_vote() -> None:
    assert majority_answer([chain("2", 0), chain("1", 1), chain("1", 2), chain("2", 3)]).text == "2"
    assert majority_answer([chain("none", 0), chain("no", 1), chain("5", 2)]).text == "5"
    silent = majority_answer([chain("none", 0), chain("no", 1)])
    assert (silent.text, silent.agreement) == ("none", 1.0)


def test_chains_of_several_questions_are_refused() -> None:
    with pytest.raises(DataError, match="one question"):
        majority_answer([])
    with pytest.raises(DataError, match="one question"):
        majority_answer([chain("1", 0), Chain("other", "1", (), "end", 1, 1, 1)])


def said(text: str, score: float, finished: bool = True, last: bool = False) -> Written:
    return Written((*CODEC.encode(text), *([CODEC.eoc] if last else [])), finished, score)


def test_segments_agree_when_they_read_and_end_alike() -> None:
    texts = [said("7.", -3), said("7.", -1, last=True), said("7.", -2), said("7.", -1, finished=False)]
    text, share = majority_text(texts, CODEC)
    assert text == said("7.", -2) and text.score == -2 and share == 0.5


def test_of_texts_as_frequent_the_likelier_wins_then_the_first() -> None:
    assert majority_text([said("a", -3), said("b", -1)], CODEC)[0] == said("b", 0)
    assert majority_text([said("a", -1), said("b", -1)], CODEC)[0] == said("a", 0)
    with pytest.raises(DataError):
        majority_text([], CODEC)
