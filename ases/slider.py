"""Examples labelled again at other values of beta: a slider where widgets live, three values side by side elsewhere.

>>> beta_slider(pieces, scores, examples, default_beta=1.4)                     # doctest: +SKIP

A published page shows no widgets and must be the same each time, so the static view is what comes by default; in a live
JupyterLab ``live=True`` gives the slider. Without ipywidgets that falls back to the static view, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML

from ases.aligned import Aligned, Series, align
from ases.coloured import coloured
from ases.errors import DataError, ParameterError
from ases.examples import AS, Example
from ases.labels import label_by_rule

FROM, TO, STEP = 0.6, 2.0, 0.1
"""The range of the slider, that of a sweep; a default beta beyond it widens it."""

_NO_WIDGETS = "ipywidgets is not installed, so here are three values of beta instead of a slider."


def beta_slider(
    pieces: pd.DataFrame,
    scores: pd.DataFrame,
    examples: Sequence[Example],
    default_beta: float,
    *,
    shown: Sequence[float] | None = None,
    live: bool = False,
) -> Any:
    """The given examples coloured by the rule, at any beta (``live``) or at the values ``shown``, side by side.

    ``pieces`` and ``scores`` are those of :mod:`ases.aligned`; ``scores`` must hold one series under one seed.
    ``shown`` is the default beta and 0.4 below and above it where not given. Returns an ``IPython.display.HTML``, or
    with ``live`` an ``ipywidgets.VBox`` whose text changes as the slider moves. Raises ParameterError for a beta that
    is not above 0, and DataError for scores of several series or an example without scores.
    """
    betas = [round(default_beta + shift, 6) for shift in (-0.4, 0.0, 0.4)] if shown is None else list(shown)
    betas = [beta for beta in betas if shown is not None or beta > 0]
    if not betas or not all(beta > 0 for beta in (*betas, default_beta)):
        raise ParameterError(f"beta must be above 0, but the default is {default_beta} and shown are {betas}")
    if not examples:
        raise DataError("there is no example to show; give beta_slider at least one")
    series, rows = _scored(pieces, scores, examples)
    if not live:
        return HTML(_side_by_side(series, rows, betas, default_beta))
    try:
        import ipywidgets
    except ImportError:
        note = f'<div style="font-size:85%">{_NO_WIDGETS}</div>'
        return HTML(note + _side_by_side(series, rows, betas, default_beta))
    return _widget(ipywidgets, lambda beta: _view(series, rows, beta, default_beta), default_beta)


def as_share(rows: Sequence[Mapping[str, Any]], beta: float) -> float:
    """The share of the rows' pieces that the rule labels AS at this beta."""
    labels = [label for row in rows for label in label_by_rule(row["scores"], beta)]
    return labels.count(AS) / len(labels)


def _scored(
    pieces: pd.DataFrame, scores: pd.DataFrame, examples: Sequence[Example]
) -> tuple[Series, list[dict[str, Any]]]:
    """The one series, and for each example its question, pieces, scores and, where known, gold."""
    wanted = [example.qid for example in examples]
    there = pieces[pieces["qid"].isin(wanted)]
    known = set(there["qid"])
    if missing := [qid for qid in wanted if qid not in known]:
        raise DataError(f"beta_slider: there are no pieces of {', '.join(missing)}")
    aligned: Aligned = align(there)
    found = list(aligned.series(scores))
    if len(found) != 1 or len(found[0][1]) != 1:
        names = ", ".join(f"{series} under {len(values)} seeds" for series, values in found)
        raise DataError(f"beta_slider: scores must hold one series under one seed, but hold {names}; choose one")
    series, (values,) = found[0]
    qids = aligned.pieces["qid"].to_numpy()
    rows = []
    for example in examples:
        at = np.flatnonzero(qids == example.qid)
        part = aligned.pieces.iloc[at]
        row = {"qid": example.qid, "question": example.question, "texts": part["text"].tolist()}
        row["scores"] = values[at].tolist()
        if part["gold"].notna().all():
            row["gold"] = part["gold"].tolist()
        rows.append(row)
    return series, rows


def _view(series: Series, rows: Sequence[Mapping[str, Any]], beta: float, default_beta: float) -> str:
    """HTML of all the rows, labelled at this beta."""
    shown = []
    for row in rows:
        labels = label_by_rule(row["scores"], beta)
        piece_rows = list(zip(row["texts"], labels, row["scores"], strict=True))
        gold = {"gold": row["gold"]} if "gold" in row else {}
        shown.append({"qid": row["qid"], "question": row["question"], "pieces": piece_rows, **gold})
    default = ", its default" if beta == default_beta else ""
    judged = [row for row in rows if "gold" in row]
    text = f"{series}, beta {beta:g}{default}: {as_share(rows, beta):.0%} of the pieces AS"
    if judged:
        pairs = [
            label == truth
            for row in judged
            for label, truth in zip(label_by_rule(row["scores"], beta), row["gold"], strict=True)
        ]
        text += f", {sum(pairs)} of {len(pairs)} as in gold"
    return coloured(shown, title=text)


def _side_by_side(series: Series, rows: Sequence[Mapping[str, Any]], betas: Sequence[float], default: float) -> str:
    """One column a beta; narrow pages and paper stack them."""
    columns = "".join(
        f'<div style="flex:1 1 18em;min-width:16em">{_view(series, rows, beta, default)}</div>' for beta in betas
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px;align-items:flex-start">{columns}</div>'


def _widget(ipywidgets: Any, view: Callable[[float], str], default_beta: float) -> Any:
    slider = ipywidgets.FloatSlider(
        value=default_beta,
        min=min(FROM, default_beta),
        max=max(TO, default_beta),
        step=STEP,
        description="beta",
        readout_format=".1f",
        continuous_update=True,
    )
    text = ipywidgets.HTML(value=view(default_beta))

    def moved(change: Mapping[str, Any]) -> None:
        # Steps add up to 1.4000000000000001; labels must be those of the beta that the slider names.
        text.value = view(round(float(change["new"]), 6))

    slider.observe(moved, names="value")
    return ipywidgets.VBox([slider, text])
