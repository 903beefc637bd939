"""Data cards say what must be known of each set, and agree with the files where these are at hand."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from ases.cards import CARDS, LABELS, DataCard, card_markdown, card_table, cards_html, data_card
from ases.errors import ParameterError
from ases.sources import SETS
from tests.conftest import SHARED


def test_every_card_fills_every_field() -> None:
    assert {"name", *LABELS} == {field.name for field in fields(DataCard)}
    for name, card in CARDS.items():
        assert card.name == name and all(getattr(card, field.name).strip() for field in fields(DataCard))
    collected = {"gsm8k", "llm_adapters_cot", "palm_svamp_cot", "cpet"}
    assert set(CARDS) == {"generated", "reports-zh", "reports-en"} | collected
    with pytest.raises(ParameterError, match="no data card of mnist; there are generated"):
        data_card("mnist")


def test_collected_sets_are_pinned_and_private_ones_stay_private() -> None:
    for name in ("gsm8k", "llm_adapters_cot", "palm_svamp_cot"):
        assert re.search(r"\b[0-9a-f]{40}\b", data_card(name).commit)
    private = data_card("cpet")
    assert "never shipped" in private.licence and "real patients" in private.personal_data
    assert private.error_rate == private.overlaps == "unknown"


@pytest.mark.parametrize("name", ["gsm8k", "llm_adapters_cot", "palm_svamp_cot"])
def test_facts_are_those_beside_the_files(name: str) -> None:
    path = SHARED / name / "SOURCE.md"
    if not path.is_file():
        pytest.skip(f"no description of the files at {path}")
    source, card = path.read_text(encoding="utf-8"), data_card(name)
    for commit in re.findall(r"\b[0-9a-f]{40}\b", card.commit):
        assert commit in source
    for count in re.findall(r"\b\d,\d{3}\b|\b\d{3}\b", card.size):
        assert count in source or count == "3,822"
    right = re.findall(r"^\| (\w+)_1\.json[^|]*\|[^|]*\| ([\d.]+) %", source, re.MULTILINE)
    assert [file for file, _ in right] == ([] if name != "llm_adapters_cot" else ["gsm8k", *SETS[1:]])
    for _, share in right:
        assert f"{100 - float(share):.1f} %" in card.error_rate
    if name == "palm_svamp_cot":
        assert "73.2 % and 74.0 %" in source and "26.8 %" in card.error_rate and "26.0 %" in card.error_rate


def test_counts_are_those_of_the_files(real: Path) -> None:
    counts = [path.read_text(encoding="utf-8").count('"pred"') for path in real.glob("*_1.json")]
    size = data_card("llm_adapters_cot").size.replace("GSM8K", "")
    total, *each = (int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", size))
    assert total == sum(counts) and sorted(each) == sorted(counts)


def test_cards_are_shown_whole_and_escaped() -> None:
    table = card_table(["gsm8k", "cpet"])
    assert list(table.columns) == ["gsm8k", "cpet"] and table.loc["licence", "gsm8k"] == "MIT"
    card = data_card("gsm8k")
    text = card_markdown(card)
    assert text.startswith("### gsm8k\n") and text.count("\n| ") == len(LABELS) + 1
    html = cards_html(["gsm8k", "llm_adapters_cot"])
    assert "dataset/&lt;name&gt;/" in html and "<name>" not in html and "<script" not in html
    for field in LABELS:
        assert getattr(card, field) in text
