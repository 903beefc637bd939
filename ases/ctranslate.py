"""CTranslate2: the fast engine for CPUs, an optional extra; models are converted once and kept by their weights' hash.

>>> writer = CTranslateWriter(model, codec, folder)                                 # doctest: +SKIP
>>> writer.write([[*codec.encode("Ann had 3. "), codec.end]], 20)                   # doctest: +SKIP
[Written(ids=(37, 12), finished=True)]

A converted model knows its tokens by number alone ("17" is token 17): vocabularies with equal, empty or odd tokens
convert as well, and nothing is split or joined on the way.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from transformers import PreTrainedModel

from ases.checkpoints import last_whole, seal
from ases.engines import (
    GREEDY,
    Decoding,
    TransformersWriter,
    Writer,
    Written,
    check_contexts,
    decoder_start,
    decoding_of,
    weights_hash,
)
from ases.errors import ModelError, ParameterError
from ases.models import Cost, context_limit, cost_of
from ases.settings import GenerationSettings
from ases.tokens import Codec

INSTALL = "pip install ctranslate2==4.8.5"
COMPUTE_TYPES = {"float32": "float32", "int8": "int8_float32", "bfloat16": "bfloat16"}
"""Our names and CTranslate2's: int8 multiplies whole numbers and keeps float32 in between; bfloat16: on a GPU only."""

AT_ONCE = 32
"""Rows that one worker decodes at a time (measured)."""


def writers_for(
    models: Mapping[str, PreTrainedModel], codec: Codec, settings: GenerationSettings, folder: Path | None = None
) -> dict[str, Writer]:
    """The writers that the settings ask for, one a model; ``folder`` keeps models converted for CTranslate2.

    Raises ParameterError where CTranslate2 has no folder, and as :class:`CTranslateWriter` does.
    """
    decoding = decoding_of(settings)
    if settings.engine == "transformers":
        return {name: TransformersWriter(model, codec, decoding) for name, model in models.items()}
    if folder is None:
        raise ParameterError("engine ctranslate2 needs a folder to keep the converted models in")
    return {
        name: CTranslateWriter(model, codec, folder, settings.compute_type, decoding) for name, model in models.items()
    }


