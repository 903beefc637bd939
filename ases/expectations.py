"""What was expected of the main experiment, beside what came out: each prediction with a verdict.

>>> expectations_table(table, plateau, claims)[["prediction", "verdict"]]       # doctest: +SKIP
>>> rate_expectations(rates, best)[["prediction", "verdict"]]                   # doctest: +SKIP

The predictions were written down before the runs, with their dates (``notebooks/07_experiment``, ``07_rates``; those of
``07_efficiency`` and ``07_sensitivity`` are in :mod:`ases.study_expectations`); the rules that judge them stand here,
and were fixed before the runs too (:mod:`ases.verdicts`). Where cells of different budgets or arms are compared, whose
tables have no paired interval, those of the two are combined as if they were independent, which is too wide where
questions are the same, so that less is decided than could be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import pandas as pd

from ases.arms import LOOKUP, Budget, by_segments
from ases.choices import REAL_RATIONALES
from ases.verdicts import (
    CLOSE,
    FAILED,
    HELD,
    NOT_RUN,
    SMALL,
    UNDECIDED,
    UNTESTED,
    Interval,
    Verdict,
    above,
    accuracy_of,
    all_above,
    apart,
    interval_text,
    judged,
    lead_of,
    reversed_interval,
    verdict_table,
    within,
)

_UNI, _UNI_MERGED = "uni-path", "uni-path-merged"
_GOLD, _RANDOM = f"{_UNI_MERGED}, strategy=gold", f"{_UNI_MERGED}, strategy=random_boundaries"
_TWO, _TWO_GOLD = "dual-path-merged", "dual-path-merged, strategy=gold"
_MIDDLE_BUDGET, _LARGE_BUDGET, _LARGEST_BUDGET = 4e12, 16e12, 64e12
_TOKENS = 3.2e6
_USUAL_OF_REPORTS, _MORE_OF_REPORTS = 8e12, 32e12
_ROUGE = "rouge_l"
_NO_ANSWERS: Verdict = UNTESTED, "it is about answers, and there are none to these questions"
_ARMS = 6
"""AS-ES arms of the design, without all of which nothing is said of every one."""


class _Experiment(NamedTuple):
    table: pd.DataFrame
    plateau: pd.DataFrame
    claims: pd.DataFrame


class _Rates(NamedTuple):
    rates: pd.DataFrame
    best: pd.DataFrame


def expectations_table(
    table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame, data: str = "generated"
) -> pd.DataFrame:
    """One row a prediction and training-set size: ``train_size, prediction, verdict, evidence``.

    Those of ``07_experiment``; where the larger budget was run on generated problems those about it, and of reports and
    of real rationales those about them. ``table`` and ``plateau`` are those of :func:`ases.cells.cell_table`, of all
    budgets and of each arm's best; ``claims`` is :func:`ases.claims.claims_table`; ``data`` is the parameter of that
    name.
    """
    found = []
    for size in table["train_size"].unique():
        parts = [one[one["train_size"] == size] for one in (table, plateau, claims)]
        found.append(judged(_PREDICTIONS, _Experiment(*parts)).assign(train_size=size))
        if data in _OF_DATA:
            found.append(judged(_OF_DATA[data], parts[0]).assign(train_size=size))
    if data == "generated" and not _at(table, _LARGE_BUDGET).empty:
        for size, predictions in _OF_BUDGET.items():
            found.append(judged(predictions, table[table["train_size"] == size]).assign(train_size=size))
    return pd.concat(found, ignore_index=True)[["train_size", "prediction", "verdict", "evidence"]]


def _all_behind(table: pd.DataFrame) -> Verdict:
    """Clearly behind seq2seq, in these rows of :func:`ases.cells.cell_table`, is every AS-ES arm with equal FLOPs."""
    rows = table[table["budget"].str.endswith(" flops") & table["arm"].map(by_segments)]
    clear = rows[rows["p_holm"] < 0.05]
    ahead = clear.loc[clear["difference"] > 0, "arm"].tolist()
    behind = int((clear["difference"] < 0).sum())
    said = f"{behind} of {len(rows)} differences are clearly below 0"
    if ahead:
        return FAILED, f"{said}; clearly ahead: {', '.join(ahead)}"
    return (HELD if behind == len(rows) > 0 else UNDECIDED), said


def _ahead_at_equal_tokens(found: _Experiment) -> Verdict:
    rows = found.table[found.table["budget"].str.endswith(" target_tokens") & (found.table["arm"] == _UNI)]
    if rows.empty:
        return UNTESTED, "no budget in target tokens was run"
    clear = rows[rows["p_holm"] < 0.05]
    said = ", ".join(interval_text(lead_of(row)) for _, row in rows.iterrows())
    if len(clear) < len(rows):
        return UNDECIDED, said
    return (HELD if (clear["difference"] > 0).all() else FAILED), said


def _alike_at_plateau(found: _Experiment) -> Verdict:
    if "accuracy" not in found.plateau:
        return _NO_ANSWERS
    rows = found.plateau[found.plateau["arm"] == _UNI]
    if rows.empty:
        return UNTESTED, "uni-path was not run"
    row = rows.iloc[0]
    trained = found.table[found.table["budget"].str.endswith(" flops") & (found.table["arm"] != LOOKUP)]
    had_by = trained.groupby("budget")["arm"].nunique()
    if (had_by == trained["arm"].nunique()).sum() < 2:
        said = "one budget of FLOPs that all arms had shows no plateau"
        return UNTESTED, f"{said}; at that budget {interval_text(lead_of(row))}"
    return within(lead_of(row), -CLOSE, CLOSE), interval_text(lead_of(row))


def _claimed(claims: pd.DataFrame, first: str, second: str) -> pd.Series | None:
    found = claims[(claims["first"] == first) & (claims["second"] == second) & claims["difference"].notna()]
    found = found[found["measure"] != "bleu"]
    return None if found.empty else found.iloc[0]


def _of_claim(row: pd.Series) -> Interval:
    return row["difference"], row["low"], row["high"]


def _gains_little(first: str, second: str) -> Callable[[_Experiment], Verdict]:
    def judge(found: _Experiment) -> Verdict:
        row = _claimed(found.claims, first, second)
        if row is None:
            return UNTESTED, f"{first} and {second} were not both run"
        gain = _of_claim(row)
        return within(gain, -1.0, SMALL), interval_text(gain, row["measure"])

    return judge


def _one_beats_two(found: _Experiment) -> Verdict:
    row = _claimed(found.claims, _UNI_MERGED, _TWO)
    if row is None:
        return UNTESTED, "one and two models were not both run"
    said = interval_text(_of_claim(row), row["measure"])
    if not row["p_holm"] < 0.05:
        return UNDECIDED, said
    return (HELD if row["difference"] > 0 else FAILED), said


def _lookup_is_behind(found: _Experiment) -> Verdict:
    rows = found.plateau.set_index("arm")
    if "accuracy" not in rows:
        return _NO_ANSWERS
    if LOOKUP not in rows.index:
        return UNTESTED, "the lookup was not run"
    best, lookup = rows.drop(index=LOOKUP)["accuracy"].idxmax(), rows.loc[LOOKUP]
    said = f"lookup {lookup['accuracy']:.1%}, {best} {rows.loc[best, 'accuracy']:.1%}"
    if rows.loc[best, "low"] > lookup["high"]:
        return HELD, said
    return (FAILED if rows.loc[best, "high"] < lookup["low"] else UNDECIDED), said


_PREDICTIONS: dict[str, Callable[[_Experiment], Verdict]] = {
    "At equal FLOPs seq2seq leads every AS-ES arm": lambda found: _all_behind(found.table),
    "At equal target tokens uni-path leads seq2seq": _ahead_at_equal_tokens,
    "At their own plateaus uni-path and seq2seq differ by less than 5 points": _alike_at_plateau,
    "Entropy's segments gain less than 3 points over random ones": _gains_little(_UNI_MERGED, _RANDOM),
    "Two models do worse than one": _one_beats_two,
    "Gold labels gain less than 3 points over entropy's": _gains_little(_GOLD, _UNI_MERGED),
    "The lookup answers fewer than the best trained arm": _lookup_is_behind,
}


def rate_expectations(rates: pd.DataFrame, best: pd.DataFrame) -> pd.DataFrame:
    """``prediction, verdict, evidence``: those of ``07_rates``, of learning rates at two budgets.

    ``rates`` is that of :func:`ases.rates.rates_table`; ``best`` that of :func:`ases.cells.cell_table`, of each arm at
    its best rate. What needs a budget that was not run is not tested.
    """
    found = {}
    for text, (flops, judge) in _OF_RATES.items():
        parts = [one[one["budget"] == Budget(flops, "flops").name] for one in (rates, best)]
        found[text] = NOT_RUN if parts[0].empty or "accuracy" not in rates else judge(_Rates(*parts))
    return verdict_table(found)


def _at(table: pd.DataFrame, amount: float, unit: str = "flops") -> pd.DataFrame:
    return table[table["budget"] == Budget(amount, unit).name].set_index("arm")


def _judged_at(
    amount: float, judge: Callable[[pd.DataFrame], Verdict], unit: str = "flops"
) -> Callable[[pd.DataFrame], Verdict]:
    return lambda table: judge(_at(table, amount, unit))


def _at_large(judge: Callable[[pd.DataFrame], Verdict]) -> Callable[[pd.DataFrame], Verdict]:
    return _judged_at(_LARGE_BUDGET, judge)


@_at_large
def _few_lead(arms: pd.DataFrame) -> Verdict:
    return all_above({arm: lead_of(arms.loc[arm]) for arm in (_UNI, _GOLD) if arm in arms.index}, 2)


@_at_large
def _labels_matter(arms: pd.DataFrame) -> Verdict:
    if not {_GOLD, _RANDOM, _UNI_MERGED} <= set(arms.index):
        return NOT_RUN
    gold, random, entropy = (accuracy_of(arms.loc[arm]) for arm in (_GOLD, _RANDOM, _UNI_MERGED))
    gain = apart(gold, random)
    verdict = above([gain], SMALL)
    between = random[0] < entropy[0] < gold[0]
    if verdict == HELD and not between:
        verdict = UNDECIDED
    return verdict, f"{interval_text(gain)}; entropy's {'lie' if between else 'do not lie'} between"


@_at_large
def _pieces_are_best(arms: pd.DataFrame) -> Verdict:
    if _UNI not in arms.index:
        return NOT_RUN
    own, others = accuracy_of(arms.loc[_UNI]), [arm for arm in arms.index if arm.startswith(_UNI_MERGED)]
    return all_above({f"over {arm}": apart(own, accuracy_of(arms.loc[arm])) for arm in others}, 3)


@_at_large
def _gold_helps_two(arms: pd.DataFrame) -> Verdict:
    if not {_TWO_GOLD, _TWO, _GOLD} <= set(arms.index):
        return NOT_RUN
    gold, entropy, one = (accuracy_of(arms.loc[arm]) for arm in (_TWO_GOLD, _TWO, _GOLD))
    return all_above({"over entropy's": apart(gold, entropy), "one model over two": apart(one, gold)}, 2)


@_at_large
def _answers_fall_behind(arms: pd.DataFrame) -> Verdict:
    if "answer-only" not in arms.index:
        return NOT_RUN
    own = accuracy_of(arms.loc["answer-only"])
    return all_above({arm: apart(accuracy_of(arms.loc[arm]), own) for arm in filter(by_segments, arms.index)}, _ARMS)


def _all_led(arms: pd.DataFrame, names: Iterable[str], count: int) -> Verdict:
    """Seq2seq is ahead of all the named arms, of which there are ``count``."""
    return all_above({f"over {arm}": reversed_interval(lead_of(arms.loc[arm])) for arm in names}, count)


def _seq2seq_leads_all(arms: pd.DataFrame) -> Verdict:
    return _all_led(arms, filter(by_segments, arms.index), _ARMS)


def _come_closer(
    budgets: tuple[float, float], arms: tuple[str, ...] = (_UNI,), measure: str = "correct"
) -> Callable[[pd.DataFrame], Verdict]:
    """With the second of two budgets these arms are less far behind seq2seq than with the first."""

    def judge(table: pd.DataFrame) -> Verdict:
        less, more = (_at(table, flops) for flops in budgets)
        there = [arm for arm in arms if arm in less.index and arm in more.index]
        gains = {arm: apart(lead_of(more.loc[arm]), lead_of(less.loc[arm])) for arm in there}
        return all_above(gains, len(arms), measure=measure)

    return judge


def _leads(arm: str, least: float = 0.0) -> Callable[[pd.DataFrame], Verdict]:
    """The arm is ahead of its baseline by more than ``least``."""

    def judge(arms: pd.DataFrame) -> Verdict:
        if arm not in arms.index:
            return NOT_RUN
        return above([lead_of(arms.loc[arm])], least), interval_text(lead_of(arms.loc[arm]))

    return judge


def _others_are_behind(arms: pd.DataFrame) -> Verdict:
    others = (_UNI_MERGED, _RANDOM, _TWO, _TWO_GOLD)
    return _all_led(arms, [arm for arm in others if arm in arms.index], len(others))


_OF_BUDGET: dict[int, dict[str, Callable[[pd.DataFrame], Verdict]]] = {
    500: {
        "At 16e12 FLOPs uni-path and segments merged by gold labels lead seq2seq": _few_lead,
        "At 4e12 FLOPs seq2seq leads every AS-ES arm": _judged_at(_MIDDLE_BUDGET, _seq2seq_leads_all),
        "Uni-path's distance to seq2seq is smaller at 16e12 FLOPs than at a quarter of them": _come_closer(
            (_MIDDLE_BUDGET, _LARGE_BUDGET)
        ),
        "At 64e12 FLOPs uni-path leads seq2seq by more than 5 points": _judged_at(_LARGEST_BUDGET, _leads(_UNI, CLOSE)),
    },
    2000: {
        "At 16e12 FLOPs gold labels lead random borders by more than 3 points, entropy's lie between": _labels_matter,
        "At 16e12 FLOPs unmerged segments do best of uni-path's": _pieces_are_best,
        "At 16e12 FLOPs answer-only falls behind every AS-ES arm": _answers_fall_behind,
        "At 16e12 FLOPs two models by gold labels beat two by entropy's, and one model beats them": _gold_helps_two,
        "At 16e12 FLOPs, each at its rate, seq2seq leads every AS-ES arm": _at_large(_seq2seq_leads_all),
        "At equal target tokens segments merged by gold labels lead seq2seq": _judged_at(
            _TOKENS, _leads(_GOLD), "target_tokens"
        ),
        "At equal target tokens seq2seq leads other merged segments and two models": _judged_at(
            _TOKENS, _others_are_behind, "target_tokens"
        ),
    },
}
"""By the training-set size that they are about."""


@_at_large
def _few_answers(arms: pd.DataFrame) -> Verdict:
    trained = arms[arms["training_flops"] > 0]
    if trained.empty:
        return NOT_RUN
    best = trained["accuracy"].idxmax()
    room = [reversed_interval(accuracy_of(row)) for _, row in trained.iterrows()]
    return above(room, -CLOSE), f"most: {best} {trained.loc[best, 'accuracy']:.1%}"


@_at_large
def _whole_chains_are_closer(arms: pd.DataFrame) -> Verdict:
    if _UNI not in arms.index:
        return NOT_RUN
    row = arms.loc[_UNI]
    lead = reversed_interval(tuple(row[f"rouge_l_difference{end}"] for end in ("", "_low", "_high")))
    return above([lead]), interval_text(lead, _ROUGE)


def _rouge_of(row: pd.Series) -> Interval:
    return row[_ROUGE], row["low"], row["high"]


def _merging_helps(arms: pd.DataFrame) -> Verdict:
    if not {_UNI, _UNI_MERGED} <= set(arms.index):
        return NOT_RUN
    gain = apart(_rouge_of(arms.loc[_UNI_MERGED]), _rouge_of(arms.loc[_UNI]))
    return above([gain]), interval_text(gain, _ROUGE)


def _lookup_leads(arms: pd.DataFrame) -> Verdict:
    if LOOKUP not in arms.index or len(arms) < 2:
        return NOT_RUN
    trained = arms.drop(index=LOOKUP)
    lookup, best = _rouge_of(arms.loc[LOOKUP]), trained[_ROUGE].idxmax()
    lead = apart(lookup, _rouge_of(trained.loc[best]))
    return above([lead]), f"over {best} {interval_text(lead, _ROUGE)}"


_OF_DATA: dict[str, dict[str, Callable[[pd.DataFrame], Verdict]]] = {
    REAL_RATIONALES: {
        "No trained arm answers one question in twenty": _few_answers,
        "Seq2seq's ROUGE-L is ahead of uni-path's": _whole_chains_are_closer,
    },
    "reports": {
        "At 32e12 FLOPs uni-path, merged and not, is less far behind seq2seq than at a quarter of them": _come_closer(
            (_USUAL_OF_REPORTS, _MORE_OF_REPORTS), (_UNI, _UNI_MERGED), _ROUGE
        ),
        "At 32e12 FLOPs merged segments beat single pieces": _judged_at(_MORE_OF_REPORTS, _merging_helps),
        "At 32e12 FLOPs the lookup's ROUGE-L is ahead of every trained arm's": _judged_at(
            _MORE_OF_REPORTS, _lookup_leads
        ),
    },
}
"""Those of one task alone, by the parameter ``data``."""


def _rates_grow(found: _Rates) -> Verdict:
    chosen = found.rates[found.rates["chosen"]]
    larger = chosen.loc[chosen["learning_rate"] > chosen["usual_rate"], "arm"].tolist()
    said = f"{len(larger)} of {len(chosen)} arms do ({', '.join(larger)})" if larger else f"none of {len(chosen)} does"
    return (HELD if len(larger) == len(chosen) else FAILED if 2 * len(larger) < len(chosen) else UNDECIDED), said


def _best_all_behind(found: _Rates) -> Verdict:
    return _all_behind(found.best)


def _uni_path_gains(found: _Rates) -> Verdict:
    rows = found.rates[found.rates["arm"] == _UNI]
    usual, chosen = rows[rows["learning_rate"] == rows["usual_rate"]], rows[rows["chosen"]]
    if usual.empty or chosen.empty:
        return NOT_RUN
    if usual.index.equals(chosen.index):
        return FAILED, "its usual rate is its best"
    gain = apart(accuracy_of(chosen.iloc[0]), accuracy_of(usual.iloc[0]))
    return above([gain], CLOSE), interval_text(gain)


_OF_RATES: dict[str, tuple[float, Callable[[_Rates], Verdict]]] = {
    "At the larger budget every arm does best with a larger rate than its usual one": (_LARGE_BUDGET, _rates_grow),
    "There, each at its best rate, seq2seq leads every AS-ES arm": (_LARGE_BUDGET, _best_all_behind),
    "There, uni-path gains more than 5 points by its best rate": (_LARGE_BUDGET, _uni_path_gains),
    "At the smaller budget, each at its best rate, seq2seq leads every AS-ES arm": (_MIDDLE_BUDGET, _best_all_behind),
    "There, uni-path gains more than 5 points, too": (_MIDDLE_BUDGET, _uni_path_gains),
}
