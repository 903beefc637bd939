"""Patient -> impression: the rationale of a generated PET report, item by item, with the label of every piece.

>>> speaker = Speaker(random.Random("b"), "en", draw_case(random.Random("a")))
>>> findings = write_findings(speaker)
>>> impression, gold = write_impression(speaker)
>>> len(gold) == len(split_pieces(impression))
True

A clause that says what the findings say is ES, in their words or in its own (:mod:`ases.report_retold_zh`, ``_en``):
another name of the place or the look, several facts in one clause, a size in mm, rounded or left out. One that states
what follows by a rule of :mod:`ases.lesions` or by the table of :mod:`ases.report_benign` is AS, also where it repeats
what it follows from in the words of the findings. So shared words alone do not tell the two apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from ases import lesions as rules
from ases import report_retold_en, report_retold_zh
from ases.examples import AS, ES
from ases.lesions import AGGRESSIVE, POSITIVE, Case, Incidental, Lesion
from ases.pieces import split_pieces
from ases.report_benign import BENIGN
from ases.report_findings import Speaker, tenths
from ases.report_normal import ORGANS
from ases.report_sites import FAMILIES, SITES

RETOLD: dict[str, ModuleType] = {"zh": report_retold_zh, "en": report_retold_en}
"""The impression's own wordings by language."""

_OWN_WORDS = (0.3, 0.5, 0.7)  # how often a clause is retold, by report: some readers dictate freely, others copy
_ABOUT = 0.25  # how often a conclusion repeats what it is about, or what it follows from
_AT_ONCE = 0.2  # how often it then stands alone, without a clause that tells the finding before; never at first
_ROMAN = ("", "I", "II", "III", "IV")
Clause = tuple[str, str]
"""A text without its end mark, and its label."""


