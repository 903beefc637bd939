"""What the findings of the generated PET reports say of organs where nothing was found.

>>> REGIONS[1].headings["en"], REGIONS[1].entries[0].organs
('Chest', ('lung',))

A region of the table begins with its heading in brackets; an entry with the organs that it speaks of (``n.`` stands for
lymph node stations), then its wordings, and after ``rest`` what is said of the rest of an organ where something local
was found. ``{list}`` names those of the organs where nothing was found; other wordings stand for all of them. No
wording uses a word of the conclusions, and none is about an organ of another entry.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """Organs told of together: wordings by language, and what is said of the rest, if anything."""

    organs: tuple[str, ...]
    wordings: dict[str, tuple[str, ...]]
    rest: dict[str, str]


@dataclass(frozen=True)
class Region:
    """A part of the body: its heading by language, and its entries in the order in which they are told."""

    headings: dict[str, str]
    entries: tuple[Entry, ...]


_NODES = {
    "zh": (
        "{list}未见肿大淋巴结，未见异常放射性摄取",
        "{list}未见肿大或放射性摄取增高的淋巴结",
        "{list}未见肿大淋巴结",
    ),
    "en": (
        "No enlarged or FDG-avid lymph nodes are seen in {list}",
        "There are no enlarged or FDG-avid nodes in {list}",
        "No enlarged lymph nodes are seen in {list}",
    ),
}

_ORGANS = """
nasopharynx 鼻咽壁 = the nasopharynx
oropharynx 口咽壁 = the oropharynx
larynx 喉部软组织 = the larynx
n.neck 双侧颈部 = the neck
n.supraclavicular 双侧锁骨上区 = the supraclavicular fossae
n.hilar 双侧肺门 = the hila
n.mediastinum 纵隔 = the mediastinum
n.axilla 双侧腋窝 = the axillae
spleen 脾脏 = the spleen
pancreas 胰腺 = the pancreas
adrenal 双侧肾上腺 = the adrenal glands
kidney 双肾 = the kidneys
n.hepatogastric 肝胃间隙 = the gastrohepatic ligament
n.porta 肝门区 = the porta hepatis
n.mesentery 肠系膜 = the mesentery
n.retroperitoneum 腹膜后 = the retroperitoneum
n.iliac 双侧髂血管旁 = the iliac chains
n.inguinal 双侧腹股沟 = the groins
"""

_TABLE = """
[头颈部 = Head and neck]
brain
  zh: 大脑皮质、基底节、丘脑及小脑放射性分布对称，脑实质内未见异常密度影，脑室系统未见扩张，中线结构居中
  zh: 双侧大脑半球形态、密度未见异常，放射性分布对称均匀，脑沟、脑裂未见增宽，中线结构无移位
  zh: 脑实质内未见异常密度影，放射性分布对称
  zh rest: 余脑实质放射性分布对称，中线结构居中
  en: FDG distribution in the cortex, basal ganglia and cerebellum is symmetrical; the ventricles are not dilated
  en: The cerebral hemispheres show normal density and symmetrical FDG distribution, without midline shift
  en: The brain shows no abnormal density and FDG distribution is symmetrical
  en rest: FDG distribution in the rest of the brain is symmetrical
sinus
  zh: 各组鼻窦清晰，窦壁骨质完整
  zh: 双侧上颌窦、筛窦及额窦气化良好
  en: The paranasal sinuses are clear and their walls intact
  en: The paranasal sinuses are well aerated
nasopharynx oropharynx larynx
  zh: {list}未见增厚，未见异常放射性摄取
  zh: {list}未见异常密度影及放射性摄取
  en: No thickening or abnormal FDG uptake is seen in {list}
  en: No abnormal density or FDG uptake is seen in {list}
salivary
  zh: 双侧腮腺、颌下腺对称，放射性分布未见异常
  zh: 双侧腮腺及颌下腺形态、密度未见异常
  en: The parotid and submandibular glands are symmetrical
  en: The salivary glands show normal density and FDG distribution
thyroid
  zh: 甲状腺大小、形态正常，密度均匀，放射性分布未见异常
  zh: 甲状腺双叶及峡部未见异常密度影及放射性摄取
  zh: 甲状腺未见异常
  en: The thyroid is normal in size and density, without abnormal FDG uptake
  en: Both thyroid lobes and the isthmus show no abnormal density or FDG uptake
  en: The thyroid is unremarkable
