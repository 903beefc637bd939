"""What pyproject.toml asks for, what the lock file pins, what is installed and what the code imports are one thing."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import ases

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# A CUDA build of torch asks for these; the lock is made on a CPU build and leaves them to pip.
GPU_PACKAGE = re.compile(r"(nvidia|cuda|triton|pytorch-triton)\b")


def locked() -> dict[str, str]:
    """The lock file's pins, canonical name -> version, refusing every line that is anything else."""
    pins: dict[str, str] = {}
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        match = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!]+)", line)
        assert match, f"requirements.lock: {line!r} is not name==version (no hash, no +suffix, no option, no marker)"
        name = canonicalize_name(match[1])
        assert name not in pins, f"requirements.lock: {name} is pinned twice"
        pins[name] = match[2]
    return pins


def declared(*, tests: bool, options: bool = False) -> dict[str, Requirement]:
    """What pyproject.toml asks for, with or without its extra `test`, and with what is optional."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    lines = project["dependencies"] + (extras["test"] if tests else []) + (extras["ctranslate2"] if options else [])
    return {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, lines)}


# --- pyproject.toml, requirements.lock, environment.yml -----------------------------------------------------------


def test_the_lock_pins_a_version_that_pyproject_allows():
    pins = locked()
    for name, requirement in declared(tests=True).items():
        assert name in pins, f"{name} is in pyproject.toml and not in requirements.lock: run make lock"
        assert requirement.specifier.contains(pins[name]), f"{requirement} excludes the locked {pins[name]}"


def test_the_lock_names_no_gpu_package_nor_the_project():
    names = set(locked())
    assert not [name for name in names if GPU_PACKAGE.match(name)]
    assert "ases" not in names


def test_the_lock_leaves_nothing_to_pip():
    """Every requirement of every locked package is locked too, at a version that it accepts."""
    pins = locked()
    missing = []
    for name in pins:
        for requirement in map(Requirement, metadata.requires(name) or []):
            wanted = canonicalize_name(requirement.name)
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            if name == "torch" and GPU_PACKAGE.match(wanted):
                continue
            if wanted not in pins or not requirement.specifier.contains(pins[wanted], prereleases=True):
                missing.append(f"{name} needs {requirement}, locked: {pins.get(wanted)}")
    assert missing == []


def test_what_is_installed_is_what_is_locked():
    wrong = []
    for name, version in locked().items():
        try:
            installed = Version(metadata.version(name)).public
        except metadata.PackageNotFoundError:
            installed = "nothing"
        if installed != version:
            wrong.append(f"{name}: locked {version}, installed {installed}")
    assert wrong == [], "run these tests with `make test`, which builds .venv from the lock"


def test_conda_installs_the_same_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    plain = [item for item in environment["dependencies"] if isinstance(item, str)]
    (pip,) = [item["pip"] for item in environment["dependencies"] if isinstance(item, dict)]
    assert pip == [f"-r {LOCK.name}", "-e ."]
    # Anything else from conda would be a second source of versions.
    python, installer = plain
    assert installer == "pip"
    assert re.fullmatch(r"python=\d+\.\d+", python)
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(python.removeprefix("python="))


def test_this_python_is_one_that_pyproject_allows():
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert SpecifierSet(f">={oldest}").contains(".".join(map(str, sys.version_info[:3])))
    assert PROJECT["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    assert f"sys.version_info < ({oldest.replace('.', ', ')})" in (ROOT / ".ci/environment.sh").read_text()


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == ases.__version__
    assert citation["license"] == PROJECT["project"]["license"] == "MIT"


# --- imports ------------------------------------------------------------------------------------------------------


def code_of(path: Path) -> str:
    """The Python in a file: a module's text, a notebook's code cells without magics, a workflow's import lines."""
    if path.suffix == ".py":
        return path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        lines = "\n".join(cell.source for cell in cells if cell.cell_type == "code").splitlines()
        return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return "\n".join(line for line in lines if re.match(r"(import|from) \w", line))


