"""The application of each peer under a name such as `wsgi_flask` or `asgi_starlette`, as a server imports it."""

from __future__ import annotations

from typing import Any

from ..peers import GATEWAYS, find


def application(name: str) -> Any:
    """The application of that name. Raises AttributeError if there is none."""
    gateway, _, peer = name.partition("_")
    if gateway not in GATEWAYS:
        raise AttributeError(name)
    return find(gateway, peer).build(gateway, "")


__getattr__ = application
