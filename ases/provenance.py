"""What a result came from: the code behind a step, the code of a notebook, the versions and the machine.

>>> code_hash(("ases.pieces",)) == code_hash(("ases.pieces",))
True

Hashes look at what code does, not at how it is commented: a reworded docstring must not throw away a training.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import re
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ases import __version__
from ases.errors import RunError
from ases.parameters import read_notebook

LIBRARIES = ("torch", "transformers", "tokenizers", "datasets", "numpy", "pandas", "sacrebleu", "rouge-score", "scipy")
"""Libraries whose versions a manifest records."""

# Settings are in the key by their values, errors change no result, and the rest only organises runs.
_LEFT_OUT = frozenset(
    "settings choices errors flat_yaml identities parameters progress provenance folders sweeps runs execution".split()
    + "needs arms exporting reproduction status verification publishing reference installation __main__".split()
)


def digest(value: Any) -> str:
    """SHA-256 over the canonical JSON of a value; 64 hex digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def code_hash(modules: tuple[str, ...], package: Path = Path(__file__).parent) -> str:
    """Hash of the source of some modules and of every module of the package that they import, at any depth.

    Comments, docstrings and layout do not count. ``package`` is the folder of the package ``ases``.
    """
    waiting, seen = [name.removeprefix("ases.") for name in modules], {}
    while waiting:
        name = waiting.pop()
        if name in seen or name in _LEFT_OUT:
            continue
        path = package / f"{name}.py"
        if not path.is_file():
            raise RunError(f"the module {path.name} is missing from {package.name}; reinstall the package")
        seen[name], imported = _looked_at(path, path.stat().st_mtime_ns)
        waiting += [found for found in imported if (package / f"{found}.py").is_file()]
    return digest(seen)


@cache
def _looked_at(path: Path, _changed: int) -> tuple[str, tuple[str, ...]]:
    """A module's code without its docstrings, and what it imports; most modules stand behind several steps."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return ast.dump(_without_docstrings(tree), annotate_fields=False), tuple(_imported(tree))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [one for one in node.body if not _is_text(one)]
    return tree


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imported(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name.split(".")[1] for alias in node.names if alias.name.startswith("ases.")]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level == 1:
                module = f"ases.{module}".rstrip(".")
            if module == "ases":
                found += [alias.name for alias in node.names]
            elif module.startswith("ases."):
                found.append(module.split(".")[1])
    return found


def notebook_code(path: Path) -> str:
    """Hash of what a notebook executes, 16 hex digits: its code cells, and the modules of the package they import.

    Outputs, prose and injected parameters do not count. A notebook whose hash has changed is executed again in its
    run's folder, where what is still valid (by the run's key) is found and kept: a new figure trains nothing.
    """
    cells = [cell for cell in read_notebook(path)["cells"] if cell["cell_type"] == "code" and not injected(cell)]
    sources = ["".join(cell["source"]) for cell in cells]
    modules = sorted({name for source in sources for name in _imported(_parsed(source)) if _is_module(name)})
    return digest([sources, code_hash(tuple(modules))])[:16]


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:  # a magic, or a mistake that running the notebook will tell
        return ast.Module([], [])


def _is_module(name: str) -> bool:
    return (Path(__file__).parent / f"{name}.py").is_file()


def injected(cell: dict[str, Any]) -> bool:
    """Whether papermill put this cell in, to set parameters."""
    return "injected-parameters" in cell.get("metadata", {}).get("tags", [])


def machine_type() -> str:
    """What decides whether two machines can agree byte for byte: architecture, its maker and vector instructions.

    Numerical libraries choose their kernels by all three; ``Linux x86_64 GenuineIntel avx512f amx_tile``.
    """
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    maker = re.search(r"^vendor_id\s*:\s*(\S+)", text, re.MULTILINE)
    flags = text.split()
    best = next((flag for flag in ("avx512f", "avx2", "asimd") if flag in flags), "")
    tiles = "amx_tile" if "amx_tile" in flags else ""
    return " ".join(filter(None, [platform.system(), platform.machine(), maker and maker.group(1), best, tiles]))


def environment() -> dict[str, Any]:
    """Versions, threads, device and machine type of this process. Loads no library to find out."""
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    versions = {"python": platform.python_version(), "ases": __version__}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = "not installed"
    device = torch.cuda.get_device_name(0) if torch and torch.cuda.is_available() else "cpu"
    return {"versions": versions, "threads": threads, "device": device, "machine": machine_type()}
