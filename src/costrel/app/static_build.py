"""The folder for a CDN: static files under their own names and those with hashes, each with compressed copies."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Iterator
from mimetypes import guess_type
from pathlib import Path

from ..services.statics.codings import NAMES, codings
from ..services.statics.content import read_file
from ..services.statics.folder import StaticFolder
from ..services.statics.names import digest_of, with_digest
from .hashed_files import folder_of

if t.TYPE_CHECKING:
    from ..context import AppContract
    from .static_urls import StaticURLs

_COMPRESSED: t.Final = ("image/", "video/", "audio/", "font/woff", "application/zip", "application/gzip",
                        "application/pdf", "application/x-7z", "application/x-xz", "application/x-bzip2")  # fmt: skip
"""The beginnings of types whose files do not become smaller."""

_NOT_COMPRESSED: t.Final = ("image/svg+xml", "image/bmp", "image/x-icon", "image/vnd.microsoft.icon")


class BuildError(Exception):
    """Raised if the static files cannot be written to a folder."""


def build(app: AppContract, found: t.Sequence[StaticURLs], target: Path) -> Iterator[Path]:
    """Write the files of all static folders below `target`, at the paths of their URLs; yield each written file.

    Files of earlier builds stay: pages of the old release name them. Raises `BuildError` for a folder that overlaps
    with a static folder, and if two files have the same URL; OSError if a file cannot be read or written.
    """
    places = list(_places(found, target))
    written: dict[Path, str] = {}
    for source, place in places:
        if any(_overlap(place, Path(other)) for other, _ in places):
            raise BuildError(f"{place} overlaps with a static folder: choose a folder outside of {source}.")
    for source, place in places:
        folder = folder_of(app, source)
        for name in folder.names():
            if not _is_copy(folder, name):
                yield from _build_file(folder, name, place, written)


def unreachable(found: t.Sequence[StaticURLs]) -> list[str]:
    """The rules for static files whose URLs have other variables, so that their files have no fixed place."""
    return [urls.rule.rule for urls in found if urls.folder is not None and urls.prefix is None]


def _places(found: t.Sequence[StaticURLs], target: Path) -> Iterator[tuple[str, Path]]:
    for urls in found:
        folder, prefix = urls.folder, urls.prefix
        if folder is not None and prefix is not None and os.path.isdir(folder):
            yield folder, target / prefix.strip("/")


def _overlap(one: Path, other: Path) -> bool:
    one, other = one.resolve(), other.resolve()
    return one.is_relative_to(other) or other.is_relative_to(one)


def _is_copy(folder: StaticFolder, name: str) -> bool:
    """Whether a file is the compressed copy of another, which is written again."""
    stem, extension = os.path.splitext(name)
    return extension in NAMES and folder.locate(stem) is not None


def _build_file(folder: StaticFolder, name: str, place: Path, written: dict[Path, str]) -> Iterator[Path]:
    located = folder.locate(name)
    if located is None:
        return
    content = read_file(located[0], keep=located[1].st_size).content or b""
    hashed = folder.content(name)
    versions = {name: content}
    if hashed is not None:
        versions.setdefault(_hashed_name(folder, name, hashed), hashed)
    for own_name, bytes_ in versions.items():
        path = place / own_name
        content_hash = digest_of(bytes_)
        if written.setdefault(path, content_hash) != content_hash:
            raise BuildError(f"Two static files with different contents have the URL of {path}.")
        yield from _write(path, bytes_, located[1])


def _hashed_name(folder: StaticFolder, name: str, content: bytes) -> str:
    return name if folder.hashed(name) == name else with_digest(name, digest_of(content))


def _write(path: Path, content: bytes, status: os.stat_result) -> Iterator[Path]:
    """Write one file and its copies unless they are there already."""
    extensions = [coding.extension for coding in codings()] if _is_compressible(path.name) else []
    copies = [Path(f"{path}{extension}") for extension in NAMES]
    is_complete = all(Path(f"{path}{extension}").is_file() for extension in extensions)
    if is_complete and path.is_file() and path.read_bytes() == content:
        return
    for copy in copies:  # a server in front must not send an old copy for the new file
        copy.unlink(missing_ok=True)
    yield _replace(path, content, status)
    for coding in codings() if extensions else ():
        yield _replace(Path(f"{path}{coding.extension}"), coding.compress(content), status)


def _replace(path: Path, content: bytes, status: os.stat_result) -> Path:
    """Put a file in its place at once, with the time of its source, so that a server sees it whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{os.getpid()}.unfinished")
    unfinished.write_bytes(content)
    os.utime(unfinished, ns=(status.st_mtime_ns, status.st_mtime_ns))
    os.replace(unfinished, path)
    return path


def _is_compressible(name: str) -> bool:
    mimetype, encoding = guess_type(name)
    if encoding is not None:
        return False
    return mimetype is None or mimetype in _NOT_COMPRESSED or not mimetype.startswith(_COMPRESSED)
