"""Generated reports: every conclusion recomputed and every label re-derived from the findings' text alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from ases.errors import ParameterError
from ases.examples import Example, from_dataset, state_answer, to_dataset
from ases.novelty import novelty_scores
from ases.pieces import split_pieces
from ases.report_benign import BENIGN
from ases.report_impressions import RETOLD
from ases.report_normal import ORGANS, REGIONS
from ases.report_sites import DISTANT, PRIMARY, STATIONS, Site
from ases.reports import generate_reports, iter_reports, skeleton
from ases.scores import similarity_scores

ROOT = Path(__file__).resolve().parents[1]
BOTH = pytest.mark.parametrize("language", ["zh", "en"])

# What a reader must know to apply the rules, on its own: nothing here is read from the rules' own tables.
IRREGULAR = {
    "zh": "毛刺|分叶|形态不规则|增厚不均匀",
    "en": r"spiculated|lobulated|\birregular outline|\basymmetrical wall",
}
REGULAR = {
    "zh": "边缘光滑|形态规则|增厚均匀",
    "en": r"\bsmooth margins|\bregular outline|\bsymmetrical wall",
}
AGGRESSIVE = {
    "zh": "溶骨性|边界模糊|不规则软组织结节|边缘不规则结节|结节状增厚",
    "en": "lytic|blurred hypodense|irregular soft-tissue|irregular margins|nodular thickening",
}
BLAND = {
    "zh": "斑片状骨质硬化|边界清楚的|光滑软组织结节|边缘整齐结节|(?<!增厚)均匀增厚",
    "en": r"patchy sclerosis|sharply marginated|smooth soft-tissue|\beven margins|uniform thickening",
}
SHORT_AXIS = {
    "zh": r"短径约(\d+\.\d)cm",
    "en": r"short axis of (\d+\.\d) cm|(\d+\.\d) cm in short axis",
}
DIAMETERS = {"zh": r"(\d+\.\d)(?:cm)?×(\d+\.\d)cm", "en": r"(\d+\.\d) (?:x|by) (\d+\.\d) cm"}
WALL = {
    "zh": r"最厚处约(\d+\.\d)cm，(?:累及)?长度约(\d+\.\d)cm",
    "en": r"(\d+\.\d) cm thick (?:and|over a length of) (\d+\.\d) cm",
}
SUV = r"SUV(?:max|值|最高| up to)?(?:约为|约|为| of)? ?(\d+\.\d)"
# The same looks in the impression's own words, and how hot it calls a lesion.
OWN_IRREGULAR = {
    "zh": "毛刺|分叶|外形不整|境界模糊|厚薄不一|浆膜面不平",
    "en": "spiky|radiating|lobular|multilobed|hazy|poorly defined|eccentric|variable wall",
}
OWN_REGULAR = {
    "zh": "轮廓光整|周边整齐|外形规整|轮廓清楚整齐|厚薄一致|浆膜面光整",
    "en": "well-defined borders|clean edge|clear-cut|rounded shape|concentric|uniform wall thickness",
}
OWN_AGGRESSIVE = {
    "zh": "溶骨灶|境界模糊的低密影|外形不整的(?:软组织|结节)灶|结节样肥厚",
    "en": "osteolytic|ill-defined (?:low|pulmonary)|ill-shaped|lumpy thickening",
}
OWN_BLAND = {
    "zh": "骨质硬化斑|境界清楚的低密影|外形光整的软组织灶|轮廓整齐的结节灶|匀称肥厚",
    "en": r"sclerotic area|well-defined (?:low|pulmonary)|well-shaped|\beven thickening",
}
HOT = {
    "zh": "高代谢|代谢活跃|代谢旺盛|放射性摄取增高|放射性浓聚",
    "en": "hypermetabolic|fdg-avid|intense tracer|raised glucose|increased fdg|focal fdg",
}
FAINT = {
    "zh": "低代谢|代谢轻微|代谢不高|代谢低平|放射性摄取未见明显增高|放射性摄取轻微",
    "en": "minimally avid|faintly avid|hardly any|minimal glucose|faint fdg",
}
EARLIER = "前次|既往|原先|before|previously|prior scan"
REGIONAL = {
    "lung": {"hilar", "mediastinum", "supraclavicular"},
    "breast": {"axilla", "supraclavicular"},
    "thyroid": {"neck", "supraclavicular"},
    "nasopharynx": {"neck", "supraclavicular"},
    "oesophagus": {"mediastinum", "supraclavicular"},
    "stomach": {"hepatogastric"},
    "colon": {"mesentery"},
    "liver": {"porta"},
    "pancreas": {"porta", "retroperitoneum"},
    "cervix": {"iliac"},
}
CANCER = {
    "zh": dict(
        lung="肺癌", breast="乳腺癌", thyroid="甲状腺癌", nasopharynx="鼻咽癌", oesophagus="食管癌", stomach="胃癌",
        colon="结直肠癌", liver="肝癌", pancreas="胰腺癌", cervix="宫颈癌",
    ),
    "en": dict(
        lung="lung", breast="breast", thyroid="thyroid", nasopharynx="nasopharyngeal", oesophagus="oesophageal",
        stomach="gastric", colon="colorectal", liver="liver", pancreas="pancreatic", cervix="cervical",
    ),
}  # fmt: skip
GRADES = {
    "zh": ("良性病变", "待定", "(?<!高度)可疑|待排", "高度可疑|可能性大"),
    "en": ("benign", "indeterminate|uncertain", "(?<!highly )suspicious|suspected", "highly suspicious|most likely"),
}
VERDICTS = {
    "zh": ("反应性增生|良性改变", "待定", "转移(?!待定)|淋巴瘤"),
    "en": ("reactive|benign", "indeterminate|uncertain", "metastasis|lymphoma"),
}
STAGES = {
    "zh": {"local": "局限期", "regional": "区域期", "distant": r"远处转移期（(?:累及|共)(\d)个器官）"},
    "en": {"local": "local stage", "regional": "regional stage", "distant": r"distant stage.*?(\d) organs?\b"},
}
RESPONSES = {
    "zh": {"complete": "完全代谢缓解", "partial": "部分代谢缓解", "stable": "代谢稳定", "progression": "代谢进展"},
    "en": {
        "complete": "complete metabolic response",
        "partial": "partial metabolic response",
        "stable": "stable metabolic disease",
        "progression": "metabolic progression",
    },
}
BIOPSY = {
    "zh": {"needle": "穿刺活检", "endoscope": "(?<!阴)内镜下活检", "colposcope": "阴道镜下活检"},
    "en": {"needle": "needle biopsy", "endoscope": "endoscopic biopsy", "colposcope": "colposcopic biopsy"},
}
TOOL = dict.fromkeys(("nasopharynx", "oesophagus", "stomach", "colon"), "endoscope") | {"cervix": "colposcope"}
BOARD = {"zh": "多学科", "en": "tumour board"}
ADVICE = {
    "zh": {
        "yearly": "每年|年度", "six months": "6个月", "three months": "3个月", "node biopsy": "淋巴结(?:切除)?活检",
        "complete": "定期", "partial": "原方案", "stable": "短期|近期", "progression": "重新评估|调整治疗",
    },
    "en": {
        "yearly": "yearly|one year", "six months": "6 months", "three months": "3 months",
        "node biopsy": "lymph node biopsy|biopsy of a lymph node", "complete": "follow-up",
        "partial": "present treatment",
        "stable": "early repeat|repeated soon", "progression": "change of treatment|re-evaluation",
    },
}  # fmt: skip
# A conclusion is told with one of these, and a restatement with none.
CONCLUDES = {
    "zh": (
        "良性|待定|癌|转移|浸润|受累|反应性|考虑|符合|倾向|分期|期$|局限期|区域期|评价|评分|缓解|建议|较前|"
        "最高的病灶|之最高|征象"
    ),
    "en": (
        "benign|indeterminate|uncertain|cancer|metastas|involve|reactive|consistent|in keeping|likely|considered|stage|"
        "correspond|metabolic (?:response|disease|progression)|Deauville|advised|recommended|"
        r"should\b|may be|down by|up by|a fall|a rise|no change|most avid|nature|evidence"
    ),
}
# Words that a restatement needs beside those of the findings.
GLUE = {
    "zh": "及分别见前次大小约为新发处、",
    "en": "measuring with up to before previously and axes short axis new x by mm bilaterally node nodes foci nodules "
    "in of the cm",
}


def number(text: str) -> Decimal:
    return Decimal(text)


@dataclass
class Seen:
    """A lesion as its sentence tells it."""

    site: Site
    role: str
    sizes: tuple[Decimal, ...]
    suv: Decimal
    earlier: Decimal | None
    odd: bool  # irregular, or aggressive
    new: bool

    @property
    def verdict(self) -> int:
        return int(self.sizes[0] >= 1 if self.role == "node" else self.odd) + int(self.suv >= Decimal("2.5"))


@dataclass
class Read:
    """What a reader takes from the findings."""

    pool: Decimal
    liver: Decimal
    lymphoma: bool
    lesions: list[Seen] = field(default_factory=list)


def sentences(text: str, language: str) -> list[str]:
    return [part for part in re.split(r"[。\n]" if language == "zh" else r"(?<=\.)\s+|\n", text) if part]


@cache
def names(language: str, kind: str, own: bool) -> dict[str, Site]:
    """Sites by name in lower case; with ``own`` also by the impression's own names."""
    sites = {"primary": PRIMARY, "node": STATIONS, "distant": DISTANT}[kind]
    found = {getattr(site, language).lower(): site for site in sites}
    if own:
        found |= {RETOLD[language].retold_site(getattr(site, language)).lower(): site for site in sites}
    return found


