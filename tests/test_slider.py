"""The slider for beta: static by default and the same each time, live where asked and there are widgets."""

from __future__ import annotations

import builtins
import sys

import pandas as pd
import pytest
from IPython.display import HTML

from ases.errors import DataError, ParameterError
from ases.examples import Example
from ases.slider import as_share, beta_slider
from tests.detection_tables import pieces_of, scores_of

PIECES = pieces_of({"q1": "EA", "q2": "AEE"})
SCORES = scores_of({"q1": [1, 3], "q2": [1.0, 2.5, 1.0]})
EXAMPLES = [Example(qid, "Why?", "".join(PIECES.loc[PIECES["qid"] == qid, "text"]), "1", "own") for qid in ("q2", "q1")]


def test_three_values_stand_side_by_side_and_are_stable() -> None:
    first, second = (beta_slider(PIECES, SCORES, EXAMPLES, 1.4) for _ in range(2))
    assert isinstance(first, HTML) and first.data == second.data
    for beta in ("beta 1:", "beta 1.4, its default:", "beta 1.8:"):
        assert first.data.count(beta) == 1
    assert first.data.index(">q2<") < first.data.index(">q1<"), "in the order of the examples given"
    assert "flex-wrap:wrap" in first.data and "<script" not in first.data and "model_id" not in first.data


def test_labels_and_shares_are_those_of_the_rule() -> None:
    html = beta_slider(PIECES, SCORES, EXAMPLES[1:], 1.0, shown=[0.4, 1.0, 1.6]).data
    views = html.split('<div style="flex:')[1:]
    for view, share, right in zip(views, ("100%", "50%", "0%"), (1, 2, 1), strict=True):
        assert f"{share} of the pieces AS, {right} of 2 as in gold" in view
    assert as_share([{"scores": [1.0, 3.0]}, {"scores": [1.0, 2.5, 1.0]}], 1.0) == 0.4
    real = beta_slider(PIECES.assign(gold=None), SCORES, EXAMPLES, 1.4).data
    assert "as in gold" not in real and "\N{NOT EQUAL TO}" not in real


def test_live_the_text_follows_the_slider() -> None:
    widgets = pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")
    box = beta_slider(PIECES, SCORES, EXAMPLES, 1.4, live=True)
    slider, text = box.children
    assert isinstance(slider, widgets.FloatSlider) and (slider.min, slider.max, slider.value) == (0.6, 2.0, 1.4)
    before = text.value
    slider.value = 1.0
    assert "beta 1: 40% of the pieces AS" in text.value and text.value != before
    slider.value = 1.4
    assert text.value == before
    assert beta_slider(PIECES, SCORES, EXAMPLES, 3.0, live=True).children[0].max == 3.0


def test_without_widgets_live_falls_back_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def no_widgets(name: str, *arguments: object, **named: object) -> object:
        if name == "ipywidgets":
            raise ImportError(name)
        return real_import(name, *arguments, **named)

    monkeypatch.delitem(sys.modules, "ipywidgets", raising=False)
    monkeypatch.setattr(builtins, "__import__", no_widgets)
    shown = beta_slider(PIECES, SCORES, EXAMPLES, 1.4, live=True)
    assert isinstance(shown, HTML) and "ipywidgets is not installed" in shown.data
    assert beta_slider(PIECES, SCORES, EXAMPLES, 1.4).data in shown.data


def test_what_cannot_be_shown_is_refused() -> None:
    with pytest.raises(ParameterError, match="beta must be above 0"):
        beta_slider(PIECES, SCORES, EXAMPLES, 0.0)
    with pytest.raises(ParameterError, match="beta must be above 0"):
        beta_slider(PIECES, SCORES, EXAMPLES, 1.0, shown=[0.5, -1])
    with pytest.raises(DataError, match="no example"):
        beta_slider(PIECES, SCORES, [], 1.0)
    with pytest.raises(DataError, match="no pieces of q2"):
        beta_slider(PIECES[PIECES["qid"] == "q1"], SCORES, EXAMPLES, 1.0)
    two = pd.concat([SCORES, SCORES.assign(seed=1)])
    with pytest.raises(DataError, match="entropy .sum, question. under 2 seeds; choose one"):
        beta_slider(PIECES, two, EXAMPLES, 1.0)
    assert beta_slider(PIECES, SCORES, EXAMPLES, 0.3).data.count("flex:1") == 2, "a beta below 0 is not shown"
