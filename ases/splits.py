"""Examples -> training, validation and test, with no question, nor a near copy of one, in two of them.

>>> splits = make_splits(settings_for({"data": "llm_adapters_cot", "data_folder": "my/folder"}).data)
>>> len(leaks(splits))
0

Splits are made by question, before pairs (METHOD, section 4). Collected questions are often copies with the numbers
or names swapped; such families stay together. Generated problems are told by the thousand from the same stories, so
there a leak is a story schema together with its numbers. What counts as a near copy is ours.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from ases.errors import DataError
from ases.examples import Example, state_answer
from ases.problems import generate_problems
from ases.settings import DataSettings
from ases.sources import KEPT, load_llm_adapters, normalise_question

NEAR = 0.7
"""Two collected questions are near-duplicates when their masked words overlap by this share (Jaccard) or more.

Measured on the 3,822 questions of llm_adapters_cot, where pairs join to families by single link. Largest family: 22
questions at 0.9, 32 at 0.8, 54 at 0.75, 56 at 0.7, then stories chain into one another: 80 at 0.65, 143 at 0.6, 672 at
0.5. Pairs near 0.7 tell one story with another question; pairs near 0.6 share only the kind of sum.
"""

_NUMBER_WORDS = frozenset(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million".split()
)
# Words that open a sentence and are no names; any other capitalised word is masked as one.
_OPENERS = frozenset(
    "a after all also altogether an and as at before but by each every five for four from half he her his how however "
    "i if in initially is it its last later my next of on once one originally our out she so some that the their "
    "then there these they this three to today together two was we what when where which while who with yesterday "
    "you your".split()
)
_PRONOUNS = {"she": "he", "they": "he", "her": "his", "their": "his", "him": "his", "them": "his"}
_WORDS = re.compile(r"\d+(?:[.,]\d+)*|\.\d+|[^\W\d_]+")
_BLOCK = 256  # rows of the overlap matrix held at a time; nearly all questions share a word, so it is not sparse


@dataclass(frozen=True)
class Splits:
    """Three lists of examples, and what became of every record found.

    ``account``: set, reason (:class:`ases.sources.Loaded`), split, rows; the rows sum to the records found. Beside
    the three names, ``split`` is ``left over`` where ``train_size`` is reached, ``near copy`` where a family had to be
    cut to reach the size of test or validation (the rest of it is in no split), and empty for records set aside.
    ``near_duplicates``: measure, value; how many near copies there were, and what a random split of the same sizes
    would have let through. It has no rows for generated data.
    """

    train: list[Example]
    valid: list[Example]
    test: list[Example]
    account: pandas.DataFrame
    near_duplicates: pandas.DataFrame

    def items(self) -> Iterator[tuple[str, list[Example]]]:
        """The names of the splits with their examples."""
        return iter((("train", self.train), ("valid", self.valid), ("test", self.test)))


def make_splits(settings: DataSettings) -> Splits:
    """Generate or load the examples and split them by question; the same settings give the same splits.

    With more ``train_size``, test and validation stay as they are and training only grows. Every rationale states
    its answer (METHOD, section 1). Raises DataError where the data cannot be read or does not suffice for the
    sizes asked for.
    """
    return _split_generated(settings) if settings.data == "generated" else _split_collected(settings)


def leaks(splits: Splits) -> pandas.DataFrame:
    """Pairs of questions that stand in two splits and should not: kind, split_1, qid_1, split_2, qid_2, similarity.

    ``same question`` after normalisation; for examples with a story schema ``same schema and numbers``; for others
    ``near-duplicate`` (:func:`near_duplicates`). No rows means no leak.
    """
    placed = [(name, example) for name, examples in splits.items() for example in examples]
    found: dict[tuple[int, int], tuple[str, float]] = {}
    for kind, key in (("same question", _question_key), ("same schema and numbers", _schema_key)):
        groups: dict[Hashable, list[int]] = defaultdict(list)
        for index, (_, example) in enumerate(placed):
            if (value := key(example)) is not None:
                groups[value].append(index)
        for group in groups.values():
            for pair in combinations(group, 2):
                found.setdefault(pair, (kind, 1.0))
    plain = [index for index, (_, example) in enumerate(placed) if example.schema is None]
    pairs = near_duplicates([placed[index][1].question for index in plain])
    for first, second, similarity in pairs.itertuples(index=False):
        found.setdefault((plain[first], plain[second]), ("near-duplicate", similarity))
    rows = [
        (kind, placed[first][0], placed[first][1].qid, placed[second][0], placed[second][1].qid, similarity)
        for (first, second), (kind, similarity) in sorted(found.items())
        if placed[first][0] != placed[second][0]
    ]
    return pandas.DataFrame(rows, columns=["kind", "split_1", "qid_1", "split_2", "qid_2", "similarity"])


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


def masked_words(question: str) -> list[str]:
    """The words of a question with numbers, names and pronouns masked, in order.

    >>> masked_words("Ann had 3 red pens. She lost two.") == masked_words("Tom had 12 red pens. He lost nine.")
    True

    A name is a capitalised word that is no common opener of sentences. Made for English.
    """
    words = []
    for word in _WORDS.findall(question):
        lower = word.lower()
        if not word[0].isalpha() or lower in _NUMBER_WORDS:
            words.append("#")
        elif word[0].isupper() and lower not in _OPENERS:
            words.append("@")
        else:
            words.append(_PRONOUNS.get(lower, lower))
    return words


def near_duplicates(questions: Sequence[str], threshold: float = NEAR) -> pandas.DataFrame:
    """All pairs of questions alike: first, second (positions, first < second), similarity.

    Similarity is the Jaccard overlap of their sets of masked words, from 0 to 1, exact over all pairs (a sparse
    product, about a second for 4,000 questions); 1 where only numbers, names and the order of words differ.
    """
    ids: dict[str, int] = {}
    sets = [sorted({ids.setdefault(word, len(ids)) for word in masked_words(question)}) for question in questions]
    sizes = np.array([len(words) for words in sets], dtype=np.int64)
    columns = np.concatenate([np.array(words, dtype=np.int64) for words in sets]) if sets else np.zeros(0, np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    matrix = csr_array((np.ones(len(columns), np.int32), columns, starts), shape=(len(sets), max(len(ids), 1)))
    parts = []
    for start in range(0, len(sets), _BLOCK):
        shared = (matrix[start : start + _BLOCK] @ matrix.T).tocoo()
        first, second = shared.row.astype(np.int64) + start, shared.col.astype(np.int64)
        similarity = shared.data / (sizes[first] + sizes[second] - shared.data)
        wanted = (first < second) & (similarity >= threshold)
        parts.append(pandas.DataFrame(dict(first=first, second=second, similarity=similarity))[wanted])
    pairs = pandas.concat(parts) if parts else pandas.DataFrame(columns=["first", "second", "similarity"])
    return pairs.sort_values(["first", "second"], ignore_index=True)


def families(questions: Sequence[str], threshold: float = NEAR) -> list[list[int]]:
    """Positions grouped so that near-duplicates, and near-duplicates of those, share a group; each sorted."""
    return _families(near_duplicates(questions, threshold), len(questions))


def _families(pairs: pandas.DataFrame, count: int) -> list[list[int]]:
    if not count:
        return []
    first, second = pairs["first"].to_numpy(np.int64), pairs["second"].to_numpy(np.int64)
    links = coo_array((np.ones(len(pairs), np.int8), (first, second)), shape=(count, count))
    groups: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(connected_components(links, directed=False)[1]):
        groups[int(label)].append(index)
    return list(groups.values())


def _split_generated(settings: DataSettings) -> Splits:
    sizes = {"test": settings.test_size, "valid": settings.valid_size, "train": settings.train_size}
    problems = generate_problems(
        sum(sizes.values()),
        seed=settings.data_seed,
        steps_from=settings.steps_from,
        steps_to=settings.steps_to,
        largest=settings.largest,
        distractors=settings.distractors,
    )
    parts, start = {}, 0
    for name, size in sizes.items():
        parts[name] = [state_answer(problem) for problem in problems[start : start + size]]
        start += size
    rows = [("generated", KEPT, name, len(part)) for name, part in parts.items()]
    account = pandas.DataFrame(rows, columns=["set", "reason", "split", "rows"])
    return Splits(**parts, account=account, near_duplicates=_table({}))


def _split_collected(settings: DataSettings) -> Splits:
    loaded = load_llm_adapters(settings.data_folder, keep_teacher_wrong=settings.keep_teacher_wrong)
    # Sorted, so that the split depends on the questions alone and not on the order of files.
    examples = sorted((state_answer(example) for example in loaded.examples), key=lambda example: example.qid)
    pairs = near_duplicates([example.question for example in examples])
    held = {"test": settings.test_size, "valid": settings.valid_size}
    asked = sum(held.values()) + max(settings.train_size, 1)
    where = f"{settings.data_folder} holds {len(examples)} usable questions"
    if asked > len(examples):
        raise DataError(
            f"{where}, but test_size {settings.test_size}, valid_size {settings.valid_size} and train_size "
            f"{settings.train_size or '0 (at least 1)'} need {asked}; ask for fewer, or give more data"
        )
    generator = random.Random(settings.data_seed)
    groups = _families(pairs, len(examples))
    measures = _measures(pairs, groups, examples, held, generator)
    generator.shuffle(groups)
    parts, cut = {}, []
    for name, size in held.items():
        parts[name], groups, rest = _take(groups, size)
        generator.shuffle(parts[name])
        cut += rest
    left = [index for group in groups for index in group]
    generator.shuffle(left)
    size = settings.train_size or len(left)
    if not left or size > len(left) or any(len(parts[name]) < wanted for name, wanted in held.items()):
        raise DataError(
            f"{where}, but many are near copies of each other and must stay together: test gets {len(parts['test'])}, "
            f"validation {len(parts['valid'])}, training {len(left)}; ask for fewer, or give more data"
        )
    parts["train"], over = left[:size], left[size:]
    fates = {index: name for name, part in {**parts, "near copy": cut, "left over": over}.items() for index in part}
    qids = {examples[index].qid: fate for index, fate in fates.items()}
    records = loaded.records.assign(split=[qids.get(qid, "") for qid in loaded.records["qid"]])
    account = records.groupby(["set", "reason", "split"], sort=False).size().reset_index(name="rows")
    absent = loaded.account[loaded.account["rows"] == 0].assign(split="")
    return Splits(
        **{name: [examples[index] for index in part] for name, part in parts.items()},
        account=pandas.concat([account, absent], ignore_index=True) if len(absent) else account,
        near_duplicates=_table(measures),
    )


def _take(groups: list[list[int]], size: int) -> tuple[list[int], list[list[int]], list[int]]:
    """Whole families, in order, up to exactly ``size``; the families left; what is left of a family cut to fit."""
    part: list[int] = []
    others = []
    for group in groups:
        if len(part) + len(group) <= size:
            part += group
        else:
            others.append(group)
    short = size - len(part)
    if not short or not others:
        return part, others, []
    smallest = min(others, key=len)
    return part + smallest[:short], [group for group in others if group is not smallest], smallest[short:]


def _measures(
    pairs: pandas.DataFrame,
    groups: list[list[int]],
    examples: Sequence[Example],
    held: dict[str, int],
    generator: random.Random,
) -> dict[str, int]:
    """What is alike, and what a split that knows nothing of it would have done with it."""
    shuffled = list(range(len(examples)))
    generator.shuffle(shuffled)
    place = np.full(len(examples), "train", dtype=object)
    place[shuffled[: held["test"]]] = "test"
    place[shuffled[held["test"] : held["test"] + held["valid"]]] = "valid"
    first, second = pairs["first"].to_numpy(np.int64), pairs["second"].to_numpy(np.int64)
    straddles = place[first] != place[second]
    ends = np.concatenate([first[straddles], second[straddles]])
    several = [group for group in groups if len(group) > 1]
    return {
        "near-duplicate pairs": len(pairs),
        "of these with the same words but for numbers and names": int((pairs["similarity"] == 1).sum()),
        "families of two questions or more": len(several),
        "questions in these families": sum(map(len, several)),
        "largest family": max(map(len, groups)),
        "pairs that a random split would part": int(straddles.sum()),
        "test questions with a near copy elsewhere in a random split": len({i for i in ends if place[i] == "test"}),
    }


def _table(measures: dict[str, int]) -> pandas.DataFrame:
    return pandas.DataFrame({"measure": list(measures), "value": list(measures.values())})


def _question_key(example: Example) -> str:
    return normalise_question(example.question)


def _schema_key(example: Example) -> tuple[str, ...] | None:
    if example.schema is None:
        return None
    return (example.schema, *sorted(re.findall(r"\d+(?:\.\d+)?", example.question)))
