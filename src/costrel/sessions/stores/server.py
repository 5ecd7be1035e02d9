"""Sessions on the server: the cookie contains an identifier, and the store only its hash."""

from __future__ import annotations

import secrets
import time
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from logging import Logger

from ...support.patterns import LatePattern
from ...support.seams import Seams
from ..cookie import keep_private, named, set_cookie, vary_by_cookie
from ..cookie_notes import notes_in
from ..errors import SessionConflict, SessionUnavailable
from ..interface import SessionInterface, SessionMixin, session_json_serializer
from ..lifetimes import Lifetimes, lifetimes
from ..session import ReadOnlySession, Session, UnavailableSession
from . import moving
from .store import Change, Record, SessionStore, StoreError, UnreadableRecordError

if t.TYPE_CHECKING:
    from ...context import AppContract
    from ...messages.request import Request
    from ...messages.response import Response

_is_identifier = LatePattern(r"[A-Za-z0-9_-]{43}").fullmatch


RENEWED_FOR: t.Final = 60.0
"""The seconds for which a store remembers that the identifier of a session was replaced.

Meanwhile, a request with the old identifier does not start a new session, since the new session's cookie would replace
the cookie of the renewed session.
"""


@dataclass(frozen=True)
class SessionInfo:
    """A session of a user: when it started, was last used and expires, in seconds since 1970.

    `key` is an argument for `ServerSessions.revoke`. It cannot be used as a cookie.
    """

    key: str
    user: str | None
    created: float
    seen: float
    expires: float


