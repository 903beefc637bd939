"""The one door for data that is not generated: named sets, cPET reports, and anyone's own files.

>>> records = list(read_records("own", "my/rationales.csv", columns={"question": "task"}))
>>> records[0].reason, records[0].example.qid
('kept', 'rationales/2-6f1a0d1f7c1e')

Every record of every file comes out once, with the reason why it is used or set aside, so counts always sum to the
files' rows. Mind that the GSM8K file of LLM-Adapters holds the questions of the official GSM8K *test* set, and that its
other four sets are questions that others test on: what is trained there must not be compared with results on those.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas

from ases import hub
from ases.arithmetic import extract_answer, parse_number, same_number
from ases.errors import DataError
from ases.examples import Example, states_answer
from ases.files import LAYOUTS, read_rows
from ases.layouts import Problem
from ases.rationales import (
    EMPTY,
    EMPTY_QUESTION,
    KEPT,
    KEPT_APPENDED,
    KEPT_WRONG,
    OFFICIAL,
    Record,
    gsm8k,
    llm_adapters,
    palm_svamp,
)
from ases.rationales import LLM_SETS as SETS
from ases.rows import Row, Seen, asked_for, column_names, normalise_question, read_row

__all__ = ["COLLECTED", "KEPT", "SETS", "Loaded", "Record", "absent", "fingerprint", "load_llm_adapters"]
__all__ += ["normalise_question", "read_records"]

COLLECTED = ("llm_adapters_cot", "gsm8k", "palm_svamp_cot", "cpet", "own")
"""The names that :func:`read_records` knows. The first three are folders."""

OTHER_ANSWER = "states another answer than the column answer"
DUPLICATE = "duplicate question, kept from"
NO_FILE = "file not there"

CPET_COLUMNS = {"question": "question", "rationale": "answer", "qid": "qid"}
"""The layout of cPET-11K: findings, impression, identity; UTF-8 with a byte order mark."""

_SUFFIX = "_1.json"


def read_records(
    data: str,
    place: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    keep_teacher_wrong: bool = False,
    language: str = "en",
) -> Iterator[Record]:
    """Every record of every file, once, in order, with its reason.

    ``data`` is one of :data:`COLLECTED`: a folder for ``llm_adapters_cot``, ``gsm8k`` and ``palm_svamp_cot``; for
    ``cpet`` a CSV in the layout of cPET-11K, or a folder of them (``train.csv`` and ``test.csv`` are taken for official
    splits); for ``own`` a file of any layout of :mod:`ases.files`, or ``hub:owner/name``. ``columns`` (own only) says
    which column holds a field, ``{"question": "findings"}``, and ``language`` is that of own data.

    Set aside: what the known oddities of a set make unusable, empty fields, and rationales of a wrong teacher unless
    ``keep_teacher_wrong``. In own data a rationale is wrong where it states a number other than the column ``answer``.
    Streamed: memory does not grow with a file of lines. Raises DataError, naming file, line and field, for what cannot
    be read, and for a ``qid`` that stands for two rows; ParameterError for columns that cannot be.
    """
    if data == "own" and hub.is_name(place):
        yield from _own_rows(hub.read(str(place)), column_names(columns), language, keep_teacher_wrong)
        return
    if data == "own":
        rows = _file_rows(Path(place).expanduser(), asked_for(columns))
        yield from _own_rows(rows, column_names(columns), language, keep_teacher_wrong)
        return
    files, _ = _files(data, place)
    if columns:
        raise DataError(f"columns are for own data; {data} has its own layout")
    if data == "llm_adapters_cot":
        yield from llm_adapters({name: paths[0] for name, paths in files.items()}, keep_teacher_wrong)
    elif data == "gsm8k":
        yield from gsm8k({name: paths[0] for name, paths in files.items()})
    elif data == "palm_svamp_cot":
        yield from palm_svamp({name: (paths[0], paths[1:]) for name, paths in files.items()}, keep_teacher_wrong)
    else:
        for name, (path,) in files.items():
            yield from _cpet_rows(name, path, several=len(files) > 1)


def fingerprint(data: str, place: str | Path, *, sets: Sequence[str] | None = None) -> str:
    """The sha256 over the names and contents of the files that :func:`read_records` would read; 64 hex digits.

    Of a hub set it is over its name and the revision that the hub serves now.
    """
    digest = hashlib.sha256()
    if data == "own" and hub.is_name(place):
        digest.update(hub.revision(str(place)).encode())
        return digest.hexdigest()
    for name, paths in _files(data, place, sets)[0].items():
        for path in paths:
            try:
                digest.update(f"{name} {path.stat().st_size}\n".encode())
                with path.open("rb") as file:
                    while part := file.read(2**20):
                        digest.update(part)
            except OSError as error:
                raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    return digest.hexdigest()


def absent(data: str, place: str | Path) -> list[str]:
    """The sets of a named source whose files are not in its folder. An account names them with 0 rows."""
    return [] if data == "own" else _files(data, place)[1]


def _own_rows(
    rows: Iterator[tuple[str, str, int, str, dict[str, Any]]],
    names: Mapping[str, str],
    language: str,
    keep_teacher_wrong: bool,
) -> Iterator[Record]:
    """Records of rows that come with set, file, line, unit and values."""
    seen: dict[str, Seen] = {}
    for name, file, line, unit, values in rows:
        row = _usable(file, line, values, names, unit, name, seen.setdefault(name, Seen()))
        yield Record(name, line, *_judge_own(row, name, language, keep_teacher_wrong))


def _file_rows(path: Path, required: set[str]) -> Iterator[tuple[str, str, int, str, dict[str, Any]]]:
    stem = path.name.split(".")[0]
    unit = "row" if path.suffix.lower() == ".parquet" else "line"
    for line, values in read_rows(path, required=required):
        yield stem, str(path), line, unit, values  # type: ignore[misc]


def _cpet_rows(name: str, path: Path, several: bool) -> Iterator[Record]:
    """Reports: findings -> impression, without an answer, so nothing is judged right or wrong."""
    seen = Seen()
    for line, values in read_rows(path, required=CPET_COLUMNS.values(), layout="csv"):
        row = _usable(str(path), line, values, CPET_COLUMNS, "line", name, seen)  # type: ignore[arg-type]
        example = Example(
            qid=f"{name}/{row.qid}" if several else row.qid,
            question=row.question,
            rationale=row.rationale,
            answer=None,
            source="cpet",
            licence="none stated",
            language="zh",
            flags=row.flags,
            official_split=name if name in OFFICIAL else None,
        )
        yield Record(name, line, example if row.question else None, _emptiness(row) or KEPT)


def _usable(
    file: str, line: int, values: dict[str, Any], names: Mapping[str, str], unit: str, stem: str, seen: Seen
) -> Row:
    row, problems = read_row(file, line, values, names, unit=unit, stem=stem)
    if row is None:
        raise DataError(str(problems[0]))
    earlier = seen.add(row.qid, line)
    if earlier is not None:
        what = f"{row.qid} stands for {unit} {earlier} too"
        raise DataError(str(Problem(file, line, names.get("qid", "qid"), what, "give each row its own", unit)))
    return row


def _emptiness(row: Row) -> str:
    return EMPTY_QUESTION if not row.question else EMPTY if not row.rationale else ""


def _judge_own(row: Row, name: str, language: str, keep_teacher_wrong: bool) -> tuple[Example | None, str]:
    if not row.question:
        return None, EMPTY_QUESTION
    states = states_answer(row.rationale)
    right = None
    if states and row.answer is not None:
        stated, given = extract_answer(row.rationale), parse_number(row.answer)
        right = same_number(stated, given) if stated is not None and given is not None else None
    flags = list(row.flags)
    flags += ["teacher-wrong"] if right is False else []
    flags += ["no-stated-answer"] if row.answer is not None and not states else []
    example = Example(
        qid=row.qid,
        question=row.question,
        rationale=row.rationale,
        answer=row.answer,
        source=f"own/{name}",
        language=language,
        teacher_correct=right,
        flags=tuple(flags),
        official_split=name if name in OFFICIAL else None,
    )
    if not row.rationale:
        return example, EMPTY
    if right is False:
        return example, KEPT_WRONG if keep_teacher_wrong else OTHER_ANSWER
    return example, KEPT_APPENDED if "no-stated-answer" in flags else KEPT


# The files of a source ------------------------------------------------------------------------------------------------

_LAYOUTS = {
    "gsm8k": {name: [f"{name}.jsonl"] for name in OFFICIAL},
    "palm_svamp_cot": {
        "train": ["svamp_train.json", "llm/train_CoT_0.json", "llm/train_CoT_1.json"],
        "test": ["svamp_test.json", "llm/test_CoT_0.json"],
    },
}


def _files(data: str, place: str | Path, sets: Sequence[str] | None = None) -> tuple[dict[str, list[Path]], list[str]]:
    """The files to read by set, and the expected sets that are not there."""
    if data not in COLLECTED:
        raise DataError(f"data is {data!r}, but must be one of {', '.join(COLLECTED)}")
    if not str(place).strip():
        what = "no data folder given" if data not in ("own", "cpet") else "no data file given"
        raise DataError(f"{what}; {_expected(data)}")
    place = Path(place).expanduser()
    if data == "own" or (data == "cpet" and not place.is_dir()):
        if not place.is_file():
            raise DataError(
                f"the data file {place} {'is a folder' if place.is_dir() else 'is not there'}; name one file"
            )
        return {place.name.split(".")[0]: [place]}, []
    if not place.is_dir():
        what = "is a file, not a folder" if place.is_file() else "is not there"
        raise DataError(f"the data folder {place} {what}; {_expected(data)}")
    if data == "llm_adapters_cot":
        return _llm_files(place, sets)
    if data == "cpet":
        found = {path.stem: [path] for path in sorted(place.glob("*.csv"))}
        missing = []
    else:
        found = {
            name: [place / file for file in files]
            for name, files in _LAYOUTS[data].items()
            if (place / files[0]).is_file()
        }
        missing = [name for name in _LAYOUTS[data] if name not in found]
    if not found:
        raise DataError(f"the data folder {place} has none of its files; {_expected(data)}; {_here(place)}")
    return found, missing


def _expected(data: str) -> str:
    if data == "own":
        return f"name a file ({', '.join(LAYOUTS)}) or a hub set, hub:owner/name"
    if data == "cpet":
        return "name a CSV file with the columns question, answer, qid, or the folder of such files"
    if data == "llm_adapters_cot":
        return f"name the folder that holds {SETS[0]}{_SUFFIX} and its neighbours"
    return f"name the folder that holds {', '.join(file for files in _LAYOUTS[data].values() for file in files)}"


def _here(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    return f"it holds {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}" if names else "it is empty"


def _llm_files(folder: Path, sets: Sequence[str] | None) -> tuple[dict[str, list[Path]], list[str]]:
    found = {path.name.removesuffix(_SUFFIX): path for path in sorted(folder.glob(f"?*{_SUFFIX}"))}
    if not found:
        expected = ", ".join(name + _SUFFIX for name in SETS)
        raise DataError(f"the data folder {folder} has no file <set>{_SUFFIX}, such as {expected}; {_here(folder)}")
    if sets is not None:
        unknown = [name for name in sets if name not in found]
        if unknown or not sets:
            asked = ", ".join(name + _SUFFIX for name in unknown) or "no set"
            raise DataError(f"asked for {asked} in {folder}; found {', '.join(path.name for path in found.values())}")
        return {name: [found[name]] for name in sorted(set(sets), key=_order)}, []
    missing = [name for name in SETS if name not in found]
    return {name: [found[name]] for name in sorted(found, key=_order)}, missing


def _order(name: str) -> tuple[int, str]:
    return (SETS.index(name) if name in SETS else len(SETS), name)


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
    files, missing = _files("llm_adapters_cot", folder, sets)
    candidates: list[tuple[Example, str]] = []
    rows: list[dict[str, Any]] = []
    for record in llm_adapters({name: paths[0] for name, paths in files.items()}, keep_teacher_wrong):
        assert record.example is not None  # an empty question is an error in this layout
        candidates.append((record.example, record.reason))
        rows.append({"set": record.set, "record": record.record, "qid": record.example.qid, "reason": record.reason})

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
    lacking = pandas.DataFrame([{"set": name, "reason": NO_FILE, "rows": 0} for name in missing])
    account = pandas.concat([counts, lacking], ignore_index=True) if missing else counts
    return Loaded(examples=examples, account=account, records=records)
