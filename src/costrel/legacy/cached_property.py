"""Werkzeug's `cached_property`: a data descriptor, for packages that extend it or inspect classes for properties."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from contextlib import suppress

T = t.TypeVar("T")

_MISSING: t.Final = object()


class cached_property(property, t.Generic[T]):
    """A property whose function runs once.

    The value is stored in the instance, under the property's name in its ``__dict__``, or in the slot
    ``_cache_<name>`` of a class without one. It can be assigned, and deleted so that it is computed again. Costrel's
    own classes use `costrel.support.properties.cached_property`, which is faster and not a `property`.
    """

    def __init__(self, fget: Callable[[t.Any], T], name: str | None = None, doc: str | None = None) -> None:
        super().__init__(fget, doc=doc)
        self.__name__ = name or fget.__name__
        self.__module__ = fget.__module__
        self.slot_name = f"_cache_{self.__name__}"

    def __get__(self, instance: object, owner: type | None = None) -> t.Any:
        if instance is None:
            return self
        values: dict[str, object] | None = getattr(instance, "__dict__", None)
        name = self.slot_name if values is None else self.__name__
        found = getattr(instance, name, _MISSING) if values is None else values.get(name, _MISSING)
        if found is _MISSING:
            found = t.cast(Callable[[t.Any], T], self.fget)(instance)
            self._store(instance, found)
        return found

    def __set__(self, instance: object, value: T) -> None:
        self._store(instance, value)

    def _store(self, instance: object, value: T) -> None:
        if hasattr(instance, "__dict__"):
            instance.__dict__[self.__name__] = value
        else:
            setattr(instance, self.slot_name, value)

    def __delete__(self, instance: object) -> None:
        """Forget the value. Raises KeyError, as Werkzeug does, if an instance with a ``__dict__`` has none."""
        if hasattr(instance, "__dict__"):
            del instance.__dict__[self.__name__]
        else:
            with suppress(AttributeError):
                delattr(instance, self.slot_name)
