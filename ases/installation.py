"""Is everything here, and does it work? The versions, every module, and the whole method once, with a known result.

    python -m ases check

A model of a quarter of a million parameters learns the segments of one problem by heart and writes them again: what it
must write is known letter by letter, on any machine. About a minute on one core.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ases.errors import RunError
from ases.parameters import root

STEPS = 250
QUESTION = "Ida had 7 coins. She sold them for $9 each, then paid $15 for a plant. How many dollars did she have left?"
RATIONALE = "Ida had 7 coins and sold them for $9 each, so she got 7 * 9 = 63 dollars. She paid $15 for a plant, so "
RATIONALE += "63 - 15 = 48 dollars were left. The answer is 48."
KNOWN = "ES AS ES ES AS"
"""The labels of the rationale's pieces by ``novelty``, which needs no model."""


def check_installation(say: Callable[[str], None] = print) -> None:
    """Say what is right, one line a check. Raises RunError at the first thing that is not, with what to do."""
    say(f"Python {sys.version.split()[0]}, packages: {check_packages(root() / 'requirements.lock')}")
    say(f"modules: {check_modules()}")
    say("method: one problem, cut, labelled, learned and written again (half a minute) ...")
    say(f"method: {check_method()}")


def check_packages(lock: Path) -> str:
    """Raises RunError naming the packages of the lock file that are missing, or there in another version."""
    pins = [line.split("==") for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line]
    wrong = []
    for name, pinned in pins:
        try:
            found = version(name)
        except PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if found.split("+")[0] != pinned:
            wrong.append(f"{name} is {found}, not {pinned}")
    if wrong:
        raise RunError(f"{len(wrong)} of {len(pins)} packages are not as in {lock.name}: {'; '.join(wrong)}. Run make")
    return f"all {len(pins)} as in {lock.name}"


def check_modules() -> str:
    """Import every module of the package. Raises RunError naming the one that cannot be imported."""
    extra = {"ctranslate", "__init__", "__main__"}  # the second engine's package need not be there
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in extra)
    for name in names:
        try:
            importlib.import_module(f"ases.{name}")
        except Exception as error:  # whatever it is, it belongs into the sentence
            raise RunError(f"ases.{name} cannot be imported: {type(error).__name__}: {error}") from error
    return f"all {len(names)} can be imported"


def check_method(steps: int = STEPS) -> str:
    """Segment, train and generate once. Raises RunError where what comes out is not what is known to come out."""
    from ases.examples import Example
    from ases.generation import TransformersWriter, write_chains
    from ases.labels import label_by_rule
    from ases.metrics import is_correct
    from ases.models import codec_for, cost_of, start_model
    from ases.novelty import novelty_scores
    from ases.pieces import split_pieces
    from ases.segments import pairs_for
    from ases.settings import settings_for
    from ases.training import train, trained_models

    one = Example("check", QUESTION, RATIONALE, "48", "own")
    pieces = split_pieces(one.rationale)
    labels = label_by_rule(novelty_scores(one.question, pieces), 1.0)
    if "".join(pieces) != one.rationale or " ".join(labels) != KNOWN:
        raise RunError(f"the pieces {pieces} are labelled {labels}, not {KNOWN}: the package is not as it was released")
    codec = codec_for("nano", [one.question, one.rationale])
    method, settings = "uni-path-merged", settings_for({"size": "smoke"})
    pairs = pairs_for(method, one, labels, codec) * 32
    cost = cost_of(start_model("nano", codec, 0))
    mean = sum(cost.training(len(pair.context), len(pair.target)) for pair in pairs) / len(pairs)
    training = replace(settings.training, method=method, batch_size=16, learning_rate=5e-3, curve_points=1)
    with tempfile.TemporaryDirectory() as folder:
        train(pairs, pairs[:4], codec, replace(training, budget=mean * 16 * steps), Path(folder))
        models, codec = trained_models(Path(folder), method)
        writers = {name: TransformersWriter(model, codec) for name, model in models.items()}
        (chain,) = write_chains([(one.qid, one.question)], writers, codec, method, settings.generation)
    if chain.text != one.rationale or not is_correct(chain.text, one.answer or ""):
        raise RunError(f"after {steps} steps it writes {chain.text!r} ({chain.reason}), not {one.rationale!r}")
    return f"wrote all {len(labels)} pieces again in {len(chain.segments)} segments, and its answer is right"
