"""Training: the budget, the selection, resuming after a kill, the same weights from the same seed."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import tokenizers
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors, trainers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BartTokenizer,
    T5Config,
    T5ForConditionalGeneration,
    T5Tokenizer,
)

import ases.training as training
from ases import trainer
from ases.batches import plan_batches
from ases.curves import selected_models
from ases.errors import ModelError, ParameterError, RunError
from ases.generation import REASONS, TransformersWriter, write_chains
from ases.labels import label_by_gold
from ases.losses import target_labels
from ases.metrics import is_correct
from ases.models import codec_for, read_model, save_model, start_model
from ases.problems import generate_problems
from ases.records import Records
from ases.segments import pairs_for
from ases.settings import settings_for
from ases.tokens import ADDED
from ases.training import collate, curve_models, read_training, train, trained_models, validation_loss
from tests.test_models import KINDS, bart

EXAMPLES = generate_problems(60, seed=3, steps_from=1, steps_to=2)
TEXTS = [text for e in EXAMPLES[:48] for text in (e.question, e.rationale)]
CODEC = codec_for("nano", TEXTS)
SMOKE = settings_for({"size": "smoke"})
SETTINGS = replace(SMOKE.training, batch_size=16, curve_points=2)


def pairs(method, examples=EXAMPLES[:48], codec=CODEC):
    return [pair for e in examples for pair in pairs_for(method, e, label_by_gold(e), codec)]


def settings_with_steps(method, steps, **changes):
    """Settings whose budget pays for about that many batches."""
    cost = training.cost_of(training.start_model("nano", CODEC, 0))
    rows = pairs(method)
    mean = sum(cost.training(len(p.context), len(p.target)) for p in rows) / len(rows)
    return replace(SETTINGS, method=method, budget=mean * 16 * steps, **changes)


def weights(folder):
    return load_file(Path(folder) / "model" / "model.safetensors")


@pytest.mark.parametrize("method", ["answer-only", "seq2seq", "uni-path", "uni-path-merged", "dual-path-merged"])
def test_every_method_meets_the_same_budget_and_can_be_read_back(method, tmp_path):
    settings = replace(settings_with_steps("seq2seq", 6), method=method)
    trained = train(pairs(method), pairs(method, EXAMPLES[48:]), CODEC, settings, tmp_path)
    assert trained.budget["flops"].sum() == pytest.approx(settings.budget, rel=0.15)
    if method.startswith("dual"):
        epochs = trained.budget["epochs"]
        assert epochs.iloc[0] == pytest.approx(epochs.iloc[1], rel=0.3), "halves get about equal epochs"
    models, codec = trained_models(tmp_path, method)
    assert set(models) == set(trained.budget["model"])
    chains = write_chains(
        [(e.qid, e.question) for e in EXAMPLES[48:52]],
        {name: TransformersWriter(model, codec) for name, model in models.items()},
        codec, method, replace(SMOKE.generation, max_rounds=2, max_segment_tokens=8, max_chain_tokens=8),
    )  # fmt: skip
    assert len(chains) == 4
    points = [share for share, _ in curve_models(tmp_path, method, settings.curve_points)]
    assert points == [0.5, 1.0]
    assert not list(tmp_path.rglob("*.pt")) and not list(tmp_path.rglob("*.bin")), "only safetensors stay"
    again = train(pairs(method), pairs(method, EXAMPLES[48:]), CODEC, settings, tmp_path)
    assert again.log.equals(read_training(tmp_path).log), "a finished run is read, not repeated"


def test_a_small_model_learns_one_example_by_heart(tmp_path):
    one = EXAMPLES[0]
    settings = replace(settings_with_steps("uni-path", 500), method="uni-path", learning_rate=2e-3)
    rows = pairs("uni-path", [one]) * 32
    train(rows, pairs("uni-path", [one]), CODEC, settings, tmp_path)
    models, codec = trained_models(tmp_path, "uni-path")
    writer = TransformersWriter(models["model"], codec)
    (chain,) = write_chains([(one.qid, one.question)], {"model": writer}, codec, "uni-path", SMOKE.generation)
    assert chain.text == one.rationale and chain.reason == "end" and is_correct(chain.text, one.answer)


def test_the_kept_weights_are_those_of_the_lowest_validation_loss(tmp_path):
    settings = settings_with_steps("seq2seq", 12, learning_rate=3e-2)
    held_out = pairs("seq2seq", EXAMPLES[48:])
    trained = train(pairs("seq2seq", EXAMPLES[:4]), held_out, CODEC, settings, tmp_path)  # so few that it overfits
    models, codec = trained_models(tmp_path, "seq2seq")
    log = trained.log.set_index("step")["loss"]
    assert log.index[-1] == trained.budget["steps"].iloc[0] and log.iloc[-1] > 1.1 * log.min()
    assert trained.budget["selected_step"].iloc[0] == log.idxmin() < log.index[-1]
    assert validation_loss(models["model"], held_out, codec) == pytest.approx(log.min(), rel=1e-4)
    assert trained.log["flops"].is_monotonic_increasing


def test_the_lowest_loss_keeps_its_weights_whatever_comes_after(tmp_path):
    plan = plan_batches([(9, 4)] * 6, cost=lambda s, t: s + t, budget=3, batch_size=2, seed=0, unit="epochs")
    records = Records(tmp_path, plan, CODEC)
    tried = {1: 1.0, 4: 0.5, 9: 0.7}
    for step, loss in tried.items():
        model = start_model("nano", CODEC, seed=step)
        records.record(step, {"loss": loss, "loss_as": None, "loss_es": None}, model, None)
        records.prune()
    assert records.finished()[0]["loss"].tolist() == list(tried.values())
    best = records.finished()[1]
    assert best == 4
    records.keep_best(best)
    kept = read_model(tmp_path / "model").state_dict()
    wanted, last = (start_model("nano", CODEC, seed=step).state_dict() for step in (4, 9))
    assert all(torch.equal(kept[name], wanted[name]) for name in kept)
    assert any(not torch.equal(kept[name], last[name]) for name in kept)


@pytest.mark.parametrize("method", ["seq2seq", "dual-path-merged"])
def test_the_weights_that_write_are_the_lowest_loss_or_the_best_point(method, tmp_path):
    settings = replace(settings_with_steps("seq2seq", 6), method=method)
    train(pairs(method), pairs(method, EXAMPLES[48:]), CODEC, settings, tmp_path)
    kept = [
        {name: {k: v.clone() for k, v in model.state_dict().items()} for name, model in models.items()}
        for _, models in curve_models(tmp_path, method, settings.curve_points)
    ]

    def chosen(selection, *accuracies):
        points = pd.DataFrame({"method": method, "accuracy": accuracies})
        models, _, which = selected_models(tmp_path, method, selection, points)
        return {name: model.state_dict() for name, model in models.items()}, which

    def same(first, second):
        return all(torch.equal(first[name][k], second[name][k]) for name in first for k in first[name])

    early, said = chosen("measure", 0.3, 0.2)
    assert same(early, kept[0]) and not same(early, kept[1])
    assert said == "the weights at 50% of the budget, where validation accuracy was 30.0%"
    for accuracies in ((0.2, 0.3), (0.3, 0.3)):  # of equals the later
        assert same(chosen("measure", *accuracies)[0], kept[1])
    by_loss = {name: model.state_dict() for name, model in trained_models(tmp_path, method)[0].items()}
    assert same(chosen("loss", 0.3, 0.2)[0], by_loss)


def test_the_loss_is_a_mean_over_real_tokens_whatever_the_batches(tmp_path):
    model = training.start_model("nano", CODEC, 0)
    rows = pairs("uni-path", EXAMPLES[:5])
    single = sum(validation_loss(model, [p], CODEC) * len(p.target) for p in rows) / sum(len(p.target) for p in rows)
    assert validation_loss(model, rows, CODEC, batch_size=7) == pytest.approx(single, rel=1e-5)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path):
    settings = settings_with_steps("uni-path", 5)
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(pairs("uni-path"), pairs("uni-path", EXAMPLES[48:]), CODEC, replace(settings, seed=seed), tmp_path / name)
    a, b, c = (weights(tmp_path / name / "model") for name in "abc")
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert any(not torch.equal(a[key], c[key]) for key in a)


def in_a_fork(work):
    """Run in a copy of this process, which needs not import everything anew; returns how the copy ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(7)
    return os.waitpid(child, 0)[1]


