"""The words of the generated PET reports in English; :mod:`ases.reports` puts them together.

The names are those of :mod:`ases.report_wording_zh`, and the slots too; ``a_noun`` and ``a_sign`` carry their article,
and ``adj`` is a lymph node station as an adjective. No sentence of the findings uses a word of the conclusions.
"""

from __future__ import annotations

COMMA, STOP, ITEM_ENDS, LIST_MARKS, GAP = ", ", ".", (".",), ("{}. ", "{}) "), " "
SUV_STYLES = ("SUVmax {}", "SUVmax of {}")
SIZE_STYLES = ("{} x {} cm", "{} by {} cm")

INTROS = (
    "Whole-body PET/CT was performed {minutes} minutes after injection of {dose} mCi of 18F-FDG; fasting blood glucose "
    "was {glucose} mmol/L",
    "The fasting patient (blood glucose {glucose} mmol/L) received {dose} mCi of 18F-FDG and was scanned after "
    "{minutes} minutes of rest",
    "After intravenous injection of {dose} mCi of 18F-FDG and an uptake time of {minutes} minutes, images were "
    "obtained from the skull to the thighs; blood glucose was {glucose} mmol/L",
)
BACKGROUND = (
    "Mediastinal blood pool SUVmax {pool}, liver SUVmax {liver}",
    "Background: mediastinal blood pool SUVmax {pool}, liver SUVmax {liver}",
)
COMPARED = (
    "The study follows treatment and is compared with the PET/CT of {months} months ago",
    "Study after treatment, compared with PET/CT {months} months earlier",
)
COMPARED_LYMPHOMA = (
    "The study follows treatment of lymphoma and is compared with the PET/CT of {months} months ago",
    "Lymphoma after treatment, compared with PET/CT {months} months earlier",
)
CLOSINGS = ("No abnormal FDG uptake elsewhere", "No abnormal FDG uptake is seen in the rest of the body")

SIGNS = {
    "smooth": "smooth margins",
    "round": "a regular outline and sharp margins",
    "spiculated": "spiculated margins",
    "lobulated": "lobulated margins",
    "ill-defined": "an irregular outline and blurred margins",
    "even": "a symmetrical wall and a smooth outer contour",
    "uneven": "an asymmetrical wall and a rough outer contour",
}
# What is seen elsewhere: aggressive, bland.
LOOKS = {
    "bone": ("lytic bone destruction", "patchy sclerosis"),
    "liver": ("a blurred hypodense focus", "a sharply marginated hypodense focus"),
    "spleen": ("a blurred hypodense focus", "a sharply marginated hypodense focus"),
    "adrenal": ("an irregular soft-tissue nodule", "a smooth soft-tissue nodule"),
    "lung": ("a nodule with irregular margins", "a nodule with even margins"),
    "pleura": ("nodular thickening", "uniform thickening"),
    "peritoneum": ("nodular thickening", "uniform thickening"),
}
NOUNS = {
    "nasopharynx": "soft-tissue thickening",
    "oesophagus": "wall thickening",
    "stomach": "wall thickening",
    "colon": "wall thickening",
}
NODULE, MASS = "nodule", "mass"
FAINT, HOT = ("only faint FDG uptake", "no more than faint FDG uptake"), ("increased FDG uptake", "focal FDG uptake")
EXTRAS = (
    ". Its mean attenuation is {hu} HU",
    ". Its density is homogeneous",
    ". Its density is slightly heterogeneous",
    "",
    "",
)

PRIMARY_MASS = (
    "There is {a_noun} in {site} measuring {size}, with {sign}; it shows {uptake} ({SUV}){before}{extra}",
    "In {site} lies {a_noun} of {size} with {sign}, showing {uptake} ({SUV}){before}{extra}",
    "{a_noun} with {sign} is seen in {site}, measuring {size}, with {uptake} and {an_SUV}{before}{extra}",
)
PRIMARY_WALL = (
    "{noun} of {site} is seen, up to {thick} cm thick and {length} cm long, with {sign}; it shows {uptake} "
    "({SUV}){before}",
    "There is {noun} of {site} with {sign}, {thick} cm thick over a length of {length} cm, showing {uptake} "
    "({SUV}){before}",
)
NODE = (
    "There is {a_node} with a short axis of {short} cm and {uptake} ({SUV}){before}",
    "{a_node} measures {short} cm in short axis and shows {uptake} ({SUV}){before}",
    "{a_node} of {short} cm in short axis is seen, with {uptake} and {an_SUV}{before}",
)
ELSEWHERE = (
    "{site} shows {a_sign} measuring {size}, with {uptake} ({SUV}){before}",
    "There is {a_sign} in {site}, measuring {size}, with {uptake} and {an_SUV}{before}",
)
BEFORE, NEW = ", compared with an SUVmax of {plain} before", "new"

