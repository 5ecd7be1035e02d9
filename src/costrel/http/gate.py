"""The gate: checks everything in the head of a response on which a server could fail.

Servers are written in other languages, and some end the whole process for a value that they do not expect. Every
response passes here, whatever has made it. A ValueError from here becomes a 500.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_FIELDS = 10_000
"""The most header fields of one response; the HTTP library of Granian ends the process above 24,576."""

MAX_HEAD = 1024 * 1024
"""The most bytes of all header fields of one response."""

Fields = Iterable[tuple[str, str]]

_is_token = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
_match_status = re.compile(r"([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?").fullmatch
_find_control = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search

# PERF: hello. Most fields are the same in all responses: they are checked and encoded once.
_encoded: dict[tuple[str, str], tuple[bytes, bytes]] = {}
_MAX_ENCODED = 512 + 10_000  # including each Content-Length up to 9999
_MAX_KEPT_VALUE = 256
_MAX_SPELLINGS = 32
_CHANGING = frozenset({b"date", b"etag", b"last-modified", b"location", b"set-cookie"})
"""Fields whose values change: of these, only the last one of each name is kept."""
_last: dict[str, tuple[tuple[str, str], tuple[bytes, bytes]]] = {}
"""The last fields: the name → the field, and the field as bytes."""
_rests: dict[int, tuple[list[tuple[str, str]], list[tuple[bytes, bytes]]]] = {}
"""The number of fields → those after the type and the length, as text and as bytes: most responses share them."""
_NO_REST: tuple[list[tuple[str, str]], list[tuple[bytes, bytes]]] = [], []
_MOST_FIELDS = 64
"""The most fields of a response that need not be measured."""


def check_status(code: int) -> None:
    """Raise ValueError for a status code that no server can send (RFC 9110 §15)."""
    if not 100 <= code <= 999:
        raise ValueError(f"The status of the response is {code}. It must be a number from 100 to 999.")


def check_status_line(status: str) -> int:
    """The code of a WSGI status line (PEP 3333): three digits, a blank and a reason.

    :raises ValueError: for any other text.
    """
    match = _match_status(status)
    if match is None:
        raise ValueError(
            f"The status of the response is {status[:100]!r}. It must be a number from 100 to 999 and a text."
        )
    return int(match[1])


def encode_fields(pairs: Fields) -> list[tuple[bytes, bytes]]:
    """The header fields as bytes, their names in lower case.

    Transfer-Encoding is left out: the server decides how the body is sent (RFC 9112 §6.1).

    :raises ValueError: for a name or a value that no server can send, and for too many fields.
    """
    if pairs.__class__ is list:
        texts, rest = _rests.get(len(pairs), _NO_REST)
        if rest and pairs[2:] == texts:
            first, second = _encoded.get(pairs[0]), _encoded.get(pairs[1])
            if first is not None and second is not None:
                return [first, second, *rest]
    new: list[tuple[str, str]] = []
    encoded = [field for pair in pairs if (field := _encoded.get(pair) or _encode(pair, new))]
    if len(encoded) > _MOST_FIELDS:
        _check_size(encoded)
    elif pairs.__class__ is list and not new:
        _rests[len(pairs)] = pairs[2:], encoded[2:]
    return encoded


def check_fields(pairs: Fields) -> None:
    """Raise ValueError as `encode_fields` does."""
    encode_fields(pairs)


def _encode(pair: tuple[str, str], new: list[tuple[str, str]]) -> tuple[bytes, bytes] | None:
    new.append(pair)
    last = _last.get(pair[0])
    if last is not None and last[0] == pair:
        return last[1]
    name = pair[0].lower().encode("latin-1", "replace")
    if not _is_token(name):
        raise ValueError(f"{pair[0]!r} is not the name of a header field: use letters, digits and !#$%&'*+-.^_`|~.")
    if name == b"transfer-encoding":
        return None
    if name == b"content-length" and not (pair[1].isascii() and pair[1].isdecimal()):
        raise ValueError(f"The Content-Length of the response is {pair[1]!r}. It must be a number (RFC 9110 §8.6).")
    try:
        value = pair[1].encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(
            f"The header field {pair[0]!r} has characters outside of Latin-1: {pair[1][:100]!r}."
        ) from None
    if _find_control(value):
        raise ValueError(f"The header field {pair[0]!r} has a control character: {pair[1][:100]!r}.")
    field = name, value
    longest = 4 if name == b"content-length" else _MAX_KEPT_VALUE
    if len(value) > longest:
        return field
    if name not in _CHANGING:
        if len(_encoded) < _MAX_ENCODED:
            _encoded[pair] = field
    elif len(_last) < _MAX_SPELLINGS or pair[0] in _last:
        _last[pair[0]] = pair, field
    return field


def _check_size(encoded: list[tuple[bytes, bytes]]) -> None:
    if len(encoded) > MAX_FIELDS:
        raise ValueError(f"The response has {len(encoded):,} header fields; at most {MAX_FIELDS:,} can be sent.")
    size = sum(len(field[0]) + len(field[1]) for field in encoded)
    if size > MAX_HEAD:
        raise ValueError(f"The header fields of the response have {size:,} bytes; at most {MAX_HEAD:,} can be sent.")
