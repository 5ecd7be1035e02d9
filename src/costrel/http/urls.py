"""URLs as people read them and as they travel: IRIs, URIs, and the characters that each part may contain unquoted.

An IRI (RFC 3987) may contain any character; a URI (RFC 3986) is its form in ASCII, percent-encoded as UTF-8. The WHATWG
URL Standard says which characters browsers encode in which part.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import SplitResult, quote, urlencode, urlsplit, urlunsplit

from ..support.patterns import LatePattern
from .multidict import iter_multi_items

# RFC 3986 §2.2, without the square brackets, which stand for IPv6 addresses. The percent sign is safe since what is
# quoted already stays so.
_SAFE_IN_PATH = "%!$&'()*+,/:;=@"
_SAFE_IN_QUERY = "%!$&'()*+,/:;=?@"
_SAFE_IN_FRAGMENT = "%!#$&'()*+,/:;=?@"
_SAFE_IN_USER = "%!$&'()*+,;="

# Unquoted, these would change or hide the meaning of a URL, in any part: controls, the space, the percent sign.
_NEVER_UNQUOTED = frozenset(range(0x21)) | {ord("%"), 0x7F}

_replace_escapes = LatePattern(r"(?:%[0-9A-Fa-f]{2})+").sub


_HAVE_AUTHORITIES = frozenset({"", "http", "https", "ws", "wss"})
"""Schemes whose URLs always have an authority, and relative references."""

# URLs that need neither quoting nor normalisation.
_is_plain = LatePattern(
    r"(?:https?://(?:[a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}(?::[1-9][0-9]{0,3})?)?"
    r"/(?!/)[A-Za-z0-9/_.~-]*(?:\?[A-Za-z0-9=&_.~-]+)?"
).fullmatch


def _unquoter(delimiters: str) -> t.Callable[[str], str]:
    """A function that decodes the percent-encoded characters of a part, but none of its delimiters."""
    kept = _NEVER_UNQUOTED | frozenset(map(ord, delimiters))

    def decode(match: re.Match[str]) -> str:
        escapes = match[0]
        parts: list[str] = []
        raw = bytearray()
        for position in range(0, len(escapes), 3):
            byte = int(escapes[position + 1 : position + 3], 16)
            if byte in kept:
                parts += (_decode(raw), escapes[position : position + 3])
                raw.clear()
            else:
                raw.append(byte)
        parts.append(_decode(raw))
        return "".join(parts)

    return lambda part: _replace_escapes(decode, part)


def _decode(raw: bytearray) -> str:
    """Decode UTF-8; invalid bytes stay quoted."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "".join(
            quote(char.encode("utf-8", "surrogateescape")) if "\udc80" <= char <= "\udcff" else char
            for char in raw.decode("utf-8", "surrogateescape")
        )


_unquote_path = _unquoter("/?#")
_unquote_query = _unquoter("&=+#")
_unquote_fragment = _unquoter("")
_unquote_user = _unquoter(":@/?#")


def uri_to_iri(uri: str) -> str:
    """Write a URI for people: with characters instead of their codes, if that keeps its meaning.

    :raises ValueError: The port or an IPv6 address is malformed.
    """
    if _is_plain(uri) and "xn--" not in uri:
        return uri
    parts = urlsplit(uri)
    return _joined(
        uri,
        parts.scheme,
        _authority(parts, _decode_idna, _unquote_user),
        _unquote_path(parts.path),
        _unquote_query(parts.query),
        _unquote_fragment(parts.fragment),
    )


def iri_to_uri(iri: str) -> str:
    """Write an IRI in ASCII: percent-encoded as UTF-8, its host as IDNA. A URI stays as it is.

    :raises ValueError: The host or the port is malformed.
    """
    if _is_plain(iri):
        return iri
    parts = urlsplit(iri)
    return _joined(
        iri,
        parts.scheme,
        _authority(parts, _encode_idna, _quote_user),
        quote(parts.path, safe=_SAFE_IN_PATH),
        quote(parts.query, safe=_SAFE_IN_QUERY),
        quote(parts.fragment, safe=_SAFE_IN_FRAGMENT),
    )


def _joined(given: str, scheme: str, authority: str, path: str, query: str, fragment: str) -> str:
    """Put the parts of the URL `given` together again.

    `urlunsplit` leaves out an empty authority: ``itms-services://?url=...`` would become another URL.
    """
    if scheme not in _HAVE_AUTHORITIES and not authority and given.lstrip()[len(scheme) + 1 :].startswith("//"):
        return f"{scheme}://{path}{'?' if query else ''}{query}{'#' if fragment else ''}{fragment}"
    return urlunsplit((scheme, authority, path, query, fragment))


def _quote_user(name: str) -> str:
    return quote(name, safe=_SAFE_IN_USER)


def _encode_idna(domain: str) -> str:
    return domain.encode("idna").decode("ascii")


def _decode_idna(domain: str) -> str:
    """Decode a host; one that is not properly encoded stays as it is, since clients choose what they send."""
    # RFC 1035 §2.3.4 allows no longer names, and the codec takes quadratic time.
    if "xn--" not in domain or len(domain) > 255:
        return domain
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


def _authority(parts: SplitResult, host: t.Callable[[str], str], user: t.Callable[[str], str]) -> str:
    """The user, host and port of a URL, with functions applied to the host and to the user's name and password."""
    authority = host(parts.hostname) if parts.hostname else ""
    if ":" in authority:
        authority = f"[{authority}]"
    if parts.port is not None:
        authority = f"{authority}:{parts.port}"
    if parts.username is not None:
        name = user(parts.username)
        if parts.password is not None:
            name = f"{name}:{user(parts.password)}"
        authority = f"{name}@{authority}"
    return authority


def encode_query(query: t.Mapping[str, object] | t.Iterable[tuple[str, object]]) -> str:
    """A query string (application/x-www-form-urlencoded) from a dict or pairs. Values that are None are left out.

    Characters that may appear in a query are not quoted, except for its delimiters.
    """
    pairs = [(name, value) for name, value in iter_multi_items(query) if value is not None]
    return urlencode(pairs, safe="!$'()*,/:;?@")
