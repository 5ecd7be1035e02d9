"""Sessions in signed cookies, in Flask's format: the default of `Costrel`."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Mapping

from .cookie_notes import NOTES, Notes, notes_in, with_notes
from .interface import SecureCookieSessionInterface, SessionMixin, opens_late
from .lifetimes import lifetimes
from .session import Session

if t.TYPE_CHECKING:
    from ..context import AppContract


class CookieSessions(SecureCookieSessionInterface):
    """Signed cookies in Flask's format, with the `Session` class and the lifetimes of the other stores.

    A cookie cannot be revoked: there is no list of a user's sessions, and `Session.renew` only signs the cookie again.
    If the settings require it, the cookie also contains the session's user, and when it started and was last used.
    """

    session_class = Session

    def _session_of(self, app: AppContract, value: str, data: Mapping[str, t.Any]) -> SessionMixin:
        """Return the session for the data of a valid cookie; an empty session if it has expired."""
        if NOTES not in data:
            return self.session_class(data)
        values, notes = notes_in(app, data)
        now, lives = time.time(), lifetimes(app)
        too_old = notes.began is not None and lives.absolute is not None and now >= notes.began + lives.absolute
        unused = notes.seen is not None and app.config.get("SESSION_IDLE_LIFETIME") and now >= notes.seen + lives.idle
        if too_old or unused:
            return self.session_class()
        session = self.session_class(values)
        if isinstance(session, Session):
            session.restore(notes.began, notes.seen, notes.user)
        return session

    def _is_empty(self, session: SessionMixin) -> bool:
        return not session and (not isinstance(session, Session) or session.user is None)

    def _notes_use(self, app: AppContract, session: SessionMixin) -> bool:
        if not session.accessed or app.config.get("SESSION_IDLE_LIFETIME") is None or not isinstance(session, Session):
            return False
        return session.seen is None or lifetimes(app).wants_touch(session.seen, time.time())

    def _data_of(self, app: AppContract, session: SessionMixin) -> dict[str, t.Any]:
        data = dict(session)
        if not isinstance(session, Session):
            return data
        now, config = int(time.time()), app.config
        began = seen = None
        if config.get("SESSION_ABSOLUTE_LIFETIME") is not None:
            began = now if session.created is None else min(session.created, now)
        if config.get("SESSION_IDLE_LIFETIME") is not None:
            seen = now
        return with_notes(app, data, Notes(began, seen, session.user))


CookieSessions.opens_late = opens_late(CookieSessions)
