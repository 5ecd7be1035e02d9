"""Common mistakes of users who know Flask, Quart or FastAPI, and the messages that correct them."""

from __future__ import annotations

import re
import sys
import typing as t
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from ..support.asgi_types import Receive, Scope, Send

_AWAITED: t.Final = "can't be used in 'await' expression"


class Elsewhere:
    """An attribute that applications of other frameworks have: reading it raises AttributeError with `advice`.

    A `__getattr__` would make CPython 3.11 read all attributes of the application more slowly.
    """

    def __init__(self, advice: str) -> None:
        self.advice = advice
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> t.NoReturn:
        raise AttributeError(
            f"{owner.__name__!r} object has no attribute {self.name!r}: {self.advice}.", name=self.name
        )


def require_argument(decorator: str, example: str, given: object, *, takes_class: bool = False) -> None:
    """Raise TypeError if a decorator was used without parentheses, so that `given` is the decorated object.

    With `takes_class`, a class is an argument.
    """
    if callable(given) and not (takes_class and isinstance(given, type)):
        name = getattr(given, "__name__", repr(given))
        raise TypeError(
            f"@{decorator} needs an argument, but was used without parentheses on {name!r}:"
            f" write @{decorator}({example})."
        )


_OPTIONS: t.Final = {
    "dependencies": "a parameter that a provider fills, Annotated[Session, Use(open_session)], or @app.before_request",
    "description": "the docstring of the view",
    "include_in_schema": "hidden=True",
    "name": "endpoint=, the name for url_for()",
    "response_class": "the object that the view returns: a str, a dict, costrel.Response(...)",
    "response_model": "the annotation of the view's result: def view() -> Item",
    "status_code": "the result: return item, 201, or the annotation -> Annotated[Item, Status(201)]",
    "tags": "the blueprint of the route, whose name is its tag",
    "typed": "the decorator @typed directly above 'def', or typed=True of Costrel() or Blueprint() for all views",
}
"""Options of other frameworks' routes or of Costrel's applications, and their replacements on a route."""


def unknown_option(error: TypeError, options: Mapping[str, object], rule_class: type, own: Iterable[str]) -> TypeError:
    """The error for an option that routes do not have, with its counterpart or the nearest option.

    The allowed options are the parameters of the rule class, and `own`. Any other TypeError is returned unchanged.
    """
    for name in options:
        if f"unexpected keyword argument {name!r}" in str(error):
            return TypeError(f"A route has no option {name!r}{_instead_of(name, rule_class, own)}")
    return error


def _instead_of(name: str, rule_class: type, own: Iterable[str]) -> str:
    from difflib import get_close_matches  # loaded for an error only
    from inspect import signature  # as above

    if name in _OPTIONS:
        return f": in Costrel, its place is taken by {_OPTIONS[name]}."
    known = [*signature(rule_class).parameters, *own, "provide_automatic_options", "stream_body"]
    near = get_close_matches(name, known, n=1)
    return f". Did you mean {near[0]!r}?" if near else "."


_find_reference: t.Final = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*").fullmatch


def called_by_asgi(module: str, scope: Scope, receive: object, send: Send | None) -> t.Any:
    """The result of a call by an ASGI server, to which the WSGI application was given.

    The server's start fails with the explanation. If it makes no lifespan, each request raises it as TypeError. Without
    a scope, the call itself does.
    """
    reference = next(filter(_find_reference, sys.argv[1:]), f"{module}:app")
    module, _, name = reference.partition(":")
    advice = (
        f"An ASGI server called {reference!r}, which is a WSGI application. Name its 'asgi' instead:"
        f" '{reference}.asgi'. For a server that takes no dotted name, such as gunicorn, write 'asgi = {name}.asgi' in"
        f" the module, and name '{module}:asgi'. 'costrel serve {reference}' needs neither."
    )
    if "type" not in scope:
        raise TypeError("A WSGI application is called with two arguments, 'environ' and 'start_response'.")
    if send is None:  # ASGI 2: the other arguments come with a second call
        return partial(_refuse, advice, scope)
    return _refuse(advice, scope, t.cast("Receive", receive), send)


async def _refuse(advice: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "lifespan":
        raise TypeError(advice)
    await receive()
    await send({"type": "lifespan.startup.failed", "message": advice})


T_call = t.TypeVar("T_call", bound=Callable[..., object])


def not_for_wsgi(call: T_call) -> T_call:
    """Explain calls by WSGI servers, with two arguments: Python's own error begins with the qualified name."""
    call.__qualname__ = (
        "A WSGI server called the 'asgi' of an application. Name the application itself, as in 'gunicorn shop:app'. "
        + call.__qualname__
    )
    return call


def explain(error: Exception) -> None:
    """Add a note to an error that comes from an ``await`` of something that needs none."""
    if isinstance(error, TypeError) and _AWAITED in str(error):
        error.add_note(
            "In Costrel, request.form, request.files, request.data, request.get_json(), render_template() and the"
            " other functions of Flask's API need no await, in an async view either."
        )
