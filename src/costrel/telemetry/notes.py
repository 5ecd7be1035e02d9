"""Notes of a request for the server that it came from, in the ASGI scope."""

from __future__ import annotations

import typing as t

from ..support.asgi_types import Scope

NOTES: t.Final = "costrel.notes"
"""The key of a scope under which a server leaves a dict for notes, if middleware may pass on a copy of the scope."""

TRACE: t.Final = "costrel.trace"
"""The key of the note with the trace id, for the access log."""


def note(scope: Scope, key: str, text: str) -> None:
    """Store a note for the server."""
    scope.get(NOTES, scope)[key] = text


def noted(scope: Scope, key: str) -> str | None:
    """The note of this key, or None."""
    found: str | None = scope.get(NOTES, scope).get(key)
    return found
