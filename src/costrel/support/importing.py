"""Imports by string, such as ``"package.module:name"`` in a configuration or on a command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any


class ImportStringError(ImportError):
    """An import by string failed. The message lists the parts of the name that were found."""

    import_name: str
    """The dotted name."""
    exception: BaseException
    """The exception of the import."""

    def __init__(self, import_name: str, exception: BaseException) -> None:
        self.import_name = import_name
        self.exception = exception
        trail = "\n".join(f"- {step}" for step in _trail(import_name))
        super().__init__(
            f"import_string() failed for {import_name!r}: {type(exception).__name__}: {exception}\n\n{trail}\n\n"
            "Check the spelling, that each directory of the name is a package in a directory on sys.path, and that no"
            " other module of the same name comes first there."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.import_name!r}, {self.exception!r})>"


def _trail(import_name: str) -> Iterator[str]:
    """A line for each part of a dotted name with its file, up to the first part that was not found."""
    name = ""
    for part in import_name.split("."):
        name = f"{name}.{part}" if name else part
        module = sys.modules.get(name)
        if module is None:
            yield f"{name!r} was not found."
            return
        yield f"{name!r} was found in {getattr(module, '__file__', None) or 'the interpreter'!r}."


def import_string(import_name: str, silent: bool = False) -> Any:
    """Import the module, or the object in a module, that `import_name` names.

    The name of the object follows a dot or a colon: ``"os.path.join"``, ``"os.path:join"``. Raises ImportStringError
    if a part is missing or its import fails with ImportError; with `silent`, returns None instead. Other errors of the
    imported code are not caught.
    """
    import_name = import_name.replace(":", ".")
    try:
        return _imported(import_name)
    except ImportError as error:
        if silent:
            return None
        raise ImportStringError(import_name, error).with_traceback(error.__traceback__) from None


def _imported(import_name: str) -> Any:
    try:
        __import__(import_name)
    except ImportError:
        if "." not in import_name:
            raise
    else:
        return sys.modules[import_name]
    module_name, _, object_name = import_name.rpartition(".")
    module = __import__(module_name, fromlist=[object_name])
    try:
        return getattr(module, object_name)
    except AttributeError as error:
        raise ImportError(error) from None


def find_modules(import_path: str, include_packages: bool = False, recursive: bool = False) -> Iterator[str]:
    """Yield the dotted names of the modules in the package `import_path`, without importing them.

    `include_packages` adds the packages in it. `recursive` adds the modules in those, which imports the packages.
    Raises ValueError if `import_path` is not a package.
    """
    package = import_string(import_path)
    search_path = getattr(package, "__path__", None)
    if search_path is None:
        raise ValueError(f"{import_path!r} is not a package: find_modules() looks for the modules inside of one.")
    from pkgutil import iter_modules  # slow to import

    for _, name, is_package in iter_modules(search_path, f"{package.__name__}."):
        if include_packages or not is_package:
            yield name
        if is_package and recursive:
            yield from find_modules(name, include_packages, recursive=True)
