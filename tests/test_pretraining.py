"""The start checkpoint: span corruption loses nothing, no test question is read, and the same recipe gives it again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ases import plain_texts, pretraining
from ases.__main__ import main
from ases.batches import plan_batches
from ases.corruption import Corrupted, Noise, sentinels
from ases.errors import DataError, ParameterError, RunError
from ases.examples import Example
from ases.models import codec_for, start_model
from ases.plain_texts import Texts, collect_texts, collected_examples
from ases.pretraining import PretrainingSettings, pretrain
from ases.problems import generate_problems
from ases.processes import alone
from ases.segments import pairs_for
from ases.settings import settings_for
from ases.sources import normalise_question
from ases.splits import Splits, leaks, make_splits
from ases.tokens import train_codec
from ases.training import train
from tests.stopping import Stop, stop_at

SMALL = PretrainingSettings(preset="nano", problems=150, reports=4, held_out=20, vocabulary=400, budget=6e9, longest=64)
SHIPPED = Path(__file__).parents[1] / "params" / "start" / "recipe.json"


def texts_of(settings: PretrainingSettings, **more: Any) -> Texts:
    return collect_texts(problems=settings.problems, reports=settings.reports, seed=settings.seed, **more)


CODEC = train_codec(["Ann had 3 pens. Bob had 4 pens. So 3 + 4 = 7 pens. "], 300)
CODEC.tokenizer.add_tokens(sentinels(Noise()), special_tokens=True)


def filled(pair, marks):
    """The source with each gap filled from the target."""
    spans, at = {}, None
    for token in pair.target[:-1]:
        if token in marks:
            at = token
            spans[at] = []
        else:
            spans[at].append(token)
    return [one for token in pair.context[:-1] for one in (spans[token] if token in marks else [token])], spans


@settings(deadline=None)
@given(st.lists(st.integers(10, 250), min_size=2, max_size=256), st.integers(0, 50))
def test_the_gaps_filled_from_the_target_give_the_text_back(ids, row):
    corrupted = Corrupted([ids], CODEC, Noise())
    pair = corrupted[row]
    marks = set(corrupted.sentinels)
    text, spans = filled(pair, marks)
    assert text == ids and all(spans.values()), "no span is empty"
    left_out = sum(map(len, spans.values()))
    assert left_out == min(max(1, round(0.15 * len(ids))), len(ids) - 1)
    assert (len(pair.context), len(pair.target)) == corrupted.lengths(len(ids))
    assert pair.context[0] not in marks, "a text begins with what is kept"
    asked, told = ([token for token in side if token in marks] for side in (pair.context, pair.target))
    assert asked == told == corrupted.sentinels[: len(spans)]


def test_each_pass_has_other_gaps_and_the_same_pass_the_same():
    windows = [tuple(range(10, 110)), tuple(range(20, 90))]
    corrupted = Corrupted(windows, CODEC, Noise())
    assert corrupted[0] == corrupted[0] and corrupted[0].context != corrupted[2].context
    assert filled(corrupted[0], set(corrupted.sentinels))[0] == filled(corrupted[2], set(corrupted.sentinels))[0]
    assert corrupted[0] != Corrupted(windows, CODEC, Noise(seed=1))[0]
    assert len(list(corrupted)) == 2


def test_long_texts_are_read_in_parts_without_loss():
    text = "Ann had 3 pens. " * 40
    windows = pretraining._windows([text, ""], CODEC, longest=50)
    assert max(map(len, windows)) <= 50 and [t for window in windows for t in window] == CODEC.encode(text)


def test_the_checkpoint_that_is_shipped_was_made_from_texts_as_they_are_made_today():
    recipe = json.loads(SHIPPED.read_text())
    few = PretrainingSettings(**recipe["settings"] | {"problems": 300, "reports": 100})
    today = texts_of(few).account.set_index("source")["first_sha256"]
    shipped = {row["source"]: row["first_sha256"] for row in recipe["texts"]["account"]}
    assert len(today) == 3 and today.to_dict().items() <= shipped.items()
    assert all(other != today["generated problems"] for other in texts_of(replace(few, seed=1)).account["first_sha256"])


@pytest.mark.parametrize(
    "given",
    [
        {"size": "classroom"},
        {"size": "gpu"},
        {"size": "quick", "held_out_schemas": True},
        {"size": "classroom", "steps_to": 8, "longest_learned": 4},
        {"size": "quick", "data": "reports", "language": "en"},
    ],
)
def test_what_is_held_against_holds_the_test_questions_of_every_size_and_task(given):
    known = {example.question for example in plain_texts._generated_tests()}
    splits = make_splits(settings_for(given | {"train_size": 5}).data)
    assert len(splits.test) >= 200 and {one.question for one in [*splits.test, *splits.valid]} <= known


def test_no_text_is_known_from_a_default_test_split():
    given = replace(SMALL, problems=3000)
    texts = texts_of(given)
    account = texts.account.set_index("source")
    assert account.loc["generated problems", "dropped"] > 0, "there is something to drop"
    assert account[["texts", "dropped"]].sum(axis=1).tolist() == [3000, 4, 4]
    assert len(texts.texts) == account["texts"].sum() and list(account.index)[1:] == [
        "generated reports, zh",
        "generated reports, en",
    ]
    quick = make_splits(settings_for({}).data)
    questions = [example.question for example in [*quick.test, *quick.valid]]
    assert not [one for one in questions if any(text.startswith(one) for text in texts.texts)]
    assert texts_of(given).texts == texts.texts != texts_of(replace(given, seed=1)).texts
    kept = [e for e in generate_problems(1000, seed=1_000_003, steps_from=1, steps_to=2)
            if f"{e.question} {e.rationale}" in set(texts.texts)]  # fmt: skip
    assert len(kept) > 100 and not len(leaks(Splits(kept, [], quick.test, account=None, near_duplicates=None)))


def write_gsm8k(path, *questions):
    path.write_text("".join(json.dumps({"question": q, "answer": f"He has 4/2=<<4/2=2>>2.\n#### {n}"}) + "\n"
                            for n, q in enumerate(questions)))  # fmt: skip
    return path


def test_gsm8k_is_read_as_text_without_near_copies_of_what_is_tested(tmp_path):
    asked = "Weng earns $12 an hour for babysitting. Yesterday she did 50 minutes of it. How much did she earn?"
    near = asked.replace("12", "15").replace("Weng", "Tom")
    path = write_gsm8k(tmp_path / "train.jsonl", near, "A farm has nine cows and sells all but four. How many stay?")
    tested = Example("t", asked, "", "10", "own")
    texts = texts_of(SMALL, gsm8k=path, evaluated=[tested])
    row = texts.account.set_index("source").loc["GSM8K, training part"]
    assert (row["texts"], row["dropped"], row["licence"]) == (1, 1, "MIT") and texts.tested == {"own": 1}
    (text,) = [text for text in texts.texts if "cows" in text]
    assert text.endswith("How many stay? He has 4/2=2.\nThe answer is 1.")
    with pytest.raises(DataError, match="test part"):
        texts_of(SMALL, gsm8k=write_gsm8k(tmp_path / "test.jsonl", "?"))
    path.write_text('{"question": "x"}\n')
    with pytest.raises(DataError, match="train.jsonl line 1"):
        texts_of(SMALL, gsm8k=path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    texts = texts_of(SMALL)
    return folder, texts, pretrain(folder, SMALL, texts)


def test_a_checkpoint_comes_with_recipe_curve_and_card(made):
    folder, texts, checkpoint = made
    recipe = json.loads((folder / "recipe.json").read_text())
    assert recipe["flops"] == pytest.approx(SMALL.budget, rel=0.2) and recipe["bytes"] < pretraining.LARGEST_SHIPPED
    assert recipe["texts"]["count"] == len(texts.texts) and len(recipe["texts"]["sha256"]) == 64
    curve = (folder / "curve.csv").read_text().splitlines()
    assert curve[0] == "step,epoch,flops,target_tokens,loss" and len(curve) > 1
    card = (folder / "MODEL_CARD.md").read_text()
    assert f"{recipe['validation_loss']:.3f}" in card and "generated problems" in card
    assert pretrain(folder, SMALL, texts) == checkpoint, "what is finished is read"
    with pytest.raises(ParameterError, match="other settings"):
        pretrain(folder, replace(SMALL, seed=3), texts)


def test_methods_start_from_it_as_from_any_checkpoint(made, tmp_path):
    _, _, checkpoint = made
    codec = codec_for(str(checkpoint), [])
    assert codec.exact and codec.eoc != codec.end
    model = start_model(str(checkpoint), codec, seed=0)
    assert model.get_input_embeddings().num_embeddings == len(codec), "all tokens are known from pretraining"
    examples = generate_problems(20, seed=5)
    rows = [pair for e in examples for pair in pairs_for("uni-path", e, None, codec)]
    settings = settings_for({"size": "smoke", "method": "uni-path", "model": str(checkpoint), "budget": 8e9}).training
    assert train(rows, rows[:9], codec, settings, tmp_path).budget["steps"].item() > 0


def test_interrupted_it_goes_on_to_the_same_weights(made, tmp_path):
    folder, texts, checkpoint = made

    with pytest.raises(Stop):
        pretrain(tmp_path, SMALL, texts, stop_at(0.5))
    with pytest.raises(ParameterError, match="begun with other settings"):
        pretrain(tmp_path, replace(SMALL, budget=7e9), texts)
    with pytest.raises(ParameterError, match="or texts"):
        pretrain(tmp_path, SMALL, replace(texts, texts=texts.texts[1:]))
    with alone(tmp_path), pytest.raises(RunError, match="another process trains"):
        pretrain(tmp_path, SMALL, texts)
    again = pretrain(tmp_path, SMALL, texts)
    codec = codec_for(str(again), [])
    first, second = (start_model(str(one), codec, 0).state_dict() for one in (checkpoint, again))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (tmp_path / "curve.csv").read_text() == (folder / "curve.csv").read_text()
    assert not (tmp_path / "begun.json").exists()


def test_large_weights_are_shipped_in_float16(monkeypatch, tmp_path, made):
    _, texts, checkpoint = made
    monkeypatch.setattr(pretraining, "LARGEST_SHIPPED", 2**18)
    few = replace(SMALL, budget=2e9)
    half = pretrain(tmp_path, few, texts)
    assert json.loads((tmp_path / "recipe.json").read_text())["numbers"] == "float16"
    assert (half / "model.safetensors").stat().st_size < 0.6 * (checkpoint / "model.safetensors").stat().st_size
    assert start_model(str(half), codec_for(str(half), []), 0).dtype == torch.float32


def test_what_cannot_be_is_refused(tmp_path, made):
    _, texts, _ = made
    with pytest.raises(DataError, match="do not suffice"):
        pretrain(tmp_path, SMALL, replace(texts, texts=("Ann had 3 pens.",) * 5))
    with pytest.raises(ParameterError, match="preset is 'huge'"):
        pretrain(tmp_path, replace(SMALL, preset="huge"), texts)


def test_the_curve_has_twenty_points_however_few_the_epochs():
    plan = plan_batches([(5, 5)] * 300, cost=lambda s, t: s + t, budget=10 * 200, batch_size=2, seed=0)
    assert plan.epoch_ends == () and len(plan.batches) == 100
    assert pretraining._measured_often(plan).epoch_ends == tuple(range(5, 101, 5))


def test_the_command_makes_what_the_library_makes(tmp_path, capsys):
    words = "--preset nano --problems 540 --reports 4 --vocabulary 400 --budget 1e10".split()
    assert main(["pretrain", str(tmp_path / "start"), *words]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "start" / "checkpoint")
    recipe = json.loads((tmp_path / "start" / "recipe.json").read_text())
    assert recipe["settings"]["problems"] == 540 and recipe["made_with"]["threads"] >= 1
    assert main(["pretrain", str(tmp_path), "--gsm8k", "somewhere/train.jsonl"]) == 2
    assert "--tested" in capsys.readouterr().err


def test_no_question_of_a_collected_set_is_read_whatever_its_teacher_answered(real):
    tested = collected_examples({"llm_adapters_cot": str(real)})
    assert {example.teacher_correct for example in tested} == {True, False}
    read, asked = ({normalise_question(json.loads(line)["question"]) for line in path.read_text().splitlines()}
                   for path in (real.parent / "gsm8k" / name for name in ("train.jsonl", "test.jsonl")))  # fmt: skip
    known = {normalise_question(example.question) for example in tested}
    assert len(asked & known) > 1200, "its part of GSM8K is the official test set"
    known |= {normalise_question(one.question) for one in collected_examples({"gsm8k": str(real.parent / "gsm8k")})}
    assert asked <= known and not read & known, "the official test set, and nothing of the training part"
