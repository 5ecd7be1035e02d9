"""The session class of all stores. It detects every change, also inside values."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from .errors import SessionUnavailable
from .interface import SecureCookieSession, session_json_serializer

SCALARS: t.Final = frozenset({str, int, bool, float, type(None)})
"""Immutable types of values."""

_ABSENT: t.Final = object()


def written(value: object) -> str:
    """Return a value of a session as tagged JSON."""
    return session_json_serializer.dumps(value)


class Session(SecureCookieSession):
    """A session that detects every change, can get a new identifier, and can belong to a user."""

    key: str | None = None
    """The key in the store: the hash of the identifier. None for cookies, and before the first save."""

    identifier: str | None = None
    """The secret in the client's cookie."""

    former: str | None = None
    """The key under which another library has stored this session. It is deleted when the session is saved here."""

    unknown_key: str | None = None
    """The key for the identifier in the client's cookie if the store has no such session."""

    created: float | None = None
    """When the session started, in seconds since 1970."""

    seen: float | None = None
    """The last recorded use before this request, in seconds since 1970."""

    cleared = False
    """Whether `clear` was called, so that the data belongs to a new session."""

    wants_new_id = False
    """Whether `renew` was called."""

    _user: str | None = None
    _saved_user: str | None = None
    _touched = False
    _texts: Mapping[str, str] = MappingProxyType({})
    _values: dict[str, t.Any]

    def __init__(self, initial: Mapping[str, t.Any] | None = None, texts: Mapping[str, str] | None = None) -> None:
        """`texts` is the JSON from which the values were read, if it is known."""
        dict.__init__(self, () if initial is None else initial)
        self._values = dict(self)
        if texts is not None:
            self._texts = texts
        elif not SCALARS.issuperset(map(type, self._values.values())):
            self._texts = {name: written(value) for name, value in self.items() if type(value) not in SCALARS}

    def settle(self, texts: Mapping[str, str]) -> None:
        """Record that the current content has been stored."""
        self._texts = texts
        self._values = dict(self)
        self._saved_user = self._user
        self._touched = self.cleared = self.wants_new_id = False

    def restore(self, created: float | None, seen: float | None, user: str | None) -> None:
        """Set the times and the user that are stored with the data."""
        self.created, self.seen = created, seen
        self._user = self._saved_user = user

    @property
    def modified(self) -> bool:
        """Whether the session differs from the stored one, or was explicitly marked as modified."""
        return self._touched or self._user != self._saved_user or any(self._changed())

    @modified.setter
    def modified(self, value: bool) -> None:
        self._touched = value

    def clear(self) -> None:
        """End this session. Data that is set afterwards belongs to a new session with a new identifier and no user."""
        super().clear()
        self.cleared = True
        self._user = None

    def renew(self) -> None:
        """Keep the data under a new identifier. The old one becomes invalid, which prevents session fixation."""
        self.wants_new_id = True
        self.modified = True

    @property
    def user(self) -> str | None:
        """The user of this session. Setting another user renews the session."""
        return self._user

    @user.setter
    def user(self, value: str | int | None) -> None:
        self.bind_user(value)

    def bind_user(self, user: str | int | None) -> None:
        """Set the user, by which sessions can be listed and revoked; None for no user."""
        name = None if user is None else str(user)
        if name != self._user:
            self._user = name
            self.created = None
            self.renew()

    def changes(self) -> tuple[dict[str, str], frozenset[str]]:
        """Return the JSON of new and changed values, and the keys that were removed.

        :raises TypeError: if a key is not a string.
        """
        for name in self:
            if not isinstance(name, str):
                raise TypeError(f"The keys of a session must be text, not {name!r}. Use {str(name)!r}.")
        changed = dict(self._changed())
        return {name: text for name, text in changed.items() if text is not None}, frozenset(
            name for name, text in changed.items() if text is None
        )

    def texts(self) -> dict[str, str]:
        """Return the JSON of every value."""
        return {name: written(value) for name, value in self.items()}

    def _changed(self) -> Iterator[tuple[str, str | None]]:
        for name, value in self.items():
            before = self._values.get(name, _ABSENT)
            if type(value) in SCALARS and type(value) is type(before) and value == before:
                continue
            text = written(value)
            if before is _ABSENT or text != self._texts.get(name):
                yield name, text
        for name in self._values.keys() - self.keys():
            yield name, None


class ReadOnlySession(Session):
    """Replaces an unreadable session if ``SESSION_STORE_DOWN`` is "read-only". It is empty, and writing is a 503."""

    def _refuse(self, *args: object, **kwargs: object) -> t.NoReturn:
        raise SessionUnavailable(retry_after=1)

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = update = setdefault = renew = bind_user = _refuse


class UnavailableSession(ReadOnlySession):
    """Replaces a session that cannot be read. Any use is a 503."""

    _refuse = ReadOnlySession._refuse

    __getitem__ = __contains__ = __iter__ = __len__ = __eq__ = __ne__ = __or__ = __ror__ = __reversed__ = _refuse
    get = keys = values = items = copy = _refuse
    user = property(_refuse, _refuse)
    __hash__ = None  # type: ignore[assignment]  # as a dict's

    def __init__(self) -> None:
        SecureCookieSession.__init__(self)
        self._values = self._texts = {}

    def __repr__(self) -> str:
        return "<UnavailableSession>"
