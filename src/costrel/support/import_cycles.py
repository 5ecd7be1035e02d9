"""Advice for modules that import each other: the line to move."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from types import ModuleType, TracebackType


def cycle_advice(error: BaseException) -> str | None:
    """Return a sentence with the import to move, if the error comes from a module that is still being imported.

    None for other errors, and if the module does not define the name below that import.
    """
    needed = _needed(error)
    if needed is None:
        return None
    module, name = needed
    found = _import_in(error.__traceback__, module)
    if found is None:
        return None
    file, line = found
    source = _read(file)
    statement = next((node for node in source.body if node.lineno <= line <= (node.end_lineno or line)), None)
    defined = next((node.end_lineno for node in source.body if node.lineno > line and name in _bound(node)), None)
    if statement is None or defined is None:
        return None
    shown = os.path.join(*file.split(os.sep)[-2:]) if file.endswith("__init__.py") else os.path.basename(file)
    return (
        f"The modules import each other: line {statement.lineno} of {shown} imports a module that needs {name!r},"
        f" which line {defined} defines.\nMove line {statement.lineno} below line {defined}:\n\n"
        f"    {ast.unparse(statement).splitlines()[0]}"
    )


def _needed(error: BaseException) -> tuple[str, str] | None:
    """The module and the name that is missing in it."""
    if isinstance(error, ImportError) and error.name and "cannot import name" in str(error):
        name = getattr(error, "name_from", None) or str(error).split("'")[1]
        return error.name, name
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType) and error.name:
        return error.obj.__name__, error.name
    return None


def _import_in(tb: TracebackType | None, module: str) -> tuple[str, int] | None:
    """The file of a module and the line that it has reached, according to a traceback."""
    while tb is not None:
        frame = tb.tb_frame
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == module:
            return frame.f_code.co_filename, tb.tb_lineno
        tb = tb.tb_next
    return None


def _read(file: str) -> ast.Module:
    try:
        with open(file, "rb") as stream:
            return ast.parse(stream.read())
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds, also inside of `if`, `try` and `with`."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
