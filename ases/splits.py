"""Examples -> training, validation and test, with no question, nor a near copy of one, in two of them.

>>> splits = make_splits(settings_for({"data": "llm_adapters_cot", "data_folder": "my/folder"}).data)
>>> len(leaks(splits))
0

Splits are made by question, before pairs (METHOD, section 4). Collected questions are often copies with the numbers
or names swapped (:mod:`ases.duplicates`); such families stay together. Generated examples are told by the thousand
from the same stories, so there a leak is a story schema together with its numbers.
"""

from __future__ import annotations

import random
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas

from ases.duplicates import (
    EXACT_UP_TO,
    WordSets,
    example_word_sets,
    family_labels,
    likely_pairs,
    near_pairs,
    straddling_cost,
    straddling_pairs,
)
from ases.errors import DataError
from ases.examples import Example, read_examples, state_answer, store_examples
from ases.families import Families, measures
from ases.gathering import Gathered, Progress, content_key, gather, hash_text
from ases.problems import iter_problems
from ases.reports import iter_reports
from ases.settings import GENERATED, DataSettings, flat
from ases.sources import KEPT, NO_FILE, normalise_question

FATES = ("train", "valid", "test", "left over", "near copy", "near copy of a test question")
"""What becomes of a usable example: a split or the reason why it is in none.

``left over``: the size asked for is reached. ``near copy``: a family had to be cut to reach the size of test or
validation, and the rest of it is in no split. ``near copy of a test question``: the question of a
source's training part is near to one of its official test set; or, among more than :data:`EXACT_UP_TO` questions, near
to one drawn for the test and not found before.
"""
TRAIN, VALID, TEST, LEFT_OVER, NEAR_COPY, NEAR_TEST = range(len(FATES))

COMPARED_UP_TO = 2 * 10**10
"""Comparisons (held-out questions times all) up to which nearness between splits is exact; a few minutes of work."""

_HELD_OUT = 5  # with held-out schemas, every fifth schema to appear is the test's


@dataclass(frozen=True)
class Splits:
    """Three sequences of examples, and what became of every record found.

    ``account``: set, reason (:func:`ases.sources.read_records`), split, rows; the rows sum to the records found.
    ``split`` is one of :data:`FATES`, and empty for records set aside. ``near_duplicates``: measure, value; how many
    near copies there were, what a random split of the same sizes would have let through, and how many questions were
    moved or dropped for it. It has no rows for generated data.
    """

    train: Sequence[Example]
    valid: Sequence[Example]
    test: Sequence[Example]
    account: pandas.DataFrame
    near_duplicates: pandas.DataFrame

    def items(self) -> Iterator[tuple[str, Sequence[Example]]]:
        """The names of the splits with their examples."""
        return iter((("train", self.train), ("valid", self.valid), ("test", self.test)))


def make_splits(
    settings: DataSettings, folder: Path | None = None, progress: Progress = lambda message, done: None
) -> Splits:
    """Generate or load the examples and split them by question; the same settings give the same splits.

    With more ``train_size``, test and validation stay as they are and training only grows: at its end, or, where there
    are more than :data:`EXACT_UP_TO` questions, which keep the order of their files, in between. Every rationale states
    its answer (METHOD, section 1). Where a source has an official split, test questions are drawn from its test set
    alone, and what is near to any question of that set is in no other split. ``folder`` is where Arrow tables are
    kept, mapped and found again; without it they are held in memory. Raises DataError where the data cannot be read
    or does not suffice for the sizes asked for.
    """
    if settings.data in GENERATED:
        return _split_generated(settings, folder, progress)
    return _split_collected(settings, gather(settings, folder, progress), progress)


