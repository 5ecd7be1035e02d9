"""Compressed copies of static files: they are in the same folder, and are sent if they have the file's content."""

from __future__ import annotations

import os
import time
import typing as t
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import import_module

from ...http.accept import Accept
from .content import MOST_IN_MEMORY, RECENTLY, Changed, Read, UnchangedFile, open_as, read_file
from .names import digest_of

if t.TYPE_CHECKING:
    from .folder import StaticFolder

K = t.TypeVar("K")
V = t.TypeVar("V")

Convert: t.TypeAlias = Callable[[bytes], bytes]

NAMES: t.Final = {".zst": "zstd", ".br": "br", ".gz": "gzip"}
"""Extensions of compressed copies → names of the content codings (RFC 9110 §8.4.1, 7932, 8878)."""

_MOST_COPIES: t.Final = 10_000


class Coding(t.NamedTuple):
    """A content coding, with its highest compression level. ``compress`` is deterministic."""

    name: str
    extension: str
    compress: Convert
    decompress: Convert


@cache
def codings() -> tuple[Coding, ...]:
    """The available codings: gzip, and those whose packages are installed."""
    found = (_zstd(), _brotli(), _gzip())
    return tuple(coding for coding in found if coding is not None)


def _gzip() -> Coding:
    import gzip  # only needed for compressed copies

    return Coding("gzip", ".gz", lambda content: gzip.compress(content, 9, mtime=0), gzip.decompress)


def _brotli() -> Coding | None:
    try:
        brotli = import_module("brotli")
    except ImportError:
        return None
    return Coding("br", ".br", lambda content: bytes(brotli.compress(content, quality=11)), brotli.decompress)


def _zstd() -> Coding | None:
    # Level 19 has a window of 8 MB, the maximum that browsers accept (RFC 9659 §3).
    try:
        zstandard = import_module("zstandard")
    except ImportError:
        return _zstd_of_python()

    def decompress(content: bytes) -> bytes:
        return bytes(zstandard.ZstdDecompressor().decompressobj().decompress(content))

    return Coding("zstd", ".zst", lambda content: bytes(zstandard.ZstdCompressor(19).compress(content)), decompress)


def _zstd_of_python() -> Coding | None:
    try:
        zstd = import_module("compression.zstd")  # since Python 3.14
    except ImportError:
        return None
    return Coding("zstd", ".zst", lambda content: bytes(zstd.compress(content, 19)), zstd.decompress)


class Copy(t.NamedTuple):
    """A compressed copy of a file whose decompressed content has been verified."""

    coding: Coding
    path: str
    read: Read
    content_hash: str

    def load(self) -> bytes | UnchangedFile:
        """The compressed bytes; for a large copy, an object that reads them. Raises `Changed` or OSError."""
        if self.read.is_settled:
            return open_as(self.path, self.read.file_state)
        content = open_as(self.path, self.read.file_state, keep=MOST_IN_MEMORY)
        if isinstance(content, UnchangedFile):
            content.close()
            raise Changed(f"{self.path!r} has just been changed.")
        if _decompressed_digest(self.coding, content) != self.content_hash:
            raise Changed(f"{self.path!r} was replaced.")
        return content


class Copies:
    """The compressed copies in a static folder. They are looked up again when a file is added beside them."""

    def __init__(self, folder: StaticFolder) -> None:
        self._folder = folder
        self._beside: dict[str, tuple[int, tuple[Coding, ...]]] = {}
        self._known: dict[tuple[str, str, tuple[Coding, ...]], Sequence[Copy]] = {}

    def beside(self, name: str) -> tuple[Coding, ...]:
        """The codings for which there is a copy of the file `name`, whose content has not been verified."""
        try:
            changed = os.stat(os.path.dirname(os.path.join(self._folder.root, name))).st_mtime_ns
        except (OSError, ValueError):
            return ()
        known = self._beside.get(name)
        if known is not None and known[0] == changed:
            return known[1]
        now = time.time_ns()
        found = tuple(coding for coding in codings() if self._folder.locate(name + coding.extension) is not None)
        if changed < now - RECENTLY:
            _store(self._beside, name, (changed, found))
        return found

    def of(self, name: str, content_hash: str) -> Sequence[Copy]:
        """The copies of the file `name` whose content has this hash."""
        beside = self.beside(name)
        if not beside:
            return ()
        known = self._known.get((name, content_hash, beside))
        if known is None:
            known = [copy for coding in beside if (copy := self._copy(name, coding, content_hash)) is not None]
            if all(copy.read.is_settled for copy in known):
                _store(self._known, (name, content_hash, beside), known)
        return known

    def forget(self) -> None:
        """Clear the cache after a copy has changed."""
        self._known.clear()

    def _copy(self, name: str, coding: Coding, content_hash: str) -> Copy | None:
        located = self._folder.locate(name + coding.extension)
        if located is None or located[1].st_size > MOST_IN_MEMORY:
            return None
        try:
            read = read_file(located[0], keep=MOST_IN_MEMORY)
        except OSError:
            return None
        if _decompressed_digest(coding, read.content or b"") != content_hash:
            return None
        return Copy(coding, located[0], read._replace(content=None), content_hash)


def _store(known: dict[K, V], key: K, value: V) -> None:
    if len(known) >= _MOST_COPIES:
        known.clear()
    known[key] = value


def _decompressed_digest(coding: Coding, content: bytes) -> str | None:
    """The hash of a copy's content; None if the copy is damaged."""
    try:
        return digest_of(coding.decompress(content))
    except Exception:  # each package raises its own errors
        return None


def choose(copies: Iterable[Copy], accepted: str | None) -> Copy | None:
    """The smallest of the copies that the client prefers (RFC 9110 §12.5.3); None for the file itself."""
    if not accepted:
        return None
    accept = Accept.from_header(accepted)
    ranked = [(_quality(accept, copy.coding.name), -copy.read.file_state[2], copy) for copy in copies]
    best = max(ranked, key=lambda item: item[:2], default=None)
    if best is None or best[0] <= 0:
        return None
    plain = [quality for value, quality in accept if value.lower() == "identity"]
    return None if plain and plain[0] > best[0] else best[2]


def _quality(accept: Accept, coding: str) -> float:
    named = [quality for value, quality in accept if value.lower() in (coding, f"x-{coding}")]
    return named[0] if named else accept.quality(coding)
