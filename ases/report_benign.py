"""The benign findings of the generated PET reports: where they lie, how they look, what they are taken for.

>>> BENIGN["liver-cyst"].words["en"].conclusions
('consistent with a cyst', 'in keeping with a cyst')

The table is the rule: a sign has one meaning, which the impression states (AS). Findings without ``is`` are only
repeated (ES). A block of the table begins with a key, the organ, the ranges of longest diameter (mm) and of ten times
the SUVmax where they are told, and the sex where only one can have it; ``at`` lists places, one number a place in both
languages, ``told`` a wording of the findings, ``also`` the impression's own words for the sign. Signs and
meanings are ours, for exercise and no medical advice.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """How a language tells a benign finding; no ``conclusions`` where it is only repeated."""

    sign: str
    also: tuple[str, ...]
    places: tuple[str, ...]
    tellings: tuple[str, ...]
    conclusions: tuple[str, ...]


@dataclass(frozen=True)
class Benign:
    """A benign finding: its organ, the ranges of its numbers, the sex that can have it, and its words by language."""

    organ: str
    size: tuple[int, int] | None
    suv: tuple[int, int] | None
    sex: str
    words: dict[str, Words]


_TABLE = """
lacunes: brain
  zh sign: 斑点状低密度灶
  zh also: 小片低密影 ~ 点状低密影
  zh at: 双侧基底节区 ~ 右侧基底节区 ~ 左侧丘脑
  zh told: {place}见{sign}，放射性摄取减低
  zh is: 考虑腔隙性脑梗死 ~ 符合腔隙性脑梗死
  en sign: punctate low-density foci
  en also: tiny hypodensities ~ small dark spots
  en at: in both basal ganglia ~ in the right basal ganglia ~ in the left thalamus
  en told: {sign} {place} are seen, with reduced FDG uptake
  en told: There are {sign} {place}, with reduced FDG uptake
  en is: consistent with lacunar infarcts ~ in keeping with lacunar infarcts
sinus: sinus
  zh sign: 黏膜增厚
  zh also: 黏膜肥厚 ~ 内膜增厚影
  zh at: 双侧上颌窦 ~ 右侧上颌窦 ~ 左侧筛窦
  zh told: {place}{sign}，未见放射性摄取增高
  zh told: {place}见{sign}，窦壁骨质完整
  zh is: 考虑慢性鼻窦炎 ~ 符合鼻窦炎改变
  en sign: mucosal thickening
  en also: thickened mucosa ~ mucosal swelling
  en at: of both maxillary sinuses ~ of the right maxillary sinus ~ of the left ethmoid sinus
  en told: There is {sign} {place}, without increased FDG uptake
  en told: {sign} {place} is seen; the sinus walls are intact
  en is: consistent with chronic sinusitis ~ in keeping with sinusitis
tonsils: oropharynx suv 26 58
  zh sign: 对称性放射性摄取
  zh also: 对称性代谢增高 ~ 两侧一致的高代谢
  zh at: 双侧扁桃体
  zh told: {place}见{sign}，{SUV}，CT未见肿块
  zh is: 考虑生理性摄取 ~ 倾向生理性摄取
  en sign: symmetrical FDG uptake
  en also: symmetrical tracer accumulation ~ equal hypermetabolism
  en at: of both palatine tonsils
  en told: There is {sign} {place} ({SUV}), without a mass on CT
  en is: likely physiological ~ considered physiological
thyroid-diffuse: thyroid suv 30 76
  zh sign: 弥漫性放射性摄取
  zh also: 弥漫代谢增高 ~ 普遍高代谢
  zh at: 甲状腺双叶
  zh told: {place}见{sign}，{SUV}，密度减低
  zh told: {place}呈{sign}，{SUV}
  zh is: 考虑甲状腺炎 ~ 符合甲状腺炎改变
  en sign: diffuse FDG uptake
  en also: diffuse hypermetabolism ~ generalised tracer accumulation
  en at: of both thyroid lobes
  en told: There is {sign} {place} ({SUV})
  en told: {sign} {place} is seen ({SUV}), with reduced density
  en is: consistent with thyroiditis ~ in keeping with thyroiditis