def imported(code: str) -> set[str]:
    """The top-level names that a piece of Python imports, wherever it does so."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def sources() -> list[Path]:
    folders = [ROOT / name for name in ("ases", "notebooks", "tests")]
    files = [file for folder in folders for pattern in ("*.py", "*.ipynb") for file in folder.rglob(pattern)]
    files = [file for file in files if ".ipynb_checkpoints" not in file.parts]
    return sorted(files + [*ROOT.glob("Snakefile"), *ROOT.glob("*.smk")])


def undeclared(name: str, allowed: set[str], providers: dict[str, list[str]]) -> bool:
    return not any(canonicalize_name(provider) in allowed for provider in providers.get(name, []))


def test_every_import_is_declared():
    """Not merely installed because something else needs it."""
    providers = dict(metadata.packages_distributions())
    own = {"ases", "tests"} | {file.stem for file in (ROOT / "tests").glob("*.py")}
    wrong = []
    for file in sources():
        allowed = set(declared(tests=file.is_relative_to(ROOT / "tests"), options=True))
        for name in sorted(imported(code_of(file)) - sys.stdlib_module_names - own):
            if undeclared(name, allowed, providers):
                wrong.append(f"{file.relative_to(ROOT)} imports {name} of {providers.get(name, 'unknown origin')}")
    assert wrong == [], "declare it in pyproject.toml and run make lock"


def test_the_import_check_sees_imports(tmp_path: Path):
    cell = nbformat.v4.new_code_cell("%matplotlib inline\n!ls\nimport seaborn as sns")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("import nothing"), cell])
    nbformat.write(notebook, tmp_path / "n.ipynb")
    rule = "rule all:\n    input: 'importance'\n    run:\n        import torch\n"
    (tmp_path / "Snakefile").write_text(f"import yaml\n{rule}")
    assert imported(code_of(tmp_path / "n.ipynb")) == {"seaborn"}
    assert imported(code_of(tmp_path / "Snakefile")) == {"yaml", "torch"}
    assert imported("from . import a\ndef f():\n    from scipy.stats import norm\nimport os.path, json") == {
        "scipy",
        "os",
        "json",
    }
    providers = {"yaml": ["PyYAML"], "jinja2": ["Jinja2"]}
    assert not undeclared("yaml", {"pyyaml"}, providers)
    assert undeclared("jinja2", {"pyyaml"}, providers)
    assert undeclared("unknown", {"pyyaml"}, providers)


# --- Makefile, .ci/environment.sh, .ci/run --------------------------------------------------------------------

NEED_VENV = ["reproduce", "verify", "publish", "test", "test-kill", "lab", "check", "lint"]
# Stands for Python, its venv module and pip, and notes what it is asked to do.
FAKE_PYTHON = """#!/usr/bin/env bash
echo "$*" >>"$FAKE_LOG"
case "$*" in
    "-c "*) exit "${FAKE_OLD:-0}" ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m pip "*) exit "${FAKE_PIP:-0}" ;;
