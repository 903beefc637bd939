"""The cluster profiles: GPU jobs with their resources, rules that exist, and a plan of the paper's settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROFILES = sorted((ROOT / "params" / "profiles").iterdir())
ON_GPU = {"scorer", "training", "scoring", "generation"}


def profile(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))


def test_there_are_two_and_each_says_what_to_install() -> None:
    assert [folder.name for folder in PROFILES] == ["kubernetes", "slurm"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for folder in PROFILES:
        plugin = f"snakemake-executor-plugin-{folder.name}"
        assert f"pip install {plugin}" in (folder / "config.yaml").read_text(encoding="utf-8") and plugin not in lock
        assert profile(folder)["executor"] == folder.name


@pytest.mark.parametrize("folder", PROFILES, ids=lambda folder: folder.name)
def test_gpu_jobs_state_what_they_need(folder: Path) -> None:
    text = (ROOT / "Snakefile").read_text(encoding="utf-8")
    rules = {line.split()[1].rstrip(":") for line in text.splitlines() if line.startswith("rule ")} | {"scorer"}
    resources = profile(folder)["set-resources"]
    assert set(resources) <= rules
    assert {name for name, needs in resources.items() if needs.get("gpu") == 1} == ON_GPU
    assert all(needs["mem_mb"] > 0 for needs in resources.values())


@pytest.mark.parametrize("folder", PROFILES, ids=lambda folder: folder.name)
def test_the_papers_settings_can_be_planned_with_it(folder: Path, real: Path, tmp_path: Path) -> None:
    plain = {"executor": "local", "cores": 2}  # the executors themselves are not installed here
    own = ("executor", "kubernetes-", "container-image", "default-storage-")
    kept = {name: value for name, value in profile(folder).items() if not name.startswith(own)}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(kept | plain))
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", "--configfile", "params/paper.yaml"]
    command += ["--config", f"data_folder={real}", "--profile", str(tmp_path)]
    environment = {**os.environ, "ASES_ROOT": str(ROOT), "ASES_BUILD": str(tmp_path / "build"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    counts = dict(line.split() for line in done.stdout.splitlines() if len(line.split()) == 2)
    # three models; of four strategies each makes labels of its own, and only labelled methods train for it
    assert {name: int(counts[name]) for name in ("data", "scorer", "comparison")} == {
        "data": 1, "scorer": 9, "comparison": 12,
    }  # fmt: skip
    assert int(counts["training"]) + int(counts["scorer"]) == int(counts["generation"])


@pytest.mark.parametrize("path", sorted((ROOT / "params").glob("*.yaml")), ids=lambda path: path.name)
def test_snakemake_reads_a_parameter_file_as_we_do(path: Path) -> None:
    from ases.flat_yaml import read_yaml

    text = path.read_text(encoding="utf-8")
    assert yaml.safe_load(text) == read_yaml(text)
