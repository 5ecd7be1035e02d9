"""Override detection: which methods of a class have been replaced, by a subclass, on an instance or by patching.

Costrel takes a shorter route through its own methods than through those of an application. This module is the only
place that asks whether a method is still Costrel's own, and it looks each time, so that a class that is patched while
the application runs (`unittest.mock.patch.object`) counts from the next call on.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

_NONE: frozenset[str] = frozenset()
_MAX_KNOWN = 64


class Seams:
    """The names of a class that other code may replace.

    :param owner: the class whose attributes are the original ones; they are read once, here.
    :param names: two names or more.
    :param assigned_only: names that no class replaces: they are asked for in `assigned` only.
    """

    def __init__(self, owner: type, *names: str, assigned_only: tuple[str, ...] = ()) -> None:
        self._names = names
        self._all_names = (*names, *assigned_only)
        self._name_set = frozenset(self._all_names)
        self.look_up = attrgetter(*names)
        """Returns the values of the names in a class, which a hot path compares with `originals` itself."""
        self.originals: tuple[Any, ...] = self.look_up(owner)
        self._known: dict[tuple[Any, ...], frozenset[str]] = {}
        """Values that were found in classes that replace some names → those names."""

    def __iter__(self) -> Iterator[str]:
        return iter(self._all_names)

    def __contains__(self, name: str) -> bool:
        return name in self._name_set

    def are_original(self, instance: object) -> bool:
        """Whether neither the class of `instance` nor the instance itself, with its few attributes, replaces a name."""
        return self.look_up(instance.__class__) == self.originals and self._name_set.isdisjoint(instance.__dict__)

    def are_original_in(self, cls: type) -> bool:
        """Whether `cls` replaces none of the names."""
        found: tuple[Any, ...] = self.look_up(cls)
        return found == self.originals

    def replaced(self, instance: object, usual: int = 0) -> frozenset[str]:
        """The names that the class of `instance` or the instance itself replaces.

        CPython 3.11 reads the attributes of an object more slowly once its ``__dict__`` was used, as it is here: on the
        way of each request, ask this last.

        :param usual: the number of attributes that each instance has. One with no more has none of the names.
        """
        of_class = _NONE if self.look_up(instance.__class__) == self.originals else self.replaced_in(type(instance))
        attributes = instance.__dict__
        if len(attributes) <= usual or self._name_set.isdisjoint(attributes):
            return of_class
        return of_class | self._name_set.intersection(attributes)

    def replaced_in(self, cls: type, assigned: frozenset[str] = _NONE) -> frozenset[str]:
        """The names that `cls` replaces, and those in `assigned`: names of `among` assigned to an instance of it."""
        found = self.look_up(cls)
        if found == self.originals:
            return assigned
        replaced = self._known.get(found)
        if replaced is None:
            pairs = zip(self._names, found, self.originals, strict=True)
            replaced = frozenset(name for name, value, original in pairs if value is not original)
            if len(self._known) < _MAX_KNOWN:
                self._known[found] = replaced
        return replaced | assigned if assigned else replaced

    def among(self, names: frozenset[str]) -> frozenset[str]:
        """Those of `names` that are names of this object."""
        return self._name_set & names
