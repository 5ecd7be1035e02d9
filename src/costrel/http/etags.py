"""Entity tags: one tag, and the set of tags that `If-Match` and `If-None-Match` carry (RFC 9110 §8.8.3, §13.1)."""

from __future__ import annotations

import typing as t
from collections import abc

from ..support.patterns import LatePattern

# One member of a list of tags, quoted or (outside the grammar) bare.
_match_member = LatePattern(r'[ \t]*+([Ww]/)?(?:"([^"]*)"|([^ \t,"]+))[ \t]*+(?:,|\Z)').match


def quote_etag(etag: str, weak: bool = False) -> str:
    """Write an entity tag.

    :raises ValueError: the tag holds a double quote.
    """
    if '"' in etag:
        raise ValueError("invalid etag")
    return f'W/"{etag}"' if weak else f'"{etag}"'


@t.overload
def unquote_etag(etag: str) -> tuple[str, bool] | tuple[None, None]: ...
@t.overload
def unquote_etag(etag: None) -> tuple[None, None]: ...
def unquote_etag(etag: str | None) -> tuple[str, bool] | tuple[None, None]:
    """Split an entity tag into the tag itself and whether it is weak; `(None, None)` when there is none."""
    if not etag:
        return None, None
    weak = etag.startswith(("W/", "w/"))
    if weak:
        etag = etag[2:]
    if etag[:1] == etag[-1:] == '"':
        etag = etag[1:-1]
    return etag, weak


def generate_etag(data: bytes) -> str:
    """Make a strong tag, without its quotes, from a body."""
    import hashlib  # brings OpenSSL: 3 MiB

    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


class ETags(abc.Collection[str]):
    """A set of entity tags, or the star that stands for every one.

    Iteration, `len` and `in` see the strong tags only.
    """

    def __init__(
        self,
        strong_etags: abc.Iterable[str] | None = None,
        weak_etags: abc.Iterable[str] | None = None,
        star_tag: bool = False,
    ):
        self._strong = frozenset(() if star_tag or not strong_etags else strong_etags)
        self._weak = frozenset(weak_etags or ())
        self.star_tag = star_tag

    @classmethod
    def from_header(cls, value: str | None) -> t.Self:
        """Read a list of tags; members that break the grammar are left out."""
        if value == "*":
            return cls(star_tag=True)
        strong: list[str] = []
        weak: list[str] = []
        position, end = 0, len(value or "")
        while value and position < end:
            if match := _match_member(value, position):
                mark, quoted, bare = match.groups()
                (weak if mark else strong).append(bare if quoted is None else quoted)
                position = match.end()
            else:
                position = value.find(",", position) + 1 or end
        return cls(strong, weak)

    def as_set(self, include_weak: bool = False) -> set[str]:
        """The tags as a new set."""
        return set(self._strong | self._weak) if include_weak else set(self._strong)

    def is_weak(self, etag: str) -> bool:
        """Whether the tag is one of the weak tags. A star has none."""
        return etag in self._weak

    def is_strong(self, etag: str) -> bool:
        """Whether the tag is one of the strong tags. A star has none."""
        return etag in self._strong

    def contains_weak(self, etag: str) -> bool:
        """Compare weakly (RFC 9110 §8.8.3.2): a tag matches whether or not either side is weak."""
        return self.is_weak(etag) or self.contains(etag)

    def contains(self, etag: str) -> bool:
        """Compare strongly (RFC 9110 §8.8.3.2): only strong tags match, and everything matches the star."""
        return self.star_tag or self.is_strong(etag)

    def contains_raw(self, etag: str) -> bool:
        """Like `contains` or `contains_weak`, for a tag in its quotes: a weak tag is compared weakly."""
        tag, weak = unquote_etag(etag)
        if tag is None:
            return self.star_tag
        return self.contains_weak(tag) if weak else self.contains(tag)

    def to_header(self) -> str:
        """The value of the header, with the strong tags first."""
        if self.star_tag:
            return "*"
        return ", ".join([f'"{tag}"' for tag in self._strong] + [f'W/"{tag}"' for tag in self._weak])

    def __call__(self, etag: str | None = None, data: bytes | None = None, include_weak: bool = False) -> bool:
        """Whether the tag, or without one the tag made from the data, is in the set.

        :raises TypeError: neither of them is given.
        """
        if etag is None:
            if data is None:
                raise TypeError("ETags are called with a tag or with the data to make one from; neither was given.")
            etag = generate_etag(data)
        return (include_weak and etag in self._weak) or etag in self._strong

    def __bool__(self) -> bool:
        return bool(self.star_tag or self._strong or self._weak)

    def __str__(self) -> str:
        return self.to_header()

    def __len__(self) -> int:
        return len(self._strong)

    def __iter__(self) -> abc.Iterator[str]:
        return iter(self._strong)

    def __contains__(self, etag: object) -> bool:
        return isinstance(etag, str) and self.contains(etag)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


def parse_etags(value: str | None) -> ETags:
    """Read the value of `If-Match` or `If-None-Match`."""
    return ETags.from_header(value)
