"""Session stores. Views always use the class `Session`; a setting selects the store."""

from __future__ import annotations

from ..cookie_sessions import CookieSessions
from ..errors import SessionConflict, SessionUnavailable
from ..session import Session
from .cookies import EncryptedCookieSessions
from .server import ServerSessions
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
