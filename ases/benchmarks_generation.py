"""How fast chains come, and with how much memory: tables for the performance notebook, all ratios from one run.

>>> engine_table(model, codec, examples, "uni-path", settings, folder, threads=2)          # doctest: +SKIP

Each function runs what it compares in one call, one after the other on the same threads; the best of ``repeats`` is
taken, as other work on the machine can only slow a run down.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from transformers import PreTrainedModel

from ases.chains import Chain
from ases.ctranslate import CTranslateWriter
from ases.engines import TransformersWriter, Writer, Written
from ases.errors import DataError, RunError
from ases.examples import Example
from ases.generation import chains_to, write_chains
from ases.hardware import matrix_rate
from ases.memory import peak_mib, resident_mib
from ases.metrics import is_correct
from ases.models import fresh_model
from ases.problems import generate_problems
from ases.settings import GenerationSettings, settings_for
from ases.threads import on_threads, own_environment
from ases.tokens import Codec, train_codec

Progress = Callable[[str, float], None]


class PlainWriter(TransformersWriter):
    """The plain loop that the others are compared with: transformers' ``generate``, one example at a time."""

    @torch.inference_mode()
    def _write(
        self, contexts: Sequence[Sequence[int]], limit: int, keys: Sequence[int], few: int
    ) -> list[Written | None]:
        """Greedy, a call of ``generate`` for each context; all that is written goes through here."""
        written: list[Written | None] = []
        for context in contexts:
            ids = torch.tensor([list(context)], device=self.model.device)
            mask = torch.ones_like(ids)
            row = self.model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=limit, do_sample=False)
            text = row[0, 1:].tolist()
            finished = self.codec.end in text
            written.append(Written(tuple(text[: text.index(self.codec.end)] if finished else text), finished))
        return written