@cache
def pattern(language: str, kind: str, own: bool) -> re.Pattern:
    longest_first = sorted(names(language, kind, own), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


def places(text: str, language: str, kind: str, own: bool = True) -> list[Site]:
    """The sites that a text names, each once."""
    known = names(language, kind, own)
    return list(dict.fromkeys(known[found.lower()] for found in pattern(language, kind, own).findall(text)))


def read(example: Example) -> Read:
    language = example.language
    told = sentences(example.question, language)
    background = next(part for part in told if re.search("血池|blood pool", part))
    pool, liver = map(number, re.findall(SUV, background))
    seen = Read(pool, liver, bool(re.search("淋巴瘤|lymphoma", example.question, re.IGNORECASE)))
    for part in told:
        suvs = [number(found) for found in re.findall(SUV, part)]
        if not suvs or part == background:
            continue
        if found := re.search(SHORT_AXIS[language], part):
            kind, sizes, odd = "node", (number(next(filter(None, found.groups()))),), False
        elif re.search(f"{IRREGULAR[language]}|{REGULAR[language]}", part):
            kind, odd = "primary", bool(re.search(IRREGULAR[language], part))
            assert odd != bool(re.search(REGULAR[language], part)), part
            wall = re.search(WALL[language], part)
            sizes = tuple(map(number, (wall or re.search(DIAMETERS[language], part)).groups()))
        elif re.search(f"{AGGRESSIVE[language]}|{BLAND[language]}", part):
            kind, odd = "distant", bool(re.search(AGGRESSIVE[language], part))
            assert odd != bool(re.search(BLAND[language], part)), part
            sizes = tuple(map(number, re.search(DIAMETERS[language], part).groups()))
        else:
            continue  # a benign finding that tells its uptake
        (site,) = places(part, language, kind, own=False)
        earlier = suvs[1] if len(suvs) == 2 else None
        assert len(suvs) <= 2, part
        seen.lesions.append(Seen(site, kind, sizes, suvs[0], earlier, odd, bool(re.search(r"新发|\bnew\b", part))))
    return seen


def percent(now: Decimal, before: Decimal) -> int:
    change = (now - before) * 100 / before
    return int(change.copy_abs().quantize(Decimal(1), ROUND_HALF_UP)) * (1 if change >= 0 else -1)


def grade(primary: Seen) -> int:
    return int(primary.suv >= Decimal("2.5")) + int(primary.suv >= 5) + int(primary.odd)


def n_of(primary: Seen, node: Seen) -> int:
    other = {"L": "R", "R": "L"}[primary.site.side]
    if node.site.organ == "supraclavicular" or node.site.side == other:
        return 3
    return 1 if node.site.organ == "hilar" else 2


def conclude(seen: Read) -> tuple[str, dict[str, object]]:
    """The rules, a second time: the name of the pattern, and what the impression must say."""
    lesions = seen.lesions
    primary = next((one for one in lesions if one.role == "primary"), None)
    nodes = [one for one in lesions if one.role == "node" and one.verdict == 2]
    far = [one for one in lesions if one.role == "distant" and one.verdict == 2]
    known = [one for one in lesions if one.earlier is not None]
    if known:
        main = max(known, key=lambda one: one.suv)
        new = [one for one in lesions if one.new]
        change = percent(main.suv, main.earlier)
        word = "complete" if main.suv <= seen.liver else "stable"
        if word == "stable" and abs(change) >= 30:
            word = "partial" if change < 0 else "progression"
        score = 2 + (main.suv > seen.pool) + (main.suv > seen.liver) + (main.suv > 2 * seen.liver)
        if new:
            assert all(one.verdict == 2 for one in new)
            word, score = "progression", 5
        name = (f"deauville-{score}-" if seen.lymphoma else "") + word + ("-new" if new else "")
        return name, {"response": word, "main": main, "change": change, "deauville": score if seen.lymphoma else None}
    if primary is None and nodes:
        sides = {one.site.above for one in nodes}
        stage = 4 if far else 3 if len(sides) == 2 else min(2, len(nodes))
        return f"ann-arbor-{stage}", {"ann arbor": stage, "above": sides}
    if primary is None:
        assert not any(one.verdict for one in lesions)
        return "clear", {"advice": "yearly"}
    level, family = grade(primary), primary.site.organ
    says: dict[str, object] = {"grade": level, "primary": primary}
    if level < 2:
        wall = family in ("nasopharynx", "oesophagus", "stomach", "colon")
        says["advice"] = (
            "yearly" if not level else "three months" if primary.sizes[0] >= Decimal("1.5") else "six months"
        )
        assert wall or primary.sizes[0] >= primary.sizes[1]
        return ("benign", "indeterminate")[level], says
    organs = {one.site.organ for one in far} | {"nodes" for one in nodes if one.site.organ not in REGIONAL[family]}
    where = "distant" if organs else "regional" if nodes else "local"
    says |= {"stage": where, "organs": len(organs), "tool": TOOL.get(family, "needle")}
    if family == "lung":
        n = max((n_of(primary, one) for one in nodes), default=0)
        t = 1 + sum(primary.sizes[0] > limit for limit in (3, 5, 7))
        says["tnm"] = f"T{t}N{n}M{int(bool(far))}"
        return f"grade-{level}-n{n}-m{int(bool(far))}", says
    return f"grade-{level}-{where}{'-several' if len(organs) > 1 else ''}", says


@cache
def reports(language: str) -> tuple[Example, ...]:
    return tuple(generate_reports(1500, seed=21, language=language))


def lines(example: Example) -> list[str]:
    return [re.sub(r"^\d+(?:[.)] |、)", "", line) for line in example.rationale.split("\n")]


def clauses(line: str) -> list[str]:
    return [piece.rstrip("，；。., \n") for piece in split_pieces(line)]


def labelled(example: Example) -> list[tuple[str, str]]:
    pieces = split_pieces(example.rationale)
    assert len(pieces) == len(example.gold), example.rationale
    bare = [re.sub(r"^\d+(?:[.)] |、)", "", piece).rstrip("，；。., \n") for piece in pieces]
    return list(zip(bare, example.gold, strict=True))


@BOTH
def test_the_pattern_follows_from_the_findings(language: str) -> None:
    for example in reports(language):
        name, says = conclude(read(example))
        assert example.graph == name, (example.qid, example.question)
        organ = says["primary"].site.organ if "primary" in says else None
        if organ:
            assert example.schema == f"{name}/{organ}"


@BOTH
def test_every_conclusion_follows_from_the_findings(language: str) -> None:
    for example in reports(language):
        _, says = conclude(read(example))
        text = "\n".join(lines(example))
        low = text.lower()
        advised = [
            piece
            for piece, label in labelled(example)
            if re.search(r"建议|advised|recommended|\bshould\b|\bmay\b", piece)
        ]
        assert len(advised) == 1, example.rationale
        if "grade" in says:
            (head, *_), said = lines(example), says["grade"]
            stated = [piece.lower() for piece in clauses(head)]
            found = [lv for lv, words in enumerate(GRADES[language]) if any(re.search(words, one) for one in stated)]
            if language == "zh" and 3 in found:
                found.remove(2) if 2 in found else None
            assert found == [said], (head, said)
            assert places(head, language, "primary") == [says["primary"].site]
            if said >= 2:
                assert CANCER[language][says["primary"].site.organ] in head
                stage = [one for one, words in STAGES[language].items() if re.search(words, low)]
                if "tnm" in says:
                    assert not stage and re.findall(r"T\dN\dM\d", text) == [says["tnm"]]
                else:
                    assert stage == [says["stage"]], text
                    organs = re.search(STAGES[language]["distant"], low)
                    assert (int(organs[1]) if organs else 0) == says["organs"]
                far = says["stage"] == "distant"
                tools = [one for one, words in BIOPSY[language].items() if re.search(words, advised[0].lower())]
                assert tools == ([] if far else [says["tool"]])
                assert (re.search(BOARD[language], advised[0].lower()) is None) == (says["stage"] == "local")
        else:
            assert not re.search("可能性大|待排|suspicious|suspected", text)
        if "ann arbor" in says:
            assert re.findall(r"Ann Arbor(?:分期为|分期属| stage )([IV]+)", text) == [
                ("", "I", "II", "III", "IV")[says["ann arbor"]]
            ]
            told = re.search("膈上|膈下|膈肌两侧|above the diaphragm|below the diaphragm|both sides", text)
            if told:
                sides = {"上": {True}, "a": {True}, "下": {False}, "b": {False}}
                key = told[0][0] if told[0][0] in "ab" and "both" not in told[0] else told[0][-1]
                assert says["above"] == sides.get(key, {True, False})
            assert re.search(ADVICE[language]["node biopsy"], advised[0].lower())
        if "response" in says:
            responses = [one for one, words in RESPONSES[language].items() if words in low]
            assert responses == [says["response"]], text
            scores = [int(one) for one in re.findall(r"Deauville(?:评分为|评分| score)? ?(\d)", text)]
            assert scores == ([says["deauville"]] if says["deauville"] else [])
            assert re.search(ADVICE[language][says["response"]], advised[0].lower())
            first = lines(example)[0]
            up = re.search(r"(上升约|增高约|up by |a rise of )(\d+)%", first)
            down = re.search(r"(下降约|减低约|down by |a fall of )(\d+)%", first)
            assert (int(up[2]) if up else -int(down[2])) == says["change"]
        if "advice" in says:
            assert re.search(ADVICE[language][says["advice"]], advised[0].lower())


WHOLE = "ann arbor|膈|diaphragm|建议|分期|[域期]期|转移期|advised|recommended|stage|imaging|correspond|extent|continued"
NOTHING = {"zh": "未见|不大|无增大", "en": r"\bno (?!more than)|normal size|evidence"}
LOOKS = {
    language: "|".join(words[language] for words in (AGGRESSIVE, BLAND, OWN_AGGRESSIVE, OWN_BLAND))
    for language in ("zh", "en")
}


@BOTH
def test_every_lesion_gets_its_verdict(language: str) -> None:
    judged = Counter()
    for example in reports(language):
        seen = read(example)
        primary = next((one for one in seen.lesions if one.role == "primary"), None)
        said: dict[str, tuple[int, str]] = {}
        for line in lines(example):
            # What is said of all lesions together, or to be done, is said elsewhere than of a lesion.
            parts = [one for one in clauses(line.lower()) if not re.search(f"{WHOLE}|{NOTHING[language]}", one)]
            own = " ".join(parts)
            node = re.search("淋巴结|node", own) is not None
            look = re.search(LOOKS[language], own) is not None
            if places(own, language, "primary") or not (node or look) or re.search(EARLIER, own):
                continue  # seen before: it gets a change and no verdict
            verdicts = [
                level
                for level, words in enumerate(VERDICTS[language])
                for clause in parts
                if re.search(words, clause) and not (level == 2 and "待定" in clause)
            ]
            assert len(verdicts) == 1, line
            n = re.search(r"N(\d)", line)
            assert places(own, language, "node" if node else "distant"), line
            for site in places(own, language, "node" if node else "distant"):
                assert site.key not in said, example.rationale
                said[site.key] = (verdicts[0], n[1] if n else "")
        expected = {}
        for one in seen.lesions:
            if one.role != "primary" and one.earlier is None:
                lung = primary and primary.site.organ == "lung" and one.role == "node" and one.verdict == 2
                expected[one.site.key] = (one.verdict, str(n_of(primary, one)) if lung and not one.new else "")
                judged[one.role, one.verdict] += 1
        assert said == expected, (example.question, example.rationale)
    assert all(judged[role, level] > 20 for role in ("node", "distant") for level in range(3)), judged


@BOTH
def test_changes_and_the_hottest_are_right(language: str) -> None:
    changes = hottest = 0
    for example in reports(language):
        known = [one for one in read(example).lesions if one.earlier is not None]
        for line in lines(example) if known else ():
            suvs = [number(one) for one in re.findall(SUV, line)]
            if not re.search(EARLIER, line):
                continue
            (one,) = [
                one
                for one in known
                if [one.suv, one.earlier] == suvs[:2] and one.site in places(line, language, one.role)
            ]
            if found := re.search(r"(上升约|增高约|下降约|减低约|up by |a rise of |down by |a fall of )(\d+)%", line):
                rises = re.search("升|增|up|rise", found[1]) is not None
                assert int(found[2]) * (1 if rises else -1) == percent(one.suv, one.earlier)
                changes += 1
            if re.search("最高的病灶|之最高|most avid", line):
                assert len(known) > 1 and all(one.suv > other.suv for other in known if other is not one)
                hottest += 1
    assert changes > 150 and hottest > 30


@BOTH
def test_benign_signs_have_one_meaning(language: str) -> None:
    found = Counter()
    tellings, every = {}, set()
    for key, benign in BENIGN.items():
        words = benign.words[language]
        every |= set(words.conclusions)
        for place in words.places if words.conclusions else ():
            for sign in (words.sign, *words.also):
                for at in (place, RETOLD[language].retold_site(place)):
                    tellings[(f"{at}{sign}" if language == "zh" else f"{sign} {at}").lower()] = key, place
    for example in reports(language):
        for line in lines(example):
            first = clauses(line.lower())[0]
            ending = next((one for one in every if first.endswith(one)), "")
            key, place = tellings.get(first.removesuffix(ending).strip(), ("", ""))
            if key:
                words = BENIGN[key].words[language]
                assert place.lower() in example.question.lower() and words.sign.lower() in example.question.lower()
                said = [one for one in clauses(line) if one.endswith(words.conclusions)]
                assert len(said) == 1, line
                found[key] += 1
    assert set(found) == {key for key, benign in BENIGN.items() if benign.words[language].conclusions}


@cache
def places_told(language: str) -> tuple[re.Pattern, dict[str, set[str]]]:
    """Every place by its names in the impression, and for each the names in the findings that it may stand for."""
    originals: dict[str, set[str]] = {}
    told = [getattr(site, language) for site in (*PRIMARY, *STATIONS, *DISTANT)]
    told += [place for benign in BENIGN.values() for place in benign.words[language].places]
    for name in told:
        for text in (name, RETOLD[language].retold_site(name)):
            bare = re.sub("^(in|of|around|along) ", "", text.lower())
            originals.setdefault(bare, set()).add(name.lower())
    longest_first = sorted(originals, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))), originals


