"""Iterative generation with scripted writers gives exactly the expected chain; batches change nothing."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

from ases.engines import Decoding
from ases.errors import DataError, ParameterError
from ases.generation import TransformersWriter, Written, stream_chains, write_chains
from ases.models import cost_of, fresh_model
from ases.settings import settings_for
from ases.tokens import train_codec
from tests.tiny_models import NEAR, log_probabilities, tiny_model

SETTINGS = settings_for({"size": "smoke"}).generation
CODEC = train_codec(["Ann had 3. Bob had 4. Total? So 3 + 4 = 7. The answer is 7."])
PASS = Written((), True)


def says(text: str, *, last: bool = False, finished: bool = True) -> Written:
    return Written((*CODEC.encode(text), *([CODEC.eoc] if last else [])), finished)


class Script:
    """A writer that looks up what to say by the text of the context, and remembers what it was asked."""

    context_limit = None

    def __init__(self, lines):
        self.lines, self.calls = lines, []

    def write(self, contexts, limit):
        assert all(context[-1] == CODEC.end for context in contexts)
        texts = [CODEC.decode(context) for context in contexts]
        self.calls.append((sorted(texts), limit))
        return [self.lines[text] for text in texts]


def test_uni_path_appends_segment_by_segment_until_the_chain_says_it_ends():
    script = Script(
        {"Q?": says("3 + 4 "), "Q?3 + 4 ": says("= 7. "), "Q?3 + 4 = 7. ": says("The answer is 7.", last=True)}
    )
    (chain,) = write_chains([("q", "Q?")], {"model": script}, CODEC, "uni-path", SETTINGS)
    assert chain.segments == (("model", "3 + 4 "), ("model", "= 7. "), ("model", "The answer is 7."))
    assert (chain.text, chain.reason, chain.rounds) == ("3 + 4 = 7. The answer is 7.", "end", 3)
    written = sum(len(CODEC.encode(text)) for text in ("3 + 4 ", "= 7. ", "The answer is 7."))
    assert chain.written_tokens == written + 3 + 1, "end tokens and the end of chain are written too"


def test_dual_path_takes_turns_and_passes():
    esm = Script({"Q?": PASS, "Q?3 + 4 = 7. ": says("The answer is 7.", last=True)})
    asm = Script({"Q?": says("3 + 4 = 7. ")})
    (chain,) = write_chains([("q", "Q?")], {"esm": esm, "asm": asm}, CODEC, "dual-path-merged", SETTINGS)
    assert chain.segments == (("asm", "3 + 4 = 7. "), ("esm", "The answer is 7."))
    assert (chain.reason, chain.rounds) == ("end", 3)


def test_two_passes_in_succession_stall_a_dual_path_and_one_a_uni_path():
    quiet = {"esm": Script({"Q?": says("3."), "Q?3.": PASS}), "asm": Script({"Q?3.": PASS})}
    (chain,) = write_chains([("q", "Q?")], quiet, CODEC, "dual-path", SETTINGS)
    assert (chain.text, chain.reason, chain.rounds) == ("3.", "stalled", 3)
    (chain,) = write_chains([("q", "Q?")], {"model": Script({"Q?": PASS})}, CODEC, "uni-path", SETTINGS)
    assert (chain.text, chain.reason) == ("", "stalled")


def test_rounds_and_lengths_are_bounded_and_said():
    endless = Script({"Q" + "a" * n: says("a") for n in range(9)})
    (chain,) = write_chains([("q", "Q")], {"model": endless}, CODEC, "uni-path", replace(SETTINGS, max_rounds=4))
    assert (chain.text, chain.reason, chain.rounds) == ("aaaa", "max_rounds", 4)
    cut = Script({"Q": says("a a a", finished=False)})
    (chain,) = write_chains([("q", "Q")], {"model": cut}, CODEC, "uni-path", SETTINGS)
    assert (chain.text, chain.reason) == ("a a a", "length")
    short = Script({"Q": says("a a a a")})
    short.context_limit = len(CODEC.encode("Qa a a")) + 1
    (chain,) = write_chains([("q", "Q")], {"model": short}, CODEC, "uni-path", SETTINGS)
    assert (chain.text, chain.reason, chain.rounds) == ("a a a a", "length", 1)


def test_an_iterated_chain_is_no_longer_than_a_whole_one_may_be():
    unit = len(CODEC.encode("a a "))
    endless = Script({"Q" + "a a " * n: says("a a ") for n in range(9)})
    settings = replace(SETTINGS, max_chain_tokens=3 * unit)
    (chain,) = write_chains([("q", "Q")], {"model": endless}, CODEC, "uni-path", settings)
    assert (chain.text, chain.reason, chain.rounds) == ("a a " * 3, "length", 3)
    assert [limit for _, limit in endless.calls] == [3 * unit, 2 * unit, unit]
    (chain,) = write_chains([("q", "Q")], {"model": endless}, CODEC, "uni-path", replace(SETTINGS, max_chain_tokens=3))
    assert chain.reason == "length" and len(CODEC.encode(chain.text)) <= 3


def test_a_whole_chain_method_writes_once_with_its_own_limit():
    script = Script({"Q?": says("3 + 4 = 7.")})
    (chain,) = write_chains([("q", "Q?")], {"model": script}, CODEC, "seq2seq", SETTINGS)
    assert (chain.reason, chain.rounds) == ("max_rounds", 1)
    assert script.calls == [(["Q?"], SETTINGS.max_chain_tokens)]


def test_text_after_the_end_of_chain_is_not_kept():
    ids = (*CODEC.encode("7."), CODEC.eoc, *CODEC.encode("junk"))
    (chain,) = write_chains([("q", "Q?")], {"model": Script({"Q?": Written(ids, True)})}, CODEC, "seq2seq", SETTINGS)
    assert (chain.text, chain.reason) == ("7.", "end")


def test_finished_chains_leave_and_waiting_ones_enter_at_segment_boundaries():
    lines = {"A": says("x", last=True), "B": says("y"), "By": says("z", last=True), "C": says("w", last=True)}
    script = Script(lines)
    questions = [("a", "A"), ("b", "B"), ("c", "C")]
    chains = write_chains(questions, {"model": script}, CODEC, "uni-path", replace(SETTINGS, generation_batch=2))
    assert [(chain.qid, chain.text) for chain in chains] == [("a", "x"), ("b", "yz"), ("c", "w")]
    assert [texts for texts, _ in script.calls] == [["A", "B"], ["By", "C"]]


def test_shared_qids_are_refused():
    with pytest.raises(DataError, match="q1"):
        write_chains([("q1", "A"), ("q1", "B")], {"model": Script({})}, CODEC, "uni-path", SETTINGS)


@pytest.mark.parametrize("method", ["seq2seq", "uni-path", "dual-path"])
def test_batched_chains_equal_chains_written_one_at_a_time(method):
    names = ("esm", "asm") if method == "dual-path" else ("model",)
    writers = {name: TransformersWriter(fresh_model("nano", CODEC, seed), CODEC) for seed, name in enumerate(names)}
    settings = replace(SETTINGS, max_rounds=3, max_segment_tokens=7, max_chain_tokens=12)
    questions = [(f"q{n}", "Ann had 3. " * (n % 5 + 1) + f"Bob had {n}?") for n in range(12)]
    batched = write_chains(questions, writers, CODEC, method, replace(settings, generation_batch=8))
    single = write_chains(questions, writers, CODEC, method, replace(settings, generation_batch=1))
    assert batched == single
    assert any(chain.written_tokens for chain in batched)


def test_decoding_is_greedy_whatever_a_checkpoint_asks_for():
    model = fresh_model("nano", CODEC, 0)
    plain = TransformersWriter(fresh_model("nano", CODEC, 0), CODEC).write([[9, 10, CODEC.end]], 9)
    for name, value in {"do_sample": True, "no_repeat_ngram_size": 1, "forced_bos_token_id": 5, "num_beams": 3}.items():
        setattr(model.generation_config, name, value)
    assert TransformersWriter(model, CODEC).write([[9, 10, CODEC.end]], 9) == plain


class Recorded:
    """An engine, and all that it was asked and wrote."""

    def __init__(self, writer):
        self.writer, self.calls = writer, []
        self.context_limit, self.decoding, self.cost = writer.context_limit, writer.decoding, writer.cost

    def write(self, contexts, limit, *keys):
        written = self.writer.write(contexts, limit, *keys)
        self.calls.append([([*context], limit, text) for context, text in zip(contexts, written, strict=True)])
        return written


def near_tied(writers) -> set[tuple[int, ...]]:
    """Contexts in whose text two tokens were so close that rounding may decide (the rule of tests.tiny_models)."""
    near = set()
    for writer in writers.values():
        for context, _, text in (row for call in writer.calls for row in call):
            ids = [*text.ids, *([CODEC.end] if text.finished else [])]
            top = log_probabilities(writer.writer.model, context, ids).topk(2).values
            if float((top[:, 0] - top[:, 1]).min()) < NEAR:
                near.add(tuple(context))
    return near


@pytest.mark.parametrize("kind", ["t5", "mt5", "bart"])
@pytest.mark.parametrize("method", ["seq2seq", "uni-path", "dual-path"])
def test_batches_change_nothing_for_any_kind_of_model(kind, method):
    names = ("esm", "asm") if method == "dual-path" else ("model",)
    ids = {"vocab_size": len(CODEC), "pad_token_id": CODEC.pad, "eos_token_id": CODEC.end}
    models = {name: tiny_model(kind, seed, **ids, end_bias=CODEC.end) for seed, name in enumerate(names)}
    settings = replace(SETTINGS, max_rounds=3, max_segment_tokens=5, max_chain_tokens=12)
    questions = [(f"q{n}", "Ann had 3. " * (n % 4 + 1) + f"Bob had {n}?") for n in range(16)]
    found = {}
    for batch, budget in ((1, 10**6), (7, 10**6), (16, 90)):
        writers = {name: Recorded(TransformersWriter(model, CODEC)) for name, model in models.items()}
        scheduled = replace(settings, generation_batch=batch, token_budget=budget)
        found[batch] = write_chains(questions, writers, CODEC, method, scheduled)
        if batch == 1:
            near = near_tied(writers)
            total = sum(len(call) for writer in writers.values() for call in writer.calls)
    assert len(near) <= 0.1 * total, f"{len(near)} of {total} segments set aside as near-ties"
    unsure = {tuple(context[: len(CODEC.encode(text))]) for context in near for _, text in questions}
    kept = [place for place, (_, text) in enumerate(questions) if tuple(CODEC.encode(text)) not in unsure]
    assert len(kept) >= 12
    for batch in (7, 16):
        assert [found[batch][place] for place in kept] == [found[1][place] for place in kept]


def test_no_batch_has_more_rows_or_tokens_than_the_budget_allows():
    lines = {"A" + "b" * n: says("b", last=n == 5) for n in range(6)}
    lines |= {"Q" * 30 + "b" * n: says("b", last=n == 5) for n in range(6)}
    script, sizes = Script(lines), []
    write = script.write
    script.write = lambda contexts, limit: sizes.append([len(one) for one in contexts]) or write(contexts, limit)
    questions = [(f"q{n}", "A" if n % 3 else "Q" * 30) for n in range(12)]
    longest = len(CODEC.encode("Q" * 30 + "b" * 5)) + 1
    settings = replace(SETTINGS, generation_batch=5, token_budget=2 * longest + 3)
    chains = write_chains(questions, {"model": script}, CODEC, "uni-path", settings)
    assert all(chain.reason == "end" and chain.rounds == 6 for chain in chains)
    assert all(len(rows) <= 5 and len(rows) * max(rows) <= settings.token_budget for rows in sizes)
    assert max(len(rows) for rows in sizes) == 5 and sizes == [sorted(rows, reverse=True) for rows in sizes]
    alone = replace(settings, token_budget=1)
    assert write_chains(questions, {"model": script}, CODEC, "uni-path", alone) == chains


def test_each_model_of_a_dual_path_writes_for_all_its_chains_at_once():
    esm = Script({"A": PASS, "B": says("x"), "Ay": says("z", last=True), "Bxy": says("z", last=True)})
    asm = Script({"A": says("y"), "Bx": says("y")})
    chains = write_chains([("a", "A"), ("b", "B")], {"esm": esm, "asm": asm}, CODEC, "dual-path", SETTINGS)
    assert [chain.text for chain in chains] == ["yz", "xyz"]
    assert [texts for texts, _ in esm.calls] == [["A", "B"], ["Ay", "Bxy"]]
    assert [texts for texts, _ in asm.calls] == [["A", "Bx"]]
    assert [chain.labels for chain in chains] == [("AS", "ES"), ("ES", "AS", "ES")]


class Hasty(Script):
    """A script that gives up the texts of some contexts where it may."""

    def __init__(self, lines, slow):
        super().__init__(lines)
        self.slow, self.given_up = slow, []

    def write_most(self, contexts, limit):
        texts = [CODEC.decode(context[:-1]) for context in contexts]
        self.given_up += [text for text in texts if text in self.slow]
        written = self.write(contexts, limit)
        return [None if text in self.slow else one for text, one in zip(texts, written, strict=True)]


def test_a_turn_that_was_given_up_is_written_with_others_like_it_and_changes_no_chain():
    lines = {"A": says("x"), "Ax": says("z", last=True), "B": says("y"), "By": says("z", last=True)}
    lines |= {"C": says("w"), "Cw": says("v"), "Cwv": says("u", last=True)}
    questions = [("a", "A"), ("b", "B"), ("c", "C")]
    hasty, seen = Hasty(lines, {"A", "By"}), []
    settings = replace(SETTINGS, generation_batch=16)
    asked = (questions, {"model": hasty}, CODEC, "uni-path", settings)
    found = stream_chains(*asked, watch=lambda chain: seen.append((chain.qid, chain.text)))
    chains = sorted(found, key=lambda chain: chain.qid)
    assert chains == write_chains(questions, {"model": Script(lines)}, CODEC, "uni-path", settings)
    assert hasty.given_up == ["A", "By"], "each once: then it is written to its end"
    assert hasty.calls[-2][0] == ["A", "By"], "when nothing else is left, together"
    assert sorted(seen) == sorted({*seen}) and len(seen) == 7, "whoever watches sees each turn once"
    few = replace(settings, generation_batch=2)  # of two, one that is late is many
    assert write_chains(questions, {"model": Hasty(lines, {"A", "By"})}, CODEC, "uni-path", few) == chains


def test_a_whole_chain_is_never_given_up():
    hasty = Hasty({"A": says("x", last=True)}, {"A"})
    write_chains([("a", "A")], {"model": hasty}, CODEC, "seq2seq", SETTINGS)
    assert hasty.given_up == []


def test_a_typed_segment_has_the_label_of_its_mark():
    ids = (CODEC.as_, *CODEC.encode("7."), CODEC.eoc)
    (chain,) = write_chains([("q", "Q?")], {"model": Script({"Q?": Written(ids, True)})}, CODEC, "uni-path", SETTINGS)
    assert (chain.text, chain.labels) == ("7.", ("AS",))


def test_sampled_chains_depend_on_their_seed_and_not_on_their_batch():
    model = fresh_model("nano", CODEC, 0)
    questions = [(f"q{n}", "Ann had 3. " * (n % 3 + 1)) for n in range(9)]
    given = {"decoding": "sampling", "max_rounds": 3, "max_segment_tokens": 5, "max_chain_tokens": 12}
    found = {}
    for vote, samples in (("none", 1), ("chain", 3), ("segment", 3)):
        for seed, batch in ((0, 1), (0, 20), (1, 20)):
            extra = {"vote": vote, "samples": samples, "generation_seed": seed, "generation_batch": batch}
            settings = settings_for({**given, **extra}).generation
            writers = {"model": TransformersWriter(model, CODEC, Decoding("sampling"))}
            found[vote, seed, batch] = write_chains(questions, writers, CODEC, "uni-path", settings)
        assert found[vote, 0, 1] == found[vote, 0, 20] != found[vote, 1, 20]
        assert {chain.samples for chain in found[vote, 0, 1]} == {samples}
    assert len({chain.text for chain in found["none", 0, 1]}) > 6, "equal questions of other qids draw otherwise"


def test_what_a_chain_cost_is_counted_in_tokens_and_flops():
    model = fresh_model("nano", CODEC, 0)
    cost = cost_of(model)
    recorded = Recorded(TransformersWriter(model, CODEC))
    settings = replace(SETTINGS, max_rounds=2, max_segment_tokens=5, max_chain_tokens=12)
    (chain,) = write_chains([("q", "Ann had 3.")], {"model": recorded}, CODEC, "uni-path", settings)
    turns = [(len(context), len(text.ids) + text.finished) for ((context, _, text),) in recorded.calls]
    assert chain.read_tokens == sum(read for read, _ in turns)
    assert chain.written_tokens == sum(written for _, written in turns)
    assert chain.flops == sum(cost.forward(*turn) for turn in turns) > 0
    voting = {"decoding": "sampling", "vote": "segment", "samples": 4, "max_chain_tokens": 5}
    sampled = settings_for(voting).generation
    recorded = Recorded(TransformersWriter(model, CODEC, Decoding("sampling")))
    (chain,) = write_chains([("q", "Ann had 3.")], {"model": recorded}, CODEC, "seq2seq", sampled)
    rows = [(len(context), len(text.ids) + text.finished) for context, _, text in recorded.calls[0]]
    assert len(rows) == 4 and chain.flops == sum(cost.forward(*row) for row in rows)


def test_writers_that_choose_otherwise_than_the_settings_say_are_refused():
    model = fresh_model("nano", CODEC, 0)
    sampled = settings_for({"decoding": "sampling"}).generation
    with pytest.raises(ParameterError, match="writers_for"):
        write_chains([("q", "Q")], {"model": TransformersWriter(model, CODEC)}, CODEC, "uni-path", sampled)
    with pytest.raises(ParameterError, match="no writer for the model asm"):
        write_chains([("q", "Q")], {"esm": Script({})}, CODEC, "dual-path", SETTINGS)


def test_existing_calls_keep_their_form():
    names = list(inspect.signature(write_chains).parameters)
    assert names[:6] == ["questions", "writers", "codec", "method", "settings", "progress"]
