"""Sessions for real use: one `Session` for the view, and where it is kept is one line of configuration."""

from __future__ import annotations

from ..session_errors import SessionConflict, SessionUnavailable
from .cookies import CookieSessions, EncryptedCookieSessions
from .server import ServerSessions
from .session import Session
from .store import Record, SessionStore, StoreError

__all__ = [
    "CookieSessions",
    "EncryptedCookieSessions",
    "Record",
    "ServerSessions",
    "Session",
    "SessionConflict",
    "SessionStore",
    "SessionUnavailable",
    "StoreError",
]
