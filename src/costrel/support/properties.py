"""Properties computed once: the value lies in the instance and is found there before the property is asked again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, overload

T = TypeVar("T")


class cached_property(Generic[T]):
    """A property whose function runs once; its value can be assigned, and deleted to be computed anew.

    The value is stored in the instance's ``__dict__`` under the attribute's name. There Python finds it first (this is
    a non-data descriptor), so that a second access costs what a plain attribute costs. A class without ``__dict__``
    must have a slot ``_cache_<name>``.
    """

    fget: Callable[[Any], T] | None = None
    """The function; None on the class alone."""
    fset = fdel = None
    """A `property` has functions here; the value of this one is assigned and deleted as any attribute."""

    def __init__(self, fget: Callable[[Any], T], name: str | None = None, doc: str | None = None) -> None:
        self.fget = self._function = fget
        self.__name__ = name or fget.__name__
        self.__doc__ = fget.__doc__ if doc is None else doc
        self.__module__ = fget.__module__
        self._key = self.__name__

    def __set_name__(self, owner: type, name: str) -> None:
        self._key = name
        if not owner.__dictoffset__:
            setattr(owner, name, _CachedInSlot(self._function, name, self.__doc__))

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...
    def __get__(self, instance: object | None, owner: type | None = None) -> Self | T:
        if instance is None:
            return self
        values = instance.__dict__
        if self._key not in values:  # it can be there where the property was put into a finished class by another name
            values[self._key] = self._function(instance)
        return values[self._key]  # type: ignore[no-any-return]  # the dictionary is the instance's own

    def _refuse(self, function: Callable[..., Any]) -> NoReturn:
        raise TypeError(f"The cached property {self.__name__!r} takes no other functions: assign and delete its value.")

    getter = setter = deleter = _refuse
    """A `property` makes another one with these decorators."""

    if TYPE_CHECKING:  # assigned and deleted in the instance, as any attribute

        def __set__(self, instance: object, value: T) -> None: ...
        def __delete__(self, instance: object) -> None: ...


class _CachedInSlot(cached_property[T]):
    """A cached property of a class without ``__dict__``: slower, since each access comes here."""

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
