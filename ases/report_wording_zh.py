"""The words of the generated PET reports in Chinese; :mod:`ases.reports` puts them together.

Slots: ``site``, ``noun``, ``size``, ``sign`` (shape or look), ``uptake``, ``SUV`` (``SUVmax约8.5``, in the style of the
report), ``before`` (the earlier SUVmax), ``extra``. No sentence of the findings uses a word of the conclusions.
"""

from __future__ import annotations

COMMA, STOP, ITEM_ENDS, LIST_MARKS, GAP = "，", "。", ("；", "。"), ("{}. ", "{}、"), ""
SUV_STYLES = ("SUVmax约{}", "SUVmax为{}", "SUVmax约为{}")
SIZE_STYLES = ("{}cm×{}cm", "{}×{}cm")

INTROS = (
    "空腹血糖{glucose}mmol/L，静脉注射18F-FDG {dose}mCi，静息{minutes}分钟后行全身PET/CT显像，图像清晰",
    "受检者空腹，血糖{glucose}mmol/L，静脉注射18F-FDG {dose}mCi，{minutes}分钟后行PET/CT断层显像",
    "静脉注射18F-FDG {dose}mCi（注射前血糖{glucose}mmol/L），休息{minutes}分钟后行体部及脑部PET/CT显像",
)
BACKGROUND = ("纵隔血池{pool}，肝脏{liver}", "本底测量：纵隔血池{pool}，肝脏{liver}")
COMPARED = ("治疗后复查，与{months}个月前PET/CT检查比较", "治疗后改变，对照{months}个月前PET/CT检查")
COMPARED_LYMPHOMA = ("淋巴瘤治疗后复查，与{months}个月前PET/CT检查比较", "淋巴瘤治疗后，对照{months}个月前PET/CT检查")
CLOSINGS = ("余所检部位未见异常放射性摄取", "其余显像部位未见异常放射性浓聚")

SIGNS = {
    "smooth": "边缘光滑",
    "round": "形态规则、边界清晰",
    "spiculated": "边缘见毛刺",
    "lobulated": "呈分叶状",
    "ill-defined": "形态不规则、边界不清",
    "even": "增厚均匀、外缘光滑",
    "uneven": "增厚不均匀、外缘毛糙",
}
# What is seen elsewhere: aggressive, bland.
LOOKS = {
    "bone": ("溶骨性骨质破坏", "斑片状骨质硬化"),
    "liver": ("边界模糊的低密度灶", "边界清楚的低密度灶"),
    "spleen": ("边界模糊的低密度灶", "边界清楚的低密度灶"),
    "adrenal": ("不规则软组织结节", "光滑软组织结节"),
    "lung": ("边缘不规则结节", "边缘整齐结节"),
    "pleura": ("结节状增厚", "均匀增厚"),
    "peritoneum": ("结节状增厚", "均匀增厚"),
}
NOUNS = {
    "nasopharynx": "软组织增厚",
    "oesophagus": "管壁增厚",
    "stomach": "胃壁增厚",
    "colon": "肠壁增厚",
}
NODULE, MASS = "结节", "肿块"
FAINT, HOT = ("放射性摄取未见明显增高", "仅见轻微放射性摄取"), ("放射性摄取增高", "见放射性浓聚")
EXTRAS = ("，平均CT值约{hu}HU", "，密度均匀", "，密度欠均匀", "，内见少许低密度区", "", "")

PRIMARY_MASS = (
    "{site}见一{noun}，大小约{size}，{sign}{extra}，{uptake}，{SUV}{before}",
    "{site}可见{noun}影，{sign}，大小约{size}{extra}，PET示{uptake}，{SUV}{before}",
    "{site}{noun}，{sign}{extra}，大小约{size}，相应部位{uptake}，{SUV}{before}",
)
PRIMARY_WALL = (
    "{site}{noun}，最厚处约{thick}cm，累及长度约{length}cm，{sign}，{uptake}，{SUV}{before}",
    "{site}见{noun}，{sign}，最厚处约{thick}cm，长度约{length}cm，PET示{uptake}，{SUV}{before}",
)
NODE = (
    "{site}见{new}淋巴结，短径约{short}cm，{uptake}，{SUV}{before}",
    "{site}可见{new}淋巴结影，短径约{short}cm，{SUV}，{uptake}{before}",
    "{site}{new}淋巴结，短径约{short}cm，相应部位{uptake}，{SUV}{before}",
)
ELSEWHERE = (
    "{site}见{new}{sign}，范围约{size}，{uptake}，{SUV}{before}",
    "{site}可见{new}{sign}，大小约{size}，相应部位{uptake}，{SUV}{before}",
)
BEFORE, BEFORE_NEW, NEW = "（前次{SUV}）", "，前次检查未见", "新发"

