"""What the performance notebook measures: each part is a table, measured once in a run's folder and read ever after.

>>> table = scoring(run)                                                        # doctest: +SKIP
>>> shown(table, ["procedure", "condition", "pieces_per_second", "times_plain"])  # doctest: +SKIP

A benchmark that is stopped loses at most the table that it was measuring: called again, it reads what is there. Every
table says on which machine, with how many threads and which versions it was measured, and how long that took. A part
that ``parts`` leaves out, and rows for which something is missing here, are left out: :func:`missing` says which.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import pandas as pd
import torch

from ases import scoring_speed
from ases.benchmarks_generation import agreement_table, cost_table, engine_table, memory_by_questions
from ases.benchmarks_training import batching_speed
from ases.examples import Example, read_examples
from ases.hardware import device_name
from ases.pieces import split_pieces
from ases.problems import iter_problems
from ases.provenance import environment
from ases.scale import million_rows
from ases.scorers import load_scorer
from ases.segments import pairs_of
from ases.settings import REAL_RATIONALES, Settings
from ases.threads import on_threads
from ases.training import trained_models

GENERATED, REAL = "generated", "LLM-Adapters"
"""The names of the two sets in every table."""

STAMP = ("machine", "cores", "versions", "part_seconds")
"""Columns of every table that say where and how it was measured; ``threads`` is one more."""

GPU, GPU_PEAK, GPU_SHARE = "H100", 989e12, 0.2
"""A GPU that nothing here was measured on: its bf16 peak by the maker's data sheet, and a share of it, assumed."""

_WHERE = ["machine", "cores", "threads", "versions"]
_LIBRARIES = ("torch", "transformers", "tokenizers", "ctranslate2")
_PRECISE = 100  # questions on which a lower precision is compared


class BenchmarkRun(Protocol):
    """What is needed of a run of the performance notebook."""

    inputs: tuple[Any, ...]
    settings: Settings
    folder: Path

    def path(self, name: str) -> Path:
        """A file of this run."""

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Keep a table, whole or not at all."""

    def progress(self, message: str, done: float) -> None:
        """Tell whoever waits."""


# What there is to measure on -------------------------------------------------------------------------------------


def sets(run: BenchmarkRun) -> dict[str, Any]:
    """The sets that are there, by name, each with the uni-path training on it."""
    names = {REAL_RATIONALES: REAL}
    trained = [one for one in run.inputs if one.settings.training.method == "uni-path"]
    return {names.get(one.settings.data.data, GENERATED): one for one in trained}


def missing(run: BenchmarkRun) -> list[str]:
    """What the tables lack, and why, as sentences."""
    found = []
    if REAL not in sets(run):
        found.append(
            f"The folder that `data_folder` names is not there, so no table has rows for {REAL}: fetch the set with "
            f"`python -m ases download {REAL_RATIONALES} data/{REAL_RATIONALES}`, or name the folder that holds it."
        )
    if not _second_engine():
        found.append("The package ctranslate2 is not installed, so the engines lack its rows.")
    if not torch.cuda.is_available():
        found.append("There is no GPU here: every time is a processor's, and what is said of a GPU is a projection.")
    left_out = [name for name in ("scoring", "training", "generation", "data") if not _asked(run, name)]
    if left_out:
        found.append(f"`parts` leaves out {', '.join(left_out)}.")
    return found


def models(run: BenchmarkRun) -> pd.DataFrame:
    """Which trained models are measured: ``data, method, model, parameters, trained FLOPs``."""
    rows = []
    for one in run.inputs:
        training = one.settings.training
        kept, codec = trained_models(one.folder, training.method)
        name = REAL if one.settings.data.data == REAL_RATIONALES else GENERATED
        rows.append(
            {
                "data": name,
                "method": training.method,
                "model": training.model,
                "parameters": sum(model.num_parameters() for model in kept.values()),
                "vocabulary": len(codec),
                "training_flops": training.budget,
            }
        )
    return pd.DataFrame(rows)


def _second_engine() -> bool:
    return find_spec("ctranslate2") is not None


def _asked(run: BenchmarkRun, part: str) -> bool:
    return part in run.settings.benchmark.parts


def _examples(training: Any, split: str) -> Sequence[Example]:
    return read_examples(training.input("data").path(f"{split}.parquet"))


def _to_score(training: Any) -> list[Example]:
    """The rationales that scoring is timed on: of the real ones MultiArith's, whatever their split."""
    if training.settings.data.data != REAL_RATIONALES:
        return list(_examples(training, "train"))
    every = [one for split in ("train", "valid", "test") for one in _examples(training, split)]
    return [one for one in every if one.source.endswith("/multiarith")] or every


