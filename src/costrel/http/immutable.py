"""What makes a container refuse every change: lists, dicts, multi-dicts and headers that may be shared."""

from __future__ import annotations

import typing as t

K = t.TypeVar("K")
V = t.TypeVar("V")

_missing: t.Any = object()


def _refuse(container: object) -> t.NoReturn:
    raise TypeError(f"{type(container).__name__!r} objects are immutable")


class ImmutableListMixin:
    """Make a list refuse changes, and hashable in return."""

    _hash_cache: int | None = None

    def __hash__(self) -> int:
        if self._hash_cache is None:
            self._hash_cache = hash(tuple(self))  # type: ignore[arg-type]  # mixed into a list
        return self._hash_cache

    def __reduce_ex__(self, protocol: t.SupportsIndex) -> t.Any:
        return type(self), (list(self),)  # type: ignore[call-overload]  # mixed into a list

    def __delitem__(self, key: t.Any) -> t.NoReturn:
        _refuse(self)

    def __iadd__(self, other: t.Any) -> t.NoReturn:
        _refuse(self)

    def __imul__(self, other: t.Any) -> t.NoReturn:
        _refuse(self)

    def __setitem__(self, key: t.Any, value: t.Any) -> t.NoReturn:
        _refuse(self)

    def append(self, item: t.Any) -> t.NoReturn:
        _refuse(self)

    def remove(self, item: t.Any) -> t.NoReturn:
        _refuse(self)

    def extend(self, iterable: t.Any) -> t.NoReturn:
        _refuse(self)

    def insert(self, pos: t.Any, value: t.Any) -> t.NoReturn:
        _refuse(self)

    def pop(self, index: t.Any = -1) -> t.NoReturn:
        _refuse(self)

    def reverse(self) -> t.NoReturn:
        _refuse(self)

    def sort(self, key: t.Any = None, reverse: t.Any = False) -> t.NoReturn:
        _refuse(self)


class ImmutableList(ImmutableListMixin, list[V]):  # type: ignore[misc]  # it can be hashed, a list cannot
    """A list that cannot be changed, and can be hashed if its items can."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list.__repr__(self)})"


class ImmutableDictMixin(t.Generic[K, V]):
    """Make a dict refuse changes, and hashable in return."""

    _hash_cache: int | None = None

    @classmethod
    def fromkeys(cls, keys: t.Iterable[K], value: V | None = None) -> t.Any:
        """A dict of this class with the same value under each key."""
        return cls(dict.fromkeys(keys, value))  # type: ignore[call-arg]  # mixed into a dict

    def __reduce_ex__(self, protocol: t.SupportsIndex) -> t.Any:
        return type(self), (dict(self),)  # type: ignore[call-overload]  # mixed into a dict

    def _iter_hashitems(self) -> t.Iterable[t.Any]:
        return self.items()  # type: ignore[attr-defined, no-any-return]  # mixed into a dict

    def __hash__(self) -> int:
        if self._hash_cache is None:
            self._hash_cache = hash(frozenset(self._iter_hashitems()))
        return self._hash_cache

    def setdefault(self, key: t.Any, default: t.Any = None) -> t.NoReturn:
        _refuse(self)

    def update(self, arg: t.Any, /, **kwargs: t.Any) -> t.NoReturn:
        _refuse(self)

    def __ior__(self, other: t.Any) -> t.NoReturn:
        _refuse(self)

    def pop(self, key: t.Any, default: t.Any = None) -> t.NoReturn:
        _refuse(self)

    def popitem(self) -> t.NoReturn:
        _refuse(self)

    def __setitem__(self, key: t.Any, value: t.Any) -> t.NoReturn:
        _refuse(self)

    def __delitem__(self, key: t.Any) -> t.NoReturn:
        _refuse(self)

    def clear(self) -> t.NoReturn:
        _refuse(self)


class ImmutableMultiDictMixin(ImmutableDictMixin[K, V]):
    """Make a multi-dict refuse changes, and hashable in return."""

    def __reduce_ex__(self, protocol: t.SupportsIndex) -> t.Any:
        return type(self), (list(self._iter_hashitems()),)

    def _iter_hashitems(self) -> t.Iterable[t.Any]:
        return self.items(multi=True)  # type: ignore[attr-defined, no-any-return]  # mixed into a MultiDict

    def add(self, key: t.Any, value: t.Any) -> t.NoReturn:
        _refuse(self)

    def popitemlist(self) -> t.NoReturn:
        _refuse(self)

    def poplist(self, key: t.Any) -> t.NoReturn:
        _refuse(self)

    def setlist(self, key: t.Any, new_list: t.Any) -> t.NoReturn:
        _refuse(self)

    def setlistdefault(self, key: t.Any, default_list: t.Any = None) -> t.NoReturn:
        _refuse(self)


class ImmutableDict(ImmutableDictMixin[K, V], dict[K, V]):  # type: ignore[misc]  # it can be hashed, a dict cannot
    """A dict that cannot be changed, and can be hashed if its values can."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict.__repr__(self)})"

    def copy(self) -> dict[K, V]:
        """A plain dict, which can be changed."""
        return dict(self)

    def __copy__(self) -> t.Self:
        return self


class ImmutableHeadersMixin:
    """Make headers refuse changes. They stay unhashable, since a view on something that changes may use this too."""

    def __delitem__(self, key: t.Any, **kwargs: t.Any) -> t.NoReturn:
        _refuse(self)

    def __setitem__(self, key: t.Any, value: t.Any) -> t.NoReturn:
        _refuse(self)

    def set(self, key: t.Any, value: t.Any, /, **kwargs: t.Any) -> t.NoReturn:
        _refuse(self)

    def setlist(self, key: t.Any, values: t.Any) -> t.NoReturn:
        _refuse(self)

    def add(self, key: t.Any, value: t.Any, /, **kwargs: t.Any) -> t.NoReturn:
        _refuse(self)

    def add_header(self, key: t.Any, value: t.Any, /, **kwargs: t.Any) -> t.NoReturn:
        _refuse(self)

    def remove(self, key: t.Any) -> t.NoReturn:
        _refuse(self)

    def extend(self, arg: t.Any, /, **kwargs: t.Any) -> t.NoReturn:
        _refuse(self)

    def update(self, arg: t.Any, /, **kwargs: t.Any) -> t.NoReturn:
        _refuse(self)

    def __ior__(self, other: t.Any) -> t.NoReturn:
        _refuse(self)

    def insert(self, pos: t.Any, value: t.Any) -> t.NoReturn:
        _refuse(self)

    def pop(self, key: t.Any = None, default: t.Any = _missing) -> t.NoReturn:
        _refuse(self)

    def popitem(self) -> t.NoReturn:
        _refuse(self)

    def setdefault(self, key: t.Any, default: t.Any) -> t.NoReturn:
        _refuse(self)

    def setlistdefault(self, key: t.Any, default: t.Any) -> t.NoReturn:
        _refuse(self)
