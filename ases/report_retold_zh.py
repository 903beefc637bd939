"""How a Chinese impression of the generated PET reports says in its own words what the findings said.

>>> retold_site("右肺上叶尖段"), retold_site("第4胸椎椎体")
('右上肺尖段', 'T4椎')

The same names as in :mod:`ases.report_retold_en`. Each wording says no more than the findings do, so a piece of it is
ES; the wordings under "conclusions" repeat words of the findings around a conclusion, so a piece of them is AS.
"""

from __future__ import annotations

import re
from functools import cache

# Tried in this order, the first of each place counting: sites, stations, and places of benign findings.
_PLACES = tuple(
    (re.compile(pattern), shorter)
    for pattern, shorter in (line.split(" > ") for line in """
([右左双])肺([上中下])叶 > \\1\\2肺
([右左])侧乳腺(..)象限 > \\1乳\\2部
甲状腺([右左])叶(.)极 > \\1甲\\2份
甲状腺峡部 > 甲状腺峡
甲状腺双叶 > 双侧甲状腺
鼻咽([右左])侧壁 > \\1侧鼻咽部
鼻咽顶后壁 > 鼻咽后顶部
食管胸(.)段 > 胸\\1段食管
胃体小弯侧 > 胃小弯
^(胃底|胃窦|贲门)$ > \\1部
^([升横降])结肠$ > 结肠\\1部
乙状结肠 > 乙结肠
直肠(.)段 > \\1段直肠
肝([右左])([前后内外])叶 > \\1肝\\2区
^胰([头颈体尾])$ > 胰腺\\1部
^宫颈(.)唇 > 子宫颈\\1份
([右左])侧颈部 > \\1颈
([右左])侧锁骨上区 > \\1锁上
^([右左])肺门 > 肺门\\1侧
([右左])侧气管旁 > 气管\\1旁
隆突下 > 气管分叉下
([右左])侧腋窝 > \\1腋下
肝胃间隙 > 小网膜区
肝门区 > 肝门部
肠系膜根部 > 肠系膜根
腹膜后 > 后腹膜
([右左])侧髂血管旁 > \\1髂区
([右左])侧腹股沟 > \\1鼠蹊部
第(\\d+)胸椎椎体 > T\\1椎
第(\\d+)腰椎椎体 > L\\1椎
([右左])侧第(\\d)肋骨 > \\1第\\2肋
胸骨体 > 胸骨
骶骨 > 骶椎
([右左])侧髂骨 > 髂骨\\1侧
([右左])侧肩胛骨 > \\1肩胛
左侧股骨上段 > 左股骨近端
肝右叶(.)部 > 右肝\\1份
肝([右左])叶$ > \\1半肝
盆底腹膜 > 盆腔腹膜
大网膜 > 网膜
脾脏(.)部 > 脾\\1份
^([右左])肾$ > \\1侧肾脏
冠状动脉 > 冠脉
结肠走行区 > 结肠区
肝实质 > 全肝
^胃壁$ > 全胃
^脊柱$ > 脊椎
胆囊内 > 胆囊腔
([右左双])侧(?!甲状腺) > \\1
""".strip().splitlines())
)  # fmt: skip


@cache
def retold_site(name: str) -> str:
    """Another name of a place of the findings, or the same where there is none."""
    for pattern, shorter in _PLACES:
        text, count = pattern.subn(shorter, name)
        if count:
            return text
    return name


