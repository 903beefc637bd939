"""Strict parameters: what a notebook declares is what it takes, by name, by type and by range.

>>> declared(root() / "notebooks" / "04_training.ipynb")["beta"].annotation
'float | None'

papermill only warns on an unknown parameter and then runs with the default, and ``-p flag false`` injects a text
that is true. So every door checks here first: the command line, the workflow, and the guard cell of a notebook
that somebody runs with plain papermill.
"""

from __future__ import annotations

import ast
import difflib
import io
import json
import math
import os
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ases.arms import entry_problem as arm_problem
from ases.errors import ParameterError, RunError
from ases.flat_yaml import is_bare, read_yaml
from ases.settings import METHODS, PARTS, SOURCES, settings_for

LISTS = frozenset(
    "methods seeds study_data scorer_seeds starts train_sizes start_methods arms budgets efficiency_arms "
    "efficiency_sizes efficiency_budgets efficiency_seeds variants variant_sizes variant_budgets variant_seeds "
    "rate_arms rate_sizes rate_budgets rate_seeds why_arms why_sizes why_budgets why_seeds".split()
)
"""Parameters that say which runs a notebook puts together."""

SETTINGS_NAMES = ("size", *(field.name for part in PARTS for field in fields(part)))
"""Flat names that :func:`ases.settings.settings_for` understands."""


def root() -> Path:
    """The project's folder: ``ASES_ROOT`` where that is set, else the folder above the package.

    Raises RunError where it holds no ``notebooks``.
    """
    given = os.environ.get("ASES_ROOT")
    folder = Path(given).expanduser().resolve() if given else Path(__file__).resolve().parents[1]
    if not (folder / "notebooks").is_dir():
        raise RunError(
            f"no folder notebooks in {folder}: install the package from the cloned project (pip install -e .), "
            "or set ASES_ROOT to the project's folder"
        )
    return folder


def notebook_path(name: str | Path) -> Path:
    """A notebook by path or by name: ``04_training`` is ``notebooks/04_training.ipynb``. Raises ParameterError."""
    name = str(name)
    candidates = [Path(name), root() / name, root() / "notebooks" / name, root() / "notebooks" / f"{name}.ipynb"]
    for candidate in candidates:
        if candidate.suffix == ".ipynb" and candidate.is_file():
            return candidate.resolve()
    there = [path.stem for path in notebooks()]
    raise ParameterError(f"there is no notebook {name}{_closest(name, there)}; notebooks are {', '.join(there)}")


def notebooks() -> list[Path]:
    """The project's source notebooks, in order of their names."""
    return sorted((root() / "notebooks").glob("*.ipynb"))


@dataclass(frozen=True)
class Declared:
    """One parameter of a notebook: name, annotation as written, default value, and its comment."""

    name: str
    annotation: str
    default: Any
    help: str

    def problem(self, value: Any) -> str | None:
        """What is wrong with the type of a value, or None. An int is a float; True and False are not numbers."""
        kinds = [kind.strip() for kind in self.annotation.split("|")]
        if any(_is_of(kind, value) for kind in kinds):
            return None
        shown = f"the text {value!r}" if isinstance(value, str) else f"{value!r} ({type(value).__name__})"
        return f"{self.name} must be {' or '.join(kinds)}, but is {shown}"


_PLAIN = {"int": int, "float": (int, float), "str": str, "bool": bool}
_LIST = re.compile(r"list(?:\[(\w+)\])?$")


def _is_of(kind: str, value: Any) -> bool:
    if kind == "None":
        return value is None
    if match := _LIST.match(kind):
        return isinstance(value, list) and (match[1] is None or all(_is_of(match[1], item) for item in value))
    if isinstance(value, bool) or kind == "bool":
        return isinstance(value, bool) and kind == "bool"
    return isinstance(value, _PLAIN[kind]) and (not isinstance(value, float) or math.isfinite(value))


def declared(notebook: Path) -> dict[str, Declared]:
    """The parameters that a notebook declares in its cell tagged ``parameters``, read without a kernel.

    Raises ParameterError where the cell is missing or holds anything but typed assignments of plain values.
    """
    path = Path(notebook)
    return dict(_declared(path, path.stat().st_mtime_ns if path.is_file() else 0))


