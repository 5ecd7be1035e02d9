"""The uses of Flask's and Werkzeug's names in a Python file: imports, attributes, and names that are replaced."""

from __future__ import annotations

import ast
import typing as t
from collections.abc import Iterator

from .members import APPLICATION_NAMES, BLUEPRINT_NAMES, MEMBERS, OF_PROXIES
from .names import PACKAGES, has_name, module_exists
from .scopes import Scope
from .sources import imported_modules

Kind = t.Literal["missing", "fallback", "member", "silent", "replaced", "perhaps"]

_GUARDS: t.Final = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException"})
_SEEN_AS_CHECKS: t.Final = ("version", "hasattr", "TYPE_CHECKING", "find_spec", "PY2", "PY3")


class Use(t.NamedTuple):
    """One use: the dotted name, the line, and the kind of problem.

    missing: the name does not exist. fallback: it does not, and is used only if an import fails. member: the attribute
    of an object does not exist. silent: setting it has no effect. replaced: the name exists, and is replaced.
    perhaps: a missing attribute of an object whose class is unknown.
    """

    name: str
    line: int
    kind: Kind


def uses_in(tree: ast.Module) -> list[Use]:
    """The uses in a file that deserve a look, in the order of their lines."""
    visitor = _Visitor(_own_attributes(tree), _optional_names(tree))
    visitor.visit(tree)
    return sorted(set(visitor.found), key=lambda use: (use.line, use.name))


