"""Reads `application/x-www-form-urlencoded` text, of a query string or a body, into pairs (URL Standard §5.1)."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes


def parse_query(text: str) -> list[tuple[str, str]]:
    """Split ``a=1&b=2`` into pairs, keeping fields without a value; ``;`` separates nothing."""
    pairs = []
    for field in text.split("&"):
        if field:
            name, _, value = field.partition("=")
            pairs.append((_unquote(name), _unquote(value)))
    return pairs


def decode_form(body: bytes) -> str:
    """Decode bytes as UTF-8; those that are not keep, or get, their percent-encoding, so that nothing is lost."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return _decode_around_errors(body)


def _decode_around_errors(body: bytes) -> str:
    pieces = []
    while body:
        try:
            pieces.append(body.decode())
            break
        except UnicodeDecodeError as error:
            pieces.append(body[: error.start].decode())
            pieces.append("".join(f"%{byte:02X}" for byte in body[error.start : error.end]))
            body = body[error.end :]
    return "".join(pieces)


def _unquote(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    return decode_form(unquote_to_bytes(text)) if "%" in text else text
