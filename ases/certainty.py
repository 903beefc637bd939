"""How sure a comparison is: how large its differences are, what it could have found, and what its seeds tell.

>>> effect_table(predictions)[["method", "difference", "cohens_h"]]                # doctest: +SKIP
>>> power_sentence(power_table(predictions))                                      # doctest: +SKIP

Tables of the headline measure (:mod:`ases.measures`), each with the sentences that say in words what it says in
numbers, so that no text quotes a number of its own.
"""

from __future__ import annotations

import math
from bisect import bisect_left

import pandas as pd

from ases.choices import BASELINE, METHODS
from ases.effects import SCORES, SHARES, effect_sizes
from ases.measures import MEASURES, headline
from ases.power import ALPHA, Spread, detectable_difference, detectable_mean, detectable_over_seeds, spread_of
from ases.statistics import tables_of
from ases.verdicts import unit_of

_SIZES = ((0.2, "a negligible effect"), (0.5, "a small effect"), (0.8, "a medium effect"), (math.inf, "a large effect"))
"""What Cohen (1988) calls values of h and of d below these bounds."""


MOST_SEEDS = 1000
"""More seeds than this nobody trains."""


def _others(predictions: pd.DataFrame) -> list[str]:
    """The methods that are compared with the baseline, in the order of METHODS, then those that are none of them."""
    there = predictions["method"].unique()
    known = [method for method in METHODS if method in there and method != BASELINE]
    return [*known, *(method for method in there if method not in METHODS)]


# How large ------------------------------------------------------------------------------------------------------


def effect_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """The size of each method's difference to seq2seq, a row a method: :func:`ases.effects.effect_sizes`.

    Without a row where seq2seq is the only method. Raises DataError as :func:`ases.statistics.compare` does.
    """
    measure, others = headline(predictions), _others(predictions)
    if not others:
        sizes = SHARES if measure == "correct" else SCORES
        names = [f"{name}{end}" for name in sizes for end in ("", "_low", "_high")]
        return pd.DataFrame(columns=["method", "n", "seeds", "difference", "low", "high", *names])
    found = effect_sizes(predictions, baseline=BASELINE, value=measure).drop(columns=["baseline", "value"])
    return found.set_index("method").loc[others].reset_index()


def effect_sentences(effects: pd.DataFrame) -> list[str]:
    """An :func:`effect_table` in words, a sentence a method."""
    lines = []
    for row in effects.to_dict("records"):
        share = "cohens_h" in row
        size = row["cohens_h" if share else "cohens_d"]
        if pd.isna(size):
            lines.append(f"{row['method']}: without any spread between questions no effect size is defined.")
            continue
        called = next(word for bound, word in _SIZES if abs(size) < bound)
        name = "h" if share else "d"
        text = f"Cohen's {name} = {size:+.2f}{_bounds(row, f'cohens_{name}', '+.2f')}, by his words {called}"
        if share and not pd.isna(row["odds_ratio"]):
            odds = f"{row['odds_ratio']:.2f}{_bounds(row, 'odds_ratio', '.2f')}"
            text = f"the odds of a right answer are {odds} times those of {BASELINE}; {text}"
        lines.append(f"{row['method']}: {text}.")
    return lines


def _bounds(row: dict[str, float], name: str, form: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "" if pd.isna(low) else f" (95 % interval {low:{form}} to {high:{form}})"


# What could have been found -------------------------------------------------------------------------------------


def power_table(predictions: pd.DataFrame, baseline: str = BASELINE, alpha: float = ALPHA) -> pd.DataFrame:
    """The smallest difference to the baseline that these runs can show with 80 % power, by method, at level ``alpha``.

    ``method, measure, n, seeds, detectable_difference`` and what it follows from. One seed, right or wrong: the share
    of questions on which the two methods ``disagree``; scores: the ``deviation`` of their differences. Several seeds:
    how much the differences spread between seeds, between questions and otherwise (``seed_spread, question_spread,
    rest``), which is a guess where seeds are few. NaN where no difference at all could be shown.
    """
    measure = headline(predictions)
    tables, rows = tables_of(predictions, measure), []
    for method in (name for name in _others(predictions) if name != baseline):
        first, second = tables[method], tables[baseline]
        seeds, n = first.shape
        row = {"method": method, "measure": measure, "n": n, "seeds": seeds}
        if seeds > 1:
            spread = spread_of(first.astype(float) - second)
            row |= {"seed_spread": spread.seeds, "question_spread": spread.questions, "rest": spread.rest}
            found = detectable_over_seeds(seeds, n, spread, alpha=alpha)
        elif measure == "correct":
            share = float((first != second).mean())
            row |= {"disagree": share}
            found = detectable_difference(n, share, alpha=alpha) if share else math.nan
        else:
            deviation = float((first - second).std(ddof=1)) if n > 1 else math.nan
            row |= {"deviation": deviation}
            found = detectable_mean(n, deviation, alpha=alpha) if deviation > 0 else math.nan
        rows.append(row | {"detectable_difference": found})
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["method", "n", "seeds", "detectable_difference"])


