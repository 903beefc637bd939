"""What is measured once is read ever after; what is missing is said; words and figures follow the tables."""

from __future__ import annotations

import json
import math
from inspect import signature
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from ases import performance, speed_figures, speed_words
from ases.benchmarks_generation import engine_table
from ases.errors import DataError
from ases.folders import Run
from ases.settings import BENCHMARKS, settings_for

TIMES = {"plain": 1.0, "dynamic padding": 40.0, "question": 95.0, "prefix": 60.0, "question and prefix": 50.0}


def run_in(folder: Path, parts: tuple[str, ...] = BENCHMARKS) -> Run:
    class Here(Run):
        folder = Path()

    Here.folder = folder
    settings = settings_for({"size": "smoke", "parts": list(parts)})
    trained = SimpleNamespace(settings=settings_for({"size": "smoke", "method": "uni-path"}), folder=folder)
    return Here("performance", {}, settings, (trained,), "test", "key")


def measured(**columns: object) -> pd.DataFrame:
    stamp = {"machine": "m", "cores": 2, "versions": "torch 2", "threads": 1, "part_seconds": 3.0}
    return pd.DataFrame(columns).assign(**stamp)


def scoring() -> pd.DataFrame:
    names = list(TIMES)
    return measured(
        data="generated",
        procedure=[*names[:2], "ours", "ours", "ours"],
        condition=["question", "question", *names[2:]],
        precision="float32",
        pieces=[48, 192, 600, 600, 600],
        pieces_per_second=[0.5 * TIMES[name] for name in names],
        times_plain=[TIMES[name] for name in names],
        limit=[math.nan, math.nan, 110.0, 80.0, 70.0],
        flops_per_piece=[9e11, 2e10, 1e10, 1e10, 2e10],
        matrix_share=[0.6, 0.5, 0.55, 0.5, 0.5],
        question_tokens=60.0,
        piece_tokens=8.0,
        tokens_per_word=1.39,
    ).fillna({"limit": 1.0})


def processes() -> pd.DataFrame:
    return measured(
        processes=[1, 2], pieces=600, seconds=[10.0, 5.2], pieces_per_second=[60.0, 115.0], speed_up=[1.0, 1.92]
    )


def memory() -> pd.DataFrame:
    return measured(
        procedure=["plain", "dynamic padding", "ours"],
        pieces=[24, 24, 600],
        peak_mib=[3000.0, 300.0, 600.0],
        share_of_plain=[1.0, 0.1, 0.2],
    )


def precision() -> pd.DataFrame:
    return measured(
        strategy=["entropy", "loss"],
        condition="question",
        precision="bfloat16",
        pieces=300,
        mean_error=[0.004, 0.006],
        largest_error=[0.02, 0.05],
        labels_changed=[0.01, 0.0],
    )


def batches() -> pd.DataFrame:
    ways = ["by both lengths", "shuffled, padded to the longest", "shuffled, padded to 256"]
    return measured(
        data="generated",
        method=["seq2seq"] * 3 + ["uni-path"] * 3,
        batches=ways * 2,
        pairs=4000,
        padding_waste=[0.08, 0.3, 0.7, 0.12, 0.4, 0.8],
        real_tokens_per_second=[9000, 6000, 2000, 9000, 7500, 2500],
        times=[1.0, 1.5, 4.5, 1.0, 1.2, 3.6],
    )


def engines() -> pd.DataFrame:
    return measured(
        data="generated",
        engine=["plain loop", "transformers", "transformers", "ctranslate2", "ctranslate2"],
        compute_type=["float32"] * 4 + ["int8"],
        batch=[1, 1, 256, 256, 256],
        questions=256,
        seconds=[128.0, 116.0, 8.5, 7.1, 5.1],
        cpu_seconds=[128.0, 116.0, 17.0, 13.5, 10.0],
        examples_per_second=[2.0, 2.2, 30.0, 36.0, 50.0],
        times_plain=[1.0, 1.1, 15.0, 18.0, 25.0],
        accuracy=[0.4, 0.4, 0.4, 0.4, 0.39],
        same_chains=[1.0, 1.0, 1.0, 0.996, 0.9],
        same_segments=[math.nan, math.nan, math.nan, 0.998, math.nan],
        largest_margin=[math.nan, math.nan, math.nan, 2e-5, math.nan],
    )


def cost() -> pd.DataFrame:
    return measured(
        data="generated",
        turns=[3, 3, 5, 5],
        batch=[1, 64] * 2,
        questions=[8, 64] * 2,
        seconds_per_question=[0.1, 0.01, 0.2, 0.01],
        ideal_seconds=[0.001] * 4,
    )


