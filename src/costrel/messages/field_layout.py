"""The header fields of an ASGI request by the names that they have in a WSGI environ."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

HOT = frozenset(
    {
        "CONTENT_LENGTH",
        "CONTENT_TYPE",
        "HTTP_COOKIE",
        "HTTP_HOST",
        "HTTP_TRANSFER_ENCODING",
        "HTTP_UPGRADE",
        "PATH_INFO",
        "REQUEST_METHOD",
        "asgi.scope",
    }
)
"""The keys that the source of a request holds from the start, if the request has them."""

REQUEST_ID = b"x-request-id"
_IDS = frozenset({"HTTP_X_REQUEST_ID", "HTTP_TRACEPARENT"})

_KNOWN_NAMES = (
    b"accept", b"accept-encoding", b"accept-language", b"access-control-request-headers",
    b"access-control-request-method", b"authorization", b"cache-control", b"connection", b"cookie", b"date", b"dnt",
    b"expect", b"forwarded", b"host", b"if-match", b"if-modified-since", b"if-none-match", b"if-range",
    b"if-unmodified-since", b"keep-alive", b"origin", b"pragma", b"priority", b"range", b"referer", b"sec-ch-ua",
    b"sec-ch-ua-mobile", b"sec-ch-ua-platform", b"sec-fetch-dest", b"sec-fetch-mode", b"sec-fetch-site",
    b"sec-fetch-user", b"te", b"transfer-encoding", b"upgrade-insecure-requests", b"user-agent", b"via",
    b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-prefix", b"x-forwarded-proto",
    b"x-real-ip", b"x-request-id", b"x-requested-with",
)  # fmt: skip


def field_key(name: bytes) -> str | None:
    """The environ's key for a header field in lower case, or None for a field that must be left out.

    A name with an underscore would be taken for the one with hyphens, and ``Proxy`` for the proxy setting of
    libraries that read ``HTTP_PROXY`` from the environment (CVE-2016-5385).
    """
    if b"_" in name or name == b"proxy":
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


FIELD_KEYS = {name: field_key(name) for name in (*_KNOWN_NAMES, b"content-type", b"content-length")}
"""The keys of common fields."""


class FieldLayout:
    """The header fields of a request, in their order.

    A browser sends the same names with nearly all of its requests, so that all that follows from them is kept.
    """

    __slots__ = ("blank", "has_body", "has_id", "hot", "lacked", "names", "places", "repeats", "with_id")

    def __init__(self, names: tuple[bytes, ...]) -> None:
        self.names = list(names)
        self.with_id: FieldLayout | None = None
        """The layout that `add_id` has made."""
        keys = [FIELD_KEYS.get(name) or field_key(name.lower()) for name in names]
        self.places = {key: place for place, key in enumerate(keys) if key is not None}
        """The places of the fields by their keys."""
        self.repeats = len(self.places) != len(keys) - keys.count(None)
        """Whether a field occurs twice."""
        self.hot = [(key, self.places[key]) for key in sorted(HOT) if key in self.places]
        """The keys and places of the fields that a source holds from the start."""
        self.blank = dict.fromkeys(["asgi.scope", "REQUEST_METHOD", "PATH_INFO", *(key for key, _ in self.hot)])
        """All keys of a source with these fields."""
        self.has_body = "CONTENT_LENGTH" in self.places or "HTTP_TRANSFER_ENCODING" in self.places
        """Whether the fields announce a body (RFC 9112 §6.3)."""
        self.has_id = not _IDS.isdisjoint(self.places)
        """Whether the client may have sent an id of the request, or of a trace."""
        self.lacked: dict[object, bool] = {}
        """Sets of fields → whether the request lacks all of them; `Fields` keeps its answers here."""

    def add_id(self) -> FieldLayout:
        """Make the layout of the same fields with an ``X-Request-ID`` after them."""
        self.with_id = FieldLayout((*self.names, REQUEST_ID))
        return self.with_id


class _Layouts(dict[tuple[bytes, ...], FieldLayout]):
    """Makes missing layouts, and keeps them unless their names are unusually long."""

    def __init__(self) -> None:
        self._latest: dict[int, FieldLayout] = {}
        """Number of fields → the layout that was asked for last. To compare names costs less than to hash them."""

    def of(self, pairs: Iterable[tuple[bytes, bytes]]) -> FieldLayout:
        """The layout of these fields: names and values."""
        names = list(map(_name_of, pairs))
        layout = self._latest.get(len(names))
        if layout is None or layout.names != names:
            layout = self[tuple(names)]
            if len(names) <= _MOST_COMPARED:
                self._latest[len(names)] = layout
        return layout

    def __missing__(self, names: tuple[bytes, ...]) -> FieldLayout:
        layout = FieldLayout(names)
        if sum(map(len, names)) <= _MAX_NAMES:
            if len(self) >= _MAX_LAYOUTS:
                self.clear()
            self[names] = layout
        return layout


_name_of = itemgetter(0)

LAYOUTS = _Layouts()
"""Field names → their layout, for recent requests."""
_MOST_COMPARED = 64
_MAX_LAYOUTS = 256
_MAX_NAMES = 2048
