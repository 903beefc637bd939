"""One model's training under trouble: killed, out of room or memory, damaged; in parts and in several processes."""

from __future__ import annotations

import json
import os
import resource
import signal
import threading

import psutil
import pytest
import torch

from ases import records, trainer, training
from ases.errors import ModelError, RunError
from ases.models import save_model
from ases.training import measured, read_training, train
from tests.stopping import Stop, stop_at
from tests.test_models import mt5
from tests.test_training import CODEC, EXAMPLES, in_a_fork, pairs, settings_with_steps, weights

ROWS, HELD_OUT = pairs("uni-path"), pairs("uni-path", EXAMPLES[48:])


def settings(steps, **changes):
    return settings_with_steps("uni-path", steps, **changes)


def run(given, folder, progress=lambda message, done: None):
    train(ROWS, HELD_OUT, CODEC, given, folder, progress)
    return weights(folder / "model")


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def close(first, second, tolerance=2e-5):
    return all(torch.allclose(first[name], second[name], atol=tolerance, rtol=0) for name in first)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The weights of 12 steps learned undisturbed in one piece, and the folder that holds them."""
    folder = tmp_path_factory.mktemp("whole")
    return run(settings(12), folder), folder


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    """The same for 4 steps."""
    folder = tmp_path_factory.mktemp("four")
    return run(settings(4), folder), folder


def test_a_step_in_parts_is_the_same_step(whole, tmp_path):
    assert close(whole[0], run(settings(12, accumulate=3), tmp_path))
    assert measured(tmp_path)["pairs_at_a_time"].item() == 6  # of 16


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The weights of 12 steps learned undisturbed by two processes, the folder that holds them, and what they told."""
    folder, messages = tmp_path_factory.mktemp("together"), []
    weights = run(settings(12, processes=2), folder, lambda message, done: messages.append((message, done)))
    return weights, folder, messages


def test_two_processes_give_the_weights_of_one_in_two_parts(whole, together, tmp_path):
    two, folder, messages = together
    one = run(settings(12, accumulate=2), tmp_path / "one")
    assert close(two, one, tolerance=1e-6) and close(two, whole[0])
    assert measured(folder)["processes"].item() == 2
    assert messages[-1][1] == 1.0 and "step" in messages[-1][0], "the log of the processes is followed"
    logs = [read_training(place).log for place in (tmp_path / "one", folder)]
    assert logs[0]["loss"].tolist() == pytest.approx(logs[1]["loss"].tolist(), rel=1e-5)
    assert {path.name for path in folder.iterdir()} == {"model", "training.json"}


def test_two_processes_in_two_parts_each_give_the_weights_of_one_in_four(four, tmp_path):
    two = run(settings(4, processes=2, accumulate=2), tmp_path / "two")
    one = run(settings(4, accumulate=4), tmp_path / "one")
    assert close(two, one, tolerance=1e-6) and close(two, four[0])
    assert [measured(tmp_path / name)["pairs_at_a_time"].item() for name in ("one", "two")] == [4, 4]  # of 16


def test_two_processes_whose_parent_was_killed_stop_and_go_on_to_the_same_weights(together, tmp_path):
    def die(message, done):
        if done >= 0.5:
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_a_fork(lambda: run(settings(12, processes=2), tmp_path, die)) == signal.SIGKILL
    job = str(tmp_path / "job" / "job.json")
    orphans = [one for one in psutil.process_iter(["cmdline"]) if job in (one.info["cmdline"] or ())]
    _, alive = psutil.wait_procs(orphans, timeout=60)
    assert orphans and not alive, "they stop at their next line, since nobody reads it"
    assert not (tmp_path / "training.json").exists() and list((tmp_path / "model" / "checkpoints").iterdir())
    assert same(together[0], run(settings(12, processes=2), tmp_path))
    assert read_training(tmp_path).log.equals(read_training(together[1]).log)
    sittings = json.loads((tmp_path / "model" / "measured.json").read_text())["sittings"]
    assert len(sittings) == 2 and sittings[1]["from_step"] > 0, "it did not start anew"
    assert {path.name for path in tmp_path.iterdir()} == {"model", "training.json"}


