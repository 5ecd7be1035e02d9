"""Replaces the secrets of a request before it is recorded, so that no record contains them."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from ..values import TELLING_WORDS, Describer, clean_text, is_secret

REPLACED: t.Final = "[hidden]"
"""The replacement for a secret in a record. It is plain ASCII, since a replay sends it."""

_SHORTEST: t.Final = 4
"""The minimum length of a value that is also replaced elsewhere. Shorter texts could match by chance."""

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
    """Replaces values whose names mark them as secret, and then the same values wherever else they appear.

    First call `pairs`, `headers` and `json` for all data with names, so that `text` knows all secret values.

    :param known: secrets from elsewhere, such as the settings.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._values = set(known)

    def note(self, value: object) -> None:
        """Hide this value from now on, wherever it appears."""
        if isinstance(value, str) and len(value) >= _SHORTEST and value != REPLACED:
            self._values |= {value, quote(value), quote(value, safe="")}

    def pairs(self, items: Iterable[tuple[str, str]]) -> Pairs:
        """Hide secrets in the fields of a form or query."""
        return [(name, self._named(name, value)) for name, value in items]

    def _named(self, name: str, value: str) -> str:
        if not is_secret(name):
            return value
        self.note(value)
        return REPLACED

    def headers(self, items: Iterable[tuple[str, str]]) -> Pairs:
        """Hide secrets in header fields. The names of cookies are kept."""
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
        """Hide secrets in the query of a URL or request target."""
        try:
            parts = urlsplit(value)
        except ValueError:
            return value
        return urlunsplit(parts._replace(query=self.query(parts.query)))

    def query(self, query: str) -> str:
        """Hide secrets in a query string. Without any, it is returned unchanged."""
        fields = parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="replace")
        if not any(is_secret(name) for name, _ in fields):
            return query
        return "&".join(f"{quote(name)}={quote(value, safe='[]/:,')}" for name, value in self.pairs(fields))

    def json(self, value: JSON, depth: int = 0) -> JSON:
        """Hide secrets in a JSON value. Raises ValueError if it is nested too deeply."""
        if depth > _MAX_DEPTH:
            raise ValueError(f"The JSON is nested more than {_MAX_DEPTH} levels deep.")
        if isinstance(value, list):
            return [self.json(item, depth + 1) for item in value]
        if not isinstance(value, dict):
            return value
        names_secret = any(is_secret(value.get(key)) for key in ("name", "key", "field"))
        return {
            name: self._hide_all(item)
            if is_secret(name) or (names_secret and name == "value")
            else self.json(item, depth + 1)
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
        """Apply `text` to all strings of a JSON value."""
        if isinstance(value, list):
            return [self.texts(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self.texts(item) for name, item in value.items()}
        return self.text(value) if isinstance(value, str) else value

    def describer(self) -> Describer:
        """A formatter for values that hides all secrets found so far."""
        return Describer(sorted(self._values, key=len, reverse=True))

    def text(self, text: str) -> str:
        """Hide, in other text, the values found so far and everything that looks like a secret."""
        for value in sorted(self._values, key=len, reverse=True):
            if value in text:
                text = text.replace(value, REPLACED)
        text = _ELEMENT.sub(rf"\1{REPLACED}", _SCHEME.sub(rf"\1 {REPLACED}", text))
        return _UNQUOTED.sub(rf"\1{REPLACED}", clean_text(text, REPLACED))
