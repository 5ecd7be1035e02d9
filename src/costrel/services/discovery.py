"""Finds the application for a command, by an import path or in the usual files."""

from __future__ import annotations

import ast
import difflib
import inspect
import os
import re
import sys
import traceback
import typing as t
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType, ModuleType, TracebackType

import click

from ..support.callables import is_asgi, is_wsgi
from ..support.import_cycles import cycle_advice
from . import kinds

APPLICATION_NAMES = ("app", "application")
FACTORY_NAMES = ("create_app", "make_app")
DEFAULT_FILES = ("wsgi.py", "app.py")

_LISTED = 12
"""The maximum number of names that an error message lists."""

_INTERFACES = ("asgi", "asgi_app", "wsgi_app")
"""Attributes of an application that servers call."""

_SCANNED_FILES = 40
_SCANNED_BYTES = 65_536

_FOR_CLICK = (click.ClickException, click.exceptions.Exit, click.Abort)
"""The exceptions that click handles itself: it shows a message or ends the command."""

_AFTER_AN = re.compile("[aeio]|un(?!i)", re.IGNORECASE)

_AS_FLASK = "the option --as-flask after 'costrel' (costrel --as-flask …)"

_Test = Callable[[object], bool]
"""Returns whether a value is an application of the kind being searched for."""

_Call = Callable[[ModuleType, FunctionType, tuple[object, ...], dict[str, object], str], object]
"""Calls a factory of a module with positional and keyword arguments. The last argument is the call for messages."""


def is_application(value: object) -> bool:
    """Whether `value` is a Costrel application."""
    return isinstance(value, kinds.application_class)


def is_served(value: object) -> bool:
    """Whether `value` is a Costrel application or another ASGI application."""
    return is_application(value) or is_asgi(value)


class NoAppException(click.UsageError):
    """No application could be found or loaded. The message says what was tried."""

    def show(self, file: t.IO[str] | None = None) -> None:
        """Print the message without the usage of the command, which is not the problem."""
        color = False if os.environ.get("NO_COLOR") else None
        click.secho(f"Error: {self.format_message()}", file=file, err=file is None, fg="red", color=color)


def locate_served(module_name: str, app_name: str | None, raise_if_not_found: bool = True) -> t.Any:
    """Like `locate_app`, but accepts any ASGI application."""
    return _locate(module_name, app_name, raise_if_not_found, is_served)


def locate_app(module_name: str, app_name: str | None, raise_if_not_found: bool = True) -> t.Any:
    """Import a module and find its application, by name or by a search.

    Returns None if there is no such module and `raise_if_not_found` is false.

    :raises NoAppException: if the module does not exist or has no application, or if the module or its factory raises
        an error. In that case, the message has the traceback from the first line of the user's code.
    """
    return _locate(module_name, app_name, raise_if_not_found, is_application)


def _locate(module_name: str, app_name: str | None, raise_if_not_found: bool, is_sought: _Test) -> t.Any:
    try:
        __import__(module_name)
    except _FOR_CLICK:
        raise
    except ImportError as error:
        # Python removes its import machinery from the traceback, so the frames below this one are the module's.
        if _own_part(error.__traceback__) is not None:
            raise NoAppException(_report(f"importing {module_name!r}", error)) from None
        if not raise_if_not_found:
            return None
        raise NoAppException(_missing_module(module_name)) from None
    except Exception as error:
        raise NoAppException(_report(f"importing {module_name!r}", error)) from None

    module = sys.modules[module_name]
    if app_name is None:
        return _best_app(module, _call_and_report, is_sought)
    return _app_by_string(module, app_name, _call_and_report, is_sought)


def find_best_app(module: ModuleType) -> t.Any:
    """Return the application of a module: the one with a usual name, the only one, or the result of a factory.

    :raises NoAppException: if there is none, or if there are several. Exceptions of the factory are passed on.
    """
    return _best_app(module, _call_factory)


