"""How the body of a message is framed: its length, its chunks, and the responses that have none (RFC 9112 §6.3)."""

from __future__ import annotations

from typing import Final

# RFC 9110 §8.6 has a recipient "anticipate potentially large decimal numerals": those below 10¹⁹ fit in 64 bits.
_MAX_DIGITS = 19

_MAX_KNOWN_LENGTH = 9_999


class _LengthFields(dict[int, tuple[str, str]]):
    def __missing__(self, length: int) -> tuple[str, str]:
        field = ("Content-Length", f"{length}")
        if length <= _MAX_KNOWN_LENGTH:
            self[length] = field
        return field


length_fields: Final = _LengthFields()
"""Length of a body → its header field ``Content-Length``. For short bodies it is always the same object."""


_MAX_KNOWN_DIGITS = 4
_known_lengths: dict[str, int] = {}
"""The texts of up to four characters that were numbers → their numbers."""


def parse_content_length(text: str) -> int | None:
    """Return the number in a ``Content-Length``; None if it is not one.

    RFC 9110 §8.6: ``Content-Length = 1*DIGIT``. `int` would also take signs, underscores and digits of other scripts.
    """
    length = _known_lengths.get(text)
    if length is not None:
        return length
    digits = text if text.isdigit() else text.strip()
    if not (digits.isdigit() and digits.isascii() and len(digits) <= _MAX_DIGITS):
        return None
    length = int(digits)
    if len(text) <= _MAX_KNOWN_DIGITS:
        _known_lengths[text] = length
    return length


def is_chunked(transfer_encoding: str) -> bool:
    """Whether a message with this ``Transfer-Encoding`` comes in chunks (RFC 9112 §7.1)."""
    coding = transfer_encoding.lower()
    return coding == "chunked" or "chunked" in [each.strip() for each in coding.split(",")]


def body_length(content_length: str | None, transfer_encoding: str | None) -> int | None:
    """Return the length of a request's body: None if it is unknown, 0 if the ``Content-Length`` is malformed."""
    # RFC 9112 §6.3: "If a message is received with both a Transfer-Encoding and a Content-Length header field, the
    # Transfer-Encoding overrides the Content-Length."
    if content_length is None or (transfer_encoding and is_chunked(transfer_encoding)):
        return None
    return parse_content_length(content_length) or 0


def has_no_body(status: int, method: str = "GET") -> bool:
    """Whether a response with this status to this method ends with its header fields (RFC 9110 §6.4.1)."""
    # RFC 9112 §6.3: "Any response to a HEAD request and any response with a 1xx (Informational), 204 (No Content), or
    # 304 (Not Modified) status code is always terminated by the first empty line after the header fields".
    return 100 <= status < 200 or status in (204, 304) or method == "HEAD"


def forbids_content_length(status: int) -> bool:
    """Whether a response with this status must not have a ``Content-Length``."""
    # RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any response with a status code of 1xx
    # (Informational) or 204 (No Content)."
    return 100 <= status < 200 or status == 204
