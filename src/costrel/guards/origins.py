"""Checks the origin of requests: whether it is this site, and whether it may open a WebSocket.

Browsers let every page open a WebSocket, with cookies, and leave this check to the server.
"""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ..http.errors import Forbidden

_PORTS: t.Final = {"http": ":80", "https": ":443"}


def check_origin(app: t.Any, request: t.Any) -> None:
    """Raise Forbidden for a handshake from a page of another site (RFC 6455 §10.2).

    ``WEBSOCKET_ALLOWED_ORIGINS`` lists other origins that are allowed, such as ``https://app.example.org``; ``*``
    allows all, and None turns the check off. Origins that a CORS policy with credentials allows pass as well, and so do
    clients without an ``Origin``, which are not browsers.
    """
    allowed = app.config.get("WEBSOCKET_ALLOWED_ORIGINS")
    origin: str | None = request.headers.get("Origin")
    if allowed is None or origin is None:
        return
    if isinstance(allowed, str):
        allowed = (allowed,)
    if "*" in allowed or origin in allowed or is_own(origin, request.headers.get("Host", "")):
        return
    if app.guards is not None and app.guards.trusts(request, origin):
        return
    raise Forbidden(f"Pages of {origin} may not open this WebSocket: WEBSOCKET_ALLOWED_ORIGINS does not list it.")


def is_own(origin: str, host: str) -> bool:
    """Whether an origin is the requested host. The scheme may differ, since a proxy may terminate TLS."""
    try:
        url = urlsplit(origin)
    except ValueError:
        return False
    if url.scheme not in _PORTS or not url.netloc or url.path or url.query or url.fragment:
        return False
    port = _PORTS[url.scheme]
    return url.netloc.lower().removesuffix(port) == host.lower().removesuffix(port).removesuffix(":")
