"""Sessions that are kept in the client's cookie: signed in Flask's format, or encrypted."""

from __future__ import annotations

import hmac
import secrets
import time
import typing as t
from functools import lru_cache

from itsdangerous import BadSignature, SignatureExpired

from ..session_cookie import vary_by_cookie
from ..sessions import SecureCookieSessionInterface, SessionMixin, session_json_serializer
from ..signing import _decoded, _encoded
from . import moving
from .lifetimes import lifetimes
from .session import BEGAN, SEEN, USER, Session

MISSING: t.Final = (
    "SESSION_STORE = 'encrypted' needs the package cryptography, which is not installed: pip install 'costrel[crypto]'."
)

PREFIX: t.Final = "e1."
_NOTES: t.Final = frozenset({BEGAN, SEEN, USER})
_SALT, _NONCE, _STAMP = 16, 12, 8


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


class EncryptedCookieSessions(CookieSessions):
    """Cookies that their owner cannot read either: AES-256-GCM, with keys that are derived from the secret key.

    Raises RuntimeError where cryptography is not installed.
    """

    opens_late = True

    def __init__(self) -> None:
        _aesgcm()

    def open_session(self, app: t.Any, request: t.Any) -> SessionMixin | None:
        """As with signed cookies. One that Flask signed is read where ``SESSION_MOVE_FROM`` says so."""
        session = super().open_session(app, request)
        value = request.cookies.get(self.get_cookie_name(app))
        if session and value and not value.startswith(PREFIX):
            session.modified = True  # so that it is sent encrypted
        return session

    def _kept_serializer(self, app: t.Any) -> t.Any:
        signed = super()._kept_serializer(app)
        if signed is None:
            return None
        keys = (app.secret_key, *reversed(app.config["SECRET_KEY_FALLBACKS"] or ()))
        box = _box(keys, self.get_cookie_name(app))
        return EitherFormat(box, signed) if "cookie" in moving.sources(app) else box


class Box:
    """Writes and reads encrypted values; the first key writes, all of them read.

    A value is ``e1.`` and the base64 of salt, nonce and ciphertext. Each has an AES key of its own, an HMAC of the
    salt: with random nonces, one key must not encrypt more than 2**32 messages (NIST SP 800-38D §8.3). The time of
    writing stands inside, before the data; the cookie's name is authenticated with them.
    """

    def __init__(self, secret_keys: tuple[str | bytes, ...], name: str) -> None:
        from cryptography.exceptions import InvalidTag

        self._cipher, self._invalid = _aesgcm(), InvalidTag
        self._keys = [_derived(key) for key in secret_keys]
        self._context = f"{PREFIX}{name}".encode()

    def dumps(self, data: dict[str, t.Any]) -> str:
        """The encrypted value for `data`."""
        salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
        text = int(time.time()).to_bytes(_STAMP, "big") + session_json_serializer.dumps(data).encode()
        sealed = self._cipher(_of_message(self._keys[0], salt)).encrypt(nonce, text, self._context)
        return PREFIX + _encoded(salt + nonce + sealed).decode("ascii")

    def loads(self, value: str, max_age: int) -> t.Any:
        """The data of a value that is at most `max_age` seconds old. Raises BadSignature for any other."""
        text = self._opened(value)
        if int(time.time()) - int.from_bytes(text[:_STAMP], "big") > max_age:
            raise SignatureExpired(f"The session's cookie is older than {max_age} seconds.")
        try:
            return session_json_serializer.loads(text[_STAMP:].decode())
        except Exception as error:
            raise BadSignature("The session's cookie is ours, but cannot be read.") from error

    def _opened(self, value: str) -> bytes:
        if not value.startswith(PREFIX):
            raise BadSignature("The session's cookie is not encrypted.")
        try:
            sealed = _decoded(value.removeprefix(PREFIX).encode("ascii"))
        except ValueError as error:
            raise BadSignature("The session's cookie is not base64.") from error
        salt, nonce, box = sealed[:_SALT], sealed[_SALT : _SALT + _NONCE], sealed[_SALT + _NONCE :]
        if len(box) >= _STAMP:
            for key in self._keys:
                try:
                    opened: bytes = self._cipher(_of_message(key, salt)).decrypt(nonce, box, self._context)
                except self._invalid:
                    continue
                return opened
        raise BadSignature("The session's cookie was not encrypted with a key of this application.")


class EitherFormat:
    """Writes encrypted values, and reads signed ones too."""

    def __init__(self, box: Box, signed: t.Any) -> None:
        self._box = box
        self._signed = signed

    def dumps(self, data: dict[str, t.Any]) -> str:
        return self._box.dumps(data)

    def loads(self, value: str, max_age: int) -> t.Any:
        return (self._box if value.startswith(PREFIX) else self._signed).loads(value, max_age)


@lru_cache(maxsize=16)
def _box(secret_keys: tuple[str | bytes, ...], name: str) -> Box:
    # PERF: session. Deriving the keys takes longer than encrypting.
    return Box(secret_keys, name)


def _derived(secret_key: str | bytes) -> bytes:
    """HKDF (RFC 5869): a key for this purpose, from which nothing about the others follows."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    secret = secret_key.encode() if isinstance(secret_key, str) else secret_key
    return HKDF(SHA256(), 32, salt=b"costrel", info=b"encrypted session cookie").derive(secret)


def _of_message(key: bytes, salt: bytes) -> bytes:
    return hmac.digest(key, salt, "sha256")


def _aesgcm() -> t.Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise RuntimeError(MISSING) from None
    return AESGCM
