"""The deprecated multidict that keeps the order of all its pairs, even across keys."""

from __future__ import annotations

import collections.abc as cabc
import itertools
import typing as t
import warnings

from ..http.conversion import convert_all
from ..http.errors import BadRequestKeyError
from ..http.immutable import ImmutableMultiDictMixin, Reduced
from ..http.multidict import K, MultiDict, T, V, _missing, iter_multi_items

# The underlying dict stores the serial numbers of the pairs for each key.
_serials_at: t.Any = dict.get
_store_serials: t.Any = dict.__setitem__
_stored_items: t.Any = dict.items


class _OrderedMultiDict(MultiDict[K, V]):
    """A `MultiDict` that keeps the order of all pairs, and compares it.

    .. deprecated:: A `MultiDict` keeps the order of its keys.
    """

    def __init__(
        self,
        mapping: MultiDict[K, V]
        | t.Mapping[K, V | list[V] | tuple[V, ...] | set[V]]
        | t.Iterable[tuple[K, V]]
        | None = None,
    ) -> None:
        warnings.warn(
            "'OrderedMultiDict' is deprecated and will be removed in Werkzeug 3.2. Use 'MultiDict' instead.",
            DeprecationWarning,
            stacklevel=2,
        )
        super().__init__()
        self._pairs: dict[int, tuple[K, V]] = {}
        self._serial = itertools.count()
        if mapping is not None:
            _OrderedMultiDict.update(self, mapping)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MultiDict):
            return not self and not other if isinstance(other, dict) else NotImplemented
        if isinstance(other, _OrderedMultiDict):
            return list(self.items(multi=True)) == list(other.items(multi=True))
        return len(self) == len(other) and all(other.getlist(key) == values for key, values in self.lists())

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __reduce_ex__(self, protocol: t.SupportsIndex) -> Reduced:
        return type(self), (list(self.items(multi=True)),)

    def __getstate__(self) -> list[tuple[K, V]]:
        return list(self.items(multi=True))

    def __setstate__(self, values: t.Iterable[tuple[K, V]]) -> None:
        self.clear()
        for key, value in values:
            self.add(key, value)

    def __getitem__(self, key: K) -> V:
        serials = _serials_at(self, key)
        if serials:
            return self._pairs[serials[0]][1]
        raise BadRequestKeyError(key)

    def __setitem__(self, key: K, value: V) -> None:
        self.setlist(key, (value,))

    def __delitem__(self, key: K) -> None:
        self.pop(key)

    def keys(self) -> cabc.Iterable[K]:  # type: ignore[override]  # no view
        """Yield each key."""
        return iter(self)

    def __iter__(self) -> t.Iterator[K]:
        return super().__iter__()

    def values(self) -> cabc.Iterable[V]:  # type: ignore[override]  # no view
        """Yield the first value of each key."""
        for _, value in self.items():
            yield value

    def items(self, multi: bool = False) -> cabc.Iterable[tuple[K, V]]:  # type: ignore[override]  # no view
        """Yield each key with its first value.

        :param multi: Yield all pairs, in their order.
        """
        if multi:
            yield from self._pairs.values()
        else:
            for _, serials in _stored_items(self):
                yield self._pairs[serials[0]]

    def lists(self) -> cabc.Iterable[tuple[K, list[V]]]:
        """Yield each key with its values."""
        for key, serials in _stored_items(self):
            yield key, [self._pairs[serial][1] for serial in serials]

    def listvalues(self) -> cabc.Iterable[list[V]]:
        """Yield the values of each key."""
        for _, values in self.lists():
            yield values

    def add(self, key: K, value: V) -> None:
        """Add a pair after all that are there."""
        serials = _serials_at(self, key)
        if serials is None:
            _store_serials(self, key, serials := [])
        serial = next(self._serial)
        serials.append(serial)
        self._pairs[serial] = (key, value)

    def getlist(  # type: ignore[override]  # the overloads are those of MultiDict.getlist
        self, key: K, type: cabc.Callable[[V], T] | None = None
    ) -> list[V] | list[T]:
        """All values of a key, converted."""
        values = [self._pairs[serial][1] for serial in _serials_at(self, key, ())]
        return values if type is None else convert_all(values, type)

    def setlist(self, key: K, new_list: cabc.Iterable[V]) -> None:
        """Remove a key and add it again, after all pairs that are there, with these values."""
        self.poplist(key)
        for value in new_list:
            self.add(key, value)

    def setlistdefault(self, key: object, default_list: object = None) -> t.NoReturn:
        """Not possible, since there is no list to hand out."""
        raise TypeError("setlistdefault is unsupported for ordered multi dicts")

    def update(  # type: ignore[override]  # dict.update takes keyword arguments
        self,
        mapping: MultiDict[K, V] | t.Mapping[K, V | list[V] | tuple[V, ...] | set[V]] | t.Iterable[tuple[K, V]],
    ) -> None:
        """Add pairs after all that are there."""
        for key, value in iter_multi_items(mapping):
            _OrderedMultiDict.add(self, key, value)

    def poplist(self, key: K) -> list[V]:
        """Remove a key and return its values; an empty list if it has none."""
        serials: t.Any = dict.pop(self, key, ())
        return [self._pairs.pop(serial)[1] for serial in serials]

    def pop(self, key: K, default: V | T = _missing) -> V | T:
        """Remove a key and return its first value, or the default if it has none.

        :raises BadRequestKeyError: It has none, and there is no default.
        """
        values = self.poplist(key)
        if values:
            return values[0]
        if default is not _missing:
            return default
        raise BadRequestKeyError(key)

    def popitem(self) -> tuple[K, V]:
        """Remove the key that came last and return it with its first value."""
        key, values = self.popitemlist()
        return key, values[0]

    def popitemlist(self) -> tuple[K, list[V]]:
        """Remove the key that came last and return it with its values.

        :raises BadRequestKeyError: There is none.
        """
        if not self:
            raise BadRequestKeyError("popitem(): dictionary is empty")
        key = next(reversed(self))
        return key, self.poplist(key)

    def clear(self) -> None:
        """Remove all pairs."""
        super().clear()
        self._pairs.clear()


class _ImmutableOrderedMultiDict(  # type: ignore[misc]  # it can be hashed, a dict cannot
    ImmutableMultiDictMixin[K, V], _OrderedMultiDict[K, V]
):
    """An `OrderedMultiDict` that cannot be changed, and can be hashed if its values can."""

    def _iter_hashitems(self) -> cabc.Iterable[object]:
        return enumerate(self.items(multi=True))

    def copy(self) -> _OrderedMultiDict[K, V]:  # type: ignore[override]  # what a copy is for is to be changed
        """A copy that can be changed."""
        return _OrderedMultiDict(self)

    def __copy__(self) -> t.Self:
        return self


OrderedMultiDict = _OrderedMultiDict
ImmutableOrderedMultiDict = _ImmutableOrderedMultiDict
