"""Generated problems: every equation recomputed, every label re-derived, from the text alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ases import stories
from ases.errors import ParameterError
from ases.examples import Example
from ases.graphs import MOVES
from ases.pieces import split_pieces
from ases.problems import GRAPHS, generate_problems, skeleton

ROOT = Path(__file__).resolve().parents[1]
# What the words of a question give besides its digits.
SPOKEN = {"twice": 2, "double": 2, "doubled": 2, "half": 2, "triple": 3, "tripled": 3}
EQUATION = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)")


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def equations(text: str) -> list[tuple[int, str, int, int]]:
    """Every equation of the text; fails on a sign that belongs to none, so that no equation can hide."""
    found = [(int(left), sign, int(right), int(result)) for left, sign, right, result in EQUATION.findall(text)]
    assert len(found) == text.count("=") == len(re.findall(r"[+*/]| - ", text)), text
    return found


def compute(left: int, sign: str, right: int) -> int:
    if sign == "/":
        quotient, rest = divmod(left, right)
        assert rest == 0
        return quotient
    return {"+": left + right, "-": left - right, "*": left * right}[sign]


@cache
def problems() -> tuple[Example, ...]:
    return tuple(generate_problems(2500, seed=11)) + tuple(
        generate_problems(1500, seed=12, steps_from=4, steps_to=8, distractors=0.5)
    )


def test_every_equation_holds_and_uses_only_what_is_known() -> None:
    signs = Counter()
    for example in problems():
        known = set(numbers(example.question))
        known |= {value for word, value in SPOKEN.items() if re.search(rf"\b{word}\b", example.question.lower())}
        for left, sign, right, result in equations(example.rationale):
            assert compute(left, sign, right) == result, example.rationale
            assert {left, right} <= known, (example.question, example.rationale)
            known.add(result)
            signs[sign] += 1
    assert min(signs[sign] for sign in "+-*/") > 500


def test_the_answer_is_the_graph_evaluated_on_the_numbers_of_the_equations() -> None:
    for example in problems():
        done = equations(example.rationale)
        graph = GRAPHS[example.graph]
        assert len(done) == graph.steps
        assert [sign for _, sign, _, _ in done] == [operation.split()[3] for operation in graph.operations]
        # Bind the graph's letters in the order of its expression, by walking the same operations.
        values: dict[str, int] = {}
        place = 0
        for move in graph.moves:
            own: dict[str, int] = {}
            for operation in MOVES[move]:
                target, _, left, _, right = operation.split()
                one, sign, other, _ = done[place]
                for name, number in ((left, one), (right, other)):
                    shared = values if name == "v" else own
                    assert shared.setdefault(name, number) == number, (example.graph, example.rationale)
                (values if target == "v" else own)[target] = compute(one, sign, other)
                place += 1
        assert example.answer == str(values["v"]) == str(done[-1][3])
        assert example.rationale.endswith(f" The answer is {example.answer}.")


def test_gold_labels_follow_from_the_text() -> None:
    for example in problems():
        pieces = split_pieces(example.rationale)
        known = set(numbers(example.question))
        labels = []
        for piece in pieces:
            labels.append("AS" if "=" in piece or set(numbers(piece)) - known else "ES")
            known |= set(numbers(piece))
        assert example.gold == tuple(labels), example.rationale
        assert example.gold[-1] == "ES"
        # A restatement never carries a number that is new: the converse of the rule above, on its own.
        assert all("=" in piece for piece, label in zip(pieces, example.gold, strict=True) if label == "AS")


def test_the_mix_is_that_of_real_rationales() -> None:
    first = generate_problems(3000, seed=5)
    new = total = 0
    for example in first:
        known = set(numbers(example.question))
        for piece in split_pieces(example.rationale):
            new += bool(set(numbers(piece)) - known)
            total += 1
            known |= set(numbers(piece))
    assert 0.30 <= new / total <= 0.45  # llm_adapters_cot: about 0.4
    labels = Counter(label for example in first for label in example.gold)
    assert 0.35 <= labels["AS"] / total <= 0.5


def test_graphs_and_skeletons_are_many() -> None:
    many = generate_problems(10_000, seed=1)
    assert len({example.graph for example in many}) >= 60
    assert len({GRAPHS[example.graph].expression for example in many}) >= 40
    assert len({skeleton(example) for example in many}) >= 5000
    texts = (f"{example.question} {example.rationale}".lower() for example in many)
    words = {word for text in texts for word in re.findall("[a-z]+", text)}
    assert len(words) < 700
    assert {graph.steps for graph in GRAPHS.values()} == set(range(1, 9))
    assert all(graph.name == name for name, graph in GRAPHS.items())


def test_every_graph_and_theme_comes_up() -> None:
    schemas = [example.schema.split("/") for example in generate_problems(6000, seed=2, steps_to=8)]
    assert {graph for graph, _ in schemas} == set(GRAPHS)
    assert {theme for _, theme in schemas} == set(stories.THEMES)


def test_expressions() -> None:
    assert GRAPHS["lose"].expression == "(a - b)"
    assert GRAPHS["half-then-gain"].expression == "((a / 2) + b)"
    assert GRAPHS["times-total"].expression == "(a + (a * b))"
    assert GRAPHS["branches-then-lose"].expression == "(((a * b) + (c * d)) - e)"
    assert GRAPHS["goal-then-fill"].expression == "((b - a) / c)"


def test_skeleton_masks_names_items_and_numbers() -> None:
    text = "Ben had 6 bags with 9 red candies in each. She had 6 * 9 = 54 candies. The answer is 54."
    example = Example(qid="q", question="", rationale=text, answer="54", source="own")
    assert skeleton(example) == (
        "NAME had # BOXES with # KIND ITEMS in each. PRONOUN had # * # = # ITEMS. The answer is #."
    )


def test_no_slip_of_grammar() -> None:
    for example in problems():
        for text in (example.question, example.rationale):
            assert not re.search(r"[{}~|&;]|  |\b[01]\b(?! *=)", text), text
            assert not re.search(r"\b[aA] [aeiou]|\b[aA]n (?!hour)[^aeiou]", text), text
            assert not re.search(r"\b(\w+) \1\b|, (Then|So|And)\b", text), text
            assert not re.search(r"\b(they|she|he) (was|were) \d+ (years|dollars)", text), text
            sentences = re.split(r"(?<=[.?]) ", text)
            assert all(re.match(r"[A-Z0-9$]", sentence) and sentence[-1] in ".?" for sentence in sentences), text
        assert example.question.count("?") == 1 and example.question.endswith("?")
        # Whoever the rationale names is in the question.
        people = set(stories.WOMEN + stories.MEN)
        assert people & set(re.findall(r"\w+", example.rationale)) <= set(re.findall(r"\w+", example.question))


def test_fields() -> None:
    (example,) = generate_problems(1, seed=7)
    assert example.qid == "gen-7-000000"
    assert (example.source, example.licence, example.language) == ("generated", "MIT", "en")
    assert example.graph in GRAPHS and example.schema.startswith(f"{example.graph}/")
    assert generate_problems(0, seed=7) == []


@pytest.mark.parametrize("largest", [12, 40])
def test_no_two_share_schema_and_numbers(largest: int) -> None:
    many = generate_problems(3000, seed=4, largest=largest)
    shown = [(example.schema, tuple(sorted(numbers(example.question)))) for example in many]
    operands = [
        (example.schema, tuple((left, right) for left, _, right, _ in equations(example.rationale))) for example in many
    ]
    assert len(set(shown)) == len(set(operands)) == len({example.qid for example in many}) == len(many)


def test_distractors_are_as_many_as_asked_and_never_used() -> None:
    def extra(example: Example) -> int:
        """Numbers of the question beyond those that the graph takes."""
        taken = [operand for move in GRAPHS[example.graph].moves for operand in _spoken_free(move, example)]
        return len(numbers(example.question)) - len(taken)

    for share in (0.0, 1.0):
        assert {extra(example) for example in generate_problems(600, seed=3, distractors=share)} == {int(share)}
    some = sum(extra(example) for example in generate_problems(2000, seed=3, distractors=0.3))
    assert 500 <= some <= 700


def _spoken_free(move: str, example: Example) -> list[str]:
    """The operands that a move gives in digits."""
    if move == "start":
        return ["a"]
    if move in ("half", "double"):
        return []
    operands = {name for operation in MOVES[move] for name in operation.split()[2::2]} - {"v", "p", "q"}
    return sorted(operands - {"k"} if move.startswith("times") and "twice" in example.question.lower() else operands)


def test_same_seed_same_list_other_seed_other_list() -> None:
    one = generate_problems(200, seed=1)
    assert one == generate_problems(200, seed=1)
    other = generate_problems(200, seed=2)
    assert len({e.question for e in one} & {e.question for e in other}) < 5


def test_same_list_whatever_the_hash_seed() -> None:
    code = (
        "import json; from dataclasses import asdict; from ases.problems import generate_problems;"
        "print(json.dumps([asdict(e) for e in generate_problems(150, seed=9, steps_to=8)]))"
    )
    texts = []
    for hash_seed in ("0", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        texts.append(hashlib.sha256(run.stdout.encode()).hexdigest())
    here = json.dumps([asdict(example) for example in generate_problems(150, seed=9, steps_to=8)]) + "\n"
    assert texts == [hashlib.sha256(here.encode()).hexdigest()] * 2


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    steps=st.tuples(st.integers(1, 8), st.integers(1, 8)).map(sorted),
    largest=st.integers(8, 200),
    distractors=st.floats(0, 1),
)
def test_knobs_are_kept(seed: int, steps: list[int], largest: int, distractors: float) -> None:
    low, high = steps
    for example in generate_problems(
        15, seed=seed, steps_from=low, steps_to=high, largest=largest, distractors=distractors
    ):
        assert low <= len(equations(example.rationale)) <= high
        assert all(2 <= number <= largest for number in numbers(example.question))
        results = [result for *_, result in equations(example.rationale)]
        assert all(2 <= result <= 10 * largest for result in results)
        assert len(split_pieces(example.rationale)) == len(example.gold)


def test_steps_are_drawn_evenly() -> None:
    many = generate_problems(3000, seed=6, steps_from=2, steps_to=4)
    counts = Counter(GRAPHS[example.graph].steps for example in many)
    assert set(counts) == {2, 3, 4}
    assert all(900 <= count <= 1100 for count in counts.values())


@pytest.mark.parametrize(
    ("knobs", "says"),
    [
        ({"largest": 2, "n": 5000}, "different problems"),
        ({"largest": 5, "n": 5000, "steps_to": 1}, "too few with 1 steps"),
        ({"largest": 1}, "largest"),
        ({"steps_from": 3, "steps_to": 2}, "steps_from"),
        ({"steps_to": 9}, "steps"),
        ({"steps_from": 0}, "steps"),
        ({"distractors": 1.5}, "distractors"),
        ({"n": -1}, "n -1"),
    ],
)
def test_what_cannot_be_is_said(knobs: dict, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        generate_problems(**{"n": 10, "seed": 0, **knobs})
