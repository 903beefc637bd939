"""The line below a running cell: renewed in an open notebook, and nowhere else."""

from __future__ import annotations

import os
from types import SimpleNamespace

import IPython.display
import pytest

from ases import progress
from ases.execution import _kernel_environment


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What an open notebook in its first cell shows, the texts of one line after the other."""
    texts: list[str] = []

    def display(html: IPython.display.HTML, display_id: bool) -> SimpleNamespace:
        texts.append(f"new: {html.data}")
        return SimpleNamespace(update=lambda html: texts.append(html.data))

    shell = SimpleNamespace(kernel=object(), execution_count=1)
    monkeypatch.delenv(progress.OFF, raising=False)
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.setattr(progress, "_line", {"cell": None, "handle": None, "shown": 0.0})
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 0.0)
    return texts


def test_one_line_a_cell_is_renewed(shown: list[str]) -> None:
    progress.show("1 of 4 <chains>", 0.25)
    progress.show("4 of 4 chains", 1.0)
    IPython.get_ipython().execution_count = 2
    progress.show("1 chains", float("nan"))
    assert [text.startswith("new: ") for text in shown] == [True, False, True]
    assert "1 of 4 &lt;chains&gt; (25%)" in shown[0] and 'value="0.250"' in shown[0]
    assert "4 of 4 chains (100%)" in shown[1] and "%" not in shown[2] and "value" not in shown[2]


def test_it_is_renewed_now_and_then_and_at_the_end(shown: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 1e9)
    for count in range(1, 101):
        progress.show(f"{count} of 100", count / 100)
    assert len(shown) == 2 and "100 of 100" in shown[1]


def test_nothing_is_shown_where_nobody_looks(shown: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with _kernel_environment():
        progress.show("of a notebook that the command line executes", 0.5)
    assert os.environ.get(progress.OFF) is None
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    progress.show("of a script", 0.5)
    assert shown == []
