"""The applications whose pages lead to Vite's development server, which their policies then allow."""

from __future__ import annotations

import typing as t
from weakref import WeakSet

if t.TYPE_CHECKING:
    from .contract import MarkedApp

_used_by: WeakSet[MarkedApp] = WeakSet()


def server_of(app: MarkedApp) -> str | None:
    """The URL of Vite's development server; None if the built files are used in debug mode too."""
    server: str | None = app.config.get("VITE_SERVER", "http://localhost:5173")
    return server


def note_use(app: MarkedApp) -> None:
    """Note that a page leads to the server. It is noted for later pages too: a stream has sent its headers before."""
    _used_by.add(app)


def is_used_by(app: MarkedApp) -> bool:
    """Whether a page has led to the server."""
    return app in _used_by
