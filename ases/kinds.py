"""What a piece does in its rationale: restates, computes, concludes, recommends; by rules on the text (ours).

>>> kind_of("so now she had 60 - 5 = 55 lilies. ", later="She got 55 * 3 = 165 dollars.")
'intermediate equation'

Kinds say where a strategy errs. They are read from the text, so collected rationales have them too; gold, where it is
known, decides what the words of a report leave open. Also here: the heuristic that labels by new numbers alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from ases.arithmetic import numerals
from ases.examples import AS, ES, Example
from ases.pieces import split_pieces

PROBLEM_KINDS = (
    "restated fact",
    "conclusion without equation",
    "intermediate equation",
    "final equation",
    "new number, no equation",
    "answer sentence",
)
REPORT_KINDS = (
    "restated finding",
    "normal",
    "suspicion",
    "stage",
    "response",
    "recommendation",
    "other conclusion",
)

_ANSWER = re.compile(r"\banswer is\b|答案是|答案为", re.IGNORECASE)
# The first that matches names a report's conclusion. "Suggests" speaks of a suspicion, "is suggested" asks for more.
_CONCLUSIONS = tuple(
    (kind, re.compile("|".join(words.split("/")), re.IGNORECASE))
    for kind, words in {
        "recommendation": "建议/请结合/随访/复查/recommend/(?:is|are) (?:suggested|advised)/should be"
        "/follow[- ]?up/biopsy",
        "response": "缓解/进展/疾病稳定/代谢稳定/疗效/较前/Deauville/\\bresponse\\b/progressi/stable disease/remission"
        "/a (?:fall|rise) of/decreas/increas",
        "stage": "分期/[ⅠⅡⅢⅣIV]期/早期/晚期/局限期?/区域期/远处期/转移/播散/扩散/\\bstag(?:e|ing)/metasta/\\bT\\dN\\d"
        "/spread/locali[sz]ed/regional/distant",
        "suspicion": "考虑/可能/疑/倾向/不除外/提示/符合/待定/良性/恶性/肿瘤/癌/suspicio/suspect/likely"
        "/indeterminate/uncertain/benign/malign/suggest/consistent with/in keeping with/compatible with"
        "/considered/in nature/in appearance/neoplas/tumou?r/cancer",
    }.items()
)
_NORMAL = re.compile(r"未见|无明显异常|无异常|正常|\bno (?!longer)|unremarkable|\bnormal\b|without evidence", re.I)


def kind_of(
    text: str, gold: str | None = None, *, question: str = "", earlier: str = "", later: str = "", report: bool = False
) -> str:
    """The kind of a piece: one of :data:`PROBLEM_KINDS`, or with ``report`` one of :data:`REPORT_KINDS`.

    ``earlier`` and ``later`` are the rationale before and after the piece. Word problems, first that holds: an equation
    (``=``) is *final* where no equation follows, else *intermediate*; a piece with "answer is" is the *answer
    sentence*; a number found neither in the question nor earlier makes it *new number, no equation*; a number found
    only earlier makes it a *conclusion without equation*; the rest is a *restated fact*.

    Reports: what gold calls ES is *normal* where it says that nothing is found, else a *restated finding*; what gold
    calls AS is named by the first of these whose words it holds: *recommendation*, *response*, *stage*, *suspicion*,
    else *other conclusion*. Without gold the words come first, and a piece with none of them is restated.
    """
    return _report_kind(text, gold) if report else _problem_kind(text, question, earlier, later)


def kind_table(examples: Sequence[Example]) -> pd.DataFrame:
    """The kind of each piece: ``qid, piece, kind``. An example without an answer (PET) is a report."""
    rows = []
    for example in examples:
        pieces = split_pieces(example.rationale)
        for place, text in enumerate(pieces):
            kind = kind_of(
                text,
                example.gold[place] if example.gold is not None else None,
                question=example.question,
                earlier="".join(pieces[:place]),
                later="".join(pieces[place + 1 :]),
                report=example.answer is None,
            )
            rows.append((example.qid, place, kind))
    return pd.DataFrame(rows, columns=["qid", "piece", "kind"])


def label_by_number_novelty(question: str, pieces: Sequence[str]) -> list[str]:
    """``AS`` if and only if the piece has a number found neither in the question nor in an earlier piece (ours).

    >>> label_by_number_novelty("Bo had 2, got 3.", ["Bo had 2. ", "2 + 3 = 5. ", "So 5."])
    ['ES', 'AS', 'ES']

    A heuristic that needs no model: near gold on word problems, silent on what a report concludes in words.
    """
    known, labels = numerals(question), []
    for piece in pieces:
        found = numerals(piece)
        labels.append(ES if found <= known else AS)
        known |= found
    return labels


def _problem_kind(text: str, question: str, earlier: str, later: str) -> str:
    if "=" in text:
        return "intermediate equation" if "=" in later else "final equation"
    if _ANSWER.search(text):
        return "answer sentence"
    found, asked = numerals(text), numerals(question)
    if found <= asked:
        return "restated fact"
    return "conclusion without equation" if found <= asked | numerals(earlier) else "new number, no equation"


def _report_kind(text: str, gold: str | None) -> str:
    normal = _NORMAL.search(text) is not None
    if gold == ES:
        return "normal" if normal else "restated finding"
    named = next((kind for kind, words in _CONCLUSIONS if words.search(text)), None)
    if gold == AS:
        return named or "other conclusion"
    return named or ("normal" if normal else "restated finding")
