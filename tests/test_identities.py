"""Models that cannot be had are told before anything is run, with what would serve; those of a hub are not refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import huggingface_hub
import pytest

from ases import identities
from ases.errors import ModelError
from ases.identities import check_models
from tests import fake_project

HUB_NAME = "google/flan-t5-small"
COMMIT = "0" * 40


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in miniature, which no model lies around, and a hub cache that is empty."""
    monkeypatch.setenv("ASES_ROOT", str(tmp_path / "project"))
    monkeypatch.delenv("ASES_BUILD", raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))  # of other processes
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return fake_project.make(tmp_path / "project")


def put_model(folder: Path, weights: str = "model.safetensors") -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / weights).write_bytes(b"w")


def put_into_cache(cache: Path) -> None:
    place = cache / "models--google--flan-t5-small"
    put_model(place / "snapshots" / COMMIT)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(COMMIT)


@pytest.mark.parametrize("command", [["run", "04_training"], ["reproduce"]], ids=["run", "reproduce"])
def test_offline_a_hub_name_is_refused_before_anything_is_run(command: list[str], project: Path) -> None:
    put_model(project / "params" / "start" / "checkpoint")
    done = fake_project.ases(project, *command, "-p", f"model={HUB_NAME}")
    assert done.returncode == 2, done.stdout + done.stderr
    for part in (HUB_NAME, "nano, micro, tiny, small", "config.json and model.safetensors", "offline"):
        assert part in done.stderr
    assert done.stderr.count(identities.START) == 2, "by name, and because it is there"
    assert "Traceback" not in done.stderr and not list(project.glob("build/runs/*"))


def test_what_the_hub_has_given_before_needs_no_network(project: Path, tmp_path: Path) -> None:
    put_into_cache(tmp_path / "cache")
    check_models([HUB_NAME])
    done = fake_project.ases(project, "run", "04_training", "-p", f"model={HUB_NAME}")
    assert done.returncode == 2 and "needs other notebooks run first" in done.stderr, "as with any model"


class Hub(BaseHTTPRequestHandler):
    """A hub that holds one model."""

    def answer(self) -> None:
        found = self.path == f"/{HUB_NAME}/resolve/main/config.json"
        self.send_response(200 if found else 404)
        given = {"ETag": '"e"', "X-Repo-Commit": COMMIT, "Content-Length": "2"}
        missing = {"X-Error-Code": "RepoNotFound", "Content-Length": "0"}
        for name, value in (given if found else missing).items():
            self.send_header(name, value)
        self.end_headers()
        if found and self.command == "GET":
            self.wfile.write(b"{}")

    do_GET = do_HEAD = answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}",
    )
    yield
    server.shutdown()


def test_what_the_hub_gives_is_not_refused_and_what_it_lacks_is(hub: None) -> None:
    check_models([HUB_NAME, "nano"])
    with pytest.raises(ModelError, match="'google/flan-t6' .*from the hub: 404") as error:
        check_models([HUB_NAME, "google/flan-t6"])
    assert HUB_NAME not in str(error.value)


def test_presets_and_folders_ask_no_hub(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_: pytest.fail("a hub was asked"))
    put_model(project / "models" / "mine")
    check_models(["nano", "models/mine", str(project / "models" / "mine")])


def test_folders_that_would_serve_are_named_a_few_levels_deep(project: Path, tmp_path: Path) -> None:
    put_model(project / "models" / "sharded", "model-00001-of-00002.safetensors")
    put_model(tmp_path / "elsewhere" / "mine")
    for name in ("build/runs/training-x/model", ".hidden/model", "a/b/c/d/too-deep"):
        put_model(project / name)
    (project / "only-config").mkdir()
    (project / "only-config" / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="no such folder") as error:
        check_models(["models/shraded", str(tmp_path / "elsewhere" / "min")])
    named = str(error.value).rpartition("Such folders here: ")[2]
    assert named == f"models/sharded, {tmp_path / 'elsewhere' / 'mine'}."
    assert "'models/shraded'" in str(error.value) and "elsewhere/min'" in str(error.value), "all at once"
