"""Named sets fetched from their origin: at one commit, checked by sha256, continued where they stopped.

>>> download("gsm8k", "my/gsm8k")
[PosixPath('my/gsm8k/LICENSE'), PosixPath('my/gsm8k/test.jsonl'), PosixPath('my/gsm8k/train.jsonl')]

A file has its own name only when it is whole and its hash is right; until then it is ``<name>.partial``, and the next
call goes on from there. A machine without a network takes the same files by hand: :func:`addresses` lists them.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from ases.errors import DataError

Progress = Callable[[str, float], None]

TRIES = 4
"""How often a file is asked for before giving up; each try goes on from where the last one stopped."""

TIMEOUT = 30.0
"""Seconds without an answer after which a try has failed."""

_NETWORK = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError)
_PART = 2**16
_RAW = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class Remote:
    """One file at its origin: its path there, its size in bytes and its sha256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Origin:
    """Where a set comes from: an address that names a commit, and its files by their local names."""

    base: str
    licence: str
    files: dict[str, Remote]


ORIGINS = {
    "gsm8k": Origin(
        f"{_RAW}/openai/grade-school-math/3101c7d5072418e28b9008a6636bde82a006892c",
        "MIT",
        {
            "LICENSE": Remote("LICENSE", 1062, "86bbb73e855821d7c401912fd4bf82e34313e6e3b6fd6f909f2b6cc9e209a53b"),
            "test.jsonl": Remote(
                "grade_school_math/data/test.jsonl",
                749738,
                "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14",
            ),
            "train.jsonl": Remote(
                "grade_school_math/data/train.jsonl",
                4166206,
                "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465",
            ),
        },
    ),
    "llm_adapters_cot": Origin(
        f"{_RAW}/AGI-Edgerunners/LLM-Adapters/816657208af4db747803f87ba40a4c71383fed7a",
        "ODC-By-1.0",
        {
            "DATA_LICENSE": Remote(
                "DATA_LICENSE", 19790, "d0661a893a508739e49514a80f7629633846f1f4ac889fcf638c94a15ff92e9c"
            ),
            "LICENSE": Remote("LICENSE", 11396, "df825c8e037af50d35015f3dc941f6565a7c28c3bbd8d4b85e5da4b494612024"),
            "addsub_1.json": Remote(
                "dataset/AddSub/addsub_1.json",
                163834,
                "611ccb687f8a077ee2ef4cc08875170d78d5387d519614744b7083190432f820",
            ),
            "gsm8k_1.json": Remote(
                "dataset/gsm8k/gsm8k_1.json",
                799401,
                "86be346fb5e7942aa31412ce1c7a85b4787958b7fd07c94f694ca508c4a849d6",
            ),
            "multiarith_1.json": Remote(
                "dataset/MultiArith/multiarith_1.json",
                263812,
                "47b21b013079bc0e6dbe2043a7458fcb625f4625fbc43167925f2d7898e2308f",
            ),
            "singleeq_1.json": Remote(
                "dataset/SingleEq/singleeq_1.json",
                202744,
                "7383ae492cd06ace7c8ca14bedcfffce724f7ec2949d620f52c4be08b943da4b",
            ),
            "svamp_1.json": Remote(
                "dataset/SVAMP/svamp_1.json",
                462599,
                "40b26b72c74b607e0cd3b72224cdbda84e454ddbcff3cea456799d10c87f43c4",
            ),
        },
    ),
    # The repository of the paper has these files in a zip archive; a fork holds the same ones unpacked.
    "palm_svamp_cot": Origin(
        f"{_RAW}/maxh119Z/distilling-step-by-step1/5b76a471c46c61f45114eab6621ffdff12d676b6",
        "Apache-2.0",
        {
            "LICENSE": Remote("LICENSE", 11357, "c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4"),
            "svamp_train.json": Remote(
                "datasets/svamp/svamp_train.json",
                163561,
                "641fc0f69864e1376fc2e29675affd15fa641f3b40279dcd6a595f3780f4e721",
            ),
            "svamp_test.json": Remote(
                "datasets/svamp/svamp_test.json",
                41338,
                "b73cba2c53b1e9b1c8aa512a8928c12d0524d1acba560f8c526756185044054c",
            ),
            "llm/train_CoT_0.json": Remote(
                "datasets/svamp/llm/train_CoT_0.json",
                205881,
                "9aa813b5653131e53bfe0477fa2cb3f90fb3d1b7a5226433218cb7b85998f094",
            ),
            "llm/train_CoT_1.json": Remote(
                "datasets/svamp/llm/train_CoT_1.json",
                122946,
                "db0131252436d0487ff8642d94abad23636c080258da60097d5c6f15b1e32639",
            ),
            "llm/test_CoT_0.json": Remote(
                "datasets/svamp/llm/test_CoT_0.json",
                82516,
                "fd536719c09b0cc97bfeee5775b212f8e4541ffe012bcd99c893a99e7e46df37",
            ),
        },
    ),
}
"""The sets that can be fetched. Commits and hashes are those of the files that this project was made with."""


