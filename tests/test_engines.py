"""Engines choose the tokens that they should: those of ``generate``, those of each other, those that were drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from ases import engines
from ases.ctranslate import CTranslateWriter, converted, writers_for
from ases.engines import Decoding, TransformersWriter, Written, row_key, weights_hash
from ases.errors import DataError, ModelError, ParameterError
from ases.examples import read_examples
from ases.parameters import load_file
from ases.pieces import split_pieces
from ases.reproduction import planned
from ases.settings import settings_for
from ases.token_steps import ModelSteps, T5Reader, T5Steps, encoder_for, steps_for
from ases.tokens import padded
from ases.training import trained_models
from tests.tiny_models import MARKS, NEAR, VOCABULARY, contexts, log_probabilities, margin, tiny_model

PROJECT = Path(__file__).resolve().parents[1]
KINDS = ["t5", "t5-v1.1", "mt5", "bart"]


@pytest.fixture(autouse=True)
def compact_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows leave as soon as one is finished, and few are encoded together, so that small batches show it."""
    monkeypatch.setattr(engines, "SHRINK_AT", 0.999)
    monkeypatch.setattr(engines, "ENCODED_AT_ONCE", 64)


def whole(text: Written) -> tuple[int, ...]:
    return (*text.ids, *([MARKS.end] if text.finished else []))


def assert_same(model, given, first, second):
    """Equal texts, but for those with a near-tie on the way; most must have none."""
    clear = [margin(model, context, whole(text)) >= NEAR for context, text in zip(given, first, strict=True)]
    assert sum(clear) >= 0.9 * len(given), f"{len(given) - sum(clear)} of {len(given)} set aside as near-ties"
    assert [text for text, keep in zip(first, clear, strict=True) if keep] == [
        text for text, keep in zip(second, clear, strict=True) if keep
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [3, 4])
def test_greedy_ids_are_those_of_generate(kind: str, seed: int) -> None:
    model, given = tiny_model(kind, seed), contexts(40, seed)
    written = TransformersWriter(model, MARKS).write(given, 9)
    expected = []
    for context in given:
        row = model.generate(input_ids=torch.tensor([context]), max_new_tokens=9, do_sample=False, num_beams=1)
        row = row[0, 1:].tolist()
        cut = row[: row.index(MARKS.end)] if MARKS.end in row else row
        expected.append(Written(tuple(cut), MARKS.end in row))
    assert_same(model, given, written, expected)
    lengths = {len(text.ids) for text in written}
    assert len(lengths) > 1 or seed != 4, "rows that end at different steps are what compaction is about"


