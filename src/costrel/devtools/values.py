"""Formats values for the error pages: shortened, without secrets, and robust against errors in a repr."""

from __future__ import annotations

import os
import re
import typing as t
from collections import deque
from collections.abc import Iterable, Mapping

from markupsafe import Markup, escape

HIDDEN: t.Final = "•••••• (hidden)"
"""The replacement for a value whose name marks it as secret."""

MAX_TEXT = 400
"""The maximum number of characters of a value."""

_MAX_ITEMS = 12
_MAX_DEPTH = 3
_MAX_OWN_REPR = 4_000
_SHORTEST_SECRET = 8
_NO_SECRETS = frozenset({"PWD", "OLDPWD"})

TELLING_WORDS: t.Final = (
    "secret|passw|passphrase|token|(?:api|access|private|signing|encryption|master)[_-]?key|credential|authorization|"
    "database_ur[il]|broker_url|redis_url|session_?id"
)
"""Parts of a name that mark its value as secret, as a regular expression."""

_SECRET_NAME = re.compile(rf"{TELLING_WORDS}|(?:^|[_-])(?:pwd|pin|auth|salt|dsn|cookies?)$", re.IGNORECASE)

# Matches, in the text of a repr, a name that marks a secret and its quoted value.
_SECRET_IN_TEXT = re.compile(
    rf"((?:{TELLING_WORDS}|cookie|api[-_]key)[\w-]*['\"]?\s*[,:=]\s*b?)(['\"])(?:\\.|(?!\2).)*(?:\2|$)", re.IGNORECASE
)
_PASSWORD_IN_URL = re.compile(r"(://[^/\s:@'\"]{0,100}:)[^@\s/'\"]{1,200}@")

_CGI_KEYS = (
    "HTTP_", "REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SCRIPT_NAME", "SERVER_", "REMOTE_", "CONTENT_", "wsgi.",
    "asgi.", "werkzeug.",
)  # fmt: skip
"""Prefixes of the request's keys in a WSGI environ, to which some servers add the environment of the process."""

_BRACKETS: t.Final[tuple[tuple[type, str, str], ...]] = (
    (list, "[", "]"),
    (tuple, "(", ")"),
    (set, "{", "}"),
    (frozenset, "frozenset({", "})"),
    (deque, "deque([", "])"),
)


def is_secret(name: object) -> bool:
    """Whether the name of a variable, key or setting marks its value as secret."""
    if isinstance(name, bytes):
        name = name.decode("latin-1")
    return isinstance(name, str) and name not in _NO_SECRETS and _SECRET_NAME.search(name[:200]) is not None


def secrets_of(*sources: Mapping[str, object]) -> tuple[str, ...]:
    """The secret values in these mappings, longest first, so that they can be hidden everywhere."""
    found = {
        text
        for source in sources
        for name, value in list(source.items())
        if is_secret(name) and len(text := _as_text(value)) >= _SHORTEST_SECRET
    }
    return tuple(sorted(found, key=len, reverse=True))


def clean_text(text: str, replacement: str = HIDDEN) -> str:
    """Hide, in `text`, quoted values after names that mark secrets, and passwords in URLs."""
    return _PASSWORD_IN_URL.sub(rf"\1{replacement}@", _SECRET_IN_TEXT.sub(rf"\1{replacement}", text))


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


class Describer:
    """Formats values as text, and hides `secrets` in the text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secrets)

    def named(self, name: object, value: object) -> str:
        """Format the value of a variable, which is hidden if the name marks a secret."""
        if is_secret(name) and value is not None and not callable(value):
            return HIDDEN
        return self.value(value)

    def value(self, value: object) -> str:
        """Format a value."""
        return self.clean(_shorten(_describe(value, 0), MAX_TEXT))

    def clean(self, text: str) -> str:
        """`text` without the known secrets."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return _PASSWORD_IN_URL.sub(rf"\1{HIDDEN}@", text)

    def clean_html(self, html: Markup) -> Markup:
        """`html` without the known secrets."""
        for secret in self._secrets:
            html = html.replace(escape(secret), HIDDEN)
        return html


def _describe(value: object, depth: int) -> str:
    cls = type(value)  # isinstance() would be forwarded by a proxy, and fail if the proxy is unbound
    if issubclass(cls, os._Environ):
        return "<the environment of the process, not shown>"
    if issubclass(cls, (str, bytes, bytearray)):
        return _text_or_bytes(t.cast("str | bytes | bytearray", value))
    if issubclass(cls, dict):
        return _mapping(t.cast("dict[object, object]", value), depth)
    if cls is tuple and len(t.cast("tuple[object, ...]", value)) == 2:  # perhaps a header
        name, content = t.cast("tuple[object, object]", value)
        if is_secret(name) and isinstance(content, (str, bytes)):
            return f"({_describe(name, depth + 1)}, {HIDDEN})"
    for kind, start, end in _BRACKETS:
        if cls is kind:
            return _sequence(t.cast("t.Collection[object]", value), start, end, depth)
    return _own_repr(value)


def _text_or_bytes(value: str | bytes | bytearray) -> str:
    if len(value) <= MAX_TEXT:
        return _own_repr(value)
    unit = "characters" if isinstance(value, str) else "bytes"
    return f"{_own_repr(value[: MAX_TEXT // 2])}… ({len(value):,} {unit})"


def _sequence(value: t.Collection[object], start: str, end: str, depth: int) -> str:
    if not value:
        return f"{start}{end}" if start != "{" else "set()"
    if depth == _MAX_DEPTH:
        return f"{start}…{end}"
    items = [_describe(item, depth + 1) for item, _ in zip(value, range(_MAX_ITEMS), strict=False)]
    if len(value) > _MAX_ITEMS:
        items.append(f"… {len(value):,} in all")
    elif start == "(" and len(items) == 1:
        items[0] += ","
    return f"{start}{', '.join(items)}{end}"


def _mapping(value: dict[object, object], depth: int) -> str:
    start, end = ("{", "}") if type(value) is dict else (f"{type(value).__name__}({{", "})")
    if depth == _MAX_DEPTH:
        return f"{start}…{end}"
    items = list(dict.items(value))  # MultiDict.items() would leave out values
    total = len(items)
    if "wsgi.version" in value:
        items = [(key, item) for key, item in items if _is_of_the_request(key, item)]
    shown = [f"{_describe(key, depth + 1)}: {_item(key, item, depth)}" for key, item in items[:_MAX_ITEMS]]
    if total > len(shown):
        shown.append(f"… {total:,} in all")
    return f"{start}{', '.join(shown)}{end}"


def _item(key: object, value: object, depth: int) -> str:
    secret = is_secret(key) and value is not None
    return HIDDEN if secret else _describe(value, depth + 1)


def _is_of_the_request(key: object, value: object) -> bool:
    return isinstance(key, str) and key.startswith(_CGI_KEYS) and os.environ.get(key) != value


def _own_repr(value: object) -> str:
    """The repr of an object, which may raise any exception."""
    try:
        text = repr(value)
        text = text if type(text) is str else str(text)
    except Exception as error:
        return f"<{type(value).__qualname__}: its repr raised {type(error).__name__}>"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"<{type(value).__qualname__}: its repr raised {type(error).__name__}>"
    return _SECRET_IN_TEXT.sub(rf"\1{HIDDEN}", text[:_MAX_OWN_REPR])


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