def leaks(splits: Splits) -> pandas.DataFrame:
    """Pairs of questions that stand in two splits and should not: kind, split_1, qid_1, split_2, qid_2, similarity.

    ``same question`` after normalisation; for examples with a story schema ``same schema and numbers``; for others
    ``near-duplicate`` (:mod:`ases.duplicates`), all of them up to :data:`COMPARED_UP_TO` comparisons, beyond that those
    that MinHash finds with permutations other than the split's. No rows means no leak.
    """
    names = [name for name, _ in splits.items()]
    parts = [examples for _, examples in splits.items()]
    place = np.repeat(np.arange(3), [len(part) for part in parts])
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    questions, stories, plain = array("Q"), array("Q"), []
    for index, example in enumerate(example for part in parts for example in part):
        questions.append(hash_text(normalise_question(example.question)))
        key = _schema_key(example)
        stories.append(hash_text(repr(key)) if key else 0)
        if not key:
            plain.append(index)
    found: dict[tuple[int, int], tuple[str, float]] = {}
    for kind, keys in (("same question", questions), ("same schema and numbers", stories)):
        for pair in _equal(np.array(keys, dtype=np.uint64), place):
            found.setdefault(pair, (kind, 1.0))
    where = np.array(plain, dtype=np.int64)
    sets = example_word_sets(example for part in parts for example in part if example.schema is None)
    exact = straddling_cost(place[where]) <= COMPARED_UP_TO
    near = straddling_pairs(sets, place[where]) if exact else likely_pairs(sets, place[where], seed=3)
    for first, second, similarity in near.itertuples(index=False):
        found.setdefault((int(where[first]), int(where[second])), ("near-duplicate", similarity))
    rows = []
    for pair, (kind, similarity) in sorted(found.items()):
        ends = [(names[place[one]], parts[place[one]][int(one - starts[place[one]])].qid) for one in pair]
        rows.append((kind, *ends[0], *ends[1], similarity))
    return pandas.DataFrame(rows, columns=["kind", "split_1", "qid_1", "split_2", "qid_2", "similarity"])


