"""Resuming: what is on disk is not generated again, what a kill cut off is, and no entry is lost or taken twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ases.chains import Chain, Turn, chain_from_row, chain_row
from ases.engines import Decoding, Written
from ases.errors import DataError, RunError
from ases.generation import WINDOW, chains_to, stream_chains, write_chains
from ases.journal import open_journal, read_chains, unit_of
from ases.settings import settings_for
from ases.tokens import train_codec

SETTINGS = replace(settings_for({"size": "smoke"}).generation, generation_batch=4)
CODEC = train_codec(["Ann had 3. Bob had 4. Total? So 3 + 4 = 7. The answer is 7."])


class Counter:
    """Writes one digit a turn and ends after three; counts what it is asked, and may die of it."""

    context_limit = None
    fingerprint = "counter"

    def __init__(self, deadly: int | None = None, decoding: Decoding | None = None) -> None:
        self.asked: list[tuple[int, ...]] = []
        self.deadly = deadly
        if decoding is not None:
            self.decoding = decoding

    def write(self, contexts, limit, keys=None):
        if self.deadly is not None and len(self.asked) >= self.deadly:
            raise KeyboardInterrupt
        written = []
        for place, context in enumerate(contexts):
            self.asked.append((*context, *([] if keys is None else [keys[place]])))
            turns = len(context) - len(CODEC.encode("Ann had 1. ")) - 1
            digit = CODEC.encode(str(len(context) % 10 if keys is None else keys[place] % 3))
            written.append(Written((*digit, *([CODEC.eoc] if turns >= 2 else [])), True, -1.0))
        return written


QUESTIONS = [(f"q{n}", f"Ann had {n % 10}. ") for n in range(20)]


def test_a_stopped_run_goes_on_where_it_was_and_writes_the_same(tmp_path: Path) -> None:
    whole = Counter()
    expected = write_chains(QUESTIONS, {"model": whole}, CODEC, "uni-path", SETTINGS)
    asked: list[tuple[int, ...]] = []
    for deadly in (4, 7, 9, 14, 2, None):
        writer = Counter(deadly)
        with contextlib.suppress(KeyboardInterrupt):
            found = write_chains(QUESTIONS, {"model": writer}, CODEC, "uni-path", SETTINGS, resume=tmp_path)
        asked += writer.asked
    assert found == expected
    assert sorted(asked) == sorted(whole.asked), "nothing was asked twice, nothing left out"
    again = Counter()
    assert write_chains(QUESTIONS, {"model": again}, CODEC, "uni-path", SETTINGS, resume=tmp_path) == expected
    assert again.asked == []


@pytest.mark.parametrize("vote", ["chain", "segment"])
def test_votes_resume_too(vote: str, tmp_path: Path) -> None:
    given = {"decoding": "sampling", "vote": vote, "samples": 3, "generation_batch": 6}
    settings, decoding = settings_for(given).generation, Decoding("sampling")
    whole = Counter(decoding=decoding)
    expected = write_chains(QUESTIONS, {"model": whole}, CODEC, "uni-path", settings)
    assert {chain.samples for chain in expected} == {3} and any(chain.agreement < 1 for chain in expected)
    assert sum(chain.read_tokens for chain in expected) == sum(len(one) - 1 for one in whole.asked)
    asked: list[tuple[int, ...]] = []
    for deadly in (7, 20, 33, None):
        writer = Counter(deadly, decoding)
        with contextlib.suppress(KeyboardInterrupt):
            found = write_chains(QUESTIONS, {"model": writer}, CODEC, "uni-path", settings, resume=tmp_path)
        asked += writer.asked
    assert found == expected and sorted(asked) == sorted(whole.asked)


def test_other_weights_settings_or_questions_are_not_taken_for_these(tmp_path: Path) -> None:
    one = Counter()
    write_chains(QUESTIONS[:4], {"model": one}, CODEC, "uni-path", SETTINGS, resume=tmp_path)
    for change in ("weights", "settings", "question", "batch"):
        writer, settings, questions = Counter(), SETTINGS, QUESTIONS[:4]
        if change == "weights":
            writer.fingerprint = "other"
        elif change == "settings":
            settings = replace(SETTINGS, max_rounds=9)
        elif change == "question":
            questions = [*QUESTIONS[:3], ("q3", "Ann had 9. ")]
        else:
            settings = replace(SETTINGS, generation_batch=3, token_budget=100)
        write_chains(questions, {"model": writer}, CODEC, "uni-path", settings, resume=tmp_path)
        contexts = {"weights": 12, "settings": 12, "question": 3, "batch": 0}
        assert len(writer.asked) == contexts[change], change
    nameless = Counter()
    nameless.fingerprint = None
    with pytest.raises(DataError, match="fingerprint"):
        write_chains(QUESTIONS, {"model": nameless}, CODEC, "uni-path", SETTINGS, resume=tmp_path)


@given(cut=st.integers(min_value=0, max_value=10_000))
def test_a_file_cut_anywhere_is_read_up_to_its_last_whole_line(cut: int, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("cut")
    path = chains_to(folder, QUESTIONS[:6], {"model": Counter()}, CODEC, "uni-path", SETTINGS)
    expected = dict(read_chains(path))
    content = path.read_bytes()
    path.write_bytes(content[: cut % (len(content) + 1)])
    before = dict(read_chains(path))
    assert before.items() <= expected.items()
    writer = Counter()
    assert chains_to(folder, QUESTIONS[:6], {"model": writer}, CODEC, "uni-path", SETTINGS) == path
    assert dict(read_chains(path)) == expected
    assert sorted(path.read_bytes().splitlines()) == sorted(content.splitlines()), "the same entries, each once"


def test_a_damaged_line_is_said_and_two_writers_are_refused(tmp_path: Path) -> None:
    with open_journal(tmp_path, {"a": 1}) as journal:
        journal.done(1, Chain("q", "7", (("model", "7"),), "end", 1, 2, 3))
        with pytest.raises(RunError, match="another process"), open_journal(tmp_path, {"a": 1}):
            pass
        path = journal.path
    path.write_bytes(path.read_bytes() + b"{broken\n")
    with pytest.raises(RunError, match="line 3"), open_journal(tmp_path, {"a": 1}):
        pass


def test_rows_give_chains_back() -> None:
    chain = Chain("q", "é 7", (("esm", "é "), ("asm", "7")), "end", 2, 3, 4, ("ES", None), 5, 6, 0.5)
    assert chain_from_row(json.loads(json.dumps(chain_row(chain)))) == chain


def test_only_what_is_under_way_is_kept_in_memory(tmp_path: Path) -> None:
    taken, done, most, total = 0, 0, 0, 6000

    def questions():
        nonlocal taken
        for number in range(total):
            taken += 1
            yield f"q{number}", f"Ann had {number % 10}. "

    for _ in stream_chains(questions(), {"model": Counter()}, CODEC, "uni-path", SETTINGS):
        done += 1
        most = max(most, taken - done)
    assert done == total and most <= (WINDOW + 2) * SETTINGS.generation_batch
    said: list[tuple[str, float]] = []
    writers, say = {"model": Counter()}, lambda *both: said.append(both)
    path = chains_to(tmp_path, iter(QUESTIONS), writers, CODEC, "uni-path", SETTINGS, say, total=20)
    assert said[-1] == ("20 of 20 chains", 1.0) and len(list(read_chains(path))) == 20


KILLED = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.test_journal import CODEC, QUESTIONS, SETTINGS, Counter
from ases.generation import write_chains

class Slow(Counter):
    def write(self, contexts, limit):
        time.sleep(0.02)
        with open({log!r}, "a") as log:
            written = super().write(contexts, limit)
            log.write("".join(repr(one) + chr(10) for one in self.asked[-len(contexts):]))
        return written

write_chains(QUESTIONS, {{"model": Slow()}}, CODEC, "uni-path", SETTINGS, resume=Path({folder!r}))
print("finished")
"""


