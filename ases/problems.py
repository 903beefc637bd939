"""Generated math word problems, told in the manner of LLM rationales, with the true label of every piece.

>>> example = generate_problems(1, seed=12, distractors=0)[0]
>>> example.rationale
'Max had 9 daisies, and Hana had 4 more daisies than Max. Hana had 9 + 4 = 13 daisies. The answer is 13.'
>>> example.gold
('ES', 'ES', 'AS', 'ES')

A problem is an operation graph (:data:`GRAPHS`): a few moves, each worth one to three operations, told in the
words of a theme (:mod:`ases.stories`). Every number in the rationale is given in the question (in digits, or as
"twice", "doubled", "tripled", "half") or is an earlier result. Every number is a whole number of 2 or more.

Gold labels (METHOD, section 2). A clause that derives holds an equation, ``12 + 5 = 17``, and with it a relation
found nowhere before: ``AS``, even where 17 happens to be a number of the question. A clause without an equation
restates, in the question's words or others, a fact of the question or an earlier result: ``ES``. No clause states a
new number without its equation. Hence, from the text alone: AS iff the piece holds ``=`` or a new number.

Leakage (METHOD, section 4). The schema is graph and theme, whatever the wording, names and items; no two examples of
one call share a schema together with the numbers given or with the numbers of the question, distractors counted.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from ases import stories
from ases.errors import ParameterError
from ases.examples import AS, ES, Example
from ases.graphs import GRAPHS, MOVES, TOGETHER, TOTALS, Graph, Move, draw_moves

_HAPPENS = {"gain", "lose", "half", "add-groups", "take-groups", "share", "pack", "sell", "spend"}
_STATE = {"gain", "lose", "half", "double", "add-groups", "take-groups"}  # these change what there is "now"
# Clauses that begin so take no "then" before them.
_SET_OFF = {"on", "in", "at", "after", "over", "by", "for", "the", "these", "there", "each", "every", "all"}

_INTROS = ("", "", "so ", "that means ", "this means ")


@dataclass(frozen=True)
class _Telling:
    """One event of a move: wordings of each fact, of what follows from each operation, and of what is asked."""

    facts: tuple[tuple[str, ...], ...]
    follows: tuple[tuple[str, ...], ...]
    asks: tuple[str, ...]


def _wordings(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split("~"))


@cache
def _tellings(theme: str, move: str) -> tuple[_Telling, ...]:
    """The events of a move in a theme; none where the theme cannot tell it."""
    words = stories.THEMES[theme]
    if move in TOTALS and "pool" in words:
        (pool,) = _tellings(theme, "pool")
        return tuple(
            _Telling(one.facts, one.follows + pool.follows, pool.asks) for one in _tellings(theme, TOTALS[move])
        )
    told = []
    for event in words[move].split(";") if words.get(move) else ():
        facts, *rest = event.split("|")
        asks = [part.strip()[1:] for part in rest if part.strip().startswith("?")]
        follows = [_wordings(part) for part in rest if not part.strip().startswith("?")]
        if len(follows) < len(MOVES[move]):
            follows.append(_wordings(words["state"]))
        told.append(
            _Telling(
                tuple(_wordings(fact) for fact in facts.split("&")),
                tuple(follows),
                _wordings(asks[0] if asks else words["ask"]),
            )
        )
    return tuple(told)


@cache
def _choices(steps: int) -> tuple[tuple[Graph, tuple[str, ...]], ...]:
    """The graphs with that many steps, each with the themes that can tell all its moves."""
    choices = []
    for graph in GRAPHS.values():
        further = bool(TOGETHER & set(graph.moves[:-1]))
        themes = tuple(
            name
            for name in stories.THEMES
            if all(_tellings(name, move) for move in graph.moves) and not (further and name in stories.APART)
        )
        if graph.steps == steps and themes:
            choices.append((graph, themes))
    return tuple(choices)


class _Speaker:
    """Renders clauses: the name at first mention, pronouns after; one choice of items, people and gift a problem."""

    def __init__(self, rng: random.Random, theme: str):
        words = stories.THEMES[theme]
        woman = rng.random() < 0.5
        own, others = (stories.WOMEN, stories.MEN) if woman else (stories.MEN, stories.WOMEN)
        self.rng = rng
        self.pronoun, his, him = ("she", "her", "her") if woman else ("he", "his", "him")
        self.slots = {"N": rng.choice(own), "O": rng.choice(others), "his": his, "him": him}
        self.slots["items"] = rng.choice(words["items"].split())
        self.slots["gift"] = rng.choice(stories.GIFTS)
        if "boxes" in words:
            for number, box in enumerate(rng.sample(words["boxes"].split(), 4), start=1):
                self.slots[f"box{number}"] = box
                self.slots[f"boxes{number}"] = stories.PLURALS.get(box, f"{box}s")
        if "adjectives" in words:
            kinds = rng.choice(words["adjectives"].split()).split("/")
            self.slots["kind1"], self.slots["kind2"] = kinds
        self.dollars = rng.random() < 0.4
        self.named = False
        self.told: dict[int, dict[str, str]] = {}

    def say(self, wording: str, move: Move, together: bool = False, **extra: str) -> str:
        """One clause, without capital or end mark."""
        slots = self.slots | self.numbers(move) | extra
        if together:
            slots |= {"S": "they", "N": "they", "his": "their", "him": "them"}
        else:
            slots["S"] = self.pronoun if self.named and self.rng.random() < 0.8 else self.slots["N"]
            self.named = self.named or "{S}" in wording or "{N}" in wording
        return wording.format_map(slots)

    def numbers(self, move: Move) -> dict[str, str]:
        """The slots of a move's numbers, made once a move."""
        slots = self.told.get(id(move))
        if slots is None:
            slots = {}
            for letter, number in move.numbers.items():
                slots[letter] = str(number)
                slots[f"{letter}_usd"] = f"${number}" if self.dollars else f"{number} dollars"
            k = move.numbers.get("k")
            slots["times"] = "twice" if k == 2 else f"{k} times"
            slots["mult"] = "doubled" if k == 2 else "tripled"
            self.told[id(move)] = slots
        return slots