@pytest.mark.parametrize("kind", ["t5", "t5-v1.1", "mt5"])
def test_the_step_written_out_has_the_logits_of_the_model(kind: str) -> None:
    model, given = tiny_model(kind, 4), contexts(12, 4)
    ids, mask = padded(sorted(given, key=len, reverse=True), MARKS.pad)
    tokens = torch.randint(0, VOCABULARY, (12, 150), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        states = model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
        both = [ModelSteps(model, states, mask, 150), steps_for(model, states, mask, 150)]
        assert isinstance(both[1], T5Steps)
        for step in range(150):  # beyond 128 tokens all distances share a bias
            if step in (3, 60):
                for steps in both:
                    steps.keep(torch.arange(len(tokens))[1::2])
                tokens = tokens[1::2]
            first, second = (steps.next(tokens[:, step : step + 1]) for steps in both)
            torch.testing.assert_close(first, second, rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("kind", ["t5", "t5-v1.1", "mt5"])
def test_the_encoder_written_out_has_the_states_of_the_model(kind: str) -> None:
    model, given = tiny_model(kind, 4), [*contexts(12, 4), [2, 3, 4, 5, 6] * 40]
    ids, mask = padded(sorted(given, key=len, reverse=True), MARKS.pad)
    with torch.inference_mode():
        reader = encoder_for(model, ids.shape[1] + 7)
        assert isinstance(reader, T5Reader)
        expected = model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
        torch.testing.assert_close(reader(ids, mask)[mask.bool()], expected[mask.bool()], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_what_shares_the_batch_changes_nothing(kind: str) -> None:
    model, given = tiny_model(kind, 4), contexts(60, 4)
    writer = TransformersWriter(model, MARKS)
    together = writer.write(given, 12)
    assert_same(model, given, together, [writer.write([context], 12)[0] for context in given])


def test_rows_leave_the_batch_when_they_are_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    model, given = tiny_model("t5", 2), contexts(60, 2)
    sizes, step = [], T5Steps.next
    monkeypatch.setattr(T5Steps, "next", lambda self, tokens: sizes.append(len(tokens)) or step(self, tokens))
    written = TransformersWriter(model, MARKS).write(given, 12)
    needed = sum(len(whole(text)) for text in written)
    assert needed <= sum(sizes) < len(given) * max(len(whole(text)) for text in written)
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < sizes[0]


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_what_keeps_the_batch_waiting_is_given_up_and_all_else_is_what_it_was(kind: str) -> None:
    model, given = tiny_model(kind, 0, end_bias=MARKS.end), contexts(40, 0)
    writer = TransformersWriter(model, MARKS)
    whole_texts, most = writer.write(given, 30), writer.write_most(given, 30)
    assert_same(model, given, whole_texts, [a if b is None else b for a, b in zip(whole_texts, most, strict=True)])
    lengths = sorted(len(whole(text)) for text in whole_texts)
    longest = max(len(whole(text)) for text in most if text is not None)
    assert most.count(None) == sum(length > longest for length in lengths) > 0, "the longest, and no others"
    assert longest <= 2 * lengths[len(lengths) // 2 - 1], "half have ended, and as long again has passed"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kind_of_search", ["greedy", "beams"])
def test_ctranslate2_writes_what_transformers_writes(kind: str, kind_of_search: str, tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    model, given = tiny_model(kind, 4), contexts(40, 4)
    decoding = Decoding() if kind_of_search == "greedy" else Decoding("beams", beams=3)
    fast = CTranslateWriter(model, MARKS, tmp_path, decoding=decoding, threads=1).write(given, 9)
    if kind_of_search == "greedy":
        assert_same(model, given, TransformersWriter(model, MARKS).write(given, 9), fast)
    else:  # the two searches stop by rules of their own; the score of what each found is the model's
        for context, text in zip(given, fast, strict=True):
            assert text.score == pytest.approx(likelihood(model, context, whole(text)), abs=1e-3)


def likelihood(model, context, text) -> float:
    if not text:
        return 0.0
    logits = torch.log_softmax(log_probabilities(model, context, text), dim=-1)
    return float(logits.gather(1, torch.tensor(text)[:, None]).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_beams_find_texts_with_the_score_they_say_and_no_worse_than_greedy(kind: str) -> None:
    model, given = tiny_model(kind, 7), contexts(20, 7)
    found = TransformersWriter(model, MARKS, Decoding("beams", beams=4)).write(given, 6)
    greedy = TransformersWriter(model, MARKS).write(given, 6)
    better = 0
    for context, text, plain in zip(given, found, greedy, strict=True):
        assert text.score == pytest.approx(likelihood(model, context, whole(text)), abs=1e-3)
        per_token = likelihood(model, context, whole(plain)) / len(whole(plain))
        better += text.score / len(whole(text)) >= per_token - 1e-4
    assert better >= 0.9 * len(given)


def test_long_contexts_are_read_whole_or_refused(tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    model = tiny_model("t5", 0)
    given = [[*([2, 3, 4, 5, 6] * 300), 1], [*([2, 3, 4, 5, 6] * 299), *([9] * 5), 1]]
    fast = CTranslateWriter(model, MARKS, tmp_path, threads=1)
    assert fast.write(given, 9) == TransformersWriter(model, MARKS).write(given, 9)
    limited = tiny_model("bart", 0)
    for writer in (TransformersWriter(limited, MARKS), CTranslateWriter(limited, MARKS, tmp_path, threads=1)):
        assert writer.context_limit == 64
        assert len(writer.write([[2] * 63 + [1]], 3)) == 1
        with pytest.raises(DataError, match="65 tokens, but the model reads 64"):
            writer.write([[2, 1], [2] * 64 + [1]], 3)
        assert writer.write([], 3) == []


def test_a_draw_depends_on_its_key_and_on_nothing_else() -> None:
    model, given = tiny_model("t5", 1), contexts(40, 1)
    writer = TransformersWriter(model, MARKS, Decoding("sampling", temperature=1.3))
    keys = [row_key(0, f"q{n}", 0, 0) for n in range(len(given))]
    together = writer.write(given, 8, keys)
    alone = [writer.write([context], 8, [key])[0] for context, key in zip(given, keys, strict=True)]
    assert together == alone, "a draw within rounding of a border is one in a million tokens"
    assert writer.write(given, 8, [key + 1 for key in keys]) != together
    for context, text in zip(given, together, strict=True):
        assert text.score == pytest.approx(likelihood(model, context, whole(text)), abs=1e-3)
    with pytest.raises(DataError, match="40 contexts but 0 keys"):
        writer.write(given, 8)


def test_tokens_are_drawn_by_their_probabilities() -> None:
    model, draws = tiny_model("t5", 2), 4000
    context, temperature = [3, 4, 1], 2.0
    writer = TransformersWriter(model, MARKS, Decoding("sampling", temperature=temperature))
    texts = writer.write([context] * draws, 1, [row_key(0, "q", n, 0) for n in range(draws)])
    counts = torch.bincount(torch.tensor([whole(text)[0] for text in texts]), minlength=VOCABULARY)
    expected = torch.softmax(log_probabilities(model, context, [0])[0] / temperature, dim=-1) * draws
    kept = expected > 5
    chi_squared = float(((counts - expected) ** 2 / expected)[kept].sum())
    assert kept.sum() > 4 and chi_squared < 2.5 * kept.sum(), "the seed is fixed, the bound far above 95 %"
    few = TransformersWriter(model, MARKS, Decoding("sampling", temperature=9.0, top_k=3))
    seen = {whole(text)[0] for text in few.write([context] * 300, 1, [row_key(0, "q", n, 0) for n in range(300)])}
    assert seen == set(expected.topk(3).indices.tolist())


def test_sampling_at_a_temperature_near_zero_is_greedy() -> None:
    model, given = tiny_model("t5", 4), contexts(30, 4)
    cold = TransformersWriter(model, MARKS, Decoding("sampling", temperature=1e-6))
    assert_same(model, given, TransformersWriter(model, MARKS).write(given, 9), cold.write(given, 9, range(30)))


def test_a_model_is_converted_once_and_again_only_when_damaged(tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    model = tiny_model("t5", 0)
    path = converted(model, MARKS, tmp_path)
    before = (path / "model.bin").stat().st_mtime_ns
    assert converted(model, MARKS, tmp_path) == path and (path / "model.bin").stat().st_mtime_ns == before
    (path / "model.bin").write_bytes(b"cut short")
    assert (converted(model, MARKS, tmp_path) / "model.bin").stat().st_size > 1000
    assert converted(tiny_model("t5", 1), MARKS, tmp_path) != path
    assert not list(tmp_path.glob("*/partial-*"))


def test_the_hash_is_of_the_weights() -> None:
    model = tiny_model("t5", 0)
    first = weights_hash(model)
    assert first == weights_hash(tiny_model("t5", 0)) != weights_hash(tiny_model("t5", 1))
    with torch.no_grad():
        model.shared.weight[0, 0] += 1e-3
    assert weights_hash(model) != first


def test_what_cannot_be_computed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = pytest.importorskip("ctranslate2")
    model = tiny_model("t5", 0)
    with pytest.raises(ParameterError, match="sampling"):
        CTranslateWriter(model, MARKS, tmp_path, decoding=Decoding("sampling"))
    monkeypatch.setattr(library, "get_supported_compute_types", lambda device: {"float32"})
    with pytest.raises(ModelError, match="cannot compute bfloat16 in CTranslate2; use float32"):
        CTranslateWriter(model, MARKS, tmp_path, "bfloat16")
    model.config.model_type = "longt5"
    with pytest.raises(ModelError, match="longt5.*use engine transformers"):
        converted(model, MARKS, tmp_path)
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    with pytest.raises(ModelError, match="pip install ctranslate2=="):
        CTranslateWriter(model, MARKS, tmp_path)


def test_int8_is_another_writer_over_the_same_conversion(tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    model, given = tiny_model("bart", 0), contexts(40, 0)
    plain = CTranslateWriter(model, MARKS, tmp_path, threads=1)
    small = CTranslateWriter(model, MARKS, tmp_path, "int8", threads=1)
    assert plain.path == small.path and plain.fingerprint != small.fingerprint
    same = sum(a == b for a, b in zip(plain.write(given, 5), small.write(given, 5), strict=True))
    assert same > len(given) / 2


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_bfloat16_is_computed_where_it_can_be_and_refused_elsewhere(device: str, tmp_path: Path) -> None:
    library = pytest.importorskip("ctranslate2")
    if device == "cuda" and not (torch.cuda.is_available() and library.get_cuda_device_count()):
        pytest.skip("no GPU here")
    model, given = tiny_model("t5", 4).to(device), contexts(40, 4)
    if "bfloat16" not in library.get_supported_compute_types(device):
        with pytest.raises(ModelError, match=f"this {device} cannot compute bfloat16 in CTranslate2; use float32"):
            CTranslateWriter(model, MARKS, tmp_path, "bfloat16", threads=1)
        return
    exact, low = (CTranslateWriter(model, MARKS, tmp_path, kind, threads=1) for kind in ("float32", "bfloat16"))
    assert exact.path == low.path and exact.fingerprint != low.fingerprint
    same = sum(a == b for a, b in zip(exact.write(given, 5), low.write(given, 5), strict=True))
    assert same > len(given) / 2


@pytest.mark.parametrize("method", ["seq2seq", "uni-path", "dual-path-merged"])
def test_engines_agree_on_trained_models(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the models that `make test` trains, those of a dual-path too, write after each piece of a rationale."""
    pytest.importorskip("ctranslate2")
    monkeypatch.setenv("ASES_ROOT", str(PROJECT))
    smoke = load_file(PROJECT / "params" / "smoke.yaml")
    plan = planned({name: smoke[name] for name in ("size", "methods", "seeds", "data_folder")})
    (run,) = [run for run in plan if run.step == "generation" and run.settings.training.method == method]
    training, data = run.input("training"), run.input("data")
    if not (training.is_done() and data.is_done()):
        pytest.skip("no finished runs of params/smoke.yaml in build/: make test makes them first")
    models, codec = trained_models(training.folder, method)
    given = []
    for one in (one for split in ("valid", "test") for one in read_examples(data.path(f"{split}.parquet"))):
        pieces = [] if method == "seq2seq" else split_pieces(one.rationale)
        begun = ["".join(pieces[:place]) for place in range(len(pieces) + 1)]
        given += [[*codec.encode(one.question), *codec.encode(text), codec.end] for text in begun]
    assert len(given) > 50
    for name, model in models.items():
        plain, fast = TransformersWriter(model, codec), CTranslateWriter(model, codec, tmp_path, threads=1)
        pairs = list(zip(plain.write(given, 24), fast.write(given, 24), strict=True))
        same = sum(one == other for one, other in pairs)
        assert same >= 0.995 * len(given), f"{name}: {len(given) - same} of {len(given)} segments differ"


def test_the_settings_choose_engine_and_decoding(tmp_path: Path) -> None:
    model = tiny_model("t5", 0)
    beams = settings_for({"decoding": "beams", "beams": 3}).generation
    (writer,) = writers_for({"model": model}, MARKS, beams).values()
    assert isinstance(writer, TransformersWriter) and writer.decoding == Decoding("beams", beams=3)
    given = {"vote": "chain", "samples": 5, "decoding": "sampling", "temperature": 0.7, "top_k": 9}
    (writer,) = writers_for({"model": model}, MARKS, settings_for(given).generation).values()
    assert writer.decoding == Decoding("sampling", temperature=0.7, top_k=9)
    fast = settings_for({"engine": "ctranslate2"}).generation
    with pytest.raises(ParameterError, match="folder"):
        writers_for({"model": model}, MARKS, fast)
    pytest.importorskip("ctranslate2")
    assert isinstance(writers_for({"model": model}, MARKS, fast, tmp_path)["model"], CTranslateWriter)