def test_a_run_killed_by_the_system_loses_at_most_the_batch_in_hand(tmp_path: Path) -> None:
    root, log = str(Path(__file__).resolve().parents[1]), tmp_path / "asked"
    code = KILLED.format(root=root, log=str(log), folder=str(tmp_path / "chains"))
    kills = 0
    for lines in (8, 40):
        process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root})
        while process.poll() is None and (not log.exists() or len(log.read_text().splitlines()) < lines):
            time.sleep(0.005)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills == 2, "the run was too fast to be killed"
    whole, last = Counter(), Counter()
    expected = write_chains(QUESTIONS, {"model": whole}, CODEC, "uni-path", SETTINGS)
    found = write_chains(QUESTIONS, {"model": last}, CODEC, "uni-path", SETTINGS, resume=tmp_path / "chains")
    assert found == expected
    asked = [*log.read_text().splitlines(), *(repr(one) for one in last.asked)]
    assert set(asked) == {repr(one) for one in whole.asked}
    assert len(asked) - len(whole.asked) <= kills * SETTINGS.generation_batch


def test_turns_come_back_as_they_were(tmp_path: Path) -> None:
    turn, unit = Turn((3, 4), True, 10, 3, 99, 0.5), unit_of("q", "Ann?")
    with open_journal(tmp_path, {}) as journal:
        journal.turn(unit, 2, turn)
    with open_journal(tmp_path, {}) as journal:
        assert journal.take(unit) == ({2: [turn]}, {}) and journal.take(unit) == ({}, {})
        assert not journal.is_done(unit)
