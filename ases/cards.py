"""Data cards: what each set is, where it comes from, and what to mind before training on it or quoting a result.

>>> card("gsm8k").licence
'MIT'

Facts are those of the sets' own pages and of counts over their files, read once and dated; what nobody has measured is
said to be unknown. The counts of the files at hand are in the account of a split (:mod:`ases.splits`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from ases.errors import ParameterError


@dataclass(frozen=True)
class Card:
    """One data set, in words. ``name`` is the value of the parameter ``data``."""

    name: str
    what: str
    origin: str
    licence: str
    size: str
    language: str
    teacher: str
    error_rate: str
    overlaps: str
    personal_data: str


_CARDS = (
    Card(
        name="generated",
        what="Math word problems told from operation graphs, with a rationale and the true label of every piece.",
        origin="ases.problems, from a seed; nothing is downloaded.",
        licence="MIT, as this package.",
        size="As many as asked for.",
        language="English",
        teacher="None: the rationale is written from the hidden graph.",
        error_rate="0: tests recompute every equation and label.",
        overlaps="Splits share stories but never a story with its numbers; held_out_schemas keeps stories apart.",
        personal_data="None; names are common first names drawn at random.",
    ),
    Card(
        name="reports",
        what="PET reports told from hidden lesions: findings as question, impression as rationale, no answer.",
        origin="ases.reports, from a seed; nothing is downloaded. A stand-in for cPET-11K, in its layout.",
        licence="MIT, as this package.",
        size="As many as asked for.",
        language="Chinese or English",
        teacher="None: the impression follows from stated rules. They are simpler than medicine: not for clinical use.",
        error_rate="0 by its own rules: tests recompute every conclusion from the findings.",
        overlaps="As for generated word problems.",
        personal_data="None: no report is, or is modelled on, a real patient's.",
    ),
    Card(
        name="gsm8k",
        what="Grade-school math problems with human step-by-step solutions.",
        origin="github.com/openai/grade-school-math, commit 3101c7d (2021-11-19); Cobbe et al. 2021, arXiv 2110.14168.",
        licence="MIT",
        size="7,473 train, 1,319 test (the official split).",
        language="English",
        teacher="People, paid to write problems and solutions.",
        error_rate="Unknown here; its authors estimate that fewer than 2 in 100 problems break.",
        overlaps="No question twice. Its test questions are those of llm_adapters_cot's gsm8k file.",
        personal_data="None known.",
    ),
    Card(
        name="llm_adapters_cot",
        what="One LLM-written rationale a question of MultiArith, AddSub, SingleEq, SVAMP and GSM8K.",
        origin="github.com/AGI-Edgerunners/LLM-Adapters, commit 8166572 (2024-03-10); Hu et al., EMNLP 2023.",
        licence="ODC-By for the data, Apache-2.0 for the repository; the questions keep their own terms.",
        size="3,822: MultiArith 600, AddSub 395, SingleEq 508, SVAMP 1,000, GSM8K 1,319.",
        language="English",
        teacher="An OpenAI model, not named beside the files; its provider's terms may apply to the text.",
        error_rate="6 to 42 of 100 rationales end in a wrong answer, by set; flagged, and left out unless asked for.",
        overlaps="The GSM8K part is the official test set. The sets share questions with each other and with SVAMP.",
        personal_data="None known.",
    ),
    Card(
        name="palm_svamp_cot",
        what="Rationales for SVAMP, each cut at the first question that the model invents after it.",
        origin="github.com/google-research/distilling-step-by-step, commit ef94426; Hsieh et al., ACL 2023.",
        licence="Apache-2.0; SVAMP's questions are MIT.",
        size="800 train, 200 test.",
        language="English",
        teacher="PaLM with 540 billion parameters.",
        error_rate="About one rationale in four misses the gold answer; 13 of 1,000 state none that can be read.",
        overlaps="The questions are SVAMP's, which llm_adapters_cot holds too; many differ only in numbers.",
        personal_data="None known.",
    ),
    Card(
        name="cpet",
        what="Real PET reports, findings and impression, from a file that you have: never part of this package.",
        origin="cPET-11K, released with the AS-ES paper's code (github.com/rootnx/AS-ES-learning).",
        licence="None stated: ask its authors before you use it.",
        size="About 11,000 reports; not counted here, the file was not at hand.",
        language="Chinese",
        teacher="Physicians.",
        error_rate="Unknown.",
        overlaps="Unknown; near copies are kept in one split.",
        personal_data="Texts about real patients. What is computed from it stays in the folder that holds the file, "
        "and publishing refuses it.",
    ),
)

NAMES = tuple(one.name for one in _CARDS)
"""The sets that have a card."""


def card(name: str) -> Card:
    """The card of a set. Raises ParameterError for a set without one (your own data has none)."""
    for one in _CARDS:
        if one.name == name:
            return one
    raise ParameterError(f"there is no data card for {name}; there are cards for {', '.join(NAMES)}")


def card_table(names: Sequence[str] = NAMES) -> pd.DataFrame:
    """The cards of some sets side by side: one row a field, one column a set."""
    table = pd.DataFrame([asdict(card(name)) for name in names]).set_index("name").T
    return table.rename(index=lambda field: field.replace("_", " ")).rename_axis(None, axis=1)
