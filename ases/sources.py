"""Real rationales: questions with chains of thought that an LLM wrote, from a folder of JSON files.

>>> loaded = load_llm_adapters("my/llm_adapters_cot", sets=["svamp"])
>>> len(loaded.examples), loaded.account["rows"].sum()
(802, 1000)

The layout is that of LLM-Adapters (Hu et al., EMNLP 2023): one file a set, ``<set>_1.json``, a JSON list of records
with ``question``, ``chain-of-thought``, ``pred`` (what the teacher answered), ``answer`` and, in SVAMP, ``ID``.
Mind that its GSM8K file holds the questions of the official GSM8K *test* set, and that the other four sets are
questions that others test on: what is trained here must not be compared with results on those test sets.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas

from ases.arithmetic import extract_answer
from ases.errors import DataError
from ases.examples import Example, states_answer

SETS = ("gsm8k", "multiarith", "addsub", "singleeq", "svamp")
"""The sets of the layout, in the order in which they are read: of two equal questions the first is kept."""

LICENCE = "ODC-By-1.0"
_SUFFIX = "_1.json"

KEPT = "kept"
KEPT_APPENDED = "kept, states no answer: answer appended"
KEPT_WRONG = "kept, teacher wrong"
EMPTY = "empty rationale"
CUT_OFF = "question cut off, rationale continues it"
RUNS_ON = "rationale runs on into another question"
NOT_FINITE = "answer is not a finite number"
WRONG = "teacher wrong"
WRONG_UNSTATED = "teacher wrong and states no answer"
STATES_OTHER = "right, but its stated answer reads as another number"
DUPLICATE = "duplicate question, kept from"
NO_FILE = "file not there"


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


def read_records(
    data: str,
    place: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    keep_teacher_wrong: bool = False,
    language: str = "en",
) -> Iterator[Record]:
    """The one door for data that is not generated: every record of every file, once, in order, with its reason.

    ``data`` is ``llm_adapters_cot``, ``gsm8k``, ``palm_svamp_cot`` (folders), ``cpet`` or ``own`` (a file); ``columns``
    (own only) says which column holds a field: ``{"question": "q"}``. ``language`` is that of own data. Streamed: memory
    does not grow with the file. Raises DataError, naming file, line and field, for what cannot be read.
    """
    if data == "llm_adapters_cot":
        for name, path in _files(place, None)[0].items():
            for number, record in enumerate(_read(path), start=1):
                yield Record(name, number, *_judge(name, number, _checked(path, number, record), keep_teacher_wrong))
    else:
        raise DataError(f"data {data!r} is unknown")


@dataclass(frozen=True)
class Loaded:
    """What a folder holds.

    ``examples`` are usable and no two share a normalised question. ``records`` has one row a record of the files:
    set, record (counted from 1), qid, reason. ``account`` counts them: set, reason, rows; the rows of a set sum to
    the records of its file, and an expected file that is not there has a row with 0.
    """

    examples: list[Example]
    account: pandas.DataFrame
    records: pandas.DataFrame


def load_llm_adapters(
    folder: str | Path, *, keep_teacher_wrong: bool = False, sets: Sequence[str] | None = None
) -> Loaded:
    """Read every ``<set>_1.json`` of a folder (or only ``sets``), flag the oddities and set aside the unusable.

    White space around question and rationale and the ``A:`` before the rationale are layout and are removed;
    nothing else is changed. The teacher is right where ``pred`` equals ``answer`` up to float noise (1e-9).
    Always set aside: empty rationales, cut-off questions whose rest stands in the rationale, rationales that run on
    into another question, answers that are no finite number, right rationales whose stated answer reads as another
    number under METHOD section 7 ("The answer is 5 arms and 3 legs, or 8"), and repeated questions. Rationales of a
    wrong teacher are kept only with ``keep_teacher_wrong``, and then only if they state an answer: appending the
    reference to a chain that contradicts it would make a third thing of both. A right rationale that states no
    answer is kept with the flag ``no-stated-answer``; the sentence is appended by
    :func:`ases.examples.state_answer`, in :func:`ases.splits.make_splits`, for every method alike (METHOD section 1).

    Raises DataError, naming file, record and field, for a folder or file that is missing or malformed.
    """
    files, missing = _files(folder, sets)
    candidates: list[tuple[Example, str]] = []
    rows: list[dict[str, Any]] = []
    for name, path in files.items():
        for number, record in enumerate(_read(path), start=1):
            example, reason = _judge(name, number, _checked(path, number, record), keep_teacher_wrong)
            candidates.append((example, reason))
            rows.append({"set": name, "record": number, "qid": example.qid, "reason": reason})
    _check_unique(rows, files)

    # A right copy of a question is worth more than a wrong one, whichever comes first.
    first: dict[str, tuple[int, str]] = {}
    for wanted in ((KEPT, KEPT_APPENDED), (KEPT_WRONG,)):
        for index, (example, reason) in enumerate(candidates):
            if reason in wanted:
                kept, name = first.setdefault(normalise_question(example.question), (index, rows[index]["set"]))
                if kept != index:
                    rows[index]["reason"] = f"{DUPLICATE} {name}"
    examples = [candidates[index][0] for index in sorted(index for index, _ in first.values())]
    records = pandas.DataFrame(rows, columns=["set", "record", "qid", "reason"])
    counts = records.groupby(["set", "reason"], sort=False).size().reset_index(name="rows")
    absent = pandas.DataFrame([{"set": name, "reason": NO_FILE, "rows": 0} for name in missing])
    account = pandas.concat([counts, absent], ignore_index=True) if missing else counts
    return Loaded(examples=examples, account=account, records=records)


def fingerprint(folder: str | Path, *, sets: Sequence[str] | None = None) -> str:
    """The sha256 over the names and contents of the files that :func:`load_llm_adapters` would read."""
    digest = hashlib.sha256()
    for name, path in _files(folder, sets)[0].items():
        content = _bytes(path)
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def normalise_question(question: str) -> str:
    """What two copies of a question have in common: words, numbers and operators, lower case, single spaces.

    >>> normalise_question("Ann  had 1,000 apples . How many now?") == normalise_question("Ann had 1000 apples. How many now?")
    True
    """  # noqa: E501
    text = unicodedata.normalize("NFKC", question).casefold().replace("’", "'")
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    return " ".join(re.findall(r"\d*\.\d+|\d+|[^\W\d_]+|[+*/=<>^%$]", text))


def _files(folder: str | Path, sets: Sequence[str] | None) -> tuple[dict[str, Path], list[str]]:
    """The files to read by set, and the expected sets that are not there."""
    if not str(folder).strip():
        raise DataError(f"no data folder given; name the folder that holds {SETS[0]}{_SUFFIX} and its neighbours")
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.is_file() else "is not there"
        raise DataError(f"the data folder {folder} {what}; name the folder that holds {SETS[0]}{_SUFFIX} and so on")
    found = {path.name.removesuffix(_SUFFIX): path for path in sorted(folder.glob(f"?*{_SUFFIX}"))}
    if not found:
        names = sorted(path.name for path in folder.iterdir())
        here = f"it holds {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}" if names else "it is empty"
        expected = ", ".join(name + _SUFFIX for name in SETS)
        raise DataError(f"the data folder {folder} has no file <set>{_SUFFIX}, such as {expected}; {here}")
    if sets is not None:
        unknown = [name for name in sets if name not in found]
        if unknown or not sets:
            asked = ", ".join(name + _SUFFIX for name in unknown) or "no set"
            raise DataError(f"asked for {asked} in {folder}; found {', '.join(path.name for path in found.values())}")
        return {name: found[name] for name in sorted(set(sets), key=_order)}, []
    return {name: found[name] for name in sorted(found, key=_order)}, [name for name in SETS if name not in found]


def _order(name: str) -> tuple[int, str]:
    return (SETS.index(name) if name in SETS else len(SETS), name)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def _read(path: Path) -> list[Any]:
    content = _bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}, line {line}: not UTF-8 (byte {error.start}); save the file as UTF-8") from None
    if not text.strip():
        raise DataError(f"{path} is empty; it must hold a JSON list of records")
    try:
        records = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON ({error.msg}); "
            "the file must be one JSON list, not one record a line"
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: JSON that cannot be read ({error}): a number too long or lists too deep") from None
    if not isinstance(records, list):
        raise DataError(f"{path} holds a JSON {_kind(records)}, but must hold a list of records: [{{...}}, {{...}}]")
    if not records:
        raise DataError(f"{path} holds an empty list; put in records or take the file out of the folder")
    return records


_KINDS = {dict: "object", list: "list", str: "text", bool: "true/false", int: "number", float: "number"}


def _kind(value: Any) -> str:
    return "null" if value is None else _KINDS[type(value)]


def _checked(path: Path, number: int, record: Any) -> dict[str, Any]:
    """The record with its numbers as numbers: ``answer`` a float (perhaps not finite), ``pred`` a float or None."""
    where = f"{path}, record {number}"
    if not isinstance(record, dict):
        raise DataError(f"{where}: a JSON {_kind(record)}, but each record must be an object with named fields")
    lacking = [field for field in ("question", "chain-of-thought", "pred", "answer") if field not in record]
    if lacking:
        has = ", ".join(map(str, record)) or "no field"
        raise DataError(f"{where}: the field {', '.join(lacking)} is missing; it has {has}")
    for field in ("question", "chain-of-thought"):
        if not isinstance(record[field], str):
            raise DataError(f"{where}: {field} is {_kind(record[field])}, but must be text")
        _check_encodable(where, field, record[field])
    if not record["question"].strip():
        raise DataError(f"{where}: question is empty; give it or take the record out")
    identity = record.get("ID")
    if isinstance(identity, bool) or not isinstance(identity, str | int | None):
        raise DataError(f"{where}: ID is {_kind(identity)}, but must be text or a number")
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
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
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


def plain_number(value: float) -> str:
    """A number as plain text: 39.0 -> ``39``, 3.5 -> ``3.5``, 1e-05 -> ``0.00001``, 1e21 in full; -0.0 -> ``0``."""
    if value == int(value):
        return str(int(value))
    return format(Decimal(repr(value)), "f")


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
    reason = next((reason for reason, holds in tests.items() if holds), KEPT)
    flags = {"empty": not rationale, "teacher-wrong": not right, "no-stated-answer": unstated}
    identity = str(record.get("ID") if record.get("ID") is not None else "").strip() or str(number)
    example = Example(
        qid=f"{name}/{identity}",
        question=record["question"].strip(),
        rationale=rationale,
        # Equal up to float noise is right; then the digits that the rationale states are the answer's.
        answer=plain_number(pred if right else answer) if math.isfinite(answer) else None,
        source=f"llm_adapters_cot/{name}",
        licence=LICENCE if name in SETS else "",
        teacher_correct=right,
        flags=tuple(flag for flag, holds in flags.items() if holds),
    )
    return example, reason


def _is_close(value: float | Fraction | None, answer: float) -> bool:
    return value is not None and math.isclose(value, answer, rel_tol=1e-9, abs_tol=1e-9)


def _check_unique(rows: list[dict[str, Any]], files: dict[str, Path]) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        earlier = seen.setdefault(row["qid"], row["record"])
        if earlier != row["record"]:
            raise DataError(
                f"{files[row['set']]}, record {row['record']}: the ID {row['qid'].partition('/')[2]} stands for "
                f"record {earlier} too; give each record its own"
            )
