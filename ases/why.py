"""The analyses of why over all trials of a run: what takes time is kept, a file a trial, and found again after a kill.

>>> trials = trials_of(runs.cells(run))                                            # doctest: +SKIP
>>> harm_table(outcomes_of(run, trials, test))                                     # doctest: +SKIP

Each question of the notebook ``08_why`` has its own module; here their models are loaded and their tables put together.
Questions are samples, drawn by seed, so that all of it takes minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import pandas as pd

from ases.attention import blinded, looking, views_of
from ases.examples import Example
from ases.information import gain_table, gold_gains
from ases.interference import along_training
from ases.interventions import go_on, probes_for
from ases.scorers import load_scorer
from ases.segment_states import segment_states, separation
from ases.trials import Trial, answered, drawn_examples, looked_into, shown_labels, trained

SAMPLES = {"outcomes": 64, "pulls": 32, "gains": 100, "attention": 64, "states": 100}
"""Questions that each analysis looks at, at most."""


class Place(Protocol):
    """What the analyses need of a run: where its tables go, and who hears of its progress."""

    def path(self, name: str) -> Any: ...

    def write_table(self, name: str, table: pd.DataFrame) -> None: ...

    def progress(self, message: str, done: float) -> None: ...


def over_trials(run: Place, trials: Sequence[Trial], name: str, make: Callable[[Trial], pd.DataFrame]) -> pd.DataFrame:
    """What ``make`` finds for each trial, with ``arm`` and ``seed``; a table that is there is read, not made again."""
    tables = []
    for number, trial in enumerate(trials):
        path = run.path(f"{name}-{number:02d}.parquet")
        if not path.is_file():
            run.write_table(path.name, make(trial).assign(arm=trial.arm, seed=trial.seed))
        tables.append(pd.read_parquet(path))
        run.progress(f"{name}: {trial.arm}, seed {trial.seed}", (number + 1) / len(trials))
    return pd.concat(tables, ignore_index=True)


def outcomes_of(run: Place, trials: Sequence[Trial], examples: Sequence[Example]) -> pd.DataFrame:
    """What each model makes of prefixes with a right and a wrong number: :func:`ases.interventions.go_on`."""
    probes = probes_for(examples)
    asked = {
        one.qid
        for one in drawn_examples(list({p.example.qid: p.example for p in probes}.values()), SAMPLES["outcomes"])
    }
    probes = [probe for probe in probes if probe.example.qid in asked]
    members = list({probe.example.qid: probe.example for probe in probes}.values())

    def make(trial: Trial) -> pd.DataFrame:
        models, codec = trained(trial)
        labels, typed = shown_labels(trial, "test", members), trial.training.settings.training.typed
        return go_on(probes, models, codec, trial.method, trial.run.settings.generation, labels, typed)

    chosen = [one for one in looked_into(trials) if one.method != "answer-only"]
    return over_trials(run, chosen, "outcomes", make)


def pulls_of(run: Place, trials: Sequence[Trial], examples: Sequence[Example]) -> pd.DataFrame:
    """The gradients of AS and ES tokens along each training: :func:`ases.interference.along_training`."""
    sample = drawn_examples(examples, SAMPLES["pulls"])
    chosen = [one for one in looked_into(trials) if one.method != "answer-only"]
    return over_trials(run, chosen, "pulls", lambda trial: along_training(trial, sample))


def gains_of(
    run: Place, trials: Sequence[Trial], predictions: pd.DataFrame, examples: Sequence[Example], scorer: Any
) -> pd.DataFrame:
    """The gains of gold chains and of what the arms wrote, under a scoring run's scorer: :mod:`ases.information`."""
    sample = drawn_examples(examples, SAMPLES["gains"])
    chains = answered(predictions, sample)
    judge = load_scorer(scorer.input("training").folder, "answer-from-prefix")

    def make(trial: Trial) -> pd.DataFrame:
        return gain_table(chains[(chains["arm"] == trial.arm) & (chains["seed"] == trial.seed)], sample, judge)

    chosen = [one for one in looked_into(trials) if one.method != "answer-only"]
    return pd.concat([gold_gains(sample, judge), over_trials(run, chosen, "gains", make)], ignore_index=True)


def attention_of(run: Place, trials: Sequence[Trial], examples: Sequence[Example]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Where the one-model arms that read again look, and what hiding it costs: :mod:`ases.attention`."""
    sample = drawn_examples(examples, SAMPLES["attention"])
    chosen = [one for one in looked_into(trials) if one.method.startswith("uni-path")]

    def looks(trial: Trial) -> pd.DataFrame:
        models, codec = trained(trial)
        return looking(models["model"], views_of(sample, codec), codec)

    def losses(trial: Trial) -> pd.DataFrame:
        models, codec = trained(trial)
        return blinded(models["model"], views_of(sample, codec), codec)

    return over_trials(run, chosen, "attention", looks), over_trials(run, chosen, "hidden", losses)


def separations_of(run: Place, trials: Sequence[Trial], examples: Sequence[Example]) -> pd.DataFrame:
    """How far apart each one-model arm's encoder holds AS and ES: :func:`ases.segment_states.separation`."""
    sample = drawn_examples(examples, SAMPLES["states"])
    chosen = [one for one in looked_into(trials) if not one.method.startswith("dual-path")]

    def make(trial: Trial) -> pd.DataFrame:
        models, codec = trained(trial)
        return separation(*segment_states(models["model"], sample, codec))

    return over_trials(run, chosen, "states", make)


def entropies_of(scorings: Sequence[Any]) -> list[pd.DataFrame]:
    """The test rows of each whole-chain scorer's table, for :func:`ases.length_control.detector_table`."""
    tables = [pd.read_parquet(one.path("scores.parquet")) for one in scorings]
    return [table[table["split"] == "test"] for table in tables if "entropy_question" in table]


def scorings_of(run: Any, scorer: str) -> list[Any]:
    """The run's scorings under one kind of scorer, one a seed: what its own training set and budget gave."""
    found: dict[int, Any] = {}
    for one in run.inputs:
        if one.step == "scoring" and one.settings.scoring.scorer == scorer:
            found.setdefault(one.input("training").settings.training.seed, one)
    return list(found.values())