def find_app_by_string(module: ModuleType, app_name: str) -> t.Any:
    """Return the application that `app_name` names in a module: ``name``, or ``factory("x", y=1)`` with literals.

    :raises NoAppException: if there is none. Exceptions of the factory are passed on.
    """
    return _app_by_string(module, app_name, _call_factory)


def prepare_import(path: str) -> str:
    """Return the import name for the path of a file, and put the folder to import it from first on ``sys.path``.

    The path of a package's ``__init__.py`` stands for the package. Folders that are packages become part of the name.
    """
    path = os.path.realpath(path)
    stem, extension = os.path.splitext(path)
    if extension == ".py":
        path = stem
    if os.path.basename(path) == "__init__":
        path = os.path.dirname(path)

    names = []
    while True:
        path, name = os.path.split(path)
        names.append(name)
        if not os.path.exists(os.path.join(path, "__init__.py")):
            break
    if sys.path[0] != path:
        sys.path.insert(0, path)
    return ".".join(reversed(names))


def not_located() -> NoAppException:
    """Return the error for a command without an application in a folder without the usual files."""
    folder = Path.cwd()
    files = sorted(entry.name for entry in folder.glob("*.py"))
    likely = [name for name in files[:_SCANNED_FILES] if _seems_to_hold_app(folder / name)]
    message = f"Could not locate an application: there is no {' or '.join(DEFAULT_FILES)} in {folder}."
    if likely:
        message += f" There may be one in {_listing(likely)}. Try --app {likely[0].removesuffix('.py')}."
    elif files:
        message += f" Python files there: {_listing(files)}."
    else:
        message += " There are no Python files there."
    return NoAppException(
        f"{message} Set the application with the option --app, as in --app module:name, or with the environment"
        " variable COSTREL_APP or FLASK_APP."
    )


