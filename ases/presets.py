"""The models trained from scratch, by name: one dial from which width, depth, batch and learning rate follow.

>>> PRESETS["nano"].width, dial_of("nano")
(64, {'batch_size': 32, 'learning_rate': 0.003})

Plain numbers, so that settings can be filled in without loading a library.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Preset:
    """The shape of a model trained from scratch (``layers`` in the encoder and again in the decoder), and its dial.

    ``learning_rate`` falls as width grows, 3e-3 at width 64; ``batch_size`` is in pairs a step.
    """

    width: int
    layers: int
    heads: int
    feed_forward: int
    batch_size: int
    learning_rate: float


PRESETS = {
    "nano": Preset(width=64, layers=2, heads=4, feed_forward=256, batch_size=32, learning_rate=3e-3),
    "micro": Preset(width=128, layers=2, heads=4, feed_forward=512, batch_size=32, learning_rate=1.5e-3),
    "tiny": Preset(width=256, layers=4, heads=8, feed_forward=1024, batch_size=64, learning_rate=7.5e-4),
    "small": Preset(width=512, layers=8, heads=8, feed_forward=2048, batch_size=64, learning_rate=3.75e-4),
}

CHECKPOINT = {"batch_size": 64, "learning_rate": 5e-4}
"""Batch and learning rate of models by name or folder: the upper end of what the released scripts use."""


def is_preset(model: str) -> bool:
    """Whether the name is one of :data:`PRESETS`, trained from scratch, rather than a checkpoint."""
    return model in PRESETS


def dial_of(model: str) -> dict[str, float]:
    """The batch size and the learning rate that follow from the model where none are given.

    A checkpoint in a folder that has the shape of a preset, such as our own start, has that preset's.
    """
    model = model if is_preset(model) else _preset_like(model)
    if not is_preset(model):
        return dict(CHECKPOINT)
    return {"batch_size": PRESETS[model].batch_size, "learning_rate": PRESETS[model].learning_rate}


def _preset_like(folder: str) -> str:
    """The preset that a checkpoint in a folder has the shape of, empty where there is none."""
    project = Path(os.environ.get("ASES_ROOT") or Path(__file__).resolve().parents[1])
    for place in (project / folder / "config.json", Path(folder) / "config.json"):
        if place.is_file():
            config = json.loads(place.read_text(encoding="utf-8"))
            shape = tuple(config.get(name) for name in ("d_model", "num_layers", "num_decoder_layers", "d_ff"))
            for name, one in PRESETS.items():
                if shape == (one.width, one.layers, one.layers, one.feed_forward):
                    return name
    return ""
