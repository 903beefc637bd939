"""The README lists what notebooks accept; links of the reproducibility page lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ases.claims import CLAIMS
from ases.errors import RunError
from ases.parameters import declared, notebooks
from ases.reference import SECTIONS, findings_section, marks_of, parameters_section, with_sections

ROOT = Path(__file__).resolve().parents[1]


def test_the_readme_says_what_parameters_cells_and_published_tables_say() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_sections(text) == text, "python -m ases reference renews it"


def test_every_claim_stands_beside_its_finding() -> None:
    text = findings_section()
    for claim in CLAIMS:
        (line,) = (line for line in text.splitlines() if line.startswith(f"| {claim.text} ({claim.first} "))
        assert re.search(r"confirmed|undecided|not testable", line) and re.search(r"\d", line), line


def test_every_parameter_of_every_notebook_is_listed() -> None:
    text = parameters_section()
    for path in notebooks():
        line = next(line for line in text.splitlines() if line.startswith(f"- [{path.stem}]"))
        assert re.findall(r"`(\w+)", line) == list(declared(path))
        for name, one in declared(path).items():
            assert f"| `{name}` |" in text and one.help, name


def test_a_readme_without_the_marks_is_refused() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in SECTIONS:
        for mark in marks_of(name):
            assert text.count(mark) == 1
            with pytest.raises(RunError, match=f"needs the two lines.*the {name} are written"):
                with_sections(text.replace(mark, ""))


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