calcified-nodule: lung size 3 8
  zh sign: 致密钙化结节
  zh also: 高密度钙化灶 ~ 钙化小结
  zh at: 右肺上叶 ~ 右肺下叶 ~ 左肺上叶 ~ 左肺下叶
  zh told: {place}见{sign}，直径约{long}cm，未见放射性摄取
  zh is: 考虑陈旧性肉芽肿 ~ 符合陈旧性肉芽肿
  en sign: densely calcified nodule
  en also: calcific lesion ~ small calcification
  en at: in the right upper lobe ~ in the right lower lobe ~ in the left upper lobe ~ in the left lower lobe
  en told: A {sign} of {long} cm is seen {place}, without FDG uptake
  en is: consistent with an old granuloma ~ in keeping with an old granuloma
lung-bands: lung
  zh sign: 条索影
  zh also: 索条灶 ~ 纤细索条
  zh at: 双肺下叶 ~ 右肺中叶 ~ 左肺舌叶 ~ 双肺上叶
  zh told: {place}见{sign}，未见放射性摄取增高
  zh told: {place}可见少许{sign}，边缘清晰，放射性摄取未见增高
  zh is: 考虑陈旧性病变 ~ 符合陈旧性炎症改变
  en sign: linear opacities
  en also: thin bands ~ streaky opacities
  en at: in both lower lobes ~ in the middle lobe ~ in the lingula ~ in both upper lobes
  en told: There are {sign} {place}, without increased FDG uptake
  en told: {sign} {place} are seen, without increased FDG uptake
  en is: consistent with old inflammation ~ likely scars
liver-cyst: liver size 6 48
  zh sign: 水样低密度灶
  zh also: 液性低密区 ~ 水样密度区
  zh at: 肝右叶 ~ 肝左叶
  zh told: {place}见{sign}，大小约{size}，放射性摄取缺损
  zh told: {place}可见{sign}，大小约{size}，未见放射性摄取
  zh is: 考虑囊肿 ~ 符合囊肿
  en sign: water-density focus
  en also: fluid-density area ~ non-avid hypodensity
  en at: in the right lobe of the liver ~ in the left lobe of the liver
  en told: There is a {sign} {place} measuring {size}, without FDG uptake
  en told: A {sign} of {size} is seen {place}, photopenic on PET
  en is: consistent with a cyst ~ in keeping with a cyst
fatty-liver: liver
  zh sign: 密度弥漫性减低
  zh also: 密度普遍偏低 ~ 弥漫密度偏低
  zh at: 肝实质
  zh told: {place}{sign}，低于脾脏，放射性分布均匀
  zh is: 符合脂肪肝 ~ 考虑脂肪肝
  en sign: diffusely reduced density
  en also: generalised low attenuation ~ low attenuation
  en at: of the liver
  en told: There is {sign} {place}, below that of the spleen, with homogeneous FDG distribution
  en is: consistent with steatosis ~ in keeping with steatosis
adrenal-fat: adrenal size 9 26
  zh sign: 脂质密度结节
  zh also: 含脂结节灶 ~ 脂性低密小结
  zh at: 右侧肾上腺 ~ 左侧肾上腺
  zh told: {place}见{sign}，大小约{size}，未见放射性摄取增高
  zh is: 考虑腺瘤 ~ 符合腺瘤
  en sign: fat-density nodule
  en also: fat-containing lesion ~ non-avid fatty lesion
  en at: in the right adrenal gland ~ in the left adrenal gland
  en told: There is a {sign} {place} measuring {size}, without increased FDG uptake
  en is: consistent with an adenoma ~ in keeping with an adenoma
