"""Content codings: which one a client accepts, and the coders that produce them (RFC 9110 §8.4.1, §12.5.3)."""

from __future__ import annotations

import os
import threading
import typing as t
import zlib
from functools import lru_cache, partial
from importlib.util import find_spec

from .accept import Accept

ZSTD_LEVEL: t.Final = 3
BROTLI_QUALITY: t.Final = 4
GZIP_LEVEL: t.Final = 6

PACKAGES: t.Final = {"zstd": "zstandard", "br": "brotli", "gzip": None}
"""The codings in order of preference, with the packages that they need: zstd is the fastest, brotli the smallest."""

_ALIASES: t.Final = {"x-gzip": "gzip"}  # RFC 9110 §8.4.1.3

_MAX_KEPT: t.Final = 200
"""The longest header, in characters, whose choice is kept."""

_MAX_NAME: t.Final = 100
"""The longest file name in the head of a gzip file, in bytes."""


class Coder(t.Protocol):
    """Encodes one body, piece by piece."""

    def compress(self, data: bytes) -> bytes:
        """Take a piece. Returns the bytes that are ready, often none."""

    def flush(self) -> bytes:
        """Return the bytes that the client needs to decode all pieces so far."""

    def finish(self) -> bytes:
        """Return the end of the body."""


@lru_cache(maxsize=1)
def available() -> tuple[str, ...]:
    """The codings whose packages are installed, the preferred one first."""
    return tuple(name for name, package in PACKAGES.items() if package is None or find_spec(package) is not None)


def negotiate(header: str | None, offers: tuple[str, ...]) -> str | None:
    """The coding among `offers` that an ``Accept-Encoding`` prefers; None for the identity, as without the header.

    The highest quality wins, then the first offer. The identity wins only if it has a higher quality of its own. If
    the client accepts nothing on offer, not even the identity, it gets that.
    """
    if not header:
        return None
    return _kept(header, offers) if len(header) <= _MAX_KEPT else _chosen(header, offers)


def _chosen(header: str, offers: tuple[str, ...]) -> str | None:
    qualities: dict[str, float] = {}
    for value, quality in Accept.from_header(header):
        name = value.lower()
        qualities.setdefault(_ALIASES.get(name, name), quality)
    others = qualities.get("*", 0.0)
    best, highest = None, 0.0
    for offer in offers:
        quality = qualities.get(offer, others)
        if quality > highest:
            best, highest = offer, quality
    return None if qualities.get("identity", 0.0) > highest else best


_kept = lru_cache(maxsize=512)(_chosen)


def coder(coding: str) -> Coder:
    """A new coder for a body that comes in pieces."""
    if coding == "zstd":
        return _Zstd()
    return _Brotli() if coding == "br" else _Gzip()


def compress(coding: str, data: bytes) -> bytes:
    """A whole body, encoded."""
    if coding == "zstd":
        return _zstd.compress(data)
    if coding == "br":
        return _compress_brotli(data)
    gzip = _Gzip()
    return gzip.compress(data) + gzip.finish()


class _Gzip:
    """A gzip file (RFC 1952) with a file name of random length.

    The name hides the exact length of the body, from which an attacker who can insert text could otherwise guess a
    secret in it (BREACH; "Heal the BREACH", Palacios et al., 2022).
    """

    def __init__(self) -> None:
        name = b"x" * (1 + int.from_bytes(os.urandom(2)) % _MAX_NAME)
        self._head = b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff" + name + b"\x00"
        self._deflate = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._checksum = self._size = 0

    def compress(self, data: bytes) -> bytes:
        self._checksum = zlib.crc32(data, self._checksum)
        self._size += len(data)
        return self._with_head(self._deflate.compress(data))

    def flush(self) -> bytes:
        return self._with_head(self._deflate.flush(zlib.Z_SYNC_FLUSH))

    def finish(self) -> bytes:
        size = (self._size & 0xFFFFFFFF).to_bytes(4, "little")
        return self._with_head(self._deflate.flush()) + self._checksum.to_bytes(4, "little") + size

    def _with_head(self, data: bytes) -> bytes:
        if not self._head or not data:
            return data
        head, self._head = self._head, b""
        return head + data


class _Zstd:
    """A Zstandard frame (RFC 8878)."""

    def __init__(self) -> None:
        import zstandard  # slow to load

        self._encoder = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()
        self.flush = partial(self._encoder.flush, zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def compress(self, data: bytes) -> bytes:
        return self._encoder.compress(data)

    def finish(self) -> bytes:
        return self._encoder.flush()


class _ZstdPerThread(threading.local):
    """Compressors for whole bodies: making one takes longer than its work, and only one thread may use it."""

    def compress(self, data: bytes) -> bytes:
        compressor = self.__dict__.get("compressor")
        if compressor is None:
            import zstandard  # slow to load

            compressor = self.__dict__["compressor"] = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
        made: bytes = compressor.compress(data)
        return made


_zstd = _ZstdPerThread()


class _Brotli:
    """A Brotli stream (RFC 7932)."""

    def __init__(self) -> None:
        self._encoder = _brotli().Compressor(quality=BROTLI_QUALITY)

    def compress(self, data: bytes) -> bytes:
        made: bytes = self._encoder.process(data)
        return made

    def flush(self) -> bytes:
        made: bytes = self._encoder.flush()
        return made

    def finish(self) -> bytes:
        made: bytes = self._encoder.finish()
        return made


def _brotli() -> t.Any:
    import brotli  # type: ignore[import-untyped]  # slow to load

    return brotli


def _compress_brotli(data: bytes) -> bytes:
    made: bytes = _brotli().compress(data, quality=BROTLI_QUALITY)
    return made
