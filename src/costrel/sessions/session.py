"""The session that a view uses, in every store: it notices all changes, also those inside its values."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from .errors import SessionUnavailable
from .interface import SecureCookieSession, session_json_serializer

SCALARS: t.Final = frozenset({str, int, bool, float, type(None)})
"""Types of values inside which nothing can change."""

_ABSENT: t.Final = object()


def written(value: object) -> str:
    """Return one value of a session as tagged JSON."""
    return session_json_serializer.dumps(value)


class Session(SecureCookieSession):
    """A session that notices every change, can get a new identifier, and can belong to a user."""

    key: str | None = None
    """The key in the store: the hash of the identifier. None in a cookie, and before the first save."""

    identifier: str | None = None
    """The secret in the client's cookie."""

    former: str | None = None
    """The key under which another library kept this session; it is deleted when the session is saved here."""

    unknown_key: str | None = None
    """The key of the identifier in the client's cookie, if the store has no session under it."""

    created: float | None = None
    """When the session began, in seconds since 1970."""

    seen: float | None = None
    """When it was last used before this request, as far as that was noted."""

    cleared = False
    """Whether `clear` was called: the data is now that of a new session."""

    wants_new_id = False
    """Whether `renew` was called."""

    _user: str | None = None
    _saved_user: str | None = None
    _touched = False
    _texts: Mapping[str, str] = MappingProxyType({})
    _values: dict[str, t.Any]

    def __init__(self, initial: Mapping[str, t.Any] | None = None, texts: Mapping[str, str] | None = None) -> None:
        """`texts` has the JSON that the values were read from, if it is known."""
        dict.__init__(self, () if initial is None else initial)
        self._values = dict(self)
        if texts is not None:
            self._texts = texts
        elif not SCALARS.issuperset(map(type, self._values.values())):
            self._texts = {name: written(value) for name, value in self.items() if type(value) not in SCALARS}

    def settle(self, texts: Mapping[str, str]) -> None:
        """Take the present content for the content of the store."""
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
        """Whether the session differs from the stored one, or was set to be saved anyhow."""
        return self._touched or self._user != self._saved_user or any(self._changed())

    @modified.setter
    def modified(self, value: bool) -> None:
        self._touched = value

    def clear(self) -> None:
        """End this session: data that is set afterwards goes into a new one, with another identifier and no user."""
        super().clear()
        self.cleared = True
        self._user = None

    def renew(self) -> None:
        """Get a new identifier and keep the data: the old identifier is no longer valid (session fixation)."""
        self.wants_new_id = True
        self.modified = True

    @property
    def user(self) -> str | None:
        """The user of this session; setting another one renews the session."""
        return self._user

    @user.setter
    def user(self, value: str | int | None) -> None:
        self.bind_user(value)

    def bind_user(self, user: str | int | None) -> None:
        """Set the user, with whose sessions this one is listed and revoked; None: the session has no user."""
        name = None if user is None else str(user)
        if name != self._user:
            self._user = name
            self.created = None
            self.renew()

    def changes(self) -> tuple[dict[str, str], frozenset[str]]:
        """Return the JSON of the values that are new or different, and the keys that were removed.

        :raises TypeError: if a key is not a string.
        """
        for name in self:
            if not isinstance(name, str):
                raise TypeError(f"The keys of a session are text, and {name!r} is none: use {str(name)!r}.")
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
    """An empty session for one that cannot be read, if ``SESSION_STORE_DOWN`` is "read-only": writing is a 503."""

    def _refuse(self, *args: object, **kwargs: object) -> t.NoReturn:
        raise SessionUnavailable(retry_after=1)

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = update = setdefault = renew = bind_user = _refuse


class UnavailableSession(ReadOnlySession):
    """A session that cannot be read: using it in any way is a 503."""

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
