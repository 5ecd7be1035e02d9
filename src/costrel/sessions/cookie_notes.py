"""Metadata of a session in its cookie: the user and the times, which no key of the session can overwrite.

The notes are a list under the key `NOTES`, with a signature of their own. So the session's keys may come from anywhere,
for example from a form, in this application or in a Flask application that shares the cookie.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .interface import notes_serializer
from .signing import Mac

if t.TYPE_CHECKING:
    from ..context import AppContract

NOTES: t.Final = " notes"
"""The key of the notes in a cookie. Session keys that look like it get a space appended."""


class Notes(t.NamedTuple):
    """When a session started and was last used, in seconds since 1970, and its user."""

    began: float | None = None
    seen: float | None = None
    user: str | None = None


_NONE: t.Final = Notes()


def with_notes(app: AppContract, data: dict[str, t.Any], notes: Notes) -> dict[str, t.Any]:
    """Return the data for a cookie, including these notes."""
    collides = any(map(_looks_like_notes, data))
    if collides:
        data = {f"{name} " if _looks_like_notes(name) else name: value for name, value in data.items()}
    if collides or notes != _NONE:
        serializer = notes_serializer(app)
        signature = _signature(serializer.macs[0], serializer.serializer.dumps([*notes]))
        data[NOTES] = [*notes, signature.decode("ascii")]
    return data


def notes_in(app: AppContract, data: Mapping[str, t.Any]) -> tuple[dict[str, t.Any], Notes]:
    """Split the data of a cookie into session data and notes. Notes without a valid signature count as data."""
    values = dict(data)
    notes = _read(app, values.get(NOTES))
    if notes is None:
        return values, _NONE
    del values[NOTES]
    return {name[:-1] if _looks_like_notes(name) else name: value for name, value in values.items()}, notes


def _read(app: AppContract, value: object) -> Notes | None:
    if not isinstance(value, list) or len(value) != len(_NONE) + 1 or not isinstance(value[-1], str):
        return None
    from hmac import compare_digest  # imports OpenSSL, which takes 3 MiB

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
