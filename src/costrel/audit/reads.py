"""Views that seem to change something on GET: a guess, from their source and their names.

Search engines and prefetching browsers follow links, images of other sites send GET, and CSRF checks exempt it
(RFC 9110 §9.2.1).
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import typing as t
from collections.abc import Iterator

from ..guards import SAFE_METHODS
from .finding import Finding, Findings
from .templates import sources

if t.TYPE_CHECKING:
    from ..context import AppContract
    from ..routing import Rule

_VERBS: t.Final = frozenset({
    "activate", "approve", "archive", "ban", "cancel", "deactivate", "delete", "destroy", "disable", "drop", "erase",
    "publish", "purge", "remove", "reset", "revoke", "unpublish", "wipe",
})  # fmt: skip
_ASKING: t.Final = frozenset(
    {"ask", "confirm", "confirmation", "form", "history", "list", "log", "logs", "modal", "preview"}
)
_changes_rows = re.compile(
    r"\s*(?:DELETE\s+FROM|UPDATE\s+\S+\s+SET|INSERT\s+(?:OR\s+\w+\s+)?INTO|DROP\s+TABLE)\b", re.I
).match
_FILE_CALLS: t.Final = frozenset({"os.remove", "os.unlink", "os.rmdir", "shutil.rmtree", "shutil.move"})
_variable = re.compile(r"<[^<>]*>")
_word = re.compile(r"[a-z]+|[A-Z][a-z]*").findall


def check_changing_reads(app: AppContract) -> Findings:
    """Views for GET that call functions which seem to change something."""
    unsafe = {rule.rule for rule in app.url_map.iter_rules() if _unsafe_methods(rule)}
    seen: set[str] = set()
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.websocket or rule.endpoint in seen:
            continue
        seen.add(rule.endpoint)
        evidence = _evidence(app.view_functions.get(rule.endpoint), rule, shown_apart=rule.rule in unsafe)
        if evidence is not None:
            yield Finding(
                rule.endpoint,
                f"GET {rule.rule} seems to change something ({evidence}){_linked_from(app, rule.endpoint)}."
                " CSRF checks exempt GET, and any program that follows links triggers it.",
                f"Use POST, from a form. If it changes nothing, list {rule.endpoint!r} in CHECK_IGNORE.",
            )


def _unsafe_methods(rule: Rule) -> set[str]:
    return (rule.methods or set()) - SAFE_METHODS


def _evidence(view: object, rule: Rule, shown_apart: bool) -> str | None:
    """The part of a view's source by which GET changes something; None if there is none, or no source."""
    tree = _source_of(view)
    if tree is None:
        return None
    if _unsafe_methods(rule) and _tells_methods_apart(tree):
        return None
    calls = list(_calls(tree))
    for call in calls:
        if _certainly_changes(call):
            return f"it calls {_name(call.func)}() in line {call.lineno}"
    name = _words(_variable.sub("", rule.rule) + "/" + rule.endpoint)
    if shown_apart or name.isdisjoint(_VERBS) or not name.isdisjoint(_ASKING):
        return None
    for call in calls:
        if not _words(_name(call.func).rpartition(".")[2]).isdisjoint(_VERBS):
            return f"by its name and by {_name(call.func)}() in line {call.lineno}"
    return None


def _source_of(view: t.Any) -> ast.AST | None:
    """The source of the function that answers GET; None without a source, or if it belongs to an installed package."""
    cls = getattr(view, "view_class", None)
    if cls is not None:
        view = getattr(cls, "get", None) or getattr(cls, "dispatch_request", None)
    try:
        function = inspect.unwrap(view)
        if {"site-packages", "dist-packages"} & set(re.split(r"[/\\]", inspect.getfile(function))):
            return None
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError, TypeError, ValueError):
        return None
    return ast.increment_lineno(tree, max(first, 1) - 1)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _tells_methods_apart(tree: ast.AST) -> bool:
    """Whether a view for several methods distinguishes them."""
    return any(
        isinstance(node, ast.Attribute) and node.attr in ("method", "validate_on_submit", "is_submitted")
        for node in ast.walk(tree)
    )


def _certainly_changes(call: ast.Call) -> bool:
    name = _name(call.func)
    if name.endswith(".commit") and not call.args:
        return True
    if name.rpartition(".")[2] in ("execute", "executescript", "executemany") and call.args:
        text = _first_text(call.args[0])
        return text is not None and _changes_rows(text) is not None
    return name in _FILE_CALLS or (name.endswith(".unlink") and "path" in name.lower())


def _first_text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Call) and node.args:  # text("DELETE …")
        return _first_text(node.args[0])
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _name(node: ast.expr) -> str:
    """A called function as it is written, as far as it is names and dots: ``db.session.commit``."""
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{_name(node.func)}()"
    return node.id if isinstance(node, ast.Name) else "…"


def _words(text: str) -> set[str]:
    return {word.lower() for word in _word(text)}


def _linked_from(app: AppContract, endpoint: str) -> str:
    """Which templates link to an endpoint, or have a form for it."""
    names = {endpoint, f".{endpoint.rpartition('.')[2]}"}
    said = re.compile("|".join(rf"url_for\(\s*['\"]{re.escape(name)}['\"]" for name in sorted(names))).search
    found = [name for name, source in sources(app) if said(source)]
    return f", and {', '.join(found[:3])} lead{'s' if len(found) == 1 else ''} to it" if found else ""
