"""The learning curve: how good a model's chains are on validation questions as its training goes on.

>>> points = validation_curve(run.folder, settings, data["valid"], codec, trained.budget)  # doctest: +SKIP
>>> still_rising(points)                                                          # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd
from safetensors.torch import load_model as load_weights
from transformers import PreTrainedModel

from ases.examples import Example
from ases.generation import Chain, TransformersWriter, write_chains
from ases.measures import MEASURES, headline, measure_in
from ases.metrics import is_correct, rouge
from ases.settings import Settings
from ases.statistics import Interval, bootstrap_mean, proportion_interval
from ases.tokens import Codec
from ases.training import curve_models, read_training, trained_models

Progress = Callable[[str, float], None]


def validation_curve(
    folder: Path,
    settings: Settings,
    examples: Sequence[Example],
    codec: Codec,
    budget: pd.DataFrame,
    progress: Progress = lambda message, done: None,
) -> pd.DataFrame:
    """The headline measure on validation examples at each point of a finished training run's learning curve.

    ``budget`` is the training's (:class:`ases.training.Trained`). Columns: ``method, seed, flops, target_tokens,
    epochs`` (spent by then; a dual-path's models added up, their epochs a mean), ``accuracy`` or ``rouge_l``, ``low,
    high`` (95 %, Wilson or bootstrap over questions), ``n``.
    """
    training, measure = settings.training, MEASURES[headline(examples)]
    questions = [(example.qid, example.question) for example in examples]
    rows = []
    for share, models in curve_models(folder, training.method, training.curve_points):
        writers = {name: TransformersWriter(model, codec) for name, model in models.items()}
        chains = write_chains(questions, writers, codec, training.method, settings.generation)
        interval = _measured(chains, examples, measure.name)
        row = {"method": training.method, "seed": training.seed}
        row |= {name: share * float(budget[name].sum()) for name in ("flops", "target_tokens")}
        row |= {"epochs": share * float(budget["epochs"].mean())}
        bounds = {measure.column: interval.estimate, "low": interval.low, "high": interval.high, "n": len(examples)}
        rows.append(row | bounds)
        progress(f"validation at {share:.0%} of the budget", share)
    return pd.DataFrame(rows)


def selected_models(
    folder: Path, method: str, selection: str, points: pd.DataFrame
) -> tuple[dict[str, PreTrainedModel], Codec, str]:
    """The weights of a finished run that write its chains, their vocabulary, and which they are, in words.

    ``selection`` (METHOD, section 5): ``loss`` takes each model's lowest validation loss of all epochs; ``measure`` the
    point of the learning curve (``points``, from :func:`validation_curve`) where validation accuracy, or ROUGE-L, is
    highest, the later of equals, for both models of a dual-path alike.
    """
    models, codec = trained_models(folder, method)
    if selection == "loss":
        return models, codec, "the weights of the lowest validation loss"
    measure = measure_in(points)
    values = points[measure.column].tolist()
    best = max(range(len(values)), key=lambda place: (values[place], place))
    for name, model in models.items():
        load_weights(model, str(Path(folder) / name / "curve" / f"{best + 1}.safetensors"))
    share, reached = (best + 1) / len(values), measure.text(values[best])
    return models, codec, f"the weights at {share:.0%} of the budget, where validation {measure.label} was {reached}"


def _measured(chains: Sequence[Chain], examples: Sequence[Example], measure: str) -> Interval:
    """A measure's mean alone: BLEU, which nobody asks for here, costs more time than the rest."""
    if measure == "correct":
        right = sum(is_correct(chain.text, e.answer) for chain, e in zip(chains, examples, strict=True))
        return proportion_interval(right, len(examples))
    texts, references = [chain.text for chain in chains], [example.rationale for example in examples]
    return bootstrap_mean(rouge(texts, references, examples[0].language)[measure])


def curve_table(log: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """A training run's two curves as one table, told apart by ``curve``: validation loss, and validation accuracy."""
    curve = f"validation {measure_in(points).label}"
    return pd.concat([log.assign(curve="validation loss"), points.assign(curve=curve)], ignore_index=True)


def apart_sentence(log: pd.DataFrame, labels: str) -> str:
    """Where the validation loss on ES and on AS tokens stood first and last; ``labels`` names how they are told."""
    said = []
    for column, name in (("loss_es", "ES"), ("loss_as", "AS")):
        for model, rows in log[log[column].notna()].groupby("model", sort=False):
            of = f" ({model.upper()})" if log["model"].nunique() > 1 else ""
            said.append(f"on {name} tokens{of} from {rows[column].iloc[0]:.2f} to {rows[column].iloc[-1]:.2f}")
    if not said:
        return "Nothing that this method writes is a piece of a rationale, so AS and ES tokens cannot be told apart."
    return f"From the first evaluation to the last the loss went {', '.join(said)} nats a token ({labels} labels)."


def restated_sentence(log: pd.DataFrame) -> str:
    """Whether the prediction held that ES tokens have the lower loss from the first evaluation on, with the losses.

    ``log`` is a training's: ``model, loss_es, loss_as``, a row an evaluation. Each model that has tokens of both kinds
    is judged by itself; where none has, a dual-path's ESM is held against its ASM, evaluation by evaluation. Empty
    where there is nothing to judge.
    """
    both = log.loc[log[["loss_es", "loss_as"]].notna().all(axis="columns"), ["model", "loss_es", "loss_as"]]
    if both.empty:
        halves = {name: log[name].dropna().reset_index(drop=True) for name in ("loss_es", "loss_as")}
        both = pd.DataFrame(halves).dropna().assign(model="ESM and ASM")
    if both.empty:
        return ""
    shown = []
    for model, rows in both.groupby("model", sort=False):
        first, last = (f"{row.loss_es:.2f} against {row.loss_as:.2f}" for row in (rows.iloc[0], rows.iloc[-1]))
        of = f" ({model.upper()})" if both["model"].nunique() > 1 else ""
        shown.append(f"{first} at the first{of}" + (f", {last} at the last" if len(rows) > 1 else ""))
    lower = both["loss_es"] < both["loss_as"]
    verdict = "held" if lower.all() else "did not hold"
    return (
        "The prediction that it is lower, from the first evaluation on, on what a rationale restates (ES) than on what "
        f"it infers (AS) {verdict}: it was lower at {lower.sum()} of {len(lower)} ({'; '.join(shown)})."
    )


class TrainingRun(Protocol):
    """What :func:`loss_table` needs of a training run."""

    folder: Path
    settings: Settings


def loss_table(trainings: Sequence[TrainingRun], labels: str) -> pd.DataFrame:
    """The validation losses of several training runs, a row an evaluation; for users to hold their own against.

    Columns: ``method, seed, model, step, epoch, flops, target_tokens, loss, loss_as, loss_es`` (nats a token),
    ``labels``: by which labels AS and ES tokens were told apart (:func:`ases.scoring.labels_at_hand`). Losses over all
    tokens are not comparable between methods: what a pair asks for differs.
    """
    logs = []
    for one in trainings:
        training = one.settings.training
        logs.append(read_training(one.folder).log.assign(method=training.method, seed=training.seed, labels=labels))
    table = pd.concat(logs, ignore_index=True)
    first = ["method", "seed", "model"]
    return table[[*first, *table.columns.drop([*first, "labels"]), "labels"]]


def still_rising(points: pd.DataFrame) -> pd.DataFrame:
    """Whether each method's validation accuracy (or ROUGE-L) still rose over the last step of its curve.

    Columns: ``method, last_gain`` (last point less the one before, mean over seeds), ``still_rises``: the gain is
    larger than the standard error of one point, which is as much as so few questions can tell.
    """
    measure, rows = measure_in(points), []
    for method, part in points.groupby("method", sort=False):
        gains, errors = [], []
        for _, run in part.sort_values("flops").groupby("seed"):
            last, end = run[measure.column].tolist(), run.iloc[-1]
            gains.append(last[-1] - last[-2] if len(last) > 1 else float("nan"))
            # A score's error is read from its interval, 3.92 normal standard errors wide.
            share_error = (last[-1] * (1 - last[-1]) / end["n"]) ** 0.5 if measure.share else None
            errors.append(share_error if measure.share else (end["high"] - end["low"]) / 3.92)
        gain, error = sum(gains) / len(gains), sum(errors) / len(errors) / len(errors) ** 0.5
        rows.append({"method": method, "last_gain": gain, "still_rises": bool(gain > error)})
    return pd.DataFrame(rows)


def rising_sentence(points: pd.DataFrame) -> str:
    """Whether one run's validation accuracy (or ROUGE-L) still rose at its end, as a sentence."""
    (row,), measure = still_rising(points).to_dict("records"), measure_in(points)
    if pd.isna(row["last_gain"]):
        return f"A curve of one point cannot tell whether validation {measure.label} still rises."
    verdict = "still rises" if row["still_rises"] else "no longer rises measurably"
    gain = f"{row['last_gain']:+.1%}" if measure.share else measure.difference_text(row["last_gain"])
    return f"Over the last step of the curve validation {measure.label} changed by {gain}: it {verdict}."