def test_two_processes_with_a_share_of_the_weights_each_give_the_same(four, tmp_path):
    assert close(four[0], run(settings(4, processes=2, sharded=True), tmp_path))
    assert len(list((tmp_path / "model" / "curve").iterdir())) == 2, "curve points are gathered, too"


def test_processes_that_are_not_there_are_missed(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "by hand")
    with pytest.raises(ModelError, match="processes is 2, but 1 take part"):
        run(settings(6, processes=2), tmp_path)


def out_of_memory_above(pairs_at_a_time, monkeypatch):
    whole_step = trainer._PlannedTrainer.compute_loss

    def loss(self, model, inputs, *rest, **more):
        if len(inputs["labels"]) > pairs_at_a_time and self.state.global_step >= 5:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return whole_step(self, model, inputs, *rest, **more)

    monkeypatch.setattr(trainer._PlannedTrainer, "compute_loss", loss)


def test_out_of_memory_halves_what_is_learned_at_a_time_and_keeps_the_step(whole, tmp_path, monkeypatch):
    out_of_memory_above(4, monkeypatch)
    messages = []
    assert close(whole[0], run(settings(12), tmp_path, lambda message, done: messages.append(message)))
    assert [message for message in messages if "out of memory with 8 pairs" in message]
    sittings = json.loads((tmp_path / "model" / "measured.json").read_text())["sittings"]
    assert [sitting["parts"] for sitting in sittings] == [1, 2, 4]
    assert sittings[-1]["from_step"] == 5, "it goes on from the last checkpoint"


def test_one_pair_too_much_for_memory_says_what_to_set(tmp_path, monkeypatch):
    out_of_memory_above(0, monkeypatch)
    with pytest.raises(ModelError, match="one pair.*2 GiB.*gradient_checkpointing"):
        run(settings(12), tmp_path)


def test_killed_at_any_moment_it_ends_the_same_and_repeats_a_checkpoint_interval_at_most(tmp_path):
    steps = 40
    undisturbed = run(settings(steps), tmp_path / "whole")
    folder = tmp_path / "killed"
    for share in (0.2, 0.55):  # of the steps; the kill falls wherever an instant later is

        def kill_soon(message, done, share=share):
            if done >= share:
                threading.Timer(0.01, os.kill, [os.getpid(), signal.SIGKILL]).start()

        assert in_a_fork(lambda: run(settings(steps), folder, kill_soon)) == signal.SIGKILL
    assert same(undisturbed, run(settings(steps), folder))
    assert read_training(folder).log.equals(read_training(tmp_path / "whole").log)
    sittings = json.loads((folder / "model" / "measured.json").read_text())["sittings"]
    total = read_training(folder).budget["steps"].item()
    assert len(sittings) == 3 and sittings[-1]["to_step"] == total
    for before, after in zip(sittings, sittings[1:], strict=False):
        assert 0 < after["from_step"] <= before["to_step"] + total / trainer.CHECKPOINTS
        assert before["to_step"] - after["from_step"] <= total / trainer.CHECKPOINTS + 1


# Where a kill falls, as the function that it falls into and whether before or after its work.
PHASES = {
    "best weights half in place": (records, "save_model", "after"),
    "evaluated": (records.Records, "record", "after"),
    "curve point": (records.Records, "keep_curve_point", "after"),
    "checkpoint without optimiser": (trainer._PlannedTrainer, "_save_optimizer_and_scheduler", "before"),
    "checkpoint not sealed": (trainer, "seal", "before"),
    "checkpoint sealed": (trainer, "seal", "after"),
    "measured": (records.Records, "measured", "after"),
    "weights in place": (records.Records, "keep_best", "after"),
    "all but the end": (training, "write_whole", "before"),
}


