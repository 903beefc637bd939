"""How an English impression of the generated PET reports says in its own words what the findings said.

>>> retold_site("the apical segment of the right upper lobe"), retold_site("right hilar")
('the RUL (apical)', 'right lung root')

The same names as in :mod:`ases.report_retold_zh`. Each wording says no more than the findings do, so a piece of it is
ES; the wordings under "conclusions" repeat words of the findings around a conclusion, so a piece of them is AS.
"""

from __future__ import annotations

import re
from functools import cache

_LOBES = {"right upper": "RUL", "right lower": "RLL", "left upper": "LUL", "left lower": "LLL", "middle": "RML"}
# Tried in this order, the first of each place counting: sites, stations, and places of benign findings.
_PLACES = tuple(
    (re.compile(pattern), shorter)
    for pattern, shorter in (line.split(" > ") for line in """
the lingula of the LUL > the lingula
the (.+) segment of the (\\w+) > the \\2 (\\1)
the (.+) quadrant of the (\\w+) breast > the \\2 breast (\\1)
the (\\w+) pole of the (\\w+) thyroid lobe > the \\2 thyroid (\\1)
the thyroid isthmus > the isthmus
the (\\w+) lateral wall of the nasopharynx > the \\1 nasopharyngeal side-wall
the posterosuperior wall of the nasopharynx > the nasopharyngeal roof
the upper thoracic oesophagus > the proximal oesophagus
the middle thoracic oesophagus > the mid-oesophagus
the lower thoracic oesophagus > the distal oesophagus
the lesser curvature of the gastric body > the lesser curve of the stomach
^of the gastric wall > throughout the stomach
the gastric (\\w+)$ > the stomach (\\1)
the (\\w+) colon > the \\1 large bowel
the upper rectum > the proximal rectum
the lower rectum > the distal rectum
the (\\w+ \\w+) sector of the liver > the \\1 hepatic sector
the pancreatic (\\w+) > the \\1 of the pancreas
the anterior lip of the cervix > the front of the uterine neck
the posterior lip of the cervix > the back of the uterine neck
^(right|left) cervical > \\1 neck
^(right|left) supraclavicular > \\1 lower neck
^(right|left) hilar > \\1 lung root
^(right|left) paratracheal > \\1 upper mediastinal
^subcarinal > infracarinal
^(right|left) axillary > \\1 armpit
^gastrohepatic > lesser omental
^porta hepatis > periportal
^mesenteric root > mesenteric
^retroperitoneal > posterior abdominal
^(right|left) iliac$ > \\1 pelvic
^(right|left) inguinal > \\1 groin
the (\\w+) vertebral body > vertebra \\1
the (right|left) (\\w+) rib > the \\2 rib on the \\1
the sternal body > the sternum
the sacrum > the sacral bone
the (right|left) ilium > the \\1 iliac bone
the (right|left) scapula > the \\1 shoulder blade
the proximal left femur > the upper left femur
(in )?the ((?:upper |lower )?(?:right|left)) lobe of the liver > \\1the \\2 hepatic lobe
the (right|left) adrenal gland > the \\1 adrenal
the (right|left) pleura$ > the \\1 pleural surface
the greater omentum > the omentum
the pelvic peritoneum > the peritoneum of the pelvis
the (upper|lower) part of the spleen > the \\1 spleen
in both lower lobes > in the RLL and LLL
in both upper lobes > in the RUL and LUL
^(in|of|around) both (.+) > \\1 the \\2 bilaterally
^of the liver > throughout the liver
coronary arteries > coronaries
""".strip().splitlines())
)  # fmt: skip


@cache
def retold_site(name: str) -> str:
    """Another name of a place of the findings, or the same where there is none."""
    short = re.sub(r"(right upper|right lower|left upper|left lower|middle) lobe\b", lambda m: _LOBES[m[1]], name)
    for pattern, shorter in _PLACES:
        text, count = pattern.subn(shorter, short)
        if count:
            return text
    return short


