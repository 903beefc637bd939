"""Which measure data is compared by."""

from __future__ import annotations

import pandas as pd
import pytest

from ases.errors import DataError
from ases.examples import Example
from ases.measures import MEASURES, headline, measure_in


def example(qid: str, answer: str | None) -> Example:
    return Example(qid, "q", "c", answer, "own")


def test_the_headline_follows_the_answers() -> None:
    assert headline([example("a", "1"), example("b", "2")]) == "correct"
    assert headline([example("a", None), example("b", None)]) == "rouge_l"
    assert headline(pd.DataFrame({"qid": ["a"], "correct": [False]})) == "correct"
    assert headline(pd.DataFrame({"qid": ["a"], "correct": [None]})) == "rouge_l"
    assert headline(pd.DataFrame({"qid": ["a"], "rouge_l": [0.5]})) == "rouge_l"


def test_mixed_and_empty_data_are_refused() -> None:
    with pytest.raises(DataError, match="1 of 2 questions have no answer, the first b;"):
        headline([example("a", "1"), example("b", None)])
    with pytest.raises(DataError, match="1 of 2 questions have no answer, the first a;"):
        headline(pd.DataFrame({"qid": ["a", "b"], "correct": [None, True]}))
    with pytest.raises(DataError, match="no examples"):
        headline([])


def test_a_table_says_what_it_shows() -> None:
    assert measure_in(pd.DataFrame({"accuracy": [1.0], "rouge_l": [0.5]})).name == "correct"
    assert measure_in(pd.DataFrame({"rouge_l": [0.5]})).name == "rouge_l"
    assert measure_in(pd.DataFrame({"difference": [0.5]})).name == "correct"
    assert measure_in(pd.DataFrame({"difference": [0.5], "measure": ["rouge_l"]})).name == "rouge_l"
    with pytest.raises(DataError, match="'?bleu"):
        measure_in(pd.DataFrame({"measure": ["bleu"]}))


def test_shares_are_per_cent_and_scores_as_they_are() -> None:
    assert [MEASURES[name].text(0.4567) for name in ("correct", "rouge_l")] == ["45.7%", "0.457"]
    assert [MEASURES[name].difference_text(-0.0456) for name in ("correct", "rouge_l")] == ["-4.6", "-0.046"]