@cache
def own_words(language: str) -> list[str]:
    """The words in which an impression may retell findings, between the slots of their wordings, longest first."""

    def texts(value: object) -> list[str]:
        if isinstance(value, str):
            return re.split(r"\{\w*\}", value)
        parts = value.values() if isinstance(value, dict) else value
        return [text for part in parts for text in texts(part)]

    tables = "NOUNS SIGNS LOOKS AVID UPTAKE LEADS SIZES ROUNDED SUVS NODE_LEADS ELSEWHERE_LEADS NEW AXES LARGEST"
    found = texts([getattr(RETOLD[language], name) for name in f"{tables} EARLIER CLOSINGS NODES_CLEAR".split()])
    found += [text for benign in BENIGN.values() for text in benign.words[language].also]
    return sorted({text.strip() for text in found if len(text.strip()) > 1}, key=len, reverse=True)


@BOTH
def test_gold_labels_follow_from_the_text(language: str) -> None:
    glue = GLUE[language]
    for example in reports(language):
        question = example.question.lower()
        numbers = set(re.findall(r"\d+(?:\.\d+)?", question))
        known, earlier = set(re.findall(r"[a-z]+", question)), []
        pairs = {question[at : at + 2] for at in range(len(question) - 1)}
        for piece, label in labelled(example):
            concluding = re.search(CONCLUDES[language], piece, re.IGNORECASE)
            assert (label == "AS") == bool(concluding), (piece, label)
            low = piece.lower()
            if label == "AS":
                # A conclusion says what neither the findings nor an earlier piece says.
                assert low not in question
                # Two lesions may share a verdict; of the whole there is one.
                assert low not in earlier or not re.search("建议|advised|分期|评|缓解|stage|response|deauville", low)
            else:
                told = set(re.findall(r"\d+(?:\.\d+)?", low))
                if "mm" in low:
                    told = {one for one in told if f"{int(one) // 10}.{int(one) % 10}" not in numbers}
                if found := re.search(r"径线(\d)cm左右|roughly (\d) cm", low):
                    rounded = {str(int(number(one) + Decimal("0.5"))) for one in numbers if "." in one}
                    assert (found[1] or found[2]) in rounded, piece
                    told.discard(found[1] or found[2])
                assert told <= numbers, piece
                pattern, originals = places_told(language)
                for name in pattern.findall(low):
                    assert any(original in question for original in originals[name]), (piece, name)
                if language == "en":
                    own = set(re.findall("[a-z]+", " ".join(own_words(language)).lower()))
                    assert set(re.findall(r"[a-z]+", pattern.sub(" ", low))) <= known | own | set(glue.split()), piece
                else:
                    rest = low
                    for text in own_words(language):
                        rest = rest.replace(text.lower(), " ")
                    words = re.findall(r"[一-鿿]{2,}", re.sub(f"[{glue}]", " ", pattern.sub(" ", rest)))
                    assert all(word[at : at + 2] in pairs for word in words for at in range(len(word) - 1)), piece
            earlier.append(low)


