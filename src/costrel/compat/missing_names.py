"""The error for a name that `costrel` does not have: it gives the nearest name, and the module that has it."""

from __future__ import annotations

import sys
import typing as t

_NO_FLASK = (
    "costrel has no 'Flask': the class is costrel.Costrel (from costrel import Costrel). Under Flask's own names it is"
    " served by costrel.install_as_flask(), called before anything imports flask, or by the option --as-flask"
    " (costrel --as-flask run)."
)

_ELSEWHERE: t.Final = {
    "Quart": "the class is costrel.Costrel; views may be `async def`",
    "FastAPI": "the class is costrel.Costrel",
    "Starlette": "the class is costrel.Costrel",
    "APIRouter": "a group of routes is a costrel.Blueprint",
    "Depends": "see before_request, and costrel.g for what belongs to one request",
    "JSONResponse": "a view returns a dict or a list, or costrel.jsonify(...)",
    "HTMLResponse": "a view returns a string",
    "StreamingResponse": "a view returns a generator, or costrel.Response(generator)",
    "FileResponse": "a view returns costrel.send_file(path)",
    "RedirectResponse": "a view returns costrel.redirect(url)",
    "Markup": "it is in markupsafe: from markupsafe import Markup",
    "escape": "it is in markupsafe: from markupsafe import escape",
}
"""Names that people bring along from Flask, Quart, FastAPI and Starlette."""

_LATE_MODULES: t.Final = ("costrel.sse", "costrel.testing", "costrel.middleware.dispatcher")
"""Modules for applications that `costrel` does not load itself."""


_LATE_NAMES: t.Final = {"ContextExecutor": "costrel.work.executor"}
"""Names of `costrel` whose modules are slow to load."""


def missing_name(name: str) -> object:
    """Import a late name of `costrel`, or raise the error for one that it does not have, as its ``__getattr__``."""
    if name in _LATE_NAMES:
        from importlib import import_module

        found: object = getattr(import_module(_LATE_NAMES[name]), name)
        vars(sys.modules["costrel"])[name] = found
        return found
    if name.startswith("__"):
        raise AttributeError(f"module 'costrel' has no attribute {name!r}")
    is_import = sys._getframe(1).f_code.co_name == "_handle_fromlist"
    if is_import and _is_module(name):
        raise AttributeError(name)  # Python imports it now
    message = _NO_FLASK if name == "Flask" else f"costrel has no {name!r}{_hint(name)}"
    # Python swallows an AttributeError when a name is imported, for a message of its own.
    if is_import:
        raise ImportError(message, name="costrel")
    raise AttributeError(message, name=name, obj=None)  # without the object Python proposes no other name


def _is_module(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(f"costrel.{name}") is not None


def _hint(name: str) -> str:
    if name in _ELSEWHERE:
        return f": {_ELSEWHERE[name]}."
    home = _home_of(name)
    if home is not None:
        return f" itself. It is in {home}: from {home} import {name}"
    from difflib import get_close_matches

    names = [each for each in vars(sys.modules["costrel"]) if not each.startswith("_")]
    close = get_close_matches(name, [*names, *_ELSEWHERE], n=1) or [
        each for each in names if each.lower() == name.lower()
    ]
    if not close:
        return "."
    return f". Did you mean {close[0]!r}?"


def _home_of(name: str) -> str | None:
    """The module of Costrel with the shortest name that has a public class or function `name`."""
    from importlib import import_module

    if name.startswith("_"):
        return None
    for module_name in _LATE_MODULES:
        import_module(module_name)
    homes = [
        module_name
        for module_name, module in sys.modules.items()
        if module_name.startswith("costrel.")
        and callable(found := vars(module).get(name))
        and f"{found.__module__}.".startswith(f"{module_name}.")
    ]
    return min(homes, key=len, default=None)
