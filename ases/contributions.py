"""How much of the gain each ingredient explains: reading again, merging, where the borders are, two models, two marks.

>>> contribution_table(predictions, rules_of(trials))[["ingredient", "difference", "low", "high"]]   # doctest: +SKIP

Two arms that differ in one ingredient only are compared on the same questions. From seq2seq to an arm that merges by
gold, say, the way leads over ``none`` (segment by segment, every piece for itself) and over borders in random places:
the differences on it add up to the whole. Ours; METHOD, section 4, names the controls.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ases.measures import MEASURES, headline
from ases.ratios import difference_table, ratio_table
from ases.settings import BASELINE, CONTROLS
from ases.statistics import compare, holm, summarise
from ases.trials import verdict

INGREDIENTS = {
    "iteration": "segment by segment instead of at once",
    "merging": "longer segments, with borders in random places",
    "borders": "the strategy's borders instead of random ones",
    "merging by the strategy": "longer segments, with the strategy's borders",
    "two models": "two models that take turns instead of one",
}
"""What is added from the first arm of a pair to the second."""


def _pairs(rules: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Arms that differ in one ingredient: (ingredient, arm without it, arm with it)."""
    plain = rules[~rules["typed"].astype(bool) & (rules["other"] == "")]

    def named(method: str, rule: str | None = None) -> list[str]:
        rows = plain[plain["method"] == method]
        return rows.loc[rows["rule"] == rule, "arm"].tolist() if rule is not None else rows["arm"].tolist()

    none, merged = named("uni-path", "none"), plain[plain["method"] == "uni-path-merged"]
    controls = merged[merged["rule"] == "random_boundaries"]
    ours = merged[~merged["rule"].isin(CONTROLS)]
    found = [("iteration", base, arm) for base in named(BASELINE) for arm in none]
    found += [("merging", base, arm) for base in none for arm in controls["arm"]]
    for base, source in zip(controls["arm"], controls["random_of"], strict=True):  # segments of the same lengths
        found += [("borders", base, arm) for arm in ours.loc[ours["rule"] == source, "arm"]]
    found += [("merging by the strategy", base, arm) for base in none for arm in ours["arm"]]
    found += [("two models", base, arm) for base in none for arm in named("dual-path")]
    for rule in dict.fromkeys(ours["rule"]):
        found += [
            ("two models", base, arm)
            for base in named("uni-path-merged", rule)
            for arm in named("dual-path-merged", rule)
        ]
    return found


