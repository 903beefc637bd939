"""Chains -> tables: each chain against its reference, the learning curve, and the comparison of methods.

>>> table = evaluate_chains(chains, examples)                              # doctest: +SKIP
>>> table[["qid", "chain", "reason", "correct", "bleu", "rouge_l"]]        # doctest: +SKIP
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from ases.errors import DataError
from ases.examples import Example
from ases.generation import REASONS, Chain, TransformersWriter, write_chains
from ases.metrics import bleu, equation_share, is_correct, rouge, sentence_bleu
from ases.settings import BASELINE, METHODS, Settings
from ases.statistics import compare, detectable_difference, proportion_interval, summarise
from ases.tokens import Codec
from ases.training import curve_models, read_training

Progress = Callable[[str, float], None]


def evaluate_chains(chains: Sequence[Chain], examples: Sequence[Example]) -> pd.DataFrame:
    """One row a chain: what was written, why it ended, and how it compares with the reference.

    Columns: ``qid, chain, segments, reason, rounds, read_tokens, written_tokens, correct, bleu`` (sentence BLEU,
    0-100), ``rouge_l`` (0-1), ``right_equations`` (share, NaN without equations), ``steps`` (operations of the
    reference rationale). Raises DataError where chains and examples are not those of the same questions in order.
    """
    if [chain.qid for chain in chains] != [example.qid for example in examples]:
        raise DataError("chains and examples are not of the same questions in the same order")
    unanswered = [example.qid for example in examples if example.answer is None]
    if unanswered:
        raise DataError(f"answer accuracy needs reference answers; {unanswered[0]} has none")
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
            "correct": is_correct(chain.text, example.answer),
            "right_equations": equation_share(chain.text),
            "steps": steps_of(example),
        }
        for chain, example in zip(chains, examples, strict=True)
    ]
    table = pd.DataFrame(rows)
    table["bleu"] = sentence_bleu(texts, references, language)
    table["rouge_l"] = rouge(texts, references, language)["rouge_l"]
    return table


def steps_of(example: Example) -> int:
    """The number of operations that the reference rationale carries out: its equals signs."""
    return len(re.findall(r"=", example.rationale))


def corpus_bleu(table: pd.DataFrame, examples: Sequence[Example]) -> float:
    """Corpus BLEU (0-100) of the chains of an :func:`evaluate_chains` table against the examples' rationales."""
    return bleu(table["chain"].tolist(), [example.rationale for example in examples], examples[0].language)


