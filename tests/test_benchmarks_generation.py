"""The benchmarks measure what they say; how fast it is, no test asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ases.benchmarks_generation import (
    PlainWriter,
    agreement_table,
    cost_table,
    engine_table,
    memory_by_questions,
    memory_table,
)
from ases.engines import TransformersWriter, Written
from ases.errors import DataError, RunError
from ases.models import fresh_model
from ases.problems import generate_problems
from ases.settings import settings_for
from ases.tokens import train_codec

EXAMPLES = generate_problems(8, seed=0)
CODEC = train_codec([text for one in EXAMPLES for text in (one.question, one.rationale)])
MODEL = fresh_model("nano", CODEC, 0)
SETTINGS = replace(
    settings_for({"size": "smoke"}).generation, max_rounds=2, max_segment_tokens=4, max_chain_tokens=8
)


def test_the_engine_table_compares_equal_work(tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    before = torch.get_num_threads()
    table = engine_table(MODEL, CODEC, EXAMPLES, "uni-path", SETTINGS, tmp_path, threads=1, repeats=1)
    assert torch.get_num_threads() == before
    engines = ["plain loop", "transformers", "ctranslate2", "ctranslate2"]
    assert table["engine"].tolist() == engines and table["compute_type"].tolist()[2:] == ["float32", "int8"]
    assert (table["same_chains"].iloc[:2] == 1).all() and (table["examples_per_second"] > 0).all()
    assert table["times_plain"].iloc[0] == 1


def test_segments_that_differ_are_shown_with_their_margin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ctranslate2")
    from ases import benchmarks_generation as benchmarks

    share, table = agreement_table(MODEL, CODEC, EXAMPLES, "uni-path", SETTINGS, tmp_path)
    assert share >= 0.9 and len(table) == round((1 - share) * 2 * len(EXAMPLES))

    class Other:
        def __init__(self, *_: object) -> None:
            self.writer = TransformersWriter(MODEL, CODEC)

        def write(self, contexts, limit):
            texts = self.writer.write(contexts, limit)
            return [Written((*texts[0].ids[:-1], CODEC.eoc), False), *texts[1:]]

    monkeypatch.setattr(benchmarks, "CTranslateWriter", Other)
    share, table = agreement_table(MODEL, CODEC, EXAMPLES[:4], "seq2seq", SETTINGS, tmp_path)
    assert share == 0.75 and table["token"].tolist() == [7] and table["margin"].iloc[0] > 0


def test_costs_are_by_chain_length_and_batch() -> None:
    table = cost_table(MODEL, CODEC, EXAMPLES, "uni-path", SETTINGS, batches=(1, 4), questions=4, threads=1)
    assert set(table["batch"]) == {1, 4} and (table["flops_per_question"] > 0).all()
    assert (table["ideal_seconds"] * table["ideal_flops_per_second"] - table["flops_per_question"]).abs().max() < 1
    with pytest.raises(DataError, match="too few"):
        cost_table(MODEL, CODEC, EXAMPLES[:2], "uni-path", SETTINGS, threads=1)


def test_memory_is_read_as_chains_are_finished(tmp_path: Path) -> None:
    writers = {"model": PlainWriter(MODEL, CODEC)}
    short = replace(SETTINGS, max_chain_tokens=1)
    table = memory_table(writers, CODEC, short, tmp_path, questions=20, points=4)
    assert table["questions"].tolist() == [5, 10, 15, 20] and table["peak_mb"].is_monotonic_increasing


def test_memory_by_questions_is_that_of_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    table = memory_by_questions([20], tokens=1)
    assert table["questions"].tolist() == [20] and (table["peak_mb"] >= table["loaded_mb"]).all()
    assert set(table) == {"questions", "loaded_mb", "peak_mb", "seconds"}
    failed = SimpleNamespace(returncode=1, stdout="", stderr="no room")
    monkeypatch.setattr("ases.benchmarks_generation.subprocess.run", lambda *_, **__: failed)
    with pytest.raises(RunError, match="20 1 failed: no room"):
        memory_by_questions([20], tokens=1)


def test_without_the_second_engine_there_are_its_rows_missing(tmp_path: Path) -> None:
    table = engine_table(MODEL, CODEC, EXAMPLES[:4], "uni-path", SETTINGS, tmp_path, threads=1, repeats=1, kinds=())
    assert table["engine"].tolist() == ["plain loop", "transformers"]
