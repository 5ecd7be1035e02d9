"""Only `server/granian_private.py` uses undocumented parts of Granian, and CI has seen all allowed releases."""

import ast
import re
import tomllib
from pathlib import Path

import granian
import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "costrel"
PRIVATE = PACKAGE / "server" / "granian_private.py"

DOCUMENTED = {"granian", "granian.constants", "granian.http", "granian.log", "granian.errors"}
"""The modules of its documentation, https://github.com/emmett-framework/granian."""


def undocumented(tree: ast.AST) -> list[str]:
    """The undocumented parts of Granian that a module imports, or names in text that is imported."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if _is_private(alias.name)]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            module = node.module or ""
            found += [name for name in names if _is_private(module) or (_is_own(module) and _has_underscore(name))]
        elif isinstance(node, ast.Call) and isinstance(node.args[0] if node.args else None, ast.Constant):
            text = node.args[0].value
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("import_module", "__import__", "import_string") and isinstance(text, str) and _is_private(text):
                found.append(text)
    return found


def _is_own(module: str) -> bool:
    return module.partition(".")[0] == "granian"


def _is_private(module: str) -> bool:
    return _is_own(module) and module not in DOCUMENTED


def _has_underscore(name: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in name.split("."))


def test_no_other_module_uses_undocumented_parts() -> None:
    found = {
        str(path.relative_to(PACKAGE)): names
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != PRIVATE and (names := undocumented(ast.parse(path.read_text())))
    }

    assert {} == found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("from granian._granian import ASGIWorker", ["granian._granian.ASGIWorker"]),
        ("import granian.server.mp", ["granian.server.mp"]),
        ("from granian.asgi import LifespanProtocol", ["granian.asgi.LifespanProtocol"]),
        ("def f():\n    from granian import _loops", ["granian._loops"]),
        ("importlib.import_module('granian._signals')", ["granian._signals"]),
        ("from granian import Granian, __version__", []),
        ("from granian.constants import HTTPModes", []),
        ("from .granian_private import Listener", []),
    ],
)
def test_what_is_undocumented(line: str, expected: list[str]) -> None:
    assert expected == undocumented(ast.parse(line))


def test_the_module_needs_nothing_of_others() -> None:
    """It can be read, and replaced, alone: from the package it imports types."""
    tree = ast.parse(PRIVATE.read_text())
    at_run_time = [node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.level]

    assert [] == at_run_time


def test_the_releases_that_are_allowed_are_those_that_were_tested() -> None:
    requirements = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    granians = [requirement for requirement in requirements if requirement.startswith("granian")]
    [(low, high)] = re.findall(r"^granian>=2\.(\d+),<2\.(\d+)$", granians[0])
    locked = re.search(r"^granian==2\.(\d+)\.", (ROOT / "constraints.txt").read_text(), re.M)

    assert locked is not None
    assert int(low) <= int(locked[1]) == int(high) - 1
    assert granian.__version__.startswith(f"2.{locked[1]}.")
