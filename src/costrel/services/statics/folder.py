"""A static folder: computes the hash of each file as it is sent, and again when a file changes."""

from __future__ import annotations

import os
import time
import typing as t
from collections.abc import Iterator
from functools import lru_cache
from posixpath import dirname, join, normpath
from stat import S_ISREG

from ...support.graphs import components
from ...support.paths import is_hidden, safe_join, status_inside
from .content import (
    MOST_IN_MEMORY,
    Changed,
    FileState,
    Read,
    UnchangedFile,
    file_state_of,
    is_settled,
    open_as,
    read_file,
)
from .css import Reference, Stylesheet
from .names import digest_of, split_name, with_digest

_MOST_FILES: t.Final = 10_000
_LARGEST_STYLESHEET: t.Final = 8 * 1024 * 1024


class Version(t.NamedTuple):
    """A file as it is sent for the name with its hash. `content` is set for stylesheets; other files are read again.

    `is_settled` is false if the file has changed so recently that another change may not alter its `file_state`.
    """

    path: str
    file_state: FileState
    content_hash: str
    content: bytes | None
    is_settled: bool

    def load(self) -> bytes | UnchangedFile:
        """The bytes with this hash; for a large file, an object that reads them. Raises `Changed` or OSError."""
        if self.content is not None:
            return self.content
        if self.is_settled:
            return open_as(self.path, self.file_state)
        content = open_as(self.path, self.file_state, keep=MOST_IN_MEMORY)
        if isinstance(content, UnchangedFile):
            content.close()
            raise Changed(f"{self.path!r} has just been changed.")
        if digest_of(content) != self.content_hash:
            raise Changed(f"{self.path!r} was replaced.")
        return content


class Found(t.NamedTuple):
    """The file for a requested name, and whether the hash in the name matches its content."""

    name: str
    version: Version
    is_current: bool


class _Sheet(t.NamedTuple):
    """A stylesheet, with the normalized names of the files that it references."""

    path: str
    read: Read
    text: Stylesheet
    targets: list[str | None]


class _Rendered(t.NamedTuple):
    """A stylesheet with hashed references, and the states of all files that it depends on."""

    version: Version
    depends_on: dict[str, FileState | None]


