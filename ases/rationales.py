"""The named sets of collected rationales, record by record, each with the reason why it is used or set aside.

>>> records = list(llm_adapters({"svamp": Path("my/llm_adapters_cot/svamp_1.json")}, keep_teacher_wrong=False))
>>> sum(record.kept for record in records), len(records)
(802, 1000)

Three layouts, each as its makers publish it; :func:`ases.sources.read_records` opens their folders. Of equal
questions the first is kept by :func:`ases.sources.load_llm_adapters`, not here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ases.arithmetic import compute, extract_answer, parse_number
from ases.errors import DataError
from ases.examples import Example, states_answer
from ases.files import read_values
from ases.layouts import kind
from ases.rows import HALF, plain_number

LLM_SETS = ("gsm8k", "multiarith", "addsub", "singleeq", "svamp")
"""The sets of LLM-Adapters, in the order in which they are read: of two equal questions the first is kept."""

OFFICIAL = ("train", "test")
"""The official splits of GSM8K and of the PaLM rationales."""

KEPT = "kept"
KEPT_APPENDED = "kept, states no answer: answer appended"
KEPT_WRONG = "kept, teacher wrong"
EMPTY = "empty rationale"
EMPTY_QUESTION = "empty question"
CUT_OFF = "question cut off, rationale continues it"
RUNS_ON = "rationale runs on into another question"
NOT_FINITE = "answer is not a finite number"
WRONG = "teacher wrong"
WRONG_UNSTATED = "teacher wrong and states no answer"
STATES_OTHER = "right, but its stated answer reads as another number"
NO_EQUATION = "teacher states no equation"
UNREAD_EQUATION = "teacher's equation cannot be computed"


@dataclass(frozen=True)
class Record:
    """One record of a file, used or not: every record of every file comes out of :func:`read_records` once.

    ``set`` names the file, ``record`` is counted from 1 (own files: the line), ``example`` is None only where the
    record holds none (an empty question), ``reason`` begins with ``kept`` where the example is usable; else it says why
    it is set aside. Copies of a question are not told apart here: that is for the split.
    """

    set: str
    record: int
    example: Example | None
    reason: str

    @property
    def kept(self) -> bool:
        """Whether the example is usable."""
        return self.example is not None and self.reason.startswith(KEPT)


def llm_adapters(files: Mapping[str, Path], keep_teacher_wrong: bool) -> Iterator[Record]:
    """The records of LLM-Adapters (Hu et al., EMNLP 2023): one JSON list a set, ``<set>_1.json``.

    Fields: ``question``, ``chain-of-thought``, ``pred`` (the teacher's answer), ``answer`` and, in SVAMP, ``ID``. The
    rules are those of :func:`ases.sources.load_llm_adapters`. Raises DataError, naming file, record and field.
    """
    for name, path in files.items():
        seen: dict[str, int] = {}
        for number, (_, value) in enumerate(read_values(path, layout="json list"), start=1):
            example, reason = _judge(name, number, _checked(path, number, value), keep_teacher_wrong)
            earlier = seen.setdefault(example.qid, number)
            if earlier != number:
                raise DataError(
                    f"{path}, record {number}: the ID {example.qid.partition('/')[2]} stands for record {earlier} too; "
                    "give each record its own"
                )
            yield Record(name, number, example, reason)


_STEP = re.compile(r"<<[^<>\n]*>>")


def gsm8k(files: Mapping[str, Path]) -> Iterator[Record]:
    """The records of GSM8K (Cobbe et al., 2021): ``train.jsonl`` and ``test.jsonl``, people's own solutions.

    The calculator's notes ``<<48/2=24>>`` are taken out. The last line, ``#### 72``, becomes the answer and leaves the
    rationale, which then states none: METHOD section 1 appends it. No teacher, so ``teacher_correct`` is None.
    """
    for name, path in files.items():
        for line, value in read_values(path, layout="jsonl"):
            where = f"{path}, line {line}"
            record = _with_texts(where, value, ("question", "answer"))
            solution, mark, stated = record["answer"].rpartition("####")
            answer = parse_number(stated)
            if not mark or answer is None:
                raise DataError(f"{where}: answer must end in a line such as #### 72, with one number; correct it")
            rationale = "\n".join(part.strip() for part in _STEP.sub("", solution).strip().split("\n"))
            unstated = not states_answer(rationale)
            other = not unstated and not _is_close(extract_answer(rationale), float(answer))
            example = Example(
                qid=f"gsm8k/{name}/{line}",
                question=record["question"].strip(),
                rationale=rationale,
                answer=plain_number(float(answer)),
                source=f"gsm8k/{name}",
                licence="MIT",
                flags=_flags({"empty": not rationale, "no-stated-answer": unstated}),
                official_split=name,
            )
            tests = {EMPTY: not rationale, STATES_OTHER: other, KEPT_APPENDED: unstated}
            yield Record(name, line, example, _first(tests))


_TEACHERS_ANSWER = "The answer is"


def palm_svamp(files: Mapping[str, tuple[Path, list[Path]]], keep_teacher_wrong: bool) -> Iterator[Record]:
    """The records of PaLM's rationales for SVAMP (Hsieh et al., Findings of ACL 2023).

    A split is a file of questions, one JSON object a line with ``input`` and ``label`` (the gold equation), and files
    of rationales in the same order, each a JSON list of texts. A rationale is what stands before the first ``Q:``. It
    ends in ``The answer is (79 - 53).``, and its result is written after the equation, ``(79 - 53) = 26.``, because the
    answer of a chain is a number (METHOD section 7). The whole equation is computed: what others publish of these
    files (73.2 and 74.0 % right) looks at its brackets alone, and so reads ``(31 * 6) / 19`` as ``(31 * 6)``.
    """
    for name, (path, chains) in files.items():
        questions = list(read_values(path, layout="jsonl"))
        texts = [(chain, number, text) for chain in chains for number, (_, text) in _numbered(chain)]
        if len(questions) != len(texts):
            raise DataError(
                f"{path} holds {len(questions)} questions, but {', '.join(map(str, chains))} hold {len(texts)} "
                "rationales; both must be whole and in the same order: download them again"
            )
        for number, ((line, value), (chain, position, text)) in enumerate(zip(questions, texts, strict=True), start=1):
            record = _with_texts(f"{path}, line {line}", value, ("input", "label"))
            gold = compute(record["label"])
            if gold is None:
                raise DataError(f"{path}, line {line}: label is no equation of numbers; take the row out")
            if not isinstance(text, str):
                raise DataError(f"{chain}, record {position}: {kind(text)}, but must be a text")
            _check_encodable(f"{chain}, record {position}", "the rationale", text)
            judged = _judge_palm(name, number, record["input"], float(gold), text, keep_teacher_wrong)
            yield Record(name, number, *judged)


def _judge_palm(
    name: str, number: int, question: str, gold: float, text: str, keep_teacher_wrong: bool
) -> tuple[Example, str]:
    # A text that was cut off right there ends in a Q without its colon.
    rationale = text.partition("Q:")[0].rstrip().removesuffix("\n\nQ").strip()
    before, stated, equation = rationale.rpartition(_TEACHERS_ANSWER)
    equation = equation.strip().removesuffix(".").strip()
    value = compute(equation) if stated else None
    right = _is_close(value, gold)
    worked_out = value is not None and parse_number(equation) is None
    if worked_out:
        rationale = f"{before}{stated} {equation} = {plain_number(float(value or 0))}."
    tests = {
        EMPTY: not rationale,
        NO_EQUATION: not stated,
        UNREAD_EQUATION: value is None,
        WRONG: not right and not keep_teacher_wrong,
        STATES_OTHER: right and not _is_close(extract_answer(rationale), gold),
        KEPT_WRONG: not right,
    }
    flags = {"empty": not rationale, "teacher-wrong": not right, "no-stated-answer": not stated}
    example = Example(
        qid=f"palm_svamp/{name}/{number}",
        question=question.strip(),
        rationale=rationale,
        answer=plain_number(gold),
        source=f"palm_svamp_cot/{name}",
        licence="Apache-2.0",
        teacher_correct=right,
        flags=_flags(flags | {"equation-worked-out": worked_out}),
        official_split=name,
    )
    return example, _first(tests)


def _numbered(path: Path) -> Iterator[tuple[int, tuple[int, Any]]]:
    return enumerate(read_values(path, layout="json list"), start=1)  # type: ignore[return-value]


def _with_texts(where: str, value: Any, fields: tuple[str, ...], others: tuple[str, ...] = ()) -> dict[str, Any]:
    """The record, which must have all fields; ``fields`` are texts, and the first of them is not empty."""
    if not isinstance(value, dict):
        raise DataError(f"{where}: a JSON {kind(value)}, but each record must be an object with named fields")
    lacking = [field for field in (*fields, *others) if field not in value]
    if lacking:
        has = ", ".join(map(str, value)) or "no field"
        raise DataError(f"{where}: the field {', '.join(lacking)} is missing; it has {has}")
    for field in fields:
        if not isinstance(value[field], str):
            raise DataError(f"{where}: {field} is {kind(value[field])}, but must be text")
        _check_encodable(where, field, value[field])
    if not value[fields[0]].strip():
        raise DataError(f"{where}: {fields[0]} is empty; give it or take the record out")
    return value


def _flags(holds: Mapping[str, bool]) -> tuple[str, ...]:
    return tuple(flag for flag, held in holds.items() if held)


def _first(tests: Mapping[str, bool]) -> str:
    return next((reason for reason, holds in tests.items() if holds), KEPT)


def _checked(path: Path, number: int, record: Any) -> dict[str, Any]:
    """The record with its numbers as numbers: ``answer`` a float (perhaps not finite), ``pred`` a float or None."""
    where = f"{path}, record {number}"
    record = _with_texts(where, record, ("question", "chain-of-thought"), ("pred", "answer"))
    identity = record.get("ID")
    if isinstance(identity, bool) or not isinstance(identity, str | int | None):
        raise DataError(f"{where}: ID is {kind(identity)}, but must be text or a number")
    if isinstance(identity, str):
        _check_encodable(where, "ID", identity)
    answer = _number(record["answer"])
    if answer is None:
        raise DataError(f"{where}: answer is {_shown(record['answer'])}, but must be a number")
    pred = _number(record["pred"])
    if pred is None and record["pred"] not in (None, ""):
        raise DataError(f"{where}: pred is {_shown(record['pred'])}, but must be a number, or null for no answer")
    return {**record, "answer": answer, "pred": pred}


def _check_encodable(where: str, field: str, text: str) -> None:
    if HALF.search(text):
        raise DataError(f"{where}: {field} holds half of a character (a lone \\ud8.. or \\udc.. escape)")


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        value = value.replace(",", "").replace("$", "").strip()
    try:
        return float(value)
    except ValueError:
        return None
    except OverflowError:
        return math.inf


def _judge(name: str, number: int, record: dict[str, Any], keep_teacher_wrong: bool) -> tuple[Example, str]:
    """The example of a record, and the reason why it is kept or set aside (METHOD section 1 and 7; rules ours)."""
    written = record["chain-of-thought"].strip()
    rationale = written.removeprefix("A:").strip()
    answer, pred = record["answer"], record["pred"]
    right = _is_close(pred, answer)
    unstated = not states_answer(rationale)
    # The judge of METHOD section 7 must find the answer in the very rationale that a model learns to write.
    other = right and not unstated and not _is_close(extract_answer(rationale), answer)
    tests = {
        EMPTY: not rationale,
        CUT_OFF: not written.startswith("A:") and re.search(r"^\s*A:", rationale, re.MULTILINE) is not None,
        RUNS_ON: re.search(r"^\s*Q:", rationale, re.MULTILINE) is not None,
        NOT_FINITE: not math.isfinite(answer),
        WRONG_UNSTATED: not right and unstated and keep_teacher_wrong,
        WRONG: not right and not keep_teacher_wrong,
        STATES_OTHER: other,
        KEPT_WRONG: not right,
        KEPT_APPENDED: unstated,
    }
    flags = {"empty": not rationale, "teacher-wrong": not right, "no-stated-answer": unstated}
    identity = str(record.get("ID") if record.get("ID") is not None else "").strip() or str(number)
    example = Example(
        qid=f"{name}/{identity}",
        question=record["question"].strip(),
        rationale=rationale,
        # Equal up to float noise is right; then the digits that the rationale states are the answer's.
        answer=plain_number(pred if right else answer) if math.isfinite(answer) else None,
        source=f"llm_adapters_cot/{name}",
        licence="ODC-By-1.0" if name in LLM_SETS else "",
        teacher_correct=right,
        flags=_flags(flags),
    )
    return example, _first(tests)


def _is_close(value: float | Fraction | None, answer: float) -> bool:
    return value is not None and math.isclose(value, answer, rel_tol=1e-9, abs_tol=1e-9)
