"""The header fields of a message: an ordered list of pairs with case-insensitive names."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from ..support.patterns import LatePattern
from .conversion import REFUSALS, convert, convert_all
from .errors import BadRequestKeyError
from .grammar import dump_options_header
from .multidict import MultiDict, iter_multi_items

T = t.TypeVar("T")
U = t.TypeVar("U")

Pair: t.TypeAlias = tuple[str, str]
Source: t.TypeAlias = "Headers | t.Mapping[str, object] | t.Iterable[tuple[str, object]]"
"""Fields to add. Values are converted by `str`; in a mapping, lists, tuples and sets contain several values."""

_missing: t.Any = object()

# RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous". Other control characters
# except for the tab are invalid too. A name is a token, which has no control characters (RFC 9110 §5.1).
_find_control_in_value = LatePattern(r"[\x00-\x08\x0a-\x1f\x7f]").search
_find_control_in_name = LatePattern(r"[\x00-\x1f\x7f]").search


def _pair(name: str, value: object) -> Pair:
    """A field's name and its value as text.

    :raises ValueError: One of them contains a control character.
    """
    # Nearly all are printable, which is a fast test, and so have no control characters.
    if type(name) is str and type(value) is str and name.isprintable() and value.isprintable():
        return name, value
    if isinstance(name, str) and _find_control_in_name(name):
        raise ValueError(f"Header names must not contain control characters, found {name!r}.")
    # Not isinstance(), which is true for a proxy to a str.
    text = t.cast(str, value) if issubclass(type(value), str) else str(value)
    if found := _find_control_in_value(text):
        if found[0] in "\r\n":
            raise ValueError("Header values must not contain newline characters.")
        raise ValueError(f"Header values must not contain control characters, found {found[0]!r} in {text!r}.")
    return name, text


def _with_options(value: object, options: dict[str, t.Any]) -> str:
    options = {name.replace("_", "-"): option for name, option in options.items()}
    return dump_options_header(t.cast("str | None", value), options)


def _names_to_set(source: Headers | MultiDict[str, t.Any]) -> t.Iterable[str]:
    """The names in their order; of a repeated name, the first and the last occurrence.

    The first determines the place of the name, the last its case and the place of its other values. Those in between
    have no effect, and would take quadratic time.
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
    """Header fields in their order. Names may be repeated, and are case-insensitive.

    Values are text: other values are converted by `str`. Control characters other than the tab are refused, so that a
    value cannot start another field. A missing name raises `BadRequestKeyError`.

    :param defaults: Pairs, or a dict, in which lists, tuples and sets contain several values.
    """

    # Modified in place and never replaced, since a response and a server may share it.
    _list: list[Pair]

    def __init__(self, defaults: Source | None = None) -> None:
        self._list = []
        if defaults is not None:
            self.extend(defaults)

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        # `get` reads the list. A class with another `_find` gets a `get` that calls it.
        if "_find" in cls.__dict__ and "get" not in cls.__dict__:
            cls.get = Headers._get_found  # type: ignore[assignment, method-assign]  # the overloads are those of get

    @classmethod
    def adopt(cls, pairs: list[Pair]) -> t.Self:
        """Wrap a list of valid pairs without copying it: a change to one also changes the other."""
        headers = cls.__new__(cls)
        headers._list = pairs
        return headers

    def _find(self, key: str) -> str | None:
        """The first value of a name, or None. All methods that look up a name use it."""
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
        """The first value of a name, the pair at an index, or new headers with a slice.

        :raises BadRequestKeyError: The name is missing.
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
        """Headers are equal to headers of the same class with the same pairs in any order."""
        if not isinstance(other, Headers) or other.__class__ is not self.__class__:
            return NotImplemented
        return {(name.lower(), value) for name, value in self._list} == {
            (name.lower(), value) for name, value in other._list
        }

    __hash__ = None  # type: ignore[assignment]  # headers are mutable

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
    def get(  # type: ignore[misc]  # one overload has `type` in second place, to be passed by name
        self, key: str, default: str | T | None = None, type: cabc.Callable[[str], T] | None = None
    ) -> str | T | None:
        """The first value of a name, converted by `type`, or the default if that raises one of `REFUSALS`."""
        wanted = key.lower()
        for name, value in self._list:
            if name == key or name.lower() == wanted:
                return value if type is None else convert(value, default, type, REFUSALS)
        return default

    def _get_found(
        self, key: str, default: U | None = None, type: cabc.Callable[[str], T] | None = None
    ) -> str | T | U | None:
        value = self._find(key)
        if value is None:
            return default
        return value if type is None else convert(value, default, type, REFUSALS)

    @t.overload
    def getlist(self, key: str) -> list[str]: ...
    @t.overload
    def getlist(self, key: str, type: cabc.Callable[[str], T]) -> list[T]: ...
    def getlist(self, key: str, type: cabc.Callable[[str], T] | None = None) -> list[str] | list[T]:
        """All values of a name, converted by `type`, without those for which that raises one of `REFUSALS`."""
        wanted = key.lower()
        values = [value for name, value in self._list if name.lower() == wanted]
        return values if type is None else convert_all(values, type, REFUSALS)

    def get_all(self, name: str) -> list[str]:
        """All values of a name: `getlist` under its name in `wsgiref`."""
        return self.getlist(name)

    def items(self, lower: bool = False) -> t.Iterable[Pair]:
        """Yield all pairs.

        :param lower: Yield the names in lower case.
        """
        for name, value in self:
            yield name.lower() if lower else name, value

    def keys(self, lower: bool = False) -> t.Iterable[str]:
        """Yield the name of each pair, so repeated names are repeated.

        :param lower: Yield the names in lower case.
        """
        for name, _ in self:
            yield name.lower() if lower else name

    def values(self) -> t.Iterable[str]:
        """Yield the value of each pair."""
        for _, value in self:
            yield value

    def extend(self, arg: Source | None = None, /, **kwargs: object) -> None:
        """Append pairs. In a dict, lists, tuples and sets contain several values."""
        if arg is not None:
            self._add_all(arg if type(arg) is list else iter_multi_items(arg))
        if kwargs:
            self._add_all(iter_multi_items(kwargs))

    def _add_all(self, pairs: t.Iterable[tuple[str, object]]) -> None:
        if type(self).add is not Headers.add:  # a subclass may override `add`
            for name, value in pairs:
                self.add(name, value)
            return
        append = self._list.append
        for name, value in pairs:
            append(_pair(name, value))

    def __delitem__(self, key: str | int | slice) -> None:
        """Remove all pairs of a name, if any, or the pairs at an index or slice."""
        if isinstance(key, str):
            self._del_key(key)
        else:
            del self._list[key]

    def _del_key(self, key: str) -> None:
        wanted = key.lower()
        self._list[:] = [pair for pair in self._list if pair[0].lower() != wanted]

    def remove(self, key: str) -> None:
        """Remove all pairs of a name, if any."""
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
        """Remove a name and return its first value; or remove and return the last pair, or the pair at an index.

        :raises BadRequestKeyError: The name is missing, and there is no default.
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

        :raises IndexError: There are no pairs.
        """
        return self._list.pop()

    def __contains__(self, key: str) -> bool:
        return self._find(key) is not None

    def __iter__(self) -> t.Iterator[Pair]:
        return iter(self._list)

    def __len__(self) -> int:
        return len(self._list)

    def add(self, key: str, value: object, /, **kwargs: object) -> None:
        """Append a pair.

        Keyword arguments become parameters of the value: `add("Content-Disposition", "attachment", filename="a.txt")`.
        Underscores in their names become dashes. Arguments that are None are left out.

        :raises ValueError: The name or the value contains a control character.
        """
        if kwargs:
            value = _with_options(value, kwargs)
        self._list.append(_pair(key, value))

    def add_header(self, key: str, value: object, /, **kwargs: object) -> None:
        """Append a pair: `add` under its name in `wsgiref`."""
        self.add(key, value, **kwargs)

    def clear(self) -> None:
        """Remove all pairs."""
        self._list.clear()

    def set(self, key: str, value: object, /, **kwargs: object) -> None:
        """Replace the first pair of a name and remove its other pairs, or append the pair if there are none.

        :param kwargs: Parameters of the value, as for `add`.
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

    def setlist(self, key: str, values: cabc.Iterable[object]) -> None:
        """Replace all values of a name."""
        values = list(values)
        if not values:
            self.remove(key)
            return
        self.set(key, values[0])
        for value in values[1:]:
            self.add(key, value)

    def setdefault(self, key: str, default: object) -> str:
        """The first value of a name. If there is none, the default is added first."""
        value = self._find(key)
        if value is None:
            self.set(key, default)
            return self._get_key(key)
        return value

    def setlistdefault(self, key: str, default: cabc.Iterable[object]) -> list[str]:
        """The values of a name. If there are none, the default values are added first."""
        if key not in self:
            self.setlist(key, default)
        return self.getlist(key)

    @t.overload
    def __setitem__(self, key: str, value: object) -> None: ...
    @t.overload
    def __setitem__(self, key: int, value: tuple[str, object]) -> None: ...
    @t.overload
    def __setitem__(self, key: slice, value: cabc.Iterable[tuple[str, object]]) -> None: ...
    def __setitem__(self, key: t.Any, value: t.Any) -> None:
        """`set` for a name; for an index or slice, replace the pairs there."""
        if isinstance(key, str):
            self.set(key, value)
        elif isinstance(key, int):
            self._list[key] = _pair(value[0], value[1])
        else:
            self._list[key] = [_pair(name, text) for name, text in value]

    def update(self, arg: Source | None = None, /, **kwargs: object) -> None:
        """Replace the pairs of each name. In a dict, lists, tuples and sets contain several values.

        In an iterable of pairs, the last pair of a name is kept.
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

    def _update_from(self, mapping: t.Mapping[str, object]) -> None:
        for name, value in mapping.items():
            if isinstance(value, (list, tuple, set)):
                self.setlist(name, value)
            else:
                self.set(name, value)

    def __or__(self, other: t.Mapping[str, object]) -> t.Self:
        if not isinstance(other, cabc.Mapping):
            return NotImplemented
        result = self.copy()
        result.update(other)
        return result

    def __ior__(self, other: t.Mapping[str, object] | t.Iterable[tuple[str, object]]) -> t.Self:
        if not isinstance(other, (cabc.Mapping, cabc.Iterable)):
            return NotImplemented
        self.update(other)
        return self

    def to_wsgi_list(self) -> list[Pair]:
        """The pairs as a list, as WSGI requires."""
        return self._list.copy() if type(self) is Headers else list(self)

    def copy(self) -> t.Self:
        """An independent copy."""
        if type(self) is Headers:
            return self.adopt(self._list.copy())
        return self.__class__(self._list)

    def __copy__(self) -> t.Self:
        return self.copy()

    def __str__(self) -> str:
        """The fields of an HTTP/1.1 message, including the empty line after them."""
        lines = [f"{name}: {value}" for name, value in self.to_wsgi_list()]
        return "\r\n".join([*lines, "", ""]) if lines else "\r\n"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"