n.neck n.supraclavicular
[胸部 = Chest]
lung
  zh: 双肺纹理清晰，肺野内未见结节及实变影，未见异常放射性摄取
  zh: 双肺透亮度良好，未见实变影，放射性分布未见异常
  zh: 双肺未见异常密度影及放射性摄取
  zh rest: 余肺野清晰，未见异常放射性摄取
  en: Both lungs are clear, without nodules, consolidation or abnormal FDG uptake
  en: No nodule or consolidation is seen in the lungs and FDG distribution is normal
  en: The lungs show no abnormal density or FDG uptake
  en rest: The rest of the lungs is clear
airway
  zh: 气管及各级支气管通畅，管壁未见增厚
  zh: 气管、支气管管腔通畅
  en: The trachea and bronchi are patent
  en: The central airways are patent, without wall thickening
n.hilar n.mediastinum n.axilla
pleura
  zh: 双侧胸膜未见增厚，胸腔未见积液
  zh: 双侧胸腔未见积液
  en: There is no pleural thickening or effusion
  en: There is no pleural effusion
heart
  zh: 心影大小、形态未见异常，心包未见积液
  zh: 心脏大小正常，心包未见增厚
  en: The heart is not enlarged and there is no pericardial effusion
  en: Heart size is normal and the pericardium is not thickened
vessels
  zh: 主动脉管径未见异常
  en: The aorta is of normal calibre
oesophagus
  zh: 食管走行自然，管壁未见增厚，未见异常放射性摄取
  zh: 食管未见管壁增厚及异常放射性摄取
  zh: 食管壁未见增厚
  en: The oesophagus shows no wall thickening or abnormal FDG uptake
  en: The oesophageal wall is not thickened and shows no abnormal FDG uptake
  en: The oesophageal wall is not thickened
breast
  zh: 双侧乳腺对称，腺体内未见异常密度影及异常放射性摄取
  zh: 双侧乳腺未见异常放射性摄取
  zh rest: 对侧乳腺未见异常放射性摄取
  en: Both breasts are symmetrical, without abnormal density or FDG uptake
  en: No abnormal FDG uptake is seen in either breast
  en rest: No abnormal FDG uptake is seen in the other breast
[腹盆部 = Abdomen and pelvis]
liver
  zh: 肝脏大小、形态正常，各叶比例协调，实质密度均匀，放射性分布未见异常
  zh: 肝脏表面光滑，实质内未见异常密度影，放射性分布均匀
  zh: 肝脏形态、密度未见异常，放射性分布均匀
  zh rest: 肝脏余部放射性分布未见异常
  en: The liver is normal in size and shape, with homogeneous density and FDG distribution
  en: The liver has a smooth surface and shows no focal abnormality of density or FDG uptake
  en: The liver shows no abnormal density or FDG uptake
  en rest: FDG distribution in the rest of the liver is normal
gallbladder
  zh: 胆囊大小、形态未见异常，壁不厚，胆道系统未见扩张
  zh: 胆囊壁不厚，肝内外胆管未见扩张
  zh rest: 肝内外胆管未见扩张
  en: The gallbladder wall is not thickened and the bile ducts are not dilated
  en: The gallbladder is normal in size and the biliary tree is not dilated
  en rest: The bile ducts are not dilated
spleen pancreas adrenal kidney
  zh: {list}形态、密度未见异常，放射性分布未见异常
  zh: {list}大小、形态正常，未见异常放射性摄取
  en: No abnormality of density or FDG uptake is seen in {list}
  en: No abnormal density or FDG uptake is present in {list}
stomach
  zh: 胃充盈尚可，胃壁未见增厚，未见异常放射性摄取
  zh: 胃腔充盈可，胃壁光滑，放射性分布未见异常
  zh: 胃壁未见增厚
  en: The stomach is moderately distended, without wall thickening or abnormal FDG uptake
  en: The gastric wall is smooth and FDG distribution is normal
  en: The gastric wall is not thickened
