"""Cached properties: computed once, and stored in the instance, where Python finds the value before the property."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, overload

T = TypeVar("T")

_MAX_CLASSES = 64


class cached_property(Generic[T]):
    """A property whose function runs once. Its value can be assigned, and deleted so that it is computed again.

    The value is stored in the instance under the name of the attribute. Python finds it there first (this is a non-data
    descriptor), so a second access costs no more than a plain attribute. A class without ``__dict__`` must have a slot
    ``_cache_<name>``.
    """

    fget: Callable[[Any], T] | None = None
    """The function; None only on the class."""
    fset = fdel = None
    """Functions of a `property`. This one does not need them: assignment and deletion act on the instance."""

    def __init__(self, fget: Callable[[Any], T], name: str | None = None, doc: str | None = None) -> None:
        self.fget = self._function = fget
        self.__name__ = name or fget.__name__
        self.__doc__ = fget.__doc__ if doc is None else doc
        self.__module__ = fget.__module__
        self._key = self.__name__
        self._classes: set[type] = set()
        """Classes whose instances have this property under its name, and store attributes as usual."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._key = name
        if not owner.__dictoffset__:
            setattr(owner, name, _CachedInSlot(self._function, name, self.__doc__))

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...
    def __get__(self, instance: object | None, owner: type | None = None) -> Self | T:
        cls = type(instance)
        if cls not in self._classes:
            if instance is None:
                return self
            if not self._add(cls):
                return self._get_by_name(instance)
        # CPython 3.11 reads all attributes of an object more slowly once its ``__dict__`` has been used.
        function = self._function  # an attribute of the instance: faster to find than a method
        value = function(instance)
        try:
            setattr(instance, self._key, value)
        except AttributeError:  # the class has changed in the meantime
            instance.__dict__[self._key] = value
        return value

    def _add(self, cls: type) -> bool:
        """Whether the value can be a plain attribute: the class neither overrides the property nor renames it."""
        namespaces = [vars(base) for base in cls.__mro__]
        found = next((names[self._key] for names in namespaces if self._key in names), None)
        uses = sum(value is self for names in namespaces for value in names.values())
        stores_as_usual = not any("__setattr__" in names for names in namespaces[:-1])
        is_plain = found is self and uses == 1 and stores_as_usual
        if is_plain and len(self._classes) < _MAX_CLASSES:
            self._classes.add(cls)
        return is_plain

    def _get_by_name(self, instance: object) -> T:
        """The value for a class that overrides the property, or has it under several names."""
        values = instance.__dict__
        if self._key not in values:
            values[self._key] = self._function(instance)
        return values[self._key]  # type: ignore[no-any-return]  # an instance's dictionary has no type

    def _refuse(self, function: object) -> NoReturn:
        raise TypeError(f"The cached property {self.__name__!r} takes no other functions: assign and delete its value.")

    getter = setter = deleter = _refuse
    """The decorators of a `property`, which would create another property."""

    if TYPE_CHECKING:  # assigned and deleted in the instance, like any attribute

        def __set__(self, instance: object, value: T) -> None: ...
        def __delete__(self, instance: object) -> None: ...


class _CachedInSlot(cached_property[T]):
    """A cached property of a class without ``__dict__``. It is slower, since each access calls `__get__`."""

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        slot = f"_cache_{self.__name__}"
        try:
            return getattr(instance, slot)
        except AttributeError:
            value = self._function(instance)
            setattr(instance, slot, value)
            return value

    def __set__(self, instance: object, value: T) -> None:
        setattr(instance, f"_cache_{self.__name__}", value)

    def __delete__(self, instance: object) -> None:
        with suppress(AttributeError):  # nothing was cached
            delattr(instance, f"_cache_{self.__name__}")
