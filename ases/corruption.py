"""Texts -> pairs of span corruption: some of a text is left out, to be written (T5: Raffel et al., 2020).

>>> pair = Corrupted([codec.encode("Ann had 3 pens and Bob had 4.")], codec, Noise())[0]        # doctest: +SKIP
>>> codec.decode(pair.context), codec.decode(pair.target)                                       # doctest: +SKIP
('Ann had <extra_id_0> and Bob had 4.', '<extra_id_0>3 pens')
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ases.segments import Pair
from ases.tokens import Codec


@dataclass(frozen=True)
class Noise:
    """``share`` of the tokens is left out, in spans of ``span`` tokens on average, of texts of up to ``longest``."""

    share: float = 0.15
    span: float = 3.0
    longest: int = 256
    seed: int = 0


class Corrupted(Sequence):
    """Texts as T5's span corruption asks them: spans left out of the source, to be written in the target.

    Row ``n`` is text ``n`` modulo their number, with noise of its own, drawn by (seed, n): beyond the first pass the
    same texts come with other spans. Made when asked for, so that any number of passes takes no memory.
    """

    def __init__(self, windows: Sequence[Sequence[int]], codec: Codec, noise: Noise) -> None:
        self.windows, self.codec, self.noise = windows, codec, noise
        self.sentinels = codec.tokenizer.convert_tokens_to_ids(sentinels(noise))

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, row: int) -> Pair:
        if isinstance(row, slice) or row < 0:
            raise TypeError("rows are taken one at a time, from 0")
        if row >= len(self) * 2**20:
            raise IndexError(row)
        ids = self.windows[row % len(self)]
        rng = np.random.default_rng([self.noise.seed, row])
        left_out, spans = self.counts(len(ids))
        kept_runs = _partition(len(ids) - left_out, spans, rng)
        lost_runs = _partition(left_out, spans, rng)
        source: list[int] = []
        target: list[int] = []
        place = 0
        for sentinel, kept, lost in zip(self.sentinels, kept_runs, lost_runs, strict=False):
            source += [*ids[place : place + kept], sentinel]
            target += [sentinel, *ids[place + kept : place + kept + lost]]
            place += kept + lost
        return Pair(f"text-{row % len(self)}", "model", None, (*source, self.codec.end), (*target, self.codec.end))

    def __iter__(self) -> Iterator[Pair]:
        return (self[row] for row in range(len(self)))

    def counts(self, length: int) -> tuple[int, int]:
        """How many of so many tokens are left out, and in how many spans; the same each time."""
        left_out = min(max(1, round(length * self.noise.share)), length - 1)
        return left_out, min(max(1, round(left_out / self.noise.span)), length - left_out)

    def lengths(self, length: int) -> tuple[int, int]:
        """Source and target tokens of a text of so many tokens."""
        left_out, spans = self.counts(length)
        return length - left_out + spans + 1, left_out + spans + 1


def sentinels(noise: Noise) -> list[str]:
    """The tokens that stand for what is left out, T5's names: as many as the longest text can need."""
    most = max(1, round(round(noise.longest * noise.share) / noise.span)) + 1
    return [f"<extra_id_{number}>" for number in range(most)]


def _partition(total: int, parts: int, rng: np.random.Generator) -> list[int]:
    """``parts`` whole numbers of 1 or more that add up to the total, all such rows equally likely."""
    cuts = np.sort(rng.choice(total - 1, parts - 1, replace=False)) + 1 if parts > 1 else np.zeros(0, dtype=int)
    return np.diff([0, *cuts.tolist(), total]).tolist()