NOUNS = {
    "nodule": ("lesion", "nodular lesion"),
    "mass": ("space-occupying lesion", "bulky lesion"),
    "soft-tissue thickening": ("soft-tissue fullness", "mucosal bulging"),
    "wall thickening": ("mural thickening", "thickened wall"),
}
SIGNS = {
    "smooth": ("well-defined borders", "a clean edge"),
    "round": ("clear-cut borders", "a rounded shape"),
    "spiculated": ("a spiky edge", "radiating strands"),
    "lobulated": ("a lobular contour", "a multilobed edge"),
    "ill-defined": ("hazy borders", "a poorly defined edge"),
    "even": ("concentric thickening", "uniform wall thickness"),
    "uneven": ("eccentric thickening", "variable wall thickness"),
}
LOOKS = {
    "bone": ("an osteolytic area", "a sclerotic area"),
    "liver": ("an ill-defined low-attenuation area", "a well-defined low-attenuation area"),
    "spleen": ("an ill-defined low-attenuation area", "a well-defined low-attenuation area"),
    "adrenal": ("an ill-shaped soft-tissue lump", "a well-shaped soft-tissue lump"),
    "lung": ("an ill-defined pulmonary lump", "a well-defined pulmonary lump"),
    "pleura": ("lumpy thickening", "even thickening"),
    "peritoneum": ("lumpy thickening", "even thickening"),
}
# With faint uptake, with more.
AVID = (("minimally avid", "faintly avid"), ("hypermetabolic", "FDG-avid"))
UPTAKE = (
    ("hardly any tracer accumulation", "minimal glucose metabolism"),
    ("intense tracer accumulation", "raised glucose metabolism"),
)
LEADS = ("{avid} {noun} {where} {short}", "{short}: {avid} {noun}", "{noun} {where} {short}")
SIZES = {
    "mass": ("{long_mm} mm across", "largest diameter {long} cm", "{long_mm} x {short_mm} mm"),
    "wall": ("wall thickness {thick} cm", "{short_mm} mm thick"),
}
ROUNDED = "roughly {about} cm"
SUVS = ("maximum SUV {}", "SUV up to {}")
# The last of these says nothing of the uptake: for lesions of which it differs. New ones are told by the first.
NODE_LEADS = ("{avid} {shorts} node{s}", "{shorts} node{s}: {avid}", "{shorts} node{s}")
ELSEWHERE_LEADS = ("{avid} {sign} in {shorts}", "{shorts}: {avid} {sign}", "{sign} in {shorts}")
NEW, NODE, WITH = "newly seen ", "lymph node{s}", "with "
AXES = ("short diameter {} cm", "short diameter {mm} mm")
LARGEST = "the largest {} cm across"
EARLIER = ("prior scan {SUV}", "{SUV} on the prior scan")
CLOSINGS = ("remainder of the scan unremarkable", "no other hypermetabolic focus")
NODES_CLEAR = ("no adenopathy in {near}", "nodes of normal size in {near}")

# Conclusions: of what a clause before has told, and of what none has.
ABOVE, AT_ONCE = "the above {what} {be} {verdict}", "{what} {verdict}"
EVIDENCE = ("with {sign} and {uptake} the {what} {be} {verdict}", "the {what} with {an_SUV} {be} {verdict}")
NODE_EVIDENCE = "the {what} with a short axis of {short} cm and {SUV} {be} {verdict}"
BENIGN_ABOVE, BENIGN_AT_ONCE = "the above {sign} {place} {verdict}", "{sign} {place} {verdict}"
STAGE = ("{stage} with the {what}", "{stage} with the above {what}")
ANN_ARBOR = "{stage} with the above {what}"
RESPONSE = (
    "{response} compared with the PET/CT of {months} months ago",
    "{response} compared with PET/CT {months} months earlier",
)
DEAUVILLE = "{SUV} against liver SUVmax {liver}: {score}"
HOTTEST = "{hottest}: the {what}"
CHANGE = "{change} in the {what}"
CLEAR = (
    "no abnormal density or FDG uptake as evidence of malignancy",
    "no evidence of malignancy in the lungs or the liver or the rest of the body",
)
ADVICE = {
    "yearly": ("yearly follow-up of the {what} is advised",),
    "six months": ("follow-up of the {what} in 6 months is advised",),
    "three months": ("follow-up of the {what} in 3 months is advised",),
    "biopsy": ("{biopsy} of the {what} is advised",),
    "biopsy and board": ("{biopsy} of the {what} followed by tumour board review is advised",),
    "node biopsy": ("lymph node biopsy is advised for the {what}",),
    "board": ("tumour board review of the {what} for systemic treatment is advised",),
    "follow": ("regular follow-up of the {what} is advised",),
    "go on": ("continuation of the present treatment of the {what} is advised",),
    "soon again": ("an early repeat PET/CT of the {what} is advised",),
    "rethink": ("re-evaluation of treatment of the {what} is advised",),
}


def subject(site: str, noun: str, where: str) -> str:
    """A lesion or several, as a conclusion names them: kind and site; a station stands before its nodes."""
    return f"{noun} {where} {site}" if where else f"{site} {noun}"