class ServerSessions(SessionInterface):
    """Keeps sessions in a store, each with an identifier of 256 random bits."""

    opens_late = False  # a store may block, so under ASGI it is called in a worker thread before the view
    session_class = Session

    def __init__(self, store: SessionStore) -> None:
        self.store = store

    # -- for the application -------------------------------------------------------------------------------------

    def sessions_of(self, user: str | int) -> list[SessionInfo]:
        """Return the sessions of a user that have not expired, the most recently used first.

        :raises SessionUnavailable: if the store is down.
        """
        now = time.time()
        with _reaching():
            records = [record for record in self.store.of_user(str(user)) if record.expires > now]
        records.sort(key=lambda record: record.seen, reverse=True)
        return [SessionInfo(kept.key, kept.user, kept.created, kept.seen, kept.expires) for kept in records]

    def revoke(self, session: SessionInfo | Session | str) -> bool:
        """End a session, which can also be given by its info or key. Returns False if it has already ended.

        :raises SessionUnavailable: if the store is down.
        """
        key = session if isinstance(session, str) else session.key
        with _reaching():
            return key is not None and self.store.delete(key)

    def revoke_all(self, user: str | int, but: Session | None = None) -> int:
        """End the sessions of a user, except for `but`. Returns their number.

        :raises SessionUnavailable: if the store is down.
        """
        kept = None if but is None else but.key
        return sum(self.revoke(info) for info in self.sessions_of(user) if info.key != kept)

    def regenerate(self, session: Session) -> None:
        """Renew a session. Flask-Session has this method under the same name."""
        session.renew()

    def opening_blocks(self, app: AppContract, request: Request) -> bool:
        """Whether opening the session of a request calls the store. It does not without a cookie."""
        if not _own_store.are_original(self):
            return True
        value = request.cookies.get(self.get_cookie_name(app))
        return value is not None and (_is_identifier(value) is not None or bool(moving.sources(app)))

    def saving_blocks(self, session: object) -> bool:
        """Whether saving a session calls the store. It does not for a new, empty session."""
        if not _own_store.are_original(self):
            return True
        if isinstance(session, ReadOnlySession) or not isinstance(session, Session):
            return False
        return session.key is not None or bool(session) or session.user is not None

    # -- opening -------------------------------------------------------------------------------------------------

    def open_session(self, app: AppContract, request: Request) -> SessionMixin:
        """Return the session for the request's cookie; a new one if there is none, or if it has expired."""
        value = request.cookies.get(self.get_cookie_name(app))
        if not value:
            return self.session_class()
        try:
            session = self._find(app, value)
            if session is None:
                session = self._move(app, value)
            if session is None:
                session = self.session_class()
                session.unknown_key = _key_of(value) if _is_identifier(value) else None
            return session
        except UnreadableRecordError as error:
            app.logger.warning("A session was refused. %s", error)
            return self.session_class()
        except StoreError as error:
            app.logger.error("%s", error)
            return self._replacement(app)

    def _find(self, app: AppContract, value: str) -> Session | None:
        if not _is_identifier(value):
            return None
        record = self.store.load(_key_of(value))
        if record is None or lifetimes(app).expires(record.created, record.seen) <= time.time():
            return None
        session = self.session_class(_values_of(record), record.values)
        session.key, session.identifier = record.key, value
        session.restore(record.created, record.seen, record.user)
        return session

    def _move(self, app: AppContract, value: str) -> Session | None:
        """Return a session in a format of ``SESSION_MOVE_FROM``. It moves to the store when it is saved."""
        names = moving.sources(app)
        data = moving.from_cookie(app, value) if "cookie" in names else None
        session = self.session_class()
        if data is not None:
            data, notes = notes_in(app, data)
            session.restore(notes.began, None, notes.user)
        elif "flask-session" in names and (found := moving.from_flask_session(app, self.store, value)):
            session.former, data = found
        else:
            return None
        session.update(data)
        return session

    def _replacement(self, app: AppContract) -> Session:
        policy = app.config.get("SESSION_STORE_DOWN", "refuse")
        if policy not in ("refuse", "read-only"):
            raise ValueError(f"SESSION_STORE_DOWN is {policy!r}. It must be 'refuse' or 'read-only'.")
        return ReadOnlySession() if policy == "read-only" else UnavailableSession()

    # -- saving --------------------------------------------------------------------------------------------------

    def save_session(self, app: AppContract, session: SessionMixin, response: Response) -> None:
        """Save the changes, and set the cookie if the client needs it.

        :raises SessionUnavailable: if the store is down.
        :raises SessionConflict: if the session ended meanwhile.
        """
        if session.accessed:
            vary_by_cookie(response)
        if isinstance(session, ReadOnlySession) or not isinstance(session, Session):
            return
        with _reaching(app.logger):
            sends = self._save(app, session)
        if sends:
            self._send_cookie(app, session, response)

    def _save(self, app: AppContract, session: Session) -> bool:
        """Update the store. Returns whether the cookie must be sent or deleted."""
        if session.cleared and session.key is not None:
            self.store.delete(session.key)
            session.key = session.identifier = session.created = None
            if not session:
                session.settle({})
                return True
        if session.key is None:
            return (bool(session) or session.user is not None) and self._create(app, session)
        return self._change(app, session)

    def _create(self, app: AppContract, session: Session) -> bool:
        session.changes()  # raises an error for a key that is not a string
        if session.unknown_key is not None and not session.wants_new_id and self._was_renewed(session.unknown_key):
            raise SessionConflict
        texts, now = session.texts(), time.time()
        identifier = secrets.token_urlsafe(32)
        began = now if session.created is None else min(session.created, now)
        record = Record(_key_of(identifier), texts, began, now, lifetimes(app).expires(began, now), session.user)
        self.store.create(record)
        if session.former is not None:
            self.store.drop_foreign(session.former)
            session.former = None
        _settle(session, identifier, record, texts)
        return True

    def _change(self, app: AppContract, session: Session) -> bool:
        key, lives, now = t.cast("str", session.key), lifetimes(app), time.time()
        refreshes = session.permanent and app.config["SESSION_REFRESH_EACH_REQUEST"]
        written, removed = session.changes()
        changes = bool(written or removed or session.wants_new_id)
        if not changes and not ((session.accessed or refreshes) and _is_stale(lives, session, now)):
            return refreshes and not self._was_renewed(key)
        created = now if session.created is None else min(session.created, now)
        identifier = secrets.token_urlsafe(32) if session.wants_new_id else t.cast("str", session.identifier)
        change = Change(
            now, created, lives.expires(created, now), session.user, written, removed, new_key=_key_of(identifier)
        )
        try:
            exists = self.store.change(key, change)
        except StoreError as error:
            if changes:
                raise
            app.logger.error("%s", error)  # only the time of the last use is lost
            return False
        if not exists:
            if written or session.wants_new_id:
                raise SessionConflict
            return False
        if session.wants_new_id:
            self._remember_renewal(app, key, now)
        sends = session.wants_new_id or session.permanent or "_permanent" in removed
        _settle(session, identifier, change, session.texts())
        return sends

    def _was_renewed(self, key: str) -> bool:
        """Whether the session with this key has recently got another identifier."""
        record = self.store.load(_key_of_renewal(key))
        return record is not None and record.expires > time.time()

    def _remember_renewal(self, app: AppContract, key: str, now: float) -> None:
        try:
            self.store.create(Record(_key_of_renewal(key), {}, now, now, now + RENEWED_FOR))
        except StoreError as error:  # the session itself has been renewed
            app.logger.warning("%s", error)

    def _send_cookie(self, app: AppContract, session: Session, response: Response) -> None:
        name, attributes = self.get_cookie_name(app), self._cookie_attributes(app)
        if session.identifier is None:
            response.delete_cookie(name, **named(attributes))
        else:
            expires = self.get_expiration_time(app, session)
            set_cookie(response, name, session.identifier, expires, attributes)
        vary_by_cookie(response)
        if app.config.get("SESSION_CACHE_PRIVATE", False):
            keep_private(response)


_own_store: t.Final = Seams(ServerSessions, "open_session", "save_session", "session_class")


def _key_of_renewal(key: str) -> str:
    """The key of the empty record that marks the session with `key` as renewed. No identifier hashes to it."""
    return _key_of(f"{key} was renewed")


@contextmanager
def _reaching(logger: Logger | None = None) -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        if logger is not None:
            logger.error("%s", error)
        raise SessionUnavailable(retry_after=1) from error


def _is_stale(lives: Lifetimes, session: Session, now: float) -> bool:
    return session.seen is None or lives.wants_touch(session.seen, now)


def _settle(session: Session, identifier: str, kept: Record | Change, texts: dict[str, str]) -> None:
    session.identifier, session.key = identifier, _key_of(identifier)
    session.created, session.seen = kept.created, kept.seen
    session.settle(texts)


def _key_of(identifier: str) -> str:
    return sha256(identifier.encode()).hexdigest()


def _values_of(record: Record) -> dict[str, t.Any]:
    try:
        return {name: session_json_serializer.loads(text) for name, text in record.values.items()}
    except Exception as error:  # JSON may be nested too deeply, and a tag may raise any error
        raise UnreadableRecordError(f"A value in the store is not the JSON of a session: {error!r}.") from error
