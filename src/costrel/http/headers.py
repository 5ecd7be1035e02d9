"""The header fields of a message: an ordered list of pairs, found by names whose case does not matter."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from ..support.patterns import LatePattern
from .errors import BadRequestKeyError
from .grammar import dump_options_header
from .multidict import MultiDict, iter_multi_items

T = t.TypeVar("T")

Pair: t.TypeAlias = tuple[str, str]
Source: t.TypeAlias = (
    "Headers | MultiDict[str, t.Any] | t.Mapping[str, t.Any | list[t.Any] | tuple[t.Any, ...] | set[t.Any]]"
    " | t.Iterable[tuple[str, t.Any]]"
)

_missing: t.Any = object()

# RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous"; other control characters
# but the tab are invalid too. RFC 9110 §5.1: a name is a token, so it has none at all.
_find_control_in_value = LatePattern(r"[\x00-\x08\x0a-\x1f\x7f]").search
_find_control_in_name = LatePattern(r"[\x00-\x1f\x7f]").search


def _pair(name: str, value: t.Any) -> Pair:
    """A field's name and its value as text.

    :raises ValueError: One of them contains a control character.
    """
    # Nearly all of them are printable, which is told quickly, and then contain no control characters.
    if type(name) is str is type(value) and name.isprintable() and value.isprintable():
        return name, value
    if isinstance(name, str) and _find_control_in_name(name):
        raise ValueError(f"Header names must not contain control characters, found {name!r}.")
    text: str = value if issubclass(type(value), str) else str(value)  # a proxy says that it is a str, and is none
    if found := _find_control_in_value(text):
        if found[0] in "\r\n":
            raise ValueError("Header values must not contain newline characters.")
        raise ValueError(f"Header values must not contain control characters, found {found[0]!r} in {text!r}.")
    return name, text


def _convert(value: str, default: t.Any, type: cabc.Callable[[str], T]) -> t.Any:
    try:
        return type(value)
    except ValueError:
        return default


def _with_options(value: str | None, options: dict[str, t.Any]) -> str:
    return dump_options_header(value, {name.replace("_", "-"): option for name, option in options.items()})


def _names_to_set(source: Headers | MultiDict[str, t.Any]) -> t.Iterable[str]:
    """The names in their order, and of those that stand several times the first and the last.

    The first settles where a name goes, the last how it is written and where its further values go; those between
    would change nothing, and take quadratic time.
    """
    names = list(source.keys())
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for index, name in enumerate(names):
        lower = name.lower()
        first.setdefault(lower, index)
        last[lower] = index
    return [names[index] for index in sorted({*first.values(), *last.values()})]


class Headers:
    """Header fields in their order; a name may stand several times, and its case does not matter.

    Values are kept as text: anything else is converted by `str`. Control characters other than the tab are refused, so
    that no value can end its field and begin another. A name that is missing raises a `BadRequestKeyError`.

    :param defaults: A dict, whose lists, tuples and sets count as values, or pairs.
    """

    # Changed in place and never rebound, since a response and a server may hold it too.
    _list: list[Pair]

    def __init__(self, defaults: Source | None = None) -> None:
        self._list = []
        if defaults is not None:
            self.extend(defaults)

    def __init_subclass__(cls, **kwargs: t.Any) -> None:
        super().__init_subclass__(**kwargs)
        # `get` reads the list; a class that finds its values elsewhere gets the `get` that asks `_find`.
        if "_find" in cls.__dict__ and "get" not in cls.__dict__:
            cls.get = Headers._get_found  # type: ignore[assignment, method-assign]  # the overloads are those of get

    @classmethod
    def adopt(cls, pairs: list[Pair]) -> t.Self:
        """Wrap a list of pairs without a copy and without a check: what changes the one changes the other."""
        headers = cls.__new__(cls)
        headers._list = pairs
        return headers

    def _find(self, key: str) -> str | None:
        """The first value of a name, if there is one: what all that reads by name asks."""
        wanted = key.lower()
        for name, value in self._list:
            if name == key or name.lower() == wanted:
                return value
        return None

    def _get_key(self, key: str) -> str:
        value = self._find(key)
        if value is None:
            raise BadRequestKeyError(key)
        return value

    @t.overload
    def __getitem__(self, key: str) -> str: ...
    @t.overload
    def __getitem__(self, key: int) -> Pair: ...
    @t.overload
    def __getitem__(self, key: slice) -> t.Self: ...
    def __getitem__(self, key: str | int | slice) -> str | Pair | t.Self:
        """The first value of a name, the pair at an index, or new headers of a slice.

        :raises BadRequestKeyError: There is no such name.
        """
        if isinstance(key, str):
            value = self._find(key)
            if value is None:
                raise BadRequestKeyError(key)
            return value
        if isinstance(key, int):
            return self._list[key]
        return self.__class__(self._list[key])

    def __eq__(self, other: object) -> bool:
        """Headers are equal to others of the same class with the same pairs, in whatever order."""
        if not isinstance(other, Headers) or other.__class__ is not self.__class__:
            return NotImplemented
        return {(name.lower(), value) for name, value in self._list} == {
            (name.lower(), value) for name, value in other._list
        }

    __hash__ = None  # type: ignore[assignment]  # they can be changed

    @t.overload
    def get(self, key: str) -> str | None: ...
    @t.overload
    def get(self, key: str, default: str) -> str: ...
    @t.overload
    def get(self, key: str, default: T) -> str | T: ...
    @t.overload
    def get(self, key: str, type: cabc.Callable[[str], T]) -> T | None: ...
    @t.overload
    def get(self, key: str, default: T, type: cabc.Callable[[str], T]) -> T: ...
    def get(  # type: ignore[misc]  # `type` comes second in one overload, by name
        self, key: str, default: str | T | None = None, type: cabc.Callable[[str], T] | None = None
    ) -> str | T | None:
        """The first value of a name, converted.

        :param type: Makes the result from the value. Where it raises a `ValueError`, the default is returned.
        """
        wanted = key.lower()
        for name, value in self._list:
            # PERF: headers_get. Most code writes a name as the sender does, and comparing is quicker than lowering.
            if name == key or name.lower() == wanted:
                return value if type is None else _convert(value, default, type)
        return default

    def _get_found(self, key: str, default: t.Any = None, type: cabc.Callable[[str], T] | None = None) -> t.Any:
        value = self._find(key)
        if value is None:
            return default
        return value if type is None else _convert(value, default, type)

    @t.overload
    def getlist(self, key: str) -> list[str]: ...
    @t.overload
    def getlist(self, key: str, type: cabc.Callable[[str], T]) -> list[T]: ...
    def getlist(self, key: str, type: cabc.Callable[[str], T] | None = None) -> list[str] | list[T]:
        """All values of a name, converted; an empty list if there are none.

        :param type: Makes each item from a value. Values for which it raises a `ValueError` are left out.
        """
        wanted = key.lower()
        values = [value for name, value in self._list if name.lower() == wanted]
        if type is None:
            return values
        result = []
        for value in values:
            try:
                result.append(type(value))
            except ValueError:
                continue
        return result

    def get_all(self, name: str) -> list[str]:
        """All values of a name: `getlist` as `wsgiref` calls it."""
        return self.getlist(name)

    def items(self, lower: bool = False) -> t.Iterable[Pair]:
        """Yield all pairs.

        :param lower: Give the names in lower case.
        """
        for name, value in self:
            yield name.lower() if lower else name, value

    def keys(self, lower: bool = False) -> t.Iterable[str]:
        """Yield the name of each pair, so a name that stands twice comes twice.

        :param lower: Give the names in lower case.
        """
        for name, _ in self:
            yield name.lower() if lower else name

    def values(self) -> t.Iterable[str]:
        """Yield the value of each pair."""
        for _, value in self:
            yield value

    def extend(self, arg: Source | None = None, /, **kwargs: t.Any) -> None:
        """Add pairs after those that are there; in a dict, lists, tuples and sets count as values."""
        if arg is not None:
            self._add_all(arg if type(arg) is list else iter_multi_items(arg))
        if kwargs:
            self._add_all(iter_multi_items(kwargs))

    def _add_all(self, pairs: t.Iterable[tuple[str, t.Any]]) -> None:
        if type(self).add is not Headers.add:  # a class may add in a way of its own
            for name, value in pairs:
                self.add(name, value)
            return
        append = self._list.append
        for name, value in pairs:
            append(_pair(name, value))

    def __delitem__(self, key: str | int | slice) -> None:
        """Remove all pairs of a name, if there are any, or what stands at an index or slice."""
        if isinstance(key, str):
            self._del_key(key)
        else:
            del self._list[key]

    def _del_key(self, key: str) -> None:
        wanted = key.lower()
        self._list[:] = [pair for pair in self._list if pair[0].lower() != wanted]

    def remove(self, key: str) -> None:
        """Remove all pairs of a name, if there are any."""
        self._del_key(key)

    @t.overload
    def pop(self) -> Pair: ...
    @t.overload
    def pop(self, key: str) -> str: ...
    @t.overload
    def pop(self, key: int | None = ...) -> Pair: ...
    @t.overload
    def pop(self, key: str, default: str) -> str: ...
    @t.overload
    def pop(self, key: str, default: T) -> str | T: ...
    def pop(self, key: str | int | None = None, default: str | T = _missing) -> str | Pair | T:
        """Remove a name and return its first value; or remove and return the last pair, or the one at an index.

        :raises BadRequestKeyError: There is no such name, and no default.
        :raises IndexError: There is no pair at the index.
        """
        if key is None:
            return self._list.pop()
        if isinstance(key, int):
            return self._list.pop(key)
        value = self._find(key)
        if value is not None:
            self.remove(key)
            return value
        if default is not _missing:
            return default
        raise BadRequestKeyError(key)

    def popitem(self) -> Pair:
        """Remove and return the last pair.

        :raises IndexError: There is none.
        """
        return self._list.pop()

    def __contains__(self, key: str) -> bool:
        return self._find(key) is not None

    def __iter__(self) -> t.Iterator[Pair]:
        return iter(self._list)

    def __len__(self) -> int:
        return len(self._list)

    def add(self, key: str, value: t.Any, /, **kwargs: t.Any) -> None:
        """Add a pair after those that are there.

        Keyword arguments are appended as parameters: `add("Content-Disposition", "attachment", filename="a.txt")`. In
        their names, underscores become dashes; those that are None are left out.

        :raises ValueError: The name or the value contains a control character.
        """
        if kwargs:
            value = _with_options(value, kwargs)
        self._list.append(_pair(key, value))

    def add_header(self, key: str, value: t.Any, /, **kwargs: t.Any) -> None:
        """Add a pair: `add` as `wsgiref` calls it."""
        self.add(key, value, **kwargs)

    def clear(self) -> None:
        """Remove all pairs."""
        self._list.clear()

    def set(self, key: str, value: t.Any, /, **kwargs: t.Any) -> None:
        """Put one pair in the place of the first with this name, and remove the others; add it if there is none.

        :param kwargs: Parameters to append, as for `add`.
        :raises ValueError: The name or the value contains a control character.
        """
        if kwargs:
            value = _with_options(value, kwargs)
        pair = _pair(key, value)
        pairs = self._list
        wanted = key.lower()
        place = count = 0
        for index, (name, _) in enumerate(pairs):
            if name.lower() == wanted:
                if not count:
                    place = index
                count += 1
        if not count:
            pairs.append(pair)
            return
        pairs[place] = pair
        if count > 1:
            pairs[:] = [other for other in pairs if other is pair or other[0].lower() != wanted]

    def setlist(self, key: str, values: cabc.Iterable[t.Any]) -> None:
        """Put these values in the place of all that a name has."""
        values = list(values)
        if not values:
            self.remove(key)
            return
        self.set(key, values[0])
        for value in values[1:]:
            self.add(key, value)

    def setdefault(self, key: str, default: t.Any) -> str:
        """The first value of a name, after adding the default if there is none."""
        value = self._find(key)
        if value is None:
            self.set(key, default)
            return self._get_key(key)
        return value

    def setlistdefault(self, key: str, default: cabc.Iterable[t.Any]) -> list[str]:
        """The values of a name, after adding the default ones if there are none."""
        if key not in self:
            self.setlist(key, default)
        return self.getlist(key)

    @t.overload
    def __setitem__(self, key: str, value: t.Any) -> None: ...
    @t.overload
    def __setitem__(self, key: int, value: tuple[str, t.Any]) -> None: ...
    @t.overload
    def __setitem__(self, key: slice, value: cabc.Iterable[tuple[str, t.Any]]) -> None: ...
    def __setitem__(self, key: t.Any, value: t.Any) -> None:
        """Do what `set` does for a name, or replace the pair or pairs at an index or slice."""
        if isinstance(key, str):
            self.set(key, value)
        elif isinstance(key, int):
            self._list[key] = _pair(value[0], value[1])
        else:
            self._list[key] = [_pair(name, text) for name, text in value]

    def update(self, arg: Source | None = None, /, **kwargs: t.Any) -> None:
        """Put pairs in the place of those with the same names; in a dict, lists, tuples and sets count as values.

        Of pairs with the same name that come one by one, the last one stays.
        """
        if arg is not None:
            if isinstance(arg, (Headers, MultiDict)):
                for name in _names_to_set(arg):
                    self.setlist(name, arg.getlist(name))
            elif isinstance(arg, cabc.Mapping):
                self._update_from(arg)
            else:
                for name, value in arg:
                    self.set(name, value)
        self._update_from(kwargs)

    def _update_from(self, mapping: t.Mapping[str, t.Any]) -> None:
        for name, value in mapping.items():
            if isinstance(value, (list, tuple, set)):
                self.setlist(name, value)
            else:
                self.set(name, value)

    def __or__(self, other: t.Mapping[str, t.Any]) -> t.Self:
        if not isinstance(other, cabc.Mapping):
            return NotImplemented
        result = self.copy()
        result.update(other)
        return result

    def __ior__(self, other: t.Mapping[str, t.Any] | t.Iterable[tuple[str, t.Any]]) -> t.Self:
        if not isinstance(other, (cabc.Mapping, cabc.Iterable)):
            return NotImplemented
        self.update(other)
        return self

    def to_wsgi_list(self) -> list[Pair]:
        """A list of the pairs, as WSGI takes it."""
        return self._list.copy() if type(self) is Headers else list(self)

    def copy(self) -> t.Self:
        """A copy that can be changed on its own."""
        if type(self) is Headers:
            return self.adopt(self._list.copy())
        return self.__class__(self._list)

    def __copy__(self) -> t.Self:
        return self.copy()

    def __str__(self) -> str:
        """The fields as they stand in an HTTP/1.1 message, with the empty line after them."""
        lines = [f"{name}: {value}" for name, value in self.to_wsgi_list()]
        return "\r\n".join([*lines, "", ""]) if lines else "\r\n"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"
