"""The files of an application: its Python sources as syntax trees, and the texts that name its packages and servers."""

from __future__ import annotations

import ast
import os
import re
import typing as t
import warnings
from collections.abc import Iterator
from pathlib import Path

from ..services.settings import SETTINGS
from .members import MEMBERS

_SKIPPED: t.Final = frozenset({"__pycache__", "__pypackages__", "bower_components", "node_modules", "site-packages"})
_PRODUCED: t.Final = frozenset({"build", "dist"})
"""Folders with copies of the sources, unless they are packages."""
_MAX_BYTES: t.Final = 4 * 1024 * 1024
_MAX_FILES: t.Final = 20_000
_ASIDE: t.Final = re.compile(
    r"(?:^|/)(?:tests?|testing|docs?|examples?|samples?)/|(?:^|/)(?:tests|test_[^/]*|[^/]*_tests?|conftest|noxfile)\.py$"
)
_RELEVANT: t.Final = re.compile(
    rb"(?i:flask|werkzeug|gevent|eventlet)|\b(?:%s)\b" % b"|".join(name.encode() for name in (*MEMBERS, *SETTINGS))
)
"""The words without which a file has nothing to find; most files of a large project have none of them."""


class Source(t.NamedTuple):
    """A Python file: its path from the folder that is examined, its syntax tree and its imports."""

    path: str
    tree: ast.Module
    imports: frozenset[str]
    """The dotted names that it imports."""

    @property
    def is_aside(self) -> bool:
        """Whether the file belongs to the tests, examples or documentation of the application."""
        return is_aside(self.path)


class Tree(t.NamedTuple):
    """The files of an application."""

    root: Path
    modules: set[str]
    """The names of the modules and packages at the top, and of the folders there."""
    sources: list[Source]
    """The Python files that may have something to find."""
    others: list[Path]
    unreadable: list[tuple[str, str]]
    """Python files without a syntax tree, each with the reason."""

    def name_of(self, path: Path) -> str:
        """The path of a file from the folder that is examined."""
        return path.relative_to(self.root).as_posix()


def read_tree(path: Path) -> Tree:
    """Read a single file, or the files of a folder except for virtual environments and packages in it."""
    root = path if path.is_dir() else path.parent
    tree = Tree(root, set(), [], [], [])
    files = _files(path) if path.is_dir() else iter([path])
    for number, file in enumerate(files):
        if number == _MAX_FILES:
            tree.unreadable.append((tree.name_of(file), f"only the first {_MAX_FILES:,} files are read"))
            break
        if file.suffix != ".py":
            tree.others.append(file)
            continue
        name = tree.name_of(file)
        tree.modules.update({name.split("/")[0].removesuffix(".py"), file.parent.name})
        parsed = parse(file)
        if isinstance(parsed, str):
            tree.unreadable.append((name, parsed))
        elif parsed is not None:
            tree.sources.append(Source(name, parsed, frozenset(imported_modules(parsed))))
    return tree


def imported_modules(tree: ast.Module) -> Iterator[str]:
    """The dotted names of the modules, and of the names in them, that a file imports absolutely."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_aside(path: str) -> bool:
    """Whether a path belongs to the tests, examples or documentation of the application."""
    return _ASIDE.search(path) is not None


def parse(file: Path) -> ast.Module | str | None:
    """The syntax tree of a file, or the reason why there is none; None for a file without anything to find."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            return "it is larger than 4 MiB"
        text = file.read_bytes()
        if file.name != "setup.py" and not _RELEVANT.search(text):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes in strings, for example
            return ast.parse(text)
    except OSError as error:
        return error.strerror or str(error)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        return f"it is not Python 3{f': {error.args[0]}, in line {line}' if line else ''}"
    except (RecursionError, MemoryError):
        return "it is nested too deeply"


def read_text(file: Path) -> str:
    """The text of a small file; empty if it cannot be read."""
    try:
        return file.read_text("utf-8", errors="replace") if file.stat().st_size <= _MAX_BYTES else ""
    except OSError:
        return ""


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        if place != str(folder) and "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not _is_skipped(place, name))
        for name in sorted(files):
            file = Path(place, name)
            if file.is_file():  # no pipes or sockets
                yield file


def _is_skipped(place: str, name: str) -> bool:
    if name in _PRODUCED:
        return not os.path.exists(os.path.join(place, name, "__init__.py"))
    return name in _SKIPPED or name.startswith(".") or name.endswith(".egg-info")
