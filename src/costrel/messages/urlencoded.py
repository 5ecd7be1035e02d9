"""Reads `application/x-www-form-urlencoded` text, of a query string or a body, into pairs (URL Standard §5.1)."""

from __future__ import annotations

import codecs
from urllib.parse import unquote_to_bytes


def parse_query(text: str) -> list[tuple[str, str]]:
    """Split ``a=1&b=2`` into pairs, keeping fields without a value; ``;`` separates nothing."""
    pairs = []
    for field in text.split("&"):
        if field:
            name, _, value = field.partition("=")
            quoted = "%" in field or "+" in field
            pairs.append((_unquote(name), _unquote(value)) if quoted else (name, value))
    return pairs


def decode_form(body: bytes) -> str:
    """Decode bytes as UTF-8; those that are not become their percent-encoding, so that nothing is lost."""
    return body.decode(errors=_KEEP_QUOTED)


def _unquote(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    return decode_form(unquote_to_bytes(text)) if "%" in text else text


def _quote_undecodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):  # pragma: no cover  # it is used for decoding alone
        raise error
    return "".join([f"%{byte:02X}" for byte in error.object[error.start : error.end]]), error.end


# A codec's error handler, since only that meets each bad byte in one pass over the text.
_KEEP_QUOTED = "costrel.keep_quoted"
codecs.register_error(_KEEP_QUOTED, _quote_undecodable)
