"""What was expected of the experiments, beside what came out: the predictions of their notebooks, each with a verdict.

>>> expectations_table(table, plateau, claims)[["prediction", "verdict"]]       # doctest: +SKIP
>>> size_expectations(table, best, multiples)[["prediction", "verdict"]]        # doctest: +SKIP
>>> budget_expectations(table)[["prediction", "verdict"]]                       # doctest: +SKIP

The predictions were written down before the runs, with their dates (``notebooks/07_experiment``, ``07_efficiency``,
``07_sensitivity``); the rules that judge them stand here, and were fixed before the runs too. A prediction holds or
does not where an interval says so; else it is undecided. The second and third function compare cells of different
budgets or arms, whose tables have no paired interval: those of the two are combined as if they were independent,
which is too wide where questions are the same, so that less is decided than could be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from ases.arms import LOOKUP, Budget, read_arm
from ases.choices import BASELINE
from ases.measures import MEASURES

HELD, FAILED, UNDECIDED, UNTESTED = "held", "did not hold", "undecided", "not tested"
CLOSE = 0.05
"""Prediction 3: uni-path and seq2seq end within 5 points of each other."""

SMALL = 0.03
"""Predictions 4 and 6: a gain below 3 points is none that matters."""


def expectations_table(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    """One row a prediction and training-set size: ``train_size, prediction, verdict, evidence``.

    ``table`` and ``plateau`` are those of :func:`ases.cells.cell_table`, of all budgets and of own plateaus; ``claims``
    is :func:`ases.claims.claims_table`.
    """
    rows = []
    for size in table["train_size"].unique():
        parts = [one[one["train_size"] == size] for one in (table, plateau, claims)]
        for text, judge in _PREDICTIONS.items():
            verdict, evidence = judge(*parts)
            rows.append({"train_size": size, "prediction": text, "verdict": verdict, "evidence": evidence})
    return pd.DataFrame(rows)


def _is_ases(arm: str) -> bool:
    return read_arm(arm).method.startswith(("uni-path", "dual-path"))


_points = MEASURES["correct"].difference_text


def _said(row: pd.Series, low: str, high: str) -> str:
    return _text((row["difference"], row[low], row[high]))


def _behind_at_equal_flops(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> tuple[str, str]:
    rows = table[table["budget"].str.endswith(" flops") & table["arm"].map(_is_ases)]
    clear = rows[rows["p_holm"] < 0.05]
    ahead = clear.loc[clear["difference"] > 0, "arm"].tolist()
    behind = int((clear["difference"] < 0).sum())
    said = f"{behind} of {len(rows)} differences are clearly below 0"
    if ahead:
        return FAILED, f"{said}; clearly ahead: {', '.join(ahead)}"
    return (HELD if behind == len(rows) > 0 else UNDECIDED), said


def _ahead_at_equal_tokens(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> tuple[str, str]:
    rows = table[table["budget"].str.endswith(" target_tokens") & (table["arm"] == "uni-path")]
    if rows.empty:
        return UNTESTED, "no budget in target tokens was run"
    clear = rows[rows["p_holm"] < 0.05]
    said = ", ".join(f"{_points(value)} points" for value in rows["difference"])
    if len(clear) < len(rows):
        return UNDECIDED, said
    return (HELD if (clear["difference"] > 0).all() else FAILED), said


def _alike_at_plateau(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> tuple[str, str]:
    rows = plateau[plateau["arm"] == "uni-path"]
    if rows.empty:
        return UNTESTED, "uni-path was not run"
    row, own = rows.iloc[0], table[table["arm"] == "uni-path"]
    if own.loc[own["budget"].str.endswith(" flops"), "budget"].nunique() < 2:
        apart = _said(row, "difference_low", "difference_high")
        return UNTESTED, f"one budget of FLOPs shows no plateau; at that budget {apart}"
    return _within(row, -CLOSE, CLOSE, "difference_low", "difference_high")


def _within(row: pd.Series, least: float, most: float, low: str = "low", high: str = "high") -> tuple[str, str]:
    said = _said(row, low, high)
    if least < row[low] and row[high] < most:
        return HELD, said
    return (FAILED if row[high] < least or row[low] > most else UNDECIDED), said


def _claimed(claims: pd.DataFrame, first: str, second: str) -> pd.Series | None:
    found = claims[(claims["first"] == first) & (claims["second"] == second) & claims["difference"].notna()]
    found = found[found["measure"] != "bleu"]
    return None if found.empty else found.iloc[0]


def _gains_little(first: str, second: str) -> Callable[..., tuple[str, str]]:
    def judge(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> tuple[str, str]:
        row = _claimed(claims, first, second)
        if row is None:
            return UNTESTED, f"{first} and {second} were not both run"
        return _within(row, -1.0, SMALL)

    return judge


def _one_beats_two(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> tuple[str, str]:
    row = _claimed(claims, "uni-path-merged", "dual-path-merged")
    if row is None:
        return UNTESTED, "one and two models were not both run"
    said = _said(row, "low", "high")
    if not row["p_holm"] < 0.05:
        return UNDECIDED, said
    return (HELD if row["difference"] > 0 else FAILED), said


def _lookup_is_behind(table: pd.DataFrame, plateau: pd.DataFrame, claims: pd.DataFrame) -> tuple[str, str]:
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


_ENTROPY, _RANDOM = "uni-path-merged", "uni-path-merged, strategy=random_boundaries"
_PREDICTIONS: dict[str, Callable[..., tuple[str, str]]] = {
    "At equal FLOPs seq2seq leads every AS-ES arm": _behind_at_equal_flops,
    "At equal target tokens uni-path leads seq2seq": _ahead_at_equal_tokens,
    "At their own plateaus uni-path and seq2seq differ by less than 5 points": _alike_at_plateau,
    "Entropy's segments gain less than 3 points over random ones": _gains_little(_ENTROPY, _RANDOM),
    "Two models do worse than one": _one_beats_two,
    "Gold labels gain less than 3 points over entropy's": _gains_little("uni-path-merged, strategy=gold", _ENTROPY),
    "The lookup answers fewer than the best trained arm": _lookup_is_behind,
}


def size_expectations(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> pd.DataFrame:
    """``prediction, verdict, evidence``: those of ``07_efficiency``, of seq2seq and uni-path by training-set size.

    ``table`` and ``best`` are those of :func:`ases.cells.cell_table`, of all budgets and of own plateaus; ``multiples``
    is :func:`ases.efficiency.data_multiple`. What needs a size or budget that was not run is not tested.
    """
    return _judged({text: judge(table, best, multiples) for text, judge in _OF_SIZES.items()})


def budget_expectations(table: pd.DataFrame) -> pd.DataFrame:
    """``prediction, verdict, evidence``: those of ``07_sensitivity``, of all arms at the largest budget.

    ``table`` is that of :func:`ases.cells.cell_table` with one budget; what needs a size not run is not tested.
    """
    parts = [table[table["train_size"] == size].set_index("arm") for size in (500, 2000)]
    return _judged({text: judge(*parts) for text, judge in _OF_BUDGET.items()})


def rate_expectations(rates: pd.DataFrame, best: pd.DataFrame) -> pd.DataFrame:
    """``prediction, verdict, evidence``: those of ``07_rates``, of learning rates at two budgets.

    ``rates`` is that of :func:`ases.rates.rates_table`; ``best`` that of :func:`ases.cells.cell_table`, of each arm at
    its best rate. What needs a budget that was not run is not tested.
    """
    found = {}
    for text, (flops, judge) in _OF_RATES.items():
        parts = [one[one["budget"] == Budget(flops, "flops").name] for one in (rates, best)]
        found[text] = _NOT_RUN if parts[0].empty else judge(*parts)
    return _judged(found)


def _judged(found: dict[str, tuple[str, str]]) -> pd.DataFrame:
    rows = [{"prediction": text, "verdict": verdict, "evidence": said} for text, (verdict, said) in found.items()]
    return pd.DataFrame(rows)


_Interval = tuple[float, float, float]


def _apart(first: _Interval, second: _Interval) -> _Interval:
    """First minus second with an interval, the two taken to be independent."""
    middle = first[0] - second[0]
    down = ((first[0] - first[1]) ** 2 + (second[2] - second[0]) ** 2) ** 0.5
    up = ((first[2] - first[0]) ** 2 + (second[0] - second[1]) ** 2) ** 0.5
    return middle, middle - down, middle + up


def _accuracy(row: pd.Series) -> _Interval:
    return row["accuracy"], row["low"], row["high"]


def _lead(row: pd.Series) -> _Interval:
    return row["difference"], row["difference_low"], row["difference_high"]


def _text(found: _Interval) -> str:
    middle, low, high = (_points(value) for value in found)
    return f"{middle} points ({low} to {high})"


def _above(found: Sequence[_Interval], least: float = 0.0) -> str:
    """Held where all lie above ``least``, failed where one lies below it, each with its whole interval."""
    if not found:
        return UNTESTED
    if any(high < least for _, _, high in found):
        return FAILED
    return HELD if all(low > least for _, low, _ in found) else UNDECIDED


def _one(table: pd.DataFrame, size: int, flops: float | None, arm: str) -> pd.Series | None:
    """The row of a training-set size, a budget in FLOPs and an arm, None where there is none."""
    rows = table[(table["train_size"] == size) & (table["arm"] == arm)]
    if flops is not None:
        rows = rows[rows["budget"] == Budget(flops, "flops").name]
    return None if rows.empty else rows.iloc[0]


_UNI = "uni-path"
_SMALL_BUDGET, _MIDDLE_BUDGET, _LARGE_BUDGET, _LARGEST_BUDGET = 1e12, 4e12, 16e12, 64e12
_NOT_RUN = UNTESTED, "its sizes or budgets were not run"


def _rises(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> tuple[str, str]:
    gains = {}
    for arm in (BASELINE, _UNI):
        rows = best[best["arm"] == arm].sort_values("train_size")
        if len(rows) < 2:
            return _NOT_RUN
        gains[arm] = _apart(_accuracy(rows.iloc[-1]), _accuracy(rows.iloc[0]))
    return _above(list(gains.values())), "; ".join(f"{arm} {_text(gain)}" for arm, gain in gains.items())


def _needs_no_less(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> tuple[str, str]:
    rows = multiples[multiples["arm"] == _UNI]
    more = rows.loc[rows["low"] > 1, "train_size"].tolist()
    said = f"seq2seq needs more data at {len(more)} of {len(rows)} sizes"
    if more:
        return FAILED, f"{said} ({', '.join(f'{size:,}' for size in more)})"
    return (HELD if len(rows) and (rows["high"] <= 1).all() else UNDECIDED), said


def _closer_with_little(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> tuple[str, str]:
    found = {}
    for size in (2000, 8000):
        rows = [_one(table, size, flops, _UNI) for flops in (_MIDDLE_BUDGET, _SMALL_BUDGET)]
        if any(row is None for row in rows):
            return _NOT_RUN
        found[size] = _apart(*(_unsigned(_lead(row)) for row in rows))
    return _above(list(found.values())), "; ".join(f"{size:,}: by {_text(one)}" for size, one in found.items())


def _unsigned(found: _Interval) -> _Interval:
    """How far from 0 a difference may lie."""
    middle, low, high = found
    ends = sorted((abs(low), abs(high)))
    return abs(middle), 0.0 if low <= 0 <= high else ends[0], ends[1]


def _leads_with_few(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> tuple[str, str]:
    found = {size: _one(best, size, None, _UNI) for size in (125, 500)}
    if any(row is None for row in found.values()):
        return _NOT_RUN
    leads = {size: _lead(row) for size, row in found.items()}
    return _above(list(leads.values())), "; ".join(f"{size}: {_text(one)}" for size, one in leads.items())


def _lead_shrinks(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> tuple[str, str]:
    rows = [_one(table, 2000, flops, _UNI) for flops in (_LARGE_BUDGET, _MIDDLE_BUDGET)]
    if any(row is None for row in rows):
        return _NOT_RUN
    large, middle = (_lead(row) for row in rows)
    nearer, behind = _apart(large, middle), tuple(-value for value in (large[0], large[2], large[1]))
    return _above([nearer, behind]), f"{_text(large)}, after {_text(middle)}"


def _seq2seq_gain(table: pd.DataFrame, size: int, more: float, less: float) -> _Interval | None:
    """What seq2seq gains by the larger of two budgets in FLOPs, None where one was not run."""
    rows = [_one(table, size, flops, BASELINE) for flops in (more, less)]
    return None if any(row is None for row in rows) else _apart(*(_accuracy(row) for row in rows))


def _buys_nothing(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> tuple[str, str]:
    gain = _seq2seq_gain(table, 125, _LARGE_BUDGET, _MIDDLE_BUDGET)
    if gain is None:
        return _NOT_RUN
    verdict = FAILED if gain[1] > 0 else HELD if gain[2] < SMALL else UNDECIDED
    return verdict, _text(gain)


def _leads_in_the_end(size: int) -> Callable[..., tuple[str, str]]:
    def judge(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> tuple[str, str]:
        row = _one(table, size, _LARGEST_BUDGET, _UNI)
        return _NOT_RUN if row is None else _all_above({_UNI: _lead(row)}, 1)

    return judge


def _seq2seq_is_done(table: pd.DataFrame, best: pd.DataFrame, multiples: pd.DataFrame) -> tuple[str, str]:
    gain = _seq2seq_gain(table, 500, _LARGEST_BUDGET, _LARGE_BUDGET)
    if gain is None:
        return _NOT_RUN
    verdict = FAILED if gain[1] > CLOSE else HELD if gain[2] < CLOSE else UNDECIDED
    return verdict, _text(gain)


_OF_SIZES: dict[str, Callable[..., tuple[str, str]]] = {
    "Accuracy rises with the data for both": _rises,
    "uni-path needs no less data than seq2seq": _needs_no_less,
    "At the smallest budget the two are closer than at the middle one": _closer_with_little,
    "With 125 and 500 problems, each at its best budget, uni-path leads": _leads_with_few,
    "With 2,000 problems seq2seq leads at 16e12 FLOPs, by less than at a quarter of them": _lead_shrinks,
    "With 125 problems 16e12 FLOPs buy seq2seq nothing (less than 3 points) over a quarter of them": _buys_nothing,
    "With 500 problems and 64e12 FLOPs, each trained to the end, uni-path leads": _leads_in_the_end(500),
    "With 500 problems seq2seq gains less than 5 points from 64e12 FLOPs over a quarter of them": _seq2seq_is_done,
    "With 2,000 problems and 64e12 FLOPs uni-path leads": _leads_in_the_end(2000),
}


def _few_lead(few: pd.DataFrame, many: pd.DataFrame) -> tuple[str, str]:
    return _all_above({arm: _lead(few.loc[arm]) for arm in (_UNI, _GOLD) if arm in few.index}, 2)


def _labels_matter(few: pd.DataFrame, many: pd.DataFrame) -> tuple[str, str]:
    if not {_GOLD, _RANDOM, _ENTROPY} <= set(many.index):
        return _NOT_RUN
    gold, random, entropy = (_accuracy(many.loc[arm]) for arm in (_GOLD, _RANDOM, _ENTROPY))
    gain = _apart(gold, random)
    verdict = _above([gain], SMALL)
    between = random[0] < entropy[0] < gold[0]
    if verdict == HELD and not between:
        verdict = UNDECIDED
    return verdict, f"{_text(gain)}; entropy's {'lie' if between else 'do not lie'} between"


def _pieces_are_best(few: pd.DataFrame, many: pd.DataFrame) -> tuple[str, str]:
    others = [arm for arm in many.index if arm.startswith("uni-path-merged")]
    if _UNI not in many.index:
        return _NOT_RUN
    return _all_above({arm: _apart(_accuracy(many.loc[_UNI]), _accuracy(many.loc[arm])) for arm in others}, 3)


def _one_beats_two_by_gold(few: pd.DataFrame, many: pd.DataFrame) -> tuple[str, str]:
    if not {_TWO_GOLD, _TWO, _GOLD} <= set(many.index):
        return _NOT_RUN
    gold, entropy, one = (_accuracy(many.loc[arm]) for arm in (_TWO_GOLD, _TWO, _GOLD))
    return _all_above({"over entropy's": _apart(gold, entropy), "one model over two": _apart(one, gold)}, 2)


def _answers_fall_behind(few: pd.DataFrame, many: pd.DataFrame) -> tuple[str, str]:
    if "answer-only" not in many.index:
        return _NOT_RUN
    own = _accuracy(many.loc["answer-only"])
    return _all_above({arm: _apart(_accuracy(many.loc[arm]), own) for arm in many.index if _is_ases(arm)}, 1)


def _all_above(found: dict[str, _Interval], least: int) -> tuple[str, str]:
    if len(found) < least:
        return _NOT_RUN
    return _above(list(found.values())), "; ".join(f"{arm} {_text(one)}" for arm, one in found.items())


_GOLD = "uni-path-merged, strategy=gold"
_TWO, _TWO_GOLD = "dual-path-merged", "dual-path-merged, strategy=gold"
_OF_BUDGET: dict[str, Callable[..., tuple[str, str]]] = {
    "With 500 problems uni-path and segments merged by gold labels lead seq2seq": _few_lead,
    "With 2,000, gold labels lead random borders by more than 3 points, entropy's lie between": _labels_matter,
    "With 2,000, unmerged segments do best of uni-path's": _pieces_are_best,
    "With 2,000, answer-only falls behind every AS-ES arm": _answers_fall_behind,
    "With 2,000, two models by gold labels beat two by entropy's, and one by gold beats them": _one_beats_two_by_gold,
}


def _rates_grow(rates: pd.DataFrame, best: pd.DataFrame) -> tuple[str, str]:
    chosen = rates[rates["chosen"]]
    larger = chosen.loc[chosen["learning_rate"] > chosen["usual_rate"], "arm"].tolist()
    said = f"{len(larger)} of {len(chosen)} arms do ({', '.join(larger)})" if larger else f"none of {len(chosen)} does"
    return (HELD if len(larger) == len(chosen) else FAILED if 2 * len(larger) < len(chosen) else UNDECIDED), said


def _all_behind(rates: pd.DataFrame, best: pd.DataFrame) -> tuple[str, str]:
    return _behind_at_equal_flops(best, best, best)


def _uni_path_gains(rates: pd.DataFrame, best: pd.DataFrame) -> tuple[str, str]:
    rows = rates[rates["arm"] == _UNI]
    usual, chosen = rows[rows["learning_rate"] == rows["usual_rate"]], rows[rows["chosen"]]
    if usual.empty or chosen.empty:
        return _NOT_RUN
    if usual.index.equals(chosen.index):
        return FAILED, "its usual rate is its best"
    gain = _apart(_accuracy(chosen.iloc[0]), _accuracy(usual.iloc[0]))
    return _above([gain], CLOSE), _text(gain)


_OF_RATES: dict[str, tuple[float, Callable[..., tuple[str, str]]]] = {
    "At the larger budget every arm does best with a larger rate than its usual one": (_LARGE_BUDGET, _rates_grow),
    "There, each at its best rate, seq2seq leads every AS-ES arm": (_LARGE_BUDGET, _all_behind),
    "There, uni-path gains more than 5 points by its best rate": (_LARGE_BUDGET, _uni_path_gains),
    "At the smaller budget, each at its best rate, seq2seq leads every AS-ES arm": (_MIDDLE_BUDGET, _all_behind),
    "There, uni-path gains more than 5 points, too": (_MIDDLE_BUDGET, _uni_path_gains),
}


def expectations_line(table: pd.DataFrame) -> str:
    """How many of the predictions held, in words."""
    counts = table["verdict"].value_counts()
    said = [f"{counts[verdict]} {verdict}" for verdict in (HELD, FAILED, UNDECIDED, UNTESTED) if verdict in counts]
    counted = " (each training-set size counts)" if "train_size" in table else ""
    return f"Of {len(table)} predictions{counted} {', '.join(said)}."
