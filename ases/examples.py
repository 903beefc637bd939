"""One record of the data: a question, its rationale and its answer, from whichever source.

>>> example = Example(qid="q1", question="2 + 2?", rationale="2 + 2 = 4.", answer="4", source="own")
>>> state_answer(example).rationale
'2 + 2 = 4. The answer is 4.'
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow.parquet
from datasets import Dataset, Features, List, Value

from ases.errors import DataError

ES, AS = "ES", "AS"


@dataclass(frozen=True)
class Example:
    """Question ``Q``, rationale ``C``, final answer ``A`` (METHOD: terms).

    ``gold`` holds the true label, ``ES`` or ``AS``, of each piece of the rationale where the data is generated.
    ``graph`` and ``schema`` name the operation graph and the story (graph, theme and wording frame, numbers
    masked) of a generated problem; ``teacher_correct`` says whether an LLM-written rationale reaches the
    reference answer; ``flags`` name the known oddities of this record; ``official_split`` is ``train`` or ``test``
    where the set's makers published a split.
    """

    qid: str
    question: str
    rationale: str
    answer: str | None
    source: str
    licence: str = ""
    language: str = "en"
    gold: tuple[str, ...] | None = None
    graph: str | None = None
    schema: str | None = None
    teacher_correct: bool | None = None
    flags: tuple[str, ...] = ()
    official_split: str | None = None


FEATURES = Features(
    {
        "qid": Value("string"),
        "question": Value("string"),
        "rationale": Value("string"),
        "answer": Value("string"),
        "source": Value("string"),
        "licence": Value("string"),
        "language": Value("string"),
        "gold": List(Value("string")),
        "graph": Value("string"),
        "schema": Value("string"),
        "teacher_correct": Value("bool"),
        "flags": List(Value("string")),
        "official_split": Value("string"),
    }
)

_STATED = re.compile(r"\banswer is\b", re.IGNORECASE)


def states_answer(rationale: str) -> bool:
    """Whether the rationale says "answer is" anywhere."""
    return _STATED.search(rationale) is not None


def state_answer(example: Example) -> Example:
    """Append `` The answer is A.`` where the rationale does not state its answer (METHOD, section 1).

    The appended piece restates, so it is labelled ``ES`` where gold labels are present. Examples without an
    answer (PET reports) are returned as they are.
    """
    if example.answer is None or states_answer(example.rationale):
        return example
    gold = None if example.gold is None else (*example.gold, ES)
    rationale = f"{example.rationale.rstrip()} The answer is {example.answer}."
    return replace(example, rationale=rationale, gold=gold)


def to_dataset(examples: Iterable[Example]) -> Dataset:
    """Examples as an Arrow-backed ``datasets.Dataset`` with the columns of :data:`FEATURES`."""
    rows = []
    for example in examples:
        row = asdict(example)
        row["gold"] = None if example.gold is None else list(example.gold)
        row["flags"] = list(example.flags)
        rows.append(row)
    return Dataset.from_list(rows, features=FEATURES)


def from_dataset(dataset: Dataset) -> list[Example]:
    """The inverse of :func:`to_dataset`. Raises DataError where columns are missing."""
    missing = sorted(set(FEATURES) - set(dataset.column_names))
    if missing:
        raise DataError(f"the dataset lacks the columns {', '.join(missing)}; it has {', '.join(dataset.column_names)}")
    examples = []
    for row in dataset.select_columns(list(FEATURES)).to_list():
        row["gold"] = None if row["gold"] is None else tuple(row["gold"])
        row["flags"] = tuple(row["flags"] or ())
        examples.append(Example(**row))
    return examples


def write_examples(examples: Iterable[Example], path: Path) -> None:
    """Write examples as Parquet; the file appears under its name only when it is whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    pyarrow.parquet.write_table(to_dataset(examples).data.table, partial)
    partial.replace(path)


def read_examples(path: Path) -> list[Example]:
    """Read examples written by :func:`write_examples`, without leaving a second copy in a cache."""
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} is not there; run the data notebook (02_data) with the same parameters first")
    return from_dataset(Dataset(pyarrow.parquet.read_table(path)))
