"""The README lists what notebooks accept; links of the reproducibility page lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ases.errors import RunError
from ases.parameters import declared, notebooks
from ases.reference import BEGIN, parameters_section, with_parameters

ROOT = Path(__file__).resolve().parents[1]


def test_the_readme_says_what_the_parameters_cells_say() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_parameters(text) == text, "python -m ases reference renews the list"


def test_every_parameter_of_every_notebook_is_listed() -> None:
    text = parameters_section()
    for path in notebooks():
        line = next(line for line in text.splitlines() if line.startswith(f"- [{path.stem}]"))
        assert re.findall(r"`(\w+)", line) == list(declared(path))
        for name, one in declared(path).items():
            assert f"| `{name}` |" in text and one.help, name


def test_a_readme_without_the_marks_is_refused() -> None:
    with pytest.raises(RunError, match="needs the two lines"):
        with_parameters("# ases")
    assert with_parameters((ROOT / "README.md").read_text(encoding="utf-8")).count(BEGIN) == 1


def test_the_reproducibility_page_answers_with_links_that_lead_somewhere() -> None:
    path = ROOT / "notebooks" / "REPRODUCIBILITY.md"
    rows = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    heads = [row.split("**")[1] for row in rows if row.startswith("| **")]
    assert heads == ["Data", "Code", "Seeds", "Environment", "Compute", "Statistics", "Negative results"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    heads = [re.sub(r"[^\w -]", "", head).strip() for head in re.findall("^#+ (.*)$", readme, re.M)]
    anchors = {head.lower().replace(" ", "-") for head in heads}
    for row in (row for row in rows if not row.startswith("| **")):
        links = re.findall(r"\]\(([^)]+)\)", row)
        assert links, f"no link in: {row}"
        for place, _, anchor in (link.partition("#") for link in links):
            assert (path.parent / place).exists(), place
            assert not anchor or anchor in anchors, anchor
