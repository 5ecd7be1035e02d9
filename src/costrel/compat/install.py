"""Serves Costrel under the names ``flask`` and ``werkzeug``, to every import that follows in this process."""

from __future__ import annotations

import os
import sys
import typing as t
from collections.abc import Iterable
from contextlib import suppress
from types import FunctionType, ModuleType

if t.TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from importlib.metadata import Distribution, DistributionFinder

FOLDER = os.path.dirname(__file__)
PACKAGES = ("werkzeug", "flask")

MODULES = (
    "werkzeug.user_agent",
    "werkzeug.http",
    "werkzeug.exceptions",
    "werkzeug.datastructures.mixins",
    "werkzeug.datastructures.structures",
    "werkzeug.datastructures.headers",
    "werkzeug.datastructures.accept",
    "werkzeug.datastructures.auth",
    "werkzeug.datastructures.cache_control",
    "werkzeug.datastructures.csp",
    "werkzeug.datastructures.etag",
    "werkzeug.datastructures.file_storage",
    "werkzeug.datastructures.range",
    "werkzeug.datastructures",
    "werkzeug.urls",
    "werkzeug.sansio.utils",
    "werkzeug.sansio.http",
    "werkzeug.sansio.multipart",
    "werkzeug.security",
    "werkzeug.wsgi",
    "werkzeug.utils",
    "werkzeug.local",
    "werkzeug.formparser",
    "werkzeug.sansio.request",
    "werkzeug.sansio.response",
    "werkzeug.wrappers.request",
    "werkzeug.wrappers.response",
    "werkzeug.wrappers",
    "werkzeug.routing.converters",
    "werkzeug.routing.exceptions",
    "werkzeug.routing.rules",
    "werkzeug.routing.matcher",
    "werkzeug.routing.map",
    "werkzeug.routing",
    "werkzeug.middleware.dispatcher",
    "werkzeug.middleware.http_proxy",
    "werkzeug.middleware.lint",
    "werkzeug.middleware.profiler",
    "werkzeug.middleware.proxy_fix",
    "werkzeug.middleware.shared_data",
    "werkzeug._reloader",
    "werkzeug.debug.repr",
    "werkzeug.debug.console",
    "werkzeug.debug.tbtools",
    "werkzeug.debug",
    "werkzeug.serving",
    "werkzeug.test",
    "werkzeug.testapp",
    "werkzeug",
    "flask.typing",
    "flask.signals",
    "flask.globals",
    "flask.config",
    "flask.ctx",
    "flask.helpers",
    "flask.json.provider",
    "flask.json",
    "flask.json.tag",
    "flask.logging",
    "flask.templating",
    "flask.sessions",
    "flask.cli",
    "flask.sansio.scaffold",
    "flask.blueprints",
    "flask.sansio.blueprints",
    "flask.sansio.app",
    "flask.wrappers",
    "flask.debughelpers",
    "flask.views",
    "flask.testing",
    "flask.app",
    "flask",
    "werkzeug._internal",
)
"""Every module of the two packages, each after those that it takes names from: the first to hold a thing names it."""

_TOO_LATE = """\
The real {name!r} is loaded already, from {file}, so Costrel cannot take its place{importers}.
Call costrel.install_as_flask() before anything imports flask or werkzeug: on the program's first lines. Or start it \
with `python -m costrel.as_flask app.py`, and tests with `pytest -p costrel.as_flask.pytest`."""


class AliasFinder:
    """Finds the two packages in this folder, even if they are also installed elsewhere."""

    def find_spec(self, fullname: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec of a package. Python finds its modules in the folder of the package."""
        if fullname not in PACKAGES:
            return None
        from importlib.util import spec_from_file_location

        folder = os.path.join(FOLDER, fullname)
        file = os.path.join(folder, "__init__.py")
        return spec_from_file_location(fullname, file, submodule_search_locations=[folder])

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterable[Distribution]:
        """The distributions of the two packages for `importlib.metadata`."""
        from importlib.metadata import DistributionFinder  # takes 10 ms, and only metadata needs it

        from .distributions import find_distributions

        return find_distributions(DistributionFinder.Context() if context is None else context)


def install_as_flask() -> None:
    """Make ``import flask``, ``import werkzeug`` and all their modules import Costrel in this process.

    Calling it again has no effect. Raises RuntimeError if the real Flask or Werkzeug was imported before, since its
    classes would differ from those imported later.
    """
    if is_installed():
        return
    for name in reversed(PACKAGES):
        if name in sys.modules:
            raise RuntimeError(_too_late(name))
    from importlib import import_module

    from ..routing import Map

    Map.is_strict_by_default = False
    finder = AliasFinder()
    sys.meta_path.insert(0, finder)
    try:
        for name in MODULES:
            _take_home(import_module(name))
    except BaseException:
        sys.meta_path.remove(finder)
        _forget()
        raise


def is_installed() -> bool:
    """Whether ``flask`` is Costrel in this process."""
    return any(isinstance(finder, AliasFinder) for finder in sys.meta_path)


def _forget() -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] in PACKAGES:
            del sys.modules[name]


def _take_home(module: ModuleType) -> None:
    """Let the classes and functions of a module say that they come from there, as the originals do.

    Packages go by it: pickles name it, and one exempts views from a check by ``flask.app.<lambda>``.
    """
    for name, value in vars(module).items():
        if _is_ours(value):
            if isinstance(value, type):
                _resolve_annotations(value)
            value.__module__ = module.__name__
            value.__name__ = name
            value.__qualname__ = name
            if isinstance(value, type):
                _take_methods_home(value)


def _resolve_annotations(cls: type) -> None:
    """Evaluate what is annotated while the names are known: `typing.get_type_hints` looks for them in ``__module__``.

    What only type checkers know stays as it is written.
    """
    names = vars(sys.modules[cls.__module__])
    for attribute, hint in vars(cls).get("__annotations__", {}).items():
        if isinstance(hint, str):
            with suppress(NameError, TypeError):
                cls.__annotations__[attribute] = eval(hint, names)  # noqa: S307 - the text of our own source


def _take_methods_home(cls: type) -> None:
    for member in vars(cls).values():
        function = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if type(function) is FunctionType and _is_ours(function):
            function.__module__ = cls.__module__


def _is_ours(value: object) -> bool:
    # Not isinstance: a proxy answers that for the object behind it, and there is none now.
    kind = type(value)
    if kind is not FunctionType and not issubclass(kind, type):
        return False
    return str(getattr(value, "__module__", "")).startswith("costrel.")


def _too_late(name: str) -> str:
    module = sys.modules[name]
    importers = sorted(_importers(name))
    shown = ", ".join(importers[:5]) + (", …" if len(importers) > 5 else "")
    return _TOO_LATE.format(
        name=name,
        file=getattr(module, "__file__", None) or "an unknown place",
        importers=f". Modules that hold a part of it: {shown}" if importers else "",
    )


def _importers(package: str) -> Iterable[str]:
    """The modules outside of the two packages that hold the package, or a class or function from it."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in (*PACKAGES, "costrel"):
            continue
        if any(_comes_from(value, package) for value in list(getattr(module, "__dict__", {}).values())):
            yield name


def _comes_from(value: object, package: str) -> bool:
    kind = type(value)
    if kind is ModuleType:
        return str(getattr(value, "__name__", "")).partition(".")[0] == package
    if kind is FunctionType or issubclass(kind, type):
        return str(getattr(value, "__module__", "")).partition(".")[0] == package
    return False