def questions() -> pd.DataFrame:
    return measured(questions=[1000, 10_000, 100_000], loaded_mb=400.0, peak_mb=[500.0, 510.0, 530.0], seconds=1.0)


def rows() -> pd.DataFrame:
    names = ["generate problems", "write the file", "check the file"]
    return measured(step=names, rows=[400, 500, 500], seconds=[1.0, 2.0, 3.0], peak_mb=[math.nan, 100.0, 200.0])


def hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    example = SimpleNamespace(rationale="One. Two. Three. Four.")
    monkeypatch.setattr(performance, "_to_score", lambda training: [example] * 150)
    return performance.hours(run_in(tmp_path), scoring(), processes())


TABLES = {one.__name__: one for one in (scoring, memory, processes, precision, batches, engines, cost, questions, rows)}


def test_a_part_is_measured_once_stamped_and_read_ever_after(tmp_path: Path) -> None:
    run, calls = run_in(tmp_path), []

    def measure(tell):
        tell("half", 0.5)
        calls.append(json.loads(run.path("progress.json").read_text()))
        return pd.DataFrame({"seconds": [1.0]})

    first = performance._kept(run, "data", "rows", measure)
    assert calls == [{"message": "rows: half", "done": 0.5}]
    assert {"machine", "threads", "versions", "cores", "part_seconds"} <= set(first)
    assert "torch" in first["versions"][0] and first["threads"].tolist() == [1]
    pd.testing.assert_frame_equal(performance._kept(run, "data", "rows", measure), first)
    assert len(calls) == 1
    run.path("measured-rows.parquet").unlink()  # as a kill before the last moment leaves it
    performance._kept(run, "data", "rows", measure)
    assert len(calls) == 2
    durations = performance.durations(run)
    assert durations["part"].tolist() == ["rows"] and {"machine", "versions", "threads"} <= set(durations)


def test_a_part_left_out_is_empty_said_and_found_again_when_it_was_measured_before(tmp_path: Path, capsys) -> None:
    run = run_in(tmp_path, ("training",))
    empty = performance._kept(run, "data", "rows", lambda tell: pytest.fail("not asked for"))
    assert empty.empty and performance.shown(empty).shape == (1, 1)
    speed_figures.keep(run, "rows", empty)
    assert "rows was not measured" in capsys.readouterr().out
    assert "`parts` leaves out scoring, generation, data." in performance.missing(run)
    whole = performance._kept(run_in(tmp_path), "data", "rows", lambda tell: pd.DataFrame({"a": [1]}))
    pd.testing.assert_frame_equal(performance._kept(run, "data", "rows", lambda tell: None), whole)


def test_what_is_missing_here_is_said_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performance, "find_spec", lambda name: None)
    said = " ".join(performance.missing(run_in(tmp_path)))
    for part in ("no table has rows for LLM-Adapters", "`data_folder`", "ctranslate2 is not installed", "GPU"):
        assert part in said


def test_hours_are_measured_for_one_thread_and_projected_for_what_is_not_here(tmp_path, monkeypatch) -> None:
    table = hours(tmp_path, monkeypatch)
    one = table[(table["count"] == 1) & (table["rationales"] == 1e6)].set_index("device")
    rate = 25.0 / 4  # both conditions, in pieces a second; four pieces a rationale
    assert one["hours"]["one thread here"] == pytest.approx(1e6 / rate / 3600)
    assumed = one["hours"]["H100, 20 % of its peak (assumed)"]
    assert assumed == pytest.approx(1e6 * 8e10 / (0.2 * 989e12) / 3600)
    assert one["measured"].tolist() == [True, False, False] and not table[table["count"] > 1]["measured"].any()
    eight = table[(table["count"] == 8) & (table["rationales"] == 1e6)].set_index("device")["hours"]
    assert eight["one thread here"] == pytest.approx(one["hours"]["one thread here"] / 8 / 0.96)
    words = speed_words.hours_words(table)
    assert "**Measured**" in words and "**Assumed**" in words and "no GPU was measured" in words and "96 %" in words
    assert performance.hours(run_in(tmp_path), scoring(), pd.DataFrame()).empty


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_drawn_and_saved_beside_its_figure(name: str, tmp_path: Path) -> None:
    run = run_in(tmp_path)
    speed_figures.keep(run, name, TABLES[name]())
    there = {path.name for path in run.figure_folder.iterdir()}
    assert there == {f"{name}.measured.{suffix}" for suffix in ("csv", "png", "svg")}
    table = pd.read_csv(run.figure_folder / f"{name}.measured.csv")
    assert {"machine", "threads", "versions"} <= set(table)