@BOTH
def test_a_retelling_is_true(language: str) -> None:
    """What an impression says of looks and uptake, in whichever words, holds for the lesions that it names."""
    told = Counter()
    for example in reports(language)[:800]:
        seen = read(example)
        for line in lines(example):
            parts = [one for one in clauses(line.lower()) if not re.search(f"{WHOLE}|{NOTHING[language]}", one)]
            low = " ".join(parts)
            if re.search("肌|physiological|生理|thyroiditis|gastritis|甲状腺炎|胃炎|关节", low):
                continue
            primary = [
                one for one in seen.lesions if one.role == "primary" and one.site in places(low, language, "primary")
            ]
            far = [
                one for one in seen.lesions if one.role == "distant" and one.site in places(low, language, "distant")
            ]
            near = [one for one in seen.lesions if one.role == "node" and one.site in places(low, language, "node")]
            if primary:
                named, odd, even = primary, (IRREGULAR, OWN_IRREGULAR), (REGULAR, OWN_REGULAR)
            elif re.search("淋巴结|node", low) and near:
                named, odd, even = near, (), ()
            elif re.search(LOOKS[language], low) and far:
                named, odd, even = far, (AGGRESSIVE, OWN_AGGRESSIVE), (BLAND, OWN_BLAND)
            else:
                continue
            for name, words, holds in (
                ("odd", odd, all(one.odd for one in named)),
                ("even", even, not any(one.odd for one in named)),
                ("hot", (HOT,), all(one.suv >= Decimal("2.5") for one in named)),
                ("faint", (FAINT,), all(one.suv < Decimal("2.5") for one in named)),
            ):
                for place, one in enumerate(words):
                    if re.search(one[language], low):
                        assert holds, (name, line, example.question)
                        told[name, place] += 1
    assert all(told[name, place] > 20 for name in ("odd", "even") for place in (0, 1)), told
    assert told["hot", 0] > 100 and told["faint", 0] > 40, told


