"""The notes of a session in a cookie: its user and times, which no key of the session can overwrite.

They are one list beside the data, under `NOTES`, with a signature of their own. So the data may come from anywhere,
such as a form, in this application or in a Flask application that shares the cookie.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .interface import notes_serializer
from .signing import Mac

if t.TYPE_CHECKING:
    from ..context import AppContract

NOTES: t.Final = " notes"
"""The key of the notes in a cookie. Keys of a session that look like it get another blank at their end."""


class Notes(t.NamedTuple):
    """When a session began and was last used, in seconds since 1970, and its user."""

    began: float | None = None
    seen: float | None = None
    user: str | None = None


_NONE: t.Final = Notes()


def with_notes(app: AppContract, data: dict[str, t.Any], notes: Notes) -> dict[str, t.Any]:
    """Return the data for a cookie with these notes."""
    collides = any(map(_looks_like_notes, data))
    if collides:
        data = {f"{name} " if _looks_like_notes(name) else name: value for name, value in data.items()}
    if collides or notes != _NONE:
        serializer = notes_serializer(app)
        signature = _signature(serializer.macs[0], serializer.serializer.dumps([*notes]))
        data[NOTES] = [*notes, signature.decode("ascii")]
    return data


def notes_in(app: AppContract, data: Mapping[str, t.Any]) -> tuple[dict[str, t.Any], Notes]:
    """Return the data of a cookie without the notes, and the notes. Without a valid signature, all of it is data."""
    found = dict(data)
    notes = _read(app, found.get(NOTES))
    if notes is None:
        return found, _NONE
    del found[NOTES]
    return {name[:-1] if _looks_like_notes(name) else name: value for name, value in found.items()}, notes


def _read(app: AppContract, value: object) -> Notes | None:
    if not isinstance(value, list) or len(value) != len(_NONE) + 1 or not isinstance(value[-1], str):
        return None
    from hmac import compare_digest  # loads OpenSSL: 3 MiB

    *fields, signature = value
    serializer = notes_serializer(app)
    text = serializer.serializer.dumps(fields)
    if any(compare_digest(_signature(mac, text), signature.encode()) for mac in serializer.macs):
        return Notes(*fields)
    return None


def _signature(mac: Mac, text: str | bytes) -> bytes:
    return mac.signature(text.encode() if isinstance(text, str) else text)


def _looks_like_notes(name: object) -> bool:
    return isinstance(name, str) and name.startswith(NOTES) and name.rstrip(" ") == NOTES