@pytest.mark.parametrize("model", ["esm", "asm"])
def test_a_killed_run_goes_on_and_ends_with_the_same_weights(model, tmp_path):
    method, settings = "dual-path-merged", settings_with_steps("dual-path-merged", 24)
    held_out = pairs(method, EXAMPLES[48:])
    train(pairs(method), held_out, CODEC, settings, tmp_path / "whole")
    steps = read_training(tmp_path / "whole").budget.set_index("model")["steps"]
    folder, after_step = tmp_path / "killed", trainer._Steps.on_step_end

    def kill(self, args, state, control, **rest):
        if state.global_step == steps[model] - 1 and self.run.job.folder.name == model:
            os.kill(os.getpid(), signal.SIGKILL)
        return after_step(self, args, state, control, **rest)

    def killed():
        trainer._Steps.on_step_end = kill
        train(pairs(method), held_out, CODEC, settings, folder)

    assert in_a_fork(killed) == signal.SIGKILL
    (marker,) = folder.rglob("whole.json")
    half = marker.parent.parent / "checkpoint-999"
    half.mkdir()  # what a kill inside a save leaves: no marker
    (half / "model.safetensors").write_bytes(b"cut short")
    messages = []
    train(pairs(method), held_out, CODEC, settings, folder, lambda message, done: messages.append(message))
    for name in ("esm", "asm"):
        whole, resumed = weights(tmp_path / "whole" / name), weights(folder / name)
        assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    assert read_training(folder).log.equals(read_training(tmp_path / "whole").log)
    sittings = json.loads((folder / model / "measured.json").read_text())["sittings"]
    assert len(sittings) == 2 and sittings[1]["from_step"] > 0, "it did not start anew"
    assert any("esm" in message for message in messages) == (model == "esm"), "a finished half is not trained again"
    assert {path.name for path in (folder / model).iterdir()} == {"curve", "log.jsonl", "measured.json", "model"}


