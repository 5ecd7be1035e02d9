"""Reads sessions from before an application moved to Costrel's stores: Flask's cookies and Flask-Session's stores."""

from __future__ import annotations

import typing as t

from itsdangerous import BadSignature, Signer

from ...services.settings import DEFAULTS
from ..interface import read_signed
from .store import SessionStore, UnreadableRecordError

if t.TYPE_CHECKING:
    from ...context import AppContract

KNOWN: t.Final = ("cookie", "flask-session")


def sources(app: AppContract) -> tuple[str, ...]:
    """Return the setting ``SESSION_MOVE_FROM``.

    :raises ValueError: for an unknown format.
    """
    named = app.config.get("SESSION_MOVE_FROM") or ()
    names = (named,) if isinstance(named, str) else tuple(named)
    for name in names:
        if name not in KNOWN:
            raise ValueError(f"SESSION_MOVE_FROM contains {name!r}. Known formats are {', '.join(map(repr, KNOWN))}.")
    return names


def from_cookie(app: AppContract, value: str) -> dict[str, t.Any] | None:
    """Return the data of a cookie that Flask has signed; None if it is invalid or expired."""
    return _checked(read_signed(app, value))


def from_flask_session(app: AppContract, store: SessionStore, value: str) -> tuple[str, dict[str, t.Any]] | None:
    """Return name and data of a session that Flask-Session 0.8 has stored in the same Redis or cache.

    The format is msgpack, JSON or a dict.

    :raises UnreadableRecordError: for any other format, in particular the pickles of earlier versions.
    """
    identifier = _unsigned(app, value)
    if identifier is None:
        return None
    name = f"{app.config.get('SESSION_KEY_PREFIX', DEFAULTS['SESSION_KEY_PREFIX'])}{identifier}"
    found = store.take_foreign(name)
    if found is None:
        return None
    data = _checked(_decoded(found) if isinstance(found, bytes) else found)
    if data is None:
        raise UnreadableRecordError(f"The value under {name!r} is not a session.")
    return name, data


def _unsigned(app: AppContract, value: str) -> str | None:
    if not app.config.get("SESSION_USE_SIGNER", False):
        return value
    keys = [*(app.config["SECRET_KEY_FALLBACKS"] or ()), app.secret_key]
    try:
        return Signer(keys, salt="flask-session", key_derivation="hmac").unsign(value).decode()
    except (BadSignature, UnicodeDecodeError):
        return None


def _decoded(found: bytes) -> object:
    import msgspec

    try:
        # In msgpack, no dict starts with this byte.
        return msgspec.json.decode(found) if found.startswith(b"{") else msgspec.msgpack.decode(found)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableRecordError(f"The value is neither msgpack nor JSON: {error}.") from error


def _checked(data: object) -> dict[str, t.Any] | None:
    return data if isinstance(data, dict) and all(isinstance(name, str) for name in data) else None