# Scoring ---------------------------------------------------------------------------------------------------------


def scoring(run: BenchmarkRun) -> pd.DataFrame:
    """Plain, dynamic padding and ours on each set, on one thread (:func:`ases.scoring_speed.compare_speed`).

    In bf16 on the generated set only: many processors have to imitate it, and take long.
    """
    own = run.settings.benchmark
    sizes = {"pieces": own.scored_pieces, "plain_pieces": own.plain_pieces, "dynamic_pieces": 4 * own.plain_pieces}

    def measure(name: str, training: Any, tell: Callable[[str, float], None]) -> pd.DataFrame:
        examples = _to_score(training)
        shown = f"{name}, MultiArith" if all(one.source.endswith("/multiarith") for one in examples) else name
        kinds = ("float32", "bfloat16") if name == GENERATED else ("float32",)
        given = {shown: examples}
        return scoring_speed.compare_speed(given, **sizes, precisions=kinds, shape=own.scorer_shape, progress=tell)

    return _of_sets(run, "scoring", "scoring", measure)


def memory(run: BenchmarkRun) -> pd.DataFrame:
    """Peak memory of scoring, each procedure in a process of its own."""
    shape = run.settings.benchmark.scorer_shape
    return _kept(run, "scoring", "memory", lambda tell: scoring_speed.compare_memory(_half(run), shape=shape))


