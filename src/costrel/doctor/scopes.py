"""The scopes of a Python file, and the names of Flask and Werkzeug that are known in them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping

from .names import PACKAGES, has_name

_OF_THEIR_OWN = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
"""Expressions with a scope of their own."""


class Scope:
    """The names that a module, class or function binds."""

    def __init__(
        self, parent: Scope | None, body: Iterable[ast.AST], parameters: Iterable[str] = (), is_class: bool = False
    ) -> None:
        self.parent = parent
        self.instances: dict[str, str] = {}
        """Variables and classes, and the class of Flask or Werkzeug that they were made from."""
        self._is_class = is_class
        self._bound, imported = _bindings(body)
        self._bound.update(parameters)
        # A name with several meanings, such as a fallback, may stand for any of them.
        self._meanings = {
            name: meaning
            for name, (meaning, *others) in ((name, [*found]) for name, found in imported.items())
            if meaning is not None and not others and name not in self._bound
        }
        self._bound.update(imported)

    def meaning(self, name: str) -> str | None:
        """The dotted name of Flask or Werkzeug that a name stands for; None for a name with another meaning."""
        return self._look_up(name, lambda scope: scope._meanings)

    def instance(self, name: str) -> str | None:
        """The class of the object in a variable, if it is known."""
        return self._look_up(name, lambda scope: scope.instances)

    def _look_up(self, name: str, table: Callable[[Scope], Mapping[str, str]]) -> str | None:
        """The entry of a name in the table of the innermost scope that binds it."""
        for scope in self._outwards():
            if name in (found := table(scope)):
                return found[name]
            if name in scope._bound:
                return None
        return None

    def _outwards(self) -> Iterator[Scope]:
        yield self
        scope = self.parent
        while scope is not None:
            if not scope._is_class:
                yield scope
            scope = scope.parent


def _bindings(body: Iterable[ast.AST]) -> tuple[set[str], dict[str, set[str | None]]]:
    """The names that statements bind in their own scope, and the meanings of those that imports bind.

    None stands for the meaning of a name of another package.
    """
    found: set[str] = set()
    imported: dict[str, set[str | None]] = {}
    pending = [*body]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        if isinstance(node, _OF_THEIR_OWN):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for name, meaning in _imported(node):
                imported.setdefault(name, set()).add(meaning)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        pending.extend(ast.iter_child_nodes(node))
    return found, imported


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str | None]]:
    """The names that an import binds. Names of Flask and Werkzeug that Costrel lacks are not among them."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            name, meaning = alias.asname or alias.name.partition(".")[0], alias.name
            yield name, _known(meaning if alias.asname else name)
        elif node.level or not node.module or node.module.partition(".")[0] not in PACKAGES:
            yield alias.asname or alias.name, None
        elif has_name(node.module, alias.name):
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _known(module: str) -> str | None:
    return module if module.partition(".")[0] in PACKAGES else None
