"""Families of near copies, placed whole: which questions belong together, and what a careless split would have done.

>>> families = Families(np.array([0, 0, 1, 2]), np.arange(4))
>>> families.take([0, 1, 2], 2)
([0, 1], [1, 2], [])
"""

from __future__ import annotations

import numpy as np
import pandas

from ases.duplicates import first_seen


class Families:
    """Questions by family, and which of them are still to be placed (``open``, one truth value a question).

    ``order`` lists the questions in an order that does not depend on how their files are sorted; families are numbered
    by their first member in it, and list their members in it.
    """

    def __init__(self, labels: np.ndarray, order: np.ndarray) -> None:
        self.order = order
        self.labels = np.empty_like(labels)
        self.labels[order] = first_seen(labels[order])
        self.open = np.ones(len(labels), dtype=bool)
        self._members = order[np.argsort(self.labels[order], kind="stable")]
        self._starts = np.searchsorted(self.labels[self._members], np.arange(labels.max(initial=-1) + 2))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def members(self, family: int) -> list[int]:
        """The open questions of a family, in order."""
        rows = self._members[self._starts[family] : self._starts[family + 1]]
        return rows[self.open[rows]].tolist()

    def sizes(self) -> np.ndarray:
        """How many open questions each family has."""
        return np.bincount(self.labels[self.open], minlength=len(self))

    def take(self, waiting: list[int], size: int) -> tuple[list[int], list[int], list[int]]:
        """Whole families, in the order of ``waiting``, up to exactly ``size`` questions.

        Returns the questions taken, the families left, and what is left of a family cut to fit: the smallest that is
        too large, and only where no other will do.
        """
        sizes = self.sizes().tolist()
        part: list[int] = []
        others = []
        for family in waiting:
            if len(part) + sizes[family] <= size:
                part += self.members(family)
            elif sizes[family]:
                others.append(family)
        short = size - len(part)
        if not short or not others:
            return part, others, []
        smallest = min(others, key=sizes.__getitem__)
        members = self.members(smallest)
        return part + members[:short], [family for family in others if family != smallest], members[short:]


def measures(labels: np.ndarray, pairs: pandas.DataFrame | None, place: np.ndarray, official: bool) -> dict[str, int]:
    """What is alike, and what a split that knows nothing of it, a random one or the official, does with it.

    ``place`` is the split of each question in it, 2 for test. ``pairs`` are all near copies, or None where there are
    too many questions to list them.
    """
    split, verb = ("the official split", "parts") if official else ("a random split", "would part")
    sizes = np.bincount(labels)
    found: dict[str, int] = {}
    if pairs is not None:
        found["near-duplicate pairs"] = len(pairs)
        found["of these with the same words but for numbers and names"] = int((pairs["similarity"] == 1).sum())
    found["families of two questions or more"] = int((sizes > 1).sum())
    found["questions in these families"] = int(sizes[sizes > 1].sum())
    found["largest family"] = int(sizes.max())
    by_place = np.stack([np.bincount(labels[place == one], minlength=len(sizes)) for one in range(3)])
    if pairs is not None:
        first, second = pairs["first"].to_numpy(np.int64), pairs["second"].to_numpy(np.int64)
        straddles = place[first] != place[second]
        ends = np.concatenate([first[straddles], second[straddles]])
        found[f"pairs that {split} {verb}"] = int(straddles.sum())
        found[f"test questions with a near copy elsewhere in {split}"] = len(np.unique(ends[place[ends] == 2]))
    found[f"families that {split} {verb}"] = int(((by_place > 0).sum(axis=0) > 1).sum())
    found["questions to move or drop so that it parts none"] = int((sizes - by_place.max(axis=0)).sum())
    return found