kidney-cyst: kidney size 7 52
  zh sign: 水样低密度灶
  zh also: 液性低密区 ~ 水样密度区
  zh at: 左肾 ~ 右肾
  zh told: {place}见{sign}，大小约{size}，放射性摄取缺损
  zh told: {place}可见{sign}，大小约{size}，边界清晰，未见放射性摄取
  zh is: 考虑囊肿 ~ 符合囊肿
  en sign: water-density focus
  en also: fluid-density area ~ non-avid hypodensity
  en at: in the left kidney ~ in the right kidney
  en told: There is a {sign} {place} measuring {size}, without FDG uptake
  en told: A {sign} of {size} is seen {place}, photopenic on PET
  en is: consistent with a cyst ~ in keeping with a cyst
stomach-diffuse: stomach suv 26 52
  zh sign: 弥漫性放射性摄取
  zh also: 弥漫代谢增高 ~ 普遍高代谢
  zh at: 胃壁
  zh told: {place}见{sign}，{SUV}，CT未见局限性增厚
  zh is: 考虑胃炎 ~ 符合胃炎改变
  en sign: diffuse FDG uptake
  en also: diffuse hypermetabolism ~ generalised tracer accumulation
  en at: of the gastric wall
  en told: There is {sign} {place} ({SUV}), without focal thickening on CT
  en is: consistent with gastritis ~ in keeping with gastritis
bowel-strip: bowel suv 26 78
  zh sign: 条状放射性摄取
  zh also: 条形代谢增高 ~ 条带样高代谢
  zh at: 结肠走行区
  zh told: {place}见{sign}，{SUV}，CT未见肠壁增厚
  zh is: 考虑生理性摄取 ~ 倾向生理性摄取
  en sign: linear FDG uptake
  en also: band-like hypermetabolism ~ linear tracer accumulation
  en at: along the colon
  en told: There is {sign} {place} ({SUV}), without wall thickening on CT
  en is: likely physiological ~ considered physiological
fibroid: uterus size 12 60 sex F
  zh sign: 等密度结节
  zh also: 等密肿物 ~ 等密小结
  zh at: 子宫前壁 ~ 子宫后壁
  zh told: {place}见{sign}，大小约{size}，未见放射性摄取增高
  zh is: 考虑子宫肌瘤 ~ 符合子宫肌瘤
  en sign: isodense nodule
  en also: isodense lump ~ non-avid lump
  en at: in the anterior uterine wall ~ in the posterior uterine wall
  en told: There is an {sign} {place} measuring {size}, without increased FDG uptake
  en is: consistent with a fibroid ~ in keeping with a fibroid
spurs: bone
  zh sign: 椎体边缘骨赘形成
  zh also: 椎缘骨质增生 ~ 椎体骨刺
  zh at: 颈椎 ~ 胸腰椎 ~ 腰椎
  zh told: {place}{sign}，未见放射性摄取增高
  zh told: {place}见{sign}，椎间隙变窄
  zh is: 考虑退行性变 ~ 符合退行性改变
  en sign: marginal osteophytes
  en also: bony spurs ~ spurring
  en at: of the cervical spine ~ of the thoracolumbar spine ~ of the lumbar spine
  en told: There are {sign} {place}, without increased FDG uptake
  en told: {sign} {place} are seen, with narrowed disc spaces
  en is: consistent with degenerative change ~ degenerative in nature
shoulders: joints suv 20 46
  zh sign: 周围放射性摄取
  zh also: 周围代谢增高 ~ 周边高代谢
  zh at: 双侧肩关节 ~ 右侧肩关节 ~ 双侧髋关节
  zh told: {place}{sign}，{SUV}，骨质未见异常
  zh is: 考虑关节周围炎 ~ 符合关节炎性摄取
  en sign: FDG uptake
  en also: hypermetabolism ~ tracer accumulation
  en at: around both shoulder joints ~ around the right shoulder joint ~ around both hip joints
  en told: There is {sign} {place} ({SUV}), without bone abnormality
  en is: likely periarthritis ~ in keeping with periarthritis
