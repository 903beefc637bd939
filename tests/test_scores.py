"""The strategies: one score a piece, each picked or computed as its name says; a new one is a few lines."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ases.errors import DataError, ParameterError
from ases.examples import Example
from ases.labels import label_examples
from ases.novelty import content_tokens, novelty_scores
from ases.pieces import split_pieces
from ases.scorers import Scorer, answer_table, score_table
from ases.scores import STRATEGIES, score_examples, score_splits, scores_from, similarity_scores, strategy
from ases.settings import DEFAULT_BETA, LABELLED, SCORED, SCORER_OF, settings_for
from ases.sources import load_llm_adapters
from tests.test_scorers import CODEC, EXAMPLES, models

SETTINGS = settings_for({"size": "smoke"}).segmentation
TABLE = pd.DataFrame(
    {
        "qid": ["b", "b", "a"], "piece": [0, 1, 0], "tokens_question": [2, 4, 5],
        "entropy_question": [1.0, 2.0, 3.0], "loss_question": [4.0, 6.0, 10.0], "gain": [-0.5, 0.25, 0.0],
    }
)  # fmt: skip


def test_the_registry_and_the_settings_name_the_same_strategies():
    assert tuple(STRATEGIES) == ("entropy", "loss", "information_gain", "novelty", "similarity")
    assert set(STRATEGIES) == set(SCORED) == set(DEFAULT_BETA)
    assert set(SCORER_OF) < set(SCORED) and not set(SCORED) & set(LABELLED)


def test_scores_are_picked_from_a_table():
    assert scores_from(TABLE, "loss") == {"b": [4.0, 6.0], "a": [10.0]}
    assert scores_from(TABLE, "entropy", "mean", "question") == {"b": [0.5, 0.5], "a": [0.6]}
    assert scores_from(TABLE, "information_gain") == {"b": [0.0, 0.25], "a": [0.0]}, "a loss of information counts as 0"
    for wrong in ({"strategy": "novelty"}, {"condition": "prefix"}, {"reduce": "max"}):
        with pytest.raises(ParameterError):
            scores_from(TABLE, **{"strategy": "loss", **wrong})


def test_one_table_serves_every_strategy_reduction_and_condition():
    scorer = Scorer(models()["t5"], CODEC)
    tables = {"seq2seq": score_table(EXAMPLES, scorer), "answer-from-prefix": answer_table(EXAMPLES, scorer)}
    for name, method in SCORER_OF.items():
        for reduce in ("sum", "mean"):
            for condition in ("question", "prefix"):
                settings = replace(SETTINGS, strategy=name, reduce=reduce, condition=condition)
                read = score_examples(EXAMPLES, settings, table=tables[method])
                fresh = score_splits({"valid": EXAMPLES}, settings, scorer)["valid"]
                assert [pytest.approx(values, rel=1e-5, abs=1e-5) for values in read] == fresh
                assert [len(values) for values in read] == [len(split_pieces(e.rationale)) for e in EXAMPLES]
                assert list(scores_from(tables[method], name, reduce, condition).values()) == read
    shuffled = tables["seq2seq"].sample(frac=1, random_state=0)
    settings = replace(SETTINGS, strategy="loss")
    assert score_examples(EXAMPLES, settings, table=shuffled) == score_examples(
        EXAMPLES, settings, table=tables["seq2seq"]
    )
    with pytest.raises(DataError, match="measure these examples again"):
        score_examples(EXAMPLES, settings, table=tables["seq2seq"].iloc[1:])


def test_a_new_strategy_is_a_few_lines():
    @strategy("length")
    def length_scores(example, pieces, given):
        return [len(piece) for piece in pieces]

    try:
        settings = replace(SETTINGS, strategy="length", beta=1.0)
        scores = score_examples(EXAMPLES, settings)
        assert scores[0] == [len(piece) for piece in split_pieces(EXAMPLES[0].rationale)]
        assert "AS" in label_examples(EXAMPLES, settings, scores)[0]
        strategy("length")(lambda example, pieces, given: [float("nan")] * len(pieces))
        with pytest.raises(DataError, match=f"{EXAMPLES[0].qid}.*length"):
            score_examples(EXAMPLES, settings)
        strategy("length")(lambda example, pieces, given: [1.0])
        with pytest.raises(DataError, match="finite scores are due"):
            score_examples(EXAMPLES, settings)
    finally:
        STRATEGIES.pop("length")
    for name in ("entropy", "gold"):
        with pytest.raises(ParameterError, match=name):
            strategy(name)(length_scores)


def test_novelty_on_cases_done_by_hand():
    question = "Ann had 1,000 red apples and ate 2."
    pieces = ["Ann had 1000 apples, ", "so she ", "has 1,000 - 2 = 998 apples. ", "So 998 998 pears."]
    assert novelty_scores(question, pieces) == [0.0, 0.0, 0.25, 1 / 3]
    assert novelty_scores("左肺结节", ["左肺结节，", "考虑恶性5.90，", "恶性。"]) == [0.0, 1.0, 0.0]
    assert content_tokens("12345") == ["12345"] and content_tokens("肺") == ["肺"]
    assert content_tokens("Don\u2019t we?") == [] and content_tokens("$3.50 .5") == ["7/2", "1/2"]


@given(st.text(max_size=60), st.lists(st.text(max_size=30), max_size=6))
def test_novelty_is_a_share_and_repeating_a_piece_is_never_new(question, pieces):
    scores = novelty_scores(question, [*pieces, *pieces])
    assert all(0 <= score <= 1 for score in scores) and not any(scores[len(pieces) :])


def test_similarity_on_cases_done_by_hand():
    question = "Ann had 3 red apples."
    assert similarity_scores(question, ["Ann had 3 red apples, ", "so 3 + 4 = 7."]) == pytest.approx([0.0, 0.75])
    assert similarity_scores("左肺结节", ["左肺", "考虑恶性"], language="zh") == [0.0, 1.0]
    bleu = similarity_scores(question, [question, "zebra"], kind="bleu")
    assert bleu[0] == pytest.approx(0.0, abs=1e-9) and 0.9 < bleu[1] <= 1.0
    with pytest.raises(DataError, match="q7"):
        similarity_scores(question, ["... "], qid="q7")


def test_scores_without_a_model_are_within_bounds_on_every_piece(real):
    examples = [*EXAMPLES, *load_llm_adapters(real, sets=["svamp"]).examples[:100]]
    for changes in ({"similarity": "rouge"}, {"similarity": "bleu"}, {"strategy": "novelty"}):
        settings = replace(SETTINGS, **{"strategy": "similarity", **changes})
        for example, scores in zip(examples, score_examples(examples, settings), strict=True):
            assert len(scores) == len(split_pieces(example.rationale))
            assert all(-1e-9 <= score <= 1 for score in scores)


def test_what_has_no_scores_or_no_scorer_is_refused():
    for name in SCORER_OF:
        with pytest.raises(ParameterError, match=f"{name} needs a scorer.*{SCORER_OF[name]}"):
            score_examples(EXAMPLES, replace(SETTINGS, strategy=name))
    with pytest.raises(ParameterError, match="labels, not scores"):
        score_examples(EXAMPLES, replace(SETTINGS, strategy="gold"))
    with pytest.raises(ParameterError, match="magic is not known"):
        score_examples(EXAMPLES, replace(SETTINGS, strategy="magic"))
    no_answer = [Example("q7", "a", "b.", None, "own")]
    with pytest.raises(DataError, match="q7"):
        score_examples(no_answer, replace(SETTINGS, strategy="information_gain"), Scorer(models()["t5"], CODEC))
    assert score_splits({"train": EXAMPLES}, replace(SETTINGS, strategy="location")) is None