@BOTH
def test_names_of_places_are_not_mixed_up(language: str) -> None:
    for sites in (PRIMARY, STATIONS, DISTANT):
        own = [RETOLD[language].retold_site(getattr(site, language)).lower() for site in sites]
        assert len(set(own)) == len(sites)
        assert not set(own) & {getattr(site, language).lower() for site in sites}


@BOTH
def test_shared_words_alone_do_not_tell_conclusions(language: str) -> None:
    """Neither measure of overlap with the findings is right each time, as with rationales that people write."""
    gold: list[bool] = []
    scores: dict[str, list[float]] = {"similarity": [], "novelty": []}
    for example in reports(language)[:80]:
        pieces = split_pieces(example.rationale)
        gold += [label == "AS" for label in example.gold]
        scores["similarity"] += similarity_scores(example.question, pieces, language=language)
        scores["novelty"] += novelty_scores(example.question, pieces)
    known = np.array(gold)
    for name, values in scores.items():
        abstractive, extractive = np.array(values)[known], np.array(values)[~known]
        auc = mannwhitneyu(abstractive, extractive).statistic / (len(abstractive) * len(extractive))
        assert 0.75 <= auc <= 0.93, (name, auc)
        # Not by a few outliers: many conclusions lie among the restatements, and the other way round.
        assert np.mean(abstractive <= np.quantile(extractive, 0.75)) > 0.12, name
        assert np.mean(extractive >= np.quantile(abstractive, 0.25)) > 0.12, name