@cache
def _declared(path: Path, _changed: int) -> dict[str, Declared]:
    cells = read_notebook(path)["cells"]
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        raise ParameterError(f"{path.name} has {len(tagged)} cells tagged parameters, but needs exactly one")
    source = "".join(tagged[0]["source"])
    comments = _comments(source)
    found = {}
    for node in ast.parse(source).body:
        where = f"{path.name}, parameters cell, line {node.lineno}"
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value):
            raise ParameterError(f"{where}: only typed assignments are allowed, such as `beta: float | None = None`")
        name, annotation = node.target.id, ast.unparse(node.annotation)
        for kind in annotation.split("|"):
            inner = _LIST.match(kind.strip())
            if not (inner and (inner[1] or "int") in _PLAIN) and kind.strip() not in (*_PLAIN, "None"):
                raise ParameterError(
                    f"{where}: {name} has the type {annotation}; known are int, float, str, bool, list"
                )
        try:
            default = ast.literal_eval(node.value)
        except ValueError:
            raise ParameterError(f"{where}: the default of {name} must be a plain value") from None
        found[name] = Declared(
            name, annotation, default, comments.get(node.lineno) or comments.get(node.end_lineno, "")
        )
        if problem := found[name].problem(default):
            raise ParameterError(f"{where}: {problem}")
    return found


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}


def read_notebook(path: Path) -> dict[str, Any]:
    """A notebook as its JSON. Raises ParameterError where it is missing or no notebook."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParameterError(f"there is no notebook {path}") from None
    except ValueError as error:
        raise ParameterError(f"{path} is not a notebook: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise ParameterError(f"{path} is not a notebook: it has no cells")
    return content


def defaults(notebook: Path) -> dict[str, Any]:
    """The declared parameters with their default values."""
    return {name: one.default for name, one in declared(notebook).items()}


def check(notebook: Path, values: Mapping[str, Any]) -> None:
    """Check values against what a notebook declares; raises one ParameterError that lists every problem."""
    accepted = declared(notebook)
    problems = []
    for name, value in values.items():
        if name not in accepted:
            problems.append(f"unknown parameter {name}{_closest(name, accepted)}")
        elif problem := accepted[name].problem(value):
            problems.append(problem)
    if any(problem.startswith("unknown") for problem in problems):
        problems.append(f"{Path(notebook).stem} accepts {', '.join(accepted)}")
    if not problems:
        problems = problems_of({**defaults(notebook), **values})
    if problems:
        raise ParameterError(joined(f"wrong parameters for {Path(notebook).stem}", problems))


def problems_of(parameters: Mapping[str, Any]) -> list[str]:
    """Everything wrong with the ranges of flat parameters, ``methods`` and ``seeds`` included."""
    plain = {name: value for name, value in parameters.items() if name in SETTINGS_NAMES and value is not None}
    problems = []
    methods = parameters.get("methods")
    for name in sorted(LISTS):
        if (values := parameters.get(name)) is not None:
            problems += _list_problems(name, values)
            problems += [problem for value in values if (problem := _entry_problem(name, value))]
    known = [method for method in methods or [] if method in METHODS]
    problems += [] if known else _range_problems(plain)
    for method in known:  # some values suit one method only
        problems += [text for text in _range_problems({**plain, "method": method}) if text not in problems]
    return problems


def _range_problems(values: dict[str, Any]) -> list[str]:
    # settings_for names the first problem only: leave that parameter out and look again.
    problems, values = [], dict(values)
    while True:
        try:
            settings_for(values)
            return problems
        except ParameterError as error:
            text = str(error)
        except TypeError:
            text = f"ill-typed values: {values}"  # only for parameters that no notebook has declared a type for
        problems.append(text)
        name = next((word for word in re.findall(r"\w+", text) if word in values), None)
        if name is None:
            return problems
        del values[name]


def _entry_problem(name: str, value: Any) -> str | None:
    if name.endswith("seeds"):
        wrong = isinstance(value, bool) or not isinstance(value, int) or value < 0
        return f"{name} holds {value!r}, but a seed is a whole number from 0" if wrong else None
    if name.endswith("sizes"):
        wrong = isinstance(value, bool) or not isinstance(value, int) or value < 0
        return f"{name} holds {value!r}, but a size is a whole number from 0 (all that is left)" if wrong else None
    if name.endswith(("arms", "variants", "budgets")):
        return arm_problem(name, value)
    if name == "starts":
        return None if value else "starts holds an empty name; give a preset, or a checkpoint's name or folder"
    known = METHODS if name.endswith("methods") else SOURCES
    if value in known:
        return None
    return f"{name} holds {value!r}{_closest(str(value), known)}, but known are {', '.join(known)}"


def _list_problems(name: str, values: Iterable[Any]) -> list[str]:
    values = list(values)
    if not values:
        return [f"{name} is empty, but needs at least one"]
    double = sorted({str(value) for value in values if values.count(value) > 1})
    return [f"{name} names {', '.join(double)} more than once"] if double else []


def given(notebook: Path, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a notebook's parameters, read from its namespace and checked: the guard behind plain papermill.

    A plain value in the namespace that the notebook does not declare was injected by somebody who meant a
    parameter: it raises ParameterError, as does a wrong type or range.
    """
    accepted = declared(notebook)
    injected = {
        name: value
        for name, value in namespace.items()
        if name not in ("In", "Out")
        and not name.startswith("_")
        and isinstance(value, bool | int | float | str | list | tuple | dict | None)
    }
    values = {name: default.default for name, default in accepted.items()} | injected
    check(notebook, values)
    return values


