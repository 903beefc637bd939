"""The published notebooks have run, in order, with their outputs; their twins hold the same code; prose has no results.

nbval replays the twins (tests/notebooks, executed at the smallest size); this file guards what nbval cannot see.
"""

from __future__ import annotations

import ast
import configparser
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from ases.choices import SIZE_NAMES
from ases.parameters import declared

ROOT = Path(__file__).resolve().parents[1]
NAMES = [
    "00_results",
    "02_data",
    "03_scoring",
    "03_segmentation",
    "04_training",
    "05_generation",
    "06_comparison",
    "07_efficiency",
    "07_experiment",
    "07_rates",
    "07_sensitivity",
    "07_start",
    "08_why",
    "09_performance",
    "10_your_own_data",
]
PUBLISHED = [ROOT / "notebooks" / f"{name}.ipynb" for name in NAMES]
OTHERS = sorted((ROOT / "notebooks").glob("*/*.ipynb"))  # of another size or task, as real/06_comparison is
TWINS = [ROOT / "tests" / "notebooks" / f"{name}.ipynb" for name in NAMES]
EXECUTED = [*PUBLISHED, *OTHERS, *TWINS]


def cells(path, kind="code"):
    content = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in content["cells"] if cell["cell_type"] == kind and "".join(cell["source"]).strip()]


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def named(path):
    return f"{path.parent.name}/{path.stem}"


def test_no_notebook_is_missing_or_extra():
    assert sorted((ROOT / "notebooks").glob("*.ipynb")) == PUBLISHED
    assert sorted((ROOT / "tests" / "notebooks").glob("*.ipynb")) == TWINS
    tasks = {f"{task}/07_experiment" for task in ("real", "reports_en", "reports_zh")}
    assert {named(path) for path in OTHERS} >= {"real/06_comparison", *tasks}


@pytest.mark.parametrize("path", EXECUTED, ids=named)
def test_every_cell_has_run_in_order_without_error(path):
    code = cells(path)
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"]


@pytest.mark.parametrize("path", EXECUTED, ids=named)
def test_every_cell_that_shows_something_has_its_output(path):
    for cell in cells(path):
        last = ast.parse(source(cell)).body[-1]
        shows = "plt.show()" in source(cell) and not source(cell).lstrip().startswith(("if", "import", "from"))
        if isinstance(last, ast.Expr) and not source(cell).strip().splitlines()[-1].startswith("run.finish"):
            shows = True
        if shows:
            assert cell["outputs"], f"cell {cell['execution_count']} shows nothing:\n{source(cell)}"


@pytest.mark.parametrize("name", NAMES)
def test_a_twin_holds_the_code_of_its_notebook(name):
    notebook, twin = (
        [(source(cell), tags(cell)) for cell in cells(ROOT / folder / f"{name}.ipynb") if not is_injected(cell)]
        for folder in ("notebooks", "tests/notebooks")
    )
    assert notebook == twin
    prose, twin_prose = (
        [source(cell) for cell in cells(ROOT / folder / f"{name}.ipynb", "markdown")]
        for folder in ("notebooks", "tests/notebooks")
    )
    assert prose == twin_prose


@pytest.mark.parametrize("path", OTHERS, ids=named)
def test_a_notebook_of_another_size_holds_the_code_of_its_notebook(path):
    both = (path.parents[1] / path.name, path)
    code = [[source(cell) for cell in cells(one) if not is_injected(cell)] for one in both]
    assert code[0] == code[1]


def test_every_real_set_has_been_read_and_counted():
    counted = pd.read_csv(ROOT / "figures" / "real" / "02_data" / "extractive.csv")["set"].tolist()
    assert {"gsm8k", "llm_adapters_cot", "palm_svamp_cot", "word problems"} <= set(counted)


def is_injected(cell):
    return "injected-parameters" in tags(cell)


@pytest.mark.parametrize("path", PUBLISHED, ids=named)
def test_published_notebooks_show_their_defaults(path):
    assert not any(is_injected(cell) for cell in cells(path))


@pytest.mark.parametrize("path", PUBLISHED, ids=named)
def test_parameters_are_guarded_right_after_they_are_set(path):
    code = cells(path)
    assert "parameters" in tags(code[0]) and "open_run" in source(code[1]) and "globals()" in source(code[1])
    assert all("#" in line for line in source(code[0]).splitlines() if ": " in line), "each parameter is explained"
    assert "run.finish(" in source(code[-1])


