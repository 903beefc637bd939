"""Information per step: what each piece of a chain adds to the probability of the right answer, in nats.

>>> gains = gain_table(chains, test, scorer)                                      # doctest: +SKIP
>>> information_table(gains)[["source", "place", "gain"]]                         # doctest: +SKIP

The scorer is a model trained to answer from partial chains (:func:`ases.scorers.answer_table`; Ton et al., ICML 2025).
It reads gold chains and those that the arms wrote, right or wrong; the answer whose probability counts is always the
reference's. So a wrong step can make the answer less likely than it was, and its gain is below zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ases.examples import Example
from ases.pieces import split_pieces
from ases.ratios import difference_table, ratio_table
from ases.scorers import Scorer, answer_table
from ases.trials import verdict, with_chains

GOLD, RIGHT, WRONG = "gold chains", "chains with a right answer", "chains with a wrong answer"
SOURCES = (GOLD, RIGHT, WRONG)
LAST_PLACE = 5
"""Later pieces are counted with this one."""


def gold_gains(examples: Sequence[Example], scorer: Scorer) -> pd.DataFrame:
    """The gain of every piece of the gold chains: the columns of :func:`gain_table`, ``arm`` empty, with ``label``."""
    labels = [
        {"qid": example.qid, "piece": place, "label": label}
        for example in examples
        for place, label in enumerate(example.gold or [None] * len(split_pieces(example.rationale)))
    ]
    table = answer_table(examples, scorer).merge(pd.DataFrame(labels), on=["qid", "piece"], how="left")
    return _counted(table.assign(source=GOLD, arm="", seed=0))


def gain_table(predictions: pd.DataFrame, examples: Sequence[Example], scorer: Scorer) -> pd.DataFrame:
    """The gain of every piece of what one arm wrote to these examples from one seed; a row a piece.

    ``source`` (of :data:`SOURCES`), ``arm, seed, qid, piece`` (from 0), ``pieces`` (of the chain), ``label`` (None),
    ``log_answer``, ``gain`` (nats). Chains without text have no row.
    """
    written = with_chains(examples, predictions)
    right = predictions.set_index("qid")["correct"].astype(bool)
    if not written:
        return pd.DataFrame(columns=_COLUMNS)
    table = answer_table(written, scorer)
    source = table["qid"].map(right).map({True: RIGHT, False: WRONG})
    named = {"arm": predictions["arm"].iloc[0], "seed": predictions["seed"].iloc[0], "label": None}
    return _counted(table.assign(source=source, **named))


_COLUMNS = ["source", "arm", "seed", "qid", "piece", "pieces", "label", "log_answer", "gain"]


def _counted(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(pieces=table.groupby("qid")["piece"].transform("size"))[_COLUMNS]


def information_table(gains: pd.DataFrame) -> pd.DataFrame:
    """The mean gain by source and place in the chain, a row each; all arms together.

    ``source``, ``place`` (``1`` to ``5 or later``, and ``last``, the last piece of a chain, which is counted in its own
    place too), ``gain`` (nats) with ``low, high`` (95 %), ``n`` (pieces), ``questions, seeds``.
    """
    place = (gains["piece"] + 1).clip(upper=LAST_PLACE)
    named = place.astype(str).where(place < LAST_PLACE, f"{LAST_PLACE} or later")
    last = gains[gains["piece"] == gains["pieces"] - 1].assign(place="last")
    table = ratio_table(pd.concat([gains.assign(place=named), last], ignore_index=True), "gain", ["source", "place"])
    order = [*map(str, range(1, LAST_PLACE)), f"{LAST_PLACE} or later", "last"]
    key = {"source": SOURCES.index, "place": order.index}
    return table.sort_values(["source", "place"], key=lambda one: one.map(key[one.name])).reset_index(drop=True)


def total_table(gains: pd.DataFrame) -> pd.DataFrame:
    """What whole chains add: a row a source and arm: ``source, arm, gain`` (nats a chain), ``low, high``, counts."""
    whole = gains.groupby(["source", "arm", "seed", "qid"], sort=False)["gain"].sum().reset_index()
    table = ratio_table(whole, "gain", ["source", "arm"])
    arms = list(dict.fromkeys(gains["arm"]))
    key = {"source": SOURCES.index, "arm": arms.index}
    return table.sort_values(["arm", "source"], key=lambda one: one.map(key[one.name])).reset_index(drop=True)


def gain_by_label(gains: pd.DataFrame) -> pd.DataFrame:
    """The mean gain of AS and of ES pieces of gold chains: ``label, gain, low, high``, counts; empty without labels."""
    return ratio_table(gains[(gains["source"] == GOLD) & gains["label"].notna()], "gain", ["label"])


def information_sentences(gains: pd.DataFrame) -> list[str]:
    """The gains in words, and whether right chains add more than wrong, and AS pieces more than ES, as predicted."""
    lines, told = [], []
    by_source = {
        source: ratio_table(part.groupby(["seed", "arm", "qid"])["gain"].sum().reset_index(), "gain")
        for source, part in gains.groupby("source", sort=False)
    }
    for source in (one for one in SOURCES if one in by_source):
        row = by_source[source].iloc[0]
        lines.append(
            f"{source[0].upper()}{source[1:]} add {row['gain']:+.2f} nats to the answer's log-probability (95 % "
            f"interval {row['low']:+.2f} to {row['high']:+.2f}, {row['n']:,.0f} chains)."
        )
    whole = gains.groupby(["source", "arm", "seed", "qid"], sort=False)["gain"].sum().reset_index()
    for what, table, between, first, second in (
        ("chains with a right answer than chains with a wrong one", whole, "source", RIGHT, WRONG),
        ("AS pieces than ES pieces of gold chains", gains[gains["source"] == GOLD], "label", "AS", "ES"),
    ):
        found = difference_table(table, "gain", between, first, second)
        if len(found):
            row = found.iloc[0]
            lines.append(
                f"{row['difference']:+.2f} nats more in {what} (95 % interval {row['low']:+.2f} to {row['high']:+.2f})."
            )
            if row["low"] > 0 or row["high"] < 0:
                told.append(bool(row["low"] > 0))
    return [*lines, verdict(sum(told), len(told), "comparisons that can tell")]