# The impression.
SIZE_PARTS = {"mass": ("{size}", "measuring {size}"), "wall": ("up to {thick} cm thick",)}
PRIMARY_LEADS = ("{noun} {where} {site} ({part})", "{noun} {where} {site}")
NODE_LEADS = ("{sites} lymph {nodes}",)
NEW_NODE_LEAD = "new {sites} lymph {nodes}"
ELSEWHERE_LEADS = ("{sign} in {sites}",)
NEW_ELSEWHERE_LEAD = "new {sign} in {sites}"
AXES, SPANS = ("short axis {} cm",), ("measuring {}",)
CANCERS = {
    "lung": "lung cancer",
    "breast": "breast cancer",
    "thyroid": "thyroid cancer",
    "nasopharynx": "nasopharyngeal cancer",
    "oesophagus": "oesophageal cancer",
    "stomach": "gastric cancer",
    "colon": "colorectal cancer",
    "liver": "liver cancer",
    "pancreas": "pancreatic cancer",
    "cervix": "cervical cancer",
}
GRADES = (
    ("likely benign", "benign in appearance"),
    ("indeterminate", "of uncertain nature"),
    ("suspicious for {cancer}", "suspected {cancer}"),
    ("highly suspicious for {cancer}", "most likely {cancer}"),
)
NODE_VERDICTS = (
    ("likely reactive", "reactive in appearance"),
    ("indeterminate", "of uncertain nature"),
    ("consistent with metastasis", "in keeping with nodal metastasis"),
)
ELSEWHERE_VERDICTS = (
    ("likely benign", "benign in appearance"),
    ("indeterminate", "of uncertain nature"),
    ("consistent with metastasis", "in keeping with metastasis"),
)
LYMPHOMA_VERDICTS = (
    ("likely reactive", "reactive in appearance"),
    ("indeterminate", "of uncertain nature"),
    ("consistent with lymphoma", "in keeping with involvement by lymphoma"),
)
N_SUFFIX = " (N{n})"
TNM = ("overall imaging stage T{t}N{n}M{m}", "findings correspond to T{t}N{n}M{m}")
SPREAD = {
    "local": ("the disease is at a local stage", "extent of disease: local stage"),
    "regional": ("the disease is at a regional stage", "extent of disease: regional stage"),
    "distant": (
        "the disease is at a distant stage ({organs} organ{s} with metastases)",
        "extent of disease: distant stage with metastases in {organs} organ{s}",
    ),
}
ANN_ARBOR = ("Ann Arbor stage {stage}", "findings correspond to Ann Arbor stage {stage}")
DIAPHRAGM = {
    "above": "all involved nodes lie above the diaphragm",
    "below": "all involved nodes lie below the diaphragm",
    "both": "involved nodes lie on both sides of the diaphragm",
}
HOTTEST = ("now the most avid lesion", "the most avid of the remaining lesions")
EARLIER = ("{SUV} before", "previously {SUV}")
CHANGE = {
    "down": ("SUVmax down by {percent}%", "a fall of {percent}%"),
    "up": ("SUVmax up by {percent}%", "a rise of {percent}%"),
    "none": ("no change in SUVmax",),
}
DEAUVILLE = ("Deauville score {score}", "Deauville {score}")
RESPONSE = {
    "complete": ("complete metabolic response", "in keeping with complete metabolic response"),
    "partial": ("partial metabolic response", "in keeping with partial metabolic response"),
    "stable": ("stable metabolic disease", "in keeping with stable metabolic disease"),
    "progression": ("metabolic progression", "in keeping with metabolic progression"),
}
INCIDENTAL_LEAD = "{sign} {place}"
CLEAR = ("no evidence of malignancy on whole-body PET/CT", "no PET/CT evidence of a malignant tumour")
BIOPSIES = {"needle": "needle biopsy", "endoscope": "endoscopic biopsy", "colposcope": "colposcopic biopsy"}
ADVICE = {
    "yearly": ("yearly follow-up is advised", "follow-up in one year is advised"),
    "six months": ("follow-up in 6 months is advised", "follow-up CT in 6 months is advised"),
    "three months": ("follow-up in 3 months is advised", "follow-up CT in 3 months is advised"),
    "biopsy": ("{biopsy} is advised", "{biopsy} is recommended"),
    "biopsy and board": (
        "{biopsy} and discussion at the tumour board are advised",
        "{biopsy} followed by tumour board review is advised",
    ),
    "board": (
        "tumour board review for systemic treatment is advised",
        "discussion of systemic treatment at the tumour board is advised",
    ),
    "node biopsy": ("lymph node biopsy is advised", "excision biopsy of a lymph node is advised"),
    "follow": ("continued follow-up is advised", "regular follow-up is advised"),
    "go on": ("continuation of the present treatment is advised", "the present treatment may be continued"),
    "soon again": ("an early repeat PET/CT is advised", "PET/CT should be repeated soon"),
    "rethink": ("a change of treatment should be considered", "re-evaluation of treatment is advised"),
}


def listed(names: list[str]) -> str:
    """``A, B and C``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def either(names: list[str]) -> str:
    """Names after "none in": ``A, B or C``."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def numbers(values: list[str]) -> str:
    """``1.2 and 1.4``."""
    return listed(values)


def several(text: str) -> str:
    """The words before several numbers: English says them as before one."""
    return text.replace("short axis", "short axes")


def named(text: str) -> str:
    """A sentence as it begins, with a capital."""
    return text[:1].upper() + text[1:]


def with_article(text: str) -> str:
    """``a nodule``, ``an irregular nodule``."""
    return f"{'an' if text[0].lower() in 'aeiou' else 'a'} {text}"


def bare(sign: str, many: bool) -> str:
    """What is seen, without its article, and in the plural where there are several."""
    text = sign.removeprefix("an ").removeprefix("a ")
    return text.replace("focus", "foci").replace("nodule", "nodules") if many else text


GROUP = 2
"""How many lesions an item may name: with more, the commas of the list would cut it."""