@BOTH
def test_no_organ_is_both_normal_and_diseased(language: str) -> None:
    organs = {"colon": "bowel"}
    for example in reports(language):
        told = {part.split("：")[-1].split(": ")[-1].rstrip(".") for part in sentences(example.question, language)}
        for one in read(example).lesions:
            organ = f"n.{one.site.organ}" if one.role == "node" else organs.get(one.site.organ, one.site.organ)
            for region in REGIONS:
                for entry in region.entries:
                    if organ not in entry.organs:
                        continue
                    for wording in entry.wordings[language]:
                        if "{list}" not in wording:
                            assert wording not in told or wording == entry.rest.get(language)
                            continue
                        before, after = wording.split("{list}")
                        normal = [part for part in told if part.startswith(before) and part.endswith(after)]
                        assert not any(
                            organ in entry.organs
                            and re.search(rf"(?<!\w){re.escape(ORGANS[language][organ])}(?!\w)", part[len(before) :])
                            for part in normal
                            if language == "en"
                        )
                        if language == "zh":
                            assert not any(ORGANS["zh"][organ] in part for part in normal), (organ, normal)
        # No man has a uterus, no woman a prostate, and nobody both.
        female = re.search("子宫|宫颈|乳腺|uterine|cervix|breast|fibroid", example.question)
        male = re.search("前列腺|prostate", example.question)
        assert not (female and male), example.question


