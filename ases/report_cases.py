"""Draws the patients of the generated PET reports: which lesions, how large, how hot, and what is there besides.

>>> case = draw_case(random.Random("a"))
>>> case == draw_case(random.Random("a"))
True

A course is aimed at first (a benign nodule, nodes on the other side, a new lesion after treatment), so that each comes
up often enough; what the report then concludes is worked out from the numbers drawn, by :mod:`ases.lesions` alone.
"""

from __future__ import annotations

import random

from ases.lesions import AGGRESSIVE, BLAND, NEGATIVE, OPEN, POSITIVE, Case, Incidental, Lesion, n_category
from ases.report_benign import BENIGN
from ases.report_sites import DISTANT, FAMILIES, FAR_STATIONS, PRIMARY, SITES, STATIONS

_KINDS = {"staging": 64, "lymphoma": 11, "response": 11, "lymphoma-response": 6, "clear": 8}
_FAMILY_WEIGHTS = {"lung": 28, "colon": 12, "breast": 9, "liver": 8, "stomach": 8}  # the others 6 each


ORGANS_OF_FAMILY = {"colon": "bowel"}
"""Where the organ of a family is not called as the family."""


def organ_of(lesion: Lesion) -> str:
    """The organ that a lesion lies in, as the normal findings name organs; stations begin with ``n.``."""
    organ = SITES[lesion.site].organ
    if lesion.role == "node":
        return f"n.{organ}"
    return ORGANS_OF_FAMILY.get(organ, organ) if lesion.role == "primary" else organ


def draw_case(rng: random.Random) -> Case:
    """One patient; the same generator state gives the same patient."""
    kind = rng.choices(list(_KINDS), list(_KINDS.values()))[0]
    pool = rng.randint(12, 19)
    liver = rng.randint(pool + 3, 30)
    family = ""
    if kind in ("staging", "response"):
        family = rng.choices(list(FAMILIES), [_FAMILY_WEIGHTS.get(name, 6) for name in FAMILIES])[0]
    draw = {
        "staging": lambda: _staging(rng, family),
        "lymphoma": lambda: _lymphoma(rng),
        "response": lambda: _response(rng, family, liver),
        "lymphoma-response": lambda: _response(rng, "", liver),
        "clear": lambda: [_node(rng, rng.choice(STATIONS).key, NEGATIVE)] if rng.random() < 0.35 else [],
    }[kind]
    lesions = draw()
    sex = FAMILIES[family].sex if family and FAMILIES[family].sex else rng.choice("FM")
    wanted = rng.choice((3, 4, 5)) if kind == "clear" else rng.choice((1, 1, 2) if len(lesions) > 3 else (1, 2, 3))
    return Case(
        kind,
        family,
        sex,
        pool,
        liver,
        glucose=rng.randint(43, 82),
        dose=rng.randint(58, 118),
        minutes=rng.choice((50, 55, 60, 60, 65, 70)),
        months=rng.randint(2, 9) if kind.endswith("response") else 0,
        lesions=tuple(lesions),
        incidentals=_incidentals(rng, {organ_of(lesion) for lesion in lesions}, sex, wanted),
    )


def _incidentals(rng: random.Random, taken: set[str], sex: str, wanted: int) -> tuple[Incidental, ...]:
    found = []
    keys = list(BENIGN)
    rng.shuffle(keys)
    for key in keys:
        kind = BENIGN[key]
        if len(found) == wanted:
            break
        if kind.organ in taken or kind.sex not in ("", sex):
            continue
        taken.add(kind.organ)  # one an organ: the report never has to say which of two is meant
        long = rng.randint(*kind.size) if kind.size else 0
        suv = rng.randint(*kind.suv) if kind.suv else 0
        found.append(Incidental(key, rng.randrange(len(kind.words["zh"].places)), long, _shorter(rng, long), suv))
    order = list(BENIGN)
    return tuple(sorted(found, key=lambda one: order.index(one.key)))


