"""What was expected of the experiments, beside what came out: the predictions of their notebooks, each with a verdict.

>>> expectations_table(table, plateau, claims)[["prediction", "verdict"]]       # doctest: +SKIP
>>> size_expectations(table, best, multiples)[["prediction", "verdict"]]        # doctest: +SKIP
>>> variant_expectations(table, labels)[["prediction", "verdict"]]              # doctest: +SKIP

The predictions were written down before the runs, with their dates (``notebooks/07_experiment``, ``07_efficiency``,
``07_rates``, ``07_sensitivity``); the rules that judge them stand here, and were fixed before the runs too
(:mod:`ases.verdicts`). Where cells of different budgets or arms are compared, whose tables have no paired interval,
those of the two are combined as if they were independent, which is too wide where questions are the same, so that less
is decided than could be.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from ases.arms import LOOKUP, Budget, read_arm
from ases.choices import BASELINE
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
    all_within,
    apart,
    interval_text,
    lead_of,
    points,
    reversed_interval,
    unsigned,
    verdict_table,
    within,
)

_UNI, _UNI_MERGED = "uni-path", "uni-path-merged"
_GOLD, _RANDOM = f"{_UNI_MERGED}, strategy=gold", f"{_UNI_MERGED}, strategy=random_boundaries"
_TWO, _TWO_GOLD = "dual-path-merged", "dual-path-merged, strategy=gold"
_SMALL_BUDGET, _MIDDLE_BUDGET, _LARGE_BUDGET, _LARGEST_BUDGET = 1e12, 4e12, 16e12, 64e12


def expectations_table(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    """One row a prediction and training-set size: ``train_size, prediction, verdict, evidence``.

    Those of ``07_experiment``, and where the larger budget was run those about it. ``table`` and ``plateau`` are those
    of :func:`ases.cells.cell_table`, of all budgets and of own plateaus; ``claims`` is
    :func:`ases.claims.claims_table`.
    """
    found = []
    for size in table["train_size"].unique():
        parts = [one[one["train_size"] == size] for one in (table, plateau, claims)]
        judged = verdict_table({text: judge(*parts) for text, judge in _PREDICTIONS.items()})
        found.append(judged.assign(train_size=size))
    large = table[table["budget"] == Budget(_LARGE_BUDGET, "flops").name]
    if not large.empty:
        for size, predictions in _OF_BUDGET.items():
            arms = large[large["train_size"] == size].set_index("arm")
            judged = verdict_table({text: judge(arms) for text, judge in predictions.items()})
            found.append(judged.assign(train_size=size))
    return pd.concat(found, ignore_index=True)[["train_size", "prediction", "verdict", "evidence"]]


def _is_ases(arm: str) -> bool:
    return read_arm(arm).method.startswith(("uni-path", "dual-path"))


def _behind_at_equal_flops(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> Verdict:
    rows = table[table["budget"].str.endswith(" flops") & table["arm"].map(_is_ases)]
    clear = rows[rows["p_holm"] < 0.05]
    ahead = clear.loc[clear["difference"] > 0, "arm"].tolist()
    behind = int((clear["difference"] < 0).sum())
    said = f"{behind} of {len(rows)} differences are clearly below 0"
    if ahead:
        return FAILED, f"{said}; clearly ahead: {', '.join(ahead)}"
    return (HELD if behind == len(rows) > 0 else UNDECIDED), said


def _ahead_at_equal_tokens(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> Verdict:
    rows = table[table["budget"].str.endswith(" target_tokens") & (table["arm"] == _UNI)]
    if rows.empty:
        return UNTESTED, "no budget in target tokens was run"
    clear = rows[rows["p_holm"] < 0.05]
    said = ", ".join(f"{points(value)} points" for value in rows["difference"])
    if len(clear) < len(rows):
        return UNDECIDED, said
    return (HELD if (clear["difference"] > 0).all() else FAILED), said


def _alike_at_plateau(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> Verdict:
    rows = plateau[plateau["arm"] == _UNI]
    if rows.empty:
        return UNTESTED, "uni-path was not run"
    row, own = rows.iloc[0], table[table["arm"] == _UNI]
    if own.loc[own["budget"].str.endswith(" flops"), "budget"].nunique() < 2:
        return UNTESTED, f"one budget of FLOPs shows no plateau; at that budget {interval_text(lead_of(row))}"
    return within(lead_of(row), -CLOSE, CLOSE), interval_text(lead_of(row))


def _claimed(claims: pd.DataFrame, first: str, second: str) -> pd.Series | None:
    found = claims[(claims["first"] == first) & (claims["second"] == second) & claims["difference"].notna()]
    found = found[found["measure"] != "bleu"]
    return None if found.empty else found.iloc[0]


def _of_claim(row: pd.Series) -> Interval:
    return row["difference"], row["low"], row["high"]


def _gains_little(first: str, second: str) -> Callable[..., Verdict]:
    def judge(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> Verdict:
        row = _claimed(claims, first, second)
        if row is None:
            return UNTESTED, f"{first} and {second} were not both run"
        found = _of_claim(row)
        return within(found, -1.0, SMALL), interval_text(found)

    return judge


def _one_beats_two(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> Verdict:
    row = _claimed(claims, _UNI_MERGED, _TWO)
    if row is None:
        return UNTESTED, "one and two models were not both run"
    said = interval_text(_of_claim(row))
    if not row["p_holm"] < 0.05:
        return UNDECIDED, said
    return (HELD if row["difference"] > 0 else FAILED), said


def _lookup_is_behind(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> Verdict:
    rows = plateau.set_index("arm")
    if "accuracy" not in rows:
        return UNTESTED, "it is about answers, and there are none to these questions"
    if LOOKUP not in rows.index:
        return UNTESTED, "the lookup was not run"
    best, lookup = rows.drop(index=LOOKUP)["accuracy"].idxmax(), rows.loc[LOOKUP]
    said = f"lookup {lookup['accuracy']:.1%}, {best} {rows.loc[best, 'accuracy']:.1%}"
    if rows.loc[best, "low"] > lookup["high"]:
        return HELD, said
    return (FAILED if rows.loc[best, "high"] < lookup["low"] else UNDECIDED), said


_PREDICTIONS: dict[str, Callable[..., Verdict]] = {
    "At equal FLOPs seq2seq leads every AS-ES arm": _behind_at_equal_flops,
    "At equal target tokens uni-path leads seq2seq": _ahead_at_equal_tokens,
    "At their own plateaus uni-path and seq2seq differ by less than 5 points": _alike_at_plateau,
    "Entropy's segments gain less than 3 points over random ones": _gains_little(_UNI_MERGED, _RANDOM),
    "Two models do worse than one": _one_beats_two,
    "Gold labels gain less than 3 points over entropy's": _gains_little(_GOLD, _UNI_MERGED),
    "The lookup answers fewer than the best trained arm": _lookup_is_behind,
}


def size_expectations(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> pd.DataFrame:
    """``prediction, verdict, evidence``: those of ``07_efficiency``, of seq2seq and uni-path by training-set size.

    ``table`` and ``best`` are those of :func:`ases.cells.cell_table`, of all budgets and of own plateaus; ``multiples``
    is :func:`ases.efficiency.data_multiple`. What needs a size or budget that was not run is not tested.
    """
    return verdict_table({text: judge(table, best, multiples) for text, judge in _OF_SIZES.items()})


def rate_expectations(rates: pd.DataFrame, best: pd.DataFrame) -> pd.DataFrame:
    """``prediction, verdict, evidence``: those of ``07_rates``, of learning rates at two budgets.

    ``rates`` is that of :func:`ases.rates.rates_table`; ``best`` that of :func:`ases.cells.cell_table`, of each arm at
    its best rate. What needs a budget that was not run is not tested.
    """
    found = {}
    for text, (flops, judge) in _OF_RATES.items():
        parts = [one[one["budget"] == Budget(flops, "flops").name] for one in (rates, best)]
        found[text] = NOT_RUN if parts[0].empty else judge(*parts)
    return verdict_table(found)


def variant_expectations(table: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """``prediction, verdict, evidence``: those of ``07_sensitivity``, of what else could change the order.

    Both are those of :func:`ases.cells.cell_table`, of one training-set size and budget: ``table`` with each arm
    against its baseline, ``labels`` with arms against ``uni-path-merged``. What needs an arm not run is not tested.
    """
    parts = [one.set_index("arm") for one in (table, labels)]
    return verdict_table({text: judge(*parts) for text, judge in _OF_VARIANTS.items()})


def _one(table: pd.DataFrame, size: int, flops: float | None, arm: str) -> pd.Series | None:
    """The row of a training-set size, a budget in FLOPs and an arm, None where there is none."""
    rows = table[(table["train_size"] == size) & (table["arm"] == arm)]
    if flops is not None:
        rows = rows[rows["budget"] == Budget(flops, "flops").name]
    return None if rows.empty else rows.iloc[0]


def _rises(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> Verdict:
    gains = {}
    for arm in (BASELINE, _UNI):
        rows = best[best["arm"] == arm].sort_values("train_size")
        if len(rows) < 2:
            return NOT_RUN
        gains[arm] = apart(accuracy_of(rows.iloc[-1]), accuracy_of(rows.iloc[0]))
    return all_above(gains, 2)


def _needs_no_less(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> Verdict:
    rows = multiples[multiples["arm"] == _UNI]
    more = rows.loc[rows["low"] > 1, "train_size"].tolist()
    said = f"seq2seq needs more data at {len(more)} of {len(rows)} sizes"
    if more:
        return FAILED, f"{said} ({', '.join(f'{size:,}' for size in more)})"
    return (HELD if len(rows) and (rows["high"] <= 1).all() else UNDECIDED), said


def _closer_with_little(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> Verdict:
    found = {}
    for size in (2000, 8000):
        rows = [_one(table, size, flops, _UNI) for flops in (_MIDDLE_BUDGET, _SMALL_BUDGET)]
        if any(row is None for row in rows):
            return NOT_RUN
        found[f"{size:,}: by"] = apart(*(unsigned(lead_of(row)) for row in rows))
    return all_above(found, 2)


def _leads_with_few(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> Verdict:
    found = {size: _one(best, size, None, _UNI) for size in (125, 500)}
    if any(row is None for row in found.values()):
        return NOT_RUN
    leads = {size: lead_of(row) for size, row in found.items()}
    return all_above({f"{size}:": one for size, one in leads.items()}, 2)


def _lead_shrinks(size: int) -> Callable[..., Verdict]:
    def judge(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> Verdict:
        rows = [_one(table, size, flops, _UNI) for flops in (_LARGE_BUDGET, _MIDDLE_BUDGET)]
        if any(row is None for row in rows):
            return NOT_RUN
        large, middle = (lead_of(row) for row in rows)
        nearer, behind = apart(large, middle), reversed_interval(large)
        return above([nearer, behind]), f"{interval_text(large)}, after {interval_text(middle)}"

    return judge


def _seq2seq_gain(table: pd.DataFrame, size: int, more: float, less: float) -> Interval | None:
    """What seq2seq gains by the larger of two budgets in FLOPs, None where one was not run."""
    rows = [_one(table, size, flops, BASELINE) for flops in (more, less)]
    return None if any(row is None for row in rows) else apart(*(accuracy_of(row) for row in rows))


def _buys_nothing(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> Verdict:
    gain = _seq2seq_gain(table, 125, _LARGE_BUDGET, _MIDDLE_BUDGET)
    if gain is None:
        return NOT_RUN
    verdict = FAILED if gain[1] > 0 else HELD if gain[2] < SMALL else UNDECIDED
    return verdict, interval_text(gain)


def _leads_in_the_end(size: int) -> Callable[..., Verdict]:
    def judge(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> Verdict:
        row = _one(table, size, _LARGEST_BUDGET, _UNI)
        return NOT_RUN if row is None else all_above({_UNI: lead_of(row)}, 1)

    return judge


def _seq2seq_is_done(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> Verdict:
    gain = _seq2seq_gain(table, 500, _LARGEST_BUDGET, _LARGE_BUDGET)
    if gain is None:
        return NOT_RUN
    verdict = FAILED if gain[1] > CLOSE else HELD if gain[2] < CLOSE else UNDECIDED
    return verdict, interval_text(gain)


_OF_SIZES: dict[str, Callable[..., Verdict]] = {
    "Accuracy rises with the data for both": _rises,
    "uni-path needs no less data than seq2seq": _needs_no_less,
    "At the smallest budget the two are closer than at the middle one": _closer_with_little,
    "With 125 and 500 problems, each at its best budget, uni-path leads": _leads_with_few,
    "With 2,000 problems seq2seq leads at 16e12 FLOPs, by less than at a quarter of them": _lead_shrinks(2000),
    "With 125 problems 16e12 FLOPs buy seq2seq nothing (less than 3 points) over a quarter of them": _buys_nothing,
    "With 500 problems and 64e12 FLOPs, each trained to the end, uni-path leads": _leads_in_the_end(500),
    "With 500 problems seq2seq gains less than 5 points from 64e12 FLOPs over a quarter of them": _seq2seq_is_done,
    "With 2,000 problems and 64e12 FLOPs uni-path leads": _leads_in_the_end(2000),
    "With 8,000 problems seq2seq leads at 16e12 FLOPs, by less than at a quarter of them": _lead_shrinks(8000),
}


def _few_lead(arms: pd.DataFrame) -> Verdict:
    return all_above({arm: lead_of(arms.loc[arm]) for arm in (_UNI, _GOLD) if arm in arms.index}, 2)


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


def _pieces_are_best(arms: pd.DataFrame) -> Verdict:
    if _UNI not in arms.index:
        return NOT_RUN
    own, others = accuracy_of(arms.loc[_UNI]), [arm for arm in arms.index if arm.startswith(_UNI_MERGED)]
    return all_above({f"over {arm}": apart(own, accuracy_of(arms.loc[arm])) for arm in others}, 3)


def _one_beats_two_by_gold(arms: pd.DataFrame) -> Verdict:
    if not {_TWO_GOLD, _TWO, _GOLD} <= set(arms.index):
        return NOT_RUN
    gold, entropy, one = (accuracy_of(arms.loc[arm]) for arm in (_TWO_GOLD, _TWO, _GOLD))
    return all_above({"over entropy's": apart(gold, entropy), "one model over two": apart(one, gold)}, 2)


def _answers_fall_behind(arms: pd.DataFrame) -> Verdict:
    if "answer-only" not in arms.index:
        return NOT_RUN
    own = accuracy_of(arms.loc["answer-only"])
    return all_above({arm: apart(accuracy_of(arms.loc[arm]), own) for arm in filter(_is_ases, arms.index)}, 1)


def _seq2seq_leads_all(arms: pd.DataFrame) -> Verdict:
    leads = {f"over {arm}": reversed_interval(lead_of(arms.loc[arm])) for arm in filter(_is_ases, arms.index)}
    return all_above(leads, 1)


_OF_BUDGET: dict[int, dict[str, Callable[[pd.DataFrame], Verdict]]] = {
    500: {"At 16e12 FLOPs uni-path and segments merged by gold labels lead seq2seq": _few_lead},
    2000: {
        "There gold labels lead random borders by more than 3 points, entropy's lie between": _labels_matter,
        "There unmerged segments do best of uni-path's": _pieces_are_best,
        "There answer-only falls behind every AS-ES arm": _answers_fall_behind,
        "There two models by gold labels beat two by entropy's, and one by gold beats them": _one_beats_two_by_gold,
        "There seq2seq leads every AS-ES arm": _seq2seq_leads_all,
    },
}
"""By the training-set size that they are about."""


def _rates_grow(rates: pd.DataFrame, best: pd.DataFrame) -> Verdict:
    chosen = rates[rates["chosen"]]
    larger = chosen.loc[chosen["learning_rate"] > chosen["usual_rate"], "arm"].tolist()
    said = f"{len(larger)} of {len(chosen)} arms do ({', '.join(larger)})" if larger else f"none of {len(chosen)} does"
    return (HELD if len(larger) == len(chosen) else FAILED if 2 * len(larger) < len(chosen) else UNDECIDED), said


def _all_behind(rates: pd.DataFrame, best: pd.DataFrame) -> Verdict:
    return _behind_at_equal_flops(best, best, best)


def _uni_path_gains(rates: pd.DataFrame, best: pd.DataFrame) -> Verdict:
    rows = rates[rates["arm"] == _UNI]
    usual, chosen = rows[rows["learning_rate"] == rows["usual_rate"]], rows[rows["chosen"]]
    if usual.empty or chosen.empty:
        return NOT_RUN
    if usual.index.equals(chosen.index):
        return FAILED, "its usual rate is its best"
    gain = apart(accuracy_of(chosen.iloc[0]), accuracy_of(usual.iloc[0]))
    return above([gain], CLOSE), interval_text(gain)


_OF_RATES: dict[str, tuple[float, Callable[..., Verdict]]] = {
    "At the larger budget every arm does best with a larger rate than its usual one": (_LARGE_BUDGET, _rates_grow),
    "There, each at its best rate, seq2seq leads every AS-ES arm": (_LARGE_BUDGET, _all_behind),
    "There, uni-path gains more than 5 points by its best rate": (_LARGE_BUDGET, _uni_path_gains),
    "At the smaller budget, each at its best rate, seq2seq leads every AS-ES arm": (_MIDDLE_BUDGET, _all_behind),
    "There, uni-path gains more than 5 points, too": (_MIDDLE_BUDGET, _uni_path_gains),
}


_LOOKING, _FEELING = ("novelty", "similarity"), ("loss", "information_gain")
"""Strategies that look at what a piece restates, and those that ask a model as entropy does."""

_STORIES, _LONGER, _LARGER = "held_out_schemas=true", "steps_to=4, longest_learned=2", "model=micro"


def _gains(labels: pd.DataFrame, *parameters: str) -> dict[str, Interval]:
    """What merged segments gain over entropy's by a parameter of their own, by the parameter."""
    arms = {one: f"{_UNI_MERGED}, {one}" for one in parameters}
    return {one: lead_of(labels.loc[arm]) for one, arm in arms.items() if arm in labels.index}