esac
"""


class Copy:
    """The files that build the environment, in a folder of their own, with a Python that installs nothing."""

    def __init__(self, folder: Path):
        self.root = folder / "a project"  # people have blanks in their paths
        self.log = folder / "log"
        self.python = folder / "python"
        for name in ("Makefile", "requirements.lock", ".ci/environment.sh", ".ci/run"):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        self.python.write_text(FAKE_PYTHON)
        self.python.chmod(0o755)

    def make(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        # Not this process's own: `make test` runs these tests, and its MAKEFLAGS and variables would come along.
        environment = {"PATH": os.environ["PATH"], "PYTHON": str(self.python), "FAKE_LOG": str(self.log), **environment}
        self.log.write_text("")
        return subprocess.run(
            ["make", *arguments], cwd=self.root, env=environment, text=True, capture_output=True, timeout=60
        )

    @property
    def asked(self) -> list[str]:
        return self.log.read_text().splitlines()

    @property
    def built_from(self) -> str | None:
        stamp = self.root / ".venv" / "requirements.lock"
        return stamp.read_text() if stamp.exists() else None


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    return Copy(tmp_path)


@pytest.mark.parametrize("target", NEED_VENV)
def test_each_target_builds_the_environment_when_it_must(copy: Copy, target: str):
    def plan() -> str:
        result = copy.make("--dry-run", target)
        assert result.returncode == 0, result.stderr
        return result.stdout

    assert "environment.sh build" in plan()
    stamp = copy.root / ".venv" / "requirements.lock"
    stamp.parent.mkdir()
    shutil.copy(LOCK, stamp)
    os.utime(copy.root / "requirements.lock")  # newer, and the same
    assert "environment.sh build" not in plan()
    stamp.write_text(LOCK.read_text() + "one-more==1.0\n")
    assert "environment.sh build" in plan()


def test_the_environment_is_built_once_and_anew_for_another_lock(copy: Copy):
    assert copy.make("check").returncode == 0
    assert copy.built_from == LOCK.read_text()
    install, project, asked = [line for line in copy.asked if line.startswith("-m") and "venv " not in line]
    assert "-r .venv/installing.lock" in install
    assert "--no-deps --no-build-isolation --editable ." in project
    assert asked == "-m ases check"

    assert copy.make("check").returncode == 0
    assert copy.asked == ["-m ases check"]
    assert copy.make("lint").returncode == 0 and copy.asked == ["-m ruff check ."]

    (copy.root / ".venv" / "left-over").touch()
    (copy.root / "requirements.lock").write_text("torch==2.13.0\n")
    assert copy.make("check").returncode == 0
    assert copy.built_from == "torch==2.13.0\n"
    assert not (copy.root / ".venv" / "left-over").exists()


def test_a_build_that_fails_is_begun_again(copy: Copy):
    result = copy.make("check", FAKE_PIP="1")
    assert result.returncode != 0
    assert copy.built_from is None
    assert "-m ases check" not in copy.asked
    (copy.root / ".venv" / "half-written").touch()
    assert copy.make("check").returncode == 0
    assert copy.built_from == LOCK.read_text()
    assert not (copy.root / ".venv" / "half-written").exists()


def test_a_python_that_is_too_old_is_named(copy: Copy):
    for environment in ({"FAKE_OLD": "1"}, {"PYTHON": "no-such-python"}):
        result = copy.make("reproduce", **environment)
        assert result.returncode != 0
        assert "older than Python 3.11" in result.stderr
        assert "make PYTHON=" in result.stderr
        assert not (copy.root / ".venv").exists()


def test_torch_alone_comes_from_the_index_that_is_given(copy: Copy):
    assert copy.make("check", TORCH_INDEX="https://example.org/whl/cpu").returncode == 0
    torch, rest = [line for line in copy.asked if "--progress-bar off" in line]
    assert f"--index-url https://example.org/whl/cpu torch=={locked()['torch']}" in torch
    assert "--index-url" not in rest


def test_reproduce_and_publish_take_a_parameter_file(copy: Copy):
    for target in ("reproduce", "verify", "publish"):
        assert copy.make(target).returncode == 0
        assert copy.asked[-1] == f"-m ases {target} params/quick.yaml"
        assert copy.make(target, "PARAMS=params/real.yaml").returncode == 0
        assert copy.asked[-1] == f"-m ases {target} params/real.yaml"


def test_the_benchmark_has_a_parameter_file_of_its_own(copy: Copy):
    assert copy.make("benchmark").returncode == 0
    assert copy.asked[-1] == "-m ases benchmark params/benchmark.yaml"
    assert copy.make("benchmark", "PARAMS=params/smoke.yaml").returncode == 0
    assert copy.asked[-1] == "-m ases benchmark params/smoke.yaml"


def test_make_test_runs_the_notebooks_and_then_everything(copy: Copy):
    assert copy.make("test").returncode == 0
    smoke, pytest_ = copy.asked[-2:]
    assert smoke == "-m ases reproduce params/smoke.yaml"
    for part in ("-m pytest tests ", "--dist loadscope", "--nbval ", "--nbval-cell-timeout=", "--nbval-sanitize-with"):
        assert part in pytest_


def test_clean_leaves_the_environment_and_distclean_does_not(copy: Copy):
    for name in ("build", ".snakemake", ".venv", "notebooks"):
        (copy.root / name).mkdir()
    assert copy.make("clean").returncode == 0
    assert {path.name for path in copy.root.iterdir() if path.is_dir()} == {".venv", "notebooks", ".ci"}
    assert copy.make("distclean").returncode == 0
    assert not (copy.root / ".venv").exists()


@pytest.mark.parametrize("code", [0, 3])
def test_continuous_integration_runs_make_test(copy: Copy, tmp_path: Path, code: int):
    fake = tmp_path / "bin" / "make"
    fake.parent.mkdir()
    fake.write_text(f'#!/usr/bin/env bash\necho "$PWD: $*"\nexit {code}\n')
    fake.chmod(0o755)
    environment = {"PATH": f"{fake.parent}{os.pathsep}{os.environ['PATH']}"}
    result = subprocess.run(
        [copy.root / ".ci" / "run"], cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=60
    )
    assert result.returncode == code
    assert result.stdout == f"{copy.root}: test\n"


def test_nothing_that_make_writes_shows_in_git():
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    written = [".venv/x", "build/x", ".snakemake/x", "data/x", "ases.egg-info/x", "ases/__pycache__/x"]
    written += [".pytest_cache/x", ".hypothesis/x", ".ruff_cache/x", "notebooks/.ipynb_checkpoints/x"]
    kept = ["ases/build/x", "tests/data/x", "figures/x", "notebooks/x.ipynb"]
    result = subprocess.run(["git", "check-ignore", *written, *kept], cwd=ROOT, text=True, capture_output=True)
    assert result.stdout.split() == written


def test_the_linter_finds_nothing_in_code_and_notebooks():
    found = subprocess.run([sys.executable, "-m", "ruff", "check", "--quiet", ROOT], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