bowel
  zh: 肠道走行自然，肠壁未见增厚，未见异常放射性摄取
  zh: 各段肠管未见扩张，肠壁未见增厚
  zh: 肠道未见异常放射性摄取
  zh rest: 余肠管未见扩张
  en: The bowel shows no wall thickening, dilatation or abnormal FDG uptake
  en: The bowel loops are not dilated and their walls are not thickened
  en: The bowel shows no abnormal FDG uptake
  en rest: The rest of the bowel is not dilated
peritoneum
  zh: 腹膜未见增厚，腹盆腔未见积液
  zh: 腹盆腔未见积液
  zh rest: 腹盆腔未见积液
  en: The peritoneum is not thickened and there is no ascites
  en: There is no ascites
  en rest: There is no ascites
n.hepatogastric n.porta n.mesentery n.retroperitoneum n.iliac n.inguinal
bladder
  zh: 膀胱充盈良好，壁光滑，腔内未见异常密度影
  zh: 膀胱充盈可，壁未见增厚
  en: The bladder is well filled and its wall is smooth
  en: The bladder wall is not thickened
uterus
  zh: 子宫体大小、形态未见异常，双侧附件区未见异常放射性摄取
  zh: 子宫体及双侧附件区未见异常密度影
  zh rest: 双侧附件区未见异常放射性摄取
  en: The uterine body is normal in size and there is no abnormal FDG uptake in the adnexa
  en: The uterine body and the adnexa show no abnormal density
  en rest: There is no abnormal FDG uptake in the adnexa
cervix
  zh: 宫颈未见增大，未见异常放射性摄取
  en: The cervix is not enlarged and shows no abnormal FDG uptake
prostate
  zh: 前列腺大小、形态未见异常，双侧精囊腺对称
  zh: 前列腺未见增大，未见异常放射性摄取
  zh rest: 双侧精囊腺对称
  en: The prostate is normal in size and the seminal vesicles are symmetrical
  en: The prostate is not enlarged and shows no abnormal FDG uptake
  en rest: The seminal vesicles are symmetrical
[骨骼及软组织 = Bones and soft tissues]
spine
  zh: 脊柱序列正常
  zh: 脊柱生理曲度存在，椎体序列正常
  en: Alignment of the spine is normal
  en: The curvature of the spine is preserved
bone
  zh: 所示骨骼骨质结构完整，未见骨质破坏，放射性分布未见异常
  zh: 全身骨骼未见骨质破坏及异常放射性摄取
  zh rest: 余骨骼未见骨质破坏及异常放射性摄取
  en: The bones are intact, without destruction or abnormal FDG uptake
  en: No bone destruction or abnormal FDG uptake is seen in the skeleton
  en rest: No bone destruction or abnormal FDG uptake is seen in the rest of the skeleton
joints
  zh: 各大关节间隙清晰
  en: The large joints are preserved
muscle
  zh: 所示肌肉及皮下软组织内未见异常密度影
  zh: 肌肉软组织放射性分布对称
  en: The muscles and subcutaneous tissues show no abnormal density
  en: FDG distribution in the muscles is symmetrical
"""


def _organs(table: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {"zh": {}, "en": {}}
    for line in table.strip().splitlines():
        names, en = line.split(" = ")
        key, zh = names.split()
        found["zh"][key], found["en"][key] = zh, en
    return found


def _regions(table: str) -> tuple[Region, ...]:
    regions: list[tuple[dict[str, str], list[Entry]]] = []
    for line in table.strip().splitlines():
        if line.startswith("["):
            zh, en = line.strip("[]").split(" = ")
            regions.append(({"zh": zh, "en": en}, []))
        elif not line.startswith(" "):
            wordings = _NODES if line.startswith("n.") else {"zh": (), "en": ()}
            regions[-1][1].append(Entry(tuple(line.split()), dict(wordings), {}))
        else:
            name, _, text = line.strip().partition(": ")
            entry, language = regions[-1][1][-1], name.split()[0]
            if name.endswith(" rest"):
                entry.rest[language] = text
            else:
                entry.wordings[language] += (text,)
    return tuple(Region(headings, tuple(entries)) for headings, entries in regions)


ORGANS: dict[str, dict[str, str]] = _organs(_ORGANS)
"""How a ``{list}`` names an organ, by language and organ."""

REGIONS: tuple[Region, ...] = _regions(_TABLE)
"""The body from head to foot."""
