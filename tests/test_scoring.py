"""One scoring run: all splits in order, each example by the scorer that has not seen it, nothing scored twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from ases.errors import ParameterError
from ases.models import fresh_model
from ases.novelty import novelty_scores
from ases.pieces import split_pieces
from ases.problems import generate_problems
from ases.scorers import Scorer, fold_of, score_table
from ases.scoring import flops_of, labels_at_hand, labels_for, learned_from, score_run, scorer_condition, shown_scores
from ases.settings import settings_for
from ases.shards import scored_log
from ases.tokens import train_codec

EXAMPLES = generate_problems(12, seed=3, steps_from=1, steps_to=2)
SPLITS = {"train": EXAMPLES[:7], "valid": EXAMPLES[7:9], "test": EXAMPLES[9:]}


@pytest.fixture(scope="module")
def scorers() -> list[Scorer]:
    codec = train_codec([one.question + one.rationale for one in EXAMPLES], vocabulary_size=300)
    return [Scorer(fresh_model("nano", codec, seed).eval(), codec) for seed in (0, 1)]


def test_the_table_has_every_split_in_order_and_equals_one_pass(scorers, tmp_path: Path) -> None:
    table = score_run(SPLITS, scorers[:1], tmp_path)
    assert table["qid"].drop_duplicates().tolist() == [one.qid for one in EXAMPLES]
    assert table.groupby("split", sort=False).ngroups == 3
    alone = score_table(EXAMPLES, scorers[0])
    pd.testing.assert_frame_equal(table.drop(columns="split"), alone, rtol=1e-4, atol=1e-5)
    before = [len(scored_log(place)) for place in sorted((tmp_path / "shards").iterdir())]
    again = score_run(SPLITS, scorers[:1], tmp_path)
    pd.testing.assert_frame_equal(table, again)
    assert [len(scored_log(place)) for place in sorted((tmp_path / "shards").iterdir())] == before, "scored twice"
    with pytest.raises(ParameterError, match="no scorer"):
        score_run(SPLITS, [], tmp_path)


def test_cross_fitted_scores_are_those_of_the_scorer_that_left_the_example_out(scorers, tmp_path: Path) -> None:
    table = score_run(SPLITS, scorers, tmp_path).set_index(["qid", "piece"])
    assert table.index.get_level_values(0).unique().tolist() == [one.qid for one in EXAMPLES]
    for one in EXAMPLES:
        fold = fold_of(one.qid, 2)
        expected = score_table([one], scorers[fold])["entropy_question"].to_numpy()
        assert table.loc[one.qid, "entropy_question"].to_numpy() == pytest.approx(expected, rel=1e-4, abs=1e-5)
        assert one not in learned_from([one], f"{fold + 1}/2") and one in learned_from([one], f"{2 - fold}/2")
    assert learned_from(EXAMPLES, "") is EXAMPLES


def test_labels_come_of_kept_scores_and_another_beta_scores_nothing_anew(scorers, tmp_path: Path) -> None:
    table = score_run(SPLITS, scorers[:1], tmp_path)
    table.to_parquet(tmp_path / "scores.parquet")
    run = SimpleNamespace(
        settings=settings_for({"method": "dual-path", "beta": 1.2}),
        all=lambda step: [SimpleNamespace(path=lambda name: tmp_path / name)] if step == "scoring" else [],
    )
    labels = labels_for(run, SPLITS)
    mean = labels.groupby("qid")["score"].transform("mean")
    assert ((labels["label"] == "AS") == (labels["score"] > 1.2 * mean)).all()
    run.settings = replace(run.settings, segmentation=settings_for({"strategy": "gold"}).segmentation)
    run.all = lambda step: []
    gold = labels_for(run, SPLITS)
    assert (gold["label"] == gold["gold"]).all() and gold["score"].isna().all()


def test_costs_are_told_by_condition(scorers) -> None:
    costs = flops_of(SPLITS, scorers[0], "seq2seq", 1000.0)
    assert set(costs) == {"scorer_flops_question", "scorer_flops_prefix"} and min(costs.values()) > 1000
    answer = flops_of(SPLITS, scorers[0], "answer-from-prefix", 0.0)
    assert set(answer) == {f"scorer_flops_{scorer_condition('information_gain', 'question')}"}
    assert scorer_condition("entropy", "prefix") == "prefix"


def test_the_first_example_is_shown_piece_by_piece(scorers, tmp_path: Path) -> None:
    shown = shown_scores(score_run(SPLITS, scorers[:1], tmp_path), SPLITS["valid"])
    assert "".join(shown["text"]) == SPLITS["valid"][0].rationale


def test_labels_at_hand_are_gold_or_else_new_words() -> None:
    strategy, found = labels_at_hand(EXAMPLES)
    assert strategy == "gold" and found == {one.qid: list(one.gold) for one in EXAMPLES}
    bare = [replace(one, gold=None) for one in EXAMPLES]
    strategy, found = labels_at_hand([EXAMPLES[0], *bare[1:]])
    assert strategy == "novelty", "some without gold: one kind of labels for all"
    for one in bare:
        scores = novelty_scores(one.question, split_pieces(one.rationale))
        mean = sum(scores) / len(scores)
        assert found[one.qid] == ["AS" if score > mean else "ES" for score in scores]
