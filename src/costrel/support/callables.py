"""Recognizes the ASGI and WSGI applications of other frameworks by their parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_ASGI_NAMES = ["scope", "receive", "send"]
_WSGI_NAMES = ["environ", "start_response"]


def is_asgi(value: object) -> bool:
    """Whether `value` is an ASGI 3 application: a callable of scope, receive and send that returns an awaitable."""
    required = _required(value)
    if required is None:
        return False
    if is_async(value):
        return len(required) == 3 or (not required and _takes_any(value))
    return required == _ASGI_NAMES


def is_wsgi(value: object) -> bool:
    """Whether `value` is a WSGI application (PEP 3333): a callable of an environ and ``start_response``."""
    required = _required(value)
    if required is None or is_async(value):
        return False
    return len(required) == 2 or [one.name for one in _parameters(value) or ()][:2] == _WSGI_NAMES


def _required(value: object) -> list[str] | None:
    """The names of the positional parameters without defaults; None if `value` is a class, or cannot be called."""
    parameters = _parameters(value)
    if parameters is None:
        return None
    if any(one.kind is one.KEYWORD_ONLY and one.default is one.empty for one in parameters):
        return None
    return [one.name for one in parameters if one.kind in _POSITIONAL and one.default is one.empty]


def _takes_any(value: object) -> bool:
    return any(one.kind is one.VAR_POSITIONAL for one in _parameters(value) or ())


def _parameters(value: object) -> list[inspect.Parameter] | None:
    if isinstance(value, type) or not callable(value):
        return None
    try:
        return list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return None


def is_async(value: object) -> bool:
    """Whether a call of `value` returns a coroutine."""
    call: Callable[..., object] | None = getattr(value, "__call__", None)  # noqa: B004 - the method itself is wanted
    return inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(call)