@BOTH
def test_the_page_is_clean(language: str) -> None:
    for example in reports(language):
        for text in (example.question, example.rationale):
            assert not re.search(r"[{}|~=<>]|  |None|，，|，。|；。|。。|,,| ,|\.\.", text), text
            assert not re.search(r"\b(\w+) \1\b|\b[aA] [aeiouAEIOU]|\b[aA]n (?!SUVmax)[^aeiou]", text), text
            if language == "en":
                assert text.isascii()
                assert all(re.match("[A-Z0-9]", part) for part in sentences(text, language)), text
                assert text.endswith(".")
            else:
                assert not re.search(r"(?<=[一-鿿])[,.;:](?=[一-鿿])", text), text
                assert text.endswith("。")
        body = lines(example)
        marks = [line[:2] for line in example.rationale.split("\n")]
        assert len(body) == 1 or [re.match(r"\d+", line)[0] for line in marks] == [
            str(place) for place in range(1, len(body) + 1)
        ]


@BOTH
def test_patterns_skeletons_and_lengths(language: str) -> None:
    many = generate_reports(10_000 if language == "zh" else 2000, seed=1, language=language)
    patterns = Counter(example.graph for example in many)
    assert len(patterns) >= 40 and max(patterns.values()) < 0.2 * len(many)
    assert len({example.schema for example in many}) >= 120
    # With each line told in some order, and the clauses of the lines by themselves: both are many.
    skeletons = {skeleton(example) for example in many}
    assert len(skeletons) >= 1900
    assert len({line for one in skeletons for line in one.split("\n")}) >= 500
    shares = [label for example in many for label in example.gold]
    assert 0.5 <= shares.count("ES") / len(shares) <= 0.65
    assert all({"ES", "AS"} == set(example.gold) for example in many)
    question = sum(len(example.question) for example in many) / len(many)
    rationale = sum(len(example.rationale) for example in many) / len(many)
    if language == "zh":
        assert 600 <= question <= 680 and 155 <= rationale <= 185, (question, rationale)
    else:
        assert 1500 <= question <= 2300 and 380 <= rationale <= 560, (question, rationale)