def _sentence(clause: str, end: str = ".") -> str:
    return clause[0].upper() + clause[1:] + end


def _question(rng: random.Random, speaker: _Speaker, moves: list[Move], told: list[_Telling], extra: str) -> str:
    """The question's text: the facts in order, perhaps a distractor between them, and what is asked."""
    facts = [(move, wordings) for move, telling in zip(moves, told, strict=True) for wordings in telling.facts]
    place = rng.randint(0, len(facts)) if extra else -1
    sentences, last = [], ""
    for index, (move, wordings) in enumerate(facts):
        if index == place:
            sentences.append(_sentence(extra))
            speaker.named = False  # other people may have come up: the name again, not a pronoun
        # The first wording names its things; the others may say "them", which must not follow another thing.
        clause = speaker.say(wordings[0] if index == place else rng.choice(wordings), move, move.together)
        fits = index == len(facts) - 1 and place != len(facts) and clause.split()[0] not in _SET_OFF - {"the", "each"}
        if fits and rng.random() < 0.3:
            last = f"If {clause}, "
        elif move.name in _HAPPENS and clause.split()[0] not in _SET_OFF and rng.random() < 0.4:
            sentences.append(_sentence(rng.choice(("then ", "later ", "after that ")) + clause))
        else:
            sentences.append(_sentence(clause))
    if place == len(facts):
        sentences.append(_sentence(extra))
        speaker.named = False
    loses = MOVES[moves[-1].name][-1].split()[3] in "-/"
    changed = moves[-1].name in _STATE
    tails = (("left", "in the end") if loses else ("in total", "in the end")) if changed else ("in total", "in all")
    ask = speaker.say(rng.choice(told[-1].asks), moves[-1], moves[-1].together, tail=rng.choice(tails))
    return " ".join([*sentences, last + ask + "?" if last else _sentence(ask, "?")])


