"""Data cards: one a set, complete, and in step with what can be read and what must stay private."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from ases.cards import NAMES, card, card_table
from ases.errors import ParameterError
from ases.settings import PRIVATE, SOURCES


def test_every_set_but_your_own_has_a_card() -> None:
    assert set(NAMES) == set(SOURCES) - {"own"}
    with pytest.raises(ParameterError, match="no data card for own.*gsm8k"):
        card("own")


@pytest.mark.parametrize("name", NAMES)
def test_a_card_leaves_no_field_open(name: str) -> None:
    assert all(len(text.strip()) > 2 for text in asdict(card(name)).values())
    assert ("real patients" in card(name).personal_data) == (name in PRIVATE)


def test_the_table_has_a_column_a_set() -> None:
    table = card_table(["gsm8k", "cpet"])
    assert list(table.columns) == ["gsm8k", "cpet"]
    assert table.loc["licence", "gsm8k"] == "MIT" and "error rate" in table.index
