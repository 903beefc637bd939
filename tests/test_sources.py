"""The loader of LLM-written rationales: hostile files, every oddity, and the real data where it is present."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas
import pytest

from ases import rationales as reasons
from ases import sources
from ases.errors import DataError
from ases.examples import state_answer
from ases.metrics import is_correct
from ases.pieces import split_pieces
from ases.rows import normalise_question, plain_number
from ases.sources import fingerprint, load_llm_adapters

LLM = "llm_adapters_cot"


def record(question: str = "Ann had 1 pen, got 2. How many?", **changes: Any) -> dict[str, Any]:
    chain = "\nA: Ann had 1 pen, got 2. 1 + 2 = 3. The answer is 3."
    return {"question": question, "chain-of-thought": chain, "pred": 3.0, "answer": 3.0} | changes


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in record().items() if name != field}


@pytest.fixture
def write(tmp_path: Path):
    """Write the content of ``<set>_1.json`` files, from records, text or bytes; gives back the folder."""

    def _write(**files: Any) -> Path:
        for name, content in files.items():
            if not isinstance(content, str | bytes):
                content = json.dumps(content)
            (tmp_path / f"{name}_1.json").write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return _write


# Records that can be read ------------------------------------------------------------------------------------------


def test_a_record_becomes_an_example(write) -> None:
    (example,) = load_llm_adapters(write(multiarith=[record("  Ann had 1 pen, got 2 . How many?\n")])).examples
    assert asdict(example) == {
        "qid": "multiarith/1",
        "question": "Ann had 1 pen, got 2 . How many?",
        "rationale": "Ann had 1 pen, got 2. 1 + 2 = 3. The answer is 3.",
        "answer": "3",
        "source": "llm_adapters_cot/multiarith",
        "licence": "ODC-By-1.0",
        "language": "en",
        "gold": None,
        "graph": None,
        "schema": None,
        "teacher_correct": True,
        "flags": (),
        "official_split": None,
    }


@pytest.mark.parametrize(
    ("written", "read"),
    [(3.0, "3"), (3, "3"), ("3", "3"), ("3.0", "3"), ("$3.00", "3"), (3.5, "3.5"), ("1,000.50", "1000.5"), (-0.0, "0")],
)
def test_answers_are_plain_numbers(write, written: Any, read: str) -> None:
    rationale = f"A: The answer is {read}."
    folder = write(addsub=[record(answer=written, pred=written, **{"chain-of-thought": rationale})])
    (example,) = load_llm_adapters(folder).examples
    assert (example.answer, example.teacher_correct) == (read, True)


@pytest.mark.parametrize(
    ("value", "text"),
    [(39.0, "39"), (1e-5, "0.00001"), (1e21, "1" + "0" * 21), (-7.0, "-7"), (1 / 3, "0.3333333333333333")],
)
def test_plain_numbers_have_no_exponent(value: float, text: str) -> None:
    assert plain_number(value) == text


def test_float_noise_is_no_wrong_answer_and_the_stated_digits_win(write) -> None:
    noisy = record(pred=0.666666666666666, answer=2 / 3, **{"chain-of-thought": "A: The answer is 0.666666666666666."})
    near = record("Else?", pred=6.7, answer=6.65)
    loaded = load_llm_adapters(write(addsub=[noisy, near]))
    assert list(loaded.records["reason"]) == [reasons.KEPT, reasons.WRONG]
    assert loaded.examples[0].answer == "0.666666666666666"
    assert is_correct(loaded.examples[0].rationale, loaded.examples[0].answer)


def chain(text: str) -> dict[str, str]:
    return {"chain-of-thought": text}


ODDITIES: dict[str, tuple[dict[str, Any], str, str]] = {
    # name: (changes to a good record, what becomes of it, and with wrong teachers kept)
    "good": ({}, reasons.KEPT, reasons.KEPT),
    "empty": (chain(""), reasons.EMPTY, reasons.EMPTY),
    "nothing after the mark": (chain("\nA: \n"), reasons.EMPTY, reasons.EMPTY),
    "empty without an answer": ({"pred": None, **chain("")}, reasons.EMPTY, reasons.EMPTY),
    "teacher wrong": ({"answer": 4.0}, reasons.WRONG, reasons.KEPT_WRONG),
    "teacher without an answer": ({"pred": None}, reasons.WRONG, reasons.KEPT_WRONG),
    "teacher's answer infinite": ({"pred": float("inf")}, reasons.WRONG, reasons.KEPT_WRONG),
    "unstated": (chain("A: 1 + 2 = 3."), reasons.KEPT_APPENDED, reasons.KEPT_APPENDED),
    "wrong and unstated": ({"answer": 4, **chain("A: 1 + 2 = 3.")}, reasons.WRONG, reasons.WRONG_UNSTATED),
    "another number stated": (chain("A: The answer is 7 pens, 3 red."), reasons.STATES_OTHER, reasons.STATES_OTHER),
    "continues the question": (chain(" together?\nA: The answer is 3."), reasons.CUT_OFF, reasons.CUT_OFF),
    "runs on": (chain("A: The answer is 3.\nQ: And 4?\nA: The answer is 3."), reasons.RUNS_ON, reasons.RUNS_ON),
    "infinite answer": ({"answer": float("inf"), "pred": 1.0}, reasons.NOT_FINITE, reasons.NOT_FINITE),
    "no number as answer": ({"answer": float("nan"), "pred": float("nan")}, reasons.NOT_FINITE, reasons.NOT_FINITE),
    "number beyond floats": ({"answer": 10**400}, reasons.NOT_FINITE, reasons.NOT_FINITE),
}


@pytest.mark.parametrize(("changes", "reason", "reason_when_kept"), ODDITIES.values(), ids=ODDITIES.keys())
def test_each_oddity_has_its_reason(write, changes: dict, reason: str, reason_when_kept: str) -> None:
    folder = write(svamp=[record(**changes)])
    for keep, expected in ((False, reason), (True, reason_when_kept)):
        loaded = load_llm_adapters(folder, keep_teacher_wrong=keep)
        assert list(loaded.records["reason"]) == [expected]
        kept = expected in (reasons.KEPT, reasons.KEPT_APPENDED, reasons.KEPT_WRONG)
        assert len(loaded.examples) == kept
        for example in loaded.examples:
            assert example.flags == {
                reasons.KEPT: (),
                reasons.KEPT_APPENDED: ("no-stated-answer",),
                reasons.KEPT_WRONG: ("teacher-wrong",),
            }[expected]
            assert example.teacher_correct == (expected != reasons.KEPT_WRONG)


def test_of_equal_questions_the_first_is_kept_but_a_right_one_before_a_wrong_one(write) -> None:
    folder = write(
        addsub=[record("Who has 1,000 pens ?", answer=4), record("Two?"), record("two ?")],
        svamp=[record("Who has 1000 pens?", ID="chal-1"), record("Two", ID="chal-2")],
    )
    loaded = load_llm_adapters(folder, keep_teacher_wrong=True)
    assert [example.qid for example in loaded.examples] == ["addsub/2", "svamp/chal-1"]
    assert list(loaded.records["reason"]) == [
        f"{sources.DUPLICATE} svamp",
        reasons.KEPT,
        f"{sources.DUPLICATE} addsub",
        reasons.KEPT,
        f"{sources.DUPLICATE} addsub",
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [("3 * 4", "3 + 4"), ("12 pens", "1 2 pens"), ("1.5", "15"), ("$5", "5%"), ("a 3.", "a 4."), ("pen", "pan")],
)
def test_different_questions_stay_different(one: str, other: str) -> None:
    assert normalise_question(one) != normalise_question(other)


def test_the_account_names_expected_files_that_are_not_there(write) -> None:
    account = load_llm_adapters(write(svamp=[record()], own=[record("Else?")])).account
    absent = account[account["reason"] == sources.NO_FILE]
    assert list(absent["set"]) == ["gsm8k", "multiarith", "addsub", "singleeq"]
    assert not absent["rows"].any()
    assert dict(account.groupby("set")["rows"].sum())["own"] == 1


def test_sets_choose_among_the_files(write) -> None:
    folder = write(svamp=[record()], addsub=[record("Else?")])
    assert [example.qid for example in load_llm_adapters(folder, sets=["svamp"]).examples] == ["svamp/1"]
    with pytest.raises(DataError, match=r"asked for gsm8k_1.json in .*; found addsub_1.json, svamp_1.json"):
        load_llm_adapters(folder, sets=["svamp", "gsm8k"])
    with pytest.raises(DataError, match="asked for no set"):
        load_llm_adapters(folder, sets=[])


def test_a_byte_order_mark_and_text_beyond_ascii_are_read(write) -> None:
    content = json.dumps([record("¿Cuántos lápices?")], ensure_ascii=False)
    (example,) = load_llm_adapters(write(svamp=b"\xef\xbb\xbf" + content.encode())).examples
    assert example.question == "¿Cuántos lápices?"


def test_the_fingerprint_follows_names_and_contents_of_the_files_read(write) -> None:
    folder = write(svamp=[record()])
    before = fingerprint(LLM, folder)
    (folder / "notes.txt").write_text("not read")
    assert fingerprint(LLM, folder) == before
    assert len(before) == len(hashlib.sha256().hexdigest())
    write(svamp=[record(answer=4)])
    changed = fingerprint(LLM, folder)
    (folder / "svamp_1.json").rename(folder / "addsub_1.json")
    renamed = fingerprint(LLM, folder)
    write(svamp=[record()])
    assert len({before, changed, renamed, fingerprint(LLM, folder)}) == 4
    assert fingerprint(LLM, folder, sets=["svamp"]) == before


# Files that cannot -------------------------------------------------------------------------------------------------

HOSTILE: dict[str, tuple[Any, str]] = {
    "empty file": ("", r"bad_1.json, line 1: the file is empty"),
    "white space": (" \n ", r"bad_1.json, line 1: the file is empty"),
    "not UTF-8": (b'[\n{"question": "caf\xe9"}]', r"bad_1.json, line 2: not UTF-8"),
    "UTF-16": (json.dumps([record()]).encode("utf-16"), r"bad_1.json, line 1: this is UTF-16 and not UTF-8"),
    "not JSON": ('[\n {"question": }\n]', r"bad_1.json, line 2: column 15: not JSON"),
    "cut off": (json.dumps([record()])[:-5], r"bad_1.json, line 1: column \d+: not JSON.*cut off"),
    "one record a line": ("{}\n{}", r"line 1: the file holds a JSON object, but must hold a list"),
    "binary": (b"\x00\x01\x02", r"bad_1.json, line 1"),
    "endless nesting": ("[" * 100_000, r"bad_1.json"),
    "endless number": ("[" + "9" * 10_000 + "]", r"bad_1.json"),
    "an object": ({"data": []}, r"holds a JSON object, but must hold a list"),
    "a text": ('"hello"', r"holds a JSON text"),
    "null": ("null", r"holds a JSON null"),
    "an empty list": ([], r"line 1: the file is empty: it holds no record"),
    "a record that is a list": ([record(), []], r"bad_1.json, record 2: a JSON list, but each record must be"),
    "a record that is null": ([None], r"record 1: a JSON null"),
    "no question": ([record(), without("question")], r"record 2: the field question is missing; it has chain-of-th"),
    "no rationale": ([without("chain-of-thought")], r"record 1: the field chain-of-thought is missing"),
    "no answer": ([without("answer")], r"the field answer is missing"),
    "no pred": ([without("pred")], r"the field pred is missing"),
    "no field": ([{}], r"question, chain-of-thought, pred, answer is missing; it has no field"),
    "question a number": ([record(question=5)], r"record 1: question is number, but must be text"),
    "question null": ([record(question=None)], r"question is null"),
    "question empty": ([record(question=" ")], r"question is empty"),
    "rationale a list": ([record(**{"chain-of-thought": ["a"]})], r"chain-of-thought is list, but must be text"),
    "answer in words": ([record(answer="three pens")], r'answer is "three pens", but must be a number'),
    "answer null": ([record(answer=None)], r"answer is null"),
    "answer true": ([record(answer=True)], r"answer is true"),
    "answer a long list": ([record(answer=[1] * 1000)], r"answer is \[1, 1.{1,60}\.\.\., but must be a number"),
    "pred in words": ([record(pred="none")], r'pred is "none", but must be a number, or null'),
    "pred an object": ([record(pred={})], r"pred is \{\}"),
    "ID a list": ([record(ID=[1])], r"record 1: ID is list"),
    "ID twice": ([record(ID="a"), record("Else?", ID="a")], r"record 2: the ID a stands for record 1 too"),
    "half a character": ('[{"question": "\\ud83d", "chain-of-thought": "", "pred": 1, "answer": 1}]', r"half of a ch"),
}


@pytest.mark.parametrize(("content", "message"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_malformed_file_is_named_with_the_place(write, content: Any, message: str) -> None:
    folder = write(addsub=[record("Good?")], bad=content)
    with pytest.raises(DataError, match=message) as caught:
        load_llm_adapters(folder)
    assert "bad_1.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_or_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no data folder given"):
        load_llm_adapters("")
    with pytest.raises(DataError, match="the data folder .*nowhere is not there"):
        load_llm_adapters(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"has no file <set>_1.json, such as gsm8k_1.json.*it is empty"):
        load_llm_adapters(tmp_path)
    (tmp_path / "gsm8k.json").write_text("[]")
    with pytest.raises(DataError, match=r"it holds gsm8k.json"):
        fingerprint(LLM, tmp_path)
    with pytest.raises(DataError, match="is a file, not a folder"):
        load_llm_adapters(tmp_path / "gsm8k.json")


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "gsm8k_1.json").mkdir()
    with pytest.raises(DataError, match="gsm8k_1.json: is a folder, not a file"):
        load_llm_adapters(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(write) -> None:
    folder = write(svamp=[record()])
    (folder / "svamp_1.json").chmod(0)
    with pytest.raises(DataError, match="svamp_1.json cannot be read"):
        load_llm_adapters(folder)


# The real data -----------------------------------------------------------------------------------------------------

ROWS = {"gsm8k": 1319, "multiarith": 600, "addsub": 395, "singleeq": 508, "svamp": 1000}


@pytest.mark.parametrize("keep", [False, True])
def test_every_real_record_is_accounted_for(real: Path, keep: bool) -> None:
    loaded = load_llm_adapters(real, keep_teacher_wrong=keep)
    assert dict(loaded.account.groupby("set")["rows"].sum()) == ROWS
    assert list(dict.fromkeys(loaded.account["set"])) == list(ROWS)
    assert loaded.records["qid"].is_unique
    kept = loaded.records[loaded.records["reason"].str.startswith("kept")]
    assert list(kept["qid"]) == [example.qid for example in loaded.examples]
    assert len({normalise_question(example.question) for example in loaded.examples}) == len(loaded.examples)


def test_the_known_oddities_of_the_real_data_come_out(real: Path) -> None:
    rows = load_llm_adapters(real).account.set_index(["set", "reason"])["rows"]
    assert rows["gsm8k", reasons.EMPTY] == 6
    assert rows["gsm8k", reasons.KEPT_APPENDED] == 1
    assert rows["svamp", reasons.CUT_OFF] == 1
    assert rows["singleeq", f"{sources.DUPLICATE} addsub"] == 126
    assert rows["multiarith", f"{sources.DUPLICATE} multiarith"] == 20
    wrong = rows.xs(reasons.WRONG, level="reason").to_dict()
    assert wrong == {"gsm8k": 542, "multiarith": 40, "addsub": 25, "singleeq": 24, "svamp": 197}


def test_the_published_shares_of_right_teachers_compare_floats_exactly(real: Path) -> None:
    """SOURCE.md: 58.5, 93.3, 91.6, 93.5 and 80.3 %. Read as numbers, 8 of AddSub and 9 of SingleEq more are right."""
    shares, more = {}, {}
    for name in ROWS:
        table = pandas.DataFrame(json.loads((real / f"{name}_1.json").read_text("utf-8")))
        exact = table["pred"] == table["answer"]
        shares[name] = round(100 * exact.mean(), 1)
        more[name] = int(((table["pred"] - table["answer"]).abs() < 1e-9).sum() - exact.sum())
    # 362 of 395 are 91.65 %, which SOURCE.md cuts to 91.6.
    assert shares == pytest.approx(dict(gsm8k=58.5, multiarith=93.3, addsub=91.6, singleeq=93.5, svamp=80.3), abs=0.1)
    assert more == {"gsm8k": 0, "multiarith": 0, "addsub": 8, "singleeq": 9, "svamp": 0}


def test_real_examples_are_clean_and_right_where_the_teacher_is(real: Path) -> None:
    examples = [state_answer(example) for example in load_llm_adapters(real, keep_teacher_wrong=True).examples]
    assert sum(not example.teacher_correct for example in examples) > 500
    for example in examples:
        assert example.rationale == example.rationale.strip() != ""
        assert not example.rationale.startswith("A:")
        assert example.question == example.question.strip() != ""
        assert len(split_pieces(example.rationale)) > 1
        assert is_correct(example.rationale, example.answer) or not example.teacher_correct, example.qid


def test_the_same_folder_gives_the_same_examples(real: Path) -> None:
    first = load_llm_adapters(real, sets=["addsub", "gsm8k"])
    second = load_llm_adapters(str(real), sets=("gsm8k", "addsub"))
    assert first.examples == second.examples
    assert first.account.equals(second.account)
