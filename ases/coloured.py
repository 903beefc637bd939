"""Chains -> HTML in which each piece shows whether it is extractive (ES) or abstractive (AS).

>>> html = coloured([{"qid": "q1", "question": "Bo has 2.", "pieces": [("Bo has 2, ", "ES", 0.4)]}])
>>> "2.1" in html, "0.40" in html
(False, True)

AS is bold on purple with a solid line below, ES plain on green with a dotted one, and a bar ends each piece:
the two read apart in grey print, for the colour-blind, and (by weight and bars) where a host removes styles. Pages
break between chains, and browsers are asked to print the colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from ases.errors import DataError
from ases.examples import AS, ES

# Browsers print no backgrounds unless told so; the lines below the pieces are printed in any case.
_PRINT = "-webkit-print-color-adjust:exact;print-color-adjust:exact"
_BOX = f"color:#111;background:#fff;font:14px/1.9 sans-serif;max-width:54em;padding:4px 8px;{_PRINT}"
_LOOKS = {
    ES: ("span", "background:#d9f0e8;border-bottom:2px dotted #00795a;padding:1px 2px"),
    AS: ("b", "background:#f3ddea;border-bottom:2px solid #a03a78;padding:1px 2px"),
    None: ("span", "padding:1px 2px"),
}
_BAR = '<span style="color:#777;user-select:none" aria-hidden="true">|</span>'
_SMALL = "font-size:70%;font-weight:normal;color:#333"
_DIFFERS = "\N{NOT EQUAL TO}"


def coloured(rows: Iterable[Mapping[str, Any]], *, title: str = "", unit: str = "piece") -> str:
    """HTML of some chains, self-contained: inline styles only, no script, nothing loaded.

    A row holds ``qid``, ``question``, ``pieces``: (text, label, score or None) for each piece, label ``ES``, ``AS``
    or None where there is none, and where known ``gold``: the true label of each piece. Scores stand raised after
    their piece, a label that differs from gold is marked. All text is escaped and shown whole, line breaks kept.
    ``unit`` says what a piece is called here; without any label the legend explains no colours.
    Raises DataError, naming the qid, for a row that lacks a field, an unknown label, or gold of another length.
    """
    rows = list(rows)
    if not rows:
        raise DataError("there is no chain to show; give coloured() at least one row")
    parts = [_row(row, position) for position, row in enumerate(rows)]
    pieces = [piece for row in rows for piece in row["pieces"]]
    heading = f'<div style="font-weight:bold">{_plain(title)}</div>' if title else ""
    labelled = any(label is not None for _, label, _ in pieces)
    scored = any(score is not None for _, _, score in pieces)
    legend = _legend(unit, labelled, scored, any("gold" in row for row in rows))
    return f'<div style="{_BOX}">{heading}{legend}{"".join(parts)}</div>'


def _row(row: Mapping[str, Any], position: int) -> str:
    missing = [name for name in ("qid", "question", "pieces") if name not in row]
    if missing:
        raise DataError(f"row {position} of coloured() lacks {', '.join(missing)}")
    pieces, gold = list(row["pieces"]), row.get("gold")
    if any(len(piece) != 3 for piece in pieces):
        raise DataError(f"{row['qid']}: each piece must be (text, label, score or None)")
    if gold is not None and len(gold) != len(pieces):
        raise DataError(f"{row['qid']}: {len(pieces)} pieces but {len(gold)} gold labels; give one a piece")
    unknown = sorted({str(label) for label in [*(piece[1] for piece in pieces), *(gold or ())] if label not in _LOOKS})
    if unknown:
        raise DataError(f"{row['qid']}: unknown label {', '.join(unknown)}; use ES, AS or None")
    shown = (_piece(*piece, gold[at] if gold is not None else None) for at, piece in enumerate(pieces))
    return (
        '<div style="margin-top:8px;border-top:1px solid #ccc;break-inside:avoid">'
        f'<code style="{_SMALL}">{escape(str(row["qid"]))}</code>'
        f'<div style="white-space:pre-wrap">{_plain(row["question"])}</div>'
        f'<div style="white-space:pre-wrap;margin-left:1em">{"".join(shown)}</div></div>'
    )


def _piece(text: str, label: str | None, score: float | None, gold: str | None) -> str:
    tag, style = _LOOKS[label]
    # White space at the end stays outside the colour: a line break within would draw an empty box.
    body = text.rstrip()
    notes = [] if score is None else [f"{score:.2f}"]
    if gold is not None and gold != label:
        notes.append(f"{_DIFFERS}{gold}")
    raised = f'<sup style="{_SMALL}">{" ".join(notes)}</sup>' if notes else ""
    return f'<{tag} style="{style}">{_plain(body)}</{tag}>{raised}{_BAR}{_plain(text[len(body) :])}'


def _plain(text: str) -> str:
    # Jupyter sets what stands between two dollar signs as a formula; a sign alone in its element stays a price.
    return escape(text).replace("$", "<span>$</span>")


def _legend(unit: str, labelled: bool, scores: bool, gold: bool) -> str:
    words = [f"{_piece('ES', ES, None, None)} extractive", f"{_piece('AS', AS, None, None)} abstractive"]
    words = [*(words if labelled or gold else []), f"a bar ends each {unit}"]
    if scores:
        words.append(f'<sup style="{_SMALL}">1.23</sup> score')
    if gold:
        words.append(f'<sup style="{_SMALL}">{_DIFFERS}AS</sup> true label, where it differs')
    return f'<div style="font-size:85%">{" &nbsp; ".join(words)}</div>'