def processes(run: BenchmarkRun) -> pd.DataFrame:
    """Scoring by one process and by two, of one thread each."""
    own = run.settings.benchmark

    def measure(tell: Callable[[str, float], None]) -> pd.DataFrame:
        some = _half(run)
        size = max(1, len(some) // 8)  # shards of equal numbers of questions, and several for each process
        return scoring_speed.compare_processes(some, shard_size=size, shape=own.scorer_shape)

    return _kept(run, "scoring", "processes", measure)


def precision(run: BenchmarkRun) -> pd.DataFrame:
    """What bf16 changes in the scores of the size's own scorer, on test questions that it has not seen."""

    def measure(tell: Callable[[str, float], None]) -> pd.DataFrame:
        trained = next(one for one in run.inputs if one.settings.training.method == "seq2seq")
        with on_threads(1):
            return scoring_speed.precision_error(_examples(trained, "test")[:_PRECISE], load_scorer(trained.folder))

    return _kept(run, "scoring", "precision", measure)


def hours(run: BenchmarkRun, speeds: pd.DataFrame, by_processes: pd.DataFrame) -> pd.DataFrame:
    """What a million and a hundred million rationales would take, in hours, from the rates of these two tables.

    The rate of one thread here is measured. No rate of a GPU is: one is the share of the matrix rate measured here,
    times the GPU's peak; the other a share that is assumed. Several devices keep the share of their rates that two
    processes keep here, measured for two and assumed for more.
    """
    if speeds.empty or by_processes.empty:
        return pd.DataFrame()
    both = speeds[(speeds["procedure"] == "ours") & speeds["condition"].str.contains(" and ")]
    row = both[both["precision"] == "float32"].iloc[-1]  # real rationales, where they are there
    examples = scoring_speed.first_pieces(_to_score(list(sets(run).values())[-1]), int(row["pieces"]))
    pieces = sum(len(split_pieces(one.rationale)) for one in examples) / len(examples)
    flops = row["flops_per_piece"] * pieces
    rates = [("one thread here", row["pieces_per_second"] / pieces, True)]
    for words, share in (("as measured here", min(1.0, row["matrix_share"])), ("assumed", GPU_SHARE)):
        rate = scoring_speed.assumed_gpu_rate(flops, GPU_PEAK, share)
        rates.append((f"{GPU}, {100 * share:.0f} % of its peak ({words})", rate, False))
    kept = min(1.0, by_processes["speed_up"].iloc[-1] / by_processes["processes"].iloc[-1])
    names = ["device", "rationales_per_second", "measured"]
    table = scoring_speed.project_hours(pd.DataFrame(rates, columns=names), efficiency=kept)
    table["measured"] &= table["count"] == 1  # what several would take is projected, too
    return table.assign(efficiency=kept, flops_per_rationale=flops, **row[_WHERE])


# Training, generation and data -----------------------------------------------------------------------------------


def batches(run: BenchmarkRun) -> pd.DataFrame:
    """Ours, shuffled and padded to a fixed length, on whole-chain and on uni-path pairs of each set, on one thread."""

    def measure(name: str, training: Any, tell: Callable[[str, float], None]) -> pd.DataFrame:
        _, codec = trained_models(training.folder, "uni-path")
        examples, tables = _examples(training, "train"), []
        for place, method in enumerate(("seq2seq", "uni-path")):
            pairs, settings = pairs_of(method, examples, None, codec), training.settings.training
            steps = run.settings.benchmark.timed_steps
            with on_threads(1):
                table = batching_speed(
                    pairs, codec, settings, steps=steps, progress=lambda m, d, p=place: tell(m, (p + d) / 2)
                )
            tables.append(table.drop(columns="device").assign(data=name, method=method, pairs=len(pairs)))
        return pd.concat(tables, ignore_index=True)

    return _of_sets(run, "training", "batches", measure)


def engines(run: BenchmarkRun) -> pd.DataFrame:
    """Each engine on the same questions with the same trained uni-path model, unmerged, and how well engines agree."""

    def measure(name: str, training: Any, tell: Callable[[str, float], None]) -> pd.DataFrame:
        model, codec, examples, settings = _ready(run, training)
        kinds, threads = ("float32", "int8") if _second_engine() else (), run.settings.benchmark.threads
        with TemporaryDirectory() as place:
            asked = (model, codec, examples, "uni-path", settings, Path(place))
            table = engine_table(*asked, threads=threads, kinds=kinds, progress=tell)
            table = table.assign(data=name, questions=len(examples), same_segments=math.nan, largest_margin=math.nan)
            if kinds:
                share, differing = agreement_table(*asked)
                row = (table["engine"] == "ctranslate2") & (table["compute_type"] == "float32")
                table.loc[row, ["same_segments", "largest_margin"]] = [share, differing["margin"].max()]
        return table

    return _of_sets(run, "generation", "engines", measure)


def cost(run: BenchmarkRun) -> pd.DataFrame:
    """Seconds a question against chain length and batch size, and the least that its operations would take."""

    def measure(name: str, training: Any, tell: Callable[[str, float], None]) -> pd.DataFrame:
        threads = run.settings.benchmark.threads
        model, codec, examples, settings = _ready(run, training)
        table = cost_table(model, codec, examples, "uni-path", settings, threads=threads, progress=tell)
        return table.assign(data=name, threads=threads)

    return _of_sets(run, "generation", "cost", measure)


def questions(run: BenchmarkRun) -> pd.DataFrame:
    """Peak memory of generation against the number of questions, each number in a process of its own."""
    most = run.settings.benchmark.memory_questions
    counts = sorted({max(1, most // 100), max(1, most // 10), most})
    return _kept(run, "generation", "questions", lambda tell: memory_by_questions(counts, tell))


def rows(run: BenchmarkRun) -> pd.DataFrame:
    """Problems generated, and a large file written, checked, split and looked through: seconds and peak memory."""
    own = run.settings.benchmark

    def measure(tell: Callable[[str, float], None]) -> pd.DataFrame:
        began = time.perf_counter()
        for _ in iter_problems(own.made_problems, seed=0, steps_from=1, steps_to=8):
            pass
        made = {"step": "generate problems", "rows": own.made_problems, "seconds": time.perf_counter() - began}
        with TemporaryDirectory() as place:
            table = million_rows(Path(place), own.file_rows, tell)
        return pd.concat([pd.DataFrame([made]), table], ignore_index=True)

    return _kept(run, "data", "rows", measure)


# Tables that are kept --------------------------------------------------------------------------------------------


def durations(run: BenchmarkRun) -> pd.DataFrame:
    """How long each table took to measure, in the order in which they were: ``part, seconds``, and where."""
    tables = sorted(run.folder.glob("measured-*.parquet"), key=lambda path: path.stat().st_mtime)
    firsts = [pd.read_parquet(path).iloc[0] for path in tables]
    where = pd.DataFrame(firsts, columns=[*_WHERE, "part_seconds"]).reset_index(drop=True)
    names = [path.stem.removeprefix("measured-") for path in tables]
    return where.rename(columns={"part_seconds": "seconds"}).assign(part=names)[["part", "seconds", *_WHERE]]


def shown(table: pd.DataFrame, columns: Sequence[str] = ()) -> pd.DataFrame:
    """A table for the eye: these columns (default: all but the stamp), three digits. Without rows it says so."""
    if table.empty:
        return pd.DataFrame({"not measured": ["`parts` leaves it out"]})
    kept = list(columns) or [name for name in table if name not in STAMP]
    return table[kept].map(lambda value: float(f"{value:.3g}") if isinstance(value, float) else value)


def _half(run: BenchmarkRun) -> list[Example]:
    """Generated rationales that hold half as many pieces as are scored for speed."""
    half = max(1, run.settings.benchmark.scored_pieces // 2)
    return scoring_speed.first_pieces(_to_score(sets(run)[GENERATED]), half)


def _ready(run: BenchmarkRun, training: Any) -> tuple[Any, ...]:
    """The trained uni-path model of a set, its vocabulary, the questions and the settings."""
    own, settings = run.settings.benchmark, training.settings.generation
    turns, tokens = min(own.most_turns, settings.max_rounds), min(own.longest_turn, settings.max_segment_tokens)
    trained, codec = trained_models(training.folder, "uni-path")
    examples = list(_examples(training, "test")[: own.asked])
    return trained["model"].eval(), codec, examples, replace(settings, max_rounds=turns, max_segment_tokens=tokens)


def _of_sets(
    run: BenchmarkRun, part: str, name: str, measure: Callable[[str, Any, Callable[[str, float], None]], pd.DataFrame]
) -> pd.DataFrame:
    tables = [
        _kept(run, part, f"{name}-{data}", lambda tell, d=data, t=training: measure(d, t, tell))
        for data, training in sets(run).items()
    ]
    return pd.concat(tables, ignore_index=True)


def _kept(
    run: BenchmarkRun, part: str, name: str, measure: Callable[[Callable[[str, float], None]], pd.DataFrame]
) -> pd.DataFrame:
    """The table of that name: read where it is there, else measured, stamped and kept; empty where not asked for."""
    path = run.path(f"measured-{name}.parquet")
    if path.is_file():
        return pd.read_parquet(path)
    if not _asked(run, part):
        return pd.DataFrame()
    run.progress(name, 0.0)
    began = time.perf_counter()
    table = measure(lambda message, done: run.progress(f"{name}: {message}", min(1.0, done)))
    run.write_table(path.name, table.assign(**_stamp(table), part_seconds=time.perf_counter() - began))
    return pd.read_parquet(path)


def _stamp(table: pd.DataFrame) -> dict[str, Any]:
    where = environment()
    return {
        "threads": table.get("threads", 1),
        "machine": f"{device_name(torch.device('cpu'))}; {where['machine']}",
        "cores": os.cpu_count(),
        "versions": ", ".join(f"{name} {number}" for name, number in _versions(where["versions"])),
    }


def _versions(known: dict[str, str]) -> Iterator[tuple[str, str]]:
    yield "python", known["python"]
    for name in _LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue
