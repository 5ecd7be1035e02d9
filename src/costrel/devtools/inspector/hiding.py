"""Replaces the secrets of a request before it is recorded, so that a record never has them."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from ..values import TELLING_WORDS, Describer, clean_text, is_secret

REPLACED: t.Final = "[hidden]"
"""Takes the place of a secret in a record, in plain ASCII: a replay sends it."""

_SHORTEST: t.Final = 4
"""Shorter values are replaced under their own names only: elsewhere, the same characters say nothing."""

_HIDDEN_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-csrf-token"}
)
_SCHEME = re.compile(r"\b(bearer|basic|digest|negotiate)\s+[\w.~+/=-]{4,}", re.IGNORECASE)
_UNQUOTED = re.compile(
    rf"((?:{TELLING_WORDS}|\b(?:pwd|pin|auth|salt|dsn|cookie|api[-_]?key))[\w-]*\s*[=:]\s*)(?!\s)[^\s&;,'\"<>\[\]{{}}()]+",
    re.IGNORECASE,
)
_ELEMENT = re.compile(rf"(<(?:[\w.-]+:)?[\w.-]*(?:{TELLING_WORDS})[\w.-]*(?:\s[^<>]*)?>)[^<]+(?=</)", re.IGNORECASE)
_MAX_DEPTH = 50

JSON: t.TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
Pairs: t.TypeAlias = "list[tuple[str, str]]"


class Hider:
    """Replaces secrets by their names, and then their values wherever else they appear.

    First call `pairs`, `headers` and `json` for everything that has names; `text` then knows all values.

    :param known: secrets that are not of this request, such as those of the settings.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._values = set(known)

    def note(self, value: object) -> None:
        """Hide a value wherever it appears from now on."""
        if isinstance(value, str) and len(value) >= _SHORTEST and value != REPLACED:
            self._values |= {value, quote(value), quote(value, safe="")}

    def pairs(self, items: Iterable[tuple[str, str]]) -> Pairs:
        """The fields of a form or of a query."""
        return [(name, self._named(name, value)) for name, value in items]

    def _named(self, name: str, value: str) -> str:
        if not is_secret(name):
            return value
        self.note(value)
        return REPLACED

    def headers(self, items: Iterable[tuple[str, str]]) -> Pairs:
        """Header fields. Of cookies, the names stay."""
        return [(name, self._header(name, value)) for name, value in items]

    def _header(self, name: str, value: str) -> str:
        lower = name.lower()
        if lower == "cookie":
            return "; ".join(self._cookie(part) for part in value.split(";"))
        if lower == "set-cookie":
            first, semicolon, attributes = value.partition(";")
            return self._cookie(first) + semicolon + attributes
        if lower in _HIDDEN_HEADERS or is_secret(name):
            self.note(value)
            self.note(value.rpartition(" ")[2])
            return REPLACED
        return self.url(value) if "?" in value and ("/" in value or value.startswith("?")) else value

    def _cookie(self, part: str) -> str:
        name, equals, value = part.strip().partition("=")
        self.note(value.strip('"'))
        return f"{name}={REPLACED}" if equals else REPLACED

    def url(self, value: str) -> str:
        """A URL, or the target of a request, without the secrets of its query."""
        try:
            parts = urlsplit(value)
        except ValueError:
            return value
        return urlunsplit(parts._replace(query=self.query(parts.query)))

    def query(self, query: str) -> str:
        """A query string. One without a secret stays exactly as it was sent."""
        given = parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="replace")
        if not any(is_secret(name) for name, _ in given):
            return query
        return "&".join(f"{quote(name)}={quote(value, safe='[]/:,')}" for name, value in self.pairs(given))

    def json(self, value: JSON, depth: int = 0) -> JSON:
        """A JSON value. Raises ValueError if it is nested too deeply."""
        if depth > _MAX_DEPTH:
            raise ValueError(f"The JSON is nested more than {_MAX_DEPTH} deep.")
        if isinstance(value, list):
            return [self.json(item, depth + 1) for item in value]
        if not isinstance(value, dict):
            return value
        told = any(is_secret(value.get(key)) for key in ("name", "key", "field"))
        return {
            name: self._hide_all(item) if is_secret(name) or (told and name == "value") else self.json(item, depth + 1)
            for name, item in value.items()
        }

    def _hide_all(self, value: JSON) -> JSON:
        if isinstance(value, list):
            return [self._hide_all(item) for item in value]
        if isinstance(value, dict):
            return {name: self._hide_all(item) for name, item in value.items()}
        self.note(value if isinstance(value, str) else json.dumps(value))
        return value if value is None or isinstance(value, bool) else REPLACED

    def texts(self, value: JSON) -> JSON:
        """A JSON value whose strings `text` has cleaned."""
        if isinstance(value, list):
            return [self.texts(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self.texts(item) for name, item in value.items()}
        return self.text(value) if isinstance(value, str) else value

    def describer(self) -> Describer:
        """The formatter of values that hides all secrets found so far."""
        return Describer(sorted(self._values, key=len, reverse=True))

    def text(self, text: str) -> str:
        """Any other text, without the values found so far and without anything that looks like a secret."""
        for value in sorted(self._values, key=len, reverse=True):
            if value in text:
                text = text.replace(value, REPLACED)
        text = _ELEMENT.sub(rf"\1{REPLACED}", _SCHEME.sub(rf"\1 {REPLACED}", text))
        return _UNQUOTED.sub(rf"\1{REPLACED}", clean_text(text, REPLACED))
