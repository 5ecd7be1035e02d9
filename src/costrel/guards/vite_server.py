"""Records which applications have pages that use Vite's development server, so that their policies allow it."""

from __future__ import annotations

import typing as t
from weakref import WeakSet

if t.TYPE_CHECKING:
    from .contract import MarkedApp

_used_by: WeakSet[MarkedApp] = WeakSet()


def server_of(app: MarkedApp) -> str | None:
    """The URL of Vite's development server; None if the built files are also used in debug mode."""
    server: str | None = app.config.get("VITE_SERVER", "http://localhost:5173")
    return server


def note_use(app: MarkedApp) -> None:
    """Record that a page uses the server. It holds for later pages too: a stream has already sent its headers."""
    _used_by.add(app)


def is_used_by(app: MarkedApp) -> bool:
    """Whether a page of the application has used the server."""
    return app in _used_by
