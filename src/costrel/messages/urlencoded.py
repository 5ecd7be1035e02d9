"""Reads `application/x-www-form-urlencoded` text, of a query string or a body (URL Standard §5.1)."""

from __future__ import annotations

import re

from ..http.multidict import MultiDict, list_in, own_constructor
from ..support.patterns import LatePattern

# Possessive: a run of escapes is never tried in another way, so it takes no memory to remember its beginnings.
_replace_escapes = LatePattern(r"(?:%[0-9A-Fa-f]{2})++").sub

# What `surrogateescape` makes of bytes that are not UTF-8, and how they are written instead.
_has_undecoded = LatePattern("[\udc80-\udcff]").search
_QUOTED = {0xDC00 + byte: f"%{byte:02X}" for byte in range(0x80, 0x100)}


def load_query(text: str, cls: type[MultiDict[str, str]]) -> MultiDict[str, str]:
    """Read ``a=1&b=2`` into a multi-dict; a field may lack its value, and ``;`` separates nothing.

    :param cls: the class of the result. One with its own constructor gets a list of pairs.
    """
    if cls.__init__ is not own_constructor:
        return cls(parse_query(text))
    result = cls()
    is_plain = "%" not in text and "+" not in text
    for field in text.split("&"):
        if field:
            name, _, value = field.partition("=")
            if not is_plain and ("%" in field or "+" in field):
                name, value = _unquote(name), _unquote(value)
            list_in(result, name, []).append(value)
    return result


def parse_query(text: str) -> list[tuple[str, str]]:
    """Read ``a=1&b=2`` into pairs, in their order."""
    return [pair for field in text.split("&") for pair in load_query(field, MultiDict).items()]


def decode_form(body: bytes, charset: str = "utf-8") -> str:
    """Decode bytes as UTF-8; undecodable bytes become their percent-encoding, so that nothing is lost.

    :param charset: UTF-8, or one that is compatible with ASCII.
    """
    text = body.decode(charset, "surrogateescape")
    return text if text.isascii() else _quote_undecoded(text)


def _quote_undecoded(text: str) -> str:
    return text.translate(_QUOTED) if _has_undecoded(text) else text


def _unquote(text: str) -> str:
    text = text.replace("+", " ")
    return _quote_undecoded(_replace_escapes(_decode, text)) if "%" in text else text


def _decode(escapes: re.Match[str]) -> str:
    return bytes.fromhex(escapes[0].replace("%", "")).decode(errors="surrogateescape")
