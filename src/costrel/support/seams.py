"""Override detection: which methods of a class have been replaced, by a subclass, on an instance or by patching.

Costrel has fast paths for methods that the application has not overridden. Only this module checks whether a method is
overridden, and it checks on each call. If a class is patched while the application runs (`unittest.mock.patch.object`),
the patch takes effect from the next call on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from operator import attrgetter
from typing import Any, TypeAlias

_NONE: frozenset[str] = frozenset()
_MAX_KNOWN = 64

_HAS_VERSION = 1 << 19
"""The flag of a class in which a name was looked up since it, or one of its bases, was changed."""
_NEVER = -1
"""Not the ``__flags__`` of any class."""
_MAX_CHANGES = 64
"""After so many changes of the same classes, looking the names up each time costs less than a new stamp."""


class _Quiet:
    """The first base of a probe, so that the ``__init_subclass__`` of the other bases does not see the probe."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        pass


class Stamp:
    """Detects with one attribute whether classes, or their bases, have changed since the stamp was made.

    The attribute is the ``__flags__`` of a subclass, in which nothing else looks a name up. CPython up to 3.12 clears a
    flag in a class and its subclasses when an attribute of the class is set, and sets it in a class in which it looks a
    name up. A stamp is never current in other releases, for classes with a metaclass, for classes that do not fit
    together, and for classes that change often.

    :param changes: how often the classes were changed before.
    """

    __slots__ = ("_flags", "_probe", "changes")

    def __init__(self, *classes: type, changes: int = 0) -> None:
        self.changes = changes
        self._probe: type = _Quiet
        self._flags = _NEVER
        if _KEEPS_VERSIONS and classes and changes < _MAX_CHANGES and all(type(each) is type for each in classes):
            with suppress(TypeError):
                self._probe = _probe(classes)
                if self._probe.__flags__ & _HAS_VERSION:
                    self._flags = self._probe.__flags__

    def is_current(self) -> bool:
        """Whether the classes are as they were."""
        return self._probe.__flags__ == self._flags


def _probe(classes: tuple[type, ...]) -> type:
    probe = type("Probe", (_Quiet, *classes), {"__slots__": ()})
    hasattr(probe, "_looked_up")  # a look-up sets the flag
    return probe


def _keeps_versions() -> bool:
    """Whether this Python has the flag, and clears it."""

    class Changed:
        pass

    probe = _probe((Changed,))
    flags = probe.__flags__
    Changed.changed = True  # type: ignore[attr-defined]  # that is the change
    return bool(flags & _HAS_VERSION) and probe.__flags__ != flags


_KEEPS_VERSIONS = _keeps_versions()

_Known: TypeAlias = tuple[type, int, frozenset[str], Stamp | None]
"""For a class: the probe and the flags of its stamp, the names that it replaces, and the stamp itself."""
_UNKNOWN: _Known = (_Quiet, _NEVER, _NONE, None)


class _KnownClasses(dict[type, _Known]):
    def __missing__(self, cls: type) -> _Known:
        return _UNKNOWN


class Seams:
    """The names of a class that subclasses, instances and patches may replace.

    :param owner: the class whose attributes are the originals; they are read once, here.
    :param names: two names or more. ``a.b`` is the attribute ``b`` of the class that is the attribute ``a``.
    :param assigned_only: names that are only assigned to instances, and that no class replaces.
    :param usual: the number of attributes that each instance has. An instance with no more has none of the names.
    """

    def __init__(self, owner: type, *names: str, assigned_only: tuple[str, ...] = (), usual: int = 0) -> None:
        self._usual = usual
        self._names = names
        self._all_names = (*names, *assigned_only)
        self._name_set = frozenset(self._all_names)
        self._classes = tuple({name.partition(".")[0] for name in names if "." in name})
        self._look_up = attrgetter(*names)
        self._originals: tuple[Any, ...] = self._look_up(owner)
        self._known = _KnownClasses()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all_names)

    def __contains__(self, name: str) -> bool:
        return name in self._name_set

    def are_original(self, instance: object) -> bool:
        """Whether neither the class of `instance` nor the instance itself replaces a name."""
        probe, flags, replaced, _ = self._known[instance.__class__]
        if probe.__flags__ != flags:
            replaced = self._examine(instance.__class__)
        return not replaced and self._name_set.isdisjoint(instance.__dict__)

    def are_original_in(self, cls: type) -> bool:
        """Whether `cls` replaces none of the names."""
        probe, flags, replaced, _ = self._known[cls]
        return not (replaced if probe.__flags__ == flags else self._examine(cls))

    def replaced(self, instance: object) -> frozenset[str]:
        """The names that the class of `instance` or the instance itself replaces.

        CPython 3.11 reads the attributes of an object more slowly once its ``__dict__`` has been used, as here, so the
        request path calls this last.
        """
        attributes = instance.__dict__
        if len(attributes) <= self._usual or self._name_set.isdisjoint(attributes):
            probe, flags, replaced, _ = self._known[instance.__class__]
            return replaced if probe.__flags__ == flags else self._examine(instance.__class__)
        return self.replaced_in(instance.__class__, self._name_set.intersection(attributes))

    def replaced_in(self, cls: type, assigned: frozenset[str] = _NONE) -> frozenset[str]:
        """The names that `cls` replaces, and those in `assigned`: names of `among` assigned to an instance of it."""
        probe, flags, replaced, _ = self._known[cls]
        if probe.__flags__ != flags:
            replaced = self._examine(cls)
        return replaced | assigned if assigned else replaced

    def classes(self, cls: type) -> tuple[type, ...]:
        """The classes on which the answers for `cls` depend."""
        return cls, *(getattr(cls, name) for name in self._classes)

    def _examine(self, cls: type) -> frozenset[str]:
        """Compare the attributes of `cls` with the original ones. Returns the names that it replaces."""
        stamp = self._known[cls][3]
        # Before the attributes are read: a change meanwhile shows in the stamp.
        if stamp is None:
            stamp = Stamp(*self.classes(cls))
        elif stamp._flags != _NEVER:
            stamp = Stamp(*self.classes(cls), changes=stamp.changes + 1)
        found, replaced = self._look_up(cls), _NONE
        if found != self._originals:
            pairs = zip(self._names, found, self._originals, strict=True)
            replaced = frozenset(name for name, value, original in pairs if value is not original)
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        self._known[cls] = (stamp._probe, stamp._flags, replaced, stamp)
        return replaced

    def among(self, names: frozenset[str]) -> frozenset[str]:
        """Those of `names` that are names of this object."""
        return self._name_set & names
