"""Sessions that were written before an application moved to a store here: Flask's cookies, Flask-Session's stores."""

from __future__ import annotations

import typing as t

from itsdangerous import BadData, BadSignature, Signer

from ..sessions import SecureCookieSessionInterface
from .store import SessionStore, UnreadableRecordError

KNOWN: t.Final = ("cookie", "flask-session")

_FLASK = SecureCookieSessionInterface()


def sources(app: t.Any) -> tuple[str, ...]:
    """The setting ``SESSION_MOVE_FROM``. Raises ValueError for a format that is not read."""
    named = app.config.get("SESSION_MOVE_FROM") or ()
    names = (named,) if isinstance(named, str) else tuple(named)
    for name in names:
        if name not in KNOWN:
            raise ValueError(f"SESSION_MOVE_FROM names {name!r}; what can be read is {', '.join(map(repr, KNOWN))}.")
    return names


def from_cookie(app: t.Any, value: str) -> dict[str, t.Any] | None:
    """The data of a cookie that Flask signed; None where it is none, or too old."""
    serializer = _FLASK._kept_serializer(app)
    if serializer is None:
        return None
    try:
        data = serializer.loads(value, max_age=int(app.permanent_session_lifetime.total_seconds()))
    except BadData:
        return None
    return _checked(data)


def from_flask_session(app: t.Any, store: SessionStore, value: str) -> tuple[str, dict[str, t.Any]] | None:
    """Name and data of a session that Flask-Session 0.8 keeps in the same Redis or cache, as msgpack, JSON or a dict.

    Raises UnreadableRecordError for anything else, above all what earlier versions pickled.
    """
    identifier = _unsigned(app, value)
    if identifier is None:
        return None
    name = f"{app.config.get('SESSION_KEY_PREFIX', 'session:')}{identifier}"
    found = store.take_foreign(name)
    if found is None:
        return None
    data = _checked(_decoded(found) if isinstance(found, bytes) else found)
    if data is None:
        raise UnreadableRecordError(f"What is kept under {name!r} is no session.")
    return name, data


def _unsigned(app: t.Any, value: str) -> str | None:
    if not app.config.get("SESSION_USE_SIGNER"):
        return value
    keys = [*(app.config["SECRET_KEY_FALLBACKS"] or ()), app.secret_key]
    try:
        return Signer(keys, salt="flask-session", key_derivation="hmac").unsign(value).decode()
    except (BadSignature, UnicodeDecodeError):
        return None


def _decoded(found: bytes) -> t.Any:
    import msgspec

    try:
        # No msgpack of a dict begins like JSON's text of one.
        return msgspec.json.decode(found) if found.startswith(b"{") else msgspec.msgpack.decode(found)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableRecordError(f"What is kept there is neither msgpack nor JSON: {error}.") from error


def _checked(data: t.Any) -> dict[str, t.Any] | None:
    return data if isinstance(data, dict) and all(isinstance(name, str) for name in data) else None
