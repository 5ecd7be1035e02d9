"""Mistakes that people make who know Flask, Quart or FastAPI: the sentences that tell what to write instead."""

from __future__ import annotations

import typing as t

_ATTRIBUTES: t.Final = {
    "add_middleware": "wrap `app.wsgi_app` for WSGI middleware: app.wsgi_app = Middleware(app.wsgi_app)",
    "exception_handler": "register the handler by @app.errorhandler(SomeError)",
    "include_router": "a group of routes is a Blueprint: app.register_blueprint(blueprint)",
    "middleware": "use @app.before_request and @app.after_request, or wrap `app.wsgi_app`",
    "mount": "use costrel.middleware.dispatcher.DispatcherMiddleware around `app.wsgi_app`",
    "on_event": "use @app.before_serving and @app.after_serving",
}
"""Attributes of an application in other frameworks → what Costrel has."""

_AWAITED: t.Final = "can't be used in 'await' expression"


def missing_attribute(owner: object, name: str) -> AttributeError:
    """The error for an attribute that an application does not have."""
    message = f"{type(owner).__name__!r} object has no attribute {name!r}"
    hint = _ATTRIBUTES.get(name)
    if hint is not None:
        return AttributeError(f"{message}: {hint}.", name=name)
    return AttributeError(message, name=name, obj=owner)


def needs_parentheses(decorator: str, example: str, given: object) -> TypeError:
    """The error for a decorator with arguments that was used without parentheses."""
    name = getattr(given, "__name__", repr(given))
    return TypeError(
        f"@{decorator} needs an argument, but was used without parentheses on {name!r}: write @{decorator}({example})."
    )


def explain(error: Exception) -> None:
    """Add a note to an error that comes from an ``await`` of something that needs none."""
    if isinstance(error, TypeError) and _AWAITED in str(error):
        error.add_note(
            "In Costrel, request.form, request.files, request.data, request.get_json(), render_template() and the"
            " other functions of Flask's API need no await, in an async view either."
        )
