"""What a client accepts: values with qualities, and the choice of the best on offer (RFC 9110 §12.4, §12.5)."""

from __future__ import annotations

import codecs
import typing as t
from collections import abc
from encodings.aliases import aliases
from functools import lru_cache

from ..support.patterns import LatePattern
from .grammar import dump_options_header, parse_list_header, parse_options_header
from .immutable import ImmutableList

_match_quality = LatePattern(r"-?[0-9]+(?:\.[0-9]+)?").fullmatch

# A slash, or a semicolon with the blanks around it. The lookbehind lets a run of blanks be tried only once.
_split_with_parameters = LatePattern(r"/|;[ \t]*+|(?<![ \t])[ \t]++;[ \t]*+").split
_split_language = LatePattern("[_-]").split


class Accept(ImmutableList[tuple[str, float]]):
    """A list of `(value, quality)` pairs, the most specific first, then those of the highest quality.

    Indexing with a string gives its quality. `provided` is False when the client sent no such header.
    """

    def __init__(self, values: Accept | abc.Iterable[tuple[str, float]] | None = ()) -> None:
        self.provided: bool = values is not None
        if values is None:
            list.__init__(self)
        elif isinstance(values, Accept):
            list.__init__(self, values)
            self.provided = values.provided
        else:
            list.__init__(self, sorted(values, key=lambda pair: (self._specificity(pair[0]), pair[1]), reverse=True))

    @classmethod
    def from_header(cls, value: str | None) -> t.Self:
        """Read a header; values whose quality is no number from 0 to 1 are left out."""
        if not value:
            return cls(None)
        pairs = []
        for member in parse_list_header(value):
            item, options = parse_options_header(member)
            quality = _parse_quality(options.pop("q")) if "q" in options else 1
            if quality is not None:
                pairs.append((dump_options_header(item, options) if options else item, quality))
        return cls(pairs)

    def _specificity(self, value: str) -> tuple[bool, ...]:
        """How exactly a value says what it wants; the greater tuple wins."""
        return (value != "*",)

    def _value_matches(self, value: str, item: str) -> bool:
        """Whether a value on offer is what the client's item names."""
        return item == "*" or item.lower() == value.lower()

    @t.overload
    def __getitem__(self, key: str) -> float: ...
    @t.overload
    def __getitem__(self, key: t.SupportsIndex) -> tuple[str, float]: ...
    @t.overload
    def __getitem__(self, key: slice) -> list[tuple[str, float]]: ...
    def __getitem__(self, key: str | t.SupportsIndex | slice) -> float | tuple[str, float] | list[tuple[str, float]]:
        if isinstance(key, str):
            return self.quality(key)
        return list.__getitem__(self, key)

    def quality(self, key: str) -> float:
        """The quality of the first item that matches, or 0."""
        match = self._best_single_match(key)
        return 0 if match is None else match[1]

    def __contains__(self, value: str) -> bool:  # type: ignore[override]  # asks for a match, not for a pair
        return self._best_single_match(value) is not None

    def __repr__(self) -> str:
        pairs = ", ".join([f"({value!r}, {quality})" for value, quality in self])
        return f"{type(self).__name__}([{pairs}])"

    def index(self, key: str | tuple[str, float]) -> int:  # type: ignore[override]  # takes a value too
        """The position of a pair, or of the first item that matches a string.

        :raises ValueError: there is none.
        """
        if not isinstance(key, str):
            return list.index(self, key)
        for position, (item, _) in enumerate(self):
            if self._value_matches(key, item):
                return position
        raise ValueError(key)

    def find(self, key: str | tuple[str, float]) -> int:
        """Like `index`, but -1 when there is none."""
        try:
            return self.index(key)
        except ValueError:
            return -1

    def values(self) -> abc.Iterator[str]:
        """The values, without their qualities."""
        for item, _ in self:
            yield item

    def to_header(self) -> str:
        """Write the values as they stand in a header."""
        return ",".join([item if quality == 1 else f"{item};q={quality}" for item, quality in self])

    def __str__(self) -> str:
        return self.to_header()

    def _best_single_match(self, match: str) -> tuple[str, float] | None:
        for pair in self:
            if self._value_matches(match, pair[0]):
                return pair
        return None

    @t.overload
    def best_match(self, matches: abc.Iterable[str], default: str) -> str: ...
    @t.overload
    def best_match(self, matches: abc.Iterable[str], default: str | None = None) -> str | None: ...
    def best_match(self, matches: abc.Iterable[str], default: str | None = None) -> str | None:
        """Choose what the client likes best of the values on offer.

        The highest quality wins, then the item that names the value most specifically, then the first on offer.
        A value of quality 0 is never chosen.
        """
        result = default
        best: tuple[float, tuple[bool, ...]] = (0.0, ())
        for candidate in matches:
            pair = self._best_single_match(candidate)
            if pair is None or pair[1] <= 0:
                continue
            rank = pair[1], self._specificity(pair[0])
            if rank > best:
                result, best = candidate, rank
        return result

    @property
    def best(self) -> str | None:
        """The first value, or None when there is none."""
        return self[0][0] if self else None


