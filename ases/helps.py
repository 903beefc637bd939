"""What stops a chain on problems longer than any learned: helped chains of all trials of a run, and their tables.

>>> trials = trials_of(runs.cells(run))                                           # doctest: +SKIP
>>> left_table(begun_of(run, trials, valid, test))                                # doctest: +SKIP

Chains are those of :mod:`ases.head_starts`, on questions drawn by seed, as many of each length. What takes time is kept
as in :mod:`ases.why`. Intervals are 95 % (:func:`ases.longer.share_table`, :mod:`ases.ratios`). Ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ases.examples import Example
from ases.head_starts import HELPS, begun_chains, kept_chains, steps_needed
from ases.longer import share_table
from ases.ratios import difference_table
from ases.steps import KINDS, NONE
from ases.trials import Trial, drawn_examples, looked_into, shown_labels, trained
from ases.why import Place, over_trials

OF_EACH_LENGTH = {"begun": 25, "kept": 25}
"""Questions of each length that an analysis looks at, at most."""

KNOWN = {False: "learned lengths", True: "lengths never shown"}


def of_each_length(examples: Sequence[Example], count: int) -> list[Example]:
    """At most so many examples of each number of steps, drawn by seed, the shortest first."""
    by_length: dict[int, list[Example]] = {}
    for one in examples:
        by_length.setdefault(steps_needed(one.rationale), []).append(one)
    return [one for length in sorted(by_length) for one in drawn_examples(by_length[length], count)]


def begun_of(
    run: Place, trials: Sequence[Trial], learned: Sequence[Example], longer: Sequence[Example]
) -> pd.DataFrame:
    """Chains with each head start, on problems of lengths that training has shown and on longer ones.

    Rows of :func:`ases.head_starts.begun_chains` with ``longer``, ``arm`` and ``seed``.
    """
    learned, longer = (of_each_length(part, OF_EACH_LENGTH["begun"]) for part in (learned, longer))
    sample = [*learned, *longer]
    known = {one.qid for one in learned}

    def make(trial: Trial) -> pd.DataFrame:
        models, codec = trained(trial)
        labels, typed = _labels(trial, learned, longer), trial.training.settings.training.typed
        found = begun_chains(sample, models, codec, trial.method, trial.run.settings.generation, labels, typed)
        return found.assign(longer=~found["qid"].isin(known))

    return over_trials(run, _written(trials), "begun", make)


def kept_of(run: Place, trials: Sequence[Trial], examples: Sequence[Example]) -> pd.DataFrame:
    """Chains as the arms write them, and kept from ending: rows of :func:`ases.head_starts.kept_chains`."""
    sample = of_each_length(examples, OF_EACH_LENGTH["kept"])

    def make(trial: Trial) -> pd.DataFrame:
        models, codec = trained(trial)
        return kept_chains(sample, models, codec, trial.method, trial.run.settings.generation)

    return over_trials(run, _written(trials), "kept", make)


def _labels(trial: Trial, learned: Sequence[Example], longer: Sequence[Example]) -> dict[str, list[str | None]] | None:
    """The arm's own labels of all of them; the problems that it has learned from are validation's."""
    both = [shown_labels(trial, *part) for part in (("valid", learned), ("test", longer))]
    return None if None in both else both[0] | both[1]


def _written(trials: Sequence[Trial]) -> list[Trial]:
    return [one for one in looked_into(trials) if one.method != "answer-only"]


# Tables -----------------------------------------------------------------------------------------------------------


def left_table(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Right answers by how many steps are left to write, on learned lengths and on longer ones: a row each.

    ``arm, longer, left, correct, low, high, n, questions, seeds``; ``outcomes`` is that of :func:`begun_of`.
    """
    found = share_table(outcomes, "correct", ["arm", "longer", "left"])
    order = {arm: place for place, arm in enumerate(outcomes["arm"].unique())}
    return found.sort_values(["arm", "longer", "left"], key=lambda one: one.map(order) if one.name == "arm" else one)


def length_costs(outcomes: pd.DataFrame, left: int) -> pd.DataFrame:
    """What length alone costs: learned lengths less longer ones, with so many steps left, ``arm, difference, ...``.

    Other questions stand on the two sides, of the same seeds' models.
    """
    return difference_table(outcomes[outcomes["left"] == left], "correct", "longer", False, True, ["arm"])