def test_the_projection_and_the_durations_are_drawn_too(tmp_path, monkeypatch) -> None:
    table = hours(tmp_path, monkeypatch)
    assert {"machine", "threads", "versions"} <= set(table)
    assert len(speed_figures.hours(table).axes) == 2
    figure = speed_figures.durations(pd.DataFrame({"part": ["a", "b"], "seconds": [30.0, 60.0]}))
    assert "1.5 minutes" in figure.axes[0].get_xlabel()
    assert set(speed_figures.DRAWN) == {*TABLES, "hours", "durations"}


def test_words_hold_each_goal_against_its_number() -> None:
    said = speed_words.scoring_words(scoring())
    assert "95x for the condition question and 60x for the condition prefix" in said
    assert "missed by 33 %" in said and "1.39 tokens of a word" in said and "80x to 110x" in said
    reached = scoring().assign(times_plain=100.0)
    assert "the goal of 90x is met" in speed_words.scoring_words(reached)
    said = speed_words.resources_words(memory(), processes(), precision())
    assert "20 % of the plain procedure's" in said and "third is met" in said and "1.92 times" in said
    assert "1.0 % of the labels" in said
    said = speed_words.batches_words(batches()).splitlines()
    assert "1.5x shuffled, padded to the longest (goal 1.3x: met)" in said[0] and "8.0 % padding" in said[0]
    assert "goal 1.3x: missed" in said[1] and "goal 4x: missed" in said[1] and "goal below 10 %: missed" in said[1]
    said = speed_words.engines_words(engines())
    assert "transformers 15.0x (goal 12x: met); ctranslate2 18.0x (goal 20x: missed)" in said
    assert "40.0 % in float32, 39.0 % in int8" in said and "99.80 % of the segments (goal 99.5 %: met)" in said
    assert "timed once" in said and "best of three" in said and "one worker" not in said
    assert signature(engine_table).parameters["repeats"].default == 3, "what the words say"
    said = speed_words.cost_words(cost(), questions())
    assert "10.0 to 20.0 times less" in said and "10 times what" in said and "530 MiB" in said
    said = speed_words.rows_words(rows())
    assert "400 problems" in said and "500 records" in said and "5 s" in said and "200 MiB" in said


def test_of_int8_on_one_worker_it_is_said() -> None:
    alone = engines().assign(cpu_seconds=[128.0, 116.0, 17.0, 13.5, 5.1]).assign(threads=2)
    said = speed_words.engines_words(alone)
    assert "only one worker was busy (1.00 seconds of the processor a second, float32 1.90)" in said
    assert "one of 2 threads" in said
    for other in (alone[alone["compute_type"] == "float32"], alone.assign(cpu_seconds=alone["seconds"])):
        assert "one worker" not in speed_words.engines_words(other)


def test_memory_is_judged_by_what_100_000_further_questions_take() -> None:
    said = speed_words.cost_words(pd.DataFrame(), questions())
    assert "22 MiB for 100,000 further questions (goal: at most 20" in said and ": missed)" in said
    flat = questions().assign(peak_mb=[500.0, 510.0, 519.0]).iloc[::-1]
    said = speed_words.cost_words(pd.DataFrame(), flat)
    assert "519 MiB at the peak for 100,000 questions, 500 MiB for 1,000" in said and "10 MiB for 100,000" in said
    assert ": met)" in said
    for few in (questions().iloc[:1], questions().assign(questions=[1, 10, 100])):
        assert "so few questions cannot tell" in speed_words.cost_words(pd.DataFrame(), few)


def test_a_batch_that_was_never_full_is_refused() -> None:
    short = cost().assign(questions=[8, 32] * 2)
    for told in (lambda: speed_words.cost_words(short, questions()), lambda: speed_figures.cost(short)):
        with pytest.raises(DataError, match="2 rows have a batch larger .* the first a batch of 64 of 32 questions"):
            told()


@pytest.mark.parametrize("words", ["scoring_words", "batches_words", "engines_words", "rows_words", "hours_words"])
def test_words_of_nothing_say_so(words: str) -> None:
    assert "Not measured" in getattr(speed_words, words)(pd.DataFrame())
    assert "Not measured" in speed_words.cost_words(pd.DataFrame(), pd.DataFrame())
    assert "Not measured" in speed_words.resources_words(pd.DataFrame(), pd.DataFrame(), pd.DataFrame())


def test_where_it_was_measured_is_told_for_each_number_of_threads() -> None:
    durations = measured(part=["scoring", "engines"], seconds=1.0).assign(threads=[1, 2])
    said = speed_words.where_words(durations)
    assert said == "- m, 2 cores; torch 2. Threads: 1 in scoring; 2 in engines."