class _Writer:
    """Collects a rationale clause by clause, each with its label; a clause ends with ``.`` or ``,``."""

    def __init__(self, rng: random.Random, speaker: _Speaker):
        self.rng, self.speaker = rng, speaker
        self.pieces: list[tuple[str, str]] = []
        self.waiting: list[tuple[Move, tuple[str, ...]]] = []
        self.intro = ""

    def add(self, text: str, label: str) -> None:
        start = not self.pieces or self.pieces[-1][0].endswith(".")
        self.pieces.append((text[0].upper() + text[1:] if start else text, label))

    def restate(self, soft: bool) -> None:
        """Write the waiting facts; ``soft`` leaves the last sentence open for ", so ..."."""
        rng, say = self.rng, self.speaker.say
        while self.waiting:
            move, wordings = self.waiting.pop(0)
            clause = say(rng.choice(wordings), move, move.together)
            happens = move.name in _HAPPENS and clause.split()[0] not in _SET_OFF
            if happens and self.pieces and rng.random() < 0.3:
                clause = rng.choice(("then ", "next ", "after that ")) + clause
            if self.waiting and rng.random() < 0.7:
                following, wordings = self.waiting[0]
                wording = rng.choice(wordings)
                if rng.random() < 0.5:
                    self.add(clause + ",", ES)
                    clause = "and " + say(wording, following, following.together)
                else:
                    same = clause.split()[0].lower() in (self.speaker.pronoun, "they", self.speaker.slots["N"].lower())
                    short = same and wording.startswith("{S} ") and move.together == following.together
                    second = say(wording, following, following.together)
                    clause += " and " + (second.split(" ", 1)[1] if short else second)
                self.waiting.pop(0)
            self.add(clause + ("," if soft and not self.waiting else "."), ES)

    def derive(self, move: Move, wordings: tuple[str, ...], index: int, told: bool, closing: bool) -> None:
        """Write what follows from an operation, after the facts that wait; ``told`` if the move's own were told."""
        rng, say = self.rng, self.speaker.say
        equation, result = move.equations[index]
        wording = rng.choice(wordings)
        style = rng.random()
        soft = style < 0.45 and told and bool(self.waiting)
        self.restate(soft)
        if style > 0.9:
            self.add(f"{equation},", AS)
            self.add(f"so {say(wording, move, move.together, x=result)}.", ES)
            return
        clause = say(wording, move, move.together, x=equation)
        if soft:
            now = "now " if move.name in _STATE and index == len(move.equations) - 1 and rng.random() < 0.4 else ""
            self.add(f"so {now}{clause}.", AS)
        else:
            # "That means" points back: at nothing, where the piece is the first or the move's own facts went untold.
            intros = _INTROS if told and self.pieces else ("",)
            self.intro = rng.choice([intro for intro in intros if not intro or intro != self.intro])
            self.add(f"{self.intro}{clause}.", AS)
        others = [other for other in wordings if other != wording]
        if closing and others and move.name not in _STATE and rng.random() < 0.15:
            self.add(f"so {say(rng.choice(others), move, move.together, x=result)}.", ES)


def _rationale(rng: random.Random, speaker: _Speaker, moves: list[Move], told: list[_Telling]) -> tuple[str, list[str]]:
    writer = _Writer(rng, speaker)
    speaker.named = False
    facts = [(move, wordings) for move, telling in zip(moves, told, strict=True) for wordings in telling.facts]
    facts_first = len(facts) <= 4 and rng.random() < 0.15
    if facts_first:
        writer.waiting = facts
        writer.restate(soft=False)
    for place, (move, telling) in enumerate(zip(moves, told, strict=True)):
        waiting = [(move, wordings) for wordings in telling.facts]
        if facts_first or rng.random() < 0.2:
            waiting = []
        apart = len(telling.facts) == 2 and len(move.equations) == 3 and rng.random() < 0.5
        if not apart:
            writer.waiting += waiting
        for index, wordings in enumerate(telling.follows[: len(move.equations)]):
            if apart and index < len(waiting):
                writer.waiting.append(waiting[index])
            last = index == len(move.equations) - 1
            told_it = facts_first or bool(waiting) or last and index > 0
            writer.derive(move, wordings, index, told=told_it, closing=last and place == len(moves) - 1)
    writer.restate(soft=False)
    writer.add(f"the answer is {moves[-1].equations[-1][1]}.", ES)
    return " ".join(text for text, _ in writer.pieces), [label for _, label in writer.pieces]


@cache
def _distractors() -> tuple[tuple[str, int, int], ...]:
    """Each distractor with the numbers that it may take."""
    found = []
    for wording in stories.DISTRACTORS.split(";"):
        low, high = next((span for words, span in stories.PLAUSIBLE.items() if words in wording), (2, 10**9))
        found.append((" ".join(wording.split()), low, high))
    return tuple(found)


def _distractor(rng: random.Random, speaker: _Speaker, largest: int, hero: bool) -> str:
    fits = [(text, low, high) for text, low, high in _distractors() if low <= largest and (hero or "{N}" not in text)]
    text, low, high = rng.choice(fits)
    return text.format(N=speaker.slots["N"], d=rng.randint(low, min(high, largest)), things=rng.choice(stories.THINGS))


def _write(rng: random.Random, graph: Graph, theme: str, moves: list[Move], extra: bool, largest: int) -> Example:
    speaker = _Speaker(rng, theme)
    told, used = [], set()
    for move in moves:
        events = _tellings(theme, move.name)
        fresh = [event for event in events if event not in used] or events
        told.append(rng.choice(fresh))
        used.add(told[-1])
    hero = "{S}" in stories.THEMES[theme]["state"]  # a story of nobody by name takes no distractor about somebody
    distractor = _distractor(rng, speaker, largest, hero) if extra else ""
    question = _question(rng, speaker, moves, told, distractor)
    rationale, gold = _rationale(rng, speaker, moves, told)
    return Example(
        qid="",
        question=question,
        rationale=rationale,
        answer=str(moves[-1].equations[-1][1]),
        source="generated",
        licence="MIT",
        gold=tuple(gold),
        graph=graph.name,
        schema=f"{graph.name}/{theme}",
    )


