"""Reads `application/x-www-form-urlencoded` text, of a query string or a body, into pairs (URL Standard §5.1)."""

from __future__ import annotations

import re

from ..support.patterns import LatePattern

# Possessive: a run of escapes is never tried in another way, so it takes no memory to remember its beginnings.
_replace_escapes = LatePattern(r"(?:%[0-9A-Fa-f]{2})++").sub

# What `surrogateescape` makes of bytes that are not UTF-8, and how they are written instead.
_has_undecoded = LatePattern("[\udc80-\udcff]").search
_QUOTED = {0xDC00 + byte: f"%{byte:02X}" for byte in range(0x80, 0x100)}


def parse_query(text: str) -> list[tuple[str, str]]:
    """Split ``a=1&b=2`` into pairs, keeping fields without a value; ``;`` separates nothing."""
    pairs = []
    plain = "%" not in text and "+" not in text  # PERF: form, params. Then no field has either.
    for field in text.split("&"):
        if field:
            name, _, value = field.partition("=")
            quoted = not plain and ("%" in field or "+" in field)
            pairs.append((_unquote(name), _unquote(value)) if quoted else (name, value))
    return pairs


def decode_form(body: bytes) -> str:
    """Decode bytes as UTF-8; those that are not become their percent-encoding, so that nothing is lost."""
    return _quote_undecoded(body.decode(errors="surrogateescape"))


def _quote_undecoded(text: str) -> str:
    return text if text.isascii() or not _has_undecoded(text) else text.translate(_QUOTED)


def _unquote(text: str) -> str:
    text = text.replace("+", " ")
    return _quote_undecoded(_replace_escapes(_decode, text)) if "%" in text else text


def _decode(escapes: re.Match[str]) -> str:
    return bytes.fromhex(escapes[0].replace("%", "")).decode(errors="surrogateescape")