class _Impression:
    """Collects the items of an impression, each a list of clauses with their labels."""

    def __init__(self, speaker: Speaker):
        self.speaker, self.words, self.rng = speaker, speaker.words, speaker.rng
        self.retold = RETOLD[speaker.language]
        self.often = self.rng.choice(_OWN_WORDS)
        self.suv_style = self.rng.choice(self.retold.SUVS)
        self.items: list[list[Clause]] = []

    def pick(self, wordings: Sequence[str], **slots: object) -> str:
        return self.rng.choice(wordings).format(**slots)

    def own(self) -> bool:
        """Whether the next clause is told in the impression's own words."""
        return self.rng.random() < self.often

    def about(self) -> bool:
        """Whether the next conclusion repeats words of the findings."""
        return self.rng.random() < _ABOUT

    def at_once(self) -> bool:
        """Whether such a conclusion needs no clause before it; only after another finding was told."""
        told = any(label == ES for item in self.items for _, label in item)
        return told and self.rng.random() < _AT_ONCE

    def what(self, group: Sequence[Lesion]) -> dict[str, str]:
        """A lesion, or several of one kind, in the words of the findings: ``what``, and its verb in English."""
        words, first, many = self.words, group[0], len(group) > 1
        slots = self.speaker.slots(first)
        if first.role == "node":
            noun, where = self.retold.NODE.format(s="s" if many else ""), ""
        elif first.role == "primary":
            noun, where = slots["noun"], slots["where"]
        else:
            noun, where = words.bare(slots["sign"], many), "in"
            many = noun != words.bare(slots["sign"], False)
        sites = words.listed([self.speaker.name(lesion) for lesion in group])
        return {"what": self.retold.subject(sites, noun, where), "be": "are" if many else "is"}

    def primary(self, lesion: Lesion) -> list[Clause]:
        """What the findings say of a primary lesion."""
        words, retold, rng = self.words, self.retold, self.rng
        slots, hot = self.speaker.slots(lesion), rules.uptake(lesion.suv) > 0
        form = "wall" if FAMILIES[SITES[lesion.site].organ].wall else "mass"
        own = {
            "short": retold.retold_site(slots["site"]),
            "noun": rng.choice(retold.NOUNS[slots["noun"]]),
            "avid": rng.choice(retold.AVID[hot]),
            "long_mm": lesion.long,
            "short_mm": lesion.short,
            "about": (lesion.long + 5) // 10,
        }
        sizes = (words.SIZE_PARTS, retold.SIZES)[self.own()][form]
        part = retold.ROUNDED if form == "mass" and lesion.long >= 10 and rng.random() < 0.15 else rng.choice(sizes)
        part = part.format_map(slots | own)
        if self.own():
            lead = rng.choice(retold.LEADS)
            clauses = [(lead.format_map(slots | own), ES)]
        else:
            lead = rng.choice(words.PRIMARY_LEADS)
            clauses = [(lead.format_map({**slots, "part": part}), ES)]
        if "{part}" not in lead and rng.random() < 0.65:
            clauses.append((part, ES))
        if rng.random() < 0.4:
            sign = rng.choice(retold.SIGNS[lesion.sign]) if self.own() else slots["sign"]
            clauses.insert(rng.randint(1, len(clauses)), (f"{retold.WITH}{sign}", ES))
        if "{avid}" not in lead and rng.random() < 0.4:
            uptake = rng.choice(retold.UPTAKE[hot]) if self.own() else slots["uptake"]
            clauses.append((f"{retold.WITH}{uptake}", ES))
        return [*clauses, self.suv([lesion])]

    def suv(self, group: Sequence[Lesion]) -> Clause:
        style = self.suv_style if self.own() else self.speaker.suv_style
        style = self.words.several(style) if len(group) > 1 else style
        return style.format(self.words.numbers([tenths(lesion.suv) for lesion in group])), ES

    def told(self, group: Sequence[Lesion]) -> list[Clause]:
        """What the findings say of nodes, or of lesions of one organ."""
        node = group[0].role == "node"
        clauses = [(self.retelling(group) if self.own() else self.repeating(group), ES)]
        if self.rng.random() < (0.55 if node else 0.35):
            clauses.append(((self.axes if node else self.spans)(group), ES))
        return [*clauses, self.suv(group)]

    def repeating(self, group: Sequence[Lesion]) -> str:
        """Where they lie and how they look, in the words of the findings."""
        words, many, first = self.words, len(group) > 1, group[0]
        sites = words.listed([self.speaker.name(lesion) for lesion in group])
        if first.role == "node":
            lead = words.NEW_NODE_LEAD if first.new else self.rng.choice(words.NODE_LEADS)
            return lead.format(sites=sites, nodes="nodes" if many else "node")
        lead = words.NEW_ELSEWHERE_LEAD if first.new else self.rng.choice(words.ELSEWHERE_LEADS)
        return lead.format(sites=sites, sign=words.bare(self.speaker.slots(first)["sign"], many))

    def retelling(self, group: Sequence[Lesion]) -> str:
        """The same in the impression's own words."""
        retold, first, many = self.retold, group[0], len(group) > 1
        hot = {rules.uptake(lesion.suv) > 0 for lesion in group}
        leads = retold.NODE_LEADS if first.role == "node" else retold.ELSEWHERE_LEADS
        lead = leads[0] if first.new else leads[-1] if len(hot) > 1 else self.rng.choice(leads)
        slots = {
            "shorts": self.words.listed([retold.retold_site(self.speaker.name(lesion)) for lesion in group]),
            "avid": self.rng.choice(retold.AVID[max(hot)]),
            "s": "s" if many else "",
        }
        if first.role != "node":
            look = retold.LOOKS[SITES[first.site].organ][first.sign != AGGRESSIVE]
            slots["sign"] = self.words.bare(look, many)
        return (retold.NEW if first.new else "") + lead.format_map(slots)

    def axes(self, group: Sequence[Lesion]) -> str:
        words = self.words
        own = self.own()
        wording = self.rng.choice(self.retold.AXES if own else words.AXES)
        wording = words.several(wording) if len(group) > 1 and not own else wording
        told = words.numbers([tenths(lesion.short) for lesion in group])
        return wording.format(told, mm=words.numbers([str(lesion.short) for lesion in group]))

    def spans(self, group: Sequence[Lesion]) -> str:
        words, own = self.words, self.own()
        if own and len(group) > 1:
            return self.retold.LARGEST.format(tenths(max(lesion.long for lesion in group)))
        if own:
            return self.extent(group[0])
        wording = self.rng.choice(words.SPANS)
        wording = words.several(wording) if len(group) > 1 else wording
        return wording.format(words.numbers([self.speaker.size(lesion.long, lesion.short) for lesion in group]))

    def extent(self, one: Lesion | Incidental) -> str:
        """How large something is, in the impression's own words."""
        return self.pick(self.retold.SIZES["mass"], long=tenths(one.long), long_mm=one.long, short_mm=one.short)

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
            text, told = self.pick(verdicts[found]), self.told(members)
            if self.about():
                told = [] if self.at_once() else told
                wordings = [self.retold.ABOVE if told else self.retold.AT_ONCE]
                if role == "node" and len(members) == 1:
                    wordings.append(self.retold.NODE_EVIDENCE)
                slots = self.speaker.slots(members[0])
                text = self.pick(wordings, **slots, **self.what(members), verdict=text)
            text += words.N_SUFFIX.format(n=n) if n else ""
            self.items.append([*told, (text, AS)])

    def benign(self, incidentals: Sequence[Incidental]) -> None:
        """The benign findings: repeated, and where a sign has a meaning, what it is."""
        words, retold, rng = self.words, self.retold, self.rng
        for one in incidentals:
            slots = self.speaker.incidental(one)
            told = BENIGN[one.key].words[self.speaker.language]
            if not told.conclusions and rng.random() < 0.3:
                continue
            own = slots | {"sign": rng.choice(told.also), "place": retold.retold_site(slots["place"])}
            item = [(words.INCIDENTAL_LEAD.format_map(own if self.own() else slots), ES)]
            if one.suv and rng.random() < 0.3:
                item.append(((self.suv_style if self.own() else self.speaker.suv_style).format(tenths(one.suv)), ES))
            elif one.long and "{size}" in told.tellings[0] and rng.random() < 0.25:
                size = self.extent(one) if self.own() else words.SPANS[0].format(slots["size"])
                item.append((size, ES))
            if told.conclusions:
                conclusion = rng.choice(told.conclusions)
                if self.about():
                    item = [] if self.at_once() else item
                    wording = retold.BENIGN_ABOVE if item else retold.BENIGN_AT_ONCE
                    conclusion = wording.format_map(slots | {"verdict": conclusion})
                item.append((conclusion, AS))
            self.items.append(item)

    def closing(self) -> None:
        if self.speaker.closing and self.rng.random() < 0.55:
            self.items.append([(self.rng.choice(self.retold.CLOSINGS) if self.own() else self.speaker.closing, ES)])

    def advise(self, item: list[Clause]) -> None:
        """The advice, in this item or as one of its own at the end."""
        case = self.speaker.case
        biopsy = self.words.BIOPSIES[FAMILIES[case.family].biopsy] if case.family else ""
        wordings, slots = self.words.ADVICE[rules.advice(case)], {}
        if case.kind != "clear" and self.about():
            wordings, slots = self.retold.ADVICE[rules.advice(case)], self.what(case.lesions[:1])
        clause = (self.pick(wordings, biopsy=biopsy, **slots), AS)
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
        involved = [one for one in case.lesions if one.role == "node" and rules.verdict(one) == POSITIVE]
        sides = {SITES[one.site].above for one in involved}
        where = "both" if len(sides) == 2 else "above" if True in sides else "below"
        conclusion = [(words.DIAPHRAGM[where], AS)] if writer.rng.random() < 0.6 else []
        stage = writer.pick(words.ANN_ARBOR, stage=_ROMAN[rules.ann_arbor(case.lesions)])
        if writer.about():
            stage = writer.retold.ANN_ARBOR.format(stage=stage, **writer.what(involved[:2]))
        conclusion.append((stage, AS))
        writer.items.append(conclusion)
    elif case.kind == "clear":
        writer.items.append(conclusion := [(writer.pick(writer.retold.CLEAR if writer.about() else words.CLEAR), AS)])
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
    words, retold, (primary, *others) = writer.words, writer.retold, case.lesions
    level = rules.grade(primary)
    verdict = writer.pick(words.GRADES[level], cancer=words.CANCERS[case.family])
    slots = writer.speaker.slots(primary) | writer.what([primary])
    if writer.about():
        verdict = writer.pick((*retold.EVIDENCE, retold.ABOVE), **slots, verdict=verdict)
    writer.items.append(item := [*writer.primary(primary), (verdict, AS)])
    nodes = [lesion for lesion in others if lesion.role == "node"]
    near = f"n.{FAMILIES[case.family].regional[0]}"
    clear = writer.speaker.nodes_clear.get(near, "")
    if level >= 2 and not nodes and clear and len(split_pieces(clear)) <= 2 and writer.rng.random() < 0.6:
        if writer.own():
            clear = writer.pick(retold.NODES_CLEAR, near=ORGANS[writer.speaker.language][near])
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
    if writer.about():
        stage = writer.pick(retold.STAGE, stage=stage, what=slots["what"])
    writer.items.append(conclusion := [(stage, AS)])
    return conclusion


