"""Descriptors that read a header or an environ key as a typed attribute."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, Generic, Protocol, TypeVar, overload

from ..http.conversion import convert
from ..http.headers import Headers

T = TypeVar("T")


class _Store(Protocol):
    """What a looked-up value lives in: an environ dictionary or ``Headers``."""

    def __getitem__(self, key: str, /) -> Any: ...
    def __setitem__(self, key: str, value: Any, /) -> None: ...
    def __contains__(self, key: str, /) -> bool: ...


class StoredProperty(Generic[T]):
    """An attribute kept under ``name`` in a store that :meth:`lookup` finds.

    :param default: the value if the key is missing, or if ``load_func`` raises ValueError or TypeError.
    :param load_func: turns the stored text into the value; ``dump_func`` does the reverse on assignment.
    """

    read_only = False

    def __init__(
        self,
        name: str,
        default: T | None = None,
        load_func: Callable[[str], T] | None = None,
        dump_func: Callable[[T], str | None] | None = None,
        read_only: bool | None = None,
        doc: str | None = None,
    ) -> None:
        self.name = name
        self.default = default
        self.load_func = load_func
        self.dump_func = dump_func
        if read_only is not None:
            self.read_only = read_only
        self.__doc__ = doc

    def lookup(self, obj: Any) -> Any:
        """The store of ``obj``: a mutable mapping from names to text."""
        raise NotImplementedError

    @overload
    def __get__(self, instance: None, owner: type) -> StoredProperty[T]: ...
    @overload
    def __get__(self, instance: Any, owner: type) -> T: ...
    def __get__(self, instance: Any | None, owner: type) -> T | StoredProperty[T] | None:
        if instance is None:
            return self
        store: _Store = self.lookup(instance)
        if self.name not in store:
            return self.default
        value: T = store[self.name]
        if self.load_func is None:
            return value
        return convert(value, self.default, self.load_func)  # type: ignore[arg-type]  # stored values are text

    def __set__(self, instance: Any, value: T) -> None:
        if self.read_only:
            raise AttributeError("read only property")
        self.store(instance, value if self.dump_func is None else self.dump_func(value))

    def store(self, instance: Any, dumped: Any) -> None:
        """Store a value that `dump_func` returned."""
        store: _Store = self.lookup(instance)
        store[self.name] = dumped

    def __delete__(self, instance: Any) -> None:
        if self.read_only:
            raise AttributeError("read only property")
        self.lookup(instance).pop(self.name, None)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class environ_property(StoredProperty[T]):
    """An attribute that reads a key of the ``environ`` of a request; read-only unless told otherwise."""

    read_only = True

    def lookup(self, obj: Any) -> MutableMapping[str, Any]:
        environ: MutableMapping[str, Any] = obj.environ
        return environ


class header_property(StoredProperty[T]):
    """An attribute that reads and writes one of the ``headers`` of a request or a response.

    Setting it to None removes the header; so does a value for which ``dump_func`` returns None.
    """

    def store(self, instance: Any, dumped: Any) -> None:
        if dumped is None:
            self.__delete__(instance)
        else:
            super().store(instance, dumped)

    def lookup(self, obj: Any) -> Headers:
        headers: Headers = obj.headers
        return headers