def _typed_gain_little(table: pd.DataFrame, labels: pd.DataFrame) -> Verdict:
    return all_within(_gains(labels, "typed=true"), 1, -1.0, SMALL)


def _looking_gains(table: pd.DataFrame, labels: pd.DataFrame) -> Verdict:
    return all_above(_gains(labels, *(f"strategy={one}" for one in _LOOKING)), len(_LOOKING), SMALL)


def _feeling_gains_little(table: pd.DataFrame, labels: pd.DataFrame) -> Verdict:
    return all_within(_gains(labels, *(f"strategy={one}" for one in _FEELING)), len(_FEELING), -1.0, SMALL)


def _pieces_beat_strategies(table: pd.DataFrame, labels: pd.DataFrame) -> Verdict:
    arms = [f"{_UNI_MERGED}, strategy={one}" for one in (*_LOOKING, *_FEELING)]
    if _UNI not in table.index:
        return NOT_RUN
    own = accuracy_of(table.loc[_UNI])
    there = [arm for arm in arms if arm in table.index]
    return all_above({f"over {arm}": apart(own, accuracy_of(table.loc[arm])) for arm in there}, len(arms))


def _beta_matters_little(table: pd.DataFrame, labels: pd.DataFrame) -> Verdict:
    return all_within(_gains(labels, "beta=1.0", "beta=2.0"), 2, -CLOSE, CLOSE)


