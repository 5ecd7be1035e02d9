"""JSON as the current application reads and writes it, and as it is by default where there is none."""

from __future__ import annotations

import json as _json
import typing as t

from .. import context
from .json_provider import DefaultJSONProvider
from .json_provider import default as _default
from .json_provider import loads as _loads

_COMPACT: t.Final = (",", ":")
_OWN_DUMPS: t.Final = DefaultJSONProvider.dumps


def dumps(obj: t.Any, **kwargs: t.Any) -> str:
    """`obj` as JSON, by the current application's provider. Raises TypeError for what JSON cannot say."""
    ctx = context.peek()
    if ctx is not None:
        text: str = ctx.app.json.dumps(obj, **kwargs)
        return text
    kwargs.setdefault("default", _default)
    return _json.dumps(obj, **kwargs)


def dumps_compact(obj: t.Any) -> str:
    """`obj` as JSON without white space, as ``dumps(obj, separators=(",", ":"))`` writes it."""
    ctx = context.peek()
    provider: t.Any = None if ctx is None else ctx.app.json
    # PERF: session. What `dumps` finds out of its arguments.
    if getattr(type(provider), "dumps", None) is _OWN_DUMPS and "dumps" not in provider.__dict__:
        text: str = provider._encode(None, _COMPACT)(obj)
        return text
    return dumps(obj, separators=_COMPACT)


def dump(obj: t.Any, fp: t.IO[str], **kwargs: t.Any) -> None:
    """Write `obj` as JSON to a file, by the current application's provider."""
    ctx = context.peek()
    if ctx is not None:
        ctx.app.json.dump(obj, fp, **kwargs)
    else:
        kwargs.setdefault("default", _default)
        _json.dump(obj, fp, **kwargs)


def loads(s: str | bytes, **kwargs: t.Any) -> t.Any:
    """The value of a JSON text, by the current application's provider. Raises ValueError for what is none."""
    ctx = context.peek()
    if ctx is not None:
        return ctx.app.json.loads(s, **kwargs) if kwargs else ctx.app.json.loads(s)  # PERF: postjson
    return _loads(s, **kwargs)


def load(fp: t.IO[t.AnyStr], **kwargs: t.Any) -> t.Any:
    """The value of the JSON text in a file, by the current application's provider."""
    ctx = context.peek()
    if ctx is not None:
        return ctx.app.json.load(fp, **kwargs)
    return _json.load(fp, **kwargs)


def jsonify(*args: t.Any, **kwargs: t.Any) -> t.Any:
    """A response with JSON: of one value, of several as a list, or of keyword arguments as an object.

    Raises RuntimeError outside of an application, TypeError for positional and keyword arguments at once.
    """
    return context.current().app.json.response(*args, **kwargs)
