"""Configuration: a dict of upper-case settings that can be loaded from files, objects and the environment."""

from __future__ import annotations

import errno
import json
import os
import types
import typing as t
from collections.abc import Callable, Mapping

from ..support.announcing import announced
from ..support.importing import import_string

T = t.TypeVar("T")


class ConfigAttribute(t.Generic[T]):
    """An attribute of the application that reads and writes one setting of its ``config``."""

    def __init__(self, name: str, get_converter: Callable[[t.Any], T] | None = None) -> None:
        self.__name__ = name
        self.get_converter = get_converter

    @t.overload
    def __get__(self, obj: None, owner: None) -> t.Self: ...

    @t.overload
    def __get__(self, obj: t.Any, owner: type) -> T: ...

    def __get__(self, obj: t.Any, owner: type | None = None) -> T | t.Self:
        if obj is None:
            return self
        value: T = obj.config[self.__name__]
        if self.get_converter is not None:
            value = self.get_converter(value)
        return value

    def __set__(self, obj: t.Any, value: object) -> None:
        obj.config[self.__name__] = value


_getters: t.Final[set[t.Any]] = set()


def setting_getter(function: Callable[[t.Any], T]) -> Callable[[t.Any], T]:
    """Decorator for the getter of a property that only reads a setting of its application."""
    _getters.add(function)
    return function


def reads_setting(cls: type, attribute: str) -> bool:
    """Whether an attribute of an application's class only reads a setting."""
    found = getattr(cls, attribute, None)
    return type(found) is ConfigAttribute or (type(found) is property and found.fget in _getters)


