"""How much of a piece is new: content words and numbers found neither in the question nor in an earlier piece.

>>> novelty_scores("Ann had 3 apples and 4 pears.", ["Ann had 3 apples, ", "so she has 3 + 4 = 7 fruits."])
[0.0, 0.5]

No model is needed. Source: ours (METHOD, section 2).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from ases.arithmetic import parse_number

STOP_WORDS = frozenset(
    """
    a about above after again all also altogether am an and another any are as at be because been before being below
    between both but by can can't cannot could did do does doing don't down during each either else for from further
    had has have having he he's hence her here hers him his how i i'm if in into is isn't it it's its itself just let
    let's many may me might more most much must my no nor not now of off on once one only or other our ours out over own
    same she she's should since so some still such than that that's the their theirs them then there there's therefore
    these they they're this those through thus to together too under until up upon us very was we we're were what when
    where which while who whom whose why will with within without would yes yet you your yours
    """.split()
)
"""English words without content of their own; ours, with the connectives of worked solutions (so, thus, hence)."""

_NUMBER = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\w.])\.\d+"
_HAN = r"[\u3400-\u4dbf\u4e00-\u9fff]+"
_WORD = r"(?:(?![\u3400-\u4dbf\u4e00-\u9fff])[^\W\d_])+(?:['’](?:(?![\u3400-\u4dbf\u4e00-\u9fff])[^\W\d_])+)*"
_TOKEN = re.compile(rf"(?P<number>{_NUMBER})|(?P<han>{_HAN})|(?P<word>{_WORD})")


def content_tokens(text: str) -> list[str]:
    """The text's content: numbers by value, words outside :data:`STOP_WORDS` in lower case, Chinese as bigrams.

    ``1,000`` and ``1000.0`` are one number, and none is ever split. A Chinese run of one character is its own token.

    >>> content_tokens("So 1,000 left"), content_tokens("考虑恶性5.90")
    (['1000', 'left'], ['考虑', '虑恶', '恶性', '59/10'])
    """
    found: list[str] = []
    for match in _TOKEN.finditer(unicodedata.normalize("NFKC", text).lower().replace("’", "'")):
        part = match[0]
        if match.lastgroup == "number":
            found.append(str(parse_number(part)))
        elif match.lastgroup == "word":
            found += [part] if part not in STOP_WORDS else []
        else:
            found += [part[at : at + 2] for at in range(len(part) - 1)] or [part]
    return found


def novelty_scores(question: str, pieces: Sequence[str]) -> list[float]:
    """The share of each piece's content tokens found neither in the question nor in an earlier piece, 0 to 1.

    A token counts as often as it stands in the piece. A piece without content ("So, ") brings nothing new: 0.
    """
    known = set(content_tokens(question))
    scores = []
    for piece in pieces:
        tokens = content_tokens(piece)
        scores.append(sum(token not in known for token in tokens) / len(tokens) if tokens else 0.0)
        known.update(tokens)
    return scores
