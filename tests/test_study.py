"""What several scorers measured, put together, and the tables of all studies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ases.aligned import Series
from ases.problems import generate_problems
from ases.reports import generate_reports
from ases.settings import settings_for
from ases.study import DEFAULT, Measured, Study, chosen_series, make_study, scores_of, series_table
from ases.study_tables import (
    auc_of,
    best_of,
    best_sentences,
    detection_of,
    distributions_of,
    errors_of,
    kappa_sentences,
    kappas_of,
    length_of,
    length_sentences,
)


def measured(examples, seed: int, scorer: str = "seq2seq") -> Measured:
    """A scorer that is surprised by what is AS in gold, and else by chance."""
    generator = np.random.default_rng(seed)
    rows = [(one.qid, place, label == "AS") for one in examples for place, label in enumerate(one.gold)]
    table = pd.DataFrame(rows, columns=["qid", "piece", "new"])
    if scorer != "seq2seq":
        table["gain"] = generator.normal(size=len(table))
        return Measured(scorer, seed, table.drop(columns="new"))
    for condition in ("question", "prefix"):
        table[f"tokens_{condition}"] = generator.integers(2, 9, len(table))
        for name in ("entropy", "loss"):
            table[f"{name}_{condition}"] = 2.0 * table["new"] + generator.random(len(table))
    return Measured(scorer, seed, table.drop(columns="new"))


@pytest.fixture(scope="module")
def studies() -> list[Study]:
    made = []
    for name, examples in (
        ("generated", generate_problems(40, seed=1, steps_from=1, steps_to=3)),
        ("reports", generate_reports(30, seed=1, language="zh")),
    ):
        splits = {"valid": examples[:15], "test": examples[15:]}
        scorers = [measured(examples, 0), measured(examples, 1)]
        if name == "generated":
            scorers.append(measured(examples, 0, "answer-from-prefix"))
        made.append(make_study(name, splits, scorers))
    return made


def test_every_strategy_has_a_score_for_every_piece(studies) -> None:
    for study in studies:
        per_series = study.scores.groupby(["strategy", "reduce", "condition", "seed"]).size()
        assert set(per_series) == {len(study.pieces)}
        names = {name for name, *_ in per_series.index}
        answered = {"information_gain"} if study.data == "generated" else set()
        assert names == {"entropy", "loss", "similarity", "novelty"} | answered
        assert study.has_gold and study.pieces["tokens"].notna().all()
        assert set(study.controls["strategy"]) == {"location", "random", "random_boundaries", "number novelty"}


def test_a_mean_is_the_sum_over_its_tokens_and_gain_enters_from_zero() -> None:
    examples = generate_problems(3, seed=2)
    one, gain = measured(examples, 0), measured(examples, 0, "answer-from-prefix")
    table = series_table(examples, [one, gain]).set_index(["strategy", "reduce", "condition"]).sort_index()
    total = table.loc[("entropy", "sum", "prefix"), "score"].to_numpy()
    mean = table.loc[("entropy", "mean", "prefix"), "score"].to_numpy()
    assert mean == pytest.approx(total / one.table["tokens_prefix"].to_numpy())
    entered = table.loc[("information_gain", "", ""), "score"].to_numpy()
    assert entered == pytest.approx(gain.table["gain"].clip(lower=0)) and (gain.table["gain"] < 0).any()


def test_the_series_of_the_settings_is_found_or_the_default(studies) -> None:
    def chosen(**given) -> Series:
        return chosen_series(studies, settings_for(given).segmentation)

    assert chosen() == DEFAULT
    assert chosen(strategy="loss", reduce="mean", condition="prefix") == Series("loss", "mean", "prefix")
    assert chosen(strategy="similarity", similarity="bleu") == Series("similarity", "bleu")
    assert chosen(strategy="random", random_of="novelty") == Series("novelty")
    assert chosen(strategy="location") == DEFAULT
    rows = scores_of(studies[0], DEFAULT)
    assert len(rows) == len(studies[0].pieces) and set(rows["seed"]) == {0}


def test_the_tables_find_what_was_planted(studies) -> None:
    detection = detection_of(studies)
    assert set(detection["data"]) == {"generated", "reports"} and set(detection["split"]) == {"valid", "test"}
    best = best_of(detection)
    entropy = best[(best["strategy"] == "entropy") & (best["reduce"] == "sum")]
    assert (entropy["f1"] > 0.9).all() and (entropy["seeds"] == 2).all()
    assert len(best_sentences(best)) == 2 and all("F1" in line for line in best_sentences(best))
    auc = auc_of(studies)
    assert set(auc["split"]) == {"test"}
    assert (auc.loc[(auc["strategy"] == "entropy") & (auc["reduce"] == "sum"), "auc"] > 0.95).all()
    assert len(length_sentences(length_of(studies))) == 4
    wrong = errors_of(studies, DEFAULT)
    assert set(wrong["strategy"]) == {"entropy", "novelty", "similarity"} and wrong["wrong"].between(0, 1).all()
    kappa = kappas_of(studies)
    assert len(kappa_sentences(kappa)) == 2 and set(kappa["split"]) == {"test"}
    relative = distributions_of(studies[0], DEFAULT, 1.4)
    assert str(DEFAULT) in set(relative["series"]) and relative["relative"].notna().all()


def test_without_gold_there_is_agreement_and_nothing_else(studies) -> None:
    bare = studies[0].pieces.assign(gold=None)
    collected = Study(**{**vars(studies[0]), "pieces": bare})
    assert not collected.has_gold
    assert detection_of([collected]).empty and auc_of([collected]).empty and errors_of([collected], DEFAULT).empty
    assert "Without gold" in best_sentences(best_of(detection_of([collected])))[0]
    assert length_sentences(length_of([collected])) and len(kappas_of([collected]))