class Config(dict[str, t.Any]):
    """The settings of an application. Its ``from_…`` methods load only upper-case names.

    File names are relative to the folder `root_path`.
    """

    def __init__(self, root_path: str | os.PathLike[str], defaults: dict[str, t.Any] | None = None) -> None:
        super().__init__(defaults or {})
        self.root_path = root_path
        self.state = object()
        """Another object after each change of a setting. It does not tell of a change inside a value."""

    def from_envvar(self, variable_name: str, silent: bool = False) -> bool:
        """Load the Python file whose path is in an environment variable. Returns whether it was loaded.

        :raises RuntimeError: if the variable is not set or empty, unless `silent` is true.
        """
        filename = os.environ.get(variable_name)
        if filename:
            return self.from_pyfile(filename, silent=silent)
        if silent:
            return False
        raise RuntimeError(
            f"The environment variable {variable_name!r} is not set. It must contain the path of a configuration file."
        )

    def from_prefixed_env(self, prefix: str = "FLASK", *, loads: Callable[[str], object] = json.loads) -> bool:
        """Load every environment variable ``<prefix>_NAME`` as the setting ``NAME``. `loads` parses the values.

        With the default prefix, variables ``COSTREL_NAME`` are loaded too, and take precedence over ``FLASK_NAME``.

        A value for which `loads` raises an error remains a string. A double underscore stands for a nested dict:
        ``FLASK_CACHE__TTL=60`` sets ``config["CACHE"]["TTL"]``, and creates the dict if necessary.
        """
        for start in ("FLASK_", "COSTREL_") if prefix == "FLASK" else (f"{prefix}_",):
            for variable in sorted(os.environ):
                if variable.startswith(start):
                    self._set_nested(variable, variable[len(start) :], _value_of(os.environ[variable], loads))
        return True

    def _set_nested(self, variable: str, path: str, value: object) -> None:
        if "__" not in path:
            self[path] = value
            return
        *parents, name = path.split("__")
        place: t.Any = self
        for depth, parent in enumerate(parents):
            if not isinstance(place, dict):
                raise _not_a_dict(variable, parents[:depth], place)
            place = place.setdefault(parent, {})
        try:
            place[name] = value
        except TypeError:
            raise _not_a_dict(variable, parents, place) from None

    def from_pyfile(self, filename: str | os.PathLike[str], silent: bool = False) -> bool:
        """Run a Python file and load its upper-case names. Returns whether the file was loaded.

        If `silent` is true, a missing file is not an error.

        :raises OSError: if the file cannot be read. Exceptions of its code are passed on.
        """
        path = os.path.join(self.root_path, filename)
        module = types.ModuleType("config")
        module.__file__ = path
        try:
            with open(path, mode="rb") as file:
                code = compile(file.read(), path, "exec")
        except OSError as error:
            if silent and error.errno in (errno.ENOENT, errno.EISDIR, errno.ENOTDIR):
                return False
            raise _unreadable(error) from None
        exec(code, module.__dict__)  # noqa: S102 - a configuration file is the owner's own code
        self.from_object(module)
        return True

    def from_object(self, obj: object | str) -> None:
        """Load the upper-case attributes of an object, such as a module or class, or of the object with an import name.

        Properties are evaluated only for an instance, and not for a class.

        :raises ImportStringError: if the string cannot be imported.
        """
        if isinstance(obj, str):
            obj = import_string(obj)
        for key in dir(obj):
            if key.isupper():
                self[key] = getattr(obj, key)

    def from_file(
        self,
        filename: str | os.PathLike[str],
        load: Callable[[t.IO[t.Any]], Mapping[str, object]],
        silent: bool = False,
        text: bool = True,
    ) -> bool:
        """Load the upper-case keys of the mapping that `load` reads from a file. Returns whether the file was loaded.

        For example, ``config.from_file("settings.toml", load=tomllib.load, text=False)``. If `silent` is true, a
        missing file is not an error.

        :raises OSError: if the file cannot be read. Exceptions of `load` are passed on.
        """
        path = os.path.join(self.root_path, filename)
        try:
            with open(path, "r" if text else "rb", encoding=None if not text else "utf-8") as file:
                settings = load(file)
        except OSError as error:
            if silent and error.errno in (errno.ENOENT, errno.EISDIR):
                return False
            raise _unreadable(error) from None
        return self.from_mapping(settings)

    def from_mapping(self, mapping: Mapping[str, object] | None = None, **kwargs: object) -> bool:
        """Load the upper-case keys of a mapping (or of pairs) and of the keyword arguments. Returns True."""
        settings: dict[str, object] = {}
        if mapping is not None:
            settings.update(mapping)
        settings.update(kwargs)
        for key, value in settings.items():
            if key.isupper():
                self[key] = value
        return True

    def get_namespace(self, namespace: str, lowercase: bool = True, trim_namespace: bool = True) -> dict[str, t.Any]:
        """Return the settings whose names start with `namespace`, for example as keyword arguments.

        In ``get_namespace("IMAGE_STORE_")``, the name ``IMAGE_STORE_TYPE`` becomes ``type``.
        """
        found = {}
        for name, value in self.items():
            if name.startswith(namespace):
                key = name[len(namespace) :] if trim_namespace else name
                found[key.lower() if lowercase else key] = value
        return found

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {dict.__repr__(self)}>"


def _renew_state(config: Config) -> None:
    config.state = object()


for _name in ("__delitem__", "__ior__", "__setitem__", "clear", "pop", "popitem", "setdefault", "update"):
    setattr(Config, _name, announced(getattr(dict, _name), _renew_state))


def _value_of(text: str, loads: Callable[[str], object]) -> object:
    try:
        return loads(text)
    except Exception:
        return text


def _not_a_dict(variable: str, keys: list[str], value: object) -> TypeError:
    place = "".join(f"[{key!r}]" for key in keys)
    return TypeError(
        f"The environment variable {variable!r} sets a key in config{place}, which is of type {type(value).__name__!r},"
        f" not a dict. Rename the variable, or make config{place} a dict."
    )


def _unreadable(error: OSError) -> OSError:
    error.strerror = f"Unable to load configuration file ({error.strerror})"
    return error
