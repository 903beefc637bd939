"""Chains step by step: by hand, on generated solutions damaged in a known way, and on collected rationales."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ases.arithmetic import numbers_in, read_equations
from ases.errors import DataError
from ases.examples import Example
from ases.metrics import equation_share
from ases.problems import generate_problems
from ases.sources import load_llm_adapters
from ases.statistics import proportion_interval
from ases.steps import (
    KINDS,
    NOTHING_TO_CHECK,
    FirstError,
    chain_steps,
    error_places,
    first_error,
    first_error_table,
    first_errors,
    step_sentence,
    step_table,
    steps_of_chains,
)

POTS = Example(
    "pots",
    "Cora had 6 pots and each pot held 10 lilies. She gave 5 to an aunt and sold each of the others for $3. At 8 she "
    "went home. How many dollars did she earn?",
    "She had 6 * 10 = 60 lilies. So now she had 60 - 5 = 55. She got 55 * 3 = 165 dollars. The answer is 165.",
    "165",
    "own",
)


def verdict(chain: str, example: Example = POTS) -> tuple[str, int]:
    found = first_error(chain, example)
    return found.kind, found.step


# Single chains --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain", "kind", "step"),
    [
        (POTS.rationale, "none", 0),
        ("10 * 6 = 60, 60 - 5 = 55 and 3 * 55 = 165. The answer is 165.", "none", 0),
        ("6 * 10 - 5 = 55, so 55 * 3 = 165. The answer is 165.", "none", 0),
        ("(6 * 10 - 5) * 3 = 165. The answer is 165.", "none", 0),
        ("6 * 10 - 5 = 60 - 5 = 55. 55 * 3 = 165. The answer is 165.", "none", 0),
        ("The answer is 165.", "none", 0),
        ("6 * 10 = 61. 61 - 5 = 56. 56 * 3 = 168. The answer is 168.", "arithmetic", 1),
        ("6 * 10 = 60. 60 - 5 = 54. The answer is 54.", "arithmetic", 2),
        ("6 * 10 = 60. 60 - 7 = 53. The answer is 53.", "operand", 2),
        ("6 * 10 = 60. 55 * 3 = 165. The answer is 166.", "missing", 2),
        ("6 * 10 = 60. 60 + 5 = 65. The answer is 65.", "operation", 2),
        ("6 * 10 = 60. 60 - 8 = 52. The answer is 52.", "operation", 2),
        ("6 * 10 = 60. 5 - 60 = -55. The answer is -55.", "operation", 2),
        ("6 * 10 = 60. 60 - 5 = 55. 55 * 3 = 165. So she earned 165 dollars for 3 each.", "stopped", 4),
        ("6 * 10 = 60. So now", "stopped", 2),
        ("", "stopped", 1),
        ("6 * 10 = 60. 60 - 5 = 55. The answer is 55.", "missing", 3),
        ("The answer is 60.", "missing", 1),
        ("6 * 10 = 60. 60 - 5 = 55. 55 * 3 = 165. The answer is 55.", "answer", 4),
        # Arithmetic comes first, then what is known, then what the reference does.
        ("6 * 7 = 43. The answer is 43.", "arithmetic", 1),
        ("55 - 7 = 48. The answer is 48.", "operand", 1),
    ],
)
def test_where_a_chain_first_goes_wrong(chain: str, kind: str, step: int) -> None:
    assert verdict(chain) == (kind, step)


def test_a_right_answer_does_not_hide_a_wrong_step() -> None:
    assert first_error("6 * 10 = 61. The answer is 165.", POTS) == FirstError("arithmetic", 1, 1, True)
    assert first_error("The answer is 165.", POTS) == FirstError("none", 0, 0, True)


def test_steps_say_what_came_before_them() -> None:
    steps = chain_steps("6 * 10 = 60. 60 - 5 = 54. 54 * 3 = 162. The answer is 162.", POTS)
    assert [(one.step, one.text, one.arithmetic, one.after_right) for one in steps] == [
        (1, "6 * 10 = 60", True, True),
        (2, "60 - 5 = 54", False, True),
        (3, "54 * 3 = 162", True, False),
    ]
    assert [one.kind for one in steps] == ["right", "arithmetic", "operation"]


def test_a_run_on_equation_is_one_step() -> None:
    steps = chain_steps("6 * 10 - 5 = 60 - 5 = 55", POTS)
    assert [(one.text, one.kind) for one in steps] == [("6 * 10 - 5 = 60 - 5 = 55", "right")]
    assert chain_steps("6 * 10 = 60 - 5 = 55", POTS)[0].kind == "arithmetic", "6 * 10 is not 55"


def test_constants_of_the_reference_are_free() -> None:
    example = Example("w", "She runs 3 miles a day. How far in 2 weeks?", "2 * 7 = 14. 14 * 3 = 42.", "42", "own")
    assert verdict("7 * 2 = 14. 3 * 14 = 42. The answer is 42.", example) == ("none", 0)
    assert verdict("5 * 2 = 10. 3 * 10 = 30. The answer is 30.", example) == ("operand", 1)


def test_without_equations_in_the_reference_no_operation_is_wrong() -> None:
    example = replace(POTS, rationale="It is 165. The answer is 165.")
    assert verdict("6 + 10 = 16. The answer is 16.", example) == ("answer", 2)
    assert verdict("6 + 11 = 17. The answer is 17.", example) == ("operand", 1)


def test_reports_have_no_steps_towards_an_answer() -> None:
    with pytest.raises(DataError, match="pots has no answer"):
        first_error("x", replace(POTS, answer=None))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("3 eggs and 1,000 more", "3 1000"),
        ("twenty-five eggs, two each", "25 2"),
        ("half of the 8", "1/2 2 8"),
        ("twice as many, then tripled", "2 3"),
        ("20% of 50", "20 1/5 100 50"),
        ("1/2 of it", "1/2 1 2"),
        ("1 3/4 cups", "7/4 1 3 4"),
        ("a dozen", "12"),
        ("it fell to -4", "4"),
        ("nothing", ""),
    ],
)
def test_numbers_that_a_text_gives(text: str, numbers: str) -> None:
    assert numbers_in(text) == {Fraction(one) for one in numbers.split()}


def test_equations_tell_their_numbers() -> None:
    (one,) = read_equations("so 20% * $1,000 - 3 = 197 eggs")
    assert (one.left, one.result, one.right) == ((20, 1000, 3), 197, True)
    assert "so 20% * $1,000 - 3 = 197 eggs"[one.start : one.end] == one.text == "20% * $1,000 - 3 = 197"


# Generated and collected rationales -----------------------------------------------------------------------------

PROBLEMS = generate_problems(300, seed=5, distractors=0.5)


@given(st.sampled_from(PROBLEMS), st.randoms(use_true_random=False))
def test_damage_is_found_where_it_was_done(example: Example, random) -> None:
    assert first_error(example.rationale, example) == FirstError("none", 0, example.rationale.count("="), True)
    found = list(re.finditer(r"(\d+) ([-+*/]) (\d+) = (\d+)", example.rationale))
    place = random.randrange(len(found))
    equation = found[place]

    def damaged(text: str) -> str:
        return example.rationale[: equation.start()] + text + example.rationale[equation.end() :]

    left, sign, right, result = equation.groups()
    assert verdict(damaged(f"{left} {sign} {right} = {int(result) + 1}"), example) == ("arithmetic", place + 1)
    alien = 12_345_678
    assert verdict(damaged(f"{left} + {alien} = {int(left) + alien}"), example) == ("operand", place + 1)
    # As large as no step of the solution, and of known numbers.
    other = f"{left} * {right} * {left} * {right} = {(int(left) * int(right)) ** 2}"
    assert verdict(damaged(other), example) == ("operation", place + 1)
    stated = example.rationale.rindex("The answer is")
    before = example.rationale[: equation.start()]
    assert verdict(before + f"The answer is {alien}.", example) == ("missing", place + 1)
    assert verdict(before, example)[0] in ("stopped", "none")
    wrong = example.rationale[:stated] + f"The answer is {alien}."
    assert verdict(wrong, example) == ("answer", len(found) + 1)


def test_collected_rationales_hold_against_themselves(real: Path) -> None:
    examples = load_llm_adapters(real).examples[::3]
    table = pd.DataFrame([{"method": "teacher", "qid": one.qid, "chain": one.rationale} for one in examples])
    errors = first_errors(table, examples)
    kinds = errors["kind"].value_counts()
    # All numbers are its own, so that only its arithmetic and what it leaves unsaid can be wrong.
    assert set(kinds.index) <= {"none", "arithmetic", "answer", "stopped"}
    assert kinds["none"] > 0.85 * len(examples)
    wrong = errors[errors["kind"] == "arithmetic"]
    chains = table.set_index("qid")["chain"]
    assert all(equation_share(chains[qid]) < 1 for qid in wrong["qid"])


# Tables ---------------------------------------------------------------------------------------------------------

CHAINS = {
    "seq2seq": [POTS.rationale, "6 * 10 = 61. The answer is 61.", "6 * 10 = 60. 60 - 5 = 54. The answer is 165.", ""],
    "answer-only": ["The answer is 165.", "The answer is 3.", "The answer is 3.", "no"],
}
EXAMPLES = [replace(POTS, qid=f"q{k}") for k in range(4)]
TABLE = pd.DataFrame(
    [{"method": m, "seed": 0, "qid": f"q{k}", "chain": c} for m, chains in CHAINS.items() for k, c in enumerate(chains)]
)


def steps_of(table: pd.DataFrame) -> pd.DataFrame:
    return steps_of_chains(table, EXAMPLES)


def errors_of(table: pd.DataFrame) -> pd.DataFrame:
    return first_errors(table, EXAMPLES)


def test_steps_are_counted_one_a_chain() -> None:
    steps = steps_of_chains(TABLE, EXAMPLES)
    assert len(steps) == 6 and set(steps["method"]) == {"seq2seq"}
    table = step_table(steps).set_index("step")
    assert table["n"].tolist() == [3, 2, 1] and table["n_after_right"].tolist() == [3, 2, 1]
    assert table["arithmetic"].tolist() == pytest.approx([2 / 3, 1 / 2, 1])
    interval = proportion_interval(2, 3)
    assert table.loc[1, ["right", "right_low", "right_high"]].tolist() == [2 / 3, interval.low, interval.high]
    wrong_first = TABLE.assign(chain="6 * 10 = 61. 61 - 5 = 56.")
    assert step_table(steps_of(wrong_first))["right"].isna().tolist() == [False, True] * 2


def test_first_errors_add_up_to_all_chains() -> None:
    table = first_error_table(errors_of(TABLE))
    assert table["kind"].tolist() == [*KINDS, "none"] * 2
    seq2seq = table[table["method"] == "seq2seq"].set_index("kind")
    assert seq2seq["chains"].to_dict() == dict.fromkeys(KINDS, 0) | {"arithmetic": 2, "stopped": 1, "none": 1}
    assert seq2seq.loc["arithmetic", "right_answers"] == 1 and set(seq2seq["n"]) == {4}
    interval = proportion_interval(2, 4)
    assert seq2seq.loc["arithmetic", ["share", "low", "high"]].tolist() == [0.5, interval.low, interval.high]
    assert table.groupby("method")["share"].sum().tolist() == [1.0, 1.0]
    other = table[table["method"] == "answer-only"].set_index("kind")["chains"]
    assert (other["missing"], other["stopped"], other["none"]) == (2, 1, 1)
    assert verdict("$164") == ("missing", 1) and verdict("165.") == ("none", 0), "an answer that stands alone is stated"
    places = first_error_table(errors_of(TABLE), places=True)
    seq2seq = places[places["method"] == "seq2seq"]
    assert seq2seq[["kind", "step", "chains"]].values.tolist() == [
        ["arithmetic", 1, 1], ["arithmetic", 2, 1], ["stopped", 1, 1], ["none", 0, 1]
    ]  # fmt: skip
    assert first_error_table(errors_of(TABLE.query("method == 'seq2seq'")), by=())["chains"].sum() == 4


def test_tables_that_cannot_be_counted_are_errors() -> None:
    two = pd.concat([TABLE, TABLE.assign(seed=1)])
    with pytest.raises(DataError, match="occur twice for one method"):
        first_error_table(errors_of(two))
    assert len(first_error_table(errors_of(two), by=("method", "seed"))) == 4 * (len(KINDS) + 1)
    with pytest.raises(DataError, match="'q3' has no example"):
        steps_of_chains(TABLE, EXAMPLES[:3])
    with pytest.raises(DataError, match="lacks method"):
        step_table(steps_of(TABLE.drop(columns="method")))
    with pytest.raises(DataError, match="no chains"):
        first_errors(TABLE.iloc[:0], EXAMPLES)


def test_places_count_every_chain_once() -> None:
    places = error_places(errors_of(TABLE))
    assert places.index.tolist() == [*KINDS, "none"] and places.to_numpy().sum() == len(TABLE)
    assert places.loc["none", 0] == 2 and places.loc["arithmetic"].tolist() == [0, 1, 1]


def test_steps_in_words_are_those_of_the_tables() -> None:
    one = TABLE.query("method == 'seq2seq'")
    text = step_sentence(step_table(steps_of(one)), first_error_table(errors_of(one)))
    assert text.startswith("The first step is right in 67% of the 3 chains that have one.")
    assert "A later step, where all before it are right, is right in 67% of cases." in text, "1 of 2 and 1 of 1"
    assert text.endswith("most often this: the equation is wrong (50% of 4 chains).")
    other = TABLE.query("method == 'answer-only'")
    text = step_sentence(step_table(steps_of(other)), first_error_table(errors_of(other)))
    assert text.startswith("No chain states an equation.") and "without all steps (50% of 4 chains)" in text
    right = one.assign(chain=POTS.rationale)
    assert "wrong" not in step_sentence(step_table(steps_of(right)), first_error_table(errors_of(right)))


def test_reports_have_no_steps_and_say_so() -> None:
    reports = [replace(one, answer=None) for one in EXAMPLES]
    judged = steps_of_chains(TABLE, reports), first_errors(TABLE, reports)
    steps, errors = step_table(judged[0]), first_error_table(judged[1], places=True)
    assert steps.empty and errors.empty and judged[0].empty and judged[1].empty
    assert list(steps) == list(step_table(steps_of(TABLE)))
    assert list(errors) == list(first_error_table(errors_of(TABLE), places=True))
    assert step_sentence(steps, errors) == NOTHING_TO_CHECK
    # As the notebooks show them.
    assert error_places(judged[1]).empty or error_places(judged[1]).to_numpy().sum() == 0
    assert steps.pivot(index="method", columns="step", values="right").empty
    with pytest.raises(DataError, match="1 of 4 questions have no answer"):
        steps_of_chains(TABLE, [*EXAMPLES[:3], reports[3]])
