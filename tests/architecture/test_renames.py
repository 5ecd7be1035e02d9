"""mypy finds every member of the application that is renamed, where the lifecycle, the edges and the guards use it.

Each name that they use is changed at its definition alone, in a copy of the package. With an application of the type
`Any`, mypy would find nothing.
"""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Set
from inspect import getfile
from pathlib import Path

import pytest

from costrel import Costrel

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "costrel"
USERS = [
    PACKAGE / "app" / "lifecycle.py",
    *(PACKAGE / "context").glob("*.py"),
    *(PACKAGE / "edges").glob("*.py"),
    *(PACKAGE / "app" / "guards").glob("*.py"),
    *(PACKAGE / "guards").glob("*.py"),
]
CLASSES = [cls for cls in Costrel.__mro__ if cls is not object]
CHANGED = "_but_renamed"
MEMBER = re.compile(r": note:     (\w+)$")
"""How mypy lists the members of a contract that a class lacks."""


def used_names() -> set[str]:
    """What is read of `app`, `ctx.app`, `self.app` or `self._app`."""
    found = set()
    for path in USERS:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and not node.attr.startswith("__"):
                value = node.value
                owner = value.id if isinstance(value, ast.Name) else getattr(value, "attr", "")
                if owner in ("app", "_app"):
                    found.add(node.attr)
    return found


def definitions(tree: ast.ClassDef, names: Set[str]) -> Iterator[tuple[int, int, str]]:
    """Line, column and name of each definition in a class: as a method, as a class attribute, and on `self`."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in names:
            yield (
                node.lineno,
                node.col_offset + len("async def " if "Async" in type(node).__name__ else "def "),
                node.name,
            )
            for decorator in node.decorator_list:  # the setter of a property
                if isinstance(decorator, ast.Attribute) and getattr(decorator.value, "id", "") == node.name:
                    yield decorator.lineno, decorator.col_offset, node.name
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr in names and getattr(target.value, "id", "") == "self":
                yield target.lineno, target.end_col_offset - len(target.attr), target.attr
            elif isinstance(target, ast.Name) and target.id in names and node in tree.body:
                yield target.lineno, target.col_offset, target.id


def places() -> Iterator[tuple[Path, int, int, str]]:
    """The definitions of the names that are used, in the classes of the application."""
    names = used_names()
    for cls in CLASSES:
        path = Path(getfile(cls))
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
                for line, column, name in definitions(node, names):
                    yield path.relative_to(ROOT), line, column, name


class Copy:
    """A copy of the package, and a daemon of mypy's that checks it again after each change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places = [*places()]
        shutil.copytree(PACKAGE, folder / "src" / "costrel", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)

    def rename(self, names: Set[str]) -> None:
        """Change these names at their definitions, and no others."""
        for path in {path for path, *_ in self.places}:
            lines = (ROOT / path).read_text().splitlines()
            of_path = [(line, column, name) for found, line, column, name in self.places if found == path]
            for line, column, name in sorted(of_path, reverse=True):
                if name in names:
                    end = column + len(name)
                    assert lines[line - 1][column:end] == name
                    lines[line - 1] = lines[line - 1][:end] + CHANGED + lines[line - 1][end:]
            (self.folder / path).write_text("\n".join(lines) + "\n")

    def dmypy(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "mypy.dmypy", "--status-file", "status.json", *arguments]
        return subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, text=True, timeout=300).stdout

    def errors(self) -> list[str]:
        """What mypy finds, with the notes."""
        out = self.dmypy("run", "--", "--config-file", "pyproject.toml", "src/costrel")
        assert "Success" in out or "Found" in out, out
        return [line for line in out.splitlines() if re.search(r": (error|note): ", line)]

    def finds(self) -> list[str]:
        """The errors outside of the application's own classes, and those about a contract that they no longer fulfil.

        A comment that ignores an error which is gone does not count.
        """
        own = tuple(f"{path}:" for path in {path for path, *_ in self.places})
        return [
            line
            for line in self.errors()
            if "[unused-ignore]" not in line and (not line.startswith(own) or "Contract" in line or MEMBER.search(line))
        ]

    def unnoticed(self, names: Set[str]) -> set[str]:
        """Those of the names whose change mypy does not find.

        All are changed at once, then those that no error has named.
        """
        self.rename(names)
        errors = self.finds()
        if not errors or not names:
            return set(names)
        if len(names) == 1:
            return set()
        named = {name for name in names if any(is_about(name, error) for error in errors)}
        if named:
            return self.unnoticed(names - named)
        half = set(sorted(names)[: len(names) // 2])
        return self.unnoticed(half) | self.unnoticed(names - half)


def is_about(name: str, error: str) -> bool:
    """Whether a message of mypy names `name`, and not merely as its proposal."""
    message = error.partition("; maybe")[0]
    member = MEMBER.search(message)
    return f'"{name}"' in message or (member is not None and member[1] == name)


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    copy = Copy(tmp_path)
    try:
        yield copy
    finally:
        copy.dmypy("stop")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_renamed_member_of_the_application_is_an_error_of_mypy(copy: Copy) -> None:
    assert copy.errors() == []
    names = {name for *_, name in copy.places}
    unnoticed = copy.unnoticed(names)

    assert unnoticed == set(), f"{len(unnoticed)} of {len(names)} can be renamed unnoticed"


def test_definitions_are_found_in_all_their_forms() -> None:
    source = (
        "class A:\n    a = 1\n    b: int\n    def c(self): self.a = 2\n    async def d(self): self.e: int = 1\n"
        "    @property\n    def f(self): ...\n    @f.setter\n    def f(self, v): other.a = v\n"
    )
    lines = source.splitlines()
    (tree,) = ast.parse(source).body
    assert isinstance(tree, ast.ClassDef)
    found = [*definitions(tree, {*"abcdef"})]

    assert [*"aabcdefff"] == sorted(name for *_, name in found)
    assert all(lines[line - 1][column:].startswith(name) for line, column, name in found)
