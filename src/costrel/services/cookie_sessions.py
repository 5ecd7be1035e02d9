"""Sessions that are kept signed in the client's cookie, in Flask's format: what an application has unless told."""

from __future__ import annotations

import time
import typing as t

from .session import BEGAN, SEEN, USER, Session
from .session_cookie import vary_by_cookie
from .session_lifetimes import lifetimes
from .sessions import SecureCookieSessionInterface, SessionMixin

_NOTES: t.Final = frozenset({BEGAN, SEEN, USER})


class CookieSessions(SecureCookieSessionInterface):
    """Signed cookies in Flask's format, with the session and the lifetimes of the other stores.

    A cookie cannot be taken back: there is no list of a user's sessions, and `Session.renew` only signs it anew.
    """

    session_class = Session
    opens_late = True

    def open_session(self, app: t.Any, request: t.Any) -> SessionMixin | None:
        """The session of the request's cookie; an empty one where that is missing, not ours, or over."""
        session = super().open_session(app, request)
        if not isinstance(session, Session) or not session:
            return session
        if _NOTES.isdisjoint(session):
            return session
        # By `dict.pop`, since the view's session never had them.
        return self._noted(app, session, {name: dict.pop(session, name) for name in _NOTES if name in session})

    def _noted(self, app: t.Any, session: Session, notes: dict[str, t.Any]) -> Session:
        """The session with what its cookie says beside the data; an empty one where it is over."""
        session.created, session.seen, session._user = notes.get(BEGAN), notes.get(SEEN), notes.get(USER)
        now, lives = time.time(), lifetimes(app)
        too_old = session.created is not None and lives.absolute is not None and now >= session.created + lives.absolute
        unused = (
            session.seen is not None and app.config.get("SESSION_IDLE_LIFETIME") and now >= session.seen + lives.idle
        )
        if too_old or unused:
            return self.session_class()
        session.settle(session._texts)
        return session

    def should_set_cookie(self, app: t.Any, session: SessionMixin) -> bool:
        """Whether the session changed, is permanent and refreshed, or is old enough for its use to be noted."""
        if super().should_set_cookie(app, session):
            return True
        notes_use = app.config.get("SESSION_IDLE_LIFETIME") is not None
        if not notes_use or not isinstance(session, Session) or not session.accessed:
            return False
        return session.seen is None or lifetimes(app).wants_touch(session.seen, time.time())

    def save_session(self, app: t.Any, session: SessionMixin, response: t.Any) -> None:
        """Send the session's cookie if it has to be sent, or delete the one of a session that was emptied."""
        notes = self._notes(app, session) if isinstance(session, Session) else None
        if not notes:
            super().save_session(app, session, response)
        elif self.should_set_cookie(app, session):
            if session.accessed:
                vary_by_cookie(response)
            self._send(app, session, {**session, **notes}, response)
        elif session.accessed:
            vary_by_cookie(response)

    def _notes(self, app: t.Any, session: Session) -> dict[str, t.Any]:
        """What the cookie says beside the data: nothing, unless the session has a user or the settings ask for it."""
        config, user = app.config, session.user
        absolute, idle = config.get("SESSION_ABSOLUTE_LIFETIME"), config.get("SESSION_IDLE_LIFETIME")
        notes: dict[str, t.Any] = {} if user is None else {USER: user}
        if (absolute is not None or idle is not None) and (session or notes):
            now = int(time.time())
            if absolute is not None:
                notes[BEGAN] = now if session.created is None else min(session.created, now)
            if idle is not None:
                notes[SEEN] = now
        return notes
