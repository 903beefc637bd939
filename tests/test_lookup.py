"""The lookup: what counts as nearest, and how another question's numbers come into a rationale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ases.arithmetic import extract_answer
from ases.duplicates import masked_words
from ases.errors import DataError
from ases.examples import Example
from ases.lookup import (
    LOOKUP,
    lookup_chains,
    lookup_findings,
    lookup_predictions,
    lookup_table,
    nearest,
    question_skeleton,
    swapped,
)
from ases.problems import generate_problems
from ases.reports import generate_reports
from ases.sources import load_llm_adapters
from ases.statistics import compare


def example(question: str, rationale: str = "", answer: str = "1", qid: str = "a", language: str = "en") -> Example:
    return Example(qid, question, rationale, answer, "own", language=language)


PENS = "Ann had 3 pens and got 4."


@pytest.mark.parametrize(
    ("question", "rationale", "other", "expected"),
    [
        (PENS, "3 + 4 = 7. The answer is 7.", "Bob had 6 pens and got 2.", "6 + 2 = 8. The answer is 8."),
        (PENS, "3 + 4 = 7 and 7 * 7 = 49.", "Bob had 1 pens and got 1.", "1 + 1 = 2 and 2 * 2 = 4."),
        (PENS, "She got four: 3 + 4 = 7.", "Bob had 1,500 pens and got twelve.", "She got 12: 1500 + 12 = 1512."),
        (PENS, "3 * 60 = 180 minutes.", "Bob had 2 pens and got 5.", "2 * 60 = 120 minutes."),
        (PENS, "1. She had 3.\n2. She got 4.", "Bob had 1 pens and got 9.", "1. She had 1.\n2. She got 9."),
        (PENS, "She had 3 + 4 = 8.", "Bob had 3 pens and got 5.", "She had 3 + 5 = 8."),
        ("9 pens for 3.", "9 / 3 = 3 each.", "10 pens for 3.", "10 / 3 = 3.33 each."),
        ("9 pens for 3.", "9 / 3 = 3 each.", "10 pens for 4.", "10 / 4 = 2.5 each."),
        ("9 pens for 3.", "9 / 3 = 3 each.", "10 pens for 0.", "10 / 0 = 3 each."),
        ("1,000 pens and 500.", "1,000 + 500 = 1,500.", "2000 pens and 1000.", "2,000 + 1000 = 3,000."),
        ("4 red and 4 blue.", "She had 4 and 4, so 4 + 4 = 8.", "2 red and 5 blue.", "She had 2 and 5, so 2 + 5 = 7."),
        (PENS, "3 + 4 = 7, 7 - 4 = 3. So 3.", "Bob had 8 pens and got 2.", "8 + 2 = 10, 10 - 2 = 8. So 8."),
        (PENS, "3 + 4 = 7.", "Bob had 8 pens.", "8 + 4 = 12."),
        (PENS, "3 + 4 = 7.", "The room had 5 lamps. Bob had 8 pens and got 2.", "8 + 2 = 10."),
        (PENS, "She was 3 + 4 apples = 7 apples.", "Bob had 8 pens and got 2.", "She was 8 + 2 apples = 10 apples."),
    ],
    ids=[
        "sum", "results", "words", "constant", "list marks", "wrong stays", "endless", "decimal", "by zero", "commas",
        "equal numbers", "chained", "fewer numbers", "by the words around", "units",
    ],
)  # fmt: skip
def test_numbers_are_swapped_and_equations_computed_anew(question, rationale, other, expected) -> None:
    rationale = f"{rationale} The answer is x." if "answer is" not in rationale else rationale
    expected = f"{expected} The answer is x." if "answer is" not in expected else expected
    assert swapped(example(question, rationale), other) == expected


def test_an_answer_that_is_not_stated_is_stated() -> None:
    assert swapped(example(PENS, "3 + 4 = 7.", "7"), "Bob had 8 pens and got 2.").endswith("The answer is 10.")


def test_skeletons_leave_out_numbers_and_names_only() -> None:
    assert question_skeleton(PENS) == question_skeleton("Tom had twenty-five pens and got 1,000.5.")
    assert question_skeleton(PENS) != question_skeleton("Ann had 3 pens and lost 4.")
    assert question_skeleton("Half of one is 3.") != question_skeleton("Two of one is 3."), "half is no number to swap"


def test_order_of_words_comes_before_overlap_then_certainty_then_qid() -> None:
    words = [example("got 4 pens and had 3", qid="a"), example("had 3 pens and got 4", qid="b")]
    found = nearest(words, [example("had 8 pens and got 9", qid="t")]).iloc[0]
    assert found["train_qid"] == "b" and found["exact"], "all words of a are there, in another order"
    found = nearest(words, [example("had 8 pens, got 9 and ran", qid="t")]).iloc[0]
    assert (found["train_qid"], found["exact"], found["similarity"]) == ("a", False, 5 / 6)
    unsure = example("had 4 pens and got 4", "4 + 4 = 8.", qid="a")
    sure = [replace(words[1], rationale="3 + 4 = 7.", qid=qid) for qid in ("c", "b")]
    for question, exact in (("had 8 pens and got 9", True), ("had 8 pens, got 9 and ran", False)):
        found = nearest([unsure, *sure], [example(question, qid="t")]).iloc[0]
        assert (found["train_qid"], found["position"], found["exact"]) == ("b", 2, exact)


WORDS = st.lists(st.sampled_from("had got lost red blue pens 3 two".split()), max_size=6).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(st.lists(WORDS, min_size=1, max_size=8), st.lists(WORDS, min_size=1, max_size=4))
def test_nearest_is_that_of_comparing_all(train: list[str], test: list[str]) -> None:
    examples = [example(question, qid=f"q{99 - place}") for place, question in enumerate(train)]
    found = nearest(examples, [example(question, qid=f"t{place}") for place, question in enumerate(test)])
    for question, row in zip(test, found.to_dict("records"), strict=True):
        mine = set(masked_words(question))

        def overlap(one: Example, mine: set[str] = mine) -> float:
            other = set(masked_words(one.question))
            return len(mine & other) / max(len(mine | other), 1)

        equal = [one.qid for one in examples if question_skeleton(one.question) == question_skeleton(question)]
        best = max(map(overlap, examples))
        alike = equal or [one.qid for one in examples if overlap(one) == best]
        assert row["train_qid"] == min(alike) == examples[row["position"]].qid
        assert row["exact"] == bool(equal) and row["similarity"] == pytest.approx(1.0 if equal else best)


def test_the_own_numbers_give_the_rationale_back() -> None:
    for one in generate_problems(300, seed=5):
        assert swapped(one, one.question) == one.rationale


def test_equal_problems_with_other_numbers_are_solved_and_the_rest_is_not_always() -> None:
    problems = generate_problems(1800, seed=2, steps_to=1)
    table = lookup_predictions(problems[:1500], problems[1500:])
    same = table[table["exact"]]
    assert len(same) > 20 and same["correct"].mean() > 0.95
    assert 0.2 < table.loc[~table["exact"], "correct"].mean() < 0.9
    assert (same["similarity"] == 1).all() and (table["flops"] == 0).all()
    assert table["right_equations"].dropna().mean() > 0.98, "what can be computed is"


def test_a_report_takes_the_nearest_impression_as_it_is() -> None:
    train, test = generate_reports(40, seed=1), generate_reports(45, seed=2)[40:]
    chains = lookup_chains(train, test)
    found = nearest(train, test)
    assert [chain.text for chain in chains] == [train[place].rationale for place in found["position"]]
    copy = replace(train[7], qid="copy")
    assert nearest(train, [copy])["train_qid"].tolist() == [train[7].qid]
    table = lookup_predictions(train, test)
    assert table["correct"].isna().all() and table["rouge_l"].between(0.05, 1).all()
    assert "ROUGE-L" in lookup_findings(lookup_table(table))[-1]


def test_it_stands_beside_trained_methods() -> None:
    problems = generate_problems(260, seed=3, steps_to=2)
    table = lookup_predictions(problems[:200], problems[200:], seeds=(0, 1, 2))
    assert set(table["method"]) == {LOOKUP} and table.groupby("seed")["correct"].sum().nunique() == 1
    trained = table.assign(method="seq2seq", correct=np.arange(len(table)) % 7 == 0)
    (row,) = compare(pd.concat([trained, table]), baseline="seq2seq").to_dict("records")
    assert (row["method"], row["seeds"], row["n"]) == (LOOKUP, 3, 60)
    lines = lookup_findings(lookup_table(table))
    share = table.loc[(table["seed"] == 0) & ~table["exact"], "correct"].mean()
    assert lines[0].startswith(f"{int(table['exact'].sum() / 3)} of 60 test questions")
    assert f"answers {share:.1%}" in lines[-1]


def test_real_questions_find_their_like(real) -> None:
    examples = load_llm_adapters(real, sets=["multiarith"]).examples[:300]
    own = nearest(examples, examples)
    assert own["exact"].all() and (own["similarity"] == 1).all()
    kept = [extract_answer(swapped(one, one.question)) == extract_answer(one.rationale) for one in examples]
    assert np.mean(kept) > 0.99
    halves = lookup_predictions(examples[::2], examples[1::2])
    assert halves.loc[halves["exact"], "correct"].mean() > 0.9, "one template with other numbers"


def test_what_cannot_be_looked_up_says_why() -> None:
    with pytest.raises(DataError, match="0 training and 1 test"):
        nearest([], [example(PENS)])
    with pytest.raises(DataError, match="several languages \\(en, zh\\)"):
        nearest([example(PENS)], [example(PENS, language="zh")])