def _seems_to_hold_app(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            head = stream.read(_SCANNED_BYTES)
    except OSError:
        return False
    return any(mark in head for mark in (b"Costrel(", b"Flask(", b"def create_app(", b"def make_app("))


def _best_app(module: ModuleType, call_factory: _Call, is_sought: _Test = is_application) -> object:
    for name in APPLICATION_NAMES:
        app = getattr(module, name, None)
        if is_sought(app):
            return app

    found = _applications_of(module)
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise NoAppException(
            f"Detected several applications in module {module.__name__!r}: {', '.join(found)}."
            f" Use '{module.__name__}:name' to choose one."
        )

    returned = {}
    for name in FACTORY_NAMES:
        factory = getattr(module, name, None)
        if inspect.isfunction(factory):
            app = call_factory(module, factory, (), {}, f"{name}()")
            if is_sought(app):
                return app
            returned[f"{name}()"] = app

    raise NoAppException(_no_app_returned(module, returned) if returned else _nothing_in(module))


def _app_by_string(module: ModuleType, app_name: str, call_factory: _Call, is_sought: _Test = is_application) -> object:
    name, args, kwargs = _parse_reference(app_name)
    try:
        found = getattr(module, name)
    except AttributeError as error:
        raise NoAppException(
            f"There is no {name!r} in module {module.__name__!r}.{_suggestion(name, _public_names(module))}"
        ) from error

    call = app_name.strip()
    shown = f"{call}()" if call == name else call
    if call == name and is_sought(found):
        return found
    is_factory = inspect.isfunction(found) and not (call == name and _is_protocol_function(found))
    app = call_factory(module, found, args, kwargs, shown) if is_factory else found
    if is_sought(app):
        return app
    hint = _foreign_hint([app]) or _protocol_hint(app) or _application_hint(module)
    raise NoAppException(f"'{module.__name__}:{app_name}' is {_describe(app)}, not an application.{hint}")


def _applications_of(module: ModuleType) -> dict[str, object]:
    return {name: value for name, value in vars(module).items() if isinstance(value, kinds.application_class)}


def _parse_reference(text: str) -> tuple[str, tuple[object, ...], dict[str, object]]:
    try:
        expression = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        expression = None
    if isinstance(expression, ast.Name):
        return expression.id, (), {}
    if isinstance(expression, ast.Attribute) and expression.attr in _INTERFACES:
        application = ast.unparse(expression.value)
        raise NoAppException(
            f"Failed to parse {text!r}. Use the application itself, {application!r}. Costrel finds its"
            f" {expression.attr!r}."
        )
    if not isinstance(expression, ast.Call):
        raise NoAppException(f"Failed to parse {text!r}. Use a name or a function call.")
    if not isinstance(expression.func, ast.Name):
        raise NoAppException(f"Failed to parse {text!r}. The function must be a simple name.")
    try:
        args = tuple(ast.literal_eval(arg) for arg in expression.args)
        # A `**mapping` has no name here, and is not supported.
        kwargs = {_keyword_name(keyword): ast.literal_eval(keyword.value) for keyword in expression.keywords}
    except ValueError:
        raise NoAppException(
            f"Failed to parse {text!r}. The arguments must be literal values, such as 'text', 1 or True."
        ) from None
    return expression.func.id, args, kwargs


def _keyword_name(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise ValueError("**")
    return keyword.arg


def _call_factory(
    module: ModuleType, factory: FunctionType, args: tuple[object, ...], kwargs: dict[str, object], call: str
) -> object:
    try:
        return factory(*args, **kwargs)
    except TypeError as error:
        if _was_entered(factory, error.__traceback__):
            raise
        raise NoAppException(
            f"Factory {factory.__name__!r} in module {module.__name__!r} could not be called as {call}:"
            f" its parameters are {inspect.signature(factory)}."
            f" Use '{module.__name__}:{factory.__name__}(args)' to pass arguments."
        ) from error


def _call_and_report(
    module: ModuleType, factory: FunctionType, args: tuple[object, ...], kwargs: dict[str, object], call: str
) -> object:
    """Call a factory, and convert its exceptions to NoAppException."""
    try:
        return _call_factory(module, factory, args, kwargs, call)
    except _FOR_CLICK:
        raise
    except Exception as error:
        hint = _application_hint(module)
        text = _report(f"calling {call} of {module.__name__!r}", error)
        raise NoAppException(f"{text}\n{hint.strip()}\n" if hint else text) from None


def _was_entered(function: FunctionType, tb: TracebackType | None) -> bool:
    """Whether an error was raised inside the function rather than by calling it with wrong arguments."""
    while tb is not None:
        if tb.tb_frame.f_code is function.__code__:
            return True
        tb = tb.tb_next
    return False


def _report(doing: str, error: Exception) -> str:
    """Return the message for an error in the user's code, with the traceback from the user's first frame."""
    tb = _own_part(error.__traceback__)
    text = "".join(traceback.format_exception(type(error), error, tb)).rstrip()
    kind = next((cls.__name__ for cls in (ImportError, SyntaxError) if isinstance(error, cls)), type(error).__name__)
    article = "an" if _AFTER_AN.match(kind) else "a"
    advice = cycle_advice(error)
    hint = f"\n{advice}\n" if advice else _stand_in_hint(error)
    return f"While {doing}, {article} {kind} was raised:\n\n{text}\n{hint}"


def _own_part(tb: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the leading frames of this file."""
    while tb is not None and tb.tb_frame.f_globals is globals():
        tb = tb.tb_next
    return tb


def _stand_in_hint(error: Exception) -> str:
    """Return a hint if Flask or Werkzeug is missing and Costrel is not installed under its name."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    if name is None or name.partition(".")[0] not in ("flask", "werkzeug"):
        return ""
    present = getattr(sys.modules.get("flask"), "Flask", None)
    if isinstance(present, type) and issubclass(present, kinds.application_class):
        return ""
    return f"\nCostrel can replace Flask and Werkzeug, which need not be installed: use {_AS_FLASK}.\n"


def _missing_module(module_name: str) -> str:
    head, _, rest = module_name.rpartition(".")
    folder = Path(sys.path[0] or ".", *head.split(".")).resolve()
    if not folder.is_dir():
        return f"Could not import {module_name!r}: the folder {folder} does not exist."
    modules = sorted(
        {entry.stem for entry in folder.glob("*.py") if entry.stem != "__init__"}
        | {entry.parent.name for entry in folder.glob("*/__init__.py")}
    )
    there = f" Modules there: {_listing(modules)}." if modules else " It contains no Python modules."
    hint = _suggestion(rest, modules) or there
    return f"Could not import {module_name!r}: there is no module {rest!r} in {folder}.{hint}"


def _nothing_in(module: ModuleType) -> str:
    return (
        f"Module {_with_file(module)} has no application and no factory."
        f" Looked for {', '.join(APPLICATION_NAMES)}, any other instance, {'() and '.join(FACTORY_NAMES)}()."
        f"{_names_in(module)}{_foreign_hint(vars(module).values())}"
    )


def _no_app_returned(module: ModuleType, returned: dict[str, object]) -> str:
    results = " and ".join(f"{call} returned {_describe(value)}" for call, value in returned.items())
    forgotten = " Does it end with 'return app'?" if any(app is None for app in returned.values()) else ""
    hint = _foreign_hint([*returned.values(), *vars(module).values()]) or forgotten or _names_in(module)
    return f"Module {_with_file(module)} has no application: {results}, not an application.{hint}"


def _with_file(module: ModuleType) -> str:
    where = f" ({module.__file__})" if getattr(module, "__file__", None) else ""
    return f"{module.__name__!r}{where}"


def _names_in(module: ModuleType) -> str:
    names = _public_names(module)
    has = f" It has: {_listing(names)}." if names else " It defines no names."
    return f"{has} Use '{module.__name__}:name' to choose one."


def _application_hint(module: ModuleType) -> str:
    """Return a hint that lists the applications of a module."""
    names = list(_applications_of(module))
    if not names:
        return ""
    has = "the application" if len(names) == 1 else "the applications"
    return f" Module {module.__name__!r} has {has} {_listing(names)}. Use '{module.__name__}:{names[0]}'."


def _public_names(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if not name.startswith("_") and not inspect.ismodule(value)]


def _foreign_hint(values: Iterable[object]) -> str:
    """Return a hint for an application of the installed Flask, which requires an option."""
    for value in values:
        for cls in type(value).__mro__:
            if (
                cls.__name__ == "Flask"
                and cls.__module__ == "flask.app"
                and not isinstance(value, kinds.application_class)
            ):
                return f" It is an application of the installed Flask. To run it with Costrel, use {_AS_FLASK}."
    return ""


def _is_protocol_function(function: FunctionType) -> bool:
    """Whether a function is an ASGI or WSGI application, and therefore not a factory."""
    return is_asgi(function) or (is_wsgi(function) and "start_response" in inspect.signature(function).parameters)


def _protocol_hint(value: object) -> str:
    """Return a hint for a WSGI application, or an ASGI application if the command does not serve."""
    if is_asgi(value):
        return (
            " It is an ASGI application, which only 'costrel serve' and 'costrel run' accept. Use the Costrel"
            " application inside it."
        )
    if is_wsgi(value):
        return (
            " It is a WSGI application. If it wraps a Costrel application, set the middleware with 'app.wsgi_app ="
            " Middleware(app.wsgi_app)' and use the application itself. Any other WSGI application can be mounted with"
            " 'app.mount(\"/path\", other)'."
        )
    return ""


def _describe(value: object) -> str:
    return "None" if value is None else f"an object of type {type(value).__name__!r}"


def _suggestion(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _listing(names: list[str]) -> str:
    return ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
