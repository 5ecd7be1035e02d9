"""The settings of an application: those that it sets, and those whose defaults differ under Costrel's own name."""

from __future__ import annotations

import ast
import re
import typing as t
from collections.abc import Iterator, Mapping

from ..services.settings import SETTINGS
from .findings import Finding
from .sources import Source, Tree

_CONFIG_FILE: t.Final = re.compile(r"(?:^|/)[^/]*(?:config|settings|default)[^/]*\.py$|(?:^|/)(?:config|settings)/")
_OF_FLASK_SESSION: t.Final = frozenset({"SESSION_REDIS", "SESSION_KEY_PREFIX", "SESSION_USE_SIGNER", "SESSION_SQLITE"})
"""Settings that Costrel has for sessions that move from Flask-Session, with the same meaning."""


class Difference(t.NamedTuple):
    """A setting with two defaults: Flask's, Costrel's, a sentence about it, and the place that sets it."""

    name: str
    flask: object
    costrel: object
    text: str
    set_at: str | None


def differences(places: Mapping[str, str]) -> list[Difference]:
    """The settings whose defaults differ between `flask.Flask` and `Costrel`."""
    return [
        Difference(setting.name, setting.flask, setting.native, setting.text, places.get(setting.name))
        for setting in SETTINGS.values()
        if setting.flask != setting.native
    ]


def collisions(places: Mapping[str, str]) -> Iterator[Finding]:
    """Settings of the application whose names Costrel reads too, although Flask does not."""
    for name, place in places.items():
        setting = SETTINGS.get(name)
        if setting is not None and not setting.is_flasks and name not in _OF_FLASK_SESSION:
            yield Finding(
                "change",
                place,
                f"The application sets {name}, which Flask does not read and Costrel does: {setting.text}",
                "If it means something else there, rename it.",
            )


def settings_in(tree: Tree) -> dict[str, str]:
    """The settings that the sources set outside of tests, each with the first place."""
    found: dict[str, str] = {}
    for source in tree.sources:
        if not source.is_aside:
            for name, line in _set_in(source):
                if name in SETTINGS:
                    found.setdefault(name, f"{source.path}:{line}")
    return found


def _set_in(source: Source) -> Iterator[tuple[str, int]]:
    is_config = _CONFIG_FILE.search(source.path) is not None
    if is_config:
        yield from _assigned(source.tree.body)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and (is_config or re.search("config|settings", node.name, re.IGNORECASE)):
            yield from _assigned(node.body)
        elif isinstance(node, ast.Assign):
            yield from (each for target in node.targets for each in _subscribed(target))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_config(node.func.value):
            yield from _passed(node)


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, int]]:
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if _is_annotated(node) else []
        yield from ((target.id, target.lineno) for target in targets if isinstance(target, ast.Name))


def _is_annotated(node: ast.stmt) -> t.TypeGuard[ast.AnnAssign]:
    return isinstance(node, ast.AnnAssign) and node.value is not None


def _subscribed(target: ast.expr) -> Iterator[tuple[str, int]]:
    if isinstance(target, ast.Subscript) and _is_config(target.value):
        key = target.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, key.lineno


def _passed(node: ast.Call) -> Iterator[tuple[str, int]]:
    """The settings in a call such as ``app.config.update(NAME=value)`` or ``app.config.setdefault("NAME", value)``."""
    function = t.cast("ast.Attribute", node.func).attr
    if function in ("update", "from_mapping"):
        yield from ((keyword.arg, keyword.value.lineno) for keyword in node.keywords if keyword.arg)
        for argument in node.args:
            if isinstance(argument, ast.Dict):
                for key in argument.keys:
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value, key.lineno
    elif function == "setdefault" and node.args and isinstance(node.args[0], ast.Constant):
        yield str(node.args[0].value), node.lineno


def _is_config(node: ast.expr) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "config") or (
        isinstance(node, ast.Name) and node.id == "config"
    )
