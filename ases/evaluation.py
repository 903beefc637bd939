"""Chains -> tables: each chain against its reference, the learning curve, and the comparison of methods.

>>> table = evaluate_chains(chains, examples)                              # doctest: +SKIP
>>> table[["qid", "chain", "reason", "correct", "bleu", "rouge_l"]]        # doctest: +SKIP

Tables show the headline measure of their data (:mod:`ases.measures`): a column ``accuracy`` for word problems,
``rouge_l`` for reports, which have no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from ases.curves import curve_table as curve_table
from ases.curves import rising_sentence as rising_sentence
from ases.curves import still_rising
from ases.curves import validation_curve as validation_curve
from ases.errors import DataError
from ases.examples import Example
from ases.generation import REASONS, Chain
from ases.measures import MEASURES, headline, measure_in
from ases.metrics import equation_share, is_correct, rouge, sentence_bleu
from ases.pieces import split_pieces
from ases.scoring import scorer_condition
from ases.settings import BASELINE, METHODS, Settings
from ases.statistics import (
    Interval,
    bootstrap_mean,
    compare,
    corpus_bleu_interval,
    proportion_interval,
    seed_mean,
    summarise,
    tables_of,
)
from ases.training import read_training

_ROUGE_NAMES = {"rouge_1": "ROUGE-1", "rouge_2": "ROUGE-2", "rouge_l": "ROUGE-L"}


def evaluate_chains(chains: Sequence[Chain], examples: Sequence[Example]) -> pd.DataFrame:
    """One row a chain: what was written, why it ended, and how it compares with the reference.

    Columns: ``qid, chain, segments, reason, rounds, read_tokens, written_tokens, flops, samples, agreement`` (as in
    :class:`~ases.chains.Chain`), ``correct, bleu`` (sentence BLEU, 0-100), ``rouge_l`` (0-1), ``right_equations``
    (share, NaN without equations), ``steps`` (:func:`steps_of` the reference). Examples without answers: ``correct``
    is NA, and ``rouge_1, rouge_2`` come before ``rouge_l``. Raises DataError where chains and examples are not those
    of the same questions in order, or only some have an answer.
    """
    if [chain.qid for chain in chains] != [example.qid for example in examples]:
        raise DataError("chains and examples are not of the same questions in the same order")
    answered = headline(examples) == "correct"
    texts, references = [chain.text for chain in chains], [example.rationale for example in examples]
    languages = {example.language for example in examples}
    if len(languages) > 1:
        raise DataError(f"examples of several languages ({', '.join(sorted(languages))}) cannot share one BLEU")
    (language,) = languages
    rows = [
        {
            "qid": chain.qid,
            "chain": chain.text,
            "segments": len(chain.segments),
            "reason": chain.reason,
            "rounds": chain.rounds,
            "read_tokens": chain.read_tokens,
            "written_tokens": chain.written_tokens,
            "flops": chain.flops,
            "samples": chain.samples,
            "agreement": chain.agreement,
            "correct": is_correct(chain.text, example.answer) if answered else None,
            "right_equations": equation_share(chain.text),
            "steps": steps_of(example),
        }
        for chain, example in zip(chains, examples, strict=True)
    ]
    table = pd.DataFrame(rows)
    table["correct"] = table["correct"].astype("bool" if answered else "boolean")
    table["bleu"] = sentence_bleu(texts, references, language)
    scores = rouge(texts, references, language)
    for name in ("rouge_l",) if answered else ("rouge_1", "rouge_2", "rouge_l"):
        table[name] = scores[name]
    return table


def steps_of(example: Example) -> int:
    """How long the reference is: its operations (equals signs), or its pieces where there is no answer to work out."""
    if example.answer is None:
        return len(split_pieces(example.rationale))
    return len(re.findall(r"=", example.rationale))


def measure_by(table: pd.DataFrame, columns: Sequence[str], measure: str | None = None) -> pd.DataFrame:
    """The headline measure, or another column of scores, with 95 % interval and n, for each value of the columns.

    Columns: those given, then ``accuracy`` (or the name of the measure), ``low, high, n``. Right or wrong: Wilson;
    scores: bootstrap over questions. Several seeds of the same questions: :func:`ases.statistics.seed_mean`, and n
    counts questions.
    """
    name = measure or headline(table)
    shown = MEASURES[name].column if name in MEASURES else name
    rows = []
    for values, part in table.groupby(list(columns), sort=True):
        interval = _interval(part, name)
        bounds = {shown: interval.estimate, "low": interval.low, "high": interval.high, "n": interval.n}
        rows.append(dict(zip(columns, values, strict=True)) | bounds)
    return pd.DataFrame(rows)


def measure_by_length(table: pd.DataFrame) -> pd.DataFrame:
    """:func:`measure_by` for each method and length of the reference (``steps``), the methods in their order.

    More than eight lengths are put into five ranges of about equally many questions: ``steps`` is then the least of a
    range, and ``steps_to`` the greatest.
    """
    lengths = table["steps"]
    if lengths.nunique() <= 8:
        return in_order(measure_by(table, ["method", "steps"]), by="steps")
    ranges = pd.qcut(lengths, 5, labels=False, duplicates="drop")
    bounds = {"steps": lengths.groupby(ranges).transform("min"), "steps_to": lengths.groupby(ranges).transform("max")}
    return in_order(measure_by(table.assign(**bounds), ["method", "steps", "steps_to"]), by="steps")


def _interval(part: pd.DataFrame, name: str) -> Interval:
    """Mean of a measure over chains of one method, of one seed or several."""
    if "seed" in part and part["seed"].nunique() > 1:
        (values,) = tables_of(part.assign(method=""), name).values()
        return seed_mean(values) if values.shape[1] > 1 else bootstrap_mean([values.mean()])
    if name == "correct":
        return proportion_interval(int(part[name].sum()), len(part))
    return bootstrap_mean(part[name].to_numpy(float))


def measures_table(table: pd.DataFrame, examples: Sequence[Example]) -> pd.DataFrame:
    """What one run's chains come to: ``measure, mean, low, high`` (95 %) and ``n``, the chains that it counts.

    The headline measure first, then ROUGE (0-1), corpus BLEU (0-100) and, where chains state equations, the share of
    them that is right. Wilson for right or wrong, bootstrap over questions for the rest.
    """
    main = MEASURES[headline(table)]
    rows = [{"measure": main.label, **_row(_interval(table, main.name))}]
    for name, shown in _ROUGE_NAMES.items():
        if name in table and name != main.name:
            rows.append({"measure": shown, **_row(bootstrap_mean(table[name].to_numpy(float)))})
    references = [example.rationale for example in examples]
    found = corpus_bleu_interval(table["chain"].tolist(), references, examples[0].language)
    rows.append({"measure": "corpus BLEU", **_row(found)})
    stated = table["right_equations"].dropna().to_numpy(float)
    if len(stated):
        rows.append({"measure": "right equations", **_row(bootstrap_mean(stated))})
    return pd.DataFrame(rows)


def _row(interval: Interval) -> dict[str, float]:
    return {"mean": interval.estimate, "low": interval.low, "high": interval.high, "n": interval.n}


def generation_cost(table: pd.DataFrame) -> pd.DataFrame:
    """What a question cost, a row a method, means over its chains: all samples of a vote are counted.

    ``method, chains, samples, agreement`` (share of the samples that the winner had), ``rounds, read_tokens,
    written_tokens, flops`` (forward passes), and ``flops_a_sample``, what one sample alone would have cost.
    """
    rows = []
    for method, part in table.groupby("method", sort=False):
        means = part[["agreement", "rounds", "read_tokens", "written_tokens", "flops"]].astype(float).mean()
        row = {"method": method, "chains": len(part), "samples": int(part["samples"].max()), **means}
        rows.append(row | {"flops_a_sample": float((part["flops"] / part["samples"]).mean())})
    return pd.DataFrame(rows)


def vote_sentence(cost: pd.DataFrame) -> str:
    """The vote's price in a :func:`generation_cost` table in words; without one, that there was none."""
    voted = cost[cost["samples"] > 1]
    if voted.empty:
        return "No vote was taken: each chain was written once."
    lines = [
        f"{row['method']}: each vote was over {row['samples']} samples, so that a question cost {row['flops']:.2g} "
        f"FLOPs, where one sample alone costs {row['flops_a_sample']:.2g}; the winner had {row['agreement']:.0%} of "
        "the samples on average."
        for row in voted.to_dict("records")
    ]
    return " ".join(lines)


