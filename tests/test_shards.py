"""Shards: whole or not there, never stale, never scored twice, merged only when complete."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from ases.errors import ParameterError, RunError
from ases.examples import write_examples
from ases.models import fresh_model, save_model
from ases.problems import generate_problems
from ases.scorers import Scorer, answer_table, score_table
from ases.shards import main, merge_shards, score_shards, scored_log, scorer_key
from ases.tokens import train_codec

EXAMPLES = generate_problems(23, seed=3, steps_from=1, steps_to=2)
CODEC = train_codec([text for e in EXAMPLES for text in (e.question, e.rationale)])
CLOSE = {"rtol": 1e-5, "atol": 1e-5}  # batches differ between shards and the whole


def scorer(seed: int = 0) -> Scorer:
    return Scorer(fresh_model("nano", CODEC, seed), CODEC)


def test_workers_share_the_shards_and_the_merged_table_is_that_of_one_pass(tmp_path):
    whole = score_table(EXAMPLES, scorer())
    parts = [score_shards(EXAMPLES, scorer(), tmp_path, shard_size=5, worker=(i, 2)) for i in (1, 0)]
    assert [len(part) for part in parts] == [2, 3]
    pd.testing.assert_frame_equal(merge_shards(tmp_path), whole, **CLOSE)
    assert score_shards(EXAMPLES, scorer(), tmp_path, shard_size=5) == [], "what is there is not scored again"
    log = scored_log(tmp_path)
    assert log["shard"].nunique() == len(log) == 5 and log["examples"].sum() == 23
    assert log["pieces"].sum() == len(whole)
    assert not list(tmp_path.glob("*.partial"))


def test_merging_refuses_what_is_missing(tmp_path):
    with pytest.raises(RunError, match="no plan"):
        merge_shards(tmp_path)
    score_shards(EXAMPLES, scorer(), tmp_path, shard_size=5, worker=(0, 2))
    with pytest.raises(RunError, match=r"2 of 5 shards.*shard-000001"):
        merge_shards(tmp_path)


def test_stale_shards_are_never_taken(tmp_path):
    score_shards(EXAMPLES, scorer(), tmp_path, shard_size=5)
    changed = [*EXAMPLES[:7], replace(EXAMPLES[7], rationale="So 3. "), *EXAMPLES[8:]]
    assert [path.name[:12] for path in score_shards(changed, scorer(), tmp_path, shard_size=5)] == ["shard-000001"]
    pd.testing.assert_frame_equal(merge_shards(tmp_path), score_table(changed, scorer()), **CLOSE)
    assert len(score_shards(changed, scorer(1), tmp_path, shard_size=5)) == 5, "another scorer"
    assert len(score_shards(changed, scorer(), tmp_path, shard_size=5, precision="bfloat16")) == 5
    assert len(score_shards(changed, scorer(), tmp_path, shard_size=5, conditions=["prefix"])) == 5
    answers = score_shards(changed, scorer(), tmp_path, shard_size=5, conditions=["answer"])
    assert len(answers) == 5
    pd.testing.assert_frame_equal(merge_shards(tmp_path), answer_table(changed, scorer()), rtol=1e-4, atol=1e-4)


def test_the_key_of_a_scorer_is_that_of_its_weights_and_vocabulary():
    key = scorer_key(scorer())
    assert key == scorer_key(scorer()) != scorer_key(scorer(1))
    assert key != scorer_key(Scorer(scorer().model, train_codec([EXAMPLES[0].question])))
    changed = scorer()
    with torch.no_grad():
        next(changed.model.parameters())[0, 0] += 1e-3
    assert scorer_key(changed) != key


def test_workers_and_sizes_that_cannot_be_are_refused(tmp_path):
    for wrong in ({"worker": (2, 2)}, {"worker": (-1, 2)}, {"shard_size": 0}):
        with pytest.raises(ParameterError):
            score_shards(EXAMPLES, scorer(), tmp_path, **wrong)
    with pytest.raises(ParameterError, match="0 examples"):
        score_shards([], scorer(), tmp_path)


def test_a_killed_worker_goes_on_and_nothing_is_scored_twice(tmp_path):
    """Kill -9 in the middle, start again from the shell's command: the same scores, each shard once in the log."""
    examples = generate_problems(120, seed=4, steps_from=1, steps_to=2)
    write_examples(examples, tmp_path / "examples.parquet")
    save_model(scorer().model, CODEC, tmp_path / "run" / "model" / "model")
    shards = tmp_path / "shards"
    command = [str(tmp_path / name) for name in ("examples.parquet", "run")] + [str(shards), "--shard-size", "1"]
    root = Path(__file__).resolve().parents[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "ases.shards", *command], cwd=root, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    while len(scored_log(shards)) < 5 and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it must have been at work when it was killed"
    before = scored_log(shards)
    assert 5 <= len(before) < 120
    with pytest.raises(RunError, match="of 120 shards"):
        merge_shards(shards)
    main(command)
    log = scored_log(shards)
    assert log["shard"].is_unique and log["shard"].tolist()[: len(before)] == before["shard"].tolist()
    # the kill may fall between a shard and its line: then the shard is there, and is not scored again either
    assert 119 <= len(log) <= 120
    assert len(json.loads((shards / "plan.json").read_text())) == 120
    pd.testing.assert_frame_equal(merge_shards(shards), score_table(examples, scorer()), **CLOSE)
