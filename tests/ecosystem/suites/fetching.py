"""Source distributions of the suites, fetched once into the cache and checked against their hashes by pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from .definitions import Suite

ATTEMPTS = 3


class Unavailable(Exception):
    """A distribution or an environment could not be made."""


def cache() -> Path:
    """The folder of everything that is fetched or installed: outside of the repository."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "costrel-suites"


def pip(*arguments: str | Path, python: Path | None = None, seconds: float = 600) -> None:
    """Run pip in this environment, or for that interpreter. Raises Unavailable if it fails."""
    target = () if python is None else ("--python", python)
    command = [sys.executable, "-m", "pip", *target, *arguments]
    for attempt in range(ATTEMPTS):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            continue
        if done.returncode == 0:
            return
        if attempt == ATTEMPTS - 1 or "hash" in done.stderr.lower():
            raise Unavailable(f"pip {' '.join(map(str, arguments))}:\n{done.stderr.strip()[-2000:]}")
    raise Unavailable(f"pip {' '.join(map(str, arguments))}: no answer in {seconds:.0f} s")


def source(suite: Suite) -> Path:
    """The unpacked source distribution of a suite."""
    folder = cache() / "sources" / f"{suite.name}-{suite.version}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as room:
        _download(suite, Path(room))
        (archive,) = Path(room).glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(Path(room) / "unpacked", filter="data")
        (unpacked,) = (Path(room) / "unpacked").iterdir()
        shutil.move(unpacked, folder)
    return folder


def _download(suite: Suite, room: Path) -> None:
    pinned = room / "requirements.txt"
    pinned.write_text(f"{suite.name}=={suite.version} --hash=sha256:{suite.sha256}\n")
    pip("download", "-q", "--no-deps", "--no-binary", ":all:", "--require-hashes", "-d", room, "-r", pinned)
