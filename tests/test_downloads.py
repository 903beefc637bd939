"""Downloads against a server on this machine that breaks off, lies, or is not there."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ases import downloads
from ases.downloads import ORIGINS, Origin, Remote, addresses, download, fetch
from ases.errors import DataError

CONTENT = os.urandom(300_000)
SMALL = b"MIT\n"


class Server(ThreadingHTTPServer):
    """Serves ``files``; the next ``breaks`` answers end after ``breaks_at`` bytes; without ``ranges`` it sends all."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"/data/a.jsonl": CONTENT, "/LICENSE": SMALL}
        self.breaks, self.breaks_at, self.ranges, self.status = 0, 100_000, True, 200
        self.asked: list[tuple[str, str | None]] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        content = self.server.files.get(self.path)
        if content is None or self.server.status != 200:
            self.send_error(404 if content is None else self.server.status)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        body = content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.breaks and self.path == "/data/a.jsonl":
            self.server.breaks -= 1
            body = body[: self.server.breaks_at]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(downloads.time, "sleep", lambda seconds: None)
    one = Server()
    thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield one
    one.shutdown()
    one.server_close()
    thread.join()


def origin(server: Server, *, content: bytes = CONTENT) -> Origin:
    files = {
        "LICENSE": Remote("LICENSE", len(SMALL), hashlib.sha256(SMALL).hexdigest()),
        "llm/a.jsonl": Remote("data/a.jsonl", len(content), hashlib.sha256(content).hexdigest()),
    }
    return Origin(f"http://127.0.0.1:{server.server_port}", "MIT", files)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_come_whole_into_their_places_and_are_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    paths = fetch(origin(server), tmp_path / "new", progress=lambda message, done: told.append((message, done)))
    assert paths == [tmp_path / "new" / "LICENSE", tmp_path / "new" / "llm" / "a.jsonl"]
    assert paths[1].read_bytes() == CONTENT
    assert names(tmp_path / "new") == ["LICENSE", "llm/a.jsonl"]
    shares = [done for _, done in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    server.asked.clear()
    assert fetch(origin(server), tmp_path / "new") == paths
    assert server.asked == []


def test_what_breaks_off_goes_on_from_there(server: Server, tmp_path: Path) -> None:
    server.breaks = 2
    fetch(origin(server), tmp_path)
    assert (tmp_path / "llm/a.jsonl").read_bytes() == CONTENT
    assert server.asked[1:] == [("/data/a.jsonl", part) for part in (None, "bytes=100000-", "bytes=200000-")]


def test_after_too_many_breaks_the_part_is_kept_and_the_next_call_goes_on(server: Server, tmp_path: Path) -> None:
    server.breaks, server.breaks_at = 4, 10_000
    with pytest.raises(DataError, match=r"cannot be fetched \(it broke off 260,000 bytes before the end; the part is"):
        fetch(origin(server), tmp_path)
    assert names(tmp_path) == ["LICENSE", "llm/a.jsonl.partial"]
    server.asked.clear()
    fetch(origin(server), tmp_path)
    assert server.asked == [("/data/a.jsonl", "bytes=40000-")]
    assert (tmp_path / "llm/a.jsonl").read_bytes() == CONTENT
    assert names(tmp_path) == ["LICENSE", "llm/a.jsonl"]


def test_a_killed_download_goes_on(server: Server, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom ases.downloads import Origin, Remote, fetch\n"
        "def told(message, done):\n    if done > 0.5: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"fetch({origin(server)!r}, Path(sys.argv[1]), progress=told)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, check=False)
    assert killed.returncode == -9
    part = tmp_path / "llm/a.jsonl.partial"
    assert not (tmp_path / "llm/a.jsonl").exists()
    assert 0 < part.stat().st_size < len(CONTENT)
    assert CONTENT.startswith(part.read_bytes())
    server.asked.clear()
    fetch(origin(server), tmp_path)
    assert server.asked[0][1] is not None
    assert (tmp_path / "llm/a.jsonl").read_bytes() == CONTENT


def test_an_origin_without_ranges_gives_the_whole_again(server: Server, tmp_path: Path) -> None:
    server.ranges, server.breaks = False, 1
    fetch(origin(server), tmp_path)
    assert (tmp_path / "llm/a.jsonl").read_bytes() == CONTENT


@pytest.mark.parametrize("served", [CONTENT[:-1] + b"?", CONTENT + b"more"], ids=["changed", "longer"])
def test_another_content_than_expected_is_thrown_away(server: Server, tmp_path: Path, served: bytes) -> None:
    server.files["/data/a.jsonl"] = served
    if served == CONTENT[:-1] + b"?" and CONTENT.endswith(b"?"):
        pytest.skip("the random content ends so, too")
    with pytest.raises(DataError, match="gave another content than expected .sha256 .*nothing of it was kept"):
        fetch(origin(server), tmp_path)
    assert names(tmp_path) == ["LICENSE"]
    server.files["/data/a.jsonl"] = CONTENT
    fetch(origin(server), tmp_path)


def test_a_file_of_the_user_is_never_overwritten(server: Server, tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("mine")
    with pytest.raises(DataError, match="LICENSE is there, but is not the file of the origin; move it away"):
        fetch(origin(server), tmp_path)
    assert (tmp_path / "LICENSE").read_text() == "mine"


def test_a_refused_connection_names_address_proxy_and_place(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Origin("http://127.0.0.1:1", "MIT", origin(server).files)
    with pytest.raises(DataError) as caught:
        fetch(gone, tmp_path)
    text = str(caught.value)
    assert "http://127.0.0.1:1/LICENSE cannot be fetched" in text
    assert "no proxy is set (HTTPS_PROXY)" in text
    assert f"put the file by hand at {tmp_path / 'LICENSE'}" in text
    monkeypatch.setenv("HTTPS_PROXY", "http://name:secret@proxy.example:3128")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(DataError, match="the proxy in use is proxy.example:3128 .HTTPS_PROXY.") as caught:
        fetch(origin(server), tmp_path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("status", "times"), [(404, 1), (403, 1), (503, 4), (429, 4)])
def test_errors_that_may_pass_are_tried_again(server: Server, tmp_path: Path, status: int, times: int) -> None:
    server.status = status
    with pytest.raises(DataError, match=rf"LICENSE cannot be fetched \(HTTP {status} "):
        fetch(origin(server), tmp_path)
    assert len(server.asked) == times


def test_two_processes_do_not_write_one_file(server: Server, tmp_path: Path) -> None:
    with (tmp_path / "LICENSE.partial").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(DataError, match="LICENSE.partial is being written by another process"):
            fetch(origin(server), tmp_path)


def test_a_folder_that_cannot_be_is_told(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written: Not a directory; free space or choose another folder"):
        fetch(origin(server), tmp_path / "file" / "folder")


def test_every_named_set_has_a_pinned_commit_and_all_that_its_loader_reads() -> None:
    assert set(ORIGINS) == {"gsm8k", "llm_adapters_cot", "palm_svamp_cot"}
    for name, one in ORIGINS.items():
        assert one.base.startswith("https://raw.githubusercontent.com/")
        assert len(one.base.rpartition("/")[2]) == 40
        assert "LICENSE" in one.files
        assert all(len(remote.sha256) == 64 for remote in one.files.values())
        assert addresses(name)["LICENSE"] == f"{one.base}/LICENSE"
    with pytest.raises(DataError, match="'cpet' cannot be fetched; gsm8k, llm_adapters_cot, palm_svamp_cot can"):
        download("cpet", "anywhere")


@pytest.mark.parametrize("name", list(ORIGINS))
def test_the_files_that_the_project_was_made_with_are_those_of_the_origin(real: Path, name: str) -> None:
    """Without a network: every file is there with its size and hash, so nothing is asked for."""
    folder = real.parent / name
    if not folder.is_dir():
        pytest.skip(f"no {name} beside the real rationales")
    paths = download(name, folder)
    assert [path.stat().st_size for path in paths] == [remote.size for remote in ORIGINS[name].files.values()]