class Recorder:
    """A writer around another that keeps each context, its limit and what was written."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.context_limit = writer, writer.context_limit
        self.calls: list[tuple[tuple[int, ...], int, Written]] = []

    def write(self, contexts: Sequence[Sequence[int]], limit: int) -> list[Written]:
        """What the other writes."""
        written = self.writer.write(contexts, limit)
        self.calls += [(tuple(context), limit, text) for context, text in zip(contexts, written, strict=True)]
        return written


def engine_table(
    model: PreTrainedModel,
    codec: Codec,
    examples: Sequence[Example],
    method: str,
    settings: GenerationSettings,
    folder: Path,
    *,
    threads: int = 2,
    repeats: int = 3,
    kinds: Sequence[str] = ("float32", "int8"),
    progress: Progress = lambda message, done: None,
) -> pd.DataFrame:
    """Speed and accuracy of the engines with one trained model (methods with one model), greedy.

    Columns: ``engine, compute_type, batch, threads, seconds, examples_per_second, segments_per_second, times_plain,
    cpu_seconds`` (of all threads: what other work on the machine changes least), ``accuracy, same_chains`` (share of
    chains that equal the plain loop's). The plain loop is timed once: it is long. ``kinds`` are CTranslate2's.
    """
    greedy = replace(settings, decoding="greedy", vote="none", samples=1)
    rows, plain = [], None
    with on_threads(threads):
        engines: list[tuple[str, str, int, Callable[[], Writer]]] = [
            ("plain loop", "float32", 1, lambda: PlainWriter(model, codec)),
            ("transformers", "float32", greedy.generation_batch, lambda: TransformersWriter(model, codec)),
        ]
        for kind in kinds:
            engines.append(
                ("ctranslate2", kind, greedy.generation_batch, lambda k=kind: CTranslateWriter(model, codec, folder, k))
            )
        for place, (engine, kind, batch, make) in enumerate(engines):
            progress(f"{engine} {kind}, batch {batch}", place / len(engines))
            writer = make()
            scheduled = replace(greedy, generation_batch=batch)
            chains, seconds, cpu = _timed(writer, codec, examples, method, scheduled, 1 if batch == 1 else repeats)
            plain = plain or (chains, seconds)
            rows.append(
                {
                    "engine": engine,
                    "compute_type": kind,
                    "batch": batch,
                    "threads": threads,
                    "seconds": seconds,
                    "examples_per_second": len(examples) / seconds,
                    "segments_per_second": sum(chain.rounds for chain in chains) / seconds,
                    "times_plain": plain[1] / seconds,
                    "cpu_seconds": cpu,
                    "accuracy": _accuracy(chains, examples),
                    "same_chains": _share(a.text == b.text for a, b in zip(chains, plain[0], strict=True)),
                }
            )
    progress("engines compared", 1.0)
    return pd.DataFrame(rows)


def agreement_table(
    model: PreTrainedModel,
    codec: Codec,
    examples: Sequence[Example],
    method: str,
    settings: GenerationSettings,
    folder: Path,
    *,
    compute_type: str = "float32",
) -> tuple[float, pd.DataFrame]:
    """Share of segments on which transformers and CTranslate2 agree, and one row for each that differs.

    Both write the segments of the same contexts: those of transformers' own chains. Columns: ``context`` (its text),
    ``transformers, ctranslate2`` (texts), ``token`` (position of the first difference), ``margin`` (difference of
    the two tokens' logits there, by transformers): a near-tie, where it is small, that rounding decides.
    """
    recorder = Recorder(TransformersWriter(model, codec))
    write_chains([(one.qid, one.question) for one in examples], {"model": recorder}, codec, method, settings)
    fast = CTranslateWriter(model, codec, folder, compute_type)
    by_limit: dict[int, list[tuple[tuple[int, ...], Written]]] = {}
    for context, limit, text in recorder.calls:
        by_limit.setdefault(limit, []).append((context, text))
    rows = []
    for limit, calls in by_limit.items():
        others = fast.write([context for context, _ in calls], limit)
        for (context, text), other in zip(calls, others, strict=True):
            if text != other:
                rows.append(_difference(model, codec, context, text, other))
    columns = ["context", "transformers", "ctranslate2", "token", "margin"]
    return 1 - len(rows) / max(1, len(recorder.calls)), pd.DataFrame(rows, columns=columns)


@torch.inference_mode()
def _difference(
    model: PreTrainedModel, codec: Codec, context: Sequence[int], first: Written, second: Written
) -> dict[str, Any]:
    ids = [[*text.ids, *([codec.end] if text.finished else [])] for text in (first, second)]
    place = next((n for n, (a, b) in enumerate(zip(*ids, strict=False)) if a != b), min(map(len, ids)))
    margin = float("nan")
    if place < min(map(len, ids)):
        start = [model.generation_config.decoder_start_token_id, *ids[0][:place]]
        given = {"input_ids": [list(context)], "decoder_input_ids": [start]}
        logits = model(**{name: torch.tensor(rows, device=model.device) for name, rows in given.items()}).logits
        margin = float(logits[0, -1, ids[0][place]] - logits[0, -1, ids[1][place]])
    texts = {"transformers": codec.decode(first.ids), "ctranslate2": codec.decode(second.ids)}
    return {"context": codec.decode(context), **texts, "token": place, "margin": margin}


def cost_table(
    model: PreTrainedModel,
    codec: Codec,
    examples: Sequence[Example],
    method: str,
    settings: GenerationSettings,
    *,
    batches: Sequence[int] = (1, 4, 16, 64),
    questions: int = 64,
    threads: int = 2,
    repeats: int = 2,
    progress: Progress = lambda message, done: None,
) -> pd.DataFrame:
    """Seconds a question against chain length and batch size, and the least that its operations would take.

    Columns: ``turns`` (turns of the chain), ``batch, questions, seconds_per_question, flops_per_question,
    ideal_seconds``: those FLOPs at the rate of a large matrix product on the same threads (``ideal_flops_per_second``).
    Chains are grouped by the turns they take; lengths with fewer than 4 questions are left out, and rare ones are
    asked again under other qids to fill ``questions``, of which small batches have 8 each at the most and none has
    fewer than one batch holds. The best of ``repeats`` counts.
    """
    with on_threads(threads):
        writers = {"model": TransformersWriter(model, codec)}
        asked = [(one.qid, one.question) for one in examples]
        by_turns: dict[int, list[tuple[str, str]]] = {}
        for chain, question in zip(write_chains(asked, writers, codec, method, settings), asked, strict=True):
            by_turns.setdefault(chain.rounds, []).append(question)
        groups = {turns: same for turns, same in sorted(by_turns.items()) if len(same) >= 4}
        if not groups:
            raise DataError(f"{len(asked)} questions are too few: no chain length has four of them")
        peak = matrix_rate()
        rows = []
        for place, (turns, same) in enumerate(groups.items()):
            for batch in batches:
                progress(f"{turns} turns, batch {batch}", place / len(groups))
                count = max(batch, min(questions, 8 * batch))
                several = [(f"{n}", same[n % len(same)][1]) for n in range(count)]
                scheduled = replace(settings, generation_batch=batch)
                seconds = float("inf")
                for _ in range(repeats):
                    started = time.perf_counter()
                    chains = write_chains(several, writers, codec, method, scheduled)
                    seconds = min(seconds, (time.perf_counter() - started) / count)
                flops = sum(chain.flops for chain in chains) / count
                rows.append(
                    {
                        "turns": turns,
                        "batch": batch,
                        "questions": count,
                        "seconds_per_question": seconds,
                        "flops_per_question": flops,
                        "ideal_seconds": flops / peak,
                        "ideal_flops_per_second": peak,
                    }
                )
    progress("costs measured", 1.0)
    return pd.DataFrame(rows)


def memory_table(
    writers: Mapping[str, Writer],
    codec: Codec,
    settings: GenerationSettings,
    folder: Path,
    *,
    questions: int = 100_000,
    points: int = 10,
    method: str = "seq2seq",
    progress: Progress = lambda message, done: None,
) -> pd.DataFrame:
    """The process's peak memory as chains of generated questions are written to disk one after the other.

    Columns: ``questions`` finished, ``peak_mb`` (of the process so far, so it can only rise), ``seconds``. Flat
    means: the last rows differ by no more than the hash of each question (some 0.2 MB a thousand).
    """
    rows: list[dict[str, float]] = []
    started, step = time.perf_counter(), max(1, questions // points)

    def asked() -> Iterator[tuple[str, str]]:
        for number in range(questions):
            yield f"m{number}", f"Ann has {number % 97} apples and buys {number % 89} more. How many has she now?"

    def measure(message: str, done: float) -> None:
        finished = round(done * questions)
        if finished and finished % step == 0:
            row = {"questions": finished, "peak_mb": peak_mib(), "seconds": time.perf_counter() - started}
            rows.append(row)
        progress(message, done)

    chains_to(folder, asked(), writers, codec, method, settings, measure, total=questions)
    return pd.DataFrame(rows)


def memory_by_questions(
    counts: Sequence[int], progress: Progress = lambda message, done: None, *, tokens: int = 8
) -> pd.DataFrame:
    """Peak memory for each number of questions, each in a process of its own with a nano model of random weights.

    Columns: ``questions, loaded_mb`` (before the first question), ``peak_mb, seconds``. Chains are those of a uni-path:
    two turns of ``tokens`` tokens, the second read from what the first has written.
    Raises RunError where a process fails.
    """
    rows = []
    for place, count in enumerate(counts):
        progress(f"{count:,} questions", place / len(counts))
        command = [sys.executable, "-m", "ases.benchmarks_generation", str(count), str(tokens)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=own_environment(1))
        if done.returncode:
            raise RunError(f"{' '.join(command[1:])} failed: {done.stderr.strip()[-500:]}")
        rows.append(json.loads(done.stdout))
    return pd.DataFrame(rows)


def _measure_memory(count: str, tokens: str) -> None:
    torch.set_num_threads(1)
    examples = generate_problems(64, seed=0)
    codec = train_codec([text for one in examples for text in (one.question, one.rationale)])
    short = {"max_rounds": 2, "max_segment_tokens": int(tokens), "max_chain_tokens": 2 * int(tokens)}
    settings = replace(settings_for({"size": "smoke"}).generation, **short)
    writers = {"model": TransformersWriter(fresh_model("nano", codec, 0).eval(), codec)}
    before = resident_mib()
    with tempfile.TemporaryDirectory() as folder:
        table = memory_table(writers, codec, settings, Path(folder), questions=int(count), points=1, method="uni-path")
    print(json.dumps({"loaded_mb": before, **table.iloc[-1].to_dict(), "questions": int(count)}))


def _timed(
    writer: Writer,
    codec: Codec,
    examples: Sequence[Example],
    method: str,
    settings: GenerationSettings,
    repeats: int,
) -> tuple[list[Chain], float, float]:
    questions = [(one.qid, one.question) for one in examples]
    # once on a few: the first call of a library sets things up
    write_chains(questions[:4], {"model": writer}, codec, method, settings)
    best = least = float("inf")
    for _ in range(repeats):
        started, worked = time.perf_counter(), time.process_time()
        chains = write_chains(questions, {"model": writer}, codec, method, settings)
        best, least = min(best, time.perf_counter() - started), min(least, time.process_time() - worked)
    return chains, best, least


def _accuracy(chains: Sequence[Chain], examples: Sequence[Example]) -> float:
    return _share(is_correct(chain.text, one.answer) for chain, one in zip(chains, examples, strict=True))


def _share(values: Iterator[bool]) -> float:
    found = list(values)
    return sum(found) / len(found)


if __name__ == "__main__":
    _measure_memory(*sys.argv[1:])
