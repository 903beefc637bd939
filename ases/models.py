"""Sequence-to-sequence models: small ones from scratch, any other by name or folder, and what training them costs.

>>> model = fresh_model("nano", codec, seed=0)          # doctest: +SKIP
>>> model = load_model("google/flan-t5-small", codec, seed=0)                # doctest: +SKIP

The same seed gives the same start for every method (METHOD, section 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoModelForSeq2SeqLM, PreTrainedModel, T5Config, T5ForConditionalGeneration
from transformers.utils import logging as hf_logging

from ases.errors import ModelError
from ases.presets import PRESETS, is_preset
from ases.tokens import Codec, load_codec, train_codec


def codec_for(model: str, texts: Sequence[str]) -> Codec:
    """The vocabulary for a model: trained on the training split's texts for a preset, else the checkpoint's own."""
    return train_codec(texts) if is_preset(model) else load_codec(model)


def start_model(model: str, codec: Codec, seed: int) -> PreTrainedModel:
    """The start that every method shares: a fresh preset by seed, or a checkpoint by hub name or folder."""
    return fresh_model(model, codec, seed) if is_preset(model) else load_model(model, codec, seed)


def fresh_model(preset: str, codec: Codec, seed: int) -> PreTrainedModel:
    """A randomly initialised T5 of the preset's shape; the same seed gives the same weights.

    No dropout: at these sizes a model sees each pair a few dozen times and underfits sooner than it overfits.
    """
    shape = PRESETS[preset]
    config = T5Config(
        vocab_size=len(codec),
        d_model=shape.width,
        d_kv=shape.width // shape.heads,
        d_ff=shape.feed_forward,
        num_layers=shape.layers,
        num_decoder_layers=shape.layers,
        num_heads=shape.heads,
        dropout_rate=0.0,
        feed_forward_proj="relu",
        pad_token_id=codec.pad,
        eos_token_id=codec.end,
        decoder_start_token_id=codec.pad,
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = T5ForConditionalGeneration(config)
    if shape.width <= 256 and not torch.cuda.is_available():
        model.set_attn_implementation("eager")  # a tenth faster at these widths than the fused kernel, on CPU
    return model


def load_model(name_or_folder: str, codec: Codec, seed: int) -> PreTrainedModel:
    """Load a sequence-to-sequence checkpoint (safetensors only) and fit its embeddings to the vocabulary by seed.

    Raises ModelError where it cannot be had, saying which local folder would serve.
    """
    hf_logging.disable_progress_bar()
    try:
        model = AutoModelForSeq2SeqLM.from_pretrained(
            name_or_folder, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelError(
            f"no sequence-to-sequence model could be loaded from {name_or_folder!r}: {str(error).splitlines()[0]} "
            "Give a folder that holds config.json and model.safetensors (beside its tokenizer), "
            f"a name your hub can reach, or a preset: {', '.join(PRESETS)}.{_local_folders(name_or_folder)}"
        ) from error
    if len(codec) > model.get_input_embeddings().num_embeddings:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # the new rows are drawn: the same for every method, and for both of a dual-path
            model.resize_token_embeddings(len(codec), mean_resizing=False)
    return model


def _local_folders(name: str) -> str:
    """Folders beside the one asked for, or in the working directory, that would load; as a sentence, or empty."""
    places = {Path(name).expanduser().parent, Path.cwd(), Path.cwd() / "models", Path.cwd() / Path(name).name}
    found = {
        folder
        for place in places
        for folder in (place, *(place.glob("*") if place.is_dir() else ()))
        if (folder / "config.json").is_file() and list(folder.glob("*.safetensors"))
    }
    return f" These folders hold one: {', '.join(sorted(map(str, found))[:5])}." if found else ""


def read_model(folder: Path) -> PreTrainedModel:
    """A model saved by :func:`save_model`, ready to predict. Raises ModelError where its weights are damaged."""
    hf_logging.disable_progress_bar()  # a bar of its own for each file floods logs and notebooks
    try:
        model = AutoModelForSeq2SeqLM.from_pretrained(str(folder), use_safetensors=True, local_files_only=True)
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelError(
            f"the weights in {folder} cannot be read ({str(error).splitlines()[0]}); delete that folder's run and "
            "train it again"
        ) from error
    return model.eval()


def save_model(
    model: PreTrainedModel, codec: Codec, folder: Path, weights: dict[str, torch.Tensor] | None = None
) -> None:
    """Write weights (safetensors), configuration and tokenizer into the folder.

    ``weights`` stand for the model's own where it holds only a share of them.
    """
    model.save_pretrained(str(folder), state_dict=weights)
    codec.save(folder)


def context_limit(model: PreTrainedModel) -> int | None:
    """How many tokens the encoder can read, ``None`` for relative positions, which have no limit."""
    return getattr(model.config, "max_position_embeddings", None)


@dataclass(frozen=True)
class Cost:
    """What one token costs, in multiply-adds: the terms of METHOD's FLOPs formula for one model.

    ``encoder`` and ``decoder`` are the parameters that a token of that side passes through (the decoder's cross
    keys and values are computed from encoder tokens, so they count there), ``output`` the output layer's;
    ``encoder_attention`` and the others are per pair of tokens.
    """

    encoder: int
    decoder: int
    output: int
    encoder_attention: int
    decoder_attention: int
    cross_attention: int

    def forward(self, source: int, target: int) -> int:
        """FLOPs of one forward pass over a source and a target of that many tokens (2 a multiply-add)."""
        linear = self.encoder * source + (self.decoder + self.output) * target
        attention = (
            self.encoder_attention * source * source
            + self.decoder_attention * target * target
            + self.cross_attention * source * target
        )
        return 2 * (linear + attention)

    def training(self, source: int, target: int) -> int:
        """FLOPs of a forward and a backward pass: three times the forward pass (METHOD, section 5)."""
        return 3 * self.forward(source, target)


def cost_of(model: PreTrainedModel) -> Cost:
    """Read the cost terms off a T5-like or BART-like model."""
    config = model.config
    encoder, decoder = model.get_encoder(), model.get_decoder()
    embeddings = {id(model.get_input_embeddings().weight), id(model.get_output_embeddings().weight)}

    def matrices(module: torch.nn.Module) -> dict[str, int]:
        # Only matrices that multiply activations: embeddings and position tables are looked up.
        return {
            name: parameter.numel()
            for name, parameter in module.named_parameters()
            if parameter.dim() == 2 and id(parameter) not in embeddings and "embed" not in name and "bias" not in name
        }

    in_encoder, in_decoder = matrices(encoder), matrices(decoder)
    cross = sum(
        size
        for name, size in in_decoder.items()
        if any(
            part in name for part in ("EncDecAttention.k.", "EncDecAttention.v.", "encoder_attn.k_", "encoder_attn.v_")
        )
    )
    if cross == 0:
        raise ModelError(f"the cross-attention of {type(model).__name__} was not recognised; T5 and BART kinds are")
    heads = getattr(config, "num_heads", None) or config.encoder_attention_heads
    inner = heads * getattr(config, "d_kv", config.d_model // heads)
    encoder_layers = getattr(config, "num_layers", None) or config.encoder_layers
    decoder_layers = getattr(config, "num_decoder_layers", None) or config.decoder_layers
    return Cost(
        encoder=sum(in_encoder.values()) + cross,
        decoder=sum(in_decoder.values()) - cross,
        output=model.get_output_embeddings().weight.numel(),
        # scores and weighted sum: each inner multiply-adds for every pair of tokens, in every layer
        encoder_attention=2 * inner * encoder_layers,
        decoder_attention=2 * inner * decoder_layers,
        cross_attention=2 * inner * decoder_layers,
    )