class StaticFolder:
    """A static folder. Names are relative to it, with slashes. Files that cannot be sent are None or raise OSError.

    It is thread-safe without locks: results depend only on the files, so threads that compute a result at the same time
    store equal values.
    """

    def __init__(self, root: str, follow_links: bool, dotfiles: bool) -> None:
        self.root = root
        self._follow_links = follow_links
        self._dotfiles = dotfiles
        self._digests: dict[str, tuple[FileState, str]] = {}
        self._rendered: dict[str, _Rendered] = {}

    def locate(self, name: str) -> tuple[str, os.stat_result] | None:
        """The path and status of a file; None if it does not exist or must not be sent."""
        if not self._dotfiles and "/." in f"/{name}" and is_hidden(name):
            return None
        path = safe_join(self.root, name)
        if path is None:
            return None
        try:
            status = os.stat(path) if self._follow_links else status_inside(self.root, path)
        except (OSError, ValueError):  # ValueError: a character that the file system cannot encode
            return None
        return (path, status) if S_ISREG(status.st_mode) else None

    def names(self) -> Iterator[str]:
        """The names of all files that may be sent, sorted in each folder."""
        seen: set[str] = set()
        for path, folders, names in os.walk(self.root, followlinks=True):
            real = os.path.realpath(path)
            folders[:] = () if real in seen else sorted(folders)  # a link may lead to a parent folder
            if real not in seen:
                seen.add(real)
                relative = os.path.relpath(path, self.root).replace(os.sep, "/")
                found = (name if relative == "." else f"{relative}/{name}" for name in sorted(names))
                yield from (name for name in found if self.locate(name) is not None)

    def hashed(self, name: str) -> str:
        """The name with the hash of the content. Unchanged if the file does not exist or already has its hash."""
        try:
            version = None if self._names_itself(name) else self.version(name)
        except OSError:
            return name
        return name if version is None else with_digest(name, version.content_hash)

    def version(self, name: str) -> Version | None:
        """The version of a file that is sent for the name with its hash. Raises OSError."""
        name = normpath(name)
        if _is_stylesheet(name):
            return self._stylesheet(name)
        located = self.locate(name)
        return None if located is None else self._plain_version(*located)

    def content(self, name: str) -> bytes | None:
        """The content of a file as it is sent for the name with its hash. Raises OSError."""
        version = self.version(name)
        return (
            None if version is None else version.content or read_file(version.path, keep=version.file_state[2]).content
        )

    def version_as_it_is(self, name: str) -> Version | None:
        """The version of a file as it is on disk, also for stylesheets. Raises OSError."""
        located = self.locate(name)
        return None if located is None else self._plain_version(*located)

    def find(self, name: str) -> Found | None:
        """The file for a name with a hash, whose content may have another hash by now; None if there is none.

        If a file on disk has the whole name, but its content another hash, the result is None, and it is sent as usual.
        """
        split = split_name(name)
        if split is None:
            return None
        own = self._names_itself(name)
        if own is not None:
            return Found(name, own, True)
        plain, content_hash = split
        version = self.version(plain)
        if version is None:
            return None
        if version.content_hash == content_hash:
            return Found(plain, version, True)
        return None if self.locate(name) is not None else Found(plain, version, False)

    def _names_itself(self, name: str) -> Version | None:
        """The file on disk with this name if the name contains the hash of its bytes, as after a build."""
        split = split_name(name)
        located = None if split is None else self.locate(name)
        if split is None or located is None:
            return None
        version = self._plain_version(*located)
        return version if version.content_hash == split[1] else None

    def _plain_version(self, path: str, status: os.stat_result) -> Version:
        """The version of a file whose bytes are sent unchanged."""
        file_state = file_state_of(status)
        known = self._digests.get(path)
        if known is not None and known[0] == file_state:
            return Version(path, file_state, known[1], None, True)
        read = read_file(path, keep=0)
        if read.is_settled:
            if len(self._digests) >= _MOST_FILES:
                self._digests.clear()
            self._digests[path] = read.file_state, read.content_hash
        return Version(path, read.file_state, read.content_hash, None, read.is_settled)

    # Stylesheets

    def _stylesheet(self, name: str) -> Version | None:
        known = self._rendered.get(name)
        if known is not None and self._is_current(known):
            return known.version
        located = self.locate(name)
        if located is None:
            return None
        if located[1].st_size > _LARGEST_STYLESHEET:
            return self._plain_version(*located)
        began = time.time_ns()
        rendered = self._render(name)
        if rendered is None:
            return None
        if all(file_state is None or is_settled(file_state, began) for file_state in rendered.depends_on.values()):
            if len(self._rendered) >= _MOST_FILES:
                self._rendered.clear()
            self._rendered[name] = rendered
        return rendered.version

    def _is_current(self, rendered: _Rendered) -> bool:
        for name, file_state in rendered.depends_on.items():
            located = self.locate(name)
            if file_state != (None if located is None else file_state_of(located[1])):
                return False
        return True

    def _render(self, name: str) -> _Rendered | None:
        """Read a stylesheet and all stylesheets that it references, and insert the names with hashes.

        The hash of a stylesheet depends on the hashes of the files that it references. In a cycle of stylesheets, the
        references to each other stay unchanged.
        """
        sheets: dict[str, _Sheet | None] = {}

        def sheet_of(name: str) -> _Sheet | None:
            if name not in sheets:
                sheets[name] = self._read_sheet(name)
            return sheets[name]

        def following(name: str) -> Iterator[str]:
            sheet = sheet_of(name)
            return (
                iter(()) if sheet is None else (target for target in sheet.targets if target and _is_stylesheet(target))
            )

        versions: dict[str, Version | None] = {}
        depends_on: dict[str, FileState | None] = {}
        for circle in components(name, following):
            for member in circle:
                versions[member] = version = self._version_of(sheet_of(member), set(circle), versions, depends_on)
                depends_on[member] = self._signature_of(member, version)
        version = versions[name]
        return None if version is None else _Rendered(version, depends_on)

    def _read_sheet(self, name: str) -> _Sheet | None:
        located = self.locate(name)
        if located is None or self._names_itself(name) is not None:
            return None
        read = read_file(located[0], keep=_LARGEST_STYLESHEET)
        text = Stylesheet(read.content or b"")
        return _Sheet(located[0], read, text, [_target(name, reference) for reference in text.references])

    def _version_of(
        self,
        sheet: _Sheet | None,
        circle: set[str],
        versions: dict[str, Version | None],
        depends_on: dict[str, FileState | None],
    ) -> Version | None:
        """The version of a stylesheet. `versions` has the stylesheets outside its cycle; others are added."""
        if sheet is None:
            return None
        names: dict[int, str | None] = {}
        for reference, target in zip(sheet.text.references, sheet.targets, strict=True):
            if target is None or target in circle:
                continue
            if target not in versions:
                versions[target] = version = self._referenced(target)
                depends_on[target] = self._signature_of(target, version)
            found = versions[target]
            names[id(reference)] = None if found is None else with_digest(target, found.content_hash)
        content = sheet.text.renamed(lambda reference: names.get(id(reference)))
        return Version(sheet.path, sheet.read.file_state, digest_of(content), content, sheet.read.is_settled)

    def _signature_of(self, name: str, version: Version | None) -> FileState | None:
        """The state of a file, which may have no version because it keeps its name; None if it does not exist."""
        if version is not None:
            return version.file_state
        located = self.locate(name)
        return None if located is None else file_state_of(located[1])

    def _referenced(self, name: str) -> Version | None:
        """The version of a file that is not a stylesheet; None if it keeps its name."""
        located = self.locate(name)
        if located is None or self._names_itself(name) is not None:
            return None
        return self._plain_version(*located)


@lru_cache(maxsize=256)
def folder_at(root: str, follow_links: bool, dotfiles: bool) -> StaticFolder:
    """The folder with this path. Returns the same object for the same arguments."""
    return StaticFolder(root, follow_links, dotfiles)


def _is_stylesheet(name: str) -> bool:
    return name[-4:].lower() == ".css"


def _target(name: str, reference: Reference) -> str | None:
    """The name of the referenced file in the folder; None for a file outside the folder."""
    target = normpath(join(dirname(name), reference.path))
    return None if target.startswith(("../", "/")) or target in (".", "..") else target
