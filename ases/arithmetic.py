"""The numbers and equations that a text states, read exactly: no string comparison, no floats, no ``eval``.

>>> extract_answer("They have 74 - 35 = 39 pieces left. The answer is $1,039.50.")
Fraction(2079, 2)

What :mod:`ases.metrics` counts as an answer and as a right step (METHOD, section 7).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ases.numerals import SCALES, leading_numeral

# Numbers as people and models write them. A comma belongs to a number only before groups of three digits.
_CURRENCY = "$€£¥￥"
_MINUS = "-−–﹣－"  # hyphen, minus sign, en dash, small and full-width hyphen
_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_PLAIN = r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\w.])\.\d+)"
_DENOMINATOR = r"0*[1-9]\d*(?!\d|[.,]\d)"
_VALUE = (
    rf"(?:(?P<whole>\d+)(?: +(?:and +)?(?P<top>\d+)/(?P<bottom>{_DENOMINATOR})| ?(?P<part>[{_VULGAR}]))"
    rf"|(?P<plain>{_PLAIN})(?:[eE](?P<power>[-+]?\d{{1,2}})(?!\w)| ?/ ?(?P<over>{_DENOMINATOR}))?"
    rf"|(?P<vulgar>[{_VULGAR}]))"
    rf"(?P<scale> ?(?i:{'|'.join(SCALES)})(?![A-Za-z])| ?[万亿])?"
)
# A minus is a sign unless it stands between two operands ("10-3", "10 - 3") or in a range ("3-5").
_SIGNED = rf"(?:(?<![A-Za-z\d)%.])(?P<minus>[{_MINUS}]))?(?:[{_CURRENCY}] ?)?(?P<minus_2>(?<=[{_CURRENCY}])[{_MINUS}])?"
_NUMBER = re.compile(_SIGNED + _VALUE)
_ONE_NUMBER = re.compile(rf"{_SIGNED}{_VALUE}(?P<unit>[^\d+*×÷={_VULGAR}]*)")
_SCALE = SCALES | {"万": 10**4, "亿": 10**8}
_SPACED_MINUS = re.compile(rf"\A\s*([{_MINUS}])\s+(?=[\d.{_CURRENCY}{_VULGAR}])")
_LIST_MARK = re.compile(
    r"^[^\S\n]*(?:\d{1,3}(?:[.)）](?!\d)|、)|[(（]\d{1,3}[)）])(?=[^\S\n]*\S)", re.MULTILINE
)
_PRINTED_DOUBLE = Fraction(1, 10**12)
_ANSWER_IS = re.compile(r"\banswer is(?![a-z'’])|答案[是为]", re.IGNORECASE)
_TO_NUMBER = re.compile(r"[\s:：*\"“'(]*(?:(?:about|exactly|only|just|approximately|约|大约)\s*)?", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?;\n。！？；]*")
# After a number in words: nothing, or a few words of a unit that do not count on ("one of them", "two or three").
_UNIT_WORDS = re.compile(
    r"(?:[ -]?(?!(?:of|or|to|and|by|than|in|times|plus|minus|less|as)\b)[^\W\d_]+){0,3}[ .!。！]*", re.IGNORECASE
)


def parse_number(text: str) -> Fraction | None:
    """The one number that a text consists of, exactly; None where it is no number, or more than one.

    >>> parse_number("$1,000.50"), parse_number("1 1/2 hours"), parse_number("twenty-five"), parse_number("a few")
    (Fraction(2001, 2), Fraction(3, 2), Fraction(25, 1), None)

    Read alike: ``1,000`` and ``1000``; ``3.0`` and ``3``; ``$5``, ``5 $``, ``5.`` and ``5 dollars``; ``3/4``,
    ``0.75`` and ``¾``; ``1 1/2`` and ``1.5``; minus signs of any kind; ``2 million`` and ``3万`` with their scale.
    ``%`` is read as a unit, so ``50%`` is 50 and not 0.5: the question says what is asked for, and references state
    percentages with the sign or without; so is "dozen". Where there are no digits, words count if the whole text is
    the number, with a unit or without: "twenty-five", "two and a half hours", 一百二十三; see
    :func:`ases.numerals.leading_numeral`. Ours, after METHOD, section 7.
    """
    text = text.strip()
    match = _ONE_NUMBER.fullmatch(_SPACED_MINUS.sub(r"\1", text))
    if match is not None:
        return _value(match)
    words = leading_numeral(text)
    if words is None or not _UNIT_WORDS.fullmatch(text, words[1]):
        return None
    more = re.split(r"[\W_]+", text[words[1] :])
    return None if any(leading_numeral(word) for word in more) else words[0]


def extract_answer(text: str) -> Fraction | None:
    """The answer that a chain gives: the first number after its last "answer is", else the chain's last number.

    >>> extract_answer("The answer is 4. No: 3 + 2 = 5. The answer is 5 hours.")
    Fraction(5, 1)

    Where an equation follows ("the answer is 40 - 29 = 11 holes"), its result counts; where no number follows,
    the chain's last number; None only where the chain has no number. Normalised as :func:`parse_number` does. A
    number in words counts only right after "answer is", in a sentence without digits ("the answer is twenty-five
    eggs"): elsewhere "one" or "half" are mostly no numbers. 答案是 and 答案为 are the Chinese "answer is". METHOD,
    section 7.
    """
    stated = list(_ANSWER_IS.finditer(text))
    if stated:
        words = _spelt_answer(text[stated[-1].end() :])
        if words is not None:
            return words
        tail = _after_equals(_SPACED_MINUS.sub(r"\1", text[stated[-1].end() :].lstrip(" \t:*")))
        match = _NUMBER.search(tail)
        if match is not None:
            return _value(match)
    numbers = list(_NUMBER.finditer(text))
    return _value(numbers[-1]) if numbers else None


def compute(expression: str) -> Fraction | None:
    """The value of a text that is one arithmetic expression and nothing else, exactly; None where it is not.

    >>> compute("( ( 17.0 + 15.0 ) / 2.0 )"), compute("(some - 8)")
    (Fraction(16, 1), None)

    Reads what :func:`equations` reads on one side of an equals sign. Nothing is evaluated as code.
    """
    tokens = _tokens(expression)
    value, at = _sum(tokens, 0)
    return value if at == len(tokens) else None


def _spelt_answer(text: str) -> Fraction | None:
    text = text[_TO_NUMBER.match(text).end() :]
    sentence = _SENTENCE.match(text)[0]
    found = leading_numeral(sentence)
    return None if found is None or _NUMBER.search(sentence) else found[0]


def same_number(first: Fraction, second: Fraction) -> bool:
    """Whether two numbers are equal up to what printing a double loses (relative 1e-12). Ours.

    Some references are doubles printed in full: 0.6666666666666666 in one place, 0.6666666666666667 in another.
    Whole numbers are compared exactly, and decimals rounded by hand (0.67) stay another number.
    """
    if first.denominator == second.denominator == 1:
        return first == second
    return abs(first - second) <= _PRINTED_DOUBLE * abs(second)


def numerals(text: str) -> set[Fraction]:
    """The values of the numerals in a text, each read by itself: ``27 / 9`` holds 27 and 9. Ours.

    >>> sorted(map(int, numerals("1. She sold 1,000 of 27 / 9 boxes.")))
    [9, 27, 1000]

    List marks at the start of a line (``1.``, ``1、``, ``(1)``) are no numbers, nor are words; signs are left out.
    """
    found = re.finditer(_PLAIN, _LIST_MARK.sub("", text))
    return {Fraction(Decimal(match[0].replace(",", ""))) for match in found}


def _after_equals(text: str) -> str:
    """What follows the last equals sign of the equation that a text begins with; else the text."""
    tokens, start = _tokens(text), 0
    value, at = _sum(tokens, start)
    while value is not None and at < len(tokens) - 1 and tokens[at].lastgroup == "equals":
        start = at + 1
        value, at = _sum(tokens, start)
    return text[tokens[start].start() :] if start else text


def _value(match: re.Match[str]) -> Fraction:
    # Decimal and not int(): a model that loops can write more digits than int() accepts from a string.
    if match["plain"]:
        value = Fraction(Decimal(match["plain"].replace(",", "")))
        value = value * Fraction(10) ** int(match["power"] or 0) / Fraction(Decimal(match["over"] or 1))
    else:
        value = Fraction(Decimal(match["whole"] or 0))
        if match["top"]:
            value += Fraction(Decimal(match["top"])) / Fraction(Decimal(match["bottom"]))
        else:
            value += Fraction(unicodedata.numeric(match["part"] or match["vulgar"])).limit_denominator(10)
    scale = (match["scale"] or "").strip().lower()
    value *= _SCALE.get(scale, 1)
    return -value if match["minus"] or match["minus_2"] else value


# Arithmetic of single steps -------------------------------------------------------------------------------------

_TOKEN = re.compile(
    rf"(?P<clock>\d+:\d[\d:]*)"
    rf"|(?P<number>(?:[{_CURRENCY}] ?)?(?:\d+ +\d+/{_DENOMINATOR}|{_PLAIN})(?: ?%)?)"
    rf"|(?P<sign>(?<![A-Za-z\d)%])[{_MINUS}](?=[\d.{_CURRENCY}]))"
    r"|(?P<word>(?![xX](?![A-Za-z]))[^\W\d_]+(?:[-'’][^\W\d_]+)*)"
    rf"|(?P<operator>[{_MINUS}+*×÷/xX])"
    r"|(?P<open>\()|(?P<close>\))|(?P<equals>=)|(?P<gap>[ \t]+)|(?P<other>[\s\S])"
)
_MEANING = {"*": "*", "×": "*", "x": "*", "X": "*", "/": "/", "÷": "/", "+": "+"} | dict.fromkeys(_MINUS, "-")
_SPELT = {"times", "plus", "minus"}
_BINDING = _SPELT | {"of", "by", "half", "twice", "double"}  # before an expression: it is part of a larger one
_SCALES = {"dozen", "dozens", "cent", "cents", "percent", "hundred", "thousand", "million", "billion"}
_STOPS = ("equals", "other", "clock")
_DEEPEST = 50  # nested brackets; a looping model must not exhaust the stack
_MOST_WORDS = 3  # of a unit after a number: "9 fresh duck eggs * $2"


def equations(chain: str) -> list[tuple[str, bool]]:
    """The equations that a chain states, each with whether its arithmetic is right. Ours.

    >>> equations("She has 16 - 3 - 4 = 9 eggs and makes 9 eggs * $2 = $19.")
    [('16 - 3 - 4 = 9', True), ('9 eggs * $2 = $19', False)]

    Read: ``+ - * x × / ÷``, brackets, usual precedence, thousands, currency, mixed numbers, unit words after a
    number; ``a = b = c`` is two equations. Computed exactly; a result with decimals may be rounded to them
    (``10 / 3 = 3.33``), and ``%`` of a result is read either way (``5 / 20 = 25%``, ``5 / 20 * 100 = 25%``).
    What cannot be read for certain (letters for numbers, powers, "half of 6 + 2 = 5", "12 * 25 cents = $3",
    nothing to compute) is not listed, so shares are over the equations that can be checked.
    """
    return [(one.text, one.right) for one in read_equations(chain)]


@dataclass(frozen=True)
class Equation:
    """One equation of a text: where it begins and ends, the numbers on each side as stated, its result, its verdict.

    ``20%`` is stated as 20. ``result`` is the value of the right side.
    """

    text: str
    start: int
    end: int
    left: tuple[Fraction, ...]
    right_side: tuple[Fraction, ...]
    result: Fraction
    right: bool


def read_equations(chain: str) -> list[Equation]:
    """The equations of a chain in order, as :func:`equations` reads them, with their numbers."""
    tokens = _tokens(chain)
    found = []
    for position, token in enumerate(tokens):
        if token.lastgroup != "equals":
            continue
        left, right = _left_side(tokens, position), _right_side(tokens, position + 1)
        if left is None or right is None:
            continue
        (first, value), (last, result) = left, right
        read = tokens[first : last + 1]
        computed = any(_operation(token) for token in tokens[first + 1 : position])
        if computed and not any(token.group().lower() in _SCALES for token in read):
            start, end, right_side = tokens[first].start(), tokens[last].end(), tokens[position + 1 : last + 1]
            sides = (_stated(tokens[first:position]), _stated(right_side))
            right = _agrees(value, result, right_side)
            found.append(Equation(chain[start:end], start, end, *sides, result, right))
    return found


def numbers_in(text: str) -> set[Fraction]:
    """Every number that a text gives, in digits or words, and what it gives with it.

    >>> sorted(map(str, numbers_in("Half of the 20 eggs, then two more")))
    ['1/2', '2', '20']

    With a fraction its two parts, with a percentage its hundredth and 100, and with "half", "twice", "double",
    "triple" and "dozen" the factors that they stand for.
    """
    found: set[Fraction] = set()
    for match in _NUMBER.finditer(text):
        found.add(abs(_value(match)))
        found |= {Fraction(Decimal(match[part])) for part in ("whole", "top", "bottom", "over") if match[part]}
        if match["over"]:
            found.add(Fraction(Decimal(match["plain"].replace(",", ""))))
        if _PER_CENT.match(text, match.end()):
            found |= {_value(match) / 100, Fraction(100)}
    read_to = 0
    for match in _WORD_START.finditer(text):
        if match.start() >= read_to:
            spelt = leading_numeral(text[match.start() : match.start() + _LONGEST_NUMERAL])
            if spelt is not None:
                found.add(abs(spelt[0]))
                read_to = match.start() + spelt[1]
        found |= {Fraction(one) for one in _FACTORS.get(match[0].lower(), ())}
    return found


_PER_CENT = re.compile(r" ?(?:%|per ?cent)")
_WORD_START = re.compile(r"(?<![A-Za-z])[A-Za-z]+|[^\W\d_]")
_LONGEST_NUMERAL = 80
_FACTORS = {"half": (2, "1/2"), "halves": (2, "1/2"), "halved": (2,), "twice": (2,), "double": (2,), "doubled": (2,)}
_FACTORS |= {"doubles": (2,), "triple": (3,), "tripled": (3,), "triples": (3,), "thrice": (3,)}
_FACTORS |= {"third": (3,), "thirds": (3,), "quarter": (4, "1/4"), "quarters": (4, "1/4"), "quadruple": (4,)}
_FACTORS |= {"dozen": (12,), "dozens": (12,), "couple": (2,), "pair": (2,), "pairs": (2,)}


def _stated(tokens: list[re.Match[str]]) -> tuple[Fraction, ...]:
    """The numbers among tokens of one side of an equation, signs left out."""
    return tuple(_token_value(token.group()) for token in tokens if token.lastgroup == "number")


def _token_value(text: str) -> Fraction:
    whole, *fraction = text.strip(f"% {_CURRENCY}").replace(",", "").split()
    value = Fraction(Decimal(whole))
    if fraction:
        top, bottom = fraction[0].split("/")
        value += Fraction(Decimal(top)) / Fraction(Decimal(bottom))
    return value


def _tokens(text: str) -> list[re.Match[str]]:
    return [match for match in _TOKEN.finditer(text) if match.lastgroup != "gap"]


def _left_side(tokens: list[re.Match[str]], end: int) -> tuple[int, Fraction] | None:
    """Start and value of the longest expression up to ``end``; None where there is none, or more belongs to it."""
    start = end
    while start > 0 and tokens[start - 1].lastgroup not in _STOPS:
        start -= 1
    for first in range(start, end):
        value, after = _sum(tokens[:end], first)
        if value is None or after < end:
            continue
        if first == start:
            return first, value
        before = tokens[first - 1]
        product = before.lastgroup in ("number", "close") and tokens[first].lastgroup == "open"  # 2(3 + 4)
        partial = product or _operation(before) or before.group().lower() in _BINDING
        return None if partial else (first, value)
    return None


def _right_side(tokens: list[re.Match[str]], start: int) -> tuple[int, Fraction] | None:
    """Last token and value of the longest expression from ``start``; None where none, or more belongs to it."""
    value, after = _sum(tokens, start)
    if value is None:
        return None
    if after < len(tokens) and (_operation(tokens[after]) or tokens[after].lastgroup == "open"):
        return None
    last = after - 1
    while tokens[last].lastgroup == "word":
        last -= 1
    return last, value


def _agrees(value: Fraction, result: Fraction, right: list[re.Match[str]]) -> bool:
    numbers = [token.group() for token in right if token.lastgroup == "number"]
    if len(numbers) > 1:
        return same_number(value, result)
    decimals = len(numbers[0].rstrip("% ").partition(".")[2])
    slack = Fraction(1, 2 * 10**decimals) if decimals else Fraction(0)
    if numbers[0].endswith("%"):
        return min(abs(100 * value - 100 * result), abs(value - 100 * result)) <= slack
    return abs(value - result) <= slack or same_number(value, result)


def _operation(token: re.Match[str]) -> str:
    """``+``, ``-``, ``*`` or ``/`` where the token is an operation, else an empty text."""
    if token.lastgroup == "word" and token.group().lower() in _SPELT:
        return token.group()
    return _MEANING[token.group()] if token.lastgroup in ("operator", "sign") else ""


# A parser by recursive descent. Each part returns its value and the position after it; None where it is no number.
Parsed = tuple[Fraction | None, int]


def _sum(tokens: list[re.Match[str]], at: int, depth: int = 0) -> Parsed:
    value, at = _product(tokens, at, depth)
    while value is not None and at < len(tokens) and _operation(tokens[at]) in ("+", "-"):
        term, after = _product(tokens, at + 1, depth)
        if term is None:
            break
        value, at = value + (term if _operation(tokens[at]) == "+" else -term), after
    return value, at


def _product(tokens: list[re.Match[str]], at: int, depth: int) -> Parsed:
    value, at = _operand(tokens, at, depth)
    while value is not None and at < len(tokens) and _operation(tokens[at]) in ("*", "/"):
        factor, after = _operand(tokens, at + 1, depth)
        if factor is None or (factor == 0 and _operation(tokens[at]) == "/"):
            break
        value, at = (value * factor if _operation(tokens[at]) == "*" else value / factor), after
    return value, at


def _operand(tokens: list[re.Match[str]], at: int, depth: int) -> Parsed:
    if at >= len(tokens) or depth > _DEEPEST:
        return None, at
    kind, text = tokens[at].lastgroup, tokens[at].group()
    if kind == "sign":
        value, at = _operand(tokens, at + 1, depth + 1)
        return (None if value is None else -value), at
    if kind == "open":
        value, at = _sum(tokens, at + 1, depth + 1)
        if value is None or at >= len(tokens) or tokens[at].lastgroup != "close":
            return None, at
    elif kind == "number":
        value = _token_value(text) / (100 if text.endswith("%") else 1)
    else:
        return None, at
    at += 1
    for _ in range(_MOST_WORDS):
        if at < len(tokens) and tokens[at].lastgroup == "word" and not _operation(tokens[at]):
            at += 1
    return value, at