def _start_brings_nearer(table: pd.DataFrame, labels: pd.DataFrame) -> Verdict:
    arms = (f"{_UNI}, init=seq2seq", _UNI)
    if not set(arms) <= set(table.index):
        return NOT_RUN
    return all_above({"nearer by": apart(*(lead_of(table.loc[arm]) for arm in arms))}, 1)


def _behind_with(parameter: str, *arms: str) -> Callable[..., Verdict]:
    def judge(table: pd.DataFrame, labels: pd.DataFrame) -> Verdict:
        names = [f"{arm}, {parameter}" for arm in arms]
        leads = {f"over {one}": reversed_interval(lead_of(table.loc[one])) for one in names if one in table.index}
        return all_above(leads, len(arms))

    return judge


def _stories_cost(table: pd.DataFrame, labels: pd.DataFrame) -> Verdict:
    pairs = {arm: f"{arm}, {_STORIES}" for arm in (BASELINE, _UNI)}
    if not {*pairs, *pairs.values()} <= set(table.index):
        return NOT_RUN
    return all_above({a: apart(*(accuracy_of(table.loc[one]) for one in (a, b))) for a, b in pairs.items()}, 2, CLOSE)


def _leads_on_longer(table: pd.DataFrame, labels: pd.DataFrame) -> Verdict:
    arm = f"{_UNI}, {_LONGER}"
    return all_above({arm: lead_of(table.loc[arm])} if arm in table.index else {}, 1)


_OF_VARIANTS: dict[str, Callable[..., Verdict]] = {
    "Types in the targets gain less than 3 points": _typed_gain_little,
    "Labels by novelty and by similarity gain more than 3 points over entropy's": _looking_gains,
    "Labels by loss and by information gain gain less than 3 points over entropy's": _feeling_gains_little,
    "Single pieces beat the segments of each of these four strategies": _pieces_beat_strategies,
    "Betas of 1.0 and 2.0 (1.4 is usual) move accuracy by less than 5 points": _beta_matters_little,
    "Continued from seq2seq, uni-path lies nearer to seq2seq continued than from scratch": _start_brings_nearer,
    "With a model twice as wide seq2seq leads uni-path, too": _behind_with(_LARGER, _UNI),
    "On stories never told seq2seq and uni-path lose more than 5 points each": _stories_cost,
    "On stories never told seq2seq leads uni-path and segments by gold labels": _behind_with(_STORIES, _UNI, _GOLD),
    "Trained on up to 2 steps, uni-path answers more problems of 3 and 4 steps than seq2seq": _leads_on_longer,
}
