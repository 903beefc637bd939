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
_NUMBER = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)*|\d+(?:\.\d+)*|(?<![\w.])\.\d+"
_ELLIPSIS = r"\.{2,}|…+"
_ABBREVIATION = (
    r"(?<![A-Za-z&])(?:(?:[A-Za-z]\.){2,}"  # e.g. i.e. a.m. p.m. U.S.; but "M&Ms." is no "Ms."
    r"|(?:Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|Mt|vs|etc|approx|Inc|Ltd)\."
    r"|(?:No|[Ff]ig)\.(?=\s?\d))"
)
# A run of marks, with the closers and white space after it; "beach . " and ".\n\n" are each one run. A point
# before a digit belongs to the number (".5"), and a straight quote before a word opens what comes next.
_MARK, _CLOSER = f"[{re.escape(END_MARKS)}]", f"[{re.escape(CLOSERS)}]"
_MARKS = rf"{_MARK}(?:(?!\.\d){_MARK})*(?:(?![\"']\w){_CLOSER})*\s*"
_END = rf"{_MARKS}(?:(?!\.\d){_MARKS})*"
_SCAN = re.compile(rf"{_NUMBER}|{_ELLIPSIS}|{_ABBREVIATION}|(?P<end>{_END})")
# Only "1." needs care: the other list marks, "1)", "(1)" and "1、", hold no end mark.
_LIST_MARK = re.compile(r"^[^\S\n]*(\d{1,3}\.)(?!\d)(?=[^\S\n]*\S)", re.MULTILINE)
_LEADING = re.compile(r"\s*")


def split_pieces(text: str) -> list[str]:
    """Split a text after clause punctuation; joining the pieces gives the text back, character for character.

    A piece is text, its run of end marks (``. , ; ? !``, their full-width forms, newline), closing quotes or
    brackets, and the white space that follows; leading white space joins the first piece. Numbers, ellipses,
    common abbreviations and list marks at the start of a line are never split. An empty text has no pieces.
    """
    list_marks = {match.start(1): match.end(1) for match in _LIST_MARK.finditer(text)}
    pieces, start, at = [], 0, _LEADING.match(text).end()
    while match := _SCAN.search(text, at):
        at = list_marks.get(match.start(), match.end())
        if match["end"] is not None:
            pieces.append(text[start:at])
            start = at
    if start < len(text):
        pieces.append(text[start:])
    return pieces
