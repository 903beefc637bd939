"""The live view shows each segment as it comes, with and without a notebook around it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from IPython.display import HTML

from ases import live
from ases.chains import Chain
from ases.engines import Decoding, Written
from ases.examples import Example
from ases.labels import label_examples
from ases.live import chain_html, labels_shown, show_chain
from ases.novelty import novelty_scores
from ases.pieces import split_pieces
from ases.settings import settings_for
from ases.tokens import train_codec

CODEC = train_codec(["Ann had 3. So 3 + 4 = 7. The answer is 7."])
SETTINGS = settings_for({"size": "smoke"}).generation


class Says:
    """Writes its lines one after the other, and ends the chain with the last."""

    context_limit = None

    def __init__(self, *lines: str, decoding: Decoding | None = None) -> None:
        self.lines, self.turn = lines, 0
        if decoding is not None:
            self.decoding = decoding

    def write(self, contexts, limit, keys=None):
        written = []
        for _ in contexts:
            line = CODEC.encode(self.lines[self.turn])
            self.turn += 1
            written.append(Written((*line, *([CODEC.eoc] if self.turn >= len(self.lines) else [])), True))
        return written


def writers() -> dict[str, Says]:
    return {"esm": Says("Ann had 3. ", "So <7>.", "-"), "asm": Says("3 + 4 = 7. ", "The answer is 7.")}


def test_without_a_notebook_each_segment_is_printed_once_with_its_label(capsys: pytest.CaptureFixture[str]) -> None:
    chain = show_chain("q", "Ann?", writers(), CODEC, "dual-path", SETTINGS)
    assert chain.reason == "end" and chain.text == "Ann had 3. 3 + 4 = 7. So <7>.The answer is 7."
    assert capsys.readouterr().out.splitlines() == [
        "ES: Ann had 3. ", "AS: 3 + 4 = 7. ", "ES: So <7>.", "AS: The answer is 7."
    ]  # fmt: skip


def test_in_a_notebook_one_output_grows_segment_by_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def display(html: HTML, display_id: bool) -> SimpleNamespace:
        assert display_id and not shown
        shown.append(html.data)
        return SimpleNamespace(update=lambda html: shown.append(html.data))

    monkeypatch.setattr(live, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr(live, "display", display)
    chain = show_chain("q", "Ann?", writers(), CODEC, "dual-path", SETTINGS)
    segments = [text.strip().replace("<", "&lt;").replace(">", "&gt;") for _, text in chain.segments]
    counts = [sum(segment in html for segment in segments) for html in shown]
    assert counts == [0, 1, 2, 3, 4, 4] and "writing" in shown[3] and "ended: end" in shown[-1]


def test_segments_are_coloured_by_their_label() -> None:
    chain = Chain("q", "a b", (("esm", "aaa "), ("asm", "bbb")), "end", 2, 5, 6, ("ES", "AS"))
    labelled = chain_html("Q", chain)
    assert ">aaa</span>" in labelled and ">bbb</b>" in labelled
    assert "2 turns, 6 tokens written" in labelled
    assert "6 tokens written for 3 samples)" in chain_html("Q", replace(chain, samples=3))
    assert "extractive" in labelled and "a bar ends each segment" in labelled and "novelty" not in labelled
    assert labels_shown("Q", replace(chain, labels=(None, "AS"))) == (None, "AS"), "the model's own, where it gave any"


def test_segments_without_labels_are_coloured_by_novelty_and_it_is_said() -> None:
    question, texts = "Ann had 3 pens and 4 pencils.", ("Ann had 3 pens. ", "3 + 4 = 7 things. ", "Ann had 7 things.")
    chain = Chain("q", "".join(texts), tuple(("model", text) for text in texts), "end", 3, 5, 6, (None,) * 3)
    example = Example("q", question, chain.text, None, "own")
    assert split_pieces(chain.text) == list(texts), "so that the strategy labels the same pieces"
    settings = settings_for({"strategy": "novelty"}).segmentation
    (expected,) = label_examples([example], settings, [novelty_scores(question, texts)])
    assert list(labels_shown(question, chain)) == expected == ["ES", "AS", "ES"]
    shown = chain_html(question, chain)
    assert ">3 + 4 = 7 things.</b>" in shown and shown.count("coloured by novelty: ") == 1


def test_one_segment_alone_has_no_other_to_be_held_against() -> None:
    chain = Chain("q", "9 pens", (("model", "9 pens"),), "end", 1, 5, 6, (None,))
    plain = chain_html("Ann?", chain)
    assert ">9 pens</span>" in plain and "a bar ends each segment" in plain
    assert "extractive" not in plain and "novelty" not in plain, "no colours, so none are explained"


def test_of_samples_the_first_is_shown_and_the_chosen_one_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_for({"decoding": "sampling", "vote": "chain", "samples": 3, "generation_batch": 1}).generation
    writer = Says("9. ", "8. ", "8. ", "8. ", "8. ", decoding=Decoding("sampling"))
    chain = show_chain("q", "Ann?", {"model": writer}, CODEC, "seq2seq", settings)
    assert (chain.text, chain.agreement) == ("8. ", 2 / 3)
    assert capsys.readouterr().out.splitlines() == ["model: 9. ", "chosen by vote:", "model: 8. "]
