"""Questions that are copies of each other but for numbers, names or a few words, among a few or a million.

>>> sets = word_sets(["Ann had 3 pens and lost two.", "Tom had 9 pens and lost five.", "What is 2 + 2?"])
>>> family_labels(len(sets), near_pairs(sets))
array([0, 0, 1])

Two questions are near copies when their sets of masked words overlap by :data:`NEAR` (Jaccard). Every pair said to be
near is compared word by word. What differs with size is which pairs are compared: all of them
(:func:`near_pairs`, :func:`straddling_pairs`), or those that MinHash brings together (:func:`likely_pairs`; Broder
1997, with datasketch's permutations). What counts as a near copy is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas
from datasketch import MinHash
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ases.examples import Example

NEAR = 0.7
"""Two collected questions are near-duplicates when their masked words overlap by this share (Jaccard) or more.

Measured on the 3,822 questions of llm_adapters_cot, where pairs join to families by single link. Largest family: 22
questions at 0.9, 32 at 0.8, 54 at 0.75, 56 at 0.7, then stories chain into one another: 80 at 0.65, 143 at 0.6, 672 at
0.5. Pairs near 0.7 tell one story with another question; pairs near 0.6 share only the kind of sum.
"""

EXACT_UP_TO = 20_000
"""Up to so many questions all pairs are compared; beyond, families are those that MinHash finds."""

BANDS, BAND = 32, 5
"""MinHash: a pair is compared when one of 32 bands of 5 permutations agrees; 99.7 % of pairs at 0.7, all at 0.8."""

WINDOW = 64
"""In a band, a question is compared with so many that agree with it; for larger crowds the order differs by band."""

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
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_NOT_TEXT = re.compile(r"[\W_]+")
_GRAM = 4
_BLOCK = 2**21  # comparisons held at a time
_TILE = 2**13  # of sets, in comparing many with many: what the processor's cache holds


def masked_words(question: str, language: str = "en") -> list[str]:
    """The words of a question with numbers, names and pronouns masked, in order.

    >>> masked_words("Ann had 3 red pens. She lost two.") == masked_words("Tom had 12 red pens. He lost nine.")
    True

    A name is a capitalised word that is no common opener of sentences. Made for English. Chinese (``zh``) has no spaces
    and reports have no names: there the "words" are all runs of four characters, punctuation left out and each number
    masked as one character.
    """
    if language == "zh":
        text = _NOT_TEXT.sub("", _DIGITS.sub("0", question))
        return [text[start : start + _GRAM] for start in range(max(len(text) - _GRAM + 1, min(len(text), 1)))]
    return list(map(_masked, _WORDS.findall(question)))


@lru_cache(maxsize=2**16)
def _masked(word: str) -> str:
    lower = word.lower()
    if not word[0].isalpha() or lower in _NUMBER_WORDS:
        return "#"
    if word[0].isupper() and lower not in _OPENERS:
        return "@"
    return _PRONOUNS.get(lower, lower)


@dataclass(frozen=True)
class WordSets:
    """One set of masked words a question: ``ids[starts[i]:starts[i + 1]]`` are the sorted word numbers of question i.

    ``words`` is how many different words there are. 4 bytes a word: a million questions of 25 words take 100 MB.
    """

    ids: np.ndarray
    starts: np.ndarray
    words: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def sizes(self) -> np.ndarray:
        """How many words each set holds."""
        return np.diff(self.starts)

    def take(self, rows: np.ndarray) -> WordSets:
        """The sets at these positions, in this order."""
        sizes = self.sizes[rows]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        ids = np.empty(starts[-1], dtype=np.int32)
        for begin, end in _chunks(starts):
            first, last = starts[begin], starts[end]
            shifts = self.starts[rows[begin:end]] - starts[begin:end] + first
            ids[first:last] = self.ids[np.arange(last - first) + np.repeat(shifts, sizes[begin:end])]
        return WordSets(ids, starts, self.words)


def word_sets(questions: Iterable[str], language: str = "en") -> WordSets:
    """The sets of masked words of questions in one language, in order."""
    return _word_sets((question, language) for question in questions)


def example_word_sets(examples: Iterable[Example]) -> WordSets:
    """The sets of masked words of the questions of examples, in order, each in its own language."""
    return _word_sets((example.question, example.language) for example in examples)


def _word_sets(questions: Iterable[tuple[str, str]]) -> WordSets:
    known: dict[str, int] = {}
    parts, sizes, waiting = [], [0], []
    for question, language in questions:
        # dict.fromkeys, not a set, whose order changes from process to process: words must be numbered alike
        words = sorted([known.setdefault(word, len(known)) for word in dict.fromkeys(masked_words(question, language))])
        sizes.append(len(words))
        waiting += words
        if len(waiting) >= _BLOCK // 4:
            parts.append(np.array(waiting, dtype=np.int32))
            waiting = []
    ids = np.concatenate([*parts, np.array(waiting, dtype=np.int32)])
    return WordSets(ids, np.cumsum(np.array(sizes, dtype=np.int64)), len(known))


def near_duplicates(questions: Sequence[str], threshold: float = NEAR) -> pandas.DataFrame:
    """All pairs of English questions alike: first, second (positions, first < second), similarity.

    Similarity is the Jaccard overlap of their sets of masked words, from 0 to 1, exact over all pairs; 1 where only
    numbers, names and the order of words differ.
    """
    return near_pairs(word_sets(questions), threshold)


def near_pairs(sets: WordSets, threshold: float = NEAR) -> pandas.DataFrame:
    """All pairs of sets that overlap by ``threshold`` or more: first < second, similarity; exact."""
    comparer = _Comparer(sets, threshold)
    parts = []
    for start in range(0, len(sets), 256):
        rows = np.arange(start, min(start + 256, len(sets)))
        first, second, similarity = comparer.grid(rows, start)
        once = first < second
        parts.append((first[once], second[once], similarity[once]))
    return _table(parts)


def straddling_pairs(sets: WordSets, groups: np.ndarray, threshold: float = NEAR) -> pandas.DataFrame:
    """All near pairs in two different groups, the largest group compared with the rest, exactly.

    ``groups`` has a whole number for each set. For a few thousand held-out questions against a million this takes
    about a minute; the work grows with the product.
    """
    comparer = _Comparer(sets, threshold)
    largest = np.bincount(groups).argmax() if len(groups) else 0
    held = np.flatnonzero(groups != largest)
    parts = []
    for start in range(0, len(held), 256):
        first, second, similarity = comparer.grid(held[start : start + 256])
        # a pair of two that are held out is met twice
        once = (groups[first] != groups[second]) & ((first < second) | (groups[second] == largest))
        parts.append((first[once], second[once], similarity[once]))
    return _table(parts)


def straddling_cost(groups: np.ndarray) -> int:
    """How many comparisons :func:`straddling_pairs` makes."""
    return int(len(groups) * (len(groups) - np.bincount(groups).max())) if len(groups) else 0


def likely_pairs(
    sets: WordSets, groups: np.ndarray | None = None, *, seed: int = 1, threshold: float = NEAR
) -> pandas.DataFrame:
    """Near pairs among those that MinHash brings together: first < second, similarity. Some are missed.

    Without ``groups``, pairs that link every family found and need not list all of its pairs: what has been joined is
    not compared again. With them, pairs in two different groups, of equal sets in one group only the first. Equal sets
    are told by a sum of 64-bit hashes, every other pair is compared exactly. ``seed`` draws the permutations. On the
    questions of llm_adapters_cot and GSM8K together (12,614; comparing all gives 8,943 near pairs) each near pair ended
    in one family, with each of three seeds.
    """
    rows, found = _distinct(sets, groups)
    few = sets.take(rows)
    comparer, minima = _Comparer(few, threshold), _Minima(few, seed)
    apart = np.arange(len(rows)) if groups is None else groups[rows]
    parts = [found]
    keys = minima.keys(0)
    for band in range(BANDS):
        following = minima.keys((band + 1) % BANDS)
        order = np.lexsort((following, keys))
        ranked, keys = keys[order], following
        for distance in range(1, WINDOW + 1):
            agree = np.flatnonzero(ranked[:-distance] == ranked[distance:])
            if not len(agree):
                break
            first, second = order[agree], order[agree + distance]
            open_ones = apart[first] != apart[second]
            near = comparer.pairs(first[open_ones], second[open_ones])
            parts.append((rows[near[0]], rows[near[1]], near[2]))
            if groups is None and len(near[0]):
                apart = _joined(apart, near)
    return _table(parts).drop_duplicates(["first", "second"], ignore_index=True)


def family_labels(count: int, pairs: pandas.DataFrame) -> np.ndarray:
    """The family of each of ``count`` questions: near copies, and near copies of those, share one.

    Families are numbered by first appearance. ``pairs`` are those to join, from :func:`near_pairs` or
    :func:`likely_pairs`.
    """
    return _joined(np.arange(count), (pairs["first"].to_numpy(np.int64), pairs["second"].to_numpy(np.int64)))


def families(questions: Sequence[str], threshold: float = NEAR) -> list[list[int]]:
    """Positions grouped so that near-duplicates, and near-duplicates of those, share a group; each sorted."""
    sets = word_sets(questions)
    labels = family_labels(len(sets), near_pairs(sets, threshold))
    return [list(map(int, np.flatnonzero(labels == label))) for label in range(labels.max(initial=-1) + 1)]


class _Comparer:
    """Exact overlap of pairs of sets, after a filter that costs a few instructions a pair and loses none.

    Each set is also a row of bits, one bit a word (words share bits). A bit that differs stands for at least one word
    that only one of the two holds, and Jaccard >= t allows (a + b) (1 - t) / (1 + t) such words, or fewer.
    """

    def __init__(self, sets: WordSets, threshold: float) -> None:
        self.sets, self.threshold, self.sizes = sets, threshold, sets.sizes
        both = np.arange(2 * self.sizes.max(initial=0) + 1)
        self.allowed = np.floor(both * (1 - threshold) / (1 + threshold) + 1e-6).astype(np.uint16)
        width = 4
        while width * 16 < len(sets.ids) / max(len(sets), 1) and width < 64:
            width *= 2
        places = np.random.default_rng(0).integers(0, 64 * width, sets.words, dtype=np.int64)
        self.bits = np.zeros((width, len(sets)), dtype=np.uint64)
        for begin, end in _chunks(sets.starts):
            row = np.repeat(np.arange(begin, end), self.sizes[begin:end])
            place = places[sets.ids[sets.starts[begin] : sets.starts[end]]]
            cell = place // 64 * len(sets) + row
            np.bitwise_or.at(self.bits.reshape(-1), cell, np.uint64(1) << (place % 64).astype(np.uint64))

    def grid(self, rows: np.ndarray, start: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The near pairs of every one of ``rows`` with every set from ``start`` on."""
        firsts, seconds = [], []
        for begin in range(start, len(self.sets), _TILE):
            end = min(begin + _TILE, len(self.sets))
            step = max(1, _TILE * 16 // (end - begin))
            for top in range(0, len(rows), step):
                some = rows[top : top + step]
                only = np.zeros((len(some), end - begin), dtype=np.uint16)
                for bits in self.bits:
                    only += np.bitwise_count(bits[some, None] ^ bits[None, begin:end])
                row, column = np.nonzero(only <= self.allowed[self.sizes[some, None] + self.sizes[None, begin:end]])
                firsts.append(some[row])
                seconds.append(column + begin)
        return self._exact(*(np.concatenate(parts) if parts else np.zeros(0, np.int64) for parts in (firsts, seconds)))

    def pairs(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The near ones among these pairs."""
        kept = [np.zeros(0, dtype=np.int64)]
        for start in range(0, len(first), _BLOCK):
            one, other = first[start : start + _BLOCK], second[start : start + _BLOCK]
            only = np.zeros(len(one), dtype=np.uint16)
            for bits in self.bits:
                only += np.bitwise_count(bits[one] ^ bits[other])
            kept.append(start + np.flatnonzero(only <= self.allowed[self.sizes[one] + self.sizes[other]]))
        near = np.concatenate(kept)
        return self._exact(first[near], second[near])

    def _exact(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        similarity = np.zeros(len(first))
        step = max(1, _BLOCK // 64)
        for start in range(0, len(first), step):
            part = slice(start, start + step)
            one, other = self.sets.take(first[part]), self.sets.take(second[part])
            # The words of both as numbers that hold the pair too; a word in both then occurs twice.
            number = np.arange(len(one))
            pair = np.concatenate([np.repeat(number, one.sizes), np.repeat(number, other.sizes)])
            merged = np.sort(pair * np.int64(self.sets.words) + np.concatenate([one.ids, other.ids]))
            twice = merged[:-1][merged[:-1] == merged[1:]] // self.sets.words if len(merged) else merged
            shared = np.bincount(twice, minlength=len(one))
            union = one.sizes + other.sizes - shared
            similarity[part] = np.divide(shared, union, out=np.zeros(len(one)), where=union > 0)
        near = similarity >= self.threshold
        return first[near], second[near], similarity[near]


class _Minima:
    """The MinHash signatures of sets, a band at a time.

    The signature of a union is the smaller value of the two at each permutation. So datasketch gives those of single
    words, and a set takes the smallest of its words'. 640 bytes a different word.
    """

    def __init__(self, sets: WordSets, seed: int) -> None:
        self.sets = sets
        words = ([word] for word in range(sets.words))
        single = MinHash.generator(words, num_perm=BANDS * BAND, seed=seed, hashfunc=int)
        values = np.empty((BANDS * BAND, sets.words), dtype=np.uint32)
        for word, signature in enumerate(single):
            values[:, word] = signature.hashvalues
        self.values = values

    def keys(self, band: int) -> np.ndarray:
        """One number a set, equal where all permutations of the band agree."""
        keys = np.zeros(len(self.sets), dtype=np.uint64)
        for values in self.values[band * BAND : (band + 1) * BAND]:
            smallest = _over_sets(np.minimum, values, self.sets)
            keys = (keys ^ smallest) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(29)
        return keys


def _chunks(starts: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of sets that hold about a million words each, so that arrays over words stay small."""
    begin, last = 0, len(starts) - 1
    while begin < last:
        end = max(begin + 1, int(np.searchsorted(starts, starts[begin] + _BLOCK // 2, side="right")) - 1)
        yield begin, min(end, last)
        begin = end


def _over_sets(reduce: np.ufunc, values: np.ndarray, sets: WordSets) -> np.ndarray:
    """``reduce`` over the values of each set's words; no set may be empty."""
    result = np.empty(len(sets), dtype=values.dtype)
    for begin, end in _chunks(sets.starts):
        starts = sets.starts[begin : end + 1]
        words = values[sets.ids[starts[0] : starts[-1]]]
        result[begin:end] = reduce.reduceat(words, starts[:-1] - starts[0])
    return result


def _distinct(
    sets: WordSets, groups: np.ndarray | None
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """One row for all equal sets that hold words (of one group, if there are groups), and the pairs of equal sets."""
    filled = np.flatnonzero(sets.sizes)
    group = np.zeros(len(filled), dtype=np.int64) if groups is None else groups[filled]
    numbers = np.random.default_rng(0).integers(0, 2**64, sets.words, dtype=np.uint64)
    sums = _over_sets(np.add, numbers, sets.take(filled)) if len(filled) else np.zeros(0, dtype=np.uint64)
    order = np.lexsort((filled, group, sums))
    equal = sums[order[1:]] == sums[order[:-1]]
    same = equal & (group[order[1:]] == group[order[:-1]])
    first = np.concatenate([[True], ~same])[: len(order)]
    rows = filled[order[first]]
    if groups is None:
        others = filled[order[~first]]
        copies = (rows[np.cumsum(first)[~first] - 1], others)
    else:
        twins = np.flatnonzero(equal & ~same)  # neighbours: the last of one group, the first of the next
        copies = (rows[np.cumsum(first)[twins] - 1], filled[order[twins + 1]])
    return np.sort(rows), (*copies, np.ones(len(copies[0])))


def _table(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> pandas.DataFrame:
    if not parts:
        parts = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    first, second, similarity = (np.concatenate(values) for values in zip(*parts, strict=True))
    low, high = np.minimum(first, second), np.maximum(first, second)
    table = pandas.DataFrame({"first": low, "second": high, "similarity": similarity})
    return table.sort_values(["first", "second"], ignore_index=True)


def _joined(labels: np.ndarray, pairs: tuple[np.ndarray, ...]) -> np.ndarray:
    """``labels`` with those of each pair made one; numbered by first appearance."""
    count = int(labels.max(initial=-1)) + 1
    links = coo_array((np.ones(len(pairs[0]), np.int8), (labels[pairs[0]], labels[pairs[1]])), shape=(count, count))
    return first_seen(connected_components(links, directed=False)[1][labels]) if count else labels


def first_seen(labels: np.ndarray) -> np.ndarray:
    """The same labels as numbers from 0, in the order in which they first appear."""
    _, first, labels = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[labels]
