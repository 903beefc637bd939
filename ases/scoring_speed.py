"""How fast scoring is, beside the plain procedure, in one run: pieces a second, share of the matrix rate, memory.

>>> table = compare_speed({"generated": examples}, threads=1)                    # doctest: +SKIP
>>> table[["procedure", "condition", "pieces_per_second", "times_plain"]]        # doctest: +SKIP

The plain procedure is that of the released code: inputs and targets padded to 512 tokens, batches of 24, one piece a
row, log-softmax over everything. The model has Flan-T5-small's shape (or that of a preset) and random weights, so
nothing is downloaded; its output layer is scaled down so that logits spread as a trained model's do (wider ones make
``exp`` slow on a CPU, the plain procedure's above all). The vocabulary is trained on the texts measured; it splits
numbers into digits, so it makes more tokens of a piece than T5's own, which flatters the plain procedure.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

import pandas as pd
import torch
from transformers import T5Config, T5ForConditionalGeneration

from ases.errors import ParameterError, RunError
from ases.examples import Example, read_examples, write_examples
from ases.hardware import matrix_rate
from ases.labels import label_by_rule
from ases.memory import peak_mib, resident_mib
from ases.models import cost_of, fresh_model, save_model
from ases.pieces import split_pieces
from ases.scorers import CONDITIONS, Scorer, score_table, scoring_flops
from ases.scores import scores_from
from ases.settings import DEFAULT_BETA
from ases.shards import merge_shards, scored_log
from ases.threads import on_threads, own_environment
from ases.tokens import padded, train_codec

Progress = Callable[[str, float], None]

WIDTH, BATCH = 512, 24
"""What the released code pads to, and its batch."""

VOCABULARY = 32128
FLAN_SMALL = "flan-t5-small"
_NUMBERS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_SPREAD = 0.15  # times the output layer's drawn weights: logits of a standard deviation of about 3


def random_scorer(examples: Sequence[Example], shape: str = FLAN_SMALL, seed: int = 0) -> Scorer:
    """A scorer of a shape, Flan-T5-small's or a preset's, with random weights; its vocabulary is the examples'."""
    codec = train_codec([text for e in examples for text in (e.question, e.rationale)], vocabulary_size=8192)
    if shape != FLAN_SMALL:
        return Scorer(fresh_model(shape, codec, seed).eval(), codec)
    config = T5Config(
        vocab_size=VOCABULARY,
        d_model=512,
        d_kv=64,
        d_ff=1024,
        num_layers=8,
        num_decoder_layers=8,
        num_heads=6,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        pad_token_id=codec.pad,
        eos_token_id=codec.end,
        decoder_start_token_id=codec.pad,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = T5ForConditionalGeneration(config).eval()
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(_SPREAD)
    return Scorer(model, codec)


def plain_scores(examples: Sequence[Example], scorer: Scorer, width: int | None = WIDTH) -> pd.DataFrame:
    """The plain procedure's scores, condition ``question``: ``qid, piece, entropy_question, loss_question``.

    One piece a row, in the order of the texts, batches of 24; ``width`` None pads to the longest of a batch instead.
    """
    model, codec = scorer.model, scorer.codec
    rows = [
        (example.qid, place, example.question, piece)
        for example in examples
        for place, piece in enumerate(split_pieces(example.rationale))
    ]
    found = []
    for first in range(0, len(rows), BATCH):
        batch = rows[first : first + BATCH]
        source, mask = _filled([[*codec.encode(question), codec.end] for _, _, question, _ in batch], codec.pad, width)
        target, real = _filled([codec.encode(piece) for _, _, _, piece in batch], codec.pad, width)
        with torch.no_grad():
            start = torch.full((len(batch), 1), model.config.decoder_start_token_id)
            read = torch.cat([start, target[:, :-1]], dim=1)
            logits = model(input_ids=source, attention_mask=mask, decoder_input_ids=read, use_cache=False).logits
            logs = torch.log_softmax(logits, dim=-1)
            entropy = -(logs.exp() * logs).sum(-1)
            loss = -logs.gather(-1, target.unsqueeze(-1)).squeeze(-1)
        sums = ((values * real).sum(1).tolist() for values in (entropy, loss))
        found += [(qid, place, *values) for (qid, place, _, _), *values in zip(batch, *sums, strict=True)]
    return pd.DataFrame(found, columns=["qid", "piece", "entropy_question", "loss_question"])


def _filled(rows: Sequence[Sequence[int]], pad: int, width: int | None) -> tuple[torch.Tensor, torch.Tensor]:
    ids, mask = padded(rows, pad)
    if width is None:
        return ids, mask
    more = width - ids.shape[1]
    return torch.nn.functional.pad(ids, (0, more), value=pad), torch.nn.functional.pad(mask, (0, more))


def compare_speed(
    data: Mapping[str, Sequence[Example]],
    *,
    pieces: int = 600,
    plain_pieces: int = 2 * BATCH,
    dynamic_pieces: int = 8 * BATCH,
    precisions: Sequence[str] = ("float32", "bfloat16"),
    threads: int = 1,
    shape: str = FLAN_SMALL,
    seed: int = 0,
    progress: Progress = lambda message, done: None,
) -> pd.DataFrame:
    """Plain, dynamic padding alone, and ours, one after the other with the same model; one row a procedure.

    Columns: ``data, procedure, condition, precision, threads, pieces``, ``seconds`` by the clock and
    ``processor_seconds`` (all threads; on a machine with other work the sounder of the two), ``pieces_per_second`` and
    ``times_plain`` by the clock, ``times_plain_processor``, ``flops_per_piece`` (counted on real tokens for ours, on
    what is computed for the others), ``matrix_rate`` (FLOP a processor second, measured before and after each row) and
    ``matrix_share`` (counted FLOPs over processor time and that rate). ``limit`` is what ``times_plain_processor``
    would be if ours did every counted operation once, at the full matrix rate; prefixes that pieces share are computed
    once but counted each time. A row of both conditions scores every piece twice, and counts it once. Ours scores about
    ``pieces`` pieces; the plain procedure, whose cost a piece does not depend on the text, ``plain_pieces``.
    ``question_tokens, piece_tokens, tokens_per_word`` are means over the texts that ours scores.
    """
    rows = []
    with on_threads(threads):
        for number, (name, examples) in enumerate(data.items()):
            scorer = random_scorer(examples, shape, seed)
            cost, some = cost_of(scorer.model), first_pieces(examples, pieces)
            few, several = first_pieces(examples, plain_pieces), first_pieces(examples, dynamic_pieces)
            jobs: list[tuple[str, str, str, Sequence[Example], Callable[[], object], float]] = [
                ("plain", "question", "float32", few, lambda s=scorer, e=few: plain_scores(e, s, WIDTH),
                 cost.forward(WIDTH, WIDTH) * count_pieces(few)),
                ("dynamic padding", "question", "float32", several,
                 lambda s=scorer, e=several: plain_scores(e, s, None), _dynamic_flops(several, scorer)),
            ]  # fmt: skip
            for precision in precisions:
                for conditions in (("question",), ("prefix",), CONDITIONS):
                    flops = sum(scoring_flops(some, scorer, c) for c in conditions)
                    if len(conditions) == 2:
                        flops -= sum(cost.forward(len(scorer.codec.encode(e.question)) + 1, 0) for e in some)
                    jobs.append(
                        ("ours", " and ".join(conditions), precision, some,
                         lambda s=scorer, c=conditions, p=precision, e=some: score_table(e, s, c, precision=p), flops)
                    )  # fmt: skip
            plain, lengths = (math.nan, math.nan), _lengths(some, scorer)
            score_table(several[:4], scorer)  # the first pass of a process pays for what later ones have
            for place, (procedure, condition, precision, own, job, flops) in enumerate(jobs):
                progress(f"{name}: {procedure}, {condition}, {precision}", (number + place / len(jobs)) / len(data))
                rate = matrix_rate(dtype=_NUMBERS[precision], clock=time.process_time)
                began, busy = time.perf_counter(), time.process_time()
                job()
                seconds, busy = time.perf_counter() - began, time.process_time() - busy
                rate = (rate + matrix_rate(dtype=_NUMBERS[precision], clock=time.process_time)) / 2
                count = count_pieces(own)
                plain = (seconds / count, busy / count) if procedure == "plain" else plain
                rows.append(
                    {
                        "data": name, "procedure": procedure, "condition": condition, "precision": precision,
                        "threads": threads, "pieces": count, "seconds": seconds, "processor_seconds": busy,
                        "pieces_per_second": count / seconds, "times_plain": plain[0] * count / seconds,
                        "times_plain_processor": plain[1] * count / busy, "limit": plain[1] * count * rate / flops,
                        "flops_per_piece": flops / count, "matrix_rate": rate, "matrix_share": flops / busy / rate,
                        **lengths,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def first_pieces(examples: Sequence[Example], count: int) -> list[Example]:
    """The first examples that hold that many pieces between them (all, where there are fewer)."""
    totals = list(accumulate(len(split_pieces(example.rationale)) for example in examples))
    return list(examples[: 1 + next((place for place, total in enumerate(totals) if total >= count), len(examples))])


def count_pieces(examples: Sequence[Example]) -> int:
    """How many pieces the examples hold."""
    return sum(len(split_pieces(example.rationale)) for example in examples)


def _lengths(examples: Sequence[Example], scorer: Scorer) -> dict[str, float]:
    pieces = [piece for example in examples for piece in split_pieces(example.rationale)]
    questions = [example.question for example in examples]
    in_pieces, in_questions = (sum(len(scorer.codec.encode(text)) for text in texts) for texts in (pieces, questions))
    words = sum(len(text.split()) for text in (*pieces, *questions))
    return {
        "question_tokens": in_questions / len(questions),
        "piece_tokens": in_pieces / len(pieces),
        "tokens_per_word": (in_pieces + in_questions) / words,
    }


def _dynamic_flops(examples: Sequence[Example], scorer: Scorer) -> float:
    cost, codec = cost_of(scorer.model), scorer.codec
    sizes = [
        (len(codec.encode(example.question)) + 1, len(codec.encode(piece)))
        for example in examples
        for piece in split_pieces(example.rationale)
    ]
    batches = [sizes[first : first + BATCH] for first in range(0, len(sizes), BATCH)]
    return sum(len(b) * cost.forward(max(s for s, _ in b), max(t for _, t in b)) for b in batches)


def precision_error(examples: Sequence[Example], scorer: Scorer, precision: str = "bfloat16") -> pd.DataFrame:
    """What a lower precision changes: one row a strategy and condition, for any scorer, best a trained one.

    ``mean_error`` and ``largest_error`` are of the mean score of a piece, in nats a token; ``relative_error`` is the
    median of a piece's error over its score; ``labels_changed`` the share of pieces with another label at the
    strategy's own beta (``sum``).
    """
    exact, rough = score_table(examples, scorer), score_table(examples, scorer, precision=precision)
    rows = []
    for name in ("entropy", "loss"):
        for condition in CONDITIONS:
            column, tokens = f"{name}_{condition}", exact[f"tokens_{condition}"]
            wrong = (rough[column] - exact[column]).abs()
            labels = [
                [label for own in scores_from(table, name, "sum", condition).values()
                 for label in label_by_rule(own, DEFAULT_BETA[name])]
                for table in (exact, rough)
            ]  # fmt: skip
            changed = sum(a != b for a, b in zip(*labels, strict=True)) / len(exact)
            rows.append(
                {
                    "strategy": name, "condition": condition, "precision": precision, "pieces": len(exact),
                    "mean_error": (wrong / tokens).mean(), "largest_error": (wrong / tokens).max(),
                    "relative_error": (wrong / exact[column]).median(), "labels_changed": changed,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


# In processes of their own --------------------------------------------------------------------------------------


def compare_memory(examples: Sequence[Example], threads: int = 1, shape: str = FLAN_SMALL) -> pd.DataFrame:
    """Peak memory above the loaded model, in MiB, each procedure in a process of its own: ``procedure, peak_mib``.

    The plain procedure scores one batch, ours all examples in both conditions; ``share_of_plain`` is of the peaks.
    """
    few = first_pieces(examples, BATCH)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for procedure, own in (("plain", few), ("dynamic padding", few), ("ours", examples)):
            path = Path(name) / f"{procedure}.parquet"
            write_examples(own, path)
            done = subprocess.run(
                [sys.executable, "-m", "ases.scoring_speed", procedure, str(path), str(threads), shape],
                capture_output=True,
                text=True,
                check=False,
                env=own_environment(threads),
            )
            if done.returncode:
                raise RunError(f"measuring the memory of {procedure} failed: {done.stderr.strip().splitlines()[-1:]}")
            rows.append({"procedure": procedure, "pieces": count_pieces(own)} | json.loads(done.stdout))
    table = pd.DataFrame(rows)
    return table.assign(share_of_plain=table["peak_mib"] / table["peak_mib"].iloc[0])


def _measure_memory(procedure: str, path: str, threads: str, shape: str) -> None:
    torch.set_num_threads(int(threads))
    examples = read_examples(Path(path))
    scorer = random_scorer(examples, shape)
    before = resident_mib()
    if procedure == "ours":
        score_table(examples, scorer)
    else:
        plain_scores(examples, scorer, WIDTH if procedure == "plain" else None)
    print(json.dumps({"loaded_mib": before, "peak_mib": peak_mib() - before}))


def compare_processes(
    examples: Sequence[Example], counts: Sequence[int] = (1, 2), shard_size: int = 16, shape: str = FLAN_SMALL
) -> pd.DataFrame:
    """Shards over processes of one thread each: ``processes, pieces, seconds, pieces_per_second, speed_up``.

    ``seconds`` is what the busiest process spent on scoring by the shards' log; loading is left out, as it is paid
    once however much is scored. Raises RunError where a process fails or the merged tables differ.
    """
    scorer = random_scorer(examples, shape)
    rows, tables = [], []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_examples(examples, root / "examples.parquet")
        save_model(scorer.model, scorer.codec, root / "run" / "model" / "model")
        for count in counts:
            folder = root / f"{count}"
            paths = [str(path) for path in (root / "examples.parquet", root / "run", folder)]
            command = [sys.executable, "-m", "ases.shards", *paths, "--shard-size", str(shard_size), "--worker"]
            running = [
                subprocess.Popen(
                    [*command, str(place), str(count)],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    env=own_environment(1),
                )
                for place in range(count)
            ]
            for process in running:
                _, error = process.communicate()
                if process.returncode:
                    raise RunError(f"a scoring process failed: {error.decode().strip().splitlines()[-1:]}")
            tables.append(merge_shards(folder))
            log = scored_log(folder)
            seconds = log.groupby("pid")["seconds"].sum().max()
            rows.append({"processes": count, "pieces": len(tables[-1]), "seconds": seconds})
    if any(not table.equals(tables[0]) for table in tables):
        raise RunError("the shards of several processes differ from those of one; the scores cannot be trusted")
    table = pd.DataFrame(rows)
    rate = table["pieces"] / table["seconds"]
    return table.assign(pieces_per_second=rate, speed_up=rate / rate.iloc[0])


# What large sets would cost -------------------------------------------------------------------------------------


def assumed_gpu_rate(flops_per_rationale: float, peak: float = 989e12, share: float = 0.2) -> float:
    """Rationales a second of a GPU that was *not* measured: its peak (default: H100, bf16, dense) times a share of it.

    The share is an assumption: small models and short texts fill a large GPU badly.
    """
    if not (flops_per_rationale > 0 and peak > 0 and 0 < share <= 1):
        raise ParameterError(
            f"flops_per_rationale {flops_per_rationale}, peak {peak}, share {share}: all are above 0, share at most 1"
        )
    return peak * share / flops_per_rationale


def project_hours(
    rates: pd.DataFrame,
    rationales: Sequence[float] = (1e6, 1e8),
    machines: Mapping[str, int] | None = None,
    efficiency: float = 0.95,
) -> pd.DataFrame:
    """Hours that scoring takes: one row a device, number of devices and number of rationales.

    ``rates`` has a row a device: ``device, rationales_per_second, measured`` (True, or False for an assumption, which
    every row of the result repeats); a rate of NaN stays NaN. ``machines`` names how many devices work side by side
    (default: 1, 8, and a cluster of 64); more than one keep ``efficiency`` of their rate.
    """
    missing = {"device", "rationales_per_second", "measured"} - set(rates)
    if missing:
        raise ParameterError(f"the table of rates lacks {', '.join(sorted(missing))}")
    rows = []
    for _, given in rates.iterrows():
        for name, count in (machines or {"one": 1, "eight": 8, "cluster of 64": 64}).items():
            for amount in rationales:
                rate = given["rationales_per_second"] * count * (efficiency if count > 1 else 1)
                rows.append(
                    {"device": given["device"], "machines": name, "count": count, "rationales": amount,
                     "hours": amount / rate / 3600, "measured": bool(given["measured"])}
                )  # fmt: skip
    return pd.DataFrame(rows)


if __name__ == "__main__":
    _measure_memory(*sys.argv[1:])