class MIMEAccept(Accept):
    """The value of `Accept`: media ranges, compared with their parameters (RFC 9110 §12.5.1)."""

    def _specificity(self, value: str) -> tuple[bool, ...]:
        return tuple([part != "*" for part in _split_mime(value)])

    def _value_matches(self, value: str, item: str) -> bool:
        if "/" not in item:
            return False
        if "/" not in value:
            raise ValueError(f"invalid mimetype {value!r}")
        value_type, value_subtype, *value_params = _normalize_mime(value)
        if value_type == "*" and value_subtype != "*":
            raise ValueError(f"invalid mimetype {value!r}")
        item_type, item_subtype, *item_params = _normalize_mime(item)
        if item_type == "*" or value_type == "*":
            return item_type == item_subtype == "*" or (value_type == "*" and item_type != "*")
        if item_type != value_type:
            return False
        if item_subtype == "*" or value_subtype == "*":
            return True
        return item_subtype == value_subtype and sorted(item_params) == sorted(value_params)

    @property
    def accept_html(self) -> bool:
        """Whether the client takes HTML, as HTML or XHTML."""
        return self._best_single_match("text/html") is not None or self.accept_xhtml

    @property
    def accept_xhtml(self) -> bool:
        """Whether the client takes XHTML."""
        return any(self._best_single_match(xml) for xml in ("application/xhtml+xml", "application/xml"))

    @property
    def accept_json(self) -> bool:
        """Whether the client takes JSON."""
        return self._best_single_match("application/json") is not None


class LanguageAccept(Accept):
    """The value of `Accept-Language`: language tags, where `_` stands for `-` (RFC 9110 §12.5.4)."""

    def _value_matches(self, value: str, item: str) -> bool:
        return item == "*" or _normalize_language(value) == _normalize_language(item)

    @t.overload
    def best_match(self, matches: abc.Iterable[str], default: str) -> str: ...
    @t.overload
    def best_match(self, matches: abc.Iterable[str], default: str | None = None) -> str | None: ...
    def best_match(self, matches: abc.Iterable[str], default: str | None = None) -> str | None:
        """Choose a language, by whole tags if possible.

        Failing that, the primary languages that the client names are looked for among those on offer (`en` for
        `en-US`); failing that too, its tags among the primary languages on offer (`en-GB` for `en`).
        """
        matches = list(matches)
        result = super().best_match(matches)
        if result is not None:
            return result
        result = Accept([(_primary_language(item), quality) for item, quality in self]).best_match(matches)
        if result is not None:
            return result
        primary = super().best_match([_primary_language(candidate) for candidate in matches])
        if primary is not None:
            return next(candidate for candidate in matches if candidate.startswith(primary))
        return default


class CharsetAccept(Accept):
    """The value of `Accept-Charset`: charsets, compared with all their aliases (RFC 9110 §12.5.2)."""

    def _value_matches(self, value: str, item: str) -> bool:
        if item == "*" or item.lower() == value.lower():
            return True
        # The names in RFC 2978's registry are at most 40 characters long; longer ones would fill the cache.
        return len(item) <= 40 and _normalize_charset(value) == _normalize_charset(item)


def _parse_quality(text: str) -> float | None:
    text = text.strip()
    if not _match_quality(text):
        return None
    quality = float(text)
    return quality if 0 <= quality <= 1 else None


def _split_mime(value: str) -> list[str]:
    return _split_with_parameters(value) if ";" in value else value.split("/")


def _normalize_mime(value: str) -> list[str]:
    return _split_mime(value.lower())


def _normalize_language(value: str) -> str:
    return value.lower().replace("_", "-")


def _primary_language(value: str) -> str:
    return _split_language(value, 1)[0]


# Other names are never looked up: they come from clients, and Python would keep each unknown one for ever. The codecs
# that no alias names are added.
_KNOWN_CODECS = frozenset(aliases).union(
    aliases.values(), {"cp1006", "cp720", "cp737", "cp856", "cp874", "cp875", "koi8_t", "koi8_u", "utf_8_sig"}
)
_replace_codec_punctuation = LatePattern("[^0-9a-z.]+").sub


@lru_cache(64)
def _normalize_charset(name: str) -> str:
    name = name.lower()
    if _replace_codec_punctuation("_", name).strip("_") not in _KNOWN_CODECS:
        return name
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):  # the latter of a NUL
        return name


_AcceptT = t.TypeVar("_AcceptT", bound=Accept)


@t.overload
def parse_accept_header(value: str | None) -> Accept: ...
@t.overload
def parse_accept_header(value: str | None, cls: type[_AcceptT]) -> _AcceptT: ...
def parse_accept_header(value: str | None, cls: type[Accept] | None = None) -> Accept:
    """Read a header with qualities as the given class, by default a plain `Accept`."""
    return (cls or Accept).from_header(value)