def without_texts(predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions as they may be published, without any text: method, seed, qid and what was measured."""
    names = ("method", "seed", "qid", "correct", "bleu", "rouge_1", "rouge_2", "rouge_l")
    return predictions[[name for name in names if name in predictions]]


def end_reasons(table: pd.DataFrame, method: str) -> pd.DataFrame:
    """The share of chains that ended for each reason: ``method, reason, chains, share``."""
    counts = table["reason"].value_counts().reindex(list(REASONS), fill_value=0)
    return pd.DataFrame(
        {"method": method, "reason": list(counts.index), "chains": counts.values, "share": counts.values / len(table)}
    )


def comparison_table(
    predictions: pd.DataFrame, budgets: pd.DataFrame, corpus: pd.DataFrame, points: pd.DataFrame
) -> pd.DataFrame:
    """The main table: one row a method, in the order of METHODS.

    ``predictions`` has ``method, seed, qid, correct, bleu, rouge_l``; ``budgets`` one row a method, seed and model
    with ``epochs, flops, target_tokens, scorer_flops``; ``corpus`` one row a method and seed with its corpus ``bleu``;
    ``points`` the validation curves. Accuracy and its difference to seq2seq come with 95 % intervals; ``p_holm`` is
    corrected over the methods compared. Budgets are means over seeds, a dual-path's models added up;
    ``generation_flops``, a question's, where the predictions have ``flops``. Without answers ROUGE-L takes accuracy's
    place, and where accuracy has ``rouge_l`` beside it stand ``rouge_1`` and ``rouge_2``. These and the mean sentence
    BLEU have differences to seq2seq as well (``bleu_difference, bleu_difference_low, bleu_difference_high,
    bleu_p_holm``), each measure's p corrected for itself.
    """
    ordered, measure = in_order(predictions), MEASURES[headline(predictions)]
    found = summarise(ordered, value=measure.name).set_index("method")
    against = _against(ordered, measure.name)
    beside, apart = {}, {}
    for name in ("bleu", "rouge_l") if measure.name == "correct" else ("bleu", "rouge_1", "rouge_2"):
        other, difference = _against(ordered, name), f"{name}_difference"
        apart |= {difference: other["difference"]} | {f"{difference}_{end}": other[end] for end in ("low", "high")}
        if name == "bleu":  # its mean is shown as that of the corpus
            apart["bleu_p_holm"] = other["p_holm"]
            continue
        mean = summarise(ordered, value=name).set_index("method")
        beside |= {name: mean["mean"], f"{name}_low": mean["low"], f"{name}_high": mean["high"]}
        beside[f"{name}_p_holm"] = other["p_holm"]
    spent = budgets.groupby(["method", "seed"]).agg(
        {"epochs": "mean", "flops": "sum", "target_tokens": "sum", "scorer_flops": "max"}
    ).groupby("method").mean()  # fmt: skip
    rises = still_rising(points).set_index("method")
    table = pd.DataFrame(
        {
            "n": found["n"],
            "seeds": found["seeds"],
            measure.column: found["mean"],
            "low": found["low"],
            "high": found["high"],
            "difference": against["difference"],
            "difference_low": against["low"],
            "difference_high": against["high"],
            "p_holm": against["p_holm"],
            "bleu": corpus.groupby("method")["bleu"].mean(),
            **beside,
            "still_rises": rises["still_rises"],
            "epochs": spent["epochs"],
            "training_flops": spent["flops"],
            "scorer_flops": spent["scorer_flops"],
            "target_tokens": spent["target_tokens"],
        }
    )
    if "flops" in predictions:
        table["generation_flops"] = generation_cost(predictions).set_index("method")["flops"]
    return table.assign(**apart).reindex(found.index).rename_axis("method").reset_index()


def _against(predictions: pd.DataFrame, value: str) -> pd.DataFrame:
    if set(predictions["method"]) == {BASELINE}:  # a look at the baseline alone
        return pd.DataFrame(columns=["difference", "low", "high", "p_holm"], dtype=float)
    return compare(predictions, baseline=BASELINE, value=value).set_index("method")


def in_order(table: pd.DataFrame, by: str = "qid") -> pd.DataFrame:
    """The rows in the order of METHODS, then seed where there is one, then another column."""
    rank = {method: place for place, method in enumerate(METHODS)}
    columns = [name for name in ("method", "seed", by) if name in table]
    ordered = table.sort_values(columns, key=lambda one: one.map(rank) if one.name == "method" else one)
    return ordered.reset_index(drop=True)


class TrainingRun(Protocol):
    """What :func:`budgets_of` needs of a training run: its folder, settings and, through its inputs, its scorer."""

    folder: Path
    settings: Settings

    def all(self, step: str) -> list[Any]: ...


def budgets_of(trainings: Sequence[TrainingRun]) -> pd.DataFrame:
    """One row a method, seed and model: what training cost, and what the scorer behind its labels cost.

    ``scorer_flops`` (training the scorer and scoring every piece) is 0 for methods without labels from a model.
    """
    tables = []
    for one in trainings:
        chosen = one.settings.segmentation
        spent = f"scorer_flops_{scorer_condition(chosen.scored_strategy, chosen.condition)}"
        scorer = sum(scoring.manifest()["numbers"][spent] for scoring in one.all("scoring"))
        budget = read_training(one.folder).budget
        method, seed = one.settings.training.method, one.settings.training.seed
        tables.append(budget.assign(method=method, seed=seed, scorer_flops=float(scorer)))
    return concatenate(tables)


def difference_table(table: pd.DataFrame) -> pd.DataFrame:
    """The differences to seq2seq out of the main table: ``method, difference, low, high, p_holm, n, seeds``.

    A column ``measure`` says what they are differences of, where that is not accuracy.
    """
    columns = {"difference_low": "low", "difference_high": "high"}
    part = table.loc[table["method"] != BASELINE].drop(columns=["low", "high"]).rename(columns=columns)
    part = part[["method", "difference", "low", "high", "p_holm", "n", "seeds"]].reset_index(drop=True)
    measure = measure_in(table).name
    return part if measure == "correct" else part.assign(measure=measure)


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """The main table as a reader wants it first: percentages (or ROUGE-L) with their intervals, as text."""
    measure = measure_in(table)
    text, apart, written = measure.text, measure.difference_text, "generation_flops"
    means = [f"{text(row[measure.column])} ({text(row['low'])} to {text(row['high'])})" for row in _rows(table)]
    against = [
        "" if pd.isna(row["difference"])
        else f"{apart(row['difference'])} ({apart(row['difference_low'])} to {apart(row['difference_high'])})"
        for row in _rows(table)
    ]  # fmt: skip
    beside = {
        shown: table[name].round(3)
        for name, shown in _ROUGE_NAMES.items()
        if name in table and name != measure.column
    }
    return pd.DataFrame(
        {
            "method": table["method"],
            f"{measure.label} (95 % interval)": means,
            f"{'points' if measure.share else measure.label} over {BASELINE}": against,
            "p (Holm)": ["" if pd.isna(p) else f"{p:.2g}" for p in table["p_holm"]],
            "BLEU": table["bleu"].round(1),
            **beside,
            "epochs": table["epochs"].round(1),
            "training FLOPs": [f"{flops:.2g}" for flops in table["training_flops"]],
            "scorer FLOPs": [f"{flops:.2g}" if flops else "" for flops in table["scorer_flops"]],
            **({"FLOPs a question": [f"{flops:.2g}" for flops in table[written]]} if written in table else {}),
            "n": table["n"],
            "seeds": table["seeds"],
        }
    ).set_index("method")


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")


def findings(table: pd.DataFrame, points: pd.DataFrame | None = None) -> list[str]:
    """The main table in sentences, one a method: every figure is read from the table, and from the curves if given."""
    base, measure = table.set_index("method").loc[BASELINE], measure_in(table)
    reach, questions = ("answers", "of") if measure.share else (f"reaches {measure.label}", "on")
    apart = measure.difference_text
    lines = [
        f"{BASELINE} {reach} {measure.text(base[measure.column])} {questions} {base['n']:.0f} test questions "
        f"({_seeds(base)})."
    ]
    for row in table.to_dict("records"):
        if row["method"] == BASELINE:
            continue
        answers = f"{row['method']} {reach} {measure.text(row[measure.column])}"
        interval = f"95 % interval {apart(row['difference_low'])} to {apart(row['difference_high'])}"
        points_apart = f"{apart(row['difference'])}{' points' if measure.share else ''}"
        more, fewer = ("more", "fewer") if measure.share else ("higher", "lower")
        if row["p_holm"] < 0.05:
            verdict = f"{more if row['difference'] > 0 else fewer} than {BASELINE}: {points_apart} ({interval})"
        else:
            verdict = f"which cannot be told apart from {BASELINE}: {points_apart} ({interval})"
        lines.append(f"{answers}, {verdict}.")
    scored = table.loc[table["scorer_flops"] > 0, "method"].tolist()
    if scored:
        share = float((table["scorer_flops"] / table["training_flops"]).max())
        lines.append(f"The scorer behind the labels of {', '.join(scored)} cost another {share:.0%} of that training.")
    lines.append("A difference counts when its p stays below 0.05 after Holm's correction; intervals are uncorrected.")
    if points is not None:
        rises = still_rising(points)
        rising = rises.loc[rises["still_rises"], "method"].tolist()
        if rises["last_gain"].isna().all():
            end = "of one point cannot tell whether more training would help"
        elif rising:
            end = f"still rise at the end of the budget: {', '.join(rising)}"
        else:
            end = "do not rise measurably at the end of the budget for any method"
        lines.append(f"Validation curves {end}.")
    return lines


def _seeds(row: pd.Series) -> str:
    return "one seed" if row["seeds"] == 1 else f"{row['seeds']:.0f} seeds"


def concatenate(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Tables of several runs as one. Raises DataError for none."""
    tables = list(tables)
    if not tables:
        raise DataError("there are no runs to put together; give methods and seeds")
    return pd.concat(tables, ignore_index=True)
