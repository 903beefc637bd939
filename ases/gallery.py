"""Sets of data side by side, for readers: those that are generated, and the named ones that are at hand.

>>> at_hand = sets_at_hand(settings.data)                                       # doctest: +SKIP
>>> list(at_hand.examples)                                                      # doctest: +SKIP
['word problems', 'PET reports, zh', 'PET reports, en', 'gsm8k', 'llm_adapters_cot']
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from ases.descriptions import coloured_rows
from ases.examples import Example, state_answer
from ases.labels import label_table
from ases.pieces import split_pieces
from ases.problems import generate_problems
from ases.reports import generate_reports
from ases.settings import GENERATED, DataSettings
from ases.splits import Splits, make_splits

NAMED = ("gsm8k", "llm_adapters_cot", "palm_svamp_cot")
"""Collected sets that are looked for beside ``data_folder``, each in a folder of its name."""

SAMPLE = 1000
"""Rationales of each set that are compared; drawn by seed where a set has more."""

VALID, TEST = 50, 100
"""Sizes of the splits by which each set is counted: small, so that every set has enough; at most those asked for."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class AtHand:
    """Some examples of each set, and for collected ones what became of every row: ``account`` and ``near_duplicates``.

    The tables are those of :class:`ases.splits.Splits`, with ``data`` before them.
    """

    examples: dict[str, list[Example]]
    account: pd.DataFrame
    near_duplicates: pd.DataFrame


def sets_at_hand(settings: DataSettings, progress: Progress = lambda message, done: None) -> AtHand:
    """What can be laid side by side: generated problems and reports, the set of ``settings``, and its neighbours."""
    examples = {
        "word problems": [state_answer(one) for one in _problems(settings)],
        "PET reports, zh": generate_reports(SAMPLE, seed=settings.data_seed, language="zh"),
        "PET reports, en": generate_reports(SAMPLE, seed=settings.data_seed, language="en"),
    }
    accounts, near = [], []
    for name, place in _places(settings).items():
        progress(f"reading {name}", len(accounts) / (1 + len(NAMED)))
        valid, test = VALID, TEST
        if name == settings.data:  # what suffices for the sizes asked for need not suffice for more
            valid, test = min(VALID, settings.valid_size), min(TEST, settings.test_size)
        own = replace(settings, data=name, data_folder=place, train_size=0, valid_size=valid, test_size=test)
        splits = make_splits(own)
        examples[name] = _drawn(splits, settings.data_seed)
        accounts.append(splits.account.assign(data=name))
        near.append(splits.near_duplicates.assign(data=name))
    return AtHand(examples, _together(accounts), _together(near))


def _problems(settings: DataSettings) -> list[Example]:
    """Word problems of all lengths: the rationales of real sets are not held to the steps of a size either."""
    return generate_problems(
        SAMPLE, seed=settings.data_seed, steps_from=1, steps_to=8, largest=100, distractors=settings.distractors
    )


def _places(settings: DataSettings) -> dict[str, str]:
    if settings.data in GENERATED:
        return {}
    if settings.data not in NAMED:
        return {settings.data: settings.data_folder}
    beside = Path(settings.data_folder).parent
    found = {name: str(beside / name) for name in NAMED if (beside / name).is_dir()}
    return {**found, settings.data: settings.data_folder}


def _drawn(splits: Splits, seed: int) -> list[Example]:
    places = list(range(len(splits.train)))
    if len(places) > SAMPLE:
        places = sorted(random.Random(seed).sample(places, SAMPLE))
    return [splits.train[place] for place in places]


def _together(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    if not tables:
        return pd.DataFrame()
    table = pd.concat(tables, ignore_index=True)
    return table[["data", *table.columns.drop("data")]]


def examples_shown(examples: Sequence[Example], count: int = 3) -> list[dict[str, Any]]:
    """The first examples with their pieces and gold labels, as :func:`ases.coloured.coloured` takes them."""
    shown = list(islice(examples, count))
    gold = [list(one.gold or [None] * len(split_pieces(one.rationale))) for one in shown]
    return coloured_rows(label_table({"train": shown}, {"train": gold}, None), shown, count)
