"""A control without a model: the nearest training question's rationale, with this question's numbers swapped in.

>>> train = [Example("a", "Ann had 3 pens and got 4.", "She had 3 + 4 = 7 pens. The answer is 7.", "7", "own")]
>>> lookup_chains(train, [Example("b", "Bob had 6 pens and got 2.", "", "8", "own")])[0].text
'She had 6 + 2 = 8 pens. The answer is 8.'

Is the task a lookup? METHOD, baselines and controls. A question's skeleton is its masked words
(:func:`ases.duplicates.masked_words`), every number a slot. Nearest is a training question of equal skeleton, word by
word; else the one whose set of masked words overlaps most (Jaccard). What is swapped and computed anew is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from fractions import Fraction
from itertools import chain

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from ases.arithmetic import compute, read_equations
from ases.arms import LOOKUP
from ases.chains import Chain
from ases.duplicates import masked_words, word_sets
from ases.errors import DataError
from ases.evaluation import concatenate, evaluate_chains, measure_by
from ases.examples import Example, state_answer
from ases.measures import measure_in
from ases.numerals import leading_numeral

_CELLS = 2**20  # overlaps held at a time
_LIST_MARK = r"^[^\S\n]*[(（]?\d{1,3}[.)）、](?!\d)"
_DIGITS = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\w.])\.\d+"
# Words that a number in words may begin with; what comes of it is left to ases.numerals.
_SPELT = "a one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
_SPELT += "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
_WORD = rf"\b(?:{'|'.join(_SPELT.split())})\b"
_NUMBER = re.compile(rf"(?P<mark>{_LIST_MARK})|(?P<digits>{_DIGITS})|{_WORD}", re.MULTILINE | re.IGNORECASE)
_LONGEST_NUMERAL = 80


def lookup_chains(train: Sequence[Example], test: Sequence[Example]) -> list[Chain]:
    """A chain for each test question, in order, from its nearest training question (:func:`nearest`).

    Reports, which have no answer, take the nearest report's impression as it is. Nothing is drawn, trained or read by
    a model: tokens and FLOPs are 0. Raises DataError as :func:`nearest` does.
    """
    return _chains(train, test, nearest(train, test))


def lookup_predictions(
    train: Sequence[Example], test: Sequence[Example], *, seeds: Sequence[int] = (0,), method: str = LOOKUP
) -> pd.DataFrame:
    """The lookup as a table of predictions beside those of trained methods.

    Columns of :func:`ases.evaluation.evaluate_chains`, ``method, seed``, and of :func:`nearest` ``train_qid,
    similarity, exact``. The same rows come under each seed, because nothing is drawn and a comparison needs the seeds
    that the trained methods have.
    """
    found = nearest(train, test)
    table = evaluate_chains(_chains(train, test, found), test).assign(method=method)
    table = table.merge(found.drop(columns="position"), on="qid", validate="one_to_one")
    return concatenate(table.assign(seed=seed) for seed in seeds)


def nearest(train: Sequence[Example], test: Sequence[Example]) -> pd.DataFrame:
    """The nearest training question of each test question, in order.

    Columns: ``qid, train_qid, position`` (in ``train``), ``similarity`` (Jaccard overlap of the sets of masked words, 0
    to 1), ``exact`` (equal skeletons). Of several equally near, first come those in whose rationale each number has one
    origin only, so that it is certain what to swap, then the least qid. Texts are read a batch at a time, and kept are
    a few numbers a word of a question. Raises DataError where there is no training question, or several languages.
    """
    language = _language(train, test)
    keys = [question_skeleton(example.question, language) for example in test]
    places: dict[str, list[int]] = {key: [] for key in keys}
    qids, unsure = [], []
    for position, example in enumerate(train):
        qids.append(example.qid)
        unsure.append(example.answer is not None and any(one.origins > 1 for one in _mentions(example)))
        key = question_skeleton(example.question, language)
        if key in places:
            places[key].append(position)
    order = np.array(sorted(range(len(qids)), key=lambda position: (unsure[position], qids[position])))
    rank = np.argsort(order)
    position = np.array([min(places[key], key=rank.__getitem__) if places[key] else -1 for key in keys], dtype=np.int64)
    exact, similarity = position >= 0, np.ones(len(keys))
    if not exact.all():
        others = np.flatnonzero(~exact)
        slotted = (_slotted(test[int(row)].question, language) for row in others)
        sets = word_sets(chain((_slotted(example.question, language) for example in train), slotted), language)
        words = csr_array((np.ones(len(sets.ids), np.int32), sets.ids, sets.starts), shape=(len(sets), sets.words))
        best, similarity[others] = _most_alike(words[: len(qids)][order], words[len(qids) :])
        position[others] = order[best]
    columns = {"qid": [example.qid for example in test], "train_qid": [qids[at] for at in position]}
    return pd.DataFrame({**columns, "position": position, "similarity": similarity, "exact": exact})


def question_skeleton(question: str, language: str = "en") -> str:
    """The masked words of a question in order, every number one slot, in digits or words.

    >>> question_skeleton("Ann had 25 red pens."), question_skeleton("Tom had twenty-one red pens.")
    ('@ had # red pens', '@ had # red pens')
    """
    return " ".join(masked_words(_slotted(question, language), language))


def lookup_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """How right the lookup is where a training question has the same skeleton, and elsewhere.

    ``exact``, then ``accuracy`` (or ``rouge_l``), ``low, high`` (95 %), ``n`` questions, of the first seed's rows.
    """
    return measure_by(predictions[predictions["seed"] == predictions["seed"].iloc[0]], ["exact"])


def lookup_findings(table: pd.DataFrame) -> list[str]:
    """A :func:`lookup_table` in sentences: how much of the task is a lookup, read from the table."""
    measure, rows, total = measure_in(table), table.set_index("exact"), int(table["n"].sum())
    same = int(rows["n"].get(True, 0))
    share = f"{same:,} of {total:,} test questions ({same / total:.0%})"
    lines = [f"{share} equal a training question but for numbers and names."]
    reaches = "answers" if measure.share else f"reaches {measure.label}"
    for exact, where in ((True, "On these"), (False, "On the others")):
        if exact in rows.index:
            row = rows.loc[exact]
            bounds = "" if pd.isna(row["low"]) else (
                f" (95 % interval {measure.text(row['low'])} to {measure.text(row['high'])})"
            )  # fmt: skip
            lines.append(f"{where} a lookup without any model {reaches} {measure.text(row[measure.column])}{bounds}.")
    return lines


# Nearest --------------------------------------------------------------------------------------------------------


def _language(train: Sequence[Example], test: Sequence[Example]) -> str:
    if len(train) == 0 or len(test) == 0:
        raise DataError(f"{len(train)} training and {len(test)} test questions; a lookup needs some of each")
    languages = {example.language for part in (train, test) for example in part}
    if len(languages) > 1:
        raise DataError(f"questions in several languages ({', '.join(sorted(languages))}): look each up by itself")
    return languages.pop()


def _slotted(question: str, language: str) -> str:
    """The question with one plain number for each of its numbers, so that all are masked alike."""
    changes = [(start, end, "0") for start, end, _ in _numbers(question)] if language == "en" else []
    return _rewritten(question, changes)


def _most_alike(train: csr_array, test: csr_array) -> tuple[np.ndarray, np.ndarray]:
    """For each row of ``test`` the first row of ``train`` of the largest Jaccard overlap, and that overlap."""
    sizes, columns = train.sum(axis=1), train.T.tocsr()
    best, overlap = np.zeros(test.shape[0], dtype=np.int64), np.zeros(test.shape[0])
    step = max(1, _CELLS // train.shape[0])
    for start in range(0, test.shape[0], step):
        part = test[start : start + step]
        shared = (part @ columns).toarray()
        union = np.maximum(sizes[None, :] + part.sum(axis=1)[:, None] - shared, 1)
        jaccard = shared / union
        rows = np.arange(start, start + part.shape[0])
        best[rows] = jaccard.argmax(axis=1)
        overlap[rows] = jaccard.max(axis=1)
    return best, overlap


# Numbers swapped ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Mention:
    """A number in a rationale and where it comes from: a slot of the question, an earlier result, or an equation.

    ``computed`` is where the left side begins and ends of the equation whose result this is. ``origins`` counts the
    slots and results that the number could come from.
    """

    start: int
    end: int
    slot: int | None = None
    earlier: int | None = None
    computed: tuple[int, int] | None = None
    origins: int = 1


def _mentions(example: Example) -> list[_Mention]:
    """The numbers of a rationale in order.

    A number that an earlier equation gave is that result, the last one that fits; else it is a slot of the question
    with that value, several such slots in turn; else it is the rationale's own (60 minutes) and stays.
    """
    rationale, slots = state_answer(example).rationale, [value for _, _, value in _numbers(example.question)]
    numbers = list(_numbers(rationale))
    lefts = dict(_results(rationale, numbers))
    found: list[_Mention] = []
    results: dict[Fraction, list[int]] = {}
    uses: dict[Fraction, int] = {}
    for place, (start, end, value) in enumerate(numbers):
        if place in lefts:
            found.append(_Mention(start, end, computed=lefts[place]))
            results.setdefault(value, []).append(place)
            continue
        given, earlier = [slot for slot, one in enumerate(slots) if one == value], results.get(value, [])
        origins = len(given) + len(earlier)
        if earlier:
            found.append(_Mention(start, end, earlier=earlier[-1], origins=origins))
        elif given:
            turn = uses[value] = uses.get(value, -1) + 1
            found.append(_Mention(start, end, slot=given[turn % len(given)], origins=origins))
        else:
            found.append(_Mention(start, end))
    return found


def _results(
    rationale: str, numbers: Sequence[tuple[int, int, Fraction]]
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Which numbers are results of right equations, and where the left sides of those begin and end."""
    for equation in read_equations(rationale):
        equals = equation.start + equation.text.index("=")
        after = [place for place, (start, end, _) in enumerate(numbers) if equals < start and end <= equation.end]
        if equation.right and len(after) == 1 and numbers[after[0]][2] == equation.result:
            yield after[0], (equation.start, equals)


