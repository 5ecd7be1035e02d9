"""Dicts whose keys may have several values, as query strings, forms, cookies and headers do.

A `MultiDict` is a dict of lists that shows the first value of each, so that code which expects one value reads one.
"""

from __future__ import annotations

import collections.abc as cabc
import typing as t
from copy import deepcopy
from itertools import chain

from .conversion import convert, convert_all
from .errors import BadRequestKeyError
from .immutable import ImmutableDictMixin, ImmutableMultiDictMixin

K = t.TypeVar("K")
V = t.TypeVar("V")
T = t.TypeVar("T")

_missing: t.Any = object()

# Methods of dict itself, which store the lists of a MultiDict; its own methods show the first value of each.
_list_at: t.Any = dict.get
_store_list: t.Any = dict.__setitem__
_store_lists: t.Any = dict.update
#: ``list_in(multidict, key, [])`` returns the list of a key; if there is none, it stores and returns the given one.
list_in: t.Any = dict.setdefault
_stored_items: t.Any = dict.items
_stored_values: t.Any = dict.values


def iter_multi_items(
    mapping: MultiDict[K, V] | t.Mapping[K, V | list[V] | tuple[V, ...] | set[V]] | t.Iterable[tuple[K, V]],
) -> t.Iterator[tuple[K, V]]:
    """Yield every pair of a mapping, or of an iterable of pairs; a list, tuple or set in a dict counts as values."""
    if isinstance(mapping, MultiDict):
        return iter(mapping.items(multi=True))
    return _iter_other(mapping)


def iter_multi_values(mapping: MultiDict[t.Any, V] | t.Mapping[t.Any, V]) -> t.Iterator[V]:
    """Yield the value of every pair of a mapping."""
    if isinstance(mapping, MultiDict):
        return chain.from_iterable(mapping.listvalues())
    return (value for _, value in _iter_other(mapping))


def _iter_other(
    mapping: t.Mapping[K, V | list[V] | tuple[V, ...] | set[V]] | t.Iterable[tuple[K, V]],
) -> t.Iterator[tuple[K, V]]:
    if type(mapping) is not list and isinstance(mapping, (dict, cabc.Mapping)):
        for key, value in mapping.items():
            if isinstance(value, (list, tuple, set)):
                for single in value:
                    yield key, single
            else:
                yield key, value
    else:
        yield from mapping


class TypeConversionDict(dict[K, V]):
    """A dict whose `get` converts the value."""

    @t.overload
    def get(self, key: K, default: None = None, type: None = None) -> V | None: ...
    @t.overload
    def get(self, key: K, default: V, type: None = None) -> V: ...
    @t.overload
    def get(self, key: K, default: T, type: None = None) -> V | T: ...
    @t.overload
    def get(self, key: K, default: None = None, *, type: cabc.Callable[[V], T]) -> T | None: ...
    @t.overload
    def get(self, key: K, default: T, type: cabc.Callable[[V], T]) -> T: ...
    def get(self, key: t.Any, default: V | T | None = None, type: cabc.Callable[[V], T] | None = None) -> V | T | None:
        """The value of a key, converted.

        :param type: Makes the result from the value. If it raises one of `UNCONVERTIBLE`, the default is returned.
        """
        try:
            value = self[key]
        except KeyError:
            return default
        if type is None:
            return value
        return convert(value, default, type)


class ImmutableTypeConversionDict(  # type: ignore[misc]  # it can be hashed, a dict cannot
    ImmutableDictMixin[K, V], TypeConversionDict[K, V]
):
    """A dict that cannot be changed, and whose `get` converts the value."""

    def copy(self) -> TypeConversionDict[K, V]:
        """A copy that can be changed."""
        return TypeConversionDict(self)

    def __copy__(self) -> t.Self:
        return self


