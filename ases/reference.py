"""The README's list of parameters, written from the notebooks' own parameters cells.

    python -m ases reference

A test holds the README equal to what this module writes, so the list cannot fall behind.
"""

from __future__ import annotations

import json
from pathlib import Path

from ases.errors import RunError
from ases.parameters import Declared, declared, notebooks, root

BEGIN, END = "<!-- parameters: written by `python -m ases reference` -->", "<!-- end of parameters -->"


def parameters_section() -> str:
    """Every parameter once, with type and meaning; and for each notebook the names that it accepts, as Markdown.

    Where notebooks explain a parameter in different words, the first one's stand.
    """
    accepted = {path.stem: declared(path) for path in notebooks()}
    known: dict[str, Declared] = {}
    for names in accepted.values():
        for name, one in names.items():
            known.setdefault(name, one)
    lines = ["| parameter | type | what it is |", "|---|---|---|"]
    for name, one in known.items():
        kinds = one.annotation.replace(" | None", "")
        lines.append(f"| `{name}` | {kinds} | {_plain(one.help)} |")
    lines.append("")
    for stem, names in accepted.items():
        shown = [f"`{name}`" if one.default is None else f"`{name}={_shown(one)}`" for name, one in names.items()]
        lines.append(f"- [{stem}](notebooks/{stem}.ipynb): {', '.join(shown)}")
    return "\n".join(lines)


def with_parameters(text: str) -> str:
    """A README with its list of parameters as it should be. Raises RunError where the two marks are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise RunError(f"README.md needs the two lines {BEGIN} and {END}, between which the parameters are listed")
    return f"{before}{BEGIN}\n\n{parameters_section()}\n\n{END}{after}"


def renew_readme() -> Path:
    """Write the list into README.md; returns its path."""
    path = root() / "README.md"
    path.write_text(with_parameters(path.read_text(encoding="utf-8")), encoding="utf-8")
    return path


def _plain(text: str) -> str:
    return text.replace("|", "\\|")


def _shown(one: Declared) -> str:
    return one.default if isinstance(one.default, str) and one.default else json.dumps(one.default)
