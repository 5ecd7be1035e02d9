"""Mistakes that people make who know Flask, Quart or FastAPI: the sentences that tell what to write instead."""

from __future__ import annotations

import typing as t

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


def needs_parentheses(decorator: str, example: str, given: object) -> TypeError:
    """The error for a decorator with arguments that was used without parentheses."""
    name = getattr(given, "__name__", repr(given))
    return TypeError(
        f"@{decorator} needs an argument, but was used without parentheses on {name!r}: write @{decorator}({example})."
    )


_OPTIONS: t.Final = {
    "dependencies": "a parameter that a provider fills, Annotated[Session, Use(open_session)], or @app.before_request",
    "include_in_schema": "hidden=True",
    "response_class": "the object that the view returns: a str, a dict, costrel.Response(...)",
    "response_model": "the annotation of the view's result: def view() -> Item",
    "status_code": "the result: return item, 201, or the annotation -> Annotated[Item, Status(201)]",
}
"""Options of routes in FastAPI, and what takes their place."""


def unknown_option(error: TypeError, options: t.Mapping[str, object]) -> TypeError:
    """The error for an option that routes do not have, with its counterpart if it is one of FastAPI's.

    Any other TypeError is returned unchanged.
    """
    for name in options:
        if f"unexpected keyword argument {name!r}" in str(error):
            counterpart = f": in Costrel, its place is taken by {_OPTIONS[name]}" if name in _OPTIONS else ""
            return TypeError(f"A route has no option {name!r}{counterpart}.")
    return error


def explain(error: Exception) -> None:
    """Add a note to an error that comes from an ``await`` of something that needs none."""
    if isinstance(error, TypeError) and _AWAITED in str(error):
        error.add_note(
            "In Costrel, request.form, request.files, request.data, request.get_json(), render_template() and the"
            " other functions of Flask's API need no await, in an async view either."
        )