def swapped(example: Example, question: str) -> str:
    """The rationale of a training example told with another question's numbers, the equations computed anew.

    Slots of equal skeletons are paired one by one. In others, English ones, those that stand among the same words are
    (difflib), and what is left over in its order: of 1,000 generated questions and 4,000 to look in, 66 % come out
    right, and 60 % in order alone. A number without a partner stays. A result is computed where its equation is right
    and can be read (:func:`ases.arithmetic.read_equations`), and where it is repeated, the new one is; else it stays.
    Results without end have two decimals, or as many as the rationale gave.
    """
    rationale, mentions = state_answer(example).rationale, _mentions(example)
    given = _paired(example.question, question, example.language)
    changes: list[tuple[int, int, str]] = []
    values: list[Fraction | None] = []
    for one in mentions:
        if one.computed is not None:
            value = compute(_rewritten(rationale, changes, *one.computed))
        elif one.earlier is not None:
            value = values[one.earlier]
        else:
            value = given.get(one.slot)
        values.append(value)
        if value is not None:
            changes.append((one.start, one.end, _written(value, rationale[one.start : one.end])))
    return _rewritten(rationale, changes)


def _paired(first: str, second: str, language: str) -> dict[int | None, Fraction]:
    """For slots of the first question the number of the second that takes its place."""
    values = [value for _, _, value in _numbers(second)]
    one, other = question_skeleton(first, language).split(), question_skeleton(second, language).split()
    mine, theirs = [[at for at, word in enumerate(words) if word == "#"] for words in (one, other)]
    slots, pairs = range(len(list(_numbers(first)))), {}
    if len(mine) == len(slots) and len(theirs) == len(values):  # not in Chinese, whose skeletons have no words
        for start, begin, length in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
            for shift in range(length):
                if one[start + shift] == "#":
                    pairs[mine.index(start + shift)] = theirs.index(begin + shift)
    free = (number for number in range(len(values)) if number not in pairs.values())
    pairs |= dict(zip((slot for slot in slots if slot not in pairs), free, strict=False))
    return {slot: values[number] for slot, number in pairs.items()}


