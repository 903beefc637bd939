"""Patient -> impression: the rationale of a generated PET report, item by item, with the label of every piece.

>>> speaker = Speaker(random.Random("b"), "en", draw_case(random.Random("a")))
>>> findings = write_findings(speaker)
>>> impression, gold = write_impression(speaker)
>>> len(gold) == len(split_pieces(impression))
True

A clause that repeats the findings is ES; one that states what follows by a rule of :mod:`ases.lesions` or by the table
of :mod:`ases.report_benign` is AS, and no clause does both.
"""

from __future__ import annotations

from collections.abc import Sequence

from ases import lesions as rules
from ases.examples import AS, ES
from ases.lesions import POSITIVE, Case, Incidental, Lesion
from ases.pieces import split_pieces
from ases.report_benign import BENIGN
from ases.report_findings import Speaker, tenths
from ases.report_sites import FAMILIES, SITES

_ROMAN = ("", "I", "II", "III", "IV")
Clause = tuple[str, str]
"""A text without its end mark, and its label."""


class _Impression:
    """Collects the items of an impression, each a list of clauses with their labels."""

    def __init__(self, speaker: Speaker):
        self.speaker, self.words, self.rng = speaker, speaker.words, speaker.rng
        self.items: list[list[Clause]] = []

    def pick(self, wordings: Sequence[str], **slots: object) -> str:
        return self.rng.choice(wordings).format(**slots)

    def primary(self, lesion: Lesion) -> list[Clause]:
        """What the findings say of a primary lesion."""
        slots = self.speaker.slots(lesion)
        wall = FAMILIES[SITES[lesion.site].organ].wall
        part = self.pick(self.words.SIZE_PARTS["wall" if wall else "mass"], **slots)
        lead = self.rng.choice(self.words.PRIMARY_LEADS)
        clauses = [(lead.format_map({**slots, "part": part}), ES)]
        if "{part}" not in lead and self.rng.random() < 0.75:
            clauses.append((part, ES))
        if self.rng.random() < 0.4:
            clauses.insert(self.rng.randint(1, len(clauses)), (self._with(slots["sign"]), ES))
        if self.rng.random() < 0.3:
            clauses.append((self._with(slots["uptake"]), ES))
        return [*clauses, (slots["SUV"], ES)]

    def _with(self, text: str) -> str:
        return f"with {text}" if self.speaker.language == "en" else text

    def told(self, group: Sequence[Lesion]) -> list[Clause]:
        """What the findings say of nodes, or of lesions of one organ."""
        words, speaker, rng = self.words, self.speaker, self.rng
        many, first = len(group) > 1, group[0]
        sites = words.listed([speaker.name(lesion) for lesion in group])
        style = words.several(speaker.suv_style) if many else speaker.suv_style
        if first.role == "node":
            lead = words.NEW_NODE_LEAD if first.new else rng.choice(words.NODE_LEADS)
            text = lead.format(sites=sites, nodes="nodes" if many else "node")
            sizes = (words.AXES, [tenths(lesion.short) for lesion in group], 0.6)
        else:
            lead = words.NEW_ELSEWHERE_LEAD if first.new else rng.choice(words.ELSEWHERE_LEADS)
            text = lead.format(sites=sites, sign=words.bare(speaker.slots(first)["sign"], many))
            sizes = (words.SPANS, [speaker.size(lesion.long, lesion.short) for lesion in group], 0.35)
        clauses = [(text, ES)]
        wordings, values, share = sizes
        if rng.random() < share:
            wording = rng.choice(wordings)
            clauses.append(((words.several(wording) if many else wording).format(words.numbers(values)), ES))
        return [*clauses, (style.format(words.numbers([tenths(lesion.suv) for lesion in group])), ES)]

    def judged(self, lesions: Sequence[Lesion], lymphoma: bool, primary: Lesion | None) -> None:
        """One item for each group of lesions with one verdict, the metastatic first."""
        words = self.words
        groups: dict[tuple, list[Lesion]] = {}
        for lesion in sorted(lesions, key=lambda one: (-rules.verdict(one), one.role == "distant")):
            found = rules.verdict(lesion)
            ranked = primary is not None and lesion.role == "node" and found == POSITIVE
            n = rules.n_category(primary, lesion) if ranked else 0
            organ = "" if lesion.role == "node" else SITES[lesion.site].organ
            groups.setdefault((found, n, lesion.role, organ, lesion.sign), []).append(lesion)
        shares = [
            (key, members[start : start + words.GROUP])
            for key, members in groups.items()
            for start in range(0, len(members), words.GROUP)
        ]
        for (found, n, role, *_), members in shares:
            verdicts = words.NODE_VERDICTS if role == "node" else words.ELSEWHERE_VERDICTS
            if lymphoma and (found == POSITIVE or role == "node"):
                verdicts = words.LYMPHOMA_VERDICTS
            text = self.pick(verdicts[found]) + (words.N_SUFFIX.format(n=n) if n else "")
            self.items.append([*self.told(members), (text, AS)])

    def benign(self, incidentals: Sequence[Incidental]) -> None:
        """The benign findings: repeated, and where a sign has a meaning, what it is."""
        words, rng = self.words, self.rng
        for one in incidentals:
            slots = self.speaker.incidental(one)
            told = BENIGN[one.key].words[self.speaker.language]
            if not told.conclusions and rng.random() < 0.3:
                continue
            text = words.INCIDENTAL_LEAD.format_map(slots)
            item = [(text, ES)]
            if one.suv and rng.random() < 0.3:
                item.append((slots["SUV"], ES))
            elif one.long and "{size}" in told.tellings[0] and rng.random() < 0.25:
                item.append((words.SPANS[0].format(slots["size"]), ES))
            if told.conclusions:
                item.append((rng.choice(told.conclusions), AS))
            self.items.append(item)

    def closing(self) -> None:
        if self.speaker.closing and self.rng.random() < 0.55:
            self.items.append([(self.speaker.closing, ES)])

    def advise(self, item: list[Clause]) -> None:
        """The advice, in this item or as one of its own at the end."""
        case = self.speaker.case
        biopsy = self.words.BIOPSIES[FAMILIES[case.family].biopsy] if case.family else ""
        clause = (self.pick(self.words.ADVICE[rules.advice(case)], biopsy=biopsy), AS)
        if self.rng.random() < 0.5:
            item.append(clause)
        else:
            self.items.append([clause])

    def text(self) -> tuple[str, tuple[str, ...]]:
        """The impression, one line an item, and one label a piece."""
        words, rng = self.words, self.rng
        mark, end = rng.choice(words.LIST_MARKS), rng.choice(words.ITEM_ENDS)
        lines, gold = [], []
        for number, clauses in enumerate(self.items, start=1):
            last = words.STOP if number == len(self.items) else end
            line = ""
            for place, (text, label) in enumerate(clauses):
                piece = text + (last if place == len(clauses) - 1 else words.COMMA)
                line += words.named(piece) if not place else piece
                gold += [label] * len(split_pieces(piece))
            lines.append((mark.format(number) if len(self.items) > 1 else "") + line)
        return "\n".join(lines), tuple(gold)