def test_skeleton_masks_places_and_numbers() -> None:
    def of(rationale: str, language: str) -> str:
        return skeleton(Example("q", "", rationale, None, "own", language=language))

    assert (
        of("1. 右肺上叶尖段结节（大小约2.3cm×1.8cm），SUVmax约8.5。", "zh")
        == "#. SITE结节（大小约#cm×#cm），SUVmax约#。"
    )
    one = of("右肺门及隆突下淋巴结，SUVmax分别约3.8、4.1。", "zh")
    assert (
        one == of("左肺门、左侧腋窝及腹膜后淋巴结，SUVmax分别约3.8、4.1、9.0。", "zh") == "SITE淋巴结，SUVmax分别约#。"
    )
    assert of("Right hilar and subcarinal lymph nodes, SUVmax 3.8 and 4.1.", "en") == "SITE lymph nodes, SUVmax #."


def test_fields() -> None:
    (example,) = generate_reports(1, seed=7)
    assert (example.qid, example.source, example.licence) == ("pet-zh-7-000000", "generated/pet-zh", "MIT")
    assert (example.language, example.answer) == ("zh", None)
    assert example.schema.startswith(f"{example.graph}/")
    assert state_answer(example) == example
    assert from_dataset(to_dataset([example])) == [example]
    assert generate_reports(0, seed=7) == []


def test_both_languages_tell_the_same_patients() -> None:
    for zh, en in zip(reports("zh"), reports("en"), strict=True):
        assert (zh.graph, zh.schema) == (en.graph, en.schema)
        one, other = read(zh), read(en)
        assert sorted((lesion.site.key, lesion.suv) for lesion in one.lesions) == sorted(
            (lesion.site.key, lesion.suv) for lesion in other.lesions
        )


@BOTH
def test_no_two_share_schema_and_numbers(language: str) -> None:
    many = reports(language)
    keys = [(one.schema, *sorted(re.findall(r"\d+(?:\.\d+)?", one.question))) for one in many]
    assert len(set(keys)) == len({one.qid for one in many}) == len(many)


def test_a_collision_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    import ases.reports as module

    first = module._report
    monkeypatch.setattr(module, "_report", lambda seed, index, attempt, language: first(seed, attempt, 0, language))
    assert [one.question for one in generate_reports(4, seed=5)] == [
        first(5, place, 0, "zh").question for place in range(4)
    ]


@BOTH
def test_same_seed_same_list_and_the_first_do_not_depend_on_the_count(language: str) -> None:
    one = generate_reports(60, seed=1, language=language)
    assert one == generate_reports(60, seed=1, language=language)
    assert one[:25] == generate_reports(25, seed=1, language=language)
    assert one[:25] == list(islice(iter_reports(10**9, seed=1, language=language), 25))
    other = generate_reports(60, seed=2, language=language)
    assert not {example.question for example in one} & {example.question for example in other}


def test_same_list_whatever_the_hash_seed() -> None:
    code = (
        "import json; from dataclasses import asdict; from ases.reports import generate_reports;"
        "print(json.dumps([asdict(e) for lang in ('zh', 'en') for e in generate_reports(60, seed=9, language=lang)]))"
    )
    hash_seed = "4242" if os.environ.get("PYTHONHASHSEED") != "4242" else "0"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    rows = [asdict(one) for language in ("zh", "en") for one in generate_reports(60, seed=9, language=language)]
    assert json.loads(run.stdout) == json.loads(json.dumps(rows))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(-(10**9), 10**9), language=st.sampled_from(["zh", "en"]))
def test_any_seed(seed: int, language: str) -> None:
    for example in generate_reports(4, seed=seed, language=language):
        pieces = split_pieces(example.rationale)
        assert "".join(pieces) == example.rationale
        assert len(pieces) == len(example.gold)
        assert conclude(read(example))[0] == example.graph
        assert {"ES", "AS"} == set(example.gold)


@pytest.mark.parametrize("knobs", [{"count": -1}, {"language": "de"}])
def test_what_cannot_be_is_said_at_the_call(knobs: dict) -> None:
    with pytest.raises(ParameterError, match="count must be 0 or more"):
        iter_reports(**{"count": 3, "seed": 0, **knobs})