def accuracy_by(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Accuracy with its 95 % Wilson interval and n, for each value of the columns."""
    rows = []
    for values, part in table.groupby(list(columns), sort=True):
        interval = proportion_interval(int(part["correct"].sum()), len(part))
        bounds = {"accuracy": interval.estimate, "low": interval.low, "high": interval.high, "n": len(part)}
        rows.append(dict(zip(columns, values, strict=True)) | bounds)
    return pd.DataFrame(rows)


def end_reasons(table: pd.DataFrame, method: str) -> pd.DataFrame:
    """The share of chains that ended for each reason: ``method, reason, chains, share``."""
    counts = table["reason"].value_counts().reindex(list(REASONS), fill_value=0)
    return pd.DataFrame(
        {"method": method, "reason": list(counts.index), "chains": counts.values, "share": counts.values / len(table)}
    )


def validation_curve(
    folder: Path,
    settings: Settings,
    examples: Sequence[Example],
    codec: Codec,
    flops: float,
    progress: Progress = lambda message, done: None,
) -> pd.DataFrame:
    """Validation accuracy at each point of a finished training run's learning curve.

    Columns: ``method, seed, flops`` (training FLOPs spent by then), ``accuracy, low, high`` (95 %, Wilson), ``n``.
    """
    training = settings.training
    questions = [(example.qid, example.question) for example in examples]
    rows = []
    for share, models in curve_models(folder, training.method, training.curve_points):
        writers = {name: TransformersWriter(model, codec) for name, model in models.items()}
        chains = write_chains(questions, writers, codec, training.method, settings.generation)
        right = sum(is_correct(chain.text, e.answer) for chain, e in zip(chains, examples, strict=True))
        interval = proportion_interval(right, len(examples))
        row = {"method": training.method, "seed": training.seed, "flops": share * flops}
        bounds = {"accuracy": interval.estimate, "low": interval.low, "high": interval.high, "n": len(examples)}
        rows.append(row | bounds)
        progress(f"validation at {share:.0%} of the budget", share)
    return pd.DataFrame(rows)


def curve_table(log: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """A training run's two curves as one table, told apart by ``curve``: validation loss, and validation accuracy."""
    return concatenate([log.assign(curve="validation loss"), points.assign(curve="validation accuracy")])


def still_rising(points: pd.DataFrame) -> pd.DataFrame:
    """Whether each method's validation accuracy still rose over the last step of its curve.

    Columns: ``method, last_gain`` (accuracy, last point less the one before, mean over seeds), ``still_rises``: the
    gain is larger than the standard error of one point, which is as much as so few questions can tell.
    """
    rows = []
    for method, part in points.groupby("method", sort=False):
        gains, errors = [], []
        for _, run in part.sort_values("flops").groupby("seed"):
            last, n = run["accuracy"].tolist(), run["n"].iloc[-1]
            gains.append(last[-1] - last[-2] if len(last) > 1 else float("nan"))
            errors.append((last[-1] * (1 - last[-1]) / n) ** 0.5)
        gain, error = sum(gains) / len(gains), sum(errors) / len(errors) / len(errors) ** 0.5
        rows.append({"method": method, "last_gain": gain, "still_rises": bool(gain > error)})
    return pd.DataFrame(rows)


def comparison_table(
    predictions: pd.DataFrame, budgets: pd.DataFrame, corpus: pd.DataFrame, points: pd.DataFrame
) -> pd.DataFrame:
    """The main table: one row a method, in the order of METHODS.

    ``predictions`` has ``method, seed, qid, correct, bleu, rouge_l``; ``budgets`` one row a method, seed and model
    with ``epochs, flops, target_tokens, scorer_flops``; ``corpus`` one row a method and seed with its corpus ``bleu``;
    ``points`` the validation curves. Accuracy and its difference to seq2seq come with 95 % intervals; ``p_holm`` is
    corrected over the methods compared. Budgets are means over seeds, a dual-path's models added up.
    """
    ordered = in_order(predictions)
    accuracy = summarise(ordered, value="correct").set_index("method")
    against = _against(ordered, "correct")
    rouge_l = summarise(ordered, value="rouge_l").set_index("method")
    rouge_against = _against(ordered, "rouge_l")
    spent = budgets.groupby(["method", "seed"]).agg(
        {"epochs": "mean", "flops": "sum", "target_tokens": "sum", "scorer_flops": "max"}
    ).groupby("method").mean()  # fmt: skip
    rises = still_rising(points).set_index("method")
    table = pd.DataFrame(
        {
            "n": accuracy["n"],
            "seeds": accuracy["seeds"],
            "accuracy": accuracy["mean"],
            "low": accuracy["low"],
            "high": accuracy["high"],
            "difference": against["difference"],
            "difference_low": against["low"],
            "difference_high": against["high"],
            "p_holm": against["p_holm"],
            "bleu": corpus.groupby("method")["bleu"].mean(),
            "rouge_l": rouge_l["mean"],
            "rouge_l_low": rouge_l["low"],
            "rouge_l_high": rouge_l["high"],
            "rouge_l_p_holm": rouge_against["p_holm"],
            "still_rises": rises["still_rises"],
            "epochs": spent["epochs"],
            "training_flops": spent["flops"],
            "scorer_flops": spent["scorer_flops"],
            "target_tokens": spent["target_tokens"],
        }
    )
    return table.reindex(accuracy.index).rename_axis("method").reset_index()


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
        scorer = sum(segmentation.manifest()["numbers"]["scorer_flops"] for segmentation in one.all("segmentation"))
        budget = read_training(one.folder).budget
        method, seed = one.settings.training.method, one.settings.training.seed
        tables.append(budget.assign(method=method, seed=seed, scorer_flops=float(scorer)))
    return concatenate(tables)


def power_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """The smallest difference in accuracy to seq2seq that these questions can show with 80 % power, by method.

    Within one seed, from the share of questions on which the two methods disagree; the spread between seeds is not
    in it.
    """
    first = predictions["seed"].min()
    wide = predictions[predictions["seed"] == first].pivot(index="qid", columns="method", values="correct").astype(bool)
    rows = []
    for method in [method for method in METHODS if method in wide and method != BASELINE]:
        share = float((wide[method] != wide[BASELINE]).mean())
        found = detectable_difference(len(wide), share) if share else float("nan")
        rows.append({"method": method, "n": len(wide), "disagree": share, "detectable_difference": found})
    return pd.DataFrame(rows)


def difference_table(table: pd.DataFrame) -> pd.DataFrame:
    """The differences to seq2seq out of the main table: ``method, difference, low, high, p_holm, n, seeds``."""
    columns = {"difference_low": "low", "difference_high": "high"}
    part = table.loc[table["method"] != BASELINE].drop(columns=["low", "high"]).rename(columns=columns)
    return part[["method", "difference", "low", "high", "p_holm", "n", "seeds"]].reset_index(drop=True)


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """The main table as a reader wants it first: percentages with their intervals, as text."""
    percent = [f"{row.accuracy:.1%} ({row.low:.1%} to {row.high:.1%})" for row in table.itertuples()]
    against = [
        "" if pd.isna(row.difference)
        else f"{row.difference * 100:+.1f} ({row.difference_low * 100:+.1f} to {row.difference_high * 100:+.1f})"
        for row in table.itertuples()
    ]  # fmt: skip
    return pd.DataFrame(
        {
            "method": table["method"],
            "accuracy (95 % interval)": percent,
            f"points over {BASELINE}": against,
            "p (Holm)": ["" if pd.isna(p) else f"{p:.2g}" for p in table["p_holm"]],
            "BLEU": table["bleu"].round(1),
            "ROUGE-L": table["rouge_l"].round(3),
            "epochs": table["epochs"].round(1),
            "training FLOPs": [f"{flops:.2g}" for flops in table["training_flops"]],
            "scorer FLOPs": [f"{flops:.2g}" if flops else "" for flops in table["scorer_flops"]],
            "n": table["n"],
            "seeds": table["seeds"],
        }
    ).set_index("method")


def rising_sentence(points: pd.DataFrame) -> str:
    """Whether one run's validation accuracy still rose at its end, as a sentence."""
    (row,) = still_rising(points).to_dict("records")
    if pd.isna(row["last_gain"]):
        return "A curve of one point cannot tell whether validation accuracy still rises."
    verdict = "still rises" if row["still_rises"] else "no longer rises measurably"
    return f"Over the last step of the curve validation accuracy changed by {row['last_gain']:+.1%}: it {verdict}."


def findings(table: pd.DataFrame, points: pd.DataFrame | None = None) -> list[str]:
    """The main table in sentences, one a method: every figure is read from the table, and from the curves if given."""
    base = table.set_index("method").loc[BASELINE]
    lines = [f"{BASELINE} answers {base['accuracy']:.1%} of {base['n']:.0f} test questions ({_seeds(base)})."]
    for row in table.to_dict("records"):
        if row["method"] == BASELINE:
            continue
        answers = f"{row['method']} answers {row['accuracy']:.1%}"
        interval = f"95 % interval {row['difference_low'] * 100:+.1f} to {row['difference_high'] * 100:+.1f}"
        points_apart = f"{row['difference'] * 100:+.1f} points"
        if row["p_holm"] < 0.05:
            verdict = f"{'more' if row['difference'] > 0 else 'fewer'} than {BASELINE}: {points_apart} ({interval})"
        else:
            verdict = f"which cannot be told apart from {BASELINE}: {points_apart} ({interval})"
        lines.append(f"{answers}, {verdict}.")
    scored = table.loc[table["scorer_flops"] > 0, "method"].tolist()
    if scored:
        share = float((table["scorer_flops"] / table["training_flops"]).max())
        lines.append(f"The scorer behind the labels of {', '.join(scored)} cost another {share:.0%} of that training.")
    lines.append("A difference counts when its p stays below 0.05 after Holm's correction; intervals are uncorrected.")
    if points is not None:
        rising = [row["method"] for row in still_rising(points).to_dict("records") if row["still_rises"]]
        end = (
            f"still rise at the end of the budget: {', '.join(rising)}"
            if rising
            else "do not rise measurably at the end of the budget for any method"
        )
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
