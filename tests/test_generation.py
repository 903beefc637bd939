"""Iterative generation with scripted writers gives exactly the expected chain; batches change nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ases.errors import DataError
from ases.generation import TransformersWriter, Written, write_chains
from ases.models import fresh_model
from ases.settings import settings_for
from ases.tokens import train_codec

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