def _own_attributes(tree: ast.Module) -> frozenset[str]:
    """The attributes and methods that classes of the file define themselves."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id in ("self", "cls")
        ):
            found.add(node.attr)
    return frozenset(found)


class _Visitor(ast.NodeVisitor):
    """Walks a file with its scopes. Code that runs only if a name exists is left out."""

    def __init__(self, own: frozenset[str], optional: frozenset[str]) -> None:
        self.found: list[Use] = []
        self._own = own
        self._checks = (*_SEEN_AS_CHECKS, *optional)
        self._scope = Scope(None, [])
        self._classes: list[str] = []
        """The classes of Flask and Werkzeug that the surrounding classes derive from."""

    # Scopes

    def visit_Module(self, node: ast.Module) -> None:
        self._scope = Scope(None, node.body)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._visit_all([*node.decorator_list, node.args, *([node.returns] if node.returns else [])])
        self._in_scope(node.body, [*_parameters(node.args)])

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)
        self._in_scope([node.body], [*_parameters(node.args)])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit_all([*node.decorator_list, *node.bases, *node.keywords])
        bases = [name for base in node.bases if (name := self._class_named(base))]
        self._classes.append(bases[0] if bases else "")
        if bases:
            self._scope.instances[node.name] = bases[0]
        for member in node.body:
            self._overrides(member)
        self._in_scope(node.body, [], is_class=True)
        self._classes.pop()

    def _visit_comprehension(self, node: ast.AST) -> None:
        self._scope = Scope(self._scope, ast.iter_child_nodes(node))
        self.generic_visit(node)
        self._scope = t.cast("Scope", self._scope.parent)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension

    def _in_scope(self, body: t.Sequence[ast.AST], parameters: list[str], is_class: bool = False) -> None:
        self._scope = Scope(self._scope, body, parameters, is_class)
        self._visit_all(body)
        self._scope = t.cast("Scope", self._scope.parent)

    def _visit_all(self, nodes: t.Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    # Code that is guarded

    def visit_Try(self, node: ast.Try) -> None:
        guards = any(_catches_missing_names(handler) for handler in node.handlers)
        if not guards:
            self.generic_visit(node)
            return
        body = self._aside(node.body)
        fallback = self._aside([handler for handler in node.handlers if _catches_missing_names(handler)])
        self._visit_all([handler for handler in node.handlers if not _catches_missing_names(handler)])
        self._visit_all([*node.orelse, *node.finalbody])
        if body:
            self.found += fallback  # the code that runs because the body fails
        elif not _imports_of(node.body) <= {*PACKAGES}:
            self.found += [use._replace(kind="fallback") for use in fallback]

    def visit_With(self, node: ast.With) -> None:
        if any(_suppresses(item.context_expr) for item in node.items):
            self._aside(node.body)
        else:
            self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if self._is_check(node.test):
            self._aside([*node.body, *node.orelse])  # for the classes and variables there
        else:
            self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        if not self._is_check(node.test):
            self.generic_visit(node)

    def _is_check(self, test: ast.expr) -> bool:
        text = ast.unparse(test)
        return any(mark in text for mark in self._checks)

    def _aside(self, nodes: t.Iterable[ast.AST]) -> list[Use]:
        """Visit code, and return its uses instead of adding them."""
        found, self.found = self.found, []
        self._visit_all(nodes)
        aside, self.found = self.found, found
        return aside

    # Names

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.partition(".")[0] in PACKAGES and not module_exists(alias.name):
                self._add(alias.name, node, "missing")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or not node.module or node.module.partition(".")[0] not in PACKAGES:
            return
        if not module_exists(node.module):
            self._add(node.module, node, "missing")
            return
        for alias in node.names:
            if alias.name != "*" and not has_name(node.module, alias.name):
                self._add(f"{node.module}.{alias.name}", node, "missing")

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        made = self._made_by(node.value)
        for target in node.targets:
            if made and isinstance(target, ast.Name):
                self._scope.instances[target.id] = made
            elif isinstance(target, ast.Attribute):
                self._replaces(target.value, target.attr, node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = self._dotted(node)
        if name is None:
            self.visit(node.value)
            self._attribute_of_object(node)
            return
        module, _, attribute = name.rpartition(".")
        if module_exists(module) and not has_name(module, attribute):
            self._add(name, node, "silent" if isinstance(node.ctx, ast.Store) else "missing")
        elif not module_exists(module):
            self.visit(node.value)
            self._attribute_of_object(node)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if function in ("patch", "object", "setattr", "delattr") and node.args:
            self._patches(node)

    # Objects

    def _attribute_of_object(self, node: ast.Attribute) -> None:
        member = MEMBERS.get(node.attr)
        if member is None:
            return
        owner = self._class_of(node.value)
        is_set = not isinstance(node.ctx, ast.Load)
        if owner is None and node.attr not in self._own and node.attr not in _COMMON_NAMES:
            self._add(f"{ast.unparse(node.value)[:40]}.{node.attr}", node, "perhaps")
        elif owner in member.owners and node.attr not in self._own:
            kind: Kind = "silent" if is_set and member.is_silent else "member"
            self._add(f"{owner}.{node.attr}", node, kind)

    def _overrides(self, node: ast.stmt) -> None:
        """Note the attributes and methods of a derived class that have no effect."""
        names = [node.name] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []
        if isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        for name in names:
            member = MEMBERS.get(name)
            if member is not None and member.is_silent and self._classes[-1] in member.owners:
                self._add(f"{self._classes[-1]}.{name}", node, "silent")

    def _class_named(self, node: ast.expr) -> str | None:
        """The class of Flask or Werkzeug that a class is, or derives from in this file."""
        full = self._dotted(node)
        if full is not None:
            return full.rpartition(".")[2]
        return self._scope.instance(node.id) if isinstance(node, ast.Name) else None

    def _class_of(self, node: ast.expr) -> str | None:
        """The class of Flask or Werkzeug that an expression is an object of, as far as the file tells."""
        if isinstance(node, ast.Name):
            known = self._scope.instance(node.id)
            if known is not None:
                return known
            full = self._scope.meaning(node.id)
            if full is not None:
                return OF_PROXIES.get(full.rpartition(".")[2], full.rpartition(".")[2])
            if node.id == "self":
                return self._classes[-1] if self._classes and self._classes[-1] else "?"
            if node.id in APPLICATION_NAMES:
                return "Flask"
            return "Blueprint" if node.id in BLUEPRINT_NAMES else None
        if isinstance(node, ast.Attribute):
            full = self._dotted(node)
            if full is not None:
                return OF_PROXIES.get(full.rpartition(".")[2])
            return "Flask" if node.attr in APPLICATION_NAMES else None
        return self._made_by(node)

    def _made_by(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Call):
            name = self._class_named(node.func)
            if name is not None:
                return name
            if isinstance(node.func, ast.Attribute) and node.func.attr == "_get_current_object":
                return self._class_of(node.func.value)
        return None

    # Replaced names

    def _replaces(self, owner: ast.expr, name: str, node: ast.AST) -> None:
        module = self._dotted(owner)
        if module is not None and module_exists(module) and has_name(module, name):
            self._add(f"{module}.{name}", node, "replaced")

    def _patches(self, node: ast.Call) -> None:
        target = node.args[0]
        if isinstance(target, ast.Constant) and isinstance(target.value, str):
            self._patches_path(target.value, node)
        elif len(node.args) > 1 and isinstance(node.args[1], ast.Constant) and isinstance(node.args[1].value, str):
            self._replaces(target, node.args[1].value, node)

    def _patches_path(self, path: str, node: ast.Call) -> None:
        module, _, name = path.rpartition(".")
        if not module or not path.replace(".", "").isidentifier() or path.partition(".")[0] not in PACKAGES:
            return
        if module_exists(module):
            self._add(path, node, "replaced" if has_name(module, name) else "missing")
        elif not _holds_class(module):
            self._add(path, node, "missing")

    def _dotted(self, node: ast.expr) -> str | None:
        """The dotted name of Flask or Werkzeug that an expression refers to; None for all others."""
        if isinstance(node, ast.Name):
            return self._scope.meaning(node.id)
        if isinstance(node, ast.Attribute):
            base = self._dotted(node.value)
            return None if base is None else f"{base}.{node.attr}"
        return None

    def _add(self, name: str, node: ast.AST, kind: Kind) -> None:
        self.found.append(Use(name, getattr(node, "lineno", 0), kind))


_COMMON_NAMES: t.Final = frozenset({
    "_build", "_get_form", "_parse_data", "_parse_headers", "_parse_rule", "_set_form", "json_decoder",
    "json_encoder", "session_cookie_name",
})  # fmt: skip
"""Attributes that objects of other packages have too: they count only for objects whose class is known."""


def _holds_class(path: str) -> bool:
    """Whether a dotted path leads to a class of an existing module, as in ``flask.Flask``."""
    module, _, name = path.rpartition(".")
    return module_exists(module) and has_name(module, name)


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if each is not None:
            yield each.arg


def _catches_missing_names(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(each).rpartition(".")[2] in _GUARDS for each in types)


def _suppresses(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith("suppress"):
        return False
    return any(ast.unparse(argument).rpartition(".")[2] in _GUARDS for argument in node.args)


def _imports_of(nodes: t.Sequence[ast.stmt]) -> set[str]:
    """The packages that statements import."""
    return {name.partition(".")[0] for name in imported_modules(ast.Module([*nodes], []))}


def _optional_names(tree: ast.Module) -> frozenset[str]:
    """The names that tell whether an import of Flask or Werkzeug has worked: they are set when it fails."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and _imports_of(node.body) & {*PACKAGES}:
            for handler in filter(_catches_missing_names, node.handlers):
                found.update(
                    each.id
                    for each in ast.walk(handler)
                    if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
                )
    return frozenset(found)