ORGANS = {
    "nasopharynx": "鼻咽壁",
    "oropharynx": "口咽壁",
    "larynx": "喉部软组织",
    "n.neck": "双侧颈部",
    "n.supraclavicular": "双侧锁骨上区",
    "n.hilar": "双侧肺门",
    "n.mediastinum": "纵隔",
    "n.axilla": "双侧腋窝",
    "spleen": "脾脏",
    "pancreas": "胰腺",
    "adrenal": "双侧肾上腺",
    "kidney": "双肾",
    "n.hepatogastric": "肝胃间隙",
    "n.porta": "肝门区",
    "n.mesentery": "肠系膜",
    "n.retroperitoneum": "腹膜后",
    "n.iliac": "双侧髂血管旁",
    "n.inguinal": "双侧腹股沟",
}

_NODES = ("{list}未见肿大淋巴结，未见异常放射性摄取", "{list}未见异常肿大或放射性摄取增高的淋巴结")
# Region: heading, then (organs, what is said where they are normal, what is said of the rest where they are not).
REGIONS = (
    ("头颈部", (
        ("brain", ("大脑皮质、基底节、丘脑及小脑放射性分布对称，脑实质内未见异常密度影，脑室系统未见扩张，中线结构居中",
                   "双侧大脑半球形态、密度未见异常，放射性分布对称均匀，脑沟、脑裂未见增宽，中线结构无移位"),
         "余脑实质放射性分布对称，中线结构居中"),
        ("sinus", ("各组鼻窦清晰，窦壁骨质完整", "双侧上颌窦、筛窦及额窦气化良好"), ""),
        ("nasopharynx oropharynx larynx", ("{list}未见增厚，未见异常放射性摄取", "{list}未见异常密度影及放射性摄取"), ""),
        ("salivary", ("双侧腮腺、颌下腺对称，放射性分布未见异常", "双侧腮腺及颌下腺形态、密度未见异常"), ""),
        ("thyroid", ("甲状腺大小、形态正常，密度均匀，放射性分布未见异常", "甲状腺双叶及峡部未见异常密度影及放射性摄取"), ""),
        ("n.neck n.supraclavicular", _NODES, ""),
    )),
    ("胸部", (
        ("lung", ("双肺纹理清晰，肺野内未见结节及实变影，未见异常放射性摄取", "双肺透亮度良好，未见实变影，放射性分布未见异常"),
         "余肺野清晰，未见异常放射性摄取"),
        ("airway", ("气管及各级支气管通畅，管壁未见增厚", "气管、支气管管腔通畅"), ""),
        ("n.hilar n.mediastinum n.axilla", _NODES, ""),
        ("pleura", ("双侧胸膜未见增厚，胸腔未见积液", "双侧胸腔未见积液"), ""),
        ("heart", ("心影大小、形态未见异常，心包未见积液", "心脏大小正常，心包未见增厚"), ""),
        ("vessels", ("主动脉管径未见异常", ""), ""),
        ("oesophagus", ("食管走行自然，管壁未见增厚，未见异常放射性摄取", "食管未见管壁增厚及异常放射性摄取"), ""),
        ("breast", ("双侧乳腺对称，腺体内未见异常密度影及异常放射性摄取", "双侧乳腺未见异常放射性摄取"),
         "对侧乳腺未见异常放射性摄取"),
    )),
    ("腹盆部", (
        ("liver", ("肝脏大小、形态正常，各叶比例协调，实质密度均匀，放射性分布未见异常",
                   "肝脏表面光滑，实质内未见异常密度影，放射性分布均匀"), "肝脏余部放射性分布未见异常"),
        ("gallbladder", ("胆囊大小、形态未见异常，壁不厚，胆道系统未见扩张", "胆囊壁不厚，肝内外胆管未见扩张"),
         "肝内外胆管未见扩张"),
        ("spleen pancreas adrenal kidney", ("{list}形态、密度未见异常，放射性分布未见异常",
                                            "{list}大小、形态正常，未见异常放射性摄取"), ""),
        ("stomach", ("胃充盈尚可，胃壁未见增厚，未见异常放射性摄取", "胃腔充盈可，胃壁光滑，放射性分布未见异常"), ""),
        ("bowel", ("肠道走行自然，肠壁未见增厚，未见异常放射性摄取", "各段肠管未见扩张，肠壁未见增厚"), "余肠管未见扩张"),
        ("peritoneum", ("腹膜未见增厚，腹盆腔未见积液", "腹盆腔未见积液"), "腹盆腔未见积液"),
        ("n.hepatogastric n.porta n.mesentery n.retroperitoneum n.iliac n.inguinal", _NODES, ""),
        ("bladder", ("膀胱充盈良好，壁光滑，腔内未见异常密度影", "膀胱充盈可，壁未见增厚"), ""),
        ("uterus", ("子宫体大小、形态未见异常，双侧附件区未见异常放射性摄取", "子宫体及双侧附件区未见异常密度影"),
         "双侧附件区未见异常放射性摄取"),
        ("cervix", ("宫颈未见增大，未见异常放射性摄取", ""), ""),
        ("prostate", ("前列腺大小、形态未见异常，双侧精囊腺对称", "前列腺未见增大，未见异常放射性摄取"), "双侧精囊腺对称"),
    )),
    ("骨骼及软组织", (
        ("spine", ("脊柱序列正常", "脊柱生理曲度存在，椎体序列正常"), ""),
        ("bone", ("所示骨骼骨质结构完整，未见骨质破坏，放射性分布未见异常", "全身骨骼未见骨质破坏及异常放射性摄取"),
         "余骨骼未见骨质破坏及异常放射性摄取"),
        ("joints", ("各大关节间隙清晰", ""), ""),
        ("muscle", ("所示肌肉及皮下软组织内未见异常密度影", "肌肉软组织放射性分布对称"), ""),
    )),
)  # fmt: skip

