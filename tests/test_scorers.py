"""A scorer's table equals a slow reference in double precision, whatever the batches; what has no score is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ases import likelihoods
from ases.errors import DataError, ParameterError
from ases.examples import Example
from ases.likelihoods import Row, packs, token_values
from ases.models import cost_of, fresh_model, save_model
from ases.pieces import split_pieces
from ases.problems import generate_problems
from ases.scorers import (
    Scorer,
    answer_table,
    fold_of,
    load_scorer,
    measure,
    outside_fold,
    score_table,
    scoring_flops,
)
from ases.segments import answer_from_prefix_pairs
from ases.tokens import train_codec
from tests.test_models import bart, mt5

EXAMPLES = [
    *generate_problems(4, seed=1, steps_from=1, steps_to=2),
    Example("zh", "左肺上叶见结节，SUVmax 5.9。", "左肺结节，代谢增高，考虑恶性。", "1", "own", language="zh"),
    Example("one", "What is 3 + 4?", "It is 7", "7", "own"),
    Example("alike", "Ann had 3?", "so 3 is 3. so 3 is 4. so 3. ", "4", "own"),
]
CODEC = train_codec([text for e in EXAMPLES for text in (e.question, e.rationale)])
SHORT = [replace(e, question=e.question[:40], rationale=e.rationale[:40]) for e in EXAMPLES]


def models():
    """Tiny random models of three kinds over one vocabulary, with both ways of attending."""
    torch.manual_seed(0)
    made = {"t5": fresh_model("nano", CODEC, 0)}
    for name, make in (("mt5", mt5), ("bart", bart)):
        model = make()
        model.resize_token_embeddings(len(CODEC), mean_resizing=False)
        made[name] = model
    made["bart"].final_logits_bias.uniform_(-1, 1)  # a checkpoint may bring one, and it must count
    return made


def forced(model, context, ids):
    """Entropy and loss of each token in float64: no batch, no padding, no cache, the earlier ones as forced prefix."""
    model = model.double().eval()
    values = []
    for position, token in enumerate(ids):
        prefix = torch.tensor([[model.config.decoder_start_token_id, *ids[:position]]])
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([context]), decoder_input_ids=prefix).logits[0, -1]
            logs = torch.log_softmax(logits, -1)
        values.append((float(-(logs.exp() * logs).sum()), float(-logs[token])))
    return values


def reference(model, example, condition):
    """Rows of (tokens, entropy, loss) of each piece, piece by piece with the earlier pieces as forced prefix."""
    pieces, question = split_pieces(example.rationale), [*CODEC.encode(example.question), CODEC.end]
    sums = np.zeros((len(pieces), 3))
    if condition == "question":
        for place, piece in enumerate(pieces):
            values = forced(model, question, CODEC.encode(piece))
            sums[place] = len(values), *np.sum(values, axis=0)
        return sums
    ids, offsets = CODEC.encode_with_offsets(example.rationale)
    ends = [len("".join(pieces[: place + 1])) for place in range(len(pieces))]
    for (start, end), values in zip(offsets, forced(model, question, ids), strict=True):
        text = example.rationale[start:end]
        first = start + len(text) - len(text.lstrip()) if text.strip() else start
        sums[next(place for place, stop in enumerate(ends) if first < stop)] += 1, *values
    return sums


def assert_equal(table: pd.DataFrame, expected: dict[str, np.ndarray], condition: str) -> None:
    for qid, sums in expected.items():
        part = table[table["qid"] == qid]
        assert part["piece"].tolist() == list(range(len(sums)))
        assert part[f"tokens_{condition}"].tolist() == sums[:, 0].tolist()
        for column, name in enumerate(("entropy", "loss"), start=1):
            wrong = np.abs(part[f"{name}_{condition}"].to_numpy() - sums[:, column])
            assert (wrong <= 1e-5 * np.abs(sums[:, column]) + 1e-6 * sums[:, 0]).all(), (qid, name, wrong)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("kind", ["t5", "mt5", "bart"])
def test_scores_equal_a_slow_reference_in_double_precision(kind, attention):
    expected = {c: {e.qid: reference(models()[kind], e, c) for e in SHORT} for c in ("question", "prefix")}
    model = models()[kind]
    model.set_attn_implementation(attention)
    assert packs(model)
    for budget in (1, 120, 100_000):  # one row at a time, a few, and all together
        for order in (1, -1):
            table = score_table(SHORT[::order], Scorer(model, CODEC), token_budget=budget)
            for condition, sums in expected.items():
                assert_equal(table, sums, condition)
    for condition, sums in expected.items():
        assert_equal(score_table(SHORT, Scorer(model, CODEC), [condition]), sums, condition)


def test_a_model_of_another_kind_is_scored_block_by_block(monkeypatch):
    scorer = Scorer(models()["t5"], CODEC)
    packed = score_table(EXAMPLES, scorer)
    monkeypatch.setattr(likelihoods, "packs", lambda model: False)
    apart = score_table(EXAMPLES, scorer)
    pd.testing.assert_frame_equal(packed, apart, rtol=1e-5, atol=1e-5)


def test_a_pass_leaves_the_model_as_it_was():
    for model in models().values():
        ids = torch.tensor([CODEC.encode("Ann had 3?")])
        before = model.eval()(input_ids=ids, decoder_input_ids=ids).logits
        score_table(EXAMPLES[-1:], Scorer(model, CODEC))
        assert torch.equal(before, model(input_ids=ids, decoder_input_ids=ids).logits)


BLOCKS = st.lists(st.lists(st.integers(6, 12), min_size=1, max_size=6).map(tuple), min_size=1, max_size=6)


@given(BLOCKS)
def test_a_tree_of_prefixes_predicts_every_token_from_what_stands_before_it(blocks):
    tree = likelihoods._tree(blocks, 0)

    def prefix(node):
        return () if node == 0 else (*prefix(tree.parent[node]), tree.read[node])

    places = iter(tree.at)
    assert all(prefix(next(places)) == block[:position] for block in blocks for position in range(len(block)))
    assert len(tree.read) == len({block[:position] for block in blocks for position in range(len(block))})
    assert all(depth == len(prefix(node)) for node, depth in enumerate(tree.depth))


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=60), st.integers(1, 400))
def test_batches_hold_every_row_once_and_keep_to_the_budget(sizes, budget):
    rows = [Row("q", (1,) * source, ((1,) * target,)) for source, target in sizes]
    batches = list(likelihoods._batches(rows, budget))
    assert sorted(place for batch in batches for place in batch) == list(range(len(rows)))
    for batch in batches:
        padded = len(batch) * (max(sizes[i][0] for i in batch) + max(sizes[i][1] for i in batch))
        assert padded <= budget or len(batch) == 1


def test_very_unlike_logits_are_still_exact():
    model = models()["t5"]
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(300)
    rows = [Row("q", (9, 8, CODEC.end), ((7, 8, 9), (7, 9)))]
    got = token_values(model, CODEC, rows)[0]
    for block, values in zip(rows[0].blocks, got, strict=True):
        expected = np.array(forced(model, rows[0].context, block))
        assert np.abs(values - expected).max() <= 1e-5 * np.abs(expected).max() + 1e-6
        model.float()


def test_bfloat16_is_near_and_an_unknown_precision_is_refused():
    for model in models().values():
        scorer = Scorer(model, CODEC)
        exact, low = (score_table(SHORT, scorer, precision=kind) for kind in ("float32", "bfloat16"))
        loss, rough = (table["loss_question"] / table["tokens_question"] for table in (exact, low))
        assert 0 < (loss - rough).abs().max() < 0.2
    with pytest.raises(ParameterError, match="float16"):
        score_table(SHORT, scorer, precision="float16")


def test_what_cannot_be_scored_is_refused_by_name():
    scorer = Scorer(models()["t5"], CODEC)
    with pytest.raises(DataError, match="q9.*empty rationale"):
        score_table([Example("q9", "a", "", "1", "own")], scorer)
    with pytest.raises(ParameterError, match="answer"):
        score_table(EXAMPLES, scorer, ["answer"])
    words = "word " * 80
    for long in (Example("long", words, "b.", "1", "own"), Example("long", "a?", words + ". b.", "1", "own")):
        for condition in ("question", "prefix"):
            with pytest.raises(DataError, match="long.*64"):
                score_table([long], Scorer(models()["bart"], CODEC), [condition])


def test_many_short_pieces_of_a_model_with_a_limit_fit_however_long_the_row():
    many = Example("many", "a?", "3 + 4 = 7. " * 12, "7", "own")
    assert len(CODEC.encode(many.rationale)) > 64
    table = score_table([many], Scorer(models()["bart"], CODEC), ["question"])
    assert len(table) == 12 and table["loss_question"].iloc[:11].nunique() == 1


def test_gains_of_information_add_up_and_equal_the_reference():
    examples = [replace(e, answer="17") for e in SHORT]
    table = answer_table(examples, Scorer(models()["t5"], CODEC))
    for example in (examples[0], examples[4]):
        logs = [
            -sum(loss for _, loss in forced(models()["t5"], pair.context, pair.target[:-1]))
            for pair in answer_from_prefix_pairs(example, CODEC)
        ]
        part = table[table["qid"] == example.qid]
        assert part["log_answer"].tolist() == pytest.approx(logs[1:], rel=1e-5)
        assert part["gain"].sum() == pytest.approx(logs[-1] - logs[0], abs=1e-4)
        assert part["gain"].tolist() == pytest.approx(np.diff(logs).tolist(), abs=1e-4)
    with pytest.raises(DataError, match="q7.*no answer"):
        answer_table([Example("q7", "a", "b.", None, "own")], Scorer(models()["t5"], CODEC))


def test_folds_are_even_stable_and_keep_a_scorer_from_its_own_examples():
    counts = np.bincount([fold_of(f"q{i}", 4) for i in range(2000)], minlength=4)
    assert counts.min() > 400 and fold_of("gen-0-000001", 5) == fold_of("gen-0-000001", 5)
    kept = [{e.qid for e in outside_fold(EXAMPLES, fold, 3)} for fold in range(3)]
    for example in EXAMPLES:
        assert [example.qid in names for names in kept] == [fold != fold_of(example.qid, 3) for fold in range(3)]
    with pytest.raises(ParameterError, match="folds"):
        fold_of("q1", 1)


def test_scoring_cost_counts_each_question_once():
    model = models()["t5"]
    cost, example = cost_of(model), EXAMPLES[0]
    source = len(CODEC.encode(example.question)) + 1
    pieces = [len(CODEC.encode(piece)) for piece in split_pieces(example.rationale)]
    total = scoring_flops([example], Scorer(model, CODEC), "question")
    assert total == cost.forward(source, 0) + sum(cost.forward(source, n) - cost.forward(source, 0) for n in pieces)
    target = len(CODEC.encode(example.answer)) + 1
    read = [source + sum(pieces[:count]) for count in range(len(pieces) + 1)]
    answer = scoring_flops([example], Scorer(model, CODEC), "answer")
    assert answer == sum(cost.forward(length, target) for length in read)


def test_a_scorer_is_read_from_its_folder(tmp_path):
    model = models()["t5"]
    save_model(model, CODEC, tmp_path / "model" / "model")
    for method in ("seq2seq", "answer-from-prefix"):
        loaded = load_scorer(tmp_path, method)
        pd.testing.assert_frame_equal(measure(EXAMPLES, loaded), score_table(EXAMPLES, Scorer(model, CODEC)))
    pd.testing.assert_frame_equal(measure(EXAMPLES, loaded, ["answer"]), answer_table(EXAMPLES, loaded))
