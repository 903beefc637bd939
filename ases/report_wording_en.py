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
    "After intravenous injection of {dose} mCi of 18F-FDG and an uptake time of {minutes} minutes, images were obtained "
    "from the skull to the thighs; blood glucose was {glucose} mmol/L",
)
BACKGROUND = ("Mediastinal blood pool {pool}, liver {liver}", "Background: mediastinal blood pool {pool}, liver {liver}")
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
    " and a mean attenuation of {hu} HU",
    " and homogeneous density",
    " and slightly heterogeneous density",
    "",
    "",
)

PRIMARY_MASS = (
    "There is {a_noun} in {site} measuring {size}, with {sign}{extra}; it shows {uptake} ({SUV}){before}",
    "In {site} lies {a_noun} of {size} with {sign}{extra}, showing {uptake} ({SUV}){before}",
    "{a_noun} with {sign}{extra} is seen in {site}, measuring {size}, with {uptake} and {an_SUV}{before}",
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
BEFORE, BEFORE_NEW, NEW = ", compared with {SUV} before", ", not present on the earlier study", "new"

ORGANS = {
    "nasopharynx": "the nasopharynx",
    "oropharynx": "the oropharynx",
    "larynx": "the larynx",
    "n.neck": "the neck",
    "n.supraclavicular": "the supraclavicular fossae",
    "n.hilar": "the hila",
    "n.mediastinum": "the mediastinum",
    "n.axilla": "the axillae",
    "spleen": "the spleen",
    "pancreas": "the pancreas",
    "adrenal": "the adrenal glands",
    "kidney": "the kidneys",
    "n.hepatogastric": "the gastrohepatic ligament",
    "n.porta": "the porta hepatis",
    "n.mesentery": "the mesentery",
    "n.retroperitoneum": "the retroperitoneum",
    "n.iliac": "the iliac chains",
    "n.inguinal": "the groins",
}

_NODES = ("No enlarged or FDG-avid lymph nodes are seen in {list}", "There are no enlarged or FDG-avid nodes in {list}")
# Region: heading, then (organs, what is said where they are normal, what is said of the rest where they are not).
REGIONS = (
    ("Head and neck", (
        ("brain", ("FDG distribution in the cerebral cortex, basal ganglia, thalami and cerebellum is symmetrical; the "
                   "ventricles are not dilated and the midline is not shifted",
                   "The cerebral hemispheres show normal density and symmetrical FDG distribution, without midline "
                   "shift"),
         "FDG distribution in the rest of the brain is symmetrical"),
        ("sinus", ("The paranasal sinuses are clear and their walls intact", "The paranasal sinuses are well aerated"),
         ""),
        ("nasopharynx oropharynx larynx", ("No thickening or abnormal FDG uptake is seen in {list}",
                                           "No abnormal density or FDG uptake is seen in {list}"), ""),
        ("salivary", ("The parotid and submandibular glands are symmetrical",
                      "The salivary glands show normal density and FDG distribution"), ""),
        ("thyroid", ("The thyroid is normal in size and density, without abnormal FDG uptake",
                     "Both thyroid lobes and the isthmus show no abnormal density or FDG uptake"), ""),
        ("n.neck n.supraclavicular", _NODES, ""),
    )),
    ("Chest", (
        ("lung", ("Both lungs are clear, without nodules, consolidation or abnormal FDG uptake",
                  "No nodule or consolidation is seen in the lungs and FDG distribution is normal"),
         "The rest of the lungs is clear"),
        ("airway", ("The trachea and bronchi are patent", "The central airways are patent, without wall thickening"),
         ""),
        ("n.hilar n.mediastinum n.axilla", _NODES, ""),
        ("pleura", ("There is no pleural thickening or effusion", "There is no pleural effusion"), ""),
        ("heart", ("The heart is not enlarged and there is no pericardial effusion",
                   "Heart size is normal and the pericardium is not thickened"), ""),
        ("vessels", ("The aorta is of normal calibre", ""), ""),
        ("oesophagus", ("The oesophagus shows no wall thickening or abnormal FDG uptake",
                        "The oesophageal wall is not thickened and shows no abnormal FDG uptake"), ""),
        ("breast", ("Both breasts are symmetrical, without abnormal density or FDG uptake",
                    "No abnormal FDG uptake is seen in either breast"),
         "No abnormal FDG uptake is seen in the other breast"),
    )),
    ("Abdomen and pelvis", (
        ("liver", ("The liver is normal in size and shape, with homogeneous density and FDG distribution",
                   "The liver has a smooth surface and shows no focal abnormality of density or FDG uptake"),
         "FDG distribution in the rest of the liver is normal"),
        ("gallbladder", ("The gallbladder wall is not thickened and the bile ducts are not dilated",
                         "The gallbladder is normal in size and the biliary tree is not dilated"),
         "The bile ducts are not dilated"),
        ("spleen pancreas adrenal kidney", ("No abnormality of density or FDG uptake is seen in {list}",
                                            "No abnormal density or FDG uptake is present in {list}"), ""),
        ("stomach", ("The stomach is moderately distended, without wall thickening or abnormal FDG uptake",
                     "The gastric wall is smooth and FDG distribution is normal"), ""),
        ("bowel", ("The bowel shows no wall thickening, dilatation or abnormal FDG uptake",
                   "The bowel loops are not dilated and their walls are not thickened"),
         "The rest of the bowel is not dilated"),
        ("peritoneum", ("The peritoneum is not thickened and there is no ascites", "There is no ascites"),
         "There is no ascites"),
        ("n.hepatogastric n.porta n.mesentery n.retroperitoneum n.iliac n.inguinal", _NODES, ""),
        ("bladder", ("The bladder is well filled and its wall is smooth", "The bladder wall is not thickened"), ""),
        ("uterus", ("The uterine body is normal in size and there is no abnormal FDG uptake in the adnexa",
                    "The uterine body and the adnexa show no abnormal density"),
         "There is no abnormal FDG uptake in the adnexa"),
        ("cervix", ("The cervix is not enlarged and shows no abnormal FDG uptake", ""), ""),
        ("prostate", ("The prostate is normal in size and the seminal vesicles are symmetrical",
                      "The prostate is not enlarged and shows no abnormal FDG uptake"),
         "The seminal vesicles are symmetrical"),
    )),
    ("Bones and soft tissues", (
        ("spine", ("Alignment of the spine is normal", "The curvature of the spine is preserved"), ""),
        ("bone", ("The bones are intact, without destruction or abnormal FDG uptake",
                  "No bone destruction or abnormal FDG uptake is seen in the skeleton"),
         "No bone destruction or abnormal FDG uptake is seen in the rest of the skeleton"),
        ("joints", ("The large joints are preserved", ""), ""),
        ("muscle", ("The muscles and subcutaneous tissues show no abnormal density",
                    "FDG distribution in the muscles is symmetrical"), ""),
    )),
)  # fmt: skip

# Benign findings: places, sign, how the findings tell it, what it is taken for (empty where it is only repeated).
INCIDENTALS = {
    "lacunes": (("in both basal ganglia", "in the right basal ganglia", "in the left thalamus"), "punctate low-density foci",
                ("{sign} {place} are seen, with reduced FDG uptake", "There are {sign} {place}, with reduced FDG uptake"),
                ("consistent with lacunar infarcts", "in keeping with lacunar infarcts")),
    "sinus": (("of both maxillary sinuses", "of the right maxillary sinus", "of the left ethmoid sinus"),
              "mucosal thickening", ("There is {sign} {place}, without increased FDG uptake", "{sign} {place} is seen; the sinus walls are intact"),
              ("consistent with chronic sinusitis", "in keeping with sinusitis")),
    "tonsils": (("of both palatine tonsils",), "symmetrical FDG uptake", ("There is {sign} {place} ({SUV}), without a mass on CT",),
                ("likely physiological", "considered physiological")),
    "thyroid-diffuse": (("of both thyroid lobes",), "diffuse FDG uptake", ("There is {sign} {place} ({SUV})", "{sign} {place} is seen ({SUV}), with reduced density"),
                        ("consistent with thyroiditis", "in keeping with thyroiditis")),
    "calcified-nodule": (("in the right upper lobe", "in the right lower lobe", "in the left upper lobe", "in the left lower lobe"),
                         "densely calcified nodule", ("A {sign} of {long} cm is seen {place}, without FDG uptake",),
                         ("consistent with an old granuloma", "in keeping with an old granuloma")),
    "lung-bands": (("in both lower lobes", "in the middle lobe", "in the lingula", "in both upper lobes"), "linear opacities",
                   ("There are {sign} {place}, without increased FDG uptake", "{sign} {place} are seen, without increased FDG uptake"),
                   ("consistent with old inflammation", "likely scars")),
    "liver-cyst": (("in the right lobe of the liver", "in the left lobe of the liver"), "water-density focus",
                   ("There is a {sign} {place} measuring {size}, without FDG uptake", "A {sign} of {size} is seen {place}, photopenic on PET"),
                   ("consistent with a cyst", "in keeping with a cyst")),
    "fatty-liver": (("of the liver",), "diffusely reduced density", ("There is {sign} {place}, below that of the spleen, with homogeneous FDG distribution",),
                    ("consistent with steatosis", "in keeping with steatosis")),
    "adrenal-fat": (("in the right adrenal gland", "in the left adrenal gland"), "fat-density nodule",
                    ("There is a {sign} {place} measuring {size}, without increased FDG uptake",), ("consistent with an adenoma", "in keeping with an adenoma")),
    "kidney-cyst": (("in the left kidney", "in the right kidney"), "water-density focus",
                    ("There is a {sign} {place} measuring {size}, without FDG uptake", "A {sign} of {size} is seen {place}, photopenic on PET"),
                    ("consistent with a cyst", "in keeping with a cyst")),
    "stomach-diffuse": (("of the gastric wall",), "diffuse FDG uptake", ("There is {sign} {place} ({SUV}), without focal thickening on CT",),
                        ("consistent with gastritis", "in keeping with gastritis")),
    "bowel-strip": (("along the colon",), "linear FDG uptake", ("There is {sign} {place} ({SUV}), without wall thickening on CT",),
                    ("likely physiological", "considered physiological")),
    "fibroid": (("in the anterior uterine wall", "in the posterior uterine wall"), "isodense nodule",
                ("There is an {sign} {place} measuring {size}, without increased FDG uptake",), ("consistent with a fibroid", "in keeping with a fibroid")),
    "spurs": (("of the cervical spine", "of the thoracolumbar spine", "of the lumbar spine"), "marginal osteophytes",
              ("There are {sign} {place}, without increased FDG uptake", "{sign} {place} are seen, with narrowed disc spaces"),
              ("consistent with degenerative change", "degenerative in nature")),
    "shoulders": (("around both shoulder joints", "around the right shoulder joint", "around both hip joints"), "FDG uptake",
                  ("There is {sign} {place} ({SUV}), without bone abnormality",), ("likely periarthritis", "in keeping with periarthritis")),
    "aorta": (("of the aorta and coronary arteries", "of the aorta", "of the coronary arteries"), "wall calcification", ("There is {sign} {place}", "{sign} {place} is seen"), ()),
    "gallstones": (("in the gallbladder",), "dense stones", ("There are {sign} {place}", "{sign} {place} are seen; the wall is not thickened"), ()),
    "pleural-fluid": (("in both pleural cavities", "in the right pleural cavity", "in the left pleural cavity"), "a little fluid",
                      ("There is {sign} {place}, without FDG uptake", "There is {sign} {place}"), ()),
    "pericardial-fluid": (("in the pericardium",), "a little fluid", ("There is {sign} {place}", "{sign} is seen {place}; the heart is not enlarged"), ()),
    "prostate": (("of the prostate",), "enlargement and calcification", ("There is {sign} {place}, without increased FDG uptake",), ()),
    "scoliosis": (("of the spine",), "mild lateral curvature", ("There is {sign} {place}", "{sign} {place} is seen; the vertebrae are intact"), ()),
}  # fmt: skip

# The impression.
SIZE_PARTS = {"mass": ("{size}", "measuring {size}"), "wall": ("up to {thick} cm thick",)}
PRIMARY_LEADS = ("{noun} {where} {site} ({part})", "{noun} {where} {site}")
NODE_LEADS = ("{sites} lymph {nodes}",)
NEW_NODE_LEAD = "new {sites} lymph {nodes}"
ELSEWHERE_LEADS = ("{sign} in {sites}",)
NEW_ELSEWHERE_LEAD = "new {sign} in {sites}"
AXES, SPANS = ("short axis {} cm",), ("measuring {}",)
CANCERS = {
    "lung": "lung cancer", "breast": "breast cancer", "thyroid": "thyroid cancer",
    "nasopharynx": "nasopharyngeal cancer", "oesophagus": "oesophageal cancer", "stomach": "gastric cancer",
    "colon": "colorectal cancer", "liver": "liver cancer", "pancreas": "pancreatic cancer", "cervix": "cervical cancer",
}  # fmt: skip
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
EARLIER = ("{SUV} before",)
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
