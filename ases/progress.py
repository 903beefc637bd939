"""How far a long run is, as one line below the cell, for whoever sits before an open notebook.

>>> show("12 of 48 chains", 0.25)

Elsewhere nothing is shown: the command line prints lines of its own, and sets :data:`OFF` for the notebooks that it
executes, because what is saved must not depend on how fast a machine is.
"""

from __future__ import annotations

import os
import sys
import time
from html import escape
from typing import Any

OFF = "ASES_PROGRESS"
"""The environment variable that silences the line when it is ``off``."""

SECONDS_BETWEEN = 0.3

_line: dict[str, Any] = {"cell": None, "handle": None, "shown": 0.0}


def show(message: str, done: float) -> None:
    """Renew the line of the cell that is running; ``done`` from 0 to 1, anything else for a length not known."""
    cell = _running_cell()
    if cell is None:
        return
    now = time.monotonic()
    if cell == _line["cell"] and now - _line["shown"] < SECONDS_BETWEEN and done != 1:
        return
    html = _html(message, done)
    if cell == _line["cell"]:
        _line["handle"].update(html)
    else:
        from IPython.display import display  # late: a look at a run folder needs no notebook

        _line.update(cell=cell, handle=display(html, display_id=True))
    _line["shown"] = now


def _running_cell() -> int | None:
    """The number of the running cell, None outside an open notebook."""
    if os.environ.get(OFF) == "off" or "IPython" not in sys.modules:
        return None
    shell = sys.modules["IPython"].get_ipython()
    return shell.execution_count if shell is not None and hasattr(shell, "kernel") else None


def _html(message: str, done: float) -> Any:
    from IPython.display import HTML

    known = 0 <= done <= 1
    bar = f'<progress max="1" value="{done:.3f}"></progress>' if known else "<progress></progress>"
    share = f" ({done:.0%})" if known else ""
    return HTML(f"<div>{bar} {escape(message)}{share}</div>")
