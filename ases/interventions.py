"""A causal test: one number of a right prefix is changed, in a fact or in an inference, and the model goes on.

>>> probes = probes_for(examples)                                                # doctest: +SKIP
>>> probes[0].kind, probes[0].right, probes[0].wrong                              # doctest: +SKIP
('ES', 'Kira had 6 cards, ', 'Kira had 8 cards, ')

Each question that has both gives two probes: the pieces of its gold chain up to an ES piece that repeats a number of
the question, and up to an AS piece that works a number out, with more inference still to come. Each probe is continued
twice, from the right prefix and from one whose last piece has the number changed, so that what the change costs is a
paired difference on the same question and prefix. Ours.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from transformers import PreTrainedModel

from ases.arithmetic import numerals
from ases.begun import continued, prefix_ids
from ases.examples import AS, ES, Example
from ases.metrics import is_correct
from ases.pieces import split_pieces
from ases.ratios import difference_table, ratio_table
from ases.settings import GenerationSettings
from ases.tokens import Codec
from ases.trials import verdict

KINDS = {ES: "a copied fact", AS: "an inference"}
STATES = ("right prefix", "wrong prefix")
_NUMBER = re.compile(r"(?<![\d.,])\d+(?![\d]|[.,]\d)")


@dataclass(frozen=True)
class Probe:
    """A prefix of a gold chain: pieces ``before``, then the last one as it stands (``right``) and changed (``wrong``).

    ``changed`` is the number that took the right one's place.
    """

    example: Example
    kind: str
    before: tuple[str, ...]
    right: str
    wrong: str
    changed: str

    def pieces(self, state: str) -> list[str]:
        """The pieces of the prefix in one of :data:`STATES`."""
        return [*self.before, self.right if state == STATES[0] else self.wrong]


def probes_for(examples: Sequence[Example]) -> list[Probe]:
    """The probes of the questions that have one of each kind, in their order: ES, AS, ES, AS, ...

    The last ES piece before the last inference that repeats a number of the question, and the first inference of a
    new number that is followed by another. The changed number is near the right one and stands nowhere in the question
    or the chain; it is drawn by qid. Empty where nothing has gold labels or two inferences.
    """
    found = []
    for example in examples:
        if example.gold is None or example.answer is None:
            continue
        pieces = split_pieces(example.rationale)
        inferences = [place for place, label in enumerate(example.gold) if label == AS]
        facts = [
            place
            for place in range(inferences[-1] if inferences else 0)
            if example.gold[place] == ES and _numbers(pieces[place], example.question)
        ]
        early = [place for place in inferences[:-1] if _worked_out(pieces[place])]
        if facts and early:
            found += [_probe(example, pieces, facts[-1], ES), _probe(example, pieces, early[0], AS)]
    return found


def _numbers(piece: str, question: str) -> list[re.Match[str]]:
    """The numbers of a piece that the question has, too."""
    asked = numerals(question)
    return [match for match in _NUMBER.finditer(piece) if int(match.group()) in asked]


def _worked_out(piece: str) -> re.Match[str] | None:
    """The result that a piece states: its first number after the last equals sign, None where there is none."""
    return _NUMBER.search(piece, piece.rfind("=")) if "=" in piece else None


def _probe(example: Example, pieces: Sequence[str], place: int, kind: str) -> Probe:
    right = pieces[place]
    match = _worked_out(right) if kind == AS else _numbers(right, example.question)[-1]
    value = int(match.group())
    taken = numerals(example.question) | numerals(example.rationale)
    free = [one for one in range(max(1, value - 4), value + 6) if one not in taken] or [value + 17]
    drawn = int.from_bytes(hashlib.sha256(f"{example.qid} {kind}".encode()).digest()[:4], "big")
    changed = str(free[drawn % len(free)])
    wrong = right[: match.start()] + changed + right[match.end() :]
    return Probe(example, kind, tuple(pieces[:place]), right, wrong, changed)


def go_on(
    probes: Sequence[Probe],
    models: Mapping[str, PreTrainedModel],
    codec: Codec,
    method: str,
    settings: GenerationSettings,
    labels: Mapping[str, Sequence[str | None]] | None = None,
    typed: bool = False,
) -> pd.DataFrame:
    """What a trained model makes of each probe, a row a probe and state.

    Columns: ``qid, kind, state`` (:data:`STATES`), ``chain`` (what was written after the prefix), ``correct``,
    ``carried`` (1 where the changed number stands in it). Greedy, whatever the settings' decoding, whose limits hold.
    ``labels`` are the arm's own, by qid: a merged prefix joins its pieces by them. Raises DataError for a method that
    writes no chain.
    """
    units = [(probe, state) for probe in probes for state in STATES]
    prefixes = [
        prefix_ids(probe.pieces(state), codec, method, None if labels is None else labels[probe.example.qid], typed)
        for probe, state in units
    ]
    texts = continued([probe.example.question for probe, _ in units], prefixes, models, codec, method, settings)
    rows = [
        {
            "qid": probe.example.qid,
            "kind": probe.kind,
            "state": state,
            "chain": text,
            "correct": float(is_correct(text, probe.example.answer)),
            "carried": float(int(probe.changed) in numerals(text)),
        }
        for (probe, state), text in zip(units, texts, strict=True)
    ]
    return pd.DataFrame(rows, columns=["qid", "kind", "state", "chain", "correct", "carried"])


# Tables ---------------------------------------------------------------------------------------------------------


def harm_table(outcomes: pd.DataFrame) -> pd.DataFrame:
    """What one wrong number costs: a row an arm and kind of piece, from :func:`go_on` with ``arm`` and ``seed``.

    ``arm, kind, accuracy`` (after the right prefix) and ``accuracy_wrong``, each with its ``_low`` and ``_high``;
    ``harm`` (the first less the second, the same questions) with ``harm_low, harm_high``; ``carried``, the share of
    wrong prefixes whose number is used again; ``n`` (questions), ``seeds``. 95 % intervals: :mod:`ases.ratios`.
    """
    keys = ["arm", "kind"]
    means = {state: ratio_table(part, "correct", keys).set_index(keys) for state, part in outcomes.groupby("state")}
    harm = difference_table(outcomes, "correct", "state", *STATES, by=keys).set_index(keys)
    wrong = outcomes[outcomes["state"] == STATES[1]]
    carried = ratio_table(wrong, "carried", keys).set_index(keys)["carried"]
    right, changed = (means[state] for state in STATES)
    table = pd.DataFrame(
        {
            "accuracy": right["correct"],
            "accuracy_low": right["low"],
            "accuracy_high": right["high"],
            "accuracy_wrong": changed["correct"],
            "accuracy_wrong_low": changed["low"],
            "accuracy_wrong_high": changed["high"],
            "harm": harm["difference"],
            "harm_low": harm["low"],
            "harm_high": harm["high"],
            "carried": carried,
            "n": right["questions"],
            "seeds": right["seeds"],
        }
    )
    return table.loc[right.index].reset_index()


def harm_difference(outcomes: pd.DataFrame) -> pd.DataFrame:
    """How much more a wrong inference costs than a wrong fact: ``arm, difference, low, high, n, questions, seeds``."""
    keys = ["arm", "seed", "qid", "kind"]
    both = outcomes.pivot(index=keys, columns="state", values="correct")
    order = list(dict.fromkeys(outcomes["arm"]))
    harms = (both[STATES[0]] - both[STATES[1]]).rename("harm").reindex(order, level="arm").reset_index()
    return difference_table(harms, "harm", "kind", AS, ES, ["arm"])


def harm_sentences(table: pd.DataFrame, differences: pd.DataFrame) -> list[str]:
    """Both tables in words, and whether a wrong inference hurts more, as was predicted."""
    lines, held = [], 0
    for row in differences.to_dict("records"):
        of = table[table["arm"] == row["arm"]].set_index("kind")
        costs = [
            f"{KINDS[kind]} takes {100 * of.loc[kind, 'harm']:.0f} points off {of.loc[kind, 'accuracy']:.0%} and is "
            f"used again in {of.loc[kind, 'carried']:.0%} of chains"
            for kind in (ES, AS)
        ]
        low, high = 100 * row["low"], 100 * row["high"]
        clear = low > 0 or high < 0
        held += low > 0
        side = (
            ("an inference hurts more" if low > 0 else "a fact hurts more") if clear else "which cannot be told apart"
        )
        lines.append(
            f"{row['arm']}: one wrong number in {costs[0]}; in {costs[1]}: {side} (difference "
            f"{100 * row['difference']:+.0f} points, 95 % interval {low:+.0f} to {high:+.0f}, {row['questions']:.0f} "
            "questions)."
        )
    return [*lines, verdict(held, len(differences), "arms; intervals are not corrected for their number")]
