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
BACKGROUND = ("纵隔血池SUVmax约{pool}，肝脏SUVmax约{liver}", "本底测量：纵隔血池SUVmax为{pool}，肝脏SUVmax为{liver}")
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
    "stomach": "局部胃壁增厚",
    "colon": "肠壁增厚",
}
NODULE, MASS = "结节", "肿块"
FAINT, HOT = ("放射性摄取未见明显增高", "放射性摄取轻微"), ("放射性摄取增高", "放射性浓聚")
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
BEFORE, NEW = "（前次{SUV}）", "新发"

# The impression.
SIZE_PARTS = {"mass": ("大小约{size}",), "wall": ("最厚处约{thick}cm",)}
PRIMARY_LEADS = ("{site}{noun}（{part}）", "{site}{noun}", "{site}见{noun}")
NODE_LEADS = ("{sites}淋巴结", "{sites}见淋巴结")
NEW_NODE_LEAD = "{sites}新发淋巴结"
ELSEWHERE_LEADS = ("{sites}{sign}", "{sites}见{sign}")
NEW_ELSEWHERE_LEAD = "{sites}新发{sign}"
AXES, SPANS, SEVERAL = ("短径约{}cm",), ("大小约{}",), "分别"
CANCERS = {
    "lung": "肺癌",
    "breast": "乳腺癌",
    "thyroid": "甲状腺癌",
    "nasopharynx": "鼻咽癌",
    "oesophagus": "食管癌",
    "stomach": "胃癌",
    "colon": "结直肠癌",
    "liver": "肝癌",
    "pancreas": "胰腺癌",
    "cervix": "宫颈癌",
}
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
    "local": ("病变属局限期", "按扩散范围属局限期"),
    "regional": ("病变属区域期（区域淋巴结转移）", "按扩散范围属区域期"),
    "distant": ("已达远处转移期（累及{organs}个器官）", "按扩散范围属远处转移期（共{organs}个器官）"),
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


def either(names: list[str]) -> str:
    """Names after "none in": Chinese lists them as any others."""
    return listed(names)


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


GROUP = 3
"""How many lesions an item may name."""