def load_file(path: Path) -> dict[str, Any]:
    """Read a parameter file: a flat YAML mapping of names that some notebook declares. Raises ParameterError.

    A relative path counts from the working directory, else from the project's folder.
    """
    path = Path(path)
    if not path.is_absolute() and not path.exists() and (root() / path).exists():
        path = root() / path
    try:
        content = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        there = ", ".join(str(one.relative_to(root())) for one in sorted((root() / "params").glob("*.yaml")))
        raise ParameterError(f"cannot read parameter file {path}: {error.strerror}; there are {there}") from None
    except UnicodeDecodeError:
        raise ParameterError(f"parameter file {path} is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise ParameterError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', error)}") from None
    except ParameterError as error:
        raise ParameterError(f"{path}, {error}") from None
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise ParameterError(f"{path} must hold lines such as `size: quick`, but holds a {type(content).__name__}")
    check_declared(content, str(path))
    return content


def check_declared(values: Mapping[str, Any], where: str) -> None:
    """Check names and types against all notebooks together: a list where one value is due is a sweep over its entries.

    Raises one ParameterError that lists every problem.
    """
    types = {name: one for notebook in notebooks() for name, one in declared(notebook).items()}
    problems = []
    for name, value in values.items():
        if name not in types:
            problems.append(f"unknown parameter {name}{_closest(str(name), types)}")
        else:
            takes_list = "list" in types[name].annotation
            entries = value if isinstance(value, list) and not takes_list else [value]
            problems += [problem for entry in entries if (problem := types[name].problem(entry))]
    if problems:
        raise ParameterError(joined(f"wrong parameters in {where}", problems))


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """``["beta=1.1", "seeds=[0, 1]"]`` as values, each read as YAML: ``false`` is False, not a text that is true."""
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise ParameterError(f"-p {assignment}: write name=value, such as -p beta=1.1")
        if name in values:
            raise ParameterError(f"-p {name} is given twice")
        try:
            values[name] = read_yaml(text)
        except (yaml.YAMLError, ParameterError) as error:
            raise ParameterError(f"-p {assignment}: {getattr(error, 'problem', error)}") from None
    return values


def assignments(values: Mapping[str, Any]) -> list[str]:
    """The inverse of :func:`parse_assignments`: a text as it is where it reads back as itself, else JSON."""
    return [f"{name}={value if is_bare(value) else json.dumps(value)}" for name, value in values.items()]


def _closest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def joined(head: str, problems: list[str]) -> str:
    """One message of several problems: on one line where there is one, else as a list."""
    return f"{head}: {problems[0]}" if len(problems) == 1 else "\n  - ".join([f"{head}:", *problems])
