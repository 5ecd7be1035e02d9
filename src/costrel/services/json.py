"""JSON as the current application reads and writes it, and with Flask's defaults outside of an application."""

from __future__ import annotations

import json as _json
import typing as t

from .. import context
from .json_provider import default as _default
from .json_provider import loads as _loads


def dumps(obj: t.Any, **kwargs: t.Any) -> str:
    """Return `obj` as JSON, by the current application's provider.

    :raises TypeError: if JSON cannot express a value.
    """
    ctx = context.peek()
    if ctx is not None:
        text: str = ctx.app.json.dumps(obj, **kwargs)
        return text
    kwargs.setdefault("default", _default)
    return _json.dumps(obj, **kwargs)


def dump(obj: t.Any, fp: t.IO[str], **kwargs: t.Any) -> None:
    """Write `obj` as JSON to a file, by the current application's provider."""
    ctx = context.peek()
    if ctx is not None:
        ctx.app.json.dump(obj, fp, **kwargs)
    else:
        kwargs.setdefault("default", _default)
        _json.dump(obj, fp, **kwargs)


def loads(s: str | bytes, **kwargs: t.Any) -> t.Any:
    """Return the value of a JSON text, by the current application's provider.

    :raises ValueError: if the text is not JSON.
    """
    ctx = context.peek()
    return _loads(s, **kwargs) if ctx is None else ctx.app.json.loads(s, **kwargs)


def load(fp: t.IO[t.AnyStr], **kwargs: t.Any) -> t.Any:
    """Return the value of the JSON text in a file, by the current application's provider."""
    ctx = context.peek()
    return _json.load(fp, **kwargs) if ctx is None else ctx.app.json.load(fp, **kwargs)


def jsonify(*args: t.Any, **kwargs: t.Any) -> t.Any:
    """Make a response with the JSON of one value, of several as a list, or of keyword arguments as an object.

    :param args: one value, or several.
    :param kwargs: the members of an object.
    :raises RuntimeError: outside of an application.
    :raises TypeError: for positional and keyword arguments at once.
    """
    return context.current().app.json.response(*args, **kwargs)