def test_a_loss_that_is_not_finite_stops_and_names_step_and_questions(tmp_path):
    settings = settings_with_steps("seq2seq", 6, learning_rate=1e30)
    with pytest.raises(ModelError, match=r"step \d+.*learning_rate.*gen-3-"):
        train(pairs("seq2seq"), pairs("seq2seq", EXAMPLES[48:]), CODEC, settings, tmp_path)


def test_pairs_longer_than_the_model_reads_are_refused_by_name(tmp_path):
    save_model(bart(), CODEC, tmp_path / "bart")
    settings = replace(settings_with_steps("seq2seq", 2), model=str(tmp_path / "bart"))
    long = replace(EXAMPLES[0], qid="long-one", question=EXAMPLES[0].question * 9)
    with pytest.raises(ModelError, match="long-one"):
        train(pairs("seq2seq", [long]), pairs("seq2seq", EXAMPLES[:1]), CODEC, settings, tmp_path / "run")


@pytest.mark.parametrize("kind", KINDS)
def test_any_checkpoint_in_a_folder_trains_through_the_same_code(kind, tmp_path):
    save_model(KINDS[kind](), CODEC, tmp_path / kind)
    settings = replace(SETTINGS, method="uni-path", model=str(tmp_path / kind), budget=3e8)
    codec = codec_for(settings.model, [])
    rows = [pair for pair in pairs("uni-path", codec=codec) if len(pair.context) <= 64]
    trained = train(rows, rows[:20], codec, settings, tmp_path / "run")
    assert trained.budget["steps"].iloc[0] >= 1
    (model,) = trained_models(tmp_path / "run", "uni-path")[0].values()
    assert type(model) is type(KINDS[kind]())
    before = start_model(settings.model, codec, settings.seed)
    assert not all(torch.equal(a, b) for a, b in zip(model.parameters(), before.parameters(), strict=True))


def unigram(folder):
    """A checkpoint with a vocabulary as T5's: Unigram over words that begin with their blank, and no newline."""
    tokenizer = Tokenizer(tokenizers.models.Unigram())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    marks = {"special_tokens": ["<pad>", "</s>", "<unk>"], "unk_token": "<unk>"}
    tokenizer.train_from_iterator(TEXTS, trainers.UnigramTrainer(vocab_size=120, show_progress=False, **marks))
    put_tokenizer(tokenizer, folder, tokenizer_class="T5Tokenizer", extra_ids=0)
    shape = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0}
    T5ForConditionalGeneration(T5Config(vocab_size=tokenizer.get_vocab_size(), **shape)).save_pretrained(folder)


