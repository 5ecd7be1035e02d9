"""A header field that is a set of tokens whose case does not matter, such as Allow, Vary and Content-Language."""

from __future__ import annotations

import collections.abc as cabc
import typing as t

from .grammar import parse_list_header, quote_header_value


class HeaderSet(cabc.MutableSet[str]):
    """An ordered set of tokens: found in any case, written in the case that they were added in.

    :param on_update: Is called with the set after each change.
    """

    def __init__(
        self,
        headers: cabc.Iterable[str] | None = None,
        on_update: cabc.Callable[[t.Self], None] | None = None,
    ) -> None:
        self._headers = list(headers or ())
        self._set = {header.lower() for header in self._headers}
        self.on_update = on_update

    @classmethod
    def from_header(cls, value: str | None, on_update: cabc.Callable[[HeaderSet], None] | None = None) -> t.Self:
        """Parse a comma-separated list (RFC 9110 §5.6.1). A missing field is an empty set."""
        return cls(parse_list_header(value) if value else None, on_update)

    def _updated(self: t.Self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    def add(self, header: str) -> None:
        """Add a token, unless it is there."""
        self.update((header,))

    def remove(self, header: str) -> None:
        """Remove a token.

        :raises KeyError: It is not there.
        """
        key = header.lower()
        if key not in self._set:
            raise KeyError(header)
        self._set.remove(key)
        del self._headers[self.index(key)]
        self._updated()

    def update(self, iterable: cabc.Iterable[str]) -> None:
        """Add the tokens that are not there."""
        added = False
        for header in iterable:
            key = header.lower()
            if key not in self._set:
                self._headers.append(header)
                self._set.add(key)
                added = True
        if added:
            self._updated()

    def discard(self, header: str) -> None:
        """Remove a token, if it is there."""
        if header in self:
            self.remove(header)

    def find(self, header: str) -> int:
        """The index of a token, or -1."""
        wanted = header.lower()
        for index, item in enumerate(self._headers):
            if item.lower() == wanted:
                return index
        return -1

    def index(self, header: str) -> int:
        """The index of a token.

        :raises IndexError: It is not there.
        """
        index = self.find(header)
        if index < 0:
            raise IndexError(header)
        return index

    def clear(self) -> None:
        """Remove all tokens."""
        self._set.clear()
        self._headers.clear()
        self._updated()

    def as_set(self, preserve_casing: bool = False) -> set[str]:
        """A plain set of the tokens, in lower case.

        :param preserve_casing: Give them in the case that they were added in.
        """
        return set(self._headers) if preserve_casing else set(self._set)

    def to_header(self) -> str:
        """The set as a comma-separated list (RFC 9110 §5.6.1)."""
        return ", ".join(map(quote_header_value, self._headers))

    def __getitem__(self, idx: t.SupportsIndex) -> str:
        return self._headers[idx]

    def __delitem__(self, idx: t.SupportsIndex) -> None:
        header = self._headers.pop(idx)
        self._set.remove(header.lower())
        self._updated()

    def __setitem__(self, idx: t.SupportsIndex, value: str) -> None:
        self._set.remove(self._headers[idx].lower())
        self._headers[idx] = value
        self._set.add(value.lower())
        self._updated()

    def __contains__(self, header: str) -> bool:  # type: ignore[override]  # nothing but text is a token
        return header.lower() in self._set

    def __len__(self) -> int:
        return len(self._set)

    def __iter__(self) -> cabc.Iterator[str]:
        return iter(self._headers)

    def __bool__(self) -> bool:
        return bool(self._set)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._headers!r})"


def parse_set_header(value: str | None, on_update: cabc.Callable[[HeaderSet], None] | None = None) -> HeaderSet:
    """Read a header that is a set of tokens."""
    return HeaderSet.from_header(value, on_update)