def write_impression(speaker: Speaker) -> tuple[str, tuple[str, ...]]:
    """The impression and one label a piece, of a speaker whose findings are written."""
    case, words = speaker.case, speaker.words
    writer = _Impression(speaker)
    if case.kind == "staging":
        conclusion = _staged(writer, case)
    elif case.kind == "lymphoma":
        writer.judged(case.lesions, True, None)
        sides = {SITES[one.site].above for one in case.lesions if one.role == "node" and rules.verdict(one) == POSITIVE}
        where = "both" if len(sides) == 2 else "above" if True in sides else "below"
        conclusion = [(words.DIAPHRAGM[where], AS)] if writer.rng.random() < 0.6 else []
        conclusion.append((writer.pick(words.ANN_ARBOR, stage=_ROMAN[rules.ann_arbor(case.lesions)]), AS))
        writer.items.append(conclusion)
    elif case.kind == "clear":
        writer.items.append(conclusion := [(writer.pick(words.CLEAR), AS)])
        writer.judged(case.lesions, False, None)
    else:
        conclusion = _responded(writer, case)
    if writer.rng.random() < 0.5:
        writer.advise(conclusion)
        writer.benign(case.incidentals)
        writer.closing()
    else:
        writer.benign(case.incidentals)
        writer.closing()
        writer.advise(conclusion)
    return writer.text()


def _staged(writer: _Impression, case: Case) -> list[Clause]:
    words, (primary, *others) = writer.words, case.lesions
    level = rules.grade(primary)
    verdict = writer.pick(words.GRADES[level], cancer=words.CANCERS[case.family])
    writer.items.append(item := [*writer.primary(primary), (verdict, AS)])
    nodes = [lesion for lesion in others if lesion.role == "node"]
    near = f"n.{FAMILIES[case.family].regional[0]}"
    clear = writer.speaker.nodes_clear.get(near, "")
    if level >= 2 and not nodes and clear and len(split_pieces(clear)) <= 2 and writer.rng.random() < 0.6:
        writer.items.append([(clear, ES)])
    writer.judged(others, False, primary if case.family == "lung" else None)
    if level < 2:
        return item
    if case.family == "lung":
        t, n, m = rules.tnm(primary, others)
        stage = writer.pick(words.TNM, t=t, n=n, m=m)
    else:
        organs = rules.distant_organs(case.family, others)
        where = rules.spread(case.family, others)
        stage = writer.pick(words.SPREAD[where], organs=organs, s="s" if organs != 1 else "")
    writer.items.append(conclusion := [(stage, AS)])
    return conclusion


def _responded(writer: _Impression, case: Case) -> list[Clause]:
    words, rng, speaker = writer.words, writer.rng, writer.speaker
    known = [lesion for lesion in case.lesions if lesion.earlier is not None]
    main = rules.hottest(known)
    for lesion in [main, *(one for one in known if one is not main)]:
        item = writer.primary(lesion) if lesion.role == "primary" else writer.told([lesion])
        item.append((writer.pick(words.EARLIER, SUV=speaker.suv(lesion.earlier)), ES))
        if lesion is main and len(known) > 1 and rng.random() < 0.6:
            item.append((writer.pick(words.HOTTEST), AS))
        percent = rules.change(lesion)
        if lesion is main or rng.random() < 0.5:
            way = "down" if percent < 0 else "up" if percent else "none"
            item.append((writer.pick(words.CHANGE[way], percent=abs(percent)), AS))
        writer.items.append(item)
    writer.judged([lesion for lesion in case.lesions if lesion.new], case.kind == "lymphoma-response", None)
    conclusion = []
    if case.kind == "lymphoma-response":
        conclusion.append((writer.pick(words.DEAUVILLE, score=rules.deauville(case)), AS))
    conclusion.append((writer.pick(words.RESPONSE[rules.response(case)]), AS))
    writer.items.append(conclusion)
    return conclusion
