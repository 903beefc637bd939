"""Generated problems: every equation recomputed, every label re-derived from the text alone."""

from __future__ import annotations

import re

from ases.pieces import split_pieces
from ases.problems import generate_problems

EQUATION = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)")


def test_labels_follow_from_the_text() -> None:
    for example in generate_problems(2000, seed=1):
        known = set(re.findall(r"\d+", example.question))
        labels = []
        for piece in split_pieces(example.rationale):
            numbers = set(re.findall(r"\d+", piece))
            labels.append("AS" if "=" in piece or numbers - known else "ES")
            known |= numbers
        assert example.gold == tuple(labels), example.rationale
        for left, sign, right, result in EQUATION.findall(example.rationale):
            assert {"+": int(left) + int(right), "-": int(left) - int(right), "*": int(left) * int(right)}.get(
                sign, int(left) / int(right)
            ) == int(result)