def addresses(data: str) -> dict[str, str]:
    """The address of every file of a set by its local name, for fetching by hand. Raises DataError."""
    origin = _origin(data)
    return {name: f"{origin.base}/{remote.path}" for name, remote in origin.files.items()}


def download(data: str, folder: Path | str, *, progress: Progress = lambda message, done: None) -> list[Path]:
    """Fetch the files of a set that are not in ``folder`` yet; returns all their paths.

    Nothing there is overwritten: a file of the same name with another content is an error. Killed at any time, the next
    call goes on; ``progress`` hears a message and the share done, and a bar is drawn where someone watches. Raises
    DataError, with the addresses and the folder to fill by hand, where the network or the origin fails.
    """
    return fetch(_origin(data), Path(folder).expanduser(), progress=progress)


def fetch(origin: Origin, folder: Path, *, progress: Progress = lambda message, done: None) -> list[Path]:
    """As :func:`download`, from any origin."""
    total, before = sum(remote.size for remote in origin.files.values()), 0
    paths = []
    for name, remote in origin.files.items():
        path = folder / name

        def told(size: int, name: str = name, before: int = before) -> None:
            progress(f"{name}: {size:,} bytes", (before + size) / total)

        try:
            if path.exists():
                _check_there(path, remote)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                _fetch_one(f"{origin.base}/{remote.path}", path, remote, told)
        except _NETWORK as error:
            raise DataError(_by_hand(f"{origin.base}/{remote.path}", folder, name, error)) from None
        except OSError as error:
            raise DataError(
                f"{path} cannot be written: {error.strerror or error}; free space or choose another folder"
            ) from None
        before += remote.size
        told(0, before=before)
        paths.append(path)
    return paths


def _origin(data: str) -> Origin:
    if data not in ORIGINS:
        raise DataError(
            f"{data!r} cannot be fetched; {', '.join(ORIGINS)} can, and other data are read from your own file"
        )
    return ORIGINS[data]


def _check_there(path: Path, remote: Remote) -> None:
    if not path.is_file() or _sha256(path) != remote.sha256:
        raise DataError(f"{path} is there, but is not the file of the origin; move it away, or choose another folder")


def _fetch_one(url: str, path: Path, remote: Remote, told: Callable[[int], None]) -> None:
    partial = path.with_name(f"{path.name}.partial")
    with _locked(partial) as file:
        if path.exists():  # another process finished it a moment ago
            partial.unlink(missing_ok=True)
            return _check_there(path, remote)
        for left in reversed(range(TRIES)):
            try:
                _go_on(url, file, remote.size, path.name, told)
                if _size(file) >= remote.size:
                    break
                trouble: Exception = http.client.IncompleteRead(b"", remote.size - _size(file))
            except _NETWORK as error:
                if isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 429:
                    raise
                trouble = error
            if not left:
                raise trouble
            time.sleep(0.2 * (TRIES - left))
        found = _sha256(partial)
        if found != remote.sha256:
            partial.unlink()
            raise DataError(
                f"{url} gave another content than expected (sha256 {found[:16]}..., expected {remote.sha256[:16]}...); "
                "nothing of it was kept. A proxy may have changed it: try again, or from another network"
            )
        os.fsync(file.fileno())
        partial.replace(path)
    return None


def _go_on(url: str, file: BinaryIO, size: int, name: str, told: Callable[[int], None]) -> None:
    """Append what is missing. An origin that cannot give a part gives the whole, and it is written from the start."""
    have = _size(file)
    if have > size:
        file.truncate(0)
        have = 0
    if have == size:
        return
    request = urllib.request.Request(
        url, headers={"User-Agent": "ases", **({"Range": f"bytes={have}-"} if have else {})}
    )
    # An opener of its own: the shared one keeps the proxy of its first use, whatever is set later in a notebook.
    with urllib.request.build_opener().open(request, timeout=TIMEOUT) as response:
        if have and not (response.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
            file.truncate(0)
            have = 0
        with tqdm(total=size, initial=have, unit="B", unit_scale=True, desc=name, disable=None, leave=False) as bar:
            while have <= size and (part := response.read(_PART)):
                file.write(part)
                file.flush()
                have += len(part)
                bar.update(len(part))
                told(min(have, size))


@contextmanager
def _locked(partial: Path) -> Iterator[BinaryIO]:
    """The partial file, open for appending by this process alone."""
    with partial.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataError(f"{partial} is being written by another process; wait until it is done") from None
        yield file


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _by_hand(url: str, folder: Path, name: str, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    if isinstance(error, urllib.error.HTTPError):
        reason = f"HTTP {error.code} {error.reason}"
    elif isinstance(error, http.client.IncompleteRead):
        reason = f"it broke off {error.expected:,} bytes before the end; the part is kept"
    proxies = urllib.request.getproxies()
    proxy = f"the proxy in use is {proxies['https'].rpartition('@')[2]}" if proxies.get("https") else "no proxy is set"
    return (
        f"{url} cannot be fetched ({reason}); {proxy} (HTTPS_PROXY). Try again, or put the file by hand at "
        f"{folder / name}"
    )
