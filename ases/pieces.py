"""Text -> pieces: the sub-sentences of a rationale, which are what AS-ES labels.

>>> split_pieces("Debby had 1,032 pieces, her sister 42. They had 1,032 + 42 = 1,074.")
['Debby had 1,032 pieces, ', 'her sister 42. ', 'They had 1,032 + 42 = 1,074.']

METHOD: splitting at clause punctuation, section 3 of the paper; the exact rule is ours, because the
released splitter breaks `1,000` and drops short pieces.
"""

from __future__ import annotations

import re

END_MARKS = ".,;?!。，；？！\n"
CLOSERS = "\"'”’»)]}）】」』》〉"

# Units that a split never falls inside. Order matters: the first alternative that matches is taken whole.
_LIST_MARK = r"(?<![^\n])[ \t]*(?:\d{1,3}[.、)]|[(（]\d{1,3}[)）])(?!\d)(?=[ \t]*[^\s])"
_NUMBER = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)*|\d+(?:\.\d+)*|(?<![\w.])\.\d+"
_ELLIPSIS = r"\.{2,}|…+"
_ABBREVIATION = (
    r"(?<![A-Za-z])(?:(?:[A-Za-z]\.){2,}"  # e.g. i.e. a.m. p.m. U.S.
    r"|(?:Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|Mt|vs|etc|approx|Fig|fig|Inc|Ltd)\."
    r"|No\.(?=\s?\d))"
)
# A run of marks, with the closers and white space after it; "beach . " and ".\n\n" are each one run.
_MARKS = rf"[{re.escape(END_MARKS)}]+[{re.escape(CLOSERS)}]*\s*"
_END = rf"{_MARKS}(?:(?!\.\d){_MARKS})*"
_SCAN = re.compile(rf"{_LIST_MARK}|{_NUMBER}|{_ELLIPSIS}|{_ABBREVIATION}|(?P<end>{_END})")
_LEADING = re.compile(r"\s*")


def split_pieces(text: str) -> list[str]:
    """Split a text after clause punctuation; joining the pieces gives the text back, character for character.

    A piece is text, its run of end marks (``. , ; ? !``, their full-width forms, newline), closing quotes or
    brackets, and the white space that follows; leading white space joins the first piece. Numbers, ellipses,
    common abbreviations and list marks at the start of a line are never split. An empty text has no pieces.
    """
    pieces, start = [], 0
    for match in _SCAN.finditer(text, _LEADING.match(text).end()):
        if match["end"] is not None:
            pieces.append(text[start : match.end()])
            start = match.end()
    if start < len(text):
        pieces.append(text[start:])
    return pieces