# Benign findings: places, sign, how the findings tell it, what it is taken for (empty where it is only repeated).
INCIDENTALS = {
    "lacunes": (("双侧基底节区", "右侧基底节区", "左侧丘脑"), "斑点状低密度灶", ("{place}见{sign}，放射性摄取减低",),
                ("考虑腔隙性脑梗死", "符合腔隙性脑梗死")),
    "sinus": (("双侧上颌窦", "右侧上颌窦", "左侧筛窦"), "黏膜增厚", ("{place}{sign}，未见放射性摄取增高", "{place}见{sign}，窦壁骨质完整"),
              ("考虑慢性鼻窦炎", "符合鼻窦炎改变")),
    "tonsils": (("双侧扁桃体",), "对称性放射性摄取", ("{place}见{sign}，{SUV}，CT未见肿块",), ("考虑生理性摄取", "倾向生理性摄取")),
    "thyroid-diffuse": (("甲状腺双叶",), "弥漫性放射性摄取", ("{place}见{sign}，{SUV}，密度减低", "{place}呈{sign}，{SUV}"),
                        ("考虑甲状腺炎", "符合甲状腺炎改变")),
    "calcified-nodule": (("右肺上叶", "右肺下叶", "左肺上叶", "左肺下叶"), "致密钙化结节", ("{place}见{sign}，直径约{long}cm，未见放射性摄取",),
                         ("考虑陈旧性肉芽肿", "符合陈旧性肉芽肿")),
    "lung-bands": (("双肺下叶", "右肺中叶", "左肺舌叶", "双肺上叶"), "条索影", ("{place}见{sign}，未见放射性摄取增高", "{place}可见少许{sign}，边缘清晰，放射性摄取未见增高"),
                   ("考虑陈旧性病变", "符合陈旧性炎症改变")),
    "liver-cyst": (("肝右叶", "肝左叶"), "水样低密度灶", ("{place}见{sign}，大小约{size}，放射性摄取缺损", "{place}可见{sign}，大小约{size}，未见放射性摄取"),
                   ("考虑囊肿", "符合囊肿")),
    "fatty-liver": (("肝实质",), "密度弥漫性减低", ("{place}{sign}，低于脾脏，放射性分布均匀",), ("符合脂肪肝", "考虑脂肪肝")),
    "adrenal-fat": (("右侧肾上腺", "左侧肾上腺"), "脂质密度结节", ("{place}见{sign}，大小约{size}，未见放射性摄取增高",),
                    ("考虑腺瘤", "符合腺瘤")),
    "kidney-cyst": (("左肾", "右肾"), "水样低密度灶", ("{place}见{sign}，大小约{size}，放射性摄取缺损", "{place}可见{sign}，大小约{size}，边界清晰，未见放射性摄取"),
                    ("考虑囊肿", "符合囊肿")),
    "stomach-diffuse": (("胃壁",), "弥漫性放射性摄取", ("{place}见{sign}，{SUV}，CT未见局限性增厚",), ("考虑胃炎", "符合胃炎改变")),
    "bowel-strip": (("结肠走行区",), "条状放射性摄取", ("{place}见{sign}，{SUV}，CT未见肠壁增厚",), ("考虑生理性摄取", "倾向生理性摄取")),
    "fibroid": (("子宫前壁", "子宫后壁"), "等密度结节", ("{place}见{sign}，大小约{size}，未见放射性摄取增高",), ("考虑子宫肌瘤", "符合子宫肌瘤")),
    "spurs": (("颈椎", "胸腰椎", "腰椎"), "椎体边缘骨赘形成", ("{place}{sign}，未见放射性摄取增高", "{place}见{sign}，椎间隙变窄"),
              ("考虑退行性变", "符合退行性改变")),
    "shoulders": (("双侧肩关节", "右侧肩关节", "双侧髋关节"), "周围放射性摄取", ("{place}{sign}，{SUV}，骨质未见异常",), ("考虑关节周围炎", "符合关节炎性摄取")),
    "aorta": (("主动脉及冠状动脉", "主动脉", "冠状动脉"), "管壁钙化", ("{place}{sign}", "{place}可见{sign}"), ()),
    "gallstones": (("胆囊内",), "致密结石影", ("{place}见{sign}，胆囊壁不厚", "{place}可见{sign}"), ()),
    "pleural-fluid": (("双侧胸腔", "右侧胸腔", "左侧胸腔"), "少量积液", ("{place}见{sign}，未见放射性摄取", "{place}{sign}"), ()),
    "pericardial-fluid": (("心包",), "少量积液", ("{place}见{sign}", "{place}{sign}，心影不大"), ()),
    "prostate": (("前列腺",), "增大伴钙化", ("{place}{sign}，未见放射性摄取增高",), ()),
    "scoliosis": (("脊柱",), "轻度侧弯", ("{place}{sign}", "{place}呈{sign}，椎体骨质完整"), ()),
}  # fmt: skip

