"""Files and functions stay small enough to hold one idea."""

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "costrel").rglob("*.py"))
MAX_FILE = 600
MAX_FUNCTION = 60
FORBIDDEN_NAMES = {"utils", "helpers", "base", "common", "_internal"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_holds_one_idea(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines < MAX_FILE, f"{path.name} has {lines} lines: which two ideas are in it?"


@functools.cache
def outline(path: Path) -> tuple[str | None, list[tuple[str, int]]]:
    """The docstring of a file, and its functions with their numbers of lines."""
    tree = ast.parse(path.read_text())
    functions = [
        (node.name, node.end_lineno - node.lineno + 1)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None
    ]
    return ast.get_docstring(tree), functions


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {name}, {size}"
        for path in SOURCES
        for name, size in outline(path)[1]
        if size > MAX_FUNCTION
    ]
    assert long == []


def test_nine_functions_in_ten_are_under_25_lines() -> None:
    sizes = sorted(size for path in SOURCES for _, size in outline(path)[1])
    assert sizes[len(sizes) * 9 // 10] < 25


def test_every_file_says_why_it_exists() -> None:
    silent = [str(path.relative_to(ROOT)) for path in SOURCES if not outline(path)[0]]
    assert silent == []


def test_modules_are_named_after_what_they_hold() -> None:
    # Under compat/ the names are those of the originals.
    named = [
        str(path.relative_to(ROOT)) for path in SOURCES if path.stem in FORBIDDEN_NAMES and "compat" not in path.parts
    ]
    assert named == []
