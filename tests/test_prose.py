"""No prose holds a number typed by hand where a table has it.

The rule: a number of two digits or more, or with a decimal point, in a notebook's Markdown is typed by hand if it
stands in one of the tables beside the notebook's figures, as it is, rounded to up to three decimals, or in per cent.
Code, links and formulas do not count; neither does a level that no result decides ("95 % interval", "80 % power").
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHELVES = ("", "real", "reports_en", "reports_zh")  # folders of what is published of other sizes and tasks
NOTEBOOKS = [path for shelf in SHELVES for path in sorted((ROOT / "notebooks" / shelf).glob("*.ipynb"))]
NOT_PROSE = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)|\$[^$]*\$|\b\d+ % (?:\w+ )?(?:interval|power)", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?!\w)")


def values_of(folder: Path) -> set[float]:
    """All numbers in a folder's tables, in the ways in which somebody would type them."""
    found: set[float] = set()
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for cell in (cell for row in csv.reader(file) for cell in row):
                try:
                    value = float(cell)
                except ValueError:
                    continue
                found |= {value, *(round(value, digits) for digits in range(4))}
                found |= {round(100 * value, digits) for digits in range(3)}
    return found


def typed(text: str, values: set[float]) -> list[str]:
    """The numbers of a Markdown text that stand in a table."""
    numbers = [match.group() for match in NUMBER.finditer(NOT_PROSE.sub(" ", text))]
    return [one for one in numbers if (len(one) > 1) and float(one.replace(",", "")) in values]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_number_of_a_table_is_typed_into_prose(path: Path) -> None:
    place = ROOT / "figures" / (path.parent.name if path.parent.name in SHELVES else "") / path.stem
    values = values_of(place)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found = {one for cell in cells if cell["cell_type"] == "markdown" for one in typed("".join(cell["source"]), values)}
    assert found == set(), f"write these sentences from the table, by a function: {found}"


def test_the_rule_finds_what_it_is_for(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("method,n,accuracy\nseq2seq,1000,0.4567\n")
    values = values_of(tmp_path)
    for text in ("of 1000 questions", "of 1,000 questions", "it is 0.457", "it is 45.7 %", "about 46 %", "0.46."):
        assert len(typed(text, values)) == 1, text
    for text in ("`n=1000`", "see [here](a1000.png)", "12 of them", "95 % interval", "uni2path", "in 5 steps"):
        assert typed(text, values | {95.0, 5.0, 2.0}) == [], text


def test_tables_are_there_to_be_compared_with() -> None:
    assert sum(bool(values_of(ROOT / "figures" / path.stem)) for path in NOTEBOOKS) >= 6
