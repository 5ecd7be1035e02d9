"""The place of a module on disk, from which an application finds its templates, static files and instance folder."""

from __future__ import annotations

import os
import sys
import typing as t

if t.TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


def get_root_path(import_name: str) -> str:
    """The folder that holds the module or package `import_name`.

    For a name that cannot be imported, such as an invented one in a shell, it is the working directory. Raises
    RuntimeError if the module has no file.
    """
    file = getattr(sys.modules.get(import_name), "__file__", None)
    if file is None:
        spec = _find_spec(import_name)
        if spec is None or spec.loader is None:
            return os.getcwd()
        file = _file_of(spec.loader, import_name)
    if file is None:
        raise RuntimeError(
            f"The module {import_name!r} has no single folder: it is a namespace package, or its import hook does not"
            " report a file. Set the folder of its templates and files by 'root_path='."
        )
    return os.path.dirname(os.path.abspath(file))


def _file_of(loader: object, import_name: str) -> str | None:
    get_filename: t.Callable[[str], str | None] | None = getattr(loader, "get_filename", None)
    if get_filename is not None:
        return get_filename(import_name)
    from importlib import import_module

    return getattr(import_module(import_name), "__file__", None)


def _find_spec(import_name: str) -> ModuleSpec | None:
    """The spec of a module, or None if it or a parent package cannot be found."""
    from importlib.util import find_spec  # slow to load, and not needed for a module that is running

    try:
        return find_spec(import_name)
    except (ImportError, ValueError):  # ValueError: the running script has no spec
        return None


def _find_package_path(import_name: str) -> str:
    """The folder from which the outermost package of `import_name` is imported."""
    outermost = _find_spec(import_name.partition(".")[0])
    if outermost is None:
        return os.getcwd()
    portions = outermost.submodule_search_locations
    if not portions:
        return os.path.dirname(outermost.origin or "")
    if outermost.origin in (None, "namespace"):
        return os.path.dirname(_portion_with(import_name, list(portions)))
    return os.path.dirname(os.path.dirname(str(outermost.origin)))


def _portion_with(import_name: str, portions: list[str]) -> str:
    """The folder of a namespace package that contains `import_name`."""
    spec = _find_spec(import_name)
    if spec is not None and spec.submodule_search_locations:
        home = os.path.commonpath(list(spec.submodule_search_locations))
        return next((portion for portion in portions if _is_below(home, portion)), portions[0])
    return portions[0]


def find_package(import_name: str) -> tuple[str | None, str]:
    """The prefix of an installed package, else None; and the folder that the package is imported from.

    A package is installed if it is below ``sys.prefix`` or in a folder named ``site-packages``.
    """
    folder = _find_package_path(import_name)
    if _is_below(folder, os.path.abspath(sys.prefix)):
        return sys.prefix, folder
    parent, name = os.path.split(folder)
    if name.lower() != "site-packages":
        return None, folder
    above, parent_name = os.path.split(parent)
    if parent_name.lower() == "lib":  # Windows: prefix/Lib/site-packages
        return above, folder
    if os.path.basename(above).lower() == "lib":  # elsewhere: prefix/lib/pythonX.Y/site-packages
        return os.path.dirname(above), folder
    return parent, folder


def _is_below(path: str, folder: str) -> bool:
    """Whether a path is the folder or is in it, by their names."""
    path, folder = (os.path.normcase(os.path.normpath(each)) for each in (path, folder))
    return path == folder or path.startswith(os.path.join(folder, ""))
