"""Plain texts for pretraining: what is generated, and GSM8K's training part, without any question that is tested.

>>> collect_texts(problems=20_000, reports=1_000, seed=0).account                 # doctest: +SKIP

A start checkpoint (:mod:`ases.pretraining`) reads them; never the pairs or whole chains that a method trains on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from ases.errors import DataError
from ases.examples import Example
from ases.gathering import gather
from ases.problems import generate_problems
from ases.reports import generate_reports
from ases.settings import settings_for
from ases.splits import Splits, leaks, make_splits


@dataclass(frozen=True)
class Texts:
    """Plain texts, how many came from where and how many were dropped as known from a test split (``account``).

    ``tested`` counts the collected questions that they were held against, by source.
    """

    texts: tuple[str, ...]
    account: pd.DataFrame
    tested: Mapping[str, int]


# Seeds of problems far from any that a split is made with, and of other shapes than the default ones too.
_BLOCKS = ((1_000_003, 1, 2, 20), (1_000_033, 1, 3, 50), (1_000_037, 2, 6, 100))
_REPORTS = {"zh": 1_000_039, "en": 1_000_081}


def collect_texts(
    *,
    problems: int,
    reports: int,
    seed: int,
    gsm8k: Path | None = None,
    evaluated: Sequence[Example] = (),
) -> Texts:
    """Generated problems, Chinese and English reports, and GSM8K's training part where its file is; shuffled by seed.

    ``reports`` counts those of each language. Dropped is what is known from a validation or test split of generated
    data, of any size, with stories held out and with longer problems (the same question, or the same story with the
    same numbers), and whatever equals or nearly equals a question of ``evaluated``: give every collected example that
    models are ever tested on. ``account`` has the hash of a source's first texts, as they were before any was dropped:
    whether it is still made alike. Raises DataError for a file that is not GSM8K's training part.
    """
    share = -(-problems // len(_BLOCKS))
    found: dict[str, list[Example]] = {"generated problems": []}
    for block, fewest, most, largest in _BLOCKS:
        found["generated problems"] += generate_problems(
            share, seed=block + seed, steps_from=fewest, steps_to=most, largest=largest
        )
    for language, block in _REPORTS.items() if reports else ():
        found[f"generated reports, {language}"] = generate_reports(reports, seed=block + seed, language=language)
    if gsm8k is not None:
        found["GSM8K, training part"] = _read_gsm8k(Path(gsm8k))
    tested = [*_generated_tests(), *evaluated]
    rows, texts = [], []
    for source, examples in found.items():
        known = _known(examples, tested)
        kept = [example for example in examples if example.qid not in known]
        texts += map(_plain, kept)
        licences = ", ".join(sorted({example.licence for example in examples if example.licence}))
        row = {"source": source, "licence": licences, "texts": len(kept), "dropped": len(known)}
        rows.append(row | {"first_sha256": text_hash(map(_plain, examples[:_FIRST]))})
    order = np.random.default_rng(seed).permutation(len(texts))
    against = dict(sorted(Counter(example.source for example in evaluated).items()))
    return Texts(tuple(texts[place] for place in order), pd.DataFrame(rows), against)


def collected_examples(places: Mapping[str, str]) -> list[Example]:
    """Every usable example of collected sets, by name and folder, that some split, by some seed, tests on.

    That is all of a set whatever its teacher answered, but for an official training part. For ``evaluated``.
    """
    found: list[Example] = []
    for name, folder in places.items():
        given = {"size": "real", "data": name, "data_folder": folder, "keep_teacher_wrong": True}
        found += [one for one in gather(settings_for(given).data).examples if one.official_split != "train"]
    return found


_FIRST = 100
"""Texts of a source that its hash in the account is of."""


def _plain(example: Example) -> str:
    return f"{example.question} {example.rationale}"


def text_hash(texts: Iterable[str]) -> str:
    """SHA-256 of texts in their order, as hexadecimal digits."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


_GENERATED_SIZES = ("smoke", "quick", "classroom", "gpu")
_OF_REPORTS = tuple({"data": "reports", "language": language} for language in _REPORTS)
_TASKS = ({}, {"held_out_schemas": True}, {"steps_to": 8, "longest_learned": 4}, *_OF_REPORTS)


@cache
def _generated_tests() -> list[Example]:
    """The validation and test questions of everything that is generated, whatever the size."""
    held_out = []
    for size in _GENERATED_SIZES:
        for task in _TASKS:
            # They are the same for any number of training examples (make_splits).
            splits = make_splits(settings_for({"size": size, **task, "train_size": 1}).data)
            held_out += [*splits.valid, *splits.test]
    unique = {example.question: example for example in held_out}
    return [replace(example, qid=f"held-out-{place}") for place, example in enumerate(unique.values())]


def _known(examples: Sequence[Example], tested: Sequence[Example]) -> set[str]:
    nothing = pd.DataFrame()
    # Near copies are looked for between collected questions only; generated ones are told by story and numbers.
    leaked = leaks(Splits(list(examples), [], list(tested), account=nothing, near_duplicates=nothing))
    ours = {example.qid for example in examples}
    return ours & {*leaked["qid_1"], *leaked["qid_2"]}


_CALCULATOR, _FINAL = re.compile(r"<<[^<>]*>>"), re.compile(r"\n#### *(.+?)\s*$")


def _read_gsm8k(path: Path) -> list[Example]:
    if "test" in path.name:
        raise DataError(f"{path} looks like GSM8K's test part, which models are tested on; give train.jsonl")
    examples = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give GSM8K's train.jsonl") from error
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            question, answer = record["question"].strip(), _CALCULATOR.sub("", record["answer"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path} line {number} is not a question with its answer: {error}") from error
        rationale = _FINAL.sub(r"\nThe answer is \1.", answer)
        examples.append(Example(f"gsm8k-train-{number}", question, rationale, None, "gsm8k", licence="MIT"))
    return examples
