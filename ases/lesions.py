"""The hidden state of a generated PET report, and the rules by which its impression follows from its findings.

>>> nodule = Lesion("primary", "lung.1", long=23, short=18, suv=85, sign="spiculated")
>>> GRADES[grade(nodule)], t_category(nodule)
('highly suspicious', 1)

Sizes are whole millimetres (told in cm), SUVmax whole tenths (told with one decimal), so every comparison is exact.
The findings tell all that the rules use. The rules are ours; they are simpler than any guideline and no medical advice.

1. **Uptake level**: 0 for SUVmax below 2.5, 1 from 2.5, 2 from 5.0.
2. **Grade** of a primary lesion: its uptake level, plus 1 where its shape is irregular (:data:`IRREGULAR`). 0 benign,
   1 indeterminate, 2 suspicious, 3 highly suspicious.
3. **Lymph node**: short axis of 1.0 cm or more, and SUVmax of 2.5 or more: both metastatic (lymphoma: involved), one
   indeterminate, none reactive.
4. **Other lesion elsewhere**: an aggressive look (:data:`AGGRESSIVE`), and SUVmax of 2.5 or more: both metastatic
   (lymphoma: involved), one indeterminate, none benign.
5. **Spread** of a primary of grade 2 or 3, from what is metastatic: *distant* with any lesion of rule 4 or a node
   outside the family's regional stations, with the number of organs (distant nodes of whichever station are one);
   else *regional* with any node, on whichever side; else *local*. For the lung instead T from the longest diameter
   (up to 3, 5, 7 cm, more: T1 to T4), N from the side of the nodes (same hilum N1, same or middle mediastinum N2,
   other side or any supraclavicular node N3) and M1 with a metastatic lesion of rule 4, else M0.
6. **Lymphoma** is what involved nodes without any mass are taken for. Ann Arbor: IV with an involved organ (rule 4);
   else III with involved stations on both sides of the diaphragm, II with several on one side, I with one.
7. **Response**, after treatment, of the lesion with the highest SUVmax now: complete where that is not above the
   liver; else by its change since the earlier study, in whole percent: partial for a fall of 30 or more, progression
   for a rise of 30 or more, stable between. A new metastatic lesion is progression in any case. Lymphoma also gets
   the Deauville score: 2 up to the mediastinal blood pool, 3 up to the liver, 4 up to twice the liver, 5 above or
   with a new metastatic lesion.
8. **Clear** where no lesion is above grade 0, indeterminate or metastatic.
9. **Advice** follows from grade and spread, stage or response (:func:`advice`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ases.report_sites import FAMILIES, SITES

GRADES = ("benign", "indeterminate", "suspicious", "highly suspicious")
SMOOTH = ("smooth", "round", "even")
IRREGULAR = ("spiculated", "lobulated", "ill-defined", "uneven")
"""Shapes of a primary lesion; ``even`` and ``uneven`` are those of a thickened wall."""

AGGRESSIVE, BLAND = "aggressive", "bland"
POSITIVE, OPEN, NEGATIVE = 2, 1, 0
"""Verdicts on a node or a lesion elsewhere: metastatic or involved, indeterminate, reactive or benign."""


@dataclass(frozen=True)
class Lesion:
    """Something seen: ``role`` is ``primary``, ``node`` or ``distant``; ``site`` a key of SITES.

    ``long`` and ``short`` in mm: the two diameters; for a wall its length and thickness; for a node only ``short``.
    ``suv`` is ten times the SUVmax, ``earlier`` that of the earlier study; ``new`` says that there was nothing then.
    """

    role: str
    site: str
    long: int
    short: int
    suv: int
    sign: str = ""
    earlier: int | None = None
    new: bool = False


@dataclass(frozen=True)
class Incidental:
    """A benign finding: its key, which of its places, its size in mm and ten times its SUVmax, where it tells them."""

    key: str
    place: int
    long: int
    short: int
    suv: int


@dataclass(frozen=True)
class Case:
    """One patient. ``kind`` is staging, lymphoma, response, lymphoma-response or clear.

    ``pool`` and ``liver`` are ten times the SUVmax of the mediastinal blood pool and of the liver. ``glucose`` is in
    tenths of mmol/L, ``dose`` in tenths of mCi, ``months`` those since the earlier study; lesions lie in the order in
    which they are judged, the primary first.
    """

    kind: str
    family: str
    sex: str
    pool: int
    liver: int
    glucose: int
    dose: int
    minutes: int
    months: int
    lesions: tuple[Lesion, ...]
    incidentals: tuple[Incidental, ...]


def uptake(suv: int) -> int:
    """Rule 1, for ten times the SUVmax."""
    return (suv >= 25) + (suv >= 50)


def grade(lesion: Lesion) -> int:
    """Rule 2: 0 to 3, as in :data:`GRADES`."""
    return uptake(lesion.suv) + (lesion.sign in IRREGULAR)


def verdict(lesion: Lesion) -> int:
    """Rules 3 and 4: POSITIVE, OPEN or NEGATIVE."""
    looks = lesion.short >= 10 if lesion.role == "node" else lesion.sign == AGGRESSIVE
    return int(looks) + int(lesion.suv >= 25)


def t_category(lesion: Lesion) -> int:
    """Rule 5: 1 to 4, from the longest diameter."""
    return 1 + (lesion.long > 30) + (lesion.long > 50) + (lesion.long > 70)


def n_category(primary: Lesion, node: Lesion) -> int:
    """Rule 5: 1 to 3, of a metastatic node of a lung tumour."""
    side, station = SITES[primary.site].side, SITES[node.site]
    if station.organ == "supraclavicular" or station.side not in (side, "-"):
        return 3
    return 1 if station.organ == "hilar" else 2


def tnm(primary: Lesion, others: Sequence[Lesion]) -> tuple[int, int, int]:
    """Rule 5, for the lung: T, N and M."""
    found = [lesion for lesion in others if verdict(lesion) == POSITIVE]
    nodes = [n_category(primary, lesion) for lesion in found if lesion.role == "node"]
    return t_category(primary), max(nodes, default=0), int(any(lesion.role == "distant" for lesion in found))


def distant_organs(family: str, lesions: Sequence[Lesion]) -> int:
    """Rule 5: the number of organs with metastases, distant nodes counting as one."""
    organs = set()
    for lesion in lesions:
        if lesion.role != "primary" and verdict(lesion) == POSITIVE:
            organ = SITES[lesion.site].organ
            if lesion.role == "distant":
                organs.add(organ)
            elif organ not in FAMILIES[family].regional:
                organs.add("nodes")
    return len(organs)


def spread(family: str, lesions: Sequence[Lesion]) -> str:
    """Rule 5: local, regional or distant."""
    if distant_organs(family, lesions):
        return "distant"
    nodes = any(lesion.role == "node" and verdict(lesion) == POSITIVE for lesion in lesions)
    return "regional" if nodes else "local"


def ann_arbor(lesions: Sequence[Lesion]) -> int:
    """Rule 6: 1 to 4."""
    found = [lesion for lesion in lesions if verdict(lesion) == POSITIVE]
    if any(lesion.role == "distant" for lesion in found):
        return 4
    sides = {SITES[lesion.site].above for lesion in found}
    return 3 if len(sides) == 2 else min(len(found), 2)


def hottest(lesions: Sequence[Lesion]) -> Lesion:
    """The lesion with the highest SUVmax among those that the earlier study saw."""
    return max((lesion for lesion in lesions if lesion.earlier is not None), key=lambda lesion: lesion.suv)


def change(lesion: Lesion) -> int:
    """Rule 7: the change of SUVmax since the earlier study in whole percent, halves away from zero."""
    difference = abs(lesion.suv - lesion.earlier)
    percent = (200 * difference + lesion.earlier) // (2 * lesion.earlier)
    return percent if lesion.suv >= lesion.earlier else -percent


def response(case: Case) -> str:
    """Rule 7: complete, partial, stable or progression."""
    if any(lesion.new and verdict(lesion) == POSITIVE for lesion in case.lesions):
        return "progression"
    main = hottest(case.lesions)
    if main.suv <= case.liver:
        return "complete"
    percent = change(main)
    return "partial" if percent <= -30 else "progression" if percent >= 30 else "stable"


def deauville(case: Case) -> int:
    """Rule 7: 2 to 5."""
    if any(lesion.new and verdict(lesion) == POSITIVE for lesion in case.lesions):
        return 5
    suv = hottest(case.lesions).suv
    return 2 + (suv > case.pool) + (suv > case.liver) + (suv > 2 * case.liver)


def advice(case: Case) -> str:
    """Rule 9: what to do next, one word or two.

    Of a primary: benign ``yearly``; indeterminate ``three months`` from 1.5 cm on (for a wall, its thickness), else
    ``six months``; then local ``biopsy``, regional ``biopsy and board``, distant ``board``. Lymphoma: ``node biopsy``.
    Response: complete ``follow``, partial ``go on``, stable ``soon again``, progression ``rethink``. Clear: ``yearly``.
    """
    if case.kind == "lymphoma":
        return "node biopsy"
    if case.kind.endswith("response"):
        return {"complete": "follow", "partial": "go on", "stable": "soon again"}.get(response(case), "rethink")
    if case.kind == "clear":
        return "yearly"
    primary = case.lesions[0]
    if grade(primary) == 0:
        return "yearly"
    if grade(primary) == 1:
        size = primary.short if FAMILIES[case.family].wall else primary.long
        return "three months" if size >= 15 else "six months"
    return {"local": "biopsy", "regional": "biopsy and board", "distant": "board"}[spread(case.family, case.lesions)]


def pattern(case: Case) -> str:
    """Which rules decide the case, and how: the report's ``graph``."""
    if case.kind == "clear":
        return "clear"
    if case.kind == "lymphoma":
        return f"ann-arbor-{ann_arbor(case.lesions)}"
    if case.kind.endswith("response"):
        new = "-new" if any(lesion.new for lesion in case.lesions) else ""
        deauville_ = f"deauville-{deauville(case)}-" if case.kind == "lymphoma-response" else ""
        return f"{deauville_}{response(case)}{new}"
    primary = case.lesions[0]
    level = grade(primary)
    if level < 2:
        return GRADES[level]
    if case.family == "lung":
        _, n, m = tnm(primary, case.lesions[1:])
        return f"grade-{level}-n{n}-m{m}"
    where = spread(case.family, case.lesions)
    several = "-several" if distant_organs(case.family, case.lesions) > 1 else ""
    return f"grade-{level}-{where}{several}"
