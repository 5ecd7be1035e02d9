"""The ``Accept`` headers: values with qualities, and the choice of the best offer (RFC 9110 §12.4, §12.5)."""

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


class Accept(ImmutableList[tuple[str, float]]):
    """A list of `(value, quality)` pairs, sorted by specificity, then by quality, the highest first.

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
        """How specific a value is; the greater tuple wins."""
        return (value != "*",)

    def _value_matches(self, value: str, item: str) -> bool:
        """Whether an offer matches the client's item."""
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
        """Choose the offer that the client prefers.

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
    """The value of `Accept-Language`: language tags, with `_` taken for `-` (RFC 9110 §12.5.4)."""

    def _value_matches(self, value: str, item: str) -> bool:
        return item == "*" or _normalize_language(value) == _normalize_language(item)

    @t.overload
    def best_match(self, matches: abc.Iterable[str], default: str) -> str: ...
    @t.overload
    def best_match(self, matches: abc.Iterable[str], default: str | None = None) -> str | None: ...
    def best_match(self, matches: abc.Iterable[str], default: str | None = None) -> str | None:
        """Choose a language by lookup (RFC 4647 §3.4): each of the client's ranges is shortened until it is on offer.

        So `de-AT` finds `de`, and `zh-Hant-TW` finds `zh-Hant`. If no range is found, the first one with a longer tag
        on offer decides (`en-GB` for `en`), and then `*`. A `*` takes precedence over ranges of a lower quality. A
        language of quality 0 is never chosen, nor is a longer tag that begins with it, unless the client names that
        tag.
        """
        qualities: dict[str, float] = {}
        for item, quality in self:  # by quality, and then in the client's order
            qualities.setdefault(_normalize_language(item), quality)
        offers: dict[str, str] = {}
        for offer in matches:
            tag = _normalize_language(offer)
            if not _is_refused(tag, qualities):
                offers.setdefault(tag, offer)
        any_quality = qualities.pop("*", 0)
        ranges = [item for item, quality in qualities.items() if quality > 0]
        others = [offer for tag, offer in offers.items() if not any(_begins_with(tag, item) for item in ranges)]
        longest = max(map(len, offers), default=0)
        for item in ranges:
            if others and any_quality > qualities[item]:
                return others[0]
            for shorter in _shortened(item, longest):
                if shorter in offers:
                    return offers[shorter]
        longer = [offers[tag] for item in ranges for tag in offers if _begins_with(tag, item)]
        if any_quality > 0:
            longer += offers.values()
        return longer[0] if longer else default


def _begins_with(tag: str, item: str) -> bool:
    return tag == item or tag.startswith(f"{item}-")


def _shortened(item: str, longest: int) -> abc.Iterator[str]:
    """Yield a range, and then drop its last subtag again and again; a single character before it is dropped as well.

    Results of more than `longest` characters are skipped: a client may send very long ranges.
    """
    if len(item) > longest:
        item = item[: max(0, item.rfind("-", 0, longest + 1))]
        item = item[:-2] if item[-2:-1] == "-" else item
    while item:
        yield item
        item = item.rpartition("-")[0]
        if item[-2:-1] == "-":
            item = item[:-2]


def _is_refused(tag: str, qualities: dict[str, float]) -> bool:
    """Whether the longest range that the tag begins with has quality 0."""
    found = max((item for item in qualities if _begins_with(tag, item)), key=len, default=None)
    return found is not None and qualities[found] <= 0


class CharsetAccept(Accept):
    """The value of `Accept-Charset`: charsets, compared with all their aliases (RFC 9110 §12.5.2)."""

    def _value_matches(self, value: str, item: str) -> bool:
        if item == "*" or item.lower() == value.lower():
            return True
        # The names in RFC 2978's registry are at most 40 characters long; longer names would fill the cache.
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
