"""Generated PET/CT reports, Chinese or English: findings, and an impression with the true label of every piece.

>>> example = generate_reports(1, seed=0, language="en")[0]
>>> example.rationale.splitlines()[0]
'1. Nodule in the gastric cardia'

The embedded stand-in for private reports of the layout question (findings), answer (impression), qid. A report tells a
patient (:mod:`ases.report_cases`) in the words of a language (:mod:`ases.report_wording_zh`, ``_en``); the same seed
and place in the list give the same patient in both languages. Nothing in it comes from a real report.

Gold labels (METHOD, section 2). A clause of the impression either repeats what the findings say of a lesion (where,
how large, SUVmax, look) or that the rest is normal: ``ES``; or it states what follows by the rules of
:mod:`ases.lesions`, or by the table of benign signs, a word or number that the findings do not hold: ``AS``.

Leakage (METHOD, section 4). The schema is the pattern of rules (``graph``) and the organ of the primary tumour,
whatever the sites and wording; no two reports of one call share a schema together with the numbers of the findings.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from functools import cache
from types import ModuleType

from ases import lesions as rules
from ases import report_wording_en, report_wording_zh
from ases.errors import ParameterError
from ases.examples import AS, ES, Example
from ases.lesions import AGGRESSIVE, POSITIVE, Case, Incidental, Lesion
from ases.pieces import split_pieces
from ases.report_cases import INCIDENTALS, draw_case, organ_of
from ases.report_sites import FAMILIES, SITES

LANGUAGES: dict[str, ModuleType] = {"zh": report_wording_zh, "en": report_wording_en}
"""The wordings by language."""

_SEX = {"breast": "F", "uterus": "F", "cervix": "F", "prostate": "M"}
_MINOR = {"airway", "vessels", "joints", "muscle", "salivary", "sinus", "bladder"}  # often left out where normal
_ROMAN = ("", "I", "II", "III", "IV")
Clause = tuple[str, str]


def _tenths(value: int) -> str:
    return f"{value // 10}.{value % 10}"


class _Speaker:
    """Renders lesions; one choice of styles a report, and one of words a lesion, in findings and impression alike."""

    def __init__(self, rng: random.Random, language: str, case: Case):
        self.rng, self.language, self.case = rng, language, case
        self.words = LANGUAGES[language]
        self.suv_style = rng.choice(self.words.SUV_STYLES)
        self.size_style = rng.choice(self.words.SIZE_STYLES)
        self.told: dict[str, dict[str, str]] = {}
        self.nodes_clear: dict[str, str] = {}
        self.closing = ""

    def suv(self, value: int) -> str:
        return self.suv_style.format(_tenths(value))

    def size(self, long: int, short: int) -> str:
        return self.size_style.format(_tenths(long), _tenths(short))

    def name(self, lesion: Lesion) -> str:
        return getattr(SITES[lesion.site], self.language)

    def slots(self, lesion: Lesion) -> dict[str, str]:
        """The words of a lesion, made once."""
        slots = self.told.get(lesion.site)
        if slots is None:
            slots = self.told[lesion.site] = self._slots(lesion)
        return slots

    def _slots(self, lesion: Lesion) -> dict[str, str]:
        words, rng = self.words, self.rng
        organ = SITES[lesion.site].organ
        wall = lesion.role == "primary" and FAMILIES[organ].wall
        before = ""
        if lesion.earlier is not None:
            before = words.BEFORE.format(SUV=self.suv(lesion.earlier))
        elif lesion.new:
            before = words.BEFORE_NEW
        slots = {
            "site": self.name(lesion),
            "noun": words.NOUNS.get(organ) or (words.NODULE if lesion.long <= 30 else words.MASS),
            "where": "of" if wall else "in",
            "size": self.size(lesion.long, lesion.short),
            "long": _tenths(lesion.long),
            "short": _tenths(lesion.short),
            "thick": _tenths(lesion.short),
            "length": _tenths(lesion.long),
            "uptake": rng.choice(words.HOT if rules.uptake(lesion.suv) else words.FAINT),
            "SUV": self.suv(lesion.suv),
            "before": before,
            "extra": rng.choice(words.EXTRAS).format(hu=rng.randint(22, 58)),
            "new": "",
        }
        if lesion.role == "primary":
            slots["sign"] = words.SIGNS[lesion.sign]
        elif lesion.role == "distant":
            slots["sign"] = words.LOOKS[organ][lesion.sign != AGGRESSIVE]
        if self.language == "en":
            article = report_wording_en.with_article
            slots["an_SUV"] = f"an {slots['SUV']}"
            slots["a_noun"] = article(slots["noun"])
            slots["a_node"] = article(f"{slots['site']} lymph node")
            slots["a_sign"] = slots.get("sign", "")
        return slots

    def incidental(self, one: Incidental) -> dict[str, str]:
        """The words of a benign finding."""
        places, sign, _, _ = self.words.INCIDENTALS[one.key]
        return {
            "place": places[one.place],
            "sign": sign,
            "size": self.size(one.long, one.short),
            "long": _tenths(one.long),
            "SUV": self.suv(one.suv),
        }


def _lesion_sentence(speaker: _Speaker, lesion: Lesion) -> str:
    words, slots = speaker.words, speaker.slots(lesion)
    wall = lesion.role == "primary" and FAMILIES[SITES[lesion.site].organ].wall
    templates = {"primary": words.PRIMARY_WALL if wall else words.PRIMARY_MASS, "node": words.NODE}
    return speaker.rng.choice(templates.get(lesion.role, words.ELSEWHERE)).format_map(slots)


def _findings(speaker: _Speaker) -> str:
    """The question: technique, then region by region what is abnormal and what is normal."""
    case, words, rng = speaker.case, speaker.words, speaker.rng
    touched: dict[str, list[str]] = {}
    local = set()
    for lesion in case.lesions:
        touched.setdefault(organ_of(lesion), []).append(_lesion_sentence(speaker, lesion))
        local.add(organ_of(lesion))
    for one in case.incidentals:
        organ = INCIDENTALS[one.key].organ
        touched[organ] = [rng.choice(words.INCIDENTALS[one.key][2]).format_map(speaker.incidental(one))]
        if INCIDENTALS[one.key].places > 1:  # what is diffuse leaves no rest to speak of
            local.add(organ)
    abnormal_first, headed, lines = rng.random() < 0.5, rng.random() < 0.45, rng.random() < 0.4
    slots = {
        "glucose": _tenths(case.glucose),
        "dose": _tenths(case.dose),
        "minutes": case.minutes,
        "months": case.months,
        "pool": speaker.suv(case.pool),
        "liver": speaker.suv(case.liver),
    }
    opening = [rng.choice(words.INTROS)]
    if case.months:
        opening.append(rng.choice(words.COMPARED_LYMPHOMA if case.kind == "lymphoma-response" else words.COMPARED))
    opening.append(rng.choice(words.BACKGROUND))
    paragraphs = [[text.format_map(slots) for text in opening]]
    headings = [""]
    for heading, entries in words.REGIONS:
        abnormal, normal = [], []
        for organs, wordings, rest in entries:
            seen = [text for organ in organs.split() for text in touched.get(organ, ())]
            (abnormal if abnormal_first else normal).extend(seen)
            if seen and rest and local & set(organs.split()):
                (abnormal if abnormal_first else normal).append(rest)
            if text := _normal(speaker, organs.split(), wordings, touched):
                normal.append(text)
        paragraphs.append(abnormal + normal)
        headings.append(heading)
    if rng.random() < 0.75:
        speaker.closing = rng.choice(words.CLOSINGS)
        paragraphs[-1].append(speaker.closing)
    colon = "：" if words.GAP == "" else ": "
    texts = []
    for heading, sentences in zip(headings, paragraphs, strict=True):
        text = words.GAP.join(words.named(sentence) + words.STOP for sentence in sentences)
        texts.append(f"{heading}{colon}{text}" if headed and heading else text)
    return ("\n" if lines else words.GAP).join(texts)


def _normal(speaker: _Speaker, organs: list[str], wordings: Sequence[str], touched: dict[str, list[str]]) -> str:
    """What is said of organs where nothing was found; empty where nothing is."""
    words, rng = speaker.words, speaker.rng
    if _SEX.get(organs[0], speaker.case.sex) != speaker.case.sex or (organs[0] in _MINOR and rng.random() < 0.4):
        return ""
    free = [organ for organ in organs if organ not in touched]
    wording = rng.choice(wordings)
    if not free or "{list}" not in wording:
        return wording if free == organs else ""
    text = wording.format(list=words.listed([words.ORGANS[organ] for organ in free]))
    if organs[0].startswith("n."):
        speaker.nodes_clear |= dict.fromkeys(free, text)
    return text


class _Impression:
    """Collects the items of an impression, each a list of clauses with their labels."""

    def __init__(self, speaker: _Speaker):
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

    def group(self, group: Sequence[Lesion]) -> list[Clause]:
        """What the findings say of nodes, or of lesions of one organ."""
        words, speaker, rng = self.words, self.speaker, self.rng
        many, first = len(group) > 1, group[0]
        sites = words.listed([speaker.name(lesion) for lesion in group])
        style = words.several(speaker.suv_style) if many else speaker.suv_style
        if first.role == "node":
            lead = words.NEW_NODE_LEAD if first.new else rng.choice(words.NODE_LEADS)
            text = lead.format(sites=sites, nodes="nodes" if many else "node")
            sizes = (words.AXES, [_tenths(lesion.short) for lesion in group], 0.6)
        else:
            lead = words.NEW_ELSEWHERE_LEAD if first.new else rng.choice(words.ELSEWHERE_LEADS)
            text = lead.format(sites=sites, sign=words.bare(speaker.slots(first)["sign"], many))
            sizes = (words.SPANS, [speaker.size(lesion.long, lesion.short) for lesion in group], 0.35)
        clauses = [(text, ES)]
        wordings, values, share = sizes
        if rng.random() < share:
            wording = rng.choice(wordings)
            clauses.append(((words.several(wording) if many else wording).format(words.numbers(values)), ES))
        return [*clauses, (style.format(words.numbers([_tenths(lesion.suv) for lesion in group])), ES)]

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
        for (found, n, role, *_), members in groups.items():
            verdicts = words.NODE_VERDICTS if role == "node" else words.ELSEWHERE_VERDICTS
            if lymphoma and (found == POSITIVE or role == "node"):
                verdicts = words.LYMPHOMA_VERDICTS
            text = self.pick(verdicts[found]) + (words.N_SUFFIX.format(n=n) if n else "")
            self.items.append([*self.group(members), (text, AS)])

    def benign(self, incidentals: Sequence[Incidental]) -> None:
        """The benign findings: repeated, and where a sign has a meaning, what it is."""
        words, rng = self.words, self.rng
        for one in incidentals:
            slots = self.speaker.incidental(one)
            conclusions = words.INCIDENTALS[one.key][3]
            if not conclusions and rng.random() < 0.3:
                continue
            text = words.INCIDENTAL_LEAD.format_map(slots)
            item = [(text, ES)]
            if one.suv and rng.random() < 0.4:
                item.append((slots["SUV"], ES))
            elif INCIDENTALS[one.key].size and "{size}" in words.INCIDENTALS[one.key][2][0] and rng.random() < 0.35:
                item.append((words.SPANS[0].format(slots["size"]), ES))
            if conclusions:
                item.append((rng.choice(conclusions), AS))
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


def _impression(speaker: _Speaker) -> tuple[str, tuple[str, ...]]:
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
    if level >= 2 and not nodes and near in writer.speaker.nodes_clear and writer.rng.random() < 0.6:
        writer.items.append([(writer.speaker.nodes_clear[near], ES)])
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


def speaker_nodes(writer: _Impression) -> dict[str, str]:
    return writer.speaker.nodes_clear


def _responded(writer: _Impression, case: Case) -> list[Clause]:
    words, rng, speaker = writer.words, writer.rng, writer.speaker
    known = [lesion for lesion in case.lesions if lesion.earlier is not None]
    main = rules.hottest(known)
    for lesion in [main, *(one for one in known if one is not main)]:
        item = writer.primary(lesion) if lesion.role == "primary" else writer.group([lesion])
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


def generate_reports(count: int, *, seed: int, language: str = "zh") -> list[Example]:
    """``count`` generated reports with gold labels, as a list; see :func:`iter_reports`."""
    return list(iter_reports(count, seed=seed, language=language))


def iter_reports(count: int, *, seed: int, language: str = "zh") -> Iterator[Example]:
    """Generated reports one by one, in flat memory but for a hash each (source: ours).

    ``question`` holds the findings, ``rationale`` the impression; there is no ``answer``. ``language`` is ``zh`` or
    ``en``. The same arguments give the same reports, and the first ones do not depend on ``count``. No two share a
    schema and the numbers of their findings, so that any partition is free of leakage (METHOD, section 4). Raises
    ParameterError for a count below 0 or another language, at the call and not at the first report.
    """
    if count < 0 or language not in LANGUAGES:
        raise ParameterError(
            f"count {count}, language {language!r}: count must be 0 or more, language one of {', '.join(LANGUAGES)}"
        )
    return _reports(count, seed, language)


def _reports(count: int, seed: int, language: str) -> Iterator[Example]:
    seen: set[bytes] = set()
    for index in range(count):
        attempt = 0
        while (key := _key(example := _report(seed, index, attempt, language))) in seen:
            attempt += 1  # numbers are many: a second attempt is rare, and ends
        seen.add(key)
        yield example


def _report(seed: int, index: int, attempt: int, language: str) -> Example:
    place = f"{seed} {index} {attempt}"
    case = draw_case(random.Random(f"report {place}"))
    speaker = _Speaker(random.Random(f"report {language} {place}"), language, case)
    question = _findings(speaker)
    rationale, gold = _impression(speaker)
    graph = rules.pattern(case)
    return Example(
        qid=f"pet-{language}-{seed}-{index:06d}",
        question=question,
        rationale=rationale,
        answer=None,
        source=f"generated/pet-{language}",
        licence="MIT",
        language=language,
        gold=gold,
        graph=graph,
        schema=f"{graph}/{case.family or case.kind}",
    )


def _key(example: Example) -> bytes:
    numbers = sorted(re.findall(r"\d+(?:\.\d+)?", example.question))
    return hashlib.blake2b(" ".join([example.schema, *numbers]).encode(), digest_size=8).digest()


def skeleton(example: Example) -> str:
    """The impression with its places and numbers masked, and lists of them as one: to count ways of telling one."""
    places, lists = _masks(example.language)
    text = re.sub(r"\d+(?:\.\d+)?", "#", places.sub("SITE", example.rationale))
    return lists.sub(lambda match: "SITE" if match[0].startswith("S") else "#", text)


@cache
def _masks(language: str) -> tuple[re.Pattern, re.Pattern]:
    names = {getattr(site, language) for site in SITES.values()}
    names |= {place for places, *_ in LANGUAGES[language].INCIDENTALS.values() for place in places}
    longest_first = sorted(names | {LANGUAGES[language].named(name) for name in names}, key=lambda name: (-len(name), name))
    gap = "(?:、|及)" if language == "zh" else "(?:, | and )"
    size = "(?:cm)?[×x]" if language == "zh" else " (?:x|by) "
    return (
        re.compile("|".join(map(re.escape, longest_first))),
        re.compile(rf"SITE(?:{gap}SITE)+|#(?:{size}#)?(?:(?:cm| cm)?{gap}#(?:{size}#)?)+"),
    )
