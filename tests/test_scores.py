"""Scores equal a slow reference in double precision, whatever the batches; what cannot be scored is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ases import scores as scores_module
from ases.errors import DataError, ParameterError
from ases.examples import Example
from ases.models import cost_of, fresh_model, save_model
from ases.pieces import split_pieces
from ases.problems import generate_problems
from ases.scores import Scorer, model_scores, score_examples, score_splits, scoring_flops, similarity_scores
from ases.settings import settings_for
from ases.tokens import train_codec
from tests.test_models import bart, mt5

EXAMPLES = [
    *generate_problems(4, seed=1, steps_from=1, steps_to=2),
    Example("zh", "左肺上叶见结节，SUVmax 5.9。", "左肺结节，代谢增高，考虑恶性。", "1", "own", language="zh"),
    Example("one", "What is 3 + 4?", "It is 7", "7", "own"),
]
CODEC = train_codec([text for e in EXAMPLES for text in (e.question, e.rationale)])
SETTINGS = settings_for({"size": "smoke"}).segmentation


def models():
    """Tiny random models of three kinds over one vocabulary."""
    torch.manual_seed(0)
    made = {"t5": fresh_model("nano", CODEC, 0)}
    for name, make in (("mt5", mt5), ("bart", bart)):
        model = make()
        model.resize_token_embeddings(len(CODEC), mean_resizing=False)
        made[name] = model
    return made


def reference(model, example, strategy, condition):
    """Token by token in float64: no batch, no padding, no cache, the earlier tokens as forced decoder prefix."""
    model = model.double().eval()
    pieces = split_pieces(example.rationale)
    source = torch.tensor([[*CODEC.encode(example.question), CODEC.end]])
    totals = [[] for _ in pieces]
    if condition == "question":
        rows = [(CODEC.encode(piece), [place] * len(CODEC.encode(piece))) for place, piece in enumerate(pieces)]
    else:
        ids, offsets = CODEC.encode_with_offsets(example.rationale)
        ends = [len("".join(pieces[: place + 1])) for place in range(len(pieces))]
        owner = []
        for start, end in offsets:
            text = example.rationale[start:end]
            first = start + len(text) - len(text.lstrip()) if text.strip() else start
            owner.append(next(place for place, stop in enumerate(ends) if first < stop))
        rows = [(ids, owner)]
    for ids, owner in rows:
        for position, (token, place) in enumerate(zip(ids, owner, strict=True)):
            prefix = torch.tensor([[model.config.decoder_start_token_id, *ids[:position]]])
            with torch.no_grad():
                logs = torch.log_softmax(model(input_ids=source, decoder_input_ids=prefix).logits[0, -1], -1)
            totals[place].append(float(-(logs.exp() * logs).sum() if strategy == "entropy" else -logs[token]))
    return totals


@pytest.mark.parametrize("kind", ["t5", "mt5", "bart"])
@pytest.mark.parametrize("strategy", ["entropy", "loss"])
@pytest.mark.parametrize("condition", ["question", "prefix"])
def test_scores_equal_a_slow_reference_in_double_precision(kind, strategy, condition, monkeypatch):
    examples = [replace(e, question=e.question[:40], rationale=e.rationale[:40]) for e in EXAMPLES]
    expected = [reference(models()[kind], e, strategy, condition) for e in examples]
    model = models()[kind]
    for budget in (16, 6144):  # one row at a time, and all together
        monkeypatch.setattr(scores_module, "TOKEN_BUDGET", budget)
        for order in (1, -1):
            got = model_scores(examples[::order], Scorer(model, CODEC), strategy, "sum", condition)[::order]
            for values, parts in zip(got, expected, strict=True):
                for value, tokens in zip(values, parts, strict=True):
                    assert value == pytest.approx(sum(tokens), rel=1e-5, abs=1e-6 * len(tokens))


def test_mean_is_sum_over_tokens():
    scorer = Scorer(models()["t5"], CODEC)
    summed, mean = (model_scores(EXAMPLES, scorer, "loss", reduce, "question") for reduce in ("sum", "mean"))
    for example, total, average in zip(EXAMPLES, summed, mean, strict=True):
        counts = [len(CODEC.encode(piece)) for piece in split_pieces(example.rationale)]
        assert [a * n for a, n in zip(average, counts, strict=True)] == pytest.approx(total)


def test_similarity_on_cases_done_by_hand():
    question = "Ann had 3 red apples."
    assert similarity_scores(question, ["Ann had 3 red apples, ", "so 3 + 4 = 7."]) == pytest.approx([0.0, 0.75])
    assert similarity_scores("左肺结节", ["左肺", "考虑恶性"], language="zh") == [0.0, 1.0]
    bleu = similarity_scores(question, [question, "zebra"], kind="bleu")
    assert bleu[0] == pytest.approx(0.0, abs=1e-9) and 0.9 < bleu[1] <= 1.0
    with pytest.raises(DataError, match="q7"):
        similarity_scores(question, ["... "], qid="q7")


def test_similarity_is_within_bounds_on_every_piece():
    for kind in ("rouge", "bleu"):
        settings = replace(SETTINGS, strategy="similarity", similarity=kind)
        for example, scores in zip(EXAMPLES, score_examples(EXAMPLES, settings), strict=True):
            assert len(scores) == len(split_pieces(example.rationale))
            assert all(-1e-9 <= score <= 1 for score in scores)


def test_what_cannot_be_scored_is_refused_by_name():
    scorer = Scorer(models()["t5"], CODEC)
    with pytest.raises(DataError, match="q9.*empty rationale"):
        model_scores([Example("q9", "a", "", "1", "own")], scorer, "loss", "sum", "question")
    long = Example("long", "word " * 80, "b.", "1", "own")
    with pytest.raises(DataError, match="long"):
        model_scores([long], Scorer(models()["bart"], CODEC), "loss", "sum", "question")
    with pytest.raises(ParameterError, match="scorer"):
        score_examples(EXAMPLES, SETTINGS)
    with pytest.raises(ParameterError, match="labels, not scores"):
        score_examples(EXAMPLES, replace(SETTINGS, strategy="gold"))
    assert score_splits({"train": EXAMPLES}, replace(SETTINGS, strategy="location")) is None


def test_a_long_chain_is_refused_as_well_as_a_long_question():
    long = Example("long", "a?", "word " * 80 + ". b.", "1", "own")
    for condition in ("question", "prefix"):
        with pytest.raises(DataError, match="long"):
            model_scores([long], Scorer(models()["bart"], CODEC), "loss", "sum", condition)


def test_scoring_cost_counts_each_question_once():
    model = models()["t5"]
    cost, example = cost_of(model), EXAMPLES[0]
    source = len(CODEC.encode(example.question)) + 1
    pieces = [len(CODEC.encode(piece)) for piece in split_pieces(example.rationale)]
    total = scoring_flops([example], Scorer(model, CODEC), "question")
    assert total == cost.forward(source, 0) + sum(cost.forward(source, n) - cost.forward(source, 0) for n in pieces)


def test_a_scorer_is_read_from_its_folder(tmp_path):
    model = models()["t5"]
    save_model(model, CODEC, tmp_path / "model" / "model")
    loaded = scores_module.load_scorer(tmp_path)
    assert model_scores(EXAMPLES[:2], loaded, "loss", "sum", "question") == [
        pytest.approx(values) for values in model_scores(EXAMPLES[:2], Scorer(model, CODEC), "loss", "sum", "question")
    ]