@pytest.mark.parametrize("phase", PHASES)
def test_killed_in_any_phase_it_ends_the_same(phase, four, tmp_path):
    owner, name, when = PHASES[phase]
    work = getattr(owner, name)

    def deadly(*arguments, **named):
        if when == "after":
            work(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    def killed():
        setattr(owner, name, deadly)
        run(settings(4), tmp_path)

    assert in_a_fork(killed) == signal.SIGKILL
    assert same(four[0], run(settings(4), tmp_path))
    assert read_training(tmp_path).log.equals(read_training(four[1]).log)
    left = {path.name for path in (tmp_path / "model").iterdir()}
    assert left == {"curve", "log.jsonl", "measured.json", "model"}


@pytest.mark.parametrize("limit", [2**16, 2**20 + 2**19], ids=["weights", "optimiser"])
def test_a_full_disk_ends_with_a_clear_error_and_the_last_good_checkpoint(limit, whole, tmp_path):
    said = tmp_path / "said"

    def fill():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # what is too long then fails to be written, as on a full disk

        def limited(message, done):
            if done >= 0.5:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        try:
            run(settings(12), tmp_path, limited)
        except RunError as error:
            said.write_text(str(error))

    in_a_fork(fill)
    assert "no room to write" in said.read_text()
    (checkpoint,) = (tmp_path / "model" / "checkpoints").iterdir()
    assert (checkpoint / "whole.json").is_file() and f"goes on from step {checkpoint.name[11:]} of" in said.read_text()
    assert not list(tmp_path.rglob("*.partial"))
    assert same(whole[0], run(settings(12), tmp_path)), "with room again it ends the same"


def test_a_damaged_checkpoint_is_passed_over(whole, tmp_path):
    with pytest.raises(Stop):
        run(settings(12), tmp_path, stop_at(0.75))
    (good,) = (tmp_path / "model" / "checkpoints").iterdir()
    optimiser = good / "optimizer.pt"
    content = bytearray(optimiser.read_bytes())
    content[len(content) // 2] ^= 1
    optimiser.write_bytes(content)
    assert same(whole[0], run(settings(12), tmp_path)), "training starts anew and ends the same"


def test_damaged_weights_of_a_finished_run_are_named(whole, tmp_path):
    from ases.training import trained_models

    run(settings(2), tmp_path)
    (tmp_path / "model" / "model" / "model.safetensors").write_bytes(b"cut short")
    with pytest.raises(ModelError, match="model/model cannot be read"):
        trained_models(tmp_path, "uni-path")


def test_resuming_is_exact_with_dropout_too(tmp_path):
    model = mt5()
    assert model.config.dropout_rate > 0
    save_model(model, CODEC, tmp_path / "mt5")
    given = settings(8, model=str(tmp_path / "mt5"))
    undisturbed = run(given, tmp_path / "whole")

    with pytest.raises(Stop):
        run(given, tmp_path / "stopped", stop_at(0.5))
    assert same(undisturbed, run(given, tmp_path / "stopped"))


def test_two_trainings_do_not_share_a_folder(tmp_path):
    from ases.processes import alone

    with alone(tmp_path), pytest.raises(RunError, match="another process trains"):
        run(settings(2), tmp_path)


def test_what_a_run_took_is_measured_apart_from_what_it_gives(whole):
    row = measured(whole[1]).iloc[0]
    assert row["seconds"] > 0 and row["peak_memory_mib"] > 10 and row["sittings"] == 1
    assert 0 < row["share_of_peak"] < 1.5 and row["numbers"] == "float32"
    plan_tokens = row["real_tokens_per_second"] * row["seconds"]
    assert plan_tokens > read_training(whole[1]).budget["target_tokens"].item()


def test_compiling_on_a_cpu_is_refused(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(ModelError, match="compile"):
        run(settings(2, compile=True), tmp_path)


def test_recomputing_activations_gives_the_same_weights(whole, tmp_path):
    assert close(whole[0], run(settings(12, gradient_checkpointing=True), tmp_path))
