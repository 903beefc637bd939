"""Numbers in words, English and Chinese, read exactly: "twenty-five", "two and a half", 一百二十三, 百分之五十.

>>> leading_numeral("two and a half hours")
(Fraction(5, 2), 14)
>>> leading_numeral("一百二十三个")
(Fraction(123, 1), 5)

Only the beginning of a text is read. :mod:`ases.arithmetic` says where words may stand for a number at all. Ours.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

_SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
"""English words that multiply the number before them."""

_PARTS = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8}
_PARTS |= {"ninth": 9, "tenth": 10, "twentieth": 20, "hundredth": 100, "thousandth": 1000}
_PARTS |= {f"{word}s": value for word, value in _PARTS.items() if word != "half"} | {"halves": 2}
_WORD = re.compile(r"(?:[ \t]+|[-‐‑])?([A-Za-z]+)")

_ZH_DIGIT = "[零〇一二三四五六七八九]"
_ZH_WHOLE = "[零〇一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟萬億]+"
_ZH = re.compile(
    rf"(?P<minus>负)?(?:(?:(?P<whole>{_ZH_WHOLE})又)?(?P<bottom>{_ZH_WHOLE})分之"
    rf"(?P<top>{_ZH_WHOLE}(?:点{_ZH_DIGIT}+)?)"
    rf"|(?P<plain>{_ZH_WHOLE})(?:点(?P<point>{_ZH_DIGIT}+))?(?P<half>个?半)?|(?P<only>半))"
)
_MOST_DIGITS = 40  # a looping model writes more, and no number is that long
# 一些 is "some", 一般 "in general", 一起 "together": no numbers.
_ZH_NO_NUMBER = re.compile("[些般起样定直共致旦切方面者]")


def leading_numeral(text: str) -> tuple[Fraction, int] | None:
    """The number in words that a text begins with, and where it ends; None where it begins otherwise.

    English: cardinals to trillions, with "and" and hyphens ("one hundred and five"); "point"; halves, thirds and so
    on, alone or after "and" ("two and a half", "three quarters"); "minus" and "negative"; "a dozen" is 12, "half a
    dozen" 6. After another number "dozen" is a unit, as a reference in dozens states it: "two dozen" is 2. Ordinals
    are no numbers. Chinese: to 亿, in everyday and financial characters, 两, 点, 负, 分之, 半 and 个半; 一百二 is 120;
    two digits without a place between them (三五, three to five) are no number; 百分之五十 is 50, as 50 % is.
    """
    return _chinese(text) or _english(text)


# English --------------------------------------------------------------------------------------------------------


def _english(text: str) -> tuple[Fraction, int] | None:
    words, at = [], 0
    while match := _WORD.match(text, at):
        if at == 0 and match.start(1) > 0:
            return None
        words.append((match[1].lower(), match.end()))
        at = match.end()
    negative = bool(words) and words[0][0] in ("minus", "negative")
    found = _magnitude([word for word, _ in words[negative:]])
    if found is None:
        return None
    value, used = found
    return (-value if negative else value), words[negative + used - 1][1]


def _magnitude(words: list[str]) -> tuple[Fraction, int] | None:
    """The number at the beginning of the words, and how many of them it takes."""
    if words[:3] == ["half", "a", "dozen"]:
        return Fraction(6), 3
    if words[:2] == ["a", "dozen"]:
        return Fraction(12), 2
    part = _part(words)
    if part is not None:
        return part
    whole = _whole(words)
    if whole is None:
        return None
    value, used = Fraction(whole[0]), whole[1]
    if words[used : used + 1] == ["point"]:
        digits = 0
        while used + 1 + digits < len(words) and _SMALL.get(words[used + 1 + digits], 10) < 10:
            digits += 1
        if digits:
            after = "".join(str(_SMALL[word]) for word in words[used + 1 : used + 1 + digits])
            return value + Fraction(int(after), 10**digits), used + 1 + digits
    if words[used : used + 1] == ["and"] and (part := _part(words[used + 1 :])) is not None:
        return value + part[0], used + 1 + part[1]
    return value, used


def _part(words: list[str]) -> tuple[Fraction, int] | None:
    """"half", "a third", "two thirds"."""
    if words[:1] == ["half"]:
        return Fraction(1, 2), 1
    if len(words) > 1 and words[1] in _PARTS:
        count = 1 if words[0] == "a" else _SMALL.get(words[0])
        if count is not None:
            return Fraction(count, _PARTS[words[1]]), 2
    return None


def _whole(words: list[str]) -> tuple[int, int] | None:
    total = group = used = 0
    last_scale, open_and = 10**15, False
    at = 0
    while at < len(words):
        word = words[at]
        if word == "a" and at == 0 and len(words) > 1 and words[1] in SCALES:
            group = 1
        elif word in _SMALL and (at == 0 or _SMALL[word] > 0):
            room = 10 if _SMALL[word] < 10 else 100
            if group % room or (_SMALL[word] < 10 and group % 100 == 10) or (used and words[used - 1] in _SMALL):
                break
            group += _SMALL[word]
        elif word in _TENS and group % 100 == 0 and not (used and words[used - 1] == "zero"):
            group += _TENS[word]
        elif word == "hundred" and 0 < group < 100:
            group *= 100
        elif word in SCALES and word != "hundred" and group > 0 and SCALES[word] < last_scale:
            total, group, last_scale = total + group * SCALES[word], 0, SCALES[word]
        elif word == "and" and used and words[used - 1] in SCALES and not open_and:
            open_and, at = True, at + 1
            continue
        else:
            break
        open_and, at = False, at + 1
        used = at
    return (total + group, used) if used and (words[0] != "a" or used > 1) else None


# Chinese --------------------------------------------------------------------------------------------------------


def _chinese(text: str) -> tuple[Fraction, int] | None:
    match = _ZH.match(text)
    if match is None or _ZH_NO_NUMBER.match(text, match.end()):
        return None
    parts = {name: _zh_whole(match[name]) for name in ("whole", "plain") if match[name]}
    if match["only"]:
        value = Fraction(1, 2)
    elif match["top"]:
        top, _, point = match["top"].partition("点")
        per_cent = match["bottom"] == "百"
        parts |= {"top": _zh_whole(top), "bottom": Fraction(1) if per_cent else _zh_whole(match["bottom"])}
        if None in parts.values() or not parts["bottom"]:
            return None
        value = (parts["top"] + _zh_decimals(point)) / parts["bottom"] + parts.get("whole", 0)
    else:
        if None in parts.values():
            return None
        value = parts["plain"] + _zh_decimals(match["point"] or "") + (Fraction(1, 2) if match["half"] else 0)
    return (-value if match["minus"] else Fraction(value)), match.end()


def _zh_decimals(digits: str) -> Fraction:
    return Fraction(int("0" + "".join(str(int(unicodedata.numeric(one))) for one in digits)), 10 ** len(digits))


def _zh_value(character: str) -> int:
    return 2 if character == "两" else int(unicodedata.numeric(character))  # 两 is the two that counts things


def _zh_whole(text: str) -> Fraction | None:
    values = [_zh_value(character) for character in text]
    if all(value < 10 for value in values):
        # Digit by digit, as years are (二〇二六); but 三五 is "three to five".
        if len(values) > _MOST_DIGITS or (len(values) == 2 and 0 not in values):
            return None
        return Fraction(int("".join(map(str, values))))
    total = section = digit = 0
    unit, last, zero = 1, 10**4, False
    for value in values:
        if value < 10:
            if digit:
                return None
            digit, zero = value, zero or value == 0
        elif value < 10**4:
            digit = digit or (1 if value == 10 else 0)  # 十五, 一百十五
            if not digit or value >= last:
                return None
            section, digit, unit, last, zero = section + digit * value, 0, value, value, False
        else:
            section += digit
            if value == 10**8:
                total, section = (total + section) * value, 0
            else:
                total, section = total + section * value, 0
            if not total:
                return None
            digit, unit, last, zero = 0, value, 10**4, False
    # 一百二 is 120 and 一万五 is 15,000: a last digit right after a place is of the next lower one.
    if digit and unit >= 100 and not zero:
        digit *= unit // 10
    return Fraction(total + section + digit)
