"""Patient -> findings: the question of a generated PET report, region by region.

>>> case = draw_case(random.Random("a"))
>>> write_findings(Speaker(random.Random("b"), "en", case)).count("SUVmax") >= 2
True

What was found is told with all the numbers that the rules need, each lesion in one sentence; where nothing was found,
an organ is called normal or left out (:mod:`ases.report_normal`). So no organ is both normal and diseased.
"""

from __future__ import annotations

import random
from types import ModuleType

from ases import lesions as rules
from ases import report_wording_en, report_wording_zh
from ases.lesions import AGGRESSIVE, Case, Incidental, Lesion
from ases.report_benign import BENIGN
from ases.report_cases import organ_of
from ases.report_normal import ORGANS, REGIONS, Entry
from ases.report_sites import FAMILIES, SITES

LANGUAGES: dict[str, ModuleType] = {"zh": report_wording_zh, "en": report_wording_en}
"""The wordings by language."""

_SEX = {"breast": "F", "uterus": "F", "cervix": "F", "prostate": "M"}
# Often left out where normal, each entry by its first organ; and stations that a list often leaves out.
_MINOR = frozenset(
    "airway vessels joints muscle salivary sinus bladder spine peritoneum heart cervix uterus gallbladder".split()
)
_MINOR_STATIONS = frozenset("n.hepatogastric n.mesentery n.inguinal n.supraclavicular n.axilla".split())


def tenths(value: int) -> str:
    """A number kept in tenths, as it is told: 85 is 8.5."""
    return f"{value // 10}.{value % 10}"


class Speaker:
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
        return self.suv_style.format(tenths(value))

    def size(self, long: int, short: int) -> str:
        return self.size_style.format(tenths(long), tenths(short))

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
            before = words.BEFORE.format(SUV=self.suv(lesion.earlier), plain=tenths(lesion.earlier))
        slots = {
            "site": self.name(lesion),
            "noun": words.NOUNS.get(organ) or (words.NODULE if lesion.long <= 30 else words.MASS),
            "where": "of" if wall else "in",
            "size": self.size(lesion.long, lesion.short),
            "long": tenths(lesion.long),
            "short": tenths(lesion.short),
            "thick": tenths(lesion.short),
            "length": tenths(lesion.long),
            "uptake": rng.choice(words.HOT if rules.uptake(lesion.suv) else words.FAINT),
            "SUV": self.suv(lesion.suv),
            "before": before,
            "extra": rng.choice(words.EXTRAS).format(hu=rng.randint(22, 58)),
            "new": words.NEW if lesion.new else "",
        }
        if lesion.role == "primary":
            slots["sign"] = words.SIGNS[lesion.sign]
        elif lesion.role == "distant":
            slots["sign"] = words.LOOKS[organ][lesion.sign != AGGRESSIVE]
        if self.language == "en":
            article = report_wording_en.with_article
            new = f"{words.NEW} " if lesion.new else ""
            slots["an_SUV"] = f"an SUVmax of {tenths(lesion.suv)}"
            slots["a_noun"] = article(slots["noun"])
            slots["a_node"] = article(f"{new}{slots['site']} lymph node")
            bare = words.bare(slots.get("sign", ""), False)
            slots["a_sign"] = new + bare if slots.get("sign", "") == bare else article(new + bare)
        return slots

    def incidental(self, one: Incidental) -> dict[str, str]:
        """The words of a benign finding."""
        words = BENIGN[one.key].words[self.language]
        return {
            "place": words.places[one.place],
            "sign": words.sign,
            "size": self.size(one.long, one.short),
            "long": tenths(one.long),
            "SUV": self.suv(one.suv),
        }


def _lesion_sentence(speaker: Speaker, lesion: Lesion) -> str:
    words, slots = speaker.words, speaker.slots(lesion)
    wall = lesion.role == "primary" and FAMILIES[SITES[lesion.site].organ].wall
    templates = {"primary": words.PRIMARY_WALL if wall else words.PRIMARY_MASS, "node": words.NODE}
    return speaker.rng.choice(templates.get(lesion.role, words.ELSEWHERE)).format_map(slots)


def write_findings(speaker: Speaker) -> str:
    """The question: technique, then region by region what is abnormal and what is normal."""
    case, words, rng = speaker.case, speaker.words, speaker.rng
    touched: dict[str, list[str]] = {}
    local = set()
    for lesion in case.lesions:
        touched.setdefault(organ_of(lesion), []).append(_lesion_sentence(speaker, lesion))
        local.add(organ_of(lesion))
    for one in case.incidentals:
        organ, told = BENIGN[one.key].organ, BENIGN[one.key].words[speaker.language]
        touched[organ] = [rng.choice(told.tellings).format_map(speaker.incidental(one))]
        if len(told.places) > 1:  # what is diffuse leaves no rest to speak of
            local.add(organ)
    abnormal_first, headed, lines = rng.random() < 0.5, rng.random() < 0.45, rng.random() < 0.4
    slots = {
        "glucose": tenths(case.glucose),
        "dose": tenths(case.dose),
        "minutes": case.minutes,
        "months": case.months,
        "pool": tenths(case.pool),
        "liver": tenths(case.liver),
    }
    opening = [rng.choice(words.INTROS)]
    if case.months:
        opening.append(rng.choice(words.COMPARED_LYMPHOMA if case.kind == "lymphoma-response" else words.COMPARED))
    opening.append(rng.choice(words.BACKGROUND))
    paragraphs = [[text.format_map(slots) for text in opening]]
    headings = [""]
    for region in REGIONS:
        abnormal: list[str] = []
        normal: list[str] = []
        for entry in region.entries:
            seen = [text for organ in entry.organs for text in touched.get(organ, ())]
            rest = entry.rest.get(speaker.language)
            (abnormal if abnormal_first else normal).extend(seen)
            if seen and rest and local & set(entry.organs):
                (abnormal if abnormal_first else normal).append(rest)
            if text := _normal(speaker, entry, touched):
                normal.append(text)
        paragraphs.append(abnormal + normal)
        headings.append(region.headings[speaker.language])
    if rng.random() < 0.75:
        speaker.closing = rng.choice(words.CLOSINGS)
        paragraphs[-1].append(speaker.closing)
    colon = "：" if words.GAP == "" else ": "
    texts = []
    for heading, sentences in zip(headings, paragraphs, strict=True):
        text = words.GAP.join(words.named(sentence) + words.STOP for sentence in sentences)
        texts.append(f"{heading}{colon}{text}" if headed and heading else text)
    return ("\n" if lines else words.GAP).join(texts)


def _normal(speaker: Speaker, entry: Entry, touched: dict[str, list[str]]) -> str:
    """What is said of organs where nothing was found; empty where nothing is."""
    organs, rng = entry.organs, speaker.rng
    if _SEX.get(organs[0], speaker.case.sex) != speaker.case.sex or (organs[0] in _MINOR and rng.random() < 0.75):
        return ""
    free = [organ for organ in organs if organ not in touched]
    wording = rng.choice(entry.wordings[speaker.language])
    if not free or "{list}" not in wording:
        return wording if len(free) == len(organs) else ""
    free = [organ for organ in free if organ not in _MINOR_STATIONS or rng.random() < 0.6] or free
    text = wording.format(list=speaker.words.either([ORGANS[speaker.language][organ] for organ in free]))
    if organs[0].startswith("n."):
        speaker.nodes_clear |= dict.fromkeys(free, text)
    return text
