"""The values of `X-Forwarded-*`, which each proxy adds to or replaces: addresses, schemes, ports and prefixes."""

from __future__ import annotations

import typing as t

from ..support.patterns import LatePattern
from .errors import BadRequest

if t.TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    IPAddress: t.TypeAlias = IPv4Address | IPv6Address

_BLANKS: t.Final = " \t"

# [v6], [v6]:port, v4:port. An IPv6 address without brackets has no port: its last colon would be ambiguous.
_match_bracketed = LatePattern(r"\[([^\[\]]*)\](?::[0-9]{0,5})?").fullmatch
_match_with_port = LatePattern(r"([^:\[\]]*):[0-9]{0,5}").fullmatch
_is_zone = LatePattern(r"[A-Za-z0-9._~-]+").fullmatch

# One slash, then a path (RFC 3986 §3.3), whose bytes above 127 are Latin-1 characters here. Browsers treat a
# backslash as a slash, and ignore tabs and line breaks.
_is_prefix = LatePattern(r"/(?![/\\])[^\x00-\x20\x7f\"#<>?\\^`{|}]*").fullmatch
_is_port = LatePattern(r"[1-9][0-9]{0,4}").fullmatch

_SCHEMES: t.Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


def split_forwarded(value: str) -> list[str]:
    """The entries of a field, including empty entries: the position of an entry tells which proxy added it.

    Proxies append a comma and their entry to any text from a client. If this parsed quoted strings, a client could
    open a quote that swallows the proxy's entry.
    """
    return [entry.strip(_BLANKS) for entry in value.split(",")]


def parse_address(entry: str) -> IPAddress | None:
    """The IP address of an entry, without port, brackets and zone (RFC 4007 §11); None for any other text.

    An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is returned as IPv4.
    """
    from ipaddress import IPv6Address, ip_address

    match = _match_bracketed(entry) or _match_with_port(entry)
    text = entry if match is None else match[1]
    if entry[:1] == "[" and ":" not in text:
        return None
    text, percent, zone = text.partition("%")
    if percent and not (_is_zone(zone) and ":" in text):
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def last_vouched_for(entries: list[str], hops: int) -> str | None:
    """The address of the client, if the last `hops` entries are from trusted proxies.

    An entry that is not an IP address ends the chain: the address after it is the farthest that a trusted proxy vouches
    for. None if there is no such address.
    """
    vouched = None
    for entry in reversed(entries[-hops:]):
        address = parse_address(entry)
        if address is None:
            break
        vouched = str(address)
    return vouched


def forwarded_scheme(entry: str) -> str | None:
    """``"http"`` or ``"https"``; None for any other scheme. Some proxies write ``wss`` for a WebSocket over TLS."""
    return _SCHEMES.get(entry.lower())


def forwarded_port(entry: str) -> str | None:
    """The entry if it is a port, else None."""
    return entry if _is_port(entry) and int(entry) <= 65535 else None


def forwarded_prefix(entry: str) -> str:
    """The path below which the proxy serves the application.

    :raises BadRequest: if it does not begin with exactly one slash, or has a character that a path must not have. URLs
        that begin with ``//evil.example`` lead to another site.
    """
    if _is_prefix(entry):
        return entry
    raise BadRequest(
        f"X-Forwarded-Prefix is {entry[:100]!r}. It must be a path with one slash at its beginning, such as '/shop'."
    )
