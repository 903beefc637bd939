"""Generated PET/CT reports, Chinese or English: findings, and an impression with the true label of every piece.

>>> example = generate_reports(1, seed=33, language="en")[0]
>>> print(example.rationale.splitlines()[0].replace(", ", ",\\n"))
1) Nodular lesion in the RML (medial),
2.4 x 2.2 cm,
with increased FDG uptake,
maximum SUV 4.4,
indeterminate.
>>> example.gold[:5]
('ES', 'ES', 'ES', 'ES', 'AS')

The embedded stand-in for private reports of the layout question (findings), answer (impression), qid. A report tells a
patient (:mod:`ases.report_cases`) in the words of a language (:mod:`ases.report_wording_zh`, ``_en``); the same seed
and place in the list give the same patient in both languages. Nothing in it comes from a real report.

Gold labels (METHOD, section 2). A clause of the impression is ``ES`` where it says what the findings say, of a lesion
(where, how large, SUVmax, look) or that the rest is normal, be it in their words, in others, with several facts in
one, or with a size in mm or rounded, which says no more than the size. It is ``AS`` where it states what follows by
the rules of :mod:`ases.lesions`, or by the table of benign signs, also where it repeats words of the findings.

Leakage (METHOD, section 4). The schema is the pattern of rules (``graph``) and the organ of the primary tumour,
whatever the sites and wording; no two reports of one call share a schema together with the numbers of the findings.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from functools import cache

from ases import lesions as rules
from ases.errors import ParameterError
from ases.examples import Example
from ases.report_benign import BENIGN
from ases.report_cases import draw_case
from ases.report_findings import LANGUAGES, Speaker, write_findings
from ases.report_impressions import RETOLD, write_impression
from ases.report_sites import SITES


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
    speaker = Speaker(random.Random(f"report {language} {place}"), language, case)
    question = write_findings(speaker)
    rationale, gold = write_impression(speaker)
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
    names |= {place for benign in BENIGN.values() for place in benign.words[language].places}
    names |= {RETOLD[language].retold_site(name) for name in names}
    names |= {LANGUAGES[language].named(name) for name in names}
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    gap = "(?:、|及)" if language == "zh" else "(?:, | and )"
    size = "(?:cm)?[×x]" if language == "zh" else " (?:x|by) "
    return (
        re.compile("|".join(map(re.escape, longest_first))),
        re.compile(rf"SITE(?:{gap}SITE)+|#(?:{size}#)?(?:(?:cm| cm)?{gap}#(?:{size}#)?)+"),
    )