# The impression.
SIZE_PARTS = {"mass": ("大小约{size}",), "wall": ("最厚处约{thick}cm",)}
PRIMARY_LEADS = ("{site}{noun}（{part}）", "{site}{noun}", "{site}见{noun}")
NODE_LEADS = ("{sites}淋巴结", "{sites}见淋巴结")
NEW_NODE_LEAD = "{sites}新发淋巴结"
ELSEWHERE_LEADS = ("{sites}{sign}", "{sites}见{sign}")
NEW_ELSEWHERE_LEAD = "{sites}新发{sign}"
AXES, SPANS, SEVERAL = ("短径约{}cm",), ("大小约{}",), "分别"
CANCERS = {
    "lung": "肺癌", "breast": "乳腺癌", "thyroid": "甲状腺癌", "nasopharynx": "鼻咽癌", "oesophagus": "食管癌",
    "stomach": "胃癌", "colon": "结直肠癌", "liver": "肝癌", "pancreas": "胰腺癌", "cervix": "宫颈癌",
}  # fmt: skip
GRADES = (
    ("考虑良性病变", "倾向于良性病变"),
    ("性质待定", "良恶性待定"),
    ("可疑{cancer}", "{cancer}待排"),
    ("考虑{cancer}可能性大", "高度可疑{cancer}"),
)
NODE_VERDICTS = (("考虑反应性增生", "倾向反应性增生"), ("性质待定", "是否转移待定"), ("考虑转移", "考虑淋巴结转移"))
ELSEWHERE_VERDICTS = (("考虑良性改变", "倾向良性改变"), ("性质待定", "是否转移待定"), ("考虑转移", "符合转移征象"))
LYMPHOMA_VERDICTS = (
    ("考虑反应性增生", "倾向反应性增生"),
    ("性质待定", "是否受累待定"),
    ("考虑淋巴瘤浸润", "符合淋巴瘤受累"),
)
N_SUFFIX = "（N{n}）"
TNM = ("综合分期相当于T{t}N{n}M{m}", "影像分期为T{t}N{n}M{m}")
SPREAD = {
    "local": ("扩散范围属局限期", "病变属局限期"),
    "regional": ("扩散范围属区域期", "病变属区域期"),
    "distant": ("扩散范围属远处期（转移累及{organs}个器官）", "病变属远处期（共{organs}个器官转移）"),
}
ANN_ARBOR = ("Ann Arbor分期为{stage}期", "按Ann Arbor分期属{stage}期")
DIAPHRAGM = {"above": "受累淋巴结均位于膈上", "below": "受累淋巴结均位于膈下", "both": "受累淋巴结分布于膈肌两侧"}
HOTTEST = ("为目前摄取最高的病灶", "摄取为现存病灶之最高")
EARLIER = ("前次{SUV}",)
CHANGE = {
    "down": ("SUVmax较前下降约{percent}%", "摄取较前减低约{percent}%"),
    "up": ("SUVmax较前上升约{percent}%", "摄取较前增高约{percent}%"),
    "none": ("SUVmax较前无变化",),
}
DEAUVILLE = ("Deauville评分{score}分", "Deauville评分为{score}分")
RESPONSE = {
    "complete": ("疗效评价为完全代谢缓解", "符合完全代谢缓解"),
    "partial": ("疗效评价为部分代谢缓解", "符合部分代谢缓解"),
    "stable": ("疗效评价为代谢稳定", "符合代谢稳定"),
    "progression": ("疗效评价为代谢进展", "符合代谢进展"),
}
INCIDENTAL_LEAD = "{place}{sign}"
CLEAR = ("全身未见明确恶性病变征象", "本次显像未见明确恶性肿瘤征象")
BIOPSIES = {"needle": "穿刺活检", "endoscope": "内镜下活检", "colposcope": "阴道镜下活检"}
ADVICE = {
    "yearly": ("建议每年复查", "建议年度随访"),
    "six months": ("建议6个月后复查", "建议6个月后随访CT"),
    "three months": ("建议3个月后复查", "建议3个月后随访CT"),
    "biopsy": ("建议{biopsy}明确病理", "建议行{biopsy}"),
    "biopsy and board": ("建议{biopsy}并提交多学科讨论", "建议行{biopsy}后多学科讨论"),
    "board": ("建议多学科讨论后行全身治疗", "建议多学科会诊制定全身治疗方案"),
    "node biopsy": ("建议淋巴结活检明确病理分型", "建议淋巴结切除活检"),
    "follow": ("建议定期随访", "建议继续定期复查"),
    "go on": ("建议按原方案继续治疗", "建议继续原方案治疗"),
    "soon again": ("建议短期内复查PET/CT", "建议近期复查PET/CT"),
    "rethink": ("建议重新评估治疗方案", "建议调整治疗方案"),
}


def listed(names: list[str]) -> str:
    """``A、B及C``."""
    return "及".join(filter(None, ("、".join(names[:-1]), names[-1])))


def numbers(values: list[str]) -> str:
    """``1.2、1.4``."""
    return "、".join(values)


def several(text: str) -> str:
    """The words before several numbers: ``短径约`` becomes ``短径分别约``."""
    return text.replace("约", "分别约", 1) if "约" in text else text.replace("为", "分别为", 1)


def named(text: str) -> str:
    """A sentence as it begins: Chinese has no capitals."""
    return text


def bare(sign: str, many: bool) -> str:
    """What is seen, as the impression names it; Chinese has no plural."""
    return sign
