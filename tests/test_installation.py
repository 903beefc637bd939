"""What `make check` proves, and that it does say so when something is wrong. The method itself is its own test."""

from __future__ import annotations

from pathlib import Path

import pytest

from ases import installation
from ases.errors import RunError
from ases.installation import check_method, check_modules, check_packages


def test_versions_and_modules() -> None:
    assert check_packages(Path(installation.__file__).parents[1] / "requirements.lock").startswith("all ")
    assert check_modules().startswith("all ")


def test_packages_that_are_missing_or_others_are_named(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("# pins\nnumpy==0.0.1\nno-such-package==1\n")
    with pytest.raises(RunError, match=r"2 of 2 packages .*numpy is .*, not 0.0.1; no-such-package is missing"):
        check_packages(lock)


def test_a_module_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError(f"no {name}")

    monkeypatch.setattr(installation.importlib, "import_module", refuse)
    with pytest.raises(RunError, match="ases.agreement cannot be imported: ImportError"):
        check_modules()


def test_a_model_that_has_not_learned_and_labels_that_differ_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match="after 2 steps it writes"):
        check_method(steps=2)
    monkeypatch.setattr(installation, "KNOWN", "AS ES")
    with pytest.raises(RunError, match="not AS ES"):
        check_method()