def _chains(train: Sequence[Example], test: Sequence[Example], found: pd.DataFrame) -> list[Chain]:
    chains = []
    for example, position in zip(test, found["position"], strict=True):
        source = train[int(position)]
        text = source.rationale if source.answer is None else swapped(source, example.question)
        chains.append(Chain(example.qid, text, ((LOOKUP, text),), "end", 1, 0, 0, (None,)))
    return chains


def _numbers(text: str) -> Iterator[tuple[int, int, Fraction]]:
    """Where the numbers of a text begin and end, and their values: digits, and above one also English words.

    "One", "half" and "a third" are rather part of how a story goes than numbers to swap; list marks are no numbers.
    """
    read_to = 0
    for match in _NUMBER.finditer(text):
        start = match.start()
        if match["mark"] or start < read_to:
            continue
        if match["digits"]:
            yield start, match.end(), Fraction(Decimal(match["digits"].replace(",", "")))
            continue
        spelt = leading_numeral(text[start : start + _LONGEST_NUMERAL])
        if spelt is not None and spelt[0] > 1:
            read_to = start + spelt[1]
            yield start, read_to, spelt[0]


def _rewritten(text: str, changes: Sequence[tuple[int, int, str]], start: int = 0, end: int | None = None) -> str:
    """``text[start:end]`` with these parts of it, in order, replaced."""
    parts, at, end = [], start, len(text) if end is None else end
    for first, last, new in changes:
        if start <= first and last <= end:
            parts += [text[at:first], new]
            at = last
    return "".join([*parts, text[at:end]])


def _written(value: Fraction, like: str) -> str:
    """A number in digits, with commas where ``like`` has them."""
    commas = "," if "," in like else ""
    if value.denominator == 1:
        return format(value.numerator, commas)
    exact = 10**12 % value.denominator == 0
    decimals = 12 if exact else max(2, len(like.partition(".")[2]))
    text = format(Decimal(round(value * 10**decimals)).scaleb(-decimals), f"{commas}f")
    return text.rstrip("0").rstrip(".") if exact else text