aorta: vessels
  zh sign: 管壁钙化
  zh also: 壁钙化斑 ~ 管壁钙质沉着
  zh at: 主动脉及冠状动脉 ~ 主动脉 ~ 冠状动脉
  zh told: {place}{sign}
  zh told: {place}可见{sign}
  en sign: wall calcification
  en also: calcified plaques ~ calcifications
  en at: of the aorta and coronary arteries ~ of the aorta ~ of the coronary arteries
  en told: There is {sign} {place}
  en told: {sign} {place} is seen
gallstones: gallbladder
  zh sign: 致密结石影
  zh also: 高密度结石 ~ 致密小石
  zh at: 胆囊内
  zh told: {place}见{sign}，胆囊壁不厚
  zh told: {place}可见{sign}
  en sign: dense stones
  en also: calculi ~ stones
  en at: in the gallbladder
  en told: There are {sign} {place}
  en told: {sign} {place} are seen; the wall is not thickened
pleural-fluid: pleura
  zh sign: 少量积液
  zh also: 少许积液 ~ 微量液体
  zh at: 双侧胸腔 ~ 右侧胸腔 ~ 左侧胸腔
  zh told: {place}见{sign}，未见放射性摄取
  zh told: {place}{sign}
  en sign: a little fluid
  en also: small effusion ~ trace of fluid
  en at: in both pleural cavities ~ in the right pleural cavity ~ in the left pleural cavity
  en told: There is {sign} {place}, without FDG uptake
  en told: There is {sign} {place}
pericardial-fluid: heart
  zh sign: 少量积液
  zh also: 少许积液 ~ 微量液体
  zh at: 心包
  zh told: {place}见{sign}
  zh told: {place}{sign}，心影不大
  en sign: a little fluid
  en also: small effusion ~ trace of fluid
  en at: in the pericardium
  en told: There is {sign} {place}
  en told: {sign} is seen {place}; the heart is not enlarged
prostate: prostate sex M
  zh sign: 增大伴钙化
  zh also: 体积大伴钙化灶 ~ 变大并钙化
  zh at: 前列腺
  zh told: {place}{sign}，未见放射性摄取增高
  en sign: enlargement and calcification
  en also: enlarged size with calcifications ~ bulk and calcifications
  en at: of the prostate
  en told: There is {sign} {place}, without increased FDG uptake
scoliosis: spine
  zh sign: 轻度侧弯
  zh also: 轻度侧凸 ~ 略侧弯
  zh at: 脊柱
  zh told: {place}{sign}
  zh told: {place}呈{sign}，椎体骨质完整
  en sign: mild lateral curvature
  en also: slight sideways bend ~ mild sideways curve
  en at: of the spine
  en told: There is {sign} {place}
  en told: {sign} {place} is seen; the vertebrae are intact
"""


def _parse(table: str) -> dict[str, Benign]:
    found: dict[str, Benign] = {}
    parts: dict[tuple[str, str], tuple[str, ...]] = {}
    for line in table.strip().splitlines():
        name, _, text = line.partition(": ")
        if not line.startswith(" "):
            parts = {}
            organ, *options = text.split()
            numbers = {word: place for place, word in enumerate(options) if word.isalpha()}
            ranges = {
                word: (int(options[numbers[word] + 1]), int(options[numbers[word] + 2]))
                for word in ("size", "suv")
                if word in numbers
            }
            sex = options[numbers["sex"] + 1] if "sex" in numbers else ""
            found[name] = Benign(organ, ranges.get("size"), ranges.get("suv"), sex, {})
            benign = found[name]
            continue
        language, part = name.split()
        parts[language, part] = parts.get((language, part), ()) + tuple(text.split(" ~ "))
        benign.words[language] = Words(
            "".join(parts[language, "sign"]),
            parts.get((language, "also"), ()),
            parts.get((language, "at"), ()),
            parts.get((language, "told"), ()),
            parts.get((language, "is"), ()),
        )
    return found


BENIGN: dict[str, Benign] = _parse(_TABLE)
"""Every benign finding by key."""