def contribution_table(predictions: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """What each ingredient adds, a row a pair of arms that differ in it alone.

    ``ingredient`` (:data:`INGREDIENTS`), ``without, with`` (arms), ``measure``, ``difference`` with ``low, high``
    (95 %), ``p_holm`` over all rows, ``n`` (questions), ``seeds``. Tests are those of
    :func:`ases.statistics.compare`. Empty where no two arms differ in one ingredient.
    """
    measure, rows = headline(predictions), []
    named = predictions.rename(columns={"arm": "method"})
    for ingredient, base, arm in _pairs(rules):
        both = named[named["method"].isin([base, arm])]
        row = compare(both, baseline=base, value=measure).iloc[0]
        kept = {name: row[name] for name in ("difference", "low", "high", "p", "n", "seeds")}
        rows.append({"ingredient": ingredient, "without": base, "with": arm, "measure": measure} | kept)
    columns = ["ingredient", "without", "with", "measure", "difference", "low", "high", "p", "n", "seeds"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(columns.index("p") + 1, "p_holm", holm(table["p"]) if len(table) else pd.Series(dtype=float))
    return table.drop(columns="p")


def contribution_sentences(table: pd.DataFrame) -> list[str]:
    """A :func:`contribution_table` in words, and whether iteration explains more than any border, as predicted.

    It does where its whole interval lies above nothing and above the most that any merging adds, does not where the
    whole interval lies below; else it cannot be judged.
    """
    if table.empty:
        return ["No two arms here differ in one ingredient alone.", verdict(0, 0, "pairs")]
    measure, lines = MEASURES[table["measure"].iloc[0]], []
    unit = " points" if measure.share else ""
    for row in table.to_dict("records"):
        apart = "" if row["p_holm"] < 0.05 else ", which cannot be told from nothing"
        low, high = (measure.difference_text(row[end]) for end in ("low", "high"))
        lines.append(
            f"{INGREDIENTS[row['ingredient']]} ({row['without']} to {row['with']}): "
            f"{measure.difference_text(row['difference'])}{unit} of {measure.label} (95 % interval {low} to {high})"
            f"{apart}."
        )
    iteration = table[table["ingredient"] == "iteration"]
    others = table[table["ingredient"].isin(["merging", "borders", "merging by the strategy"])]
    told = 0
    if len(iteration) and len(others):
        most, least = iteration.loc[iteration["difference"].idxmax()], max(others["difference"].max(), 0.0)
        told = int(most["low"] > least or most["high"] < least)
    held = int(told and most["low"] > least)
    return [*lines, verdict(held, told, "comparison of the ingredients")]


# 8. BLEU against accuracy -----------------------------------------------------------------------------------------


def bleu_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """BLEU beside accuracy, a row an arm in their order: does one rise where the other falls?

    ``arm, accuracy`` with ``accuracy_low, accuracy_high``, ``bleu`` (mean of sentence BLEU, 0-100) with its bounds;
    ``more_accuracy`` and ``more_bleu`` with ``_low, _high``: differences to seq2seq on the same questions, NaN for
    seq2seq itself and where it is absent; ``right, wrong`` (BLEU of chains with a right and with a wrong answer) and
    ``apart, apart_low, apart_high``, their difference; ``n, seeds``. Answers are needed: a table without any is empty.
    """
    columns = ["arm", "accuracy", "bleu", "more_accuracy", "more_bleu", "right", "wrong", "apart", "n", "seeds"]
    if headline(predictions) != "correct":
        return pd.DataFrame(columns=columns)
    named = predictions.rename(columns={"arm": "method"})
    found: dict[str, pd.DataFrame] = {}
    for shown, value in (("accuracy", "correct"), ("bleu", "bleu")):
        means = summarise(named, value=value).set_index("method")
        found[shown] = means[["mean", "low", "high"]].set_axis([shown, f"{shown}_low", f"{shown}_high"], axis=1)
        if BASELINE in set(named["method"]) and named["method"].nunique() > 1:
            against = compare(named, baseline=BASELINE, value=value).set_index("method")
            ends = [f"more_{shown}{end}" for end in ("", "_low", "_high")]
            found[f"more_{shown}"] = against[["difference", "low", "high"]].set_axis(ends, axis=1)
    by_answer = ratio_table(predictions, "bleu", ["arm", "correct"]).pivot(
        index="arm", columns="correct", values="bleu"
    )
    by_answer = by_answer.reindex(columns=[True, False]).set_axis(["right", "wrong"], axis=1)
    apart = difference_table(predictions, "bleu", "correct", True, False, ["arm"]).set_index("arm")
    apart = apart[["difference", "low", "high"]].set_axis(["apart", "apart_low", "apart_high"], axis=1)
    counts = summarise(named, value="correct").set_index("method")[["n", "seeds"]]
    table = pd.concat([*found.values(), by_answer, apart, counts], axis=1)
    order = list(dict.fromkeys(predictions["arm"]))
    return table.reindex(order).rename_axis("arm").reset_index()


def bleu_sentences(table: pd.DataFrame) -> list[str]:
    """A :func:`bleu_table` in words, and whether lower BLEU came with higher accuracy, as the paper reports."""
    if table.empty:
        return ["There are no answers here, so there is no accuracy to hold BLEU against.", verdict(0, 0, "arms")]
    lines = []
    for row in table.to_dict("records"):
        if np.isfinite(row.get("apart", np.nan)):
            lines.append(
                f"{row['arm']}: accuracy {row['accuracy']:.0%}, BLEU {row['bleu']:.1f}; chains with a right answer "
                f"have {row['right']:.1f}, with a wrong one {row['wrong']:.1f} (difference {row['apart']:+.1f}, 95 % "
                f"interval {row['apart_low']:+.1f} to {row['apart_high']:+.1f})."
            )
        else:
            lines.append(f"{row['arm']}: accuracy {row['accuracy']:.0%}, BLEU {row['bleu']:.1f}.")
    others = table[table["arm"] != BASELINE]
    order = float(table[["accuracy", "bleu"]].corr(method="spearman").iloc[0, 1])
    if len(table) > 2 and np.isfinite(order):
        lines.append(f"Over the {len(table)} arms accuracy and BLEU have a rank correlation of {order:+.2f}.")
    if "more_bleu" not in table or others.empty:
        return [*lines, verdict(0, 0, "arms")]
    better = others[others["more_accuracy_low"] > 0]
    traded = better[better["more_bleu_high"] < 0]
    if better.empty:
        lines.append("No arm answers clearly more questions than seq2seq, so nothing was bought with BLEU.")
    return [*lines, verdict(len(traded), len(better), "arms that are clearly more accurate than seq2seq")]
