"""Describes an application in a process of its own: its hooks, views, threads and order of routes, written as JSON."""

from __future__ import annotations

import inspect
import json
import os
import sys
import threading
import typing as t
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ..app.application import Costrel
from ..audit.routes import check_order, check_strictness
from ..services.commands import ScriptInfo
from ..services.discovery import NoAppException

_HOOKS: t.Final = (
    "before_request_funcs", "after_request_funcs", "teardown_request_funcs", "url_value_preprocessors",
    "url_default_functions", "template_context_processors",
)  # fmt: skip


class Described(t.TypedDict):
    """The description of an application."""

    name: str
    hooks: dict[str, list[str]]
    views: dict[str, int]
    error_handlers: int
    extensions: list[str]
    threads: list[str]
    middleware: str | None
    routes: list[tuple[str, str]]
    """Rules that answer differently under `STRICT_URLS`, each with the sentence about it."""


def describe(app: Costrel) -> Described:
    """Describe an application that has been imported."""
    hooks = {name.removesuffix("_funcs"): _names(getattr(app, name).values()) for name in _HOOKS}
    hooks["teardown_appcontext"] = _names([app.teardown_appcontext_funcs])
    wrapped = vars(app).get("wsgi_app")
    return Described(
        name=app.import_name,
        hooks={name: found for name, found in hooks.items() if found},
        views=_kinds(app.view_functions),
        error_handlers=sum(len(handlers) for codes in app.error_handler_spec.values() for handlers in codes.values()),
        extensions=sorted(app.extensions),
        threads=sorted(thread.name for thread in threading.enumerate() if thread is not threading.main_thread()),
        middleware=None if wrapped is None else type(wrapped).__name__,
        routes=[(each.place, each.problem) for check in (check_strictness, check_order) for each in check(app)],
    )


def _names(registries: Iterable[Iterable[Callable[..., object]]]) -> list[str]:
    """The names of functions that do not belong to Costrel."""
    found = [function for functions in registries for function in functions]
    return [
        f"{function.__module__}.{getattr(function, '__qualname__', type(function).__name__)}"
        for function in found
        if not (getattr(function, "__module__", None) or "").startswith(("costrel.", "flask."))
    ]


def _kinds(views: Mapping[str, Callable[..., object]]) -> dict[str, int]:
    kinds = {"def": 0, "async def": 0, "generator": 0}
    for view in views.values():
        inner = inspect.unwrap(view)
        if inspect.iscoroutinefunction(inner):
            kinds["async def"] += 1
        else:
            kinds["generator" if inspect.isgeneratorfunction(inner) else "def"] += 1
    return kinds


def main(path: str, output: str) -> None:
    """Import the application and write its description, or the error, to a file."""
    os.environ["FLASK_RUN_FROM_CLI"] = "true"  # so that app.run() in the module does nothing
    try:
        result: Mapping[str, object] = {"app": describe(ScriptInfo(path, set_debug_flag=False).load_app())}
    except NoAppException as error:
        result = {"error": error.format_message()}
    except BaseException as error:  # the module may end the process
        result = {"error": f"{type(error).__name__}: {error}"}
    Path(output).write_text(json.dumps(result), encoding="utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads of the application may never end


if __name__ == "__main__":
    main(*sys.argv[1:3])
