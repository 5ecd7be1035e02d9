"""Mixins that make containers immutable: lists, dicts, multidicts and headers that may be shared."""

from __future__ import annotations

import typing as t

K = t.TypeVar("K")
V = t.TypeVar("V")

Reduced: t.TypeAlias = tuple[type, tuple[object, ...]]

_missing: t.Final = object()


def _refuse(container: object) -> t.NoReturn:
    raise TypeError(f"{type(container).__name__!r} objects are immutable")


class ImmutableListMixin:
    """Make a list immutable and therefore hashable."""

    _hash_cache: int | None = None

    def __hash__(self) -> int:
        if self._hash_cache is None:
            self._hash_cache = hash(tuple(self))  # type: ignore[arg-type]  # mixed into a list
        return self._hash_cache

    def __reduce_ex__(self, protocol: t.SupportsIndex) -> Reduced:
        return type(self), (list(self),)  # type: ignore[call-overload]  # mixed into a list

    def __delitem__(self, key: object) -> t.NoReturn:
        _refuse(self)

    def __iadd__(self, other: object) -> t.NoReturn:
        _refuse(self)

    def __imul__(self, other: object) -> t.NoReturn:
        _refuse(self)

    def __setitem__(self, key: object, value: object) -> t.NoReturn:
        _refuse(self)

    def append(self, item: object) -> t.NoReturn:
        _refuse(self)

    def remove(self, item: object) -> t.NoReturn:
        _refuse(self)

    def extend(self, iterable: object) -> t.NoReturn:
        _refuse(self)

    def insert(self, pos: object, value: object) -> t.NoReturn:
        _refuse(self)

    def pop(self, index: object = -1) -> t.NoReturn:
        _refuse(self)

    def reverse(self) -> t.NoReturn:
        _refuse(self)

    def sort(self, key: object = None, reverse: object = False) -> t.NoReturn:
        _refuse(self)


class ImmutableList(ImmutableListMixin, list[V]):  # type: ignore[misc]  # it can be hashed, a list cannot
    """An immutable list, which is hashable if its items are."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list.__repr__(self)})"


class ImmutableDictMixin(t.Generic[K, V]):
    """Make a dict immutable and therefore hashable."""

    _hash_cache: int | None = None

    @classmethod
    def fromkeys(cls, keys: t.Iterable[K], value: V | None = None) -> t.Self:
        """A dict of this class with the same value for each key."""
        return cls(dict.fromkeys(keys, value))  # type: ignore[call-arg]  # mixed into a dict

    def __reduce_ex__(self, protocol: t.SupportsIndex) -> Reduced:
        return type(self), (dict(self),)  # type: ignore[call-overload]  # mixed into a dict

    def _iter_hashitems(self) -> t.Iterable[object]:
        return self.items()  # type: ignore[attr-defined, no-any-return]  # mixed into a dict

    def __hash__(self) -> int:
        if self._hash_cache is None:
            self._hash_cache = hash(frozenset(self._iter_hashitems()))
        return self._hash_cache

    def setdefault(self, key: object, default: object = None) -> t.NoReturn:
        _refuse(self)

    def update(self, arg: object, /, **kwargs: object) -> t.NoReturn:
        _refuse(self)

    def __ior__(self, other: object) -> t.NoReturn:
        _refuse(self)

    def pop(self, key: object, default: object = None) -> t.NoReturn:
        _refuse(self)

    def popitem(self) -> t.NoReturn:
        _refuse(self)

    def __setitem__(self, key: object, value: object) -> t.NoReturn:
        _refuse(self)

    def __delitem__(self, key: object) -> t.NoReturn:
        _refuse(self)

    def clear(self) -> t.NoReturn:
        _refuse(self)


class ImmutableMultiDictMixin(ImmutableDictMixin[K, V]):
    """Make a multidict immutable and therefore hashable."""

    def __reduce_ex__(self, protocol: t.SupportsIndex) -> Reduced:
        return type(self), (list(self._iter_hashitems()),)

    def _iter_hashitems(self) -> t.Iterable[object]:
        return self.items(multi=True)  # type: ignore[attr-defined, no-any-return]  # mixed into a MultiDict

    def add(self, key: object, value: object) -> t.NoReturn:
        _refuse(self)

    def popitemlist(self) -> t.NoReturn:
        _refuse(self)

    def poplist(self, key: object) -> t.NoReturn:
        _refuse(self)

    def setlist(self, key: object, new_list: object) -> t.NoReturn:
        _refuse(self)

    def setlistdefault(self, key: object, default_list: object = None) -> t.NoReturn:
        _refuse(self)


class ImmutableDict(ImmutableDictMixin[K, V], dict[K, V]):  # type: ignore[misc]  # it can be hashed, a dict cannot
    """An immutable dict, which is hashable if its values are."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict.__repr__(self)})"

    def copy(self) -> dict[K, V]:
        """A plain, mutable dict."""
        return dict(self)

    def __copy__(self) -> t.Self:
        return self


class ImmutableHeadersMixin:
    """Make headers immutable. They stay unhashable, since a view of a mutable object may use this mixin too."""

    def __delitem__(self, key: object, **kwargs: object) -> t.NoReturn:
        _refuse(self)

    def __setitem__(self, key: object, value: object) -> t.NoReturn:
        _refuse(self)

    def set(self, key: object, value: object, /, **kwargs: object) -> t.NoReturn:
        _refuse(self)

    def setlist(self, key: object, values: object) -> t.NoReturn:
        _refuse(self)

    def add(self, key: object, value: object, /, **kwargs: object) -> t.NoReturn:
        _refuse(self)

    def add_header(self, key: object, value: object, /, **kwargs: object) -> t.NoReturn:
        _refuse(self)

    def remove(self, key: object) -> t.NoReturn:
        _refuse(self)

    def extend(self, arg: object, /, **kwargs: object) -> t.NoReturn:
        _refuse(self)

    def update(self, arg: object, /, **kwargs: object) -> t.NoReturn:
        _refuse(self)

    def __ior__(self, other: object) -> t.NoReturn:
        _refuse(self)

    def insert(self, pos: object, value: object) -> t.NoReturn:
        _refuse(self)

    def pop(self, key: object = None, default: object = _missing) -> t.NoReturn:
        _refuse(self)

    def popitem(self) -> t.NoReturn:
        _refuse(self)

    def setdefault(self, key: object, default: object) -> t.NoReturn:
        _refuse(self)

    def setlistdefault(self, key: object, default: object) -> t.NoReturn:
        _refuse(self)
