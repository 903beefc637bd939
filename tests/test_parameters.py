"""Strict parameters: every door refuses what the notebook does not declare, in words that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ases import parameters
from ases.errors import ParameterError, RunError
from ases.settings import SIZES
from ases.sweeps import points
from tests import fake_project


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASES_ROOT", str(tmp_path))
    monkeypatch.delenv("ASES_BUILD", raising=False)
    return fake_project.make(tmp_path)


def training() -> Path:
    return parameters.notebook_path("04_training")


def message(values: dict) -> str:
    with pytest.raises(ParameterError) as error:
        parameters.check(training(), values)
    return str(error.value)


def test_declared_reads_name_type_default_and_comment() -> None:
    found = parameters.declared(training())
    assert found["beta"] == parameters.Declared("beta", "float | None", None, "None: the strategy's own default")
    assert found["method"].default == "seq2seq"
    assert found["seed"].help == ""
    assert list(found)[:2] == ["size", "data"]


def test_a_default_over_several_lines_keeps_its_comment(project: Path) -> None:
    path = project / "notebooks" / "09_long.ipynb"
    fake_project.notebook(
        path, "data", 'methods: list[str] = [  # those compared\n    "a",\n]\nseeds: list = [\n  1]  # all'
    )
    found = parameters.declared(path)
    assert [found["methods"].help, found["seeds"].help] == ["those compared", "all"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("beta = 1.0", "typed assignments"),
        ("beta: float = 1.0 / 3", "plain value"),
        ("beta: complex = 1.0", "has the type complex"),
        ("beta: int = 1.5", "beta must be int, but is 1.5 (float)"),
    ],
)
def test_a_sloppy_parameters_cell_is_refused(project: Path, source: str, said: str) -> None:
    fake_project.notebook(project / "notebooks" / "09_bad.ipynb", "data", source)
    with pytest.raises(ParameterError, match="line 1") as error:
        parameters.declared(project / "notebooks" / "09_bad.ipynb")
    assert said in str(error.value)


def test_all_problems_are_listed_at_once() -> None:
    said = message({"bta": 1.1, "seed": True, "budget": "1e9"})
    assert "unknown parameter bta (did you mean beta?)" in said
    assert "seed must be int, but is True (bool)" in said
    assert "budget must be float or None, but is the text '1e9'" in said
    assert "04_training accepts size, data, " in said


def test_all_ranges_are_listed_at_once() -> None:
    said = message({"beta": 0, "strategy": "entrpy", "method": "usm", "seed": -1})
    for part in ("beta is 0, but must be above 0", "strategy is 'entrpy'", "method is 'usm'", "seed is -1"):
        assert part in said


def test_types() -> None:
    parameters.check(training(), {"beta": 1, "budget": None})  # an int is a float; None where annotated
    assert "seed must be int" in message({"seed": 1.0})
    assert "method must be str" in message({"method": None})
    assert "keep_teacher_wrong must be bool or None, but is the text 'false'" in message(
        {"keep_teacher_wrong": "false"}
    )
    assert "beta must be float or None" in message({"beta": float("nan")})


def test_methods_and_seeds() -> None:
    comparison = parameters.notebook_path("06_comparison")
    for values, said in [
        ({"methods": ["seq2sq"]}, "methods holds 'seq2sq' (did you mean seq2seq?)"),
        ({"methods": []}, "methods is empty"),
        ({"methods": ["seq2seq", "seq2seq"]}, "methods names seq2seq more than once"),
        ({"methods": [1]}, "methods must be list[str]"),
        ({"seeds": [-1]}, "seeds holds -1"),
        ({"seeds": ["0"]}, "seeds must be list[int]"),
        ({"seeds": [True]}, "seeds must be list[int]"),
        ({"methods": ["dual-path"], "strategy": "none"}, "strategy none has no labels"),
    ]:
        with pytest.raises(ParameterError) as error:
            parameters.check(comparison, values)
        assert said in str(error.value)


def test_assignments_are_read_as_yaml_12() -> None:
    texts = ["a=false", "b=1e3", "c=3e-3", "d=no", "e=[x, 1]", "f=null", "g=1:30", "h=7", "i='true'"]
    values = {
        "a": False,
        "b": 1000.0,
        "c": 0.003,
        "d": "no",
        "e": ["x", 1],
        "f": None,
        "g": "1:30",
        "h": 7,
        "i": "true",
    }
    assert parameters.parse_assignments(texts) == values
    assert parameters.parse_assignments(parameters.assignments(values)) == values
    assert parameters.assignments({"method": "uni-path", "budget": 1.5e13}) == [
        "method=uni-path",
        "budget=15000000000000.0",
    ]


@pytest.mark.parametrize("text", ["beta", "=1", "a b=1", "x=[1", "x={a: 1, a: 2}"])
def test_malformed_assignments_are_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="-p "):
        parameters.parse_assignments([text])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("size: quick\nbeta: [1\n", "line 3: not valid YAML"),
        ("size: quick\nsize: smoke\n", "line 2: size is given twice"),
        ("- quick\n", "holds a list"),
        ("betta: 1\n", "unknown parameter betta (did you mean beta?)"),
        ("beta: high\n", "beta must be float or None, but is the text 'high'"),
    ],
)
def test_malformed_files_are_refused(project: Path, content: str, said: str) -> None:
    path = project / "mine.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ParameterError) as error:
        parameters.load_file(path)
    assert said in str(error.value) and "mine.yaml" in str(error.value)


def test_a_missing_file_names_those_that_are_there(project: Path) -> None:
    with pytest.raises(ParameterError, match="params/quick.yaml"):
        parameters.load_file(project / "params" / "quik.yaml")


def test_the_projects_own_files_are_well_formed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASES_ROOT", str(fake_project.PROJECT))
    for path in sorted((fake_project.PROJECT / "params").glob("*.yaml")):
        values = parameters.load_file(path)
        assert values["size"] == (path.stem if path.stem in SIZES else values["size"])
        assert [text for point in points(values) for text in parameters.problems_of(point)] == []


def test_the_guard_takes_declared_values_and_refuses_others() -> None:
    import json as module

    ipython = {"In": [""], "Out": {}, "_": 3, "__name__": "__main__", "exit": print, "module": module}
    own = parameters.defaults(training())
    assert parameters.given(training(), {**ipython, **own, "beta": 1.1}) == {**own, "beta": 1.1}
    with pytest.raises(ParameterError, match=r"unknown parameter beeta \(did you mean beta\?\)"):
        parameters.given(training(), {**ipython, **own, "beeta": 1.1})
    with pytest.raises(ParameterError, match="beta is 0"):
        parameters.given(training(), {**ipython, **own, "beta": 0})


def test_a_root_without_notebooks_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("ASES_ROOT", str(tmp_path / "empty"))
    with pytest.raises(RunError, match="no folder notebooks"):
        parameters.root()


def test_a_notebook_that_is_not_there_names_the_closest() -> None:
    with pytest.raises(ParameterError, match=r"did you mean 04_training\?"):
        parameters.notebook_path("4_training")
