"""JSON functions that use the current application's provider, or Flask's defaults outside of an application."""

from __future__ import annotations

import json as _json
import typing as t

from .. import context
from .json_provider import default as _default
from .json_provider import loads as _loads


def dumps(obj: t.Any, **kwargs: t.Any) -> str:
    """Convert `obj` to JSON with the current application's provider.

    :raises TypeError: if a value cannot be converted.
    """
    ctx = context.peek()
    if ctx is not None:
        text: str = ctx.app.json.dumps(obj, **kwargs)
        return text
    kwargs.setdefault("default", _default)
    return _json.dumps(obj, **kwargs)


def dump(obj: t.Any, fp: t.IO[str], **kwargs: t.Any) -> None:
    """Write `obj` as JSON to a file with the current application's provider."""
    ctx = context.peek()
    if ctx is not None:
        ctx.app.json.dump(obj, fp, **kwargs)
    else:
        kwargs.setdefault("default", _default)
        _json.dump(obj, fp, **kwargs)


def loads(s: str | bytes, **kwargs: t.Any) -> t.Any:
    """Parse JSON with the current application's provider.

    :raises ValueError: if the text is not JSON.
    """
    ctx = context.peek()
    return _loads(s, **kwargs) if ctx is None else ctx.app.json.loads(s, **kwargs)


def load(fp: t.IO[t.AnyStr], **kwargs: t.Any) -> t.Any:
    """Parse a JSON file with the current application's provider."""
    ctx = context.peek()
    return _json.load(fp, **kwargs) if ctx is None else ctx.app.json.load(fp, **kwargs)


def jsonify(*args: t.Any, **kwargs: t.Any) -> t.Any:
    """Create a JSON response from a value, from several values as a list, or from keyword arguments as an object.

    :param args: one or more values.
    :param kwargs: the members of an object.
    :raises RuntimeError: outside of an application context.
    :raises TypeError: for both positional and keyword arguments.
    """
    return context.current().app.json.response(*args, **kwargs)