class MultiDict(TypeConversionDict[K, V]):
    """A dict whose keys may have several values: as a dict it shows the first one of each, in more methods all.

    A key that is missing raises a `BadRequestKeyError`, which is a `KeyError` that answers the client with a 400.

    :param mapping: A dict, whose lists, tuples and sets count as values, or pairs.
    """

    def __init__(
        self,
        mapping: MultiDict[K, V]
        | t.Mapping[K, V | list[V] | tuple[V, ...] | set[V]]
        | t.Iterable[tuple[K, V]]
        | None = None,
    ) -> None:
        if mapping is None:
            return
        if isinstance(mapping, MultiDict):
            _store_lists(self, mapping.lists())
        elif type(mapping) is not list and isinstance(mapping, (dict, cabc.Mapping)):
            _store_lists(self, _split(mapping))
        else:
            _store_lists(self, _group(mapping))

    def __init_subclass__(cls, **kwargs: t.Any) -> None:
        super().__init_subclass__(**kwargs)
        # `get` looks below `__getitem__`; a class with one of its own gets the `get` that asks it.
        if "__getitem__" in cls.__dict__ and "get" not in cls.__dict__:
            cls.get = TypeConversionDict.get  # type: ignore[method-assign]  # bound when the class is made

    if not t.TYPE_CHECKING:  # the overloads are those of TypeConversionDict

        def get(self, key, default=None, type=None):
            """The first value of a key, converted.

            :param type: Makes the result from the value. If it raises one of `UNCONVERTIBLE`, the default is returned.
            """
            values: list[V] | None = _list_at(self, key)
            if not values:
                return default
            if type is None:
                return values[0]
            return convert(values[0], default, type)

    def __getstate__(self) -> t.Any:
        return dict(self.lists())

    def __setstate__(self, value: t.Any) -> None:
        dict.clear(self)
        dict.update(self, value)

    # Written out so that `dict(md)` and `{**md}` ask `__getitem__`: C code copies the lists of a dict that lacks it.
    def __iter__(self) -> t.Iterator[K]:
        return super().__iter__()

    def __getitem__(self, key: K) -> V:
        """The first value of a key.

        :raises BadRequestKeyError: It has none.
        """
        values: list[V] | None = _list_at(self, key)
        if values:
            return values[0]
        raise BadRequestKeyError(key)

    def __setitem__(self, key: K, value: V) -> None:
        """Give a key one value in place of all it had."""
        _store_list(self, key, [value])

    def add(self, key: K, value: V) -> None:
        """Give a key one value more."""
        values: list[V] | None = _list_at(self, key)
        if values is None:
            _store_list(self, key, [value])
        else:
            values.append(value)

    @t.overload
    def getlist(self, key: K) -> list[V]: ...
    @t.overload
    def getlist(self, key: K, type: cabc.Callable[[V], T]) -> list[T]: ...
    def getlist(self, key: K, type: cabc.Callable[[V], T] | None = None) -> list[V] | list[T]:
        """All values of a key, converted; an empty list if it has none.

        :param type: Makes each item from a value. Values for which it raises one of `UNCONVERTIBLE` are
            left out.
        """
        values: list[V] = _list_at(self, key, ())
        return list(values) if type is None else convert_all(values, type)

    def setlist(self, key: K, new_list: cabc.Iterable[V]) -> None:
        """Give a key these values in place of all it had."""
        _store_list(self, key, list(new_list))

    @t.overload
    def setdefault(self, key: K) -> V | None: ...
    @t.overload
    def setdefault(self, key: K, default: V) -> V: ...
    def setdefault(self, key: K, default: V | None = None) -> V | None:
        """The first value of a key, after giving it the default if it is missing."""
        if key not in self:
            self[key] = default  # type: ignore[assignment]  # None is the default's default
        return self[key]

    def setlistdefault(self, key: K, default_list: cabc.Iterable[V] | None = None) -> list[V]:
        """The list of a key itself, after giving it a copy of the default if it is missing."""
        if key not in self:
            _store_list(self, key, list(default_list or ()))
        values: list[V] = _list_at(self, key)
        return values

    def items(self, multi: bool = False) -> cabc.Iterable[tuple[K, V]]:  # type: ignore[override]  # no view
        """Yield each key with its first value.

        :param multi: Yield a pair for every value.
        """
        values: list[V]
        for key, values in _stored_items(self):
            if multi:
                for value in values:
                    yield key, value
            else:
                yield key, values[0]

    def lists(self) -> cabc.Iterable[tuple[K, list[V]]]:
        """Yield each key with a copy of its values."""
        for key, values in _stored_items(self):
            yield key, list(values)

    def values(self) -> cabc.Iterable[V]:  # type: ignore[override]  # no view
        """Yield the first value of each key."""
        for values in _stored_values(self):
            yield values[0]

    def listvalues(self) -> cabc.Iterable[list[V]]:
        """The lists of all keys themselves."""
        values: cabc.Iterable[list[V]] = _stored_values(self)
        return values

    def copy(self) -> t.Self:
        """A copy with lists of its own; the values are the same."""
        return self.__class__(self)

    def deepcopy(self, memo: t.Any = None) -> t.Self:
        """A copy with values of its own."""
        return self.__class__(deepcopy(self.to_dict(flat=False), memo))

    @t.overload
    def to_dict(self) -> dict[K, V]: ...
    @t.overload
    def to_dict(self, flat: t.Literal[True]) -> dict[K, V]: ...
    @t.overload
    def to_dict(self, flat: t.Literal[False]) -> dict[K, list[V]]: ...
    @t.overload
    def to_dict(self, flat: bool = True) -> dict[K, V] | dict[K, list[V]]: ...
    def to_dict(self, flat: bool = True) -> dict[K, V] | dict[K, list[V]]:
        """A plain dict with the first value of each key.

        :param flat: False gives lists with all values.
        """
        return dict(self.items()) if flat else dict(self.lists())

    def update(  # type: ignore[override]  # dict.update takes keyword arguments
        self,
        mapping: MultiDict[K, V] | t.Mapping[K, V | list[V] | tuple[V, ...] | set[V]] | t.Iterable[tuple[K, V]],
    ) -> None:
        """Add pairs; unlike `dict.update`, this keeps the values that are there."""
        for key, value in iter_multi_items(mapping):
            self.add(key, value)

    def __or__(  # type: ignore[override]  # values come in lists too
        self, other: t.Mapping[K, V | list[V] | tuple[V, ...] | set[V]]
    ) -> MultiDict[K, V]:
        if not isinstance(other, cabc.Mapping):
            return NotImplemented
        result = self.copy()
        result.update(other)
        return result

    def __ior__(  # type: ignore[override]  # values come in lists too
        self, other: t.Mapping[K, V | list[V] | tuple[V, ...] | set[V]] | t.Iterable[tuple[K, V]]
    ) -> t.Self:
        if not isinstance(other, (cabc.Mapping, cabc.Iterable)):
            return NotImplemented
        self.update(other)
        return self

    @t.overload
    def pop(self, key: K) -> V: ...
    @t.overload
    def pop(self, key: K, default: V) -> V: ...
    @t.overload
    def pop(self, key: K, default: T) -> V | T: ...
    def pop(self, key: K, default: V | T = _missing) -> V | T:
        """Remove a key and return its first value, or the default if it has none.

        :raises BadRequestKeyError: It has none, and there is no default.
        """
        values: list[V] | None = dict.pop(self, key, None)  # type: ignore[assignment]  # lists are stored
        if values:
            return values[0]
        if default is not _missing:
            return default
        raise BadRequestKeyError(key)

    def popitem(self) -> tuple[K, V]:
        """Remove the key that came last and return it with its first value.

        :raises BadRequestKeyError: There is none.
        """
        key, values = self.popitemlist()
        if not values:
            raise BadRequestKeyError(key)
        return key, values[0]

    def poplist(self, key: K) -> list[V]:
        """Remove a key and return its values; an empty list if it has none."""
        values: t.Any = dict.pop(self, key, [])
        return t.cast("list[V]", values)

    def popitemlist(self) -> tuple[K, list[V]]:
        """Remove the key that came last and return it with its values.

        :raises BadRequestKeyError: There is none.
        """
        try:
            item: t.Any = dict.popitem(self)
        except KeyError as error:
            raise BadRequestKeyError(error.args[0]) from None
        return t.cast("tuple[K, list[V]]", item)

    def __copy__(self) -> t.Self:
        return self.copy()

    def __deepcopy__(self, memo: t.Any) -> t.Self:
        return self.deepcopy(memo=memo)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.items(multi=True))!r})"


