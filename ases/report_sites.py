"""Where a generated PET report finds things: sites, lymph node stations and the families of primary tumours.

>>> SITES["lung.1"].zh, SITES["lung.1"].en, SITES["lung.1"].side
('右肺上叶尖段', 'the apical segment of the right upper lobe', 'R')

Names only, in Chinese and English, and what the rules of :mod:`ases.lesions` must know of a place: its organ, its side
of the body and, for lymph nodes, its side of the diaphragm. The source is ours, in the manner of routine reports.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Site:
    """A place: ``organ`` groups places; ``side`` is ``R``, ``L`` or ``-``; ``above`` the diaphragm, for stations."""

    key: str
    organ: str
    side: str
    zh: str
    en: str
    above: bool = False


@dataclass(frozen=True)
class Family:
    """Primary tumours of one organ: where its lymph flows, where it spreads to, and what it looks like.

    ``regional`` and ``distant`` name organs of :data:`STATIONS` and :data:`DISTANT`. ``wall`` is true where the
    lesion is a thickened wall (thickness and length) and not a nodule or mass (two diameters). ``biopsy`` names the
    way to tissue; ``sex`` is ``F``, or empty for both.
    """

    name: str
    wall: bool
    regional: tuple[str, ...]
    distant: tuple[str, ...]
    biopsy: str
    sex: str = ""


def _family(name: str, wall: bool, regional: str, distant: str, biopsy: str, sex: str = "") -> Family:
    return Family(name, wall, tuple(regional.split()), tuple(distant.split()), biopsy, sex)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        _family("lung", False, "hilar mediastinum supraclavicular", "bone liver adrenal", "needle"),
        _family("breast", False, "axilla supraclavicular", "bone liver lung pleura", "needle", "F"),
        _family("thyroid", False, "neck supraclavicular", "bone lung", "needle"),
        _family("nasopharynx", True, "neck supraclavicular", "bone liver lung", "endoscope"),
        _family("oesophagus", True, "mediastinum supraclavicular", "bone liver lung", "endoscope"),
        _family("stomach", True, "hepatogastric", "liver bone peritoneum", "endoscope"),
        _family("colon", True, "mesentery", "liver lung peritoneum", "endoscope"),
        _family("liver", False, "porta", "lung bone adrenal", "needle"),
        _family("pancreas", False, "porta retroperitoneum", "liver lung peritoneum", "needle"),
        _family("cervix", False, "iliac", "bone lung liver", "colposcope", "F"),
    )
}
"""Families of primary tumours by name. A positive station that is not regional counts as distant spread."""

FAR_STATIONS = {"stomach": "supraclavicular", "colon": "retroperitoneum", "pancreas": "supraclavicular"} | {
    "liver": "retroperitoneum",
    "cervix": "retroperitoneum",
    "breast": "mediastinum",
}
"""A station that is not regional and that a family may reach."""

_PRIMARY = """
lung R 右肺上叶尖段 = the apical segment of the right upper lobe
lung R 右肺上叶前段 = the anterior segment of the right upper lobe
lung R 右肺上叶后段 = the posterior segment of the right upper lobe
lung R 右肺中叶内侧段 = the medial segment of the middle lobe
lung R 右肺中叶外侧段 = the lateral segment of the middle lobe
lung R 右肺下叶背段 = the superior segment of the right lower lobe
lung R 右肺下叶后基底段 = the posterior basal segment of the right lower lobe
lung L 左肺上叶尖后段 = the apicoposterior segment of the left upper lobe
lung L 左肺上叶前段 = the anterior segment of the left upper lobe
lung L 左肺上叶舌段 = the lingula of the left upper lobe
lung L 左肺下叶背段 = the superior segment of the left lower lobe
lung L 左肺下叶前内基底段 = the anteromedial basal segment of the left lower lobe
lung L 左肺下叶外基底段 = the lateral basal segment of the left lower lobe
breast R 右侧乳腺外上象限 = the upper outer quadrant of the right breast
breast R 右侧乳腺内上象限 = the upper inner quadrant of the right breast
breast R 右侧乳腺外下象限 = the lower outer quadrant of the right breast
breast L 左侧乳腺外上象限 = the upper outer quadrant of the left breast
breast L 左侧乳腺内下象限 = the lower inner quadrant of the left breast
breast L 左侧乳腺外下象限 = the lower outer quadrant of the left breast
thyroid R 甲状腺右叶上极 = the upper pole of the right thyroid lobe
thyroid R 甲状腺右叶下极 = the lower pole of the right thyroid lobe
thyroid L 甲状腺左叶上极 = the upper pole of the left thyroid lobe
thyroid L 甲状腺左叶下极 = the lower pole of the left thyroid lobe
thyroid - 甲状腺峡部 = the thyroid isthmus
nasopharynx R 鼻咽右侧壁 = the right lateral wall of the nasopharynx
nasopharynx L 鼻咽左侧壁 = the left lateral wall of the nasopharynx
nasopharynx - 鼻咽顶后壁 = the posterosuperior wall of the nasopharynx
oesophagus - 食管胸上段 = the upper thoracic oesophagus
oesophagus - 食管胸中段 = the middle thoracic oesophagus
oesophagus - 食管胸下段 = the lower thoracic oesophagus
stomach - 胃底 = the gastric fundus
stomach - 胃体小弯侧 = the lesser curvature of the gastric body
stomach - 胃窦 = the gastric antrum
stomach - 贲门 = the gastric cardia
colon - 升结肠 = the ascending colon
colon - 横结肠 = the transverse colon
colon - 降结肠 = the descending colon
colon - 乙状结肠 = the sigmoid colon
colon - 直肠上段 = the upper rectum
colon - 直肠下段 = the lower rectum
liver R 肝右前叶 = the right anterior sector of the liver
liver R 肝右后叶 = the right posterior sector of the liver
liver L 肝左内叶 = the left medial sector of the liver
liver L 肝左外叶 = the left lateral sector of the liver
pancreas - 胰头 = the pancreatic head
pancreas - 胰颈 = the pancreatic neck
pancreas - 胰体 = the pancreatic body
pancreas - 胰尾 = the pancreatic tail
cervix - 宫颈前唇 = the anterior lip of the cervix
cervix - 宫颈后唇 = the posterior lip of the cervix
"""

# English names of stations stand before "lymph node".
_STATION = """
neck R 右侧颈部 = right cervical
neck L 左侧颈部 = left cervical
supraclavicular R 右侧锁骨上区 = right supraclavicular
supraclavicular L 左侧锁骨上区 = left supraclavicular
hilar R 右肺门 = right hilar
hilar L 左肺门 = left hilar
mediastinum R 右侧气管旁 = right paratracheal
mediastinum L 左侧气管旁 = left paratracheal
mediastinum - 隆突下 = subcarinal
axilla R 右侧腋窝 = right axillary
axilla L 左侧腋窝 = left axillary
hepatogastric - 肝胃间隙 = gastrohepatic
porta - 肝门区 = porta hepatis
mesentery - 肠系膜根部 = mesenteric root
retroperitoneum - 腹膜后 = retroperitoneal
iliac R 右侧髂血管旁 = right iliac
iliac L 左侧髂血管旁 = left iliac
inguinal R 右侧腹股沟 = right inguinal
inguinal L 左侧腹股沟 = left inguinal
"""
_ABOVE = {"neck", "supraclavicular", "hilar", "mediastinum", "axilla"}

_DISTANT = """
bone - 第4胸椎椎体 = the T4 vertebral body
bone - 第8胸椎椎体 = the T8 vertebral body
bone - 第11胸椎椎体 = the T11 vertebral body
bone - 第2腰椎椎体 = the L2 vertebral body
bone - 第4腰椎椎体 = the L4 vertebral body
bone R 右侧第5肋骨 = the right fifth rib
bone L 左侧第7肋骨 = the left seventh rib
bone - 胸骨体 = the sternal body
bone - 骶骨 = the sacrum
bone R 右侧髂骨 = the right ilium
bone L 左侧髂骨 = the left ilium
bone R 右侧肩胛骨 = the right scapula
bone L 左侧股骨上段 = the proximal left femur
liver R 肝右叶上部 = the upper right lobe of the liver
liver R 肝右叶下部 = the lower right lobe of the liver
liver L 肝左叶 = the left lobe of the liver
adrenal R 右侧肾上腺 = the right adrenal gland
adrenal L 左侧肾上腺 = the left adrenal gland
lung R 右肺上叶 = the right upper lobe
lung R 右肺下叶 = the right lower lobe
lung L 左肺上叶 = the left upper lobe
lung L 左肺下叶 = the left lower lobe
pleura R 右侧胸膜 = the right pleura
pleura L 左侧胸膜 = the left pleura
peritoneum - 大网膜 = the greater omentum
peritoneum - 盆底腹膜 = the pelvic peritoneum
spleen - 脾脏上部 = the upper part of the spleen
spleen - 脾脏下部 = the lower part of the spleen
"""


def _sites(kind: str, table: str) -> tuple[Site, ...]:
    sites, counts = [], {}
    for line in table.strip().splitlines():
        names, en = line.split(" = ")
        organ, side, zh = names.split()
        counts[organ] = counts.get(organ, 0) + 1
        sites.append(Site(f"{kind}{organ}.{counts[organ]}", organ, side, zh, en, kind == "n:" and organ in _ABOVE))
    return tuple(sites)


PRIMARY = _sites("", _PRIMARY)
"""Where a primary tumour can lie; ``organ`` is its family."""

STATIONS = _sites("n:", _STATION)
"""Lymph node stations."""

DISTANT = _sites("d:", _DISTANT)
"""Where distant spread can lie."""

SITES: dict[str, Site] = {site.key: site for site in PRIMARY + STATIONS + DISTANT}
"""Every site by key."""
