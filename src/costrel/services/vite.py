"""HTML tags for a front end that is built with Vite: from its manifest, or from its development server."""

from __future__ import annotations

import json
import os
import re
import typing as t
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache

from markupsafe import Markup, escape

MANIFEST: t.Final = os.path.join(".vite", "manifest.json")
"""The path of the manifest in Vite's output folder. Vite writes it if ``build.manifest`` is true."""

_STYLESHEETS: t.Final = (".css", ".less", ".sass", ".scss", ".styl", ".stylus", ".pcss", ".postcss", ".sss")

_is_server = re.compile(r"https?://[^\s\"'<>;,?#]+").fullmatch


class ManifestError(Exception):
    """The manifest does not exist, cannot be read, or lacks an entry."""


class Chunk(t.NamedTuple):
    """A member of a manifest: the built file, its stylesheets, and the chunks that it imports statically."""

    file: str
    css: list[str]
    imports: list[str]


class Manifest:
    """The manifest of an output folder. Raises `ManifestError` if the file is not a manifest of Vite."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            with open(path, "rb") as file:
                found: object = json.load(file)
        except (OSError, ValueError) as error:
            raise ManifestError(f"The Vite manifest {path} cannot be read: {error}") from None
        if not isinstance(found, dict):
            raise ManifestError(f"{path} is not a Vite manifest: it must be a JSON object.")
        self._chunks = {name: self._chunk(name, chunk) for name, chunk in found.items()}

    def _chunk(self, name: str, chunk: object) -> Chunk:
        members: Mapping[str, object] = chunk if isinstance(chunk, dict) else {}
        file, css, imports = members.get("file"), members.get("css", []), members.get("imports", [])
        if not isinstance(file, str) or not _are_texts(css) or not _are_texts(imports):
            raise ManifestError(f"{self._path} is not a Vite manifest: the entry {name!r} has no file.")
        return Chunk(file, t.cast("list[str]", css), t.cast("list[str]", imports))

    def chunk(self, name: str) -> Chunk:
        """The chunk of a source file. Raises `ManifestError`, with a suggestion, if there is none."""
        chunk = self._chunks.get(name)
        if chunk is not None:
            return chunk
        from difflib import get_close_matches  # only needed for an error

        near = get_close_matches(name, self._chunks, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(sorted(self._chunks)) or 'no entries'}."
        raise ManifestError(
            f"The Vite manifest {self._path} has no entry {name!r}. {hint} Entries are set by"
            " 'build.rollupOptions.input' in Vite's configuration."
        )

    def _entry(self, name: str) -> Chunk:
        chunk = self.chunk(name)
        if not chunk.file.endswith((".js", ".mjs", ".css")):
            raise ManifestError(f"{name!r} is built as {chunk.file!r}, which is neither a script nor a stylesheet.")
        return chunk

    def files(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The distinct files for the entries, each with "stylesheet", "modulepreload" or "module".

        As in Vite's own pages, a chunk's stylesheets come after its imports' stylesheets, whose rules they override.
        """
        entries = [self._entry(name) for name in names]
        imported: dict[str, Chunk] = {}
        for entry in entries:
            self._add_imports(entry, imported)
        chunks = [*imported.values(), *entries]
        seen: set[str] = set()
        found = [(file, "stylesheet") for chunk in chunks for file in chunk.css]
        found += [(chunk.file, "modulepreload") for chunk in imported.values() if chunk not in entries]
        found += [(chunk.file, "stylesheet" if chunk.file.endswith(".css") else "module") for chunk in entries]
        for file, kind in found:
            if file not in seen:
                seen.add(file)
                yield file, kind

    def _add_imports(self, chunk: Chunk, known: dict[str, Chunk]) -> None:
        """Add all chunks that a chunk imports, directly or indirectly, each after its own imports."""
        path: list[tuple[str | None, Iterator[str]]] = [(None, iter(chunk.imports))]
        visited: set[str] = set()
        while path:
            name, following = path[-1]
            for other in following:
                if other not in known and other not in visited:
                    visited.add(other)
                    path.append((other, iter(self.chunk(other).imports)))
                    break
            else:
                path.pop()
                if name is not None:
                    known[name] = self.chunk(name)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


@lru_cache(maxsize=64)
def _manifest(path: str, changed: int, size: int) -> Manifest:
    return Manifest(path)


def manifest_in(folder: str) -> Manifest | None:
    """The manifest of an output folder, which is read again when it changes; None if there is none."""
    path = os.path.join(folder, MANIFEST)
    try:
        status = os.stat(path)
    except OSError:
        return None
    return _manifest(path, status.st_mtime_ns, status.st_size)


def built_tags(manifest: Manifest, names: Iterable[str], url_of: Callable[[str], str], nonce: str | None) -> Markup:
    """The tags for the built files of the entries. `nonce` comes from the content security policy."""
    return Markup("\n").join(_tag(kind, url_of(file), nonce) for file, kind in manifest.files(names))


def server_tags(server: str, names: Iterable[str], nonce: str | None) -> Markup:
    """The tags for the entries on Vite's development server, and for Vite's client, which reloads the page."""
    server = server.rstrip("/")
    tags = [_tag("module", f"{server}/@vite/client", nonce)]
    if nonce is not None:  # the client needs it for style elements
        tags.insert(0, Markup('<meta property="csp-nonce" nonce="{}">').format(nonce))
    for name in names:
        kind = "stylesheet" if name.lower().endswith(_STYLESHEETS) else "module"
        tags.append(_tag(kind, f"{server}/{name.lstrip('/')}", nonce))
    return Markup("\n").join(tags)


def _tag(kind: str, url: str, nonce: str | None) -> Markup:
    guard = Markup("") if nonce is None else Markup(' nonce="{}"').format(nonce)
    if kind == "module":
        return Markup('<script type="module" src="{}"{}></script>').format(url, guard)
    return Markup('<link rel="{}" href="{}"{}>').format(kind, escape(url), guard)


def check_server(server: object) -> str:
    """Check that `server` is a URL, and return it. Raises ValueError otherwise."""
    if not isinstance(server, str) or not _is_server(server):
        raise ValueError(f"VITE_SERVER is {server!r}. It must be the URL of Vite's server, as http://localhost:5173.")
    return server
