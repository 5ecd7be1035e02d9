"""File names with a hash of the content: ``app.css`` becomes ``app.3f9c1d27a40b.css``."""

from __future__ import annotations

import typing as t
from hashlib import sha256

DIGITS: t.Final = 12
"""The number of hexadecimal digits of the hash in a name (48 bits)."""

_HEXADECIMAL: t.Final = frozenset("0123456789abcdef")


def digest_of(content: bytes) -> str:
    """The hash of a file's content as it appears in names."""
    return sha256(content).hexdigest()[:DIGITS]


def with_digest(name: str, content_hash: str) -> str:
    """The name with a hash before its last extension, or at the end if it has none."""
    folder, slash, last = name.rpartition("/")
    stem, dot, extension = last.rpartition(".")
    return f"{folder}{slash}{stem}.{content_hash}{dot}{extension}" if stem else f"{name}.{content_hash}"


def split_name(name: str) -> tuple[str, str] | None:
    """The inverse of `with_digest`: the name and the hash; None if the name has no hash."""
    folder, slash, last = name.rpartition("/")
    parts = last.split(".")
    for position in (-2, -1):
        if len(parts) > -position and _is_digest(parts[position]):
            content_hash = parts.pop(position)
            plain = f"{folder}{slash}{'.'.join(parts)}"
            return (plain, content_hash) if with_digest(plain, content_hash) == name else None
    return None


def _is_digest(text: str) -> bool:
    return len(text) == DIGITS and _HEXADECIMAL.issuperset(text)
