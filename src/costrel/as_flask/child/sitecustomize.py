"""Imported by Python at the start of a child process. It installs the alias at the first import of Flask.

It costs nothing in a program that does not import Flask, and then runs the next `sitecustomize` on the path.
"""

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader

TYPE_CHECKING = False  # not `typing`'s: every Python that starts would import it here
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType
    from typing import Any


class FirstImport:
    """Installs the alias when ``flask`` or ``werkzeug``, or its metadata, is first imported."""

    def find_spec(
        self, fullname: "str", path: "object" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if fullname not in ("flask", "werkzeug"):
            return None
        self.install()
        # Python uses the spec of the module that is loaded now, and not the result of this method.
        spec = sys.modules[fullname].__spec__
        if spec is not None:
            spec.loader = Loaded(fullname, str(spec.origin))
        return spec

    def find_distributions(self, context: "Any" = None) -> "Iterable[Any]":
        name = "" if context is None else str(context.name).lower()
        if name not in ("flask", "werkzeug"):
            return ()
        finder = self.install()
        found: Iterable[Any] = finder.find_distributions(context)
        return found

    def install(self) -> "Any":
        """Install the alias, return its finder, and leave the path."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        from costrel.compat import install

        install.install_as_flask()
        return install.AliasFinder()


class Loaded(SourceFileLoader):
    """The loader of a module that is already loaded, which the current import would otherwise load again."""

    def create_module(self, spec: "ModuleSpec") -> "ModuleType":
        return sys.modules[spec.name]

    def exec_module(self, module: "ModuleType") -> "None":
        """Nothing: the module was executed when the alias was installed."""


def chain() -> "None":
    """Run the next `sitecustomize` on the path, which this one hides."""
    here = os.path.dirname(os.path.abspath(__file__))
    rest = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    spec = PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if os.environ.get("COSTREL_AS_FLASK") == "1" and importlib.util.find_spec("costrel") is not None:
    sys.meta_path.insert(0, FirstImport())
chain()
