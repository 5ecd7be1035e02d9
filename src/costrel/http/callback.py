"""Dicts that call a function when they change: the base of header types and sessions."""

from __future__ import annotations

import typing as t

K = t.TypeVar("K")
V = t.TypeVar("V")
T = t.TypeVar("T")

_missing: t.Any = object()


class UpdateDictMixin(dict[K, V]):
    """A dict that calls `on_update(self)` after a change. `setdefault` and `pop` do not always change it."""

    on_update: t.Callable[[t.Self], None] | None = None

    def _updated(self: t.Self) -> None:
        on_update = self.on_update
        if on_update is not None:
            on_update(self)

    def setdefault(self, key: K, default: V | None = None) -> V:
        changed = key not in self
        value = super().setdefault(key, default)  # type: ignore[arg-type]  # None is the default's default
        if changed:
            self._updated()
        return value

    @t.overload
    def pop(self, key: K) -> V: ...
    @t.overload
    def pop(self, key: K, default: V) -> V: ...
    @t.overload
    def pop(self, key: K, default: T) -> V | T: ...
    def pop(self, key: K, default: V | T = _missing) -> V | T:
        changed = key in self
        value = super().pop(key) if default is _missing else super().pop(key, default)
        if changed:
            self._updated()
        return value

    def __setitem__(self: t.Self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self._updated()

    def __delitem__(self, key: K) -> None:
        super().__delitem__(key)
        self._updated()

    def clear(self) -> None:
        super().clear()
        self._updated()

    def popitem(self) -> tuple[K, V]:
        item = super().popitem()
        self._updated()
        return item

    def update(  # type: ignore[override]  # dict.update has overloads that say the same
        self,
        arg: t.Mapping[K, V] | t.Iterable[tuple[K, V]] | None = None,
        /,
        **kwargs: V,
    ) -> None:
        if arg is None:
            super().update(**kwargs)  # type: ignore[call-overload]  # keyword arguments are str keys
        else:
            super().update(arg, **kwargs)
        self._updated()

    def __ior__(self, other: t.Mapping[K, V] | t.Iterable[tuple[K, V]]) -> t.Self:  # type: ignore[override, misc]
        super().__ior__(other)
        self._updated()
        return self


class CallbackDict(UpdateDictMixin[K, V], dict[K, V]):
    """A dict that calls `on_update` with itself as the argument after each change."""

    def __init__(
        self,
        initial: t.Mapping[K, V] | t.Iterable[tuple[K, V]] | None = None,
        on_update: t.Callable[[t.Self], None] | None = None,
    ) -> None:
        if initial is None:
            super().__init__()
        else:
            super().__init__(initial)
        self.on_update = on_update

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {dict.__repr__(self)}>"