def arm_leads(outcomes: pd.DataFrame, left: int, baseline: str) -> pd.DataFrame:
    """How far each arm is ahead of the baseline on longer problems, so many steps left: ``arm, difference, ...``."""
    part = outcomes[outcomes["longer"] & (outcomes["left"] == left)]
    others = [arm for arm in part["arm"].unique() if arm != baseline]
    found = [
        difference_table(part[part["arm"].isin([arm, baseline])], "correct", "arm", arm, baseline).assign(arm=arm)
        for arm in others
    ]
    columns = ["arm", "difference", "low", "high", "n", "questions", "seeds"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def kept_table(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Right answers and chains with enough steps, by help: ``arm, help, correct, enough``, each with ``_low, _high``.

    Counts are ``n, questions, seeds``; ``outcomes`` is that of :func:`kept_of`.
    """
    keys, found = ["arm", "help"], None
    for value in ("correct", "enough"):
        table = share_table(outcomes, value, keys).rename(columns={"low": f"{value}_low", "high": f"{value}_high"})
        counts = ["n", "questions", "seeds"]
        found = table if found is None else found.drop(columns=counts).merge(table, on=keys)
    return found


def kept_gains(outcomes: pd.DataFrame) -> pd.DataFrame:
    """What being kept from ending adds to each arm's right answers, on the same questions: ``arm, difference, ...``."""
    return difference_table(outcomes, "correct", "help", HELPS[1], HELPS[0], ["arm"])


def kinds_table(outcomes: pd.DataFrame) -> pd.DataFrame:
    """What goes wrong first, by help: ``arm, help, kind, share, low, high, n, questions, seeds``; the rest is right.

    Kinds are those of :data:`ases.steps.KINDS` that occur, and :data:`ases.steps.NONE`.
    """
    found = []
    for kind in (*KINDS, NONE):
        hit = (outcomes["kind"] == kind).astype(float)
        if hit.any():
            found.append(share_table(outcomes.assign(share=hit), "share", ["arm", "help"]).assign(kind=kind))
    columns = ["arm", "help", "kind", "share", "low", "high", "n", "questions", "seeds"]
    return pd.concat(found, ignore_index=True)[columns]


def shown_chains(outcomes: pd.DataFrame, examples: Sequence[Example]) -> list[str]:
    """One question, its reference, and what each arm wrote with and without help, a line each.

    The first question for which being kept from ending changed most arms' chains.
    """
    chains = outcomes[outcomes["seed"] == outcomes["seed"].min()].pivot(
        index="qid", columns=["arm", "help"], values="chain"
    )
    arms = list(dict.fromkeys(outcomes["arm"]))
    changed = sum((chains[arm, HELPS[0]] != chains[arm, HELPS[1]]).astype(int) for arm in arms)
    one = next(example for example in examples if changed.get(example.qid, -1) == changed.max())
    rows = [("question", one.question), ("reference", one.rationale)]
    rows += [(f"{arm}, {help_}", chains.loc[one.qid, (arm, help_)]) for arm in arms for help_ in HELPS]
    return [f"**{writer}**: {text}" for writer, text in rows]


# In words ---------------------------------------------------------------------------------------------------------


def left_sentences(table: pd.DataFrame, costs: pd.DataFrame, left: int) -> list[str]:
    """A :func:`left_table` in words, an arm each, and :func:`length_costs` with so many steps left."""
    lines = []
    for arm, rows in table.groupby("arm", sort=False):
        parts = []
        for longer, part in rows.groupby("longer"):
            said = ", ".join(f"{row['correct']:.0%} with {row['left']} left" for row in part.to_dict("records"))
            parts.append(f"{KNOWN[bool(longer)]}: {said}")
        lines.append(f"{arm}: {'; '.join(parts)}.")
    for row in costs.to_dict("records"):
        low, high = 100 * row["low"], 100 * row["high"]
        side = "answered less often than" if low > 0 else "answered more often than"
        side = side if low > 0 or high < 0 else "not told apart from"
        lines.append(
            f"{row['arm']}, with {left} steps left: problems of lengths never shown are {side} learned ones "
            f"(learned less never shown {100 * row['difference']:+.0f} points, {low:+.0f} to {high:+.0f})."
        )
    return lines


def kept_sentences(table: pd.DataFrame, gains: pd.DataFrame, kinds: pd.DataFrame) -> list[str]:
    """A :func:`kept_table` in words, an arm each: what is gained, and what goes wrong instead of ending early."""
    lines = []
    for row in gains.to_dict("records"):
        own, kept = (table[(table["arm"] == row["arm"]) & (table["help"] == help_)].iloc[0] for help_ in HELPS)
        wrong = kinds[(kinds["arm"] == row["arm"]) & (kinds["kind"] != NONE)]
        most = [wrong[wrong["help"] == help_].sort_values("share").iloc[-1:] for help_ in HELPS]
        first = [f"{KINDS[one['kind'].item()]} ({one['share'].item():.0%})" if len(one) else "nothing" for one in most]
        lines.append(
            f"{row['arm']}: of its own chains {own['enough']:.0%} have enough steps and {own['correct']:.0%} the right "
            f"answer, and what goes wrong first is most often this: {first[0]}. Kept from ending, {kept['enough']:.0%} "
            f"have enough and {kept['correct']:.0%} the right answer ({100 * row['difference']:+.0f} points, "
            f"{100 * row['low']:+.0f} to {100 * row['high']:+.0f}), and it is this: {first[1]}."
        )
    return lines