def generate_problems(
    n: int, *, seed: int, steps_from: int = 1, steps_to: int = 3, largest: int = 20, distractors: float = 0.3
) -> list[Example]:
    """``n`` generated word problems with gold labels; the same arguments give the same list (source: ours).

    The number of operations is drawn evenly from ``steps_from`` to ``steps_to`` (1 to 8). Numbers in the question
    run from 2 to ``largest``, results from 2 to ten times that; divisions are exact, and products and quotients stay
    within 10 by 10 or have a factor of at most 5. ``distractors`` is the share of questions with a fact that the
    rationale never uses. No two examples share a schema (graph and theme) and its numbers, so that any partition of
    the list is free of leakage (METHOD, section 4). Raises ParameterError for arguments out of range, and where there
    are too few different problems to make ``n``.
    """
    kinds = dict(steps_from=steps_from, steps_to=steps_to, largest=largest, distractors=distractors)
    return list(iter_problems(n, seed=seed, **kinds))


def iter_problems(
    n: int, *, seed: int, steps_from: int = 1, steps_to: int = 3, largest: int = 20, distractors: float = 0.3
) -> Iterator[Example]:
    """The problems of :func:`generate_problems` one by one; only a short mark of each one's numbers is kept."""
    if n < 0 or not 1 <= steps_from <= steps_to <= 8 or largest < 2 or not 0 <= distractors <= 1:
        raise ParameterError(
            f"n {n}, steps_from {steps_from}, steps_to {steps_to}, largest {largest}, distractors {distractors}: "
            "n must be 0 or more, steps within 1 to 8 in order, largest 2 or more, distractors from 0 to 1"
        )
    rng = random.Random(f"problems {seed}")
    seen: set[bytes] = set()
    for index in range(n):
        steps, extra = rng.randint(steps_from, steps_to), rng.random() < distractors
        example = _fresh(rng, steps, extra, largest, seen)
        if example is None:
            raise ParameterError(
                f"only {index} different problems were found, but n is {n}: there are too few with {steps} steps and "
                f"numbers up to {largest}; ask for fewer, raise largest or steps_to, or raise steps_from"
            )
        yield replace(example, qid=f"gen-{seed}-{index:06d}")


_TRIES = 1000  # far more than any space that is not nearly used up needs


def _mark(*parts: object) -> bytes:
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()


def _fresh(rng: random.Random, steps: int, extra: bool, largest: int, seen: set[bytes]) -> Example | None:
    """A problem whose numbers are new to its schema, which ``seen`` then remembers; None after too many tries."""
    for _ in range(_TRIES):
        graph, themes = rng.choice(_choices(steps))
        theme = rng.choice(themes)
        # Numbers are redrawn for the same graph a few times, so that graphs where few numbers fit are not rare.
        moves = next(filter(None, (draw_moves(rng, graph, largest) for _ in range(20))), None)
        if moves is None:
            continue
        schema = f"{graph.name}/{theme}"
        given = _mark(schema, "given", [number for move in moves for number in move.numbers.values()])
        if given in seen:
            continue
        example = _write(rng, graph, theme, moves, extra, largest)
        shown = _mark(schema, "shown", sorted(int(number) for number in re.findall(r"\d+", example.question)))
        if shown in seen:
            continue
        seen |= {given, shown}
        return example
    return None


_WORD = re.compile(r"\d+|[A-Za-z]+")


def skeleton(example: Example) -> str:
    """The rationale with its names, items and numbers masked, to count how many ways there are of telling one."""
    return _WORD.sub(lambda match: _mask(match[0]), example.rationale)


def _mask(word: str) -> str:
    return "#" if word.isdigit() else _masks().get(word.lower(), word)


@cache
def _masks() -> dict[str, str]:
    masks = {name.lower(): "NAME" for name in stories.WOMEN + stories.MEN}
    masks |= dict.fromkeys(("she", "he"), "PRONOUN") | dict.fromkeys(("him", "her", "his"), "PRONOUN")
    for words in stories.THEMES.values():
        for item in words["items"].split():
            masks[item] = "ITEMS"
        for box in words.get("boxes", "").split():
            masks[box] = "BOX"
            masks[stories.PLURALS.get(box, f"{box}s")] = "BOXES"
        for kind in words.get("adjectives", "").replace("/", " ").split():
            masks[kind] = "KIND"
    return masks | dict.fromkeys(stories.THINGS + stories.GIFTS, "ITEM")