def _shorter(rng: random.Random, long: int) -> int:
    return max(2, long * rng.randint(62, 98) // 100) if long else 0


def _suv(rng: random.Random, level: int) -> int:
    return rng.randint(*((8, 24), (25, 49), (50, 168))[level])


def _node(rng: random.Random, site: str, wanted: int) -> Lesion:
    large = wanted == POSITIVE or (wanted == OPEN and rng.random() < 0.5)
    hot = wanted == POSITIVE or (wanted == OPEN and not large)
    level = rng.choice((1, 2, 2)) if wanted == POSITIVE else 1 if hot else 0
    return Lesion("node", site, 0, rng.randint(10, 27) if large else rng.randint(4, 9), _suv(rng, level))


def _elsewhere(rng: random.Random, site: str, wanted: int) -> Lesion:
    aggressive = wanted == POSITIVE or (wanted == OPEN and rng.random() < 0.5)
    hot = wanted == POSITIVE or (wanted == OPEN and not aggressive)
    level = rng.choice((1, 2, 2)) if wanted == POSITIVE else 1 if hot else 0
    long = rng.randint(8, 42)
    return Lesion(
        "distant", site, long, _shorter(rng, long), _suv(rng, level), sign=AGGRESSIVE if aggressive else BLAND
    )


def _primary(rng: random.Random, family: str, level: int, irregular: bool) -> Lesion:
    """A primary lesion with an uptake of that level."""
    site = rng.choice([site.key for site in PRIMARY if site.organ == family])
    if FAMILIES[family].wall:
        sign = "uneven" if irregular else "even"
        short = rng.randint(7, 26)
        return Lesion("primary", site, rng.randint(short + 8, 78), short, _suv(rng, level), sign)
    sign = rng.choice(("spiculated", "lobulated", "ill-defined") if irregular else ("smooth", "round"))
    long = rng.randint(8, 30) if level < 2 or rng.random() < 0.4 else rng.randint(31, 84)
    if family == "thyroid":
        long = min(long, rng.randint(8, 38))
    return Lesion("primary", site, long, _shorter(rng, long), _suv(rng, level), sign)


def _stations(rng: random.Random, organs: tuple[str, ...], count: int) -> list[str]:
    fits = [site.key for site in STATIONS if site.organ in organs]
    return rng.sample(fits, min(count, len(fits)))


def _places(rng: random.Random, organs: tuple[str, ...], count: int) -> list[str]:
    """Sites of one organ or two."""
    organs = rng.sample(organs, min(len(organs), rng.choice((1, 1, 2))))
    sites = []
    for organ in organs:
        fits = [site.key for site in DISTANT if site.organ == organ]
        sites += rng.sample(fits, min(max(count // len(organs), 1), len(fits)))
    return sites


def _lung_stations(rng: random.Random, primary: Lesion) -> list[str]:
    """Up to three stations, of which the worst is of an N drawn evenly."""
    wanted = rng.randint(1, 3)
    ranks: dict[int, list[str]] = {1: [], 2: [], 3: []}
    for site in STATIONS:
        if site.organ in FAMILIES["lung"].regional:
            ranks[n_category(primary, Lesion("node", site.key, 0, 10, 25))].append(site.key)
    lower = [key for rank in range(1, wanted) for key in ranks[rank]]
    return [rng.choice(ranks[wanted]), *rng.sample(lower, min(len(lower), rng.choice((0, 1, 1, 2))))]


def _staging(rng: random.Random, name: str) -> list[Lesion]:
    family = FAMILIES[name]
    wanted = rng.choices((0, 1, 2, 3), (14, 18, 24, 44))[0]
    level, irregular = rng.choice([(lv, irr) for lv in (0, 1, 2) for irr in (0, 1) if lv + irr == wanted])
    primary = _primary(rng, name, level, bool(irregular))
    nodes: list[Lesion] = []
    others: list[Lesion] = []
    if wanted >= 2:
        course = rng.choices(("local", "regional", "distant"), (30, 36, 34))[0]
        if course == "regional" or (course == "distant" and rng.random() < 0.6):
            picked = (
                _lung_stations(rng, primary)
                if name == "lung"
                else _stations(rng, family.regional, rng.choice((1, 1, 2, 3)))
            )
            nodes = [_node(rng, site, POSITIVE) for site in picked]
        if course == "distant":
            if name in FAR_STATIONS and rng.random() < 0.3:
                nodes += [_node(rng, site, POSITIVE) for site in _stations(rng, (FAR_STATIONS[name],), 1)]
            if not any(SITES[node.site].organ not in family.regional for node in nodes) or rng.random() < 0.4:
                others = [
                    _elsewhere(rng, site, POSITIVE) for site in _places(rng, family.distant, rng.choice((1, 2, 3, 4)))
                ]
    used = {lesion.site for lesion in nodes + others}
    if rng.random() < 0.3:
        doubtful = rng.choice((OPEN, NEGATIVE)) if wanted >= 2 else NEGATIVE
        free = [site for site in _stations(rng, family.regional, 9) if site not in used]
        nodes += [_node(rng, site, doubtful) for site in free[:1]]
    if wanted >= 2 and rng.random() < 0.2:
        organs = tuple(organ for organ in family.distant if organ not in {SITES[site].organ for site in used})
        if organs:
            others += [_elsewhere(rng, site, rng.choice((OPEN, NEGATIVE))) for site in _places(rng, organs[:1], 1)]
    return [primary, *nodes, *others]


def _lymphoma(rng: random.Random) -> list[Lesion]:
    stage = rng.randint(1, 4)
    above = [site.key for site in STATIONS if site.above]
    below = [site.key for site in STATIONS if not site.above and site.organ not in ("hepatogastric", "porta")]
    if stage == 1:
        picked = rng.sample(rng.choice((above, below)), 1)
    elif stage == 2:
        picked = rng.sample(rng.choice((above, below)), rng.randint(2, 4))
    else:
        picked = rng.sample(above, rng.randint(1, 3)) + rng.sample(below, rng.randint(1, 3))
    lesions = [_node(rng, site, POSITIVE) for site in picked]
    if rng.random() < 0.2:
        free = [site for site in above + below if site not in picked]
        lesions.append(_node(rng, rng.choice(free), rng.choice((OPEN, NEGATIVE))))
    if stage == 4:
        places = _places(rng, ("bone", "liver", "spleen"), rng.choice((1, 2)))
        lesions += [_elsewhere(rng, site, POSITIVE) for site in places]
    return lesions


def _response(rng: random.Random, name: str, liver: int) -> list[Lesion]:
    """Lesions with an earlier SUVmax; the first is now the hottest. No family: lymphoma."""
    course = rng.choice(("complete", "partial", "stable", "progression", "new"))
    aim = rng.choice(("complete", "partial", "stable")) if course == "new" else course
    if name:
        sites = _stations(rng, FAMILIES[name].regional, rng.choice((0, 1, 1, 2)))
        bases = [_primary(rng, name, 0, rng.random() < 0.6)] + [_node(rng, site, OPEN) for site in sites]
    else:
        sites = rng.sample([site.key for site in STATIONS], rng.randint(1, 3))
        bases = [_node(rng, site, POSITIVE) for site in sites]
    earlier, now = _course(rng, aim, liver)
    lesions = []
    for base in bases:
        lesions.append(Lesion(base.role, base.site, base.long, base.short, now, base.sign, earlier))
        now = rng.randint(max(7, now * 55 // 100), max(8, now - 1))
        falls = aim in ("complete", "partial")
        earlier = now * 130 // 100 + rng.randint(20, 80) if falls else now * 112 // 100 + 1
        if now >= lesions[-1].suv:  # so faint that there is nothing below it: the others are gone
            break
    if course == "new":
        used = {lesion.site for lesion in lesions}
        if name or rng.random() < 0.5:
            organs = FAMILIES[name].distant if name else ("bone", "liver", "spleen")
            site = _places(rng, organs, 1)[0]
            found = _elsewhere(rng, site, POSITIVE)
        else:
            found = _node(rng, rng.choice([site.key for site in STATIONS if site.key not in used]), POSITIVE)
        lesions.append(Lesion(found.role, found.site, found.long, found.short, found.suv, found.sign, new=True))
    return lesions


def _course(rng: random.Random, aim: str, liver: int) -> tuple[int, int]:
    """Ten times the SUVmax before and now."""
    if aim == "complete":
        return rng.randint(60, 180), rng.randint(12, liver)
    if aim == "partial":
        earlier = rng.randint(70, 190)
        return earlier, rng.randint(liver + 1, earlier * 66 // 100)
    if aim == "stable":
        earlier = rng.randint(45, 140)
        return earlier, earlier * 100 // rng.choice((80, 85, 90, 94, 106, 110, 116, 122))
    earlier = rng.randint(30, 110)
    return earlier, earlier * rng.randint(136, 210) // 100