def test_the_comment_on_size_names_all_sizes():
    said = {path.stem: declared(path)["size"].help for path in PUBLISHED}
    assert said.pop("09_performance").endswith(": smoke or quick"), "it measures no others"
    names = f"{', '.join(SIZE_NAMES[:-1])} or {SIZE_NAMES[-1]}"
    assert set(said.values()) == {f"the dial that the rest follows from: {names}"}


@pytest.mark.parametrize("path", PUBLISHED, ids=named)
def test_each_notebook_says_what_it_answers_needs_and_takes(path):
    head = source(cells(path, "markdown")[0])
    assert head.startswith("# ") and re.search(r"(?i)run before", head) and re.search(r"\*\*Takes\*\*", head)


@pytest.mark.parametrize("path", PUBLISHED, ids=named)
def test_no_logic_hides_in_a_notebook(path):
    for cell in cells(path):
        for node in ast.walk(ast.parse(source(cell))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                assert node.end_lineno - node.lineno < 5, f"{node.name} belongs into the library"
            assert not isinstance(node, ast.While | ast.Try), source(cell)


# A share or a decimal in prose would be a result typed by hand. Allowed are levels and settings, which no table holds.
RESULT = re.compile(r"\d+(?:\.\d+)?\s*%|\d+\.\d+|\b\d+ points")
SETTINGS = {"95 %", "80 %", "1.0", "1.1"}


@pytest.mark.parametrize("path", [*PUBLISHED, ROOT / "README.md"], ids=lambda path: path.name)
def test_prose_holds_no_result_typed_by_hand(path):
    if path.suffix == ".md":
        written = r"<!-- (\w+): written by.*?<!-- end of \1 -->|"  # from the tables, to which test_reference holds them
        texts = [re.sub(written + r"```.*?```|`[^`]*`|\]\([^)]*\)", "", path.read_text(encoding="utf-8"), flags=re.S)]
    else:
        texts = [source(cell) for cell in cells(path, "markdown")]
    found = {match.group() for text in texts for match in RESULT.finditer(text)} - SETTINGS
    assert found == set()


DRAWN = ["02_data", "03_segmentation", "04_training", "05_generation", "06_comparison", "07_start"]


@pytest.mark.parametrize("place", [*DRAWN, "09_performance", "real/03_segmentation", "real/07_start"])
def test_every_published_figure_has_its_table(place):
    folder = ROOT / "figures" / place
    names = {path.stem for path in folder.iterdir()}
    assert names
    for name in names:
        assert {path.suffix for path in folder.glob(f"{name}.*")} == {".png", ".svg", ".csv"}
        assert len(pd.read_csv(folder / f"{name}.csv")) > 0


def test_measured_times_live_apart():
    for path in (ROOT / "figures").rglob("*"):
        if path.is_file():
            assert (path.parent.name == "09_performance") == (".measured." in path.name), path


def test_every_measured_table_says_where_it_was_measured():
    for path in (ROOT / "figures" / "09_performance").glob("*.csv"):
        table = pd.read_csv(path)
        if path.name != "durations.measured.csv":
            assert {"machine", "threads", "versions"} <= set(table) and table["versions"].str.contains("torch").all()


@pytest.mark.parametrize("size", ["quick", "real"])
def test_the_main_table_follows_from_the_published_predictions(size):
    place = ROOT / "figures" / ("real" if size == "real" else "") / "06_comparison" / "comparison.csv"
    table = pd.read_csv(place).set_index("method")
    predictions = pd.read_parquet(ROOT / "figures" / "results" / f"{size}-predictions.parquet")
    assert set(predictions.columns) == {"method", "seed", "qid", "correct", "bleu", "rouge_l"}, "no source text"
    again = predictions.groupby("method")["correct"].agg(["mean", "size"])
    assert table["accuracy"].to_dict() == pytest.approx(again["mean"].to_dict(), abs=1e-6)
    assert (table["n"] * table["seeds"]).to_dict() == again["size"].to_dict()


def test_patterns_that_blank_outputs_are_few_and_explained():
    text = (ROOT / "tests" / "sanitize.cfg").read_text(encoding="utf-8")
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.read_string(text)
    assert 0 < len(parsed.sections()) <= 5
    for section in parsed.sections():
        assert re.search(rf"\[{re.escape(section)}\]\n# \S", text), f"{section} needs its reason"
        assert parsed[section]["regex"] not in (".*", ".+"), "a pattern that blanks whole lines hides everything"