#: The constructor of a class whose instances may be filled without it: `MultiDict`'s own.
own_constructor = MultiDict.__init__

#: ``empty(cls)`` makes an instance of such a class without it.
empty: t.Any = dict.__new__


def of_pairs(cls: type[MultiDict[K, V]], pairs: list[tuple[K, V]]) -> MultiDict[K, V]:
    """A multi-dict of pairs. A class with a constructor of its own gets the list."""
    if cls.__init__ is not own_constructor:
        return cls(pairs)
    result: MultiDict[K, V] = empty(cls)
    for key, value in pairs:
        list_in(result, key, []).append(value)
    return result


def _group(pairs: t.Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    lists: dict[K, list[V]] = {}
    for key, value in pairs:
        if key in lists:
            lists[key].append(value)
        else:
            lists[key] = [value]
    return lists


def _split(mapping: t.Mapping[K, t.Any]) -> dict[K, list[t.Any]]:
    lists = {}
    for key, value in mapping.items():
        if not isinstance(value, (list, tuple, set)):
            lists[key] = [value]
        elif value:
            lists[key] = list(value)
    return lists


class ImmutableMultiDict(  # type: ignore[misc]  # it can be hashed, a dict cannot
    ImmutableMultiDictMixin[K, V], MultiDict[K, V]
):
    """A `MultiDict` that cannot be changed, and can be hashed if its values can."""

    def copy(self) -> MultiDict[K, V]:  # type: ignore[override]  # a copy can be changed
        """A copy that can be changed."""
        return MultiDict(self)

    def __copy__(self) -> t.Self:
        return self


class CombinedMultiDict(  # type: ignore[misc]  # it can be hashed, a dict cannot
    ImmutableMultiDictMixin[K, V], MultiDict[K, V]
):
    """Several multi-dicts shown as one that cannot be changed, such as `request.values`.

    The first dict that has a key gives its value; the lists of all of them are joined. It is a view: a change in one of
    the dicts shows.
    """

    def __init__(self, dicts: cabc.Iterable[MultiDict[K, V]] | None = None) -> None:
        super().__init__()
        self.dicts: list[MultiDict[K, V]] = list(dicts or ())

    def __reduce_ex__(self, protocol: t.SupportsIndex) -> t.Any:
        return type(self), (self.dicts,)

    @classmethod
    def fromkeys(cls, keys: t.Any, value: t.Any = None) -> t.NoReturn:
        """Not possible, since the values live in other dicts."""
        raise TypeError(f"cannot create {cls.__name__!r} instances by fromkeys")

    def __getitem__(self, key: K) -> V:
        for source in self.dicts:
            if key in source:
                return source[key]
        raise BadRequestKeyError(key)

    if not t.TYPE_CHECKING:  # the overloads are those of TypeConversionDict

        def get(self, key, default=None, type=None):
            """The first value of a key; with a `type`, the first that it converts."""
            for source in self.dicts:
                if key in source:
                    if type is None:
                        return source[key]
                    value = convert(source[key], _missing, type)
                    if value is not _missing:
                        return value
            return default

    @t.overload
    def getlist(self, key: K) -> list[V]: ...
    @t.overload
    def getlist(self, key: K, type: cabc.Callable[[V], T]) -> list[T]: ...
    def getlist(self, key: K, type: cabc.Callable[[V], T] | None = None) -> list[V] | list[T]:
        """All values of a key in all of the dicts."""
        result: list[t.Any] = []
        for source in self.dicts:
            result += source.getlist(key, type)  # type: ignore[arg-type]  # None is what the other overload is for
        return result

    def _keys_impl(self) -> set[K]:
        return {key for source in self.dicts for key in source}

    def keys(self) -> cabc.Iterable[K]:  # type: ignore[override]  # no view
        """The keys of all dicts, in no order."""
        return self._keys_impl()

    def __iter__(self) -> cabc.Iterator[K]:
        return iter(self._keys_impl())

    def items(self, multi: bool = False) -> cabc.Iterable[tuple[K, V]]:  # type: ignore[override]  # no view
        """Yield each key with its first value, dict by dict.

        :param multi: Yield a pair for every value.
        """
        seen: set[K] = set()
        for source in self.dicts:
            for key, value in source.items(multi):
                if multi:
                    yield key, value
                elif key not in seen:
                    seen.add(key)
                    yield key, value

    def values(self) -> cabc.Iterable[V]:  # type: ignore[override]  # no view
        """Yield the first value of each key."""
        for _, value in self.items():
            yield value

    def lists(self) -> cabc.Iterable[tuple[K, list[V]]]:
        """Yield each key with its values in all of the dicts."""
        joined: dict[K, list[V]] = {}
        for source in self.dicts:
            for key, values in source.lists():
                joined.setdefault(key, []).extend(values)
        return joined.items()

    def listvalues(self) -> cabc.Iterable[list[V]]:
        """Yield the values of each key."""
        for _, values in self.lists():
            yield values

    def copy(self) -> MultiDict[K, V]:  # type: ignore[override]  # a copy can be changed
        """A multi-dict of its own, which can be changed."""
        return MultiDict(self)

    def deepcopy(self, memo: t.Any = None) -> t.Self:
        """A combination of deep copies of the dicts."""
        return self.__class__(deepcopy(self.dicts, memo))

    def __len__(self) -> int:
        return len(self._keys_impl())

    def __contains__(self, key: object) -> bool:
        return any(key in source for source in self.dicts)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dicts!r})"