def _equal(keys: np.ndarray, place: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of positions with one key, not 0, in two places; the smaller first."""
    order = np.argsort(keys, kind="stable")
    ends = np.flatnonzero(np.append(keys[order[1:]] != keys[order[:-1]], True)) + 1 if len(keys) else []
    begin = 0
    for end in ends:
        run, begin = order[begin:end], end
        if len(run) > 1 and keys[run[0]] and place[run[0]] != place[run[-1]]:
            for pair in combinations(run.tolist(), 2):
                if place[pair[0]] != place[pair[1]]:
                    yield pair


def _schema_key(example: Example) -> tuple[str, ...] | None:
    if example.schema is None:
        return None
    return (example.schema, *sorted(re.findall(r"\d+(?:\.\d+)?", example.question)))


def leak_sentence(splits: Splits, leaked: pandas.DataFrame) -> str:
    """What :func:`leaks` looked for, how many pairs it found, and which likeness between splits remains by design."""
    known = {example.schema for example in splits.train}
    if None not in known:
        share = sum(example.schema in known for example in splits.test) / len(splits.test)
        return (
            f"**{len(leaked)}** pairs of questions in two splits are the same, or tell the same story with the same "
            f"numbers. The story itself, with other numbers, is known from training for {share:.0%} of test questions."
        )
    return f"**{len(leaked)}** pairs of questions in two splits are the same, nearly, or but for their numbers."


def _split_generated(settings: DataSettings, folder: Path | None, progress: Progress) -> Splits:
    sorter = _Sorter(settings)

    def drawn() -> Iterator[Example]:
        for number, example in enumerate(_generated(settings, sorter.at_most)):
            if number % 5000 == 0:
                progress(f"generated {number:,} examples", sorter.done)
            sorter.place(example.schema, _operations(example.rationale))
            yield state_answer(example)
            if sorter.full:
                return

    if folder is None:
        examples = store_examples(drawn(), None)
    else:
        path = Path(folder) / f"generated-{content_key(flat(settings))}.arrow"
        examples = read_examples(path) if path.is_file() else store_examples(drawn(), path)
    sorter = _Sorter(settings)
    lengths = map(_operations, examples.column("rationale"))
    fates = np.array(list(map(sorter.place, examples.column("schema"), lengths)), dtype=np.int8)
    if not sorter.full:
        raise DataError(
            f"of {len(fates):,} generated stories, test got {sorter.room[TEST]:,} too few, validation "
            f"{sorter.room[VALID]:,} and training {sorter.room[TRAIN]:,}: there are too few schemas to hold some out; "
            "widen steps_from to steps_to, or set held_out_schemas to false"
        )
    parts = {FATES[fate]: examples.select(np.flatnonzero(fates == fate)) for fate in (TRAIN, VALID, TEST)}
    counts = [(FATES[fate], int((fates == fate).sum())) for fate in (TEST, VALID, TRAIN, LEFT_OVER)]
    rows = [(settings.data, KEPT, name, count) for name, count in counts if count or name != FATES[LEFT_OVER]]
    account = pandas.DataFrame(rows, columns=["set", "reason", "split", "rows"])
    return Splits(**parts, account=account, near_duplicates=_table({}))


def _operations(rationale: str) -> int:
    """How many operations a generated solution states: one an equals sign."""
    return rationale.count("=")


class _Sorter:
    """Sends generated examples to splits as they come: test, then validation, then training.

    With ``longest_learned`` set, problems of more operations are the test's alone, and all others are learned from.
    With held-out schemas, every fifth schema to appear is the test's alone, and validation and training take the rest;
    so neither test nor validation depends on how much is generated for training.
    """

    def __init__(self, settings: DataSettings) -> None:
        self.room = {TEST: settings.test_size, VALID: settings.valid_size, TRAIN: settings.train_size}
        self.held_out = settings.held_out_schemas
        self.asked = sum(self.room.values())
        self.longest = settings.longest_learned
        self.at_most = 50 * self.asked if self.held_out or self.longest else self.asked
        self.schemas: dict[str | None, int] = {}

    def place(self, schema: str | None, operations: int) -> int:
        """The fate of the next example, told by its story and how many operations its solution has."""
        fates = (TEST, VALID, TRAIN)
        if self.longest:
            fates = (TEST,) if operations > self.longest else (VALID, TRAIN)
        if self.held_out:
            number = self.schemas.setdefault(schema, len(self.schemas))
            own = (TEST,) if number % _HELD_OUT == _HELD_OUT - 1 else (VALID, TRAIN)
            fates = tuple(fate for fate in fates if fate in own)
        fate = next((fate for fate in fates if self.room[fate]), LEFT_OVER)
        if fate != LEFT_OVER:
            self.room[fate] -= 1
        return fate

    @property
    def full(self) -> bool:
        """Whether every split has its size."""
        return not any(self.room.values())

    @property
    def done(self) -> float:
        """The share of the sizes asked for that is reached."""
        return 1 - sum(self.room.values()) / self.asked


def _generated(settings: DataSettings, count: int) -> Iterator[Example]:
    if settings.data == "reports":
        return iter_reports(count, seed=settings.data_seed, language=settings.language)
    return iter_problems(
        count,
        seed=settings.data_seed,
        steps_from=settings.steps_from,
        steps_to=settings.steps_to,
        largest=settings.largest,
        distractors=settings.distractors,
    )


def _split_collected(settings: DataSettings, gathered: Gathered, progress: Progress) -> Splits:
    examples, order = gathered.examples, gathered.by_qid
    official = np.array([split == "test" for split in examples.column("official_split")], dtype=bool)
    _check_sizes(settings, official)
    progress(f"comparing {len(examples):,} questions", 0.3)
    sets = example_word_sets(examples)
    exact = len(sets) <= EXACT_UP_TO
    pairs = near_pairs(sets) if exact else likely_pairs(sets)
    labels = family_labels(len(sets), pairs)
    generator = random.Random(settings.data_seed)
    careless = _careless(settings, official, order, generator)
    table = measures(labels, pairs if exact else None, careless, bool(official.any()))
    progress("placing whole families", 0.6)
    fates = np.full(len(examples), -1, dtype=np.int8)
    parts = _place(settings, Families(labels, order), official, fates, generator, sets, exact)
    if official.any():
        table["official test questions"] = int(official.sum())
    table |= {f"questions dropped: {FATES[fate]}": int((fates == fate).sum()) for fate in (NEAR_COPY, NEAR_TEST)}
    # Very many are kept in the order of the files: scattered over a mapped file they would be slow to read.
    chosen = {FATES[fate]: np.array(part if exact else sorted(part), dtype=np.int64) for fate, part in parts.items()}
    return Splits(
        **{name: examples.select(part) for name, part in chosen.items()},
        account=_account(gathered, fates),
        near_duplicates=_table(table),
    )


def _check_sizes(settings: DataSettings, official: np.ndarray) -> None:
    where, tests = f"{settings.data_folder} holds {len(official)} usable questions", int(official.sum())
    asked = settings.test_size + settings.valid_size + max(settings.train_size, 1)
    if asked > len(official):
        raise DataError(
            f"{where}, but test_size {settings.test_size}, valid_size {settings.valid_size} and train_size "
            f"{settings.train_size or '0 (at least 1)'} need {asked}; ask for fewer, or give more data"
        )
    if tests == len(official):
        raise DataError(
            f"{where}, all of an official test set (a file named test), so none are left for training; add the file "
            "of its training set, or rename the file to split it"
        )
    if tests and settings.test_size > tests:
        raise DataError(
            f"{where}, of which {tests} are of the official test set, but test_size is {settings.test_size}; "
            "ask for fewer: test questions come from no other part"
        )


def _careless(
    settings: DataSettings, official: np.ndarray, order: np.ndarray, generator: random.Random
) -> np.ndarray:
    """Where the official split puts each question, or a random one where there is none."""
    if official.any():
        return np.where(official, TEST, TRAIN)
    shuffled = order.tolist()
    generator.shuffle(shuffled)
    place = np.full(len(official), TRAIN)
    place[shuffled[: settings.test_size]] = TEST
    place[shuffled[settings.test_size : settings.test_size + settings.valid_size]] = VALID
    return place


def _place(
    settings: DataSettings,
    families: Families,
    official: np.ndarray,
    fates: np.ndarray,
    generator: random.Random,
    sets: WordSets,
    whole: bool,
) -> dict[int, list[int]]:
    """The questions of each split, in order; ``fates`` is filled in for all.

    Where families may not be ``whole``, because MinHash may have missed a pair, whatever is near to a question placed
    in test or validation is then dropped.
    """

    def settle(rows: Sequence[int] | np.ndarray, fate: int) -> None:
        fates[rows] = fate
        families.open[rows] = False

    parts: dict[int, list[int]] = {}
    if official.any():
        pool = families.order[official[families.order]].tolist()
        generator.shuffle(pool)
        parts[TEST] = pool[: settings.test_size]
        settle(pool, LEFT_OVER)
        settle(parts[TEST], TEST)
        settle(_near_to(sets, official, families), NEAR_TEST)
    waiting = np.flatnonzero(families.sizes()).tolist()
    generator.shuffle(waiting)
    for fate, size in ((TEST, settings.test_size), (VALID, settings.valid_size)):
        if fate in parts:
            continue
        part, waiting, rest = families.take(waiting, size)
        generator.shuffle(part)
        parts[fate] = part
        settle(part, fate)
        settle(rest, NEAR_COPY)
        if not whole:
            settle(_near_to(sets, fates == fate, families), NEAR_TEST if fate == TEST else NEAR_COPY)
    left = [index for family in waiting for index in families.members(family)]
    generator.shuffle(left)
    size = settings.train_size or len(left)
    if not left or size > len(left) or len(parts[TEST]) < settings.test_size or len(parts[VALID]) < settings.valid_size:
        raise DataError(
            f"{settings.data_folder} holds {len(fates)} usable questions, but many are near copies of each other and "
            f"must stay together: test gets {len(parts[TEST])}, validation {len(parts[VALID])}, training {len(left)}; "
            "ask for fewer, or give more data"
        )
    parts[TRAIN] = left[:size]
    settle(parts[TRAIN], TRAIN)
    settle(left[size:], LEFT_OVER)
    return parts


def _near_to(sets: WordSets, held: np.ndarray, families: Families) -> np.ndarray:
    """The open questions that are near to one of ``held`` (one truth value a question).

    Where there are too many to compare all, those in a family that MinHash finds near: of equal ones it names but one.
    """
    groups = held.astype(np.int64)
    exact = straddling_cost(groups) <= COMPARED_UP_TO
    pairs = straddling_pairs(sets, groups) if exact else likely_pairs(sets, groups, seed=2)
    near = np.zeros(len(sets), dtype=bool)
    near[pairs["first"]] = near[pairs["second"]] = True
    if not exact:
        found = np.zeros(len(families), dtype=bool)
        found[families.labels[near]] = True
        near = found[families.labels]
    return np.flatnonzero(near & families.open)


def _account(gathered: Gathered, fates: np.ndarray) -> pandas.DataFrame:
    """How many records of each set, reason and fate there are, in the order of the files."""
    fate_of = np.where(gathered.row_of >= 0, fates[gathered.row_of], -1) + 1
    codes = (gathered.set_of.astype(np.int64) * len(gathered.reasons) + gathered.reason_of) * (len(FATES) + 1) + fate_of
    found, first, rows = np.unique(codes, return_index=True, return_counts=True)
    table = []
    for place in np.argsort(first):
        rest, fate = divmod(int(found[place]), len(FATES) + 1)
        name, reason = divmod(rest, len(gathered.reasons))
        table.append((gathered.sets[name], gathered.reasons[reason], ("", *FATES)[fate], int(rows[place])))
    table += [(name, NO_FILE, "", 0) for name in gathered.missing]
    return pandas.DataFrame(table, columns=["set", "reason", "split", "rows"])


def _table(found: dict[str, int]) -> pandas.DataFrame:
    return pandas.DataFrame({"measure": list(found), "value": list(found.values())})