NOUNS = {
    "结节": ("结节灶", "占位"),
    "肿块": ("占位性病变", "团块"),
    "软组织增厚": ("软组织肥厚", "软组织隆起"),
    "管壁增厚": ("管壁肥厚", "管壁变厚"),
    "局部胃壁增厚": ("胃壁局限性肥厚", "胃壁变厚"),
    "肠壁增厚": ("肠壁肥厚", "肠壁变厚"),
}
SIGNS = {
    "smooth": ("轮廓光整", "周边整齐"),
    "round": ("外形规整", "轮廓清楚整齐"),
    "spiculated": ("伴毛刺征", "周边呈毛刺样"),
    "lobulated": ("伴分叶征", "外形分叶"),
    "ill-defined": ("外形不整", "境界模糊"),
    "even": ("厚薄一致", "浆膜面光整"),
    "uneven": ("厚薄不一", "浆膜面不平"),
}
LOOKS = {
    "bone": ("溶骨灶", "骨质硬化斑"),
    "liver": ("境界模糊的低密影", "境界清楚的低密影"),
    "spleen": ("境界模糊的低密影", "境界清楚的低密影"),
    "adrenal": ("外形不整的软组织灶", "外形光整的软组织灶"),
    "lung": ("外形不整的结节灶", "轮廓整齐的结节灶"),
    "pleura": ("结节样肥厚", "匀称肥厚"),
    "peritoneum": ("结节样肥厚", "匀称肥厚"),
}
# With faint uptake, with more.
AVID = (("低代谢", "代谢轻微的"), ("高代谢", "代谢活跃的"))
UPTAKE = (("代谢不高", "糖代谢低平"), ("代谢活跃", "糖代谢旺盛"))
LEADS = ("{short}{avid}{noun}", "{avid}{noun}位于{short}", "{short}{noun}")
SIZES = {
    "mass": ("最大径{long}cm", "长径{long_mm}mm", "{long_mm}mm×{short_mm}mm"),
    "wall": ("厚度{thick}cm", "厚达{short_mm}mm"),
}
ROUNDED = "径线{about}cm左右"
SUVS = ("最大SUV值{}", "SUV最高{}")
# The last of these says nothing of the uptake: for lesions of which it differs. New ones are told by the first.
NODE_LEADS = ("{shorts}{avid}淋巴结", "{avid}淋巴结位于{shorts}", "{shorts}淋巴结影")
ELSEWHERE_LEADS = ("{shorts}{avid}{sign}", "{avid}{sign}位于{shorts}", "{shorts}{sign}")
NEW, NODE, WITH = "新增", "淋巴结", ""
AXES = ("短轴{}cm", "短轴{mm}mm")
LARGEST = "其大者长径{}cm"
EARLIER = ("既往{SUV}", "原先{SUV}")
CLOSINGS = ("其他部位无异常代谢灶", "余部糖代谢大致正常")
NODES_CLEAR = ("{near}淋巴结不大", "{near}无增大的淋巴结")

# Conclusions: of what a clause before has told, and of what none has.
ABOVE, AT_ONCE = "上述{what}{verdict}", "{what}{verdict}"
EVIDENCE = ("{sign}伴{uptake}的{what}{verdict}", "{SUV}且{sign}的{what}{verdict}")
NODE_EVIDENCE = "短径约{short}cm且{SUV}的{what}{verdict}"
BENIGN_ABOVE, BENIGN_AT_ONCE = "上述{place}{sign}{verdict}", "{place}{sign}{verdict}"
STAGE = ("{what}{stage}", "上述{what}{stage}")
ANN_ARBOR = "上述{what}{stage}"
RESPONSE = ("与{months}个月前PET/CT检查比较{response}", "对照{months}个月前PET/CT检查{response}")
DEAUVILLE = "{SUV}对照肝脏SUVmax约{liver}得{score}"
HOTTEST = "{what}{hottest}"
CHANGE = "{what}{change}"
CLEAR = ("未见异常密度影及放射性摄取增高的恶性病变征象", "双肺、肝脏及全身骨骼未见恶性病变征象")
ADVICE = {
    "yearly": ("建议每年复查{what}",),
    "six months": ("建议6个月后复查{what}",),
    "three months": ("建议3个月后复查{what}",),
    "biopsy": ("建议对{what}行{biopsy}",),
    "biopsy and board": ("建议对{what}行{biopsy}后多学科讨论",),
    "node biopsy": ("建议对{what}行淋巴结活检",),
    "board": ("建议就{what}多学科讨论后行全身治疗",),
    "follow": ("建议定期复查{what}",),
    "go on": ("建议{what}按原方案继续治疗",),
    "soon again": ("建议近期复查{what}",),
    "rethink": ("建议重新评估{what}治疗方案",),
}


def subject(site: str, noun: str, where: str) -> str:
    """A lesion or several, as a conclusion names them: site and kind."""
    return f"{site}{noun}"