def _responded(writer: _Impression, case: Case) -> list[Clause]:
    words, retold, rng, speaker = writer.words, writer.retold, writer.rng, writer.speaker
    known = [lesion for lesion in case.lesions if lesion.earlier is not None]
    main = rules.hottest(known)
    for lesion in [main, *(one for one in known if one is not main)]:
        item = writer.primary(lesion) if lesion.role == "primary" else writer.told([lesion])
        earlier = writer.suv_style.format(tenths(lesion.earlier)) if writer.own() else speaker.suv(lesion.earlier)
        item.append((writer.pick(retold.EARLIER if writer.own() else words.EARLIER, SUV=earlier), ES))
        what = writer.what([lesion])["what"]
        if lesion is main and len(known) > 1 and rng.random() < 0.6:
            hottest = writer.pick(words.HOTTEST)
            item.append((retold.HOTTEST.format(what=what, hottest=hottest) if writer.about() else hottest, AS))
        percent = rules.change(lesion)
        if lesion is main or rng.random() < 0.5:
            way = "down" if percent < 0 else "up" if percent else "none"
            change = writer.pick(words.CHANGE[way], percent=abs(percent))
            item.append((retold.CHANGE.format(what=what, change=change) if writer.about() else change, AS))
        writer.items.append(item)
    new = [lesion for lesion in case.lesions if lesion.new]
    writer.judged(new, case.kind == "lymphoma-response", None)
    conclusion = []
    if case.kind == "lymphoma-response":
        score = writer.pick(words.DEAUVILLE, score=rules.deauville(case))
        if not new and writer.about():  # with a new lesion the score does not come from these numbers
            score = retold.DEAUVILLE.format(SUV=speaker.suv(main.suv), liver=tenths(case.liver), score=score)
        conclusion.append((score, AS))
    response = writer.pick(words.RESPONSE[rules.response(case)])
    if writer.about():
        response = writer.pick(retold.RESPONSE, months=case.months, response=response)
    conclusion.append((response, AS))
    writer.items.append(conclusion)
    return conclusion
