"""Data cards: where each set comes from, what may be done with it, and what is known to be wrong with it.

>>> data_card("gsm8k").licence
'MIT'

The facts of collected sets are those of their origin at the commit named; counts are of the files at that commit. What
nobody measured says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from ases.errors import ParameterError


@dataclass(frozen=True)
class DataCard:
    """What a reader must know of a data set before using it; each field is a sentence or a few words."""

    name: str
    title: str
    origin: str
    commit: str
    licence: str
    size: str
    language: str
    teacher: str
    error_rate: str
    overlaps: str
    personal_data: str
    use: str


LABELS = {
    "title": "what it is",
    "origin": "origin",
    "commit": "pinned commit",
    "licence": "licence",
    "size": "size",
    "language": "language",
    "teacher": "teacher",
    "error_rate": "error rate",
    "overlaps": "known overlaps",
    "personal_data": "personal data",
    "use": "mind",
}
"""How the fields are named where a card is shown, in this order."""

_MADE_HERE = "none: made by this package, and fixed by its version and the seed"
_OURS = "MIT, as this package"
_PET_RULES = (
    "none by construction: every conclusion follows by a stated rule from what the findings say; the rules are simpler "
    "than medicine"
)
_SWAPPED = "no two splits share a story schema together with its numbers"

CARDS = {
    card.name: card
    for card in (
        DataCard(
            name="generated",
            title="generated math word problems, told in the manner of LLM rationales, every piece with a gold label",
            origin="ases.problems",
            commit=_MADE_HERE,
            licence=_OURS,
            size="as many as asked for; 1 to 8 operations each",
            language="English",
            teacher="none: templates",
            error_rate="none by construction: every equation is computed, and tests compute it again",
            overlaps=f"none with collected sets by design, not searched for; {_SWAPPED}",
            personal_data="none: first names from a list, invented stories",
            use="narrower than real problems in words and in ways of reasoning",
        ),
        DataCard(
            name="reports-zh",
            title="generated PET reports: findings and an impression, with a gold label for every piece",
            origin="ases.reports",
            commit=_MADE_HERE,
            licence=_OURS,
            size="as many as asked for",
            language="Chinese",
            teacher="none: templates over a hidden state of lesions",
            error_rate=_PET_RULES,
            overlaps=f"none with real reports: only the layout is taken from cPET-11K; {_SWAPPED}",
            personal_data="none: no patient stands behind a report",
            use="not for medical use; a stand-in for reports that cannot be shipped",
        ),
        DataCard(
            name="reports-en",
            title="generated PET reports: findings and an impression, with a gold label for every piece",
            origin="ases.reports",
            commit=_MADE_HERE,
            licence=_OURS,
            size="as many as asked for",
            language="English",
            teacher="none: templates over a hidden state of lesions",
            error_rate=_PET_RULES,
            overlaps=f"none with real reports; the same hidden states as the Chinese ones can be told; {_SWAPPED}",
            personal_data="none: no patient stands behind a report",
            use="not for medical use; a stand-in for reports that cannot be shipped",
        ),
        DataCard(
            name="gsm8k",
            title="GSM8K: grade school word problems with human step-by-step solutions (Cobbe et al. 2021)",
            origin="github.com/openai/grade-school-math, grade_school_math/data/",
            commit="3101c7d5072418e28b9008a6636bde82a006892c (2021-11-19)",
            licence="MIT",
            size="7,473 train and 1,319 test, the official split",
            language="English",
            teacher="none: written by people",
            error_rate="not measured",
            overlaps=(
                "no question twice inside a split or across splits; llm_adapters_cot has rationales for its test set"
            ),
            personal_data="none known: invented stories with first names",
            use="people join restating and calculating in one line, so pieces are less clearly of one kind",
        ),
        DataCard(
            name="llm_adapters_cot",
            title="one LLM-written rationale for each question of five word-problem sets (Hu et al., EMNLP 2023)",
            origin="github.com/AGI-Edgerunners/LLM-Adapters, dataset/<name>/",
            commit="816657208af4db747803f87ba40a4c71383fed7a (2024-03-10)",
            licence=(
                "ODC-By for the data, Apache-2.0 for the repository; questions keep their own terms, and text "
                "generated with an OpenAI model may be subject to that provider's terms"
            ),
            size="3,822: GSM8K test 1,319, SVAMP 1,000, MultiArith 600, SingleEq 508, AddSub 395",
            language="English",
            teacher="a large language model, not named beside the files",
            error_rate=(
                "share of wrong answers: GSM8K 41.5 %, SVAMP 19.7 %, AddSub 8.4 %, MultiArith 6.7 %, SingleEq 6.5 %; "
                "6 rationales of GSM8K are empty"
            ),
            overlaps=(
                "the GSM8K file holds the official *test* questions; MultiArith, AddSub, SingleEq and SVAMP share "
                "questions and near copies with each other and with palm_svamp_cot"
            ),
            personal_data="none known: invented stories with first names",
            use="all five are questions that others test on: results on our own split are not theirs",
        ),
        DataCard(
            name="palm_svamp_cot",
            title="PaLM rationales for SVAMP (Hsieh et al., Findings of ACL 2023, Distilling Step-by-Step)",
            origin="github.com/google-research/distilling-step-by-step, datasets.zip",
            commit=(
                "ef944263c9ddfd40a9888557f3e7d17513fd1a7e; read unpacked from the fork "
                "github.com/maxh119Z/distilling-step-by-step1, 5b76a471c46c61f45114eab6621ffdff12d676b6"
            ),
            licence="Apache-2.0; the questions of SVAMP are MIT",
            size="800 train and 200 test",
            language="English",
            teacher="PaLM 540B",
            error_rate=(
                "wrong or unreadable answers: 26.8 % of train, 26.0 % of test; of these, 11 and 2 have no answer that "
                "can be parsed"
            ),
            overlaps="its questions are SVAMP's, so they are in llm_adapters_cot too",
            personal_data="none known: invented stories with first names",
            use="each text runs on into an invented question and is cut at the first 'Q:'",
        ),
        DataCard(
            name="cpet",
            title="cPET-11K: findings and impressions of PET reports",
            origin="a CSV file that the user has and names; this package never downloads it",
            commit="unknown",
            licence="none stated: never shipped, printed in published notebooks, or cached outside the user's folder",
            size="not measured here, about 11,000 by its name; findings about 630 characters, impressions about 170",
            language="Chinese",
            teacher="none: written by physicians",
            error_rate="unknown",
            overlaps="unknown",
            personal_data=(
                "text about real patients; whether it can be traced back to them is unknown, so treat it as if it could"
            ),
            use="nothing derived from it, models included, may leave the user's folder without the owner's consent",
        ),
    )
}
"""The cards by name, generated sets first. The sets of ``reports`` have one a language."""


def data_card(name: str) -> DataCard:
    """The card of a set, one of :data:`CARDS`. Raises ParameterError for another name."""
    if name not in CARDS:
        raise ParameterError(f"there is no data card of {name}; there are {', '.join(CARDS)}")
    return CARDS[name]


def card_table(names: Sequence[str] = tuple(CARDS)) -> pd.DataFrame:
    """The cards side by side: a row a field, as :data:`LABELS` names it, and a column a set."""
    columns = {name: [getattr(data_card(name), field) for field in LABELS] for name in names}
    return pd.DataFrame(columns, index=pd.Index(LABELS.values(), name="data set"))


def card_markdown(card: DataCard) -> str:
    """One card as a Markdown table under its name."""
    rows = [f"| {label} | {getattr(card, field).replace('|', chr(92) + '|')} |" for field, label in LABELS.items()]
    return "\n".join([f"### {card.name}", "", "| | |", "|---|---|", *rows, ""])


def cards_html(names: Sequence[str] = tuple(CARDS)) -> str:
    """The cards one below the other, self-contained: inline styles only, nothing loaded; a page never cuts one."""
    return "".join(_html(data_card(name)) for name in names)


def _html(card: DataCard) -> str:
    head = "text-align:left;vertical-align:top;white-space:nowrap;padding:2px 10px 2px 0"
    cell = "text-align:left;white-space:normal;padding:2px 0"
    rows = "".join(
        f'<tr><th style="{head}">{escape(label)}</th><td style="{cell}">{escape(getattr(card, field))}</td></tr>'
        for field, label in LABELS.items()
    )
    box = "color:#111;background:#fff;border:1px solid #999;margin:8px 0;padding:6px 10px;break-inside:avoid"
    return f'<div style="{box}"><div style="font-weight:bold">{escape(card.name)}</div><table>{rows}</table></div>'
