"""Hints for a missing key or name: the existing keys, and the most similar key."""

from __future__ import annotations

import ast
import difflib
import re
import typing as t
from collections.abc import Iterator, Mapping
from types import FrameType

from .. import context
from ..context import Context, RequestContext
from .frames import TEMPLATE, Report

MAX_NAMES: t.Final = 12
_MISSING: t.Final = object()
_undefined_name = re.compile(r"'(\w+)' is undefined").fullmatch


def listed(names: list[str]) -> str:
    """The names as text, at most `MAX_NAMES` of them."""
    shown = ", ".join(repr(name) for name in names[:MAX_NAMES])
    return f"{shown} and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else shown


def meant(name: str, there: list[str]) -> str:
    """The question "Did you mean …?" about the most similar name, with a leading space; empty if none is similar."""
    near = difflib.get_close_matches(name, there, 1)
    return f" Did you mean {near[0]!r}?" if near else ""


def near_keys(error: KeyError, report: Report, ctx: Context | None) -> Iterator[str]:
    """The keys of the mapping that lacks the key, if it can be found by the source line."""
    key = error.args[0] if error.args else None
    for frame in reversed(report.frames):
        if frame.scope is None or not frame.is_user:
            continue
        for expression, mapping in _mappings(frame.line, frame.scope, key, ctx):
            yield _without_key(expression, mapping, key)
        return


def _without_key(expression: str, mapping: Mapping[object, object], key: object) -> str:
    other = next((there for there in mapping if str(there) == str(key)), None)
    if other is not None:
        return (
            f"{expression} has the key {other!r} of type {type(other).__name__}, but {key!r} is of type"
            f" {type(key).__name__}."
        )
    there = [str(each) for each in mapping]
    near = meant(str(key), there)
    if not there:
        return f"{expression} has no key {key!r}: it is empty."
    return f"{expression} has no key {key!r}.{near or f' Its keys are {listed(there)}.'}"


def _mappings(
    line: str, scope: FrameType, key: object, ctx: Context | None
) -> Iterator[tuple[str, Mapping[object, object]]]:
    """The expressions in a line that are subscripted with `key`, and their values, if these lack the key."""
    for node in ast.walk(_parsed(line)):
        if isinstance(node, ast.Subscript) and _value(node.slice, scope, ctx) == key:
            value = _value(node.value, scope, ctx)
            if isinstance(value, Mapping) and key not in value:
                yield ast.unparse(node.value), value


def _parsed(line: str) -> ast.AST:
    """The syntax tree of a line, which may also start a block or be a part of an expression."""
    for text in (line, f"{line} pass", line.rstrip(",:"), line.removeprefix("return ").rstrip(",")):
        try:
            return ast.parse(text)
        except SyntaxError:
            continue
    return ast.Module(body=[], type_ignores=[])


def _value(node: ast.expr, scope: FrameType, ctx: Context | None) -> object:
    """The value of an expression; `_MISSING` if it requires a call other than `request.get_json()`."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return _real(scope.f_locals.get(node.id, scope.f_globals.get(node.id, _MISSING)), ctx)
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, scope, ctx)
        if isinstance(ctx, RequestContext) and owner is ctx.request:
            return getattr(owner, node.attr, _MISSING)
        return getattr(owner, "__dict__", {}).get(node.attr, _MISSING)
    if isinstance(node, ast.Subscript):
        value, key = _value(node.value, scope, ctx), _value(node.slice, scope, ctx)
        return value.get(key, _MISSING) if isinstance(value, dict) and key is not _MISSING else _MISSING
    is_json = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get_json"
    if is_json and isinstance(ctx, RequestContext):
        return ctx.request.get_json(silent=True)
    return _MISSING


def _real(value: object, ctx: Context | None) -> object:
    """The request's object that a proxy stands for. Other values are returned unchanged."""
    if ctx is None:
        return value
    if isinstance(ctx, RequestContext):
        if value is context.request:
            return ctx.request
        if value is context.session:
            return vars(ctx).get("_opened") or {}
    return ctx.app if value is context.current_app else value


def near_template_names(error: BaseException, report: Report) -> Iterator[str]:
    """Names in the template, or attributes of a value in it, that may have been meant."""
    match = _undefined_name(str(error))
    there = _attribute_of(report) if match is None else None
    if there is not None:
        owner, name = there
        names = [str(key) for key in owner] if isinstance(owner, Mapping) else dir(owner)
        near = meant(name, names)
        shown = [each for each in names if not each.startswith("_")]
        yield f"The value has no {name!r}.{near or f' It has {listed(shown)}.'}"
    elif match is not None:
        names = _template_names(report)
        yield f"The template has no {match[1]!r}.{meant(match[1], names) or ' Pass it to render_template().'}"


def _attribute_of(report: Report) -> tuple[object, str] | None:
    """The value that lacks an attribute, and the attribute's name, from Jinja's undefined object."""
    for frame in reversed(report.frames):
        undefined = None if frame.scope is None else frame.scope.f_locals.get("obj")
        if undefined is not None and hasattr(
            undefined, "_fail_with_undefined_error"
        ):  # documented for subclasses, as are these attributes
            return undefined._undefined_obj, str(undefined._undefined_name)
    return None


def _template_names(report: Report) -> list[str]:
    """The names in the innermost template."""
    for frame in reversed(report.frames):
        if frame.scope is not None and TEMPLATE in frame.scope.f_globals:
            return [str(name) for name in frame.scope.f_locals]
    return []
