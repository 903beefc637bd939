"""Kinds of pieces and the number-novelty heuristic: by rules on exact cases, and on generated and real rationales."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ases.arithmetic import numerals
from ases.examples import AS, ES, Example
from ases.kinds import PROBLEM_KINDS, REPORT_KINDS, kind_of, kind_table, label_by_number_novelty
from ases.pieces import split_pieces
from ases.problems import generate_problems
from ases.sources import load_llm_adapters

QUESTION = "Bo had 2 bags with 3 pens each and lost 1 pen."


@pytest.mark.parametrize(
    ("text", "earlier", "later", "kind"),
    [
        ("Bo had 2 bags. ", "", "2 * 3 = 6.", "restated fact"),
        ("There were bags. ", "", "", "restated fact"),
        ("2 * 3 = 6. ", "Bo had 2 bags. ", "6 - 1 = 5.", "intermediate equation"),
        ("6 - 1 = 5. ", "2 * 3 = 6. ", "The answer is 5.", "final equation"),
        ("So there were 6 pens. ", "2 * 3 = 6. ", "", "conclusion without equation"),
        ("So there were 7 pens. ", "2 * 3 = 6. ", "", "new number, no equation"),
        ("The answer is 5.", "6 - 1 = 5. ", "", "answer sentence"),
        ("The answer is 6 - 1 = 5.", "", "", "final equation"),
        ("答案是5。", "", "", "answer sentence"),
    ],
)
def test_kinds_of_word_problems(text: str, earlier: str, later: str, kind: str) -> None:
    assert kind_of(text, question=QUESTION, earlier=earlier, later=later) == kind
    assert kind in PROBLEM_KINDS


@pytest.mark.parametrize(
    ("text", "gold", "kind"),
    [
        ("右肺上叶结节，", ES, "restated finding"),
        ("1. Nodule in the right lung, SUVmax 8.1, ", ES, "restated finding"),
        ("余所检部位未见异常放射性摄取。", ES, "normal"),
        ("No abnormal FDG uptake elsewhere.", ES, "normal"),
        ("考虑恶性可能；\n", AS, "suspicion"),
        ("highly suspicious. ", AS, "suspicion"),
        ("影像分期为T2N0M0，", AS, "stage"),
        ("consistent with metastasis.\n", AS, "stage"),
        ("符合完全代谢缓解。\n", AS, "response"),
        ("a fall of 53 %. ", AS, "response"),
        ("建议穿刺活检。", AS, "recommendation"),
        ("Biopsy is advised.", AS, "recommendation"),
        ("as said above. ", AS, "other conclusion"),
        ("考虑转移。", None, "stage"),
        ("no enlarged nodes. ", None, "normal"),
        ("a nodule of 2 cm. ", None, "restated finding"),
    ],
)
def test_kinds_of_reports(text: str, gold: str | None, kind: str) -> None:
    assert kind_of(text, gold, report=True) == kind
    assert kind in REPORT_KINDS


def test_kinds_agree_with_gold_of_generated_problems() -> None:
    examples = generate_problems(300, seed=5, steps_to=4)
    table = kind_table(examples)
    gold = [label for example in examples for label in example.gold]
    assert len(table) == len(gold) and set(table["qid"]) == {example.qid for example in examples}
    equation = table["kind"].isin(["intermediate equation", "final equation"])
    assert [label == AS for label in gold] == equation.tolist()
    assert (table["kind"] == "final equation").sum() == len(examples), "one each"
    assert table["kind"].nunique() == 5


def test_a_report_is_known_by_its_missing_answer() -> None:
    report = Example("r", "Nodule of 2 cm.", "Nodule of 2 cm, likely benign.", None, "own", gold=(ES, AS))
    assert kind_table([report])["kind"].tolist() == ["restated finding", "suspicion"]


def test_numerals_are_read_one_by_one_without_list_marks() -> None:
    assert numerals("27 / 9 = 3, 1,000 and 3.50") == {27, 9, 3, 1000, numerals("3.5").pop()}
    assert numerals("1. two\n2、 3 cm\n(3) four\n10) 1.5") == {3, numerals("1.5").pop()}
    assert numerals("at 3. then") == {3} and numerals("3.") == {3} and numerals("") == set()


def test_a_new_number_makes_a_piece_abstractive() -> None:
    pieces = ["Bo had 2 bags. ", "2 * 3 = 6. ", "So 6. ", "Then 6.0 and 7. "]
    assert label_by_number_novelty(QUESTION, pieces) == [ES, AS, ES, AS]
    assert label_by_number_novelty("", []) == []


@given(st.lists(st.text("0123456789 ,.=", max_size=12), max_size=8), st.text("0123456789 ", max_size=12))
def test_saying_a_piece_again_is_never_new(pieces: list[str], question: str) -> None:
    labels = label_by_number_novelty(question, [*pieces, *pieces])
    assert len(labels) == 2 * len(pieces) and set(labels[len(pieces) :]) <= {ES}
    # A number that reads otherwise in the question than alone, such as that of "0..1", is new once and then known.
    told = question + "".join(f" {piece} " for piece in pieces)
    new = {piece for piece in pieces if not numerals(piece) <= numerals(told)}
    labels = label_by_number_novelty(told, pieces)
    assert {piece for piece, label in zip(pieces, labels, strict=True) if label == AS} <= new


def test_real_rationales_have_kinds_too(real: Path) -> None:
    examples = load_llm_adapters(real, sets=["multiarith"]).examples
    table = kind_table(examples)
    shares = table["kind"].value_counts(normalize=True)
    assert len(table) == sum(len(split_pieces(example.rationale)) for example in examples)
    assert shares["answer sentence"] == pytest.approx(len(examples) / len(table), abs=0.01)
    assert shares["new number, no equation"] < 0.05