class CTranslateWriter:
    """Decoding with CTranslate2 on the CPU, or on a GPU where the model is on one; greedy or beams.

    Raises ModelError where CTranslate2 is not installed or cannot compute (bfloat16 on a CPU) or convert what is asked
    for, and ParameterError for sampling, whose draws would depend on what shares the batch.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        codec: Codec,
        folder: Path,
        compute_type: str = "float32",
        decoding: Decoding = GREEDY,
        threads: int | None = None,
    ) -> None:
        """``folder`` keeps converted models; ``threads`` (default: torch's number) work on batches side by side."""
        library = _library()
        if decoding.kind == "sampling":
            raise ParameterError("CTranslate2 draws by what shares the batch; use engine transformers for sampling")
        device = model.device.type
        offered = library.get_supported_compute_types(device)
        if COMPUTE_TYPES.get(compute_type) not in offered:
            known = [name for name, theirs in COMPUTE_TYPES.items() if theirs in offered]
            raise ModelError(f"this {device} cannot compute {compute_type} in CTranslate2; use {' or '.join(known)}")
        self.codec, self.decoding = codec, decoding
        self.context_limit = context_limit(model)
        self.cost: Cost = cost_of(model)
        self.weights = weights_hash(model)
        # A name that says all that decides the ids: the same weights in int8 are another writer.
        self.fingerprint = f"{self.weights} ctranslate2 {library.__version__} {compute_type}"
        self.path = converted(model, codec, Path(folder))
        workers = threads or torch.get_num_threads()
        self._translator = library.Translator(
            str(self.path),
            device=device,
            compute_type=COMPUTE_TYPES[compute_type],
            inter_threads=workers if device == "cpu" else 1,
            intra_threads=1,
        )
        self.workers = workers

    def write(self, contexts: Sequence[Sequence[int]], limit: int) -> list[Written]:
        """Continue each context by at most ``limit`` tokens; raises DataError for one over the model's limit."""
        check_contexts(contexts, self.context_limit)
        if not contexts:
            return []
        # Small batches of like length, for the caches' sake, spread over the workers.
        results = self._translator.translate_batch(
            [[str(token) for token in context] for context in contexts],
            max_batch_size=max(1, min(AT_ONCE, -(-len(contexts) // self.workers))),
            beam_size=self.decoding.beams,
            max_input_length=0,  # its default cuts at 1,024 tokens and does not say so
            max_decoding_length=limit,
            min_decoding_length=0,
            return_end_token=True,
            return_scores=self.decoding.kind == "beams",
            length_penalty=1.0,
        )
        return [self._cut(result) for result in results]

    def _cut(self, result: Any) -> Written:
        ids = [int(token) for token in result.hypotheses[0]]
        finished = bool(ids) and ids[-1] == self.codec.end
        text = ids[:-1] if finished else ids
        score = result.scores[0] * len(ids) if result.scores else 0.0
        return Written(tuple(text), finished, score)


def converted(model: PreTrainedModel, codec: Codec, folder: Path) -> Path:
    """The model in CTranslate2's format (float32), from the folder or converted into it now.

    It is found by the hash of its weights and counts only when it is whole (:mod:`ases.checkpoints`). Raises
    ModelError for kinds that cannot be converted.
    """
    place = Path(folder) / f"ctranslate2-{weights_hash(model)[:16]}"
    path, _ = last_whole(place)
    if path is None:
        partial = place / f"partial-{os.getpid()}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        spec = _spec(model, codec)
        spec.save(str(partial))
        finished = place / "checkpoint-1"
        try:
            partial.rename(finished)
        except OSError:  # another process was faster, with the same weights
            shutil.rmtree(partial)
        seal(finished)
        path = str(finished)
    return Path(path)


def _spec(model: PreTrainedModel, codec: Codec) -> Any:
    """CTranslate2's description of the model, its weights included."""
    _library()
    from ctranslate2.converters import transformers as theirs

    loaders = {
        "t5": theirs.T5Loader,
        "mt5": theirs.MT5Loader,
        "umt5": theirs.UMT5Loader,
        "bart": theirs.BartLoader,
        "mbart": theirs.MBartLoader,
    }
    config = model.config
    if config.model_type not in loaders:
        raise ModelError(
            f"models of type {config.model_type} are not converted here, {', '.join(loaders)} are; "
            "use engine transformers"
        )
    if "bart" in config.model_type and not hasattr(config, "normalize_before"):
        # The converter reads it, released checkpoints have it, and transformers no longer gives it a default.
        config.normalize_before = config.model_type == "mbart"
    with torch.no_grad():
        spec = loaders[config.model_type]().get_model_spec(model)
    if config.model_type in ("t5", "mt5", "umt5"):
        # The converter takes tied embeddings for scaled outputs, and transformers 5 says "tied" of every T5.
        scaled = getattr(config, "scale_decoder_outputs", False)
        spec.decoder.scale_outputs = config.d_model**-0.5 if scaled else 1.0
    names = [str(token) for token in range(model.get_input_embeddings().num_embeddings)]
    spec.register_source_vocabulary(names)
    spec.register_target_vocabulary(names)
    # Nothing is unknown by number; CTranslate2 wants such a token all the same.
    spec.config.unk_token = spec.config.bos_token = str(codec.pad)
    spec.config.eos_token = str(codec.end)
    spec.config.decoder_start_token = str(decoder_start(model))
    spec.config.add_source_bos = spec.config.add_source_eos = False
    spec.validate()
    spec.optimize(quantization="float32")
    return spec


def _library() -> ModuleType:
    try:
        import ctranslate2
    except ImportError as error:
        raise ModelError(f"engine ctranslate2 needs a package that is not installed: {INSTALL}") from error
    return ctranslate2