def seeds_needed(power: pd.DataFrame, aim: float) -> pd.Series:
    """How many seeds would find a difference of ``aim`` with 80 % power, on as many questions as there are.

    Of each row of a :func:`power_table` over several seeds. NaN where no number of seeds up to :data:`MOST_SEEDS`
    does, since the questions alone vary too much and more of them would be needed. As much a guess as the spread is.
    """
    return pd.Series([_seeds_needed(row, aim) for row in power.to_dict("records")], power.index, float)


def _seeds_needed(row: dict[str, float], aim: float) -> float:
    spread = Spread(row["seed_spread"], row["question_spread"], row["rest"])

    def found(seeds: int) -> bool:
        return detectable_over_seeds(seeds, int(row["n"]), spread) <= aim

    counts = range(2, MOST_SEEDS + 1)
    place = bisect_left(counts, True, key=found)  # the more seeds, the smaller the difference that is found
    return float(counts[place]) if place < len(counts) else math.nan


def power_sentence(power: pd.DataFrame) -> str:
    """A :func:`power_table` in words."""
    if power.empty:
        return f"There is no method beside {BASELINE} here, so there is no difference to find."
    measure = MEASURES[power["measure"].iloc[0]]
    unit = f" {unit_of(measure)}"
    found, lines = power["detectable_difference"].dropna(), []
    if len(found):
        texts = [measure.difference_text(value).lstrip("+") for value in (found.min(), found.max())]
        span = " to ".join(dict.fromkeys(texts)) + unit + (", by method," if texts[0] != texts[1] else "")
        lines.append(
            f"With {power['n'].max():.0f} test questions and {_seeds(power['seeds'].max())}, differences to {BASELINE} "
            f"below {span} are missed more often than one time in five, so that what cannot be told apart need not be "
            "equal."
        )
    without = power.loc[power["detectable_difference"].isna(), "method"].tolist()
    if without:
        lines.append(f"For {', '.join(without)} these questions could show no difference at all.")
    return " ".join(lines)


# What the seeds tell --------------------------------------------------------------------------------------------


def seed_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """How the headline measure of each method varies with the seed of its training.

    ``method, measure, seeds, n, mean, lowest, highest`` (of the seeds' means) and ``deviation``, their standard
    deviation, NaN for one seed: from one training nobody can tell how another would end.
    """
    measure = headline(predictions)
    tables, rows = tables_of(predictions, measure), []
    for method in [one for one in METHODS if one in tables]:
        means = tables[method].mean(axis=1)
        deviation = float(means.std(ddof=1)) if len(means) > 1 else math.nan
        row = {"method": method, "measure": measure, "seeds": len(means), "n": tables[method].shape[1]}
        row |= {"mean": means.mean(), "lowest": means.min(), "highest": means.max(), "deviation": deviation}
        rows.append(row)
    return pd.DataFrame(rows)


def seed_sentence(table: pd.DataFrame) -> str:
    """A :func:`seed_table` in words; of one seed it says that nothing can be said."""
    measure, seeds = MEASURES[table["measure"].iloc[0]], int(table["seeds"].iloc[0])
    if seeds == 1:
        return (
            "Each method was trained once, so these tables say nothing about seeds: the intervals cover the choice of "
            "test questions only, and another seed may change the order of methods. Give several seeds, and the seed "
            "becomes the unit of the comparison."
        )
    most = table.loc[table["deviation"].idxmax()]
    apart = measure.difference_text(most["deviation"]).lstrip("+")
    unit = " points" if measure.share else ""
    said = (
        f"Over {seeds} seeds {measure.label} spreads most for {most['method']}: from {measure.text(most['lowest'])} to "
        f"{measure.text(most['highest'])}, a standard deviation of {apart}{unit} between seeds. Intervals and p values "
        "cover new seeds as well as new questions."
    )
    return " ".join(filter(None, [said, few_seeds(seeds)]))


def few_seeds(seeds: int) -> str:
    """That two seeds are too few for their p values, as :func:`ases.statistics.seed_difference` says; else empty."""
    if seeds != 2:
        return ""
    return (
        "Two seeds are too few: where methods do not differ, a test over two seeds errs in up to one case of ten "
        "(simulated) and not in one of twenty, as with three it nearly does, so that a p just below 0.05 says little."
    )


def _seeds(count: int) -> str:
    return "one seed" if count == 1 else f"{int(count)} seeds"