def byte_bpe(folder):
    """A checkpoint with a vocabulary as BART's: byte-level BPE, <s> before a text and </s> before what is written."""
    tokenizer = Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=marks, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    put_tokenizer(tokenizer, folder, tokenizer_class="BartTokenizer")
    shape = {"encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4}
    wide = {"d_model": 32, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 256}
    config = BartConfig(vocab_size=tokenizer.get_vocab_size(), **shape, **wide)  # its marks have the ids of these
    BartForConditionalGeneration(config).save_pretrained(folder)


def put_tokenizer(tokenizer, folder, **config):
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(("make", "kind"), [(unigram, T5Tokenizer), (byte_bpe, BartTokenizer)])
def test_a_checkpoint_with_a_vocabulary_of_its_own_trains_and_writes_through_the_same_code(make, kind, tmp_path):
    make(tmp_path / "checkpoint")
    settings = replace(SETTINGS, method="uni-path", model=str(tmp_path / "checkpoint"), batch_size=64, curve_points=1)
    settings = replace(settings, budget=1, budget_unit="epochs", warmup=0.0)  # a first step of a warm-up moves nothing
    codec = codec_for(settings.model, [])
    before = Tokenizer.from_file(str(tmp_path / "checkpoint" / "tokenizer.json")).get_vocab_size()
    assert isinstance(codec.tokenizer, kind) and codec.exact == (kind is BartTokenizer)
    assert len(codec) == before + len(ADDED) and codec.unknown_share(TEXTS) == 0
    for text in (EXAMPLES[0].rationale, f"{EXAMPLES[0].rationale}\n{EXAMPLES[1].rationale}"):
        assert codec.decode(codec.encode(text)) == text
    rows = pairs("uni-path", EXAMPLES[:6], codec)
    trained = train(rows, rows[:5], codec, settings, tmp_path / "run")
    assert trained.budget["steps"].tolist() == [1] and trained.log["loss"].notna().all()
    models, again = trained_models(tmp_path / "run", "uni-path")
    assert again.tokenizer.get_vocab() == codec.tokenizer.get_vocab()
    assert models["model"].get_input_embeddings().num_embeddings == len(codec), "the marks have rows of their own"
    start = start_model(settings.model, codec, settings.seed)
    assert any(not torch.equal(a, b) for a, b in zip(models["model"].parameters(), start.parameters(), strict=True))
    limits = replace(SMOKE.generation, max_rounds=3, max_segment_tokens=8, max_chain_tokens=16)
    questions = [(e.qid, e.question) for e in EXAMPLES[:4]]
    chains = write_chains(questions, {"model": TransformersWriter(models["model"], again)}, again, "uni-path", limits)
    assert [chain.qid for chain in chains] == [qid for qid, _ in questions]
    assert all(chain.reason in REASONS for chain in chains) and any(chain.written_tokens for chain in chains)


def test_a_half_with_nothing_to_write_is_refused_before_training(tmp_path):
    settings = settings_with_steps("dual-path", 4)
    only_es = [pair for e in EXAMPLES[:8] for pair in pairs_for("dual-path", e, ["ES"] * len(e.gold), CODEC)]
    with pytest.raises(ModelError, match="asm has nothing to write"):
        train(only_es, only_es, CODEC, settings, tmp_path)
    rows = pairs("dual-path")
    with pytest.raises(ModelError, match="asm has nothing"):
        train(rows, [pair for pair in rows if pair.model == "esm"], CODEC, settings, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("unit", "budget"), [("epochs", 2), ("target_tokens", 6000)])
def test_a_budget_can_be_epochs_or_target_tokens(unit, budget, tmp_path):
    method = "dual-path-merged"
    settings = replace(SETTINGS, method=method, budget=budget, budget_unit=unit)
    row = train(pairs(method), pairs(method, EXAMPLES[48:]), CODEC, settings, tmp_path).budget
    if unit == "epochs":
        assert row["epochs"].tolist() == [2, 2], "each half gets them in full"
    else:
        assert row["target_tokens"].sum() == pytest.approx(budget, rel=0.1)
    assert (row["padded_flops"] >= row["flops"]).all() and row["padding_waste"].between(0, 0.3).all()


def test_training_goes_on_from_the_whole_chain_weights_and_counts_them(tmp_path):
    first = settings_with_steps("seq2seq", 6)
    start = tmp_path / "begun"
    before = train(pairs("seq2seq"), pairs("seq2seq", EXAMPLES[48:]), CODEC, first, start)
    after = {}
    for method in ("seq2seq", "dual-path-merged"):
        settings = replace(first, method=method, init="seq2seq", learning_rate=1e-12)
        rows, held_out = pairs(method), pairs(method, EXAMPLES[48:])
        after[method] = train(rows, held_out, CODEC, settings, tmp_path / method, start=start)
        cost = after[method].budget["start_flops"]
        assert (cost == before.budget["flops"].sum()).all()
        for name in training.models_of(method):  # a step so small leaves the weights as they were
            kept, begun = weights(tmp_path / method / name), weights(start / "model")
            assert all(torch.allclose(kept[key], begun[key], atol=1e-9, rtol=0) for key in kept)
    assert after["seq2seq"].log["loss"].iloc[0] == pytest.approx(before.log["loss"].min(), rel=1e-4)
    assert after["seq2seq"].budget["flops"].sum() == pytest.approx(
        after["dual-path-merged"].budget["flops"].sum(), rel=0.2
    ), "the control goes on as long"


def test_a_start_that_does_not_fit_is_refused(tmp_path):
    settings, rows = settings_with_steps("uni-path", 2), pairs("uni-path")
    held_out = pairs("uni-path", EXAMPLES[48:])
    with pytest.raises(ParameterError, match="give start"):
        train(rows, held_out, CODEC, replace(settings, init="seq2seq"), tmp_path / "run")
    with pytest.raises(ParameterError, match="set init to seq2seq"):
        train(rows, held_out, CODEC, settings, tmp_path / "run", start=tmp_path)
    with pytest.raises(RunError, match="no finished training"):
        train(rows, held_out, CODEC, replace(settings, init="seq2seq"), tmp_path / "run", start=tmp_path)
    train(pairs("seq2seq"), pairs("seq2seq", EXAMPLES[48:]), CODEC, settings_with_steps("seq2seq", 2), tmp_path / "s")
    other = codec_for("nano", ["Other words, other pieces of them. "])
    with pytest.raises(ModelError, match="vocabulary"):
        train(
            pairs("uni-path", codec=other), pairs("uni-path", EXAMPLES[48:], other), other,
            replace(settings, init="seq2seq"), tmp_path / "run", start=tmp_path / "s",
        )  # fmt: skip


def test_the_log_tells_as_and_es_tokens_apart(tmp_path):
    method, settings = "uni-path-merged", settings_with_steps("uni-path-merged", 4)
    held_out = pairs(method, EXAMPLES[48:])
    labels = target_labels(held_out, EXAMPLES[48:], None, CODEC)
    log = train(pairs(method), held_out, CODEC, settings, tmp_path, validation_labels=labels).log
    assert list(log) == ["step", "epoch", "flops", "target_tokens", "loss", "loss_as", "loss_es", "model"]
    assert log[["loss_as", "loss_es"]].notna().all(axis=None) and (log["loss_as"] != log["loss_es"]).all()
    assert read_training(tmp_path).log.equals(log)


def test_an_unfinished_run_says_what_to_run(tmp_path):
    with pytest.raises(RunError, match="04_training"):
        read_training(tmp_path)
    with pytest.raises(RunError, match="04_training"):
        trained_models(tmp_path, "seq2seq")


def test_collate_pads_with_what_is_ignored():
    rows = pairs("uni-path", EXAMPLES[:2])
    batch = collate(rows, CODEC)
    for row, pair in enumerate(rows):
        assert batch["input_ids"][row, : len(pair.context)].tolist() == list(pair.context)
        assert batch["attention_mask"][row].sum() == len(pair.context)
        assert batch["labels"][row][batch["labels"][row] != -100].tolist() == list(pair.target)
