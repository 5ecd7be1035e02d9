"""Notes about a request for its server, stored in the ASGI scope."""

from __future__ import annotations

import typing as t

from ..support.asgi_types import Scope

NOTES: t.Final = "costrel.notes"
"""The scope key of a dict for notes. A server adds it if middleware may pass on a copy of the scope."""

TRACE: t.Final = "costrel.trace"
"""The key of the note with the trace id, for the access log."""


def note(scope: Scope, key: str, text: str) -> None:
    """Store a note for the server."""
    scope.get(NOTES, scope)[key] = text


def noted(scope: Scope, key: str) -> str | None:
    """The note with this key; None if there is none."""
    text: str | None = scope.get(NOTES, scope).get(key)
    return text
