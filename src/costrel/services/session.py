"""The session that a view sees, wherever it is kept: it knows what changed, also inside its values."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from types import MappingProxyType

from .session_errors import SessionUnavailable
from .sessions import SecureCookieSession, mark_modified, session_json_serializer

SCALARS: t.Final = frozenset({str, int, bool, float, type(None)})
"""Types of values inside which nothing can change."""

BEGAN: t.Final = " began"
SEEN: t.Final = " seen"
USER: t.Final = " user"
"""What a cookie says beside the data. Like the tags of tagged JSON, these names begin with a blank."""

_ABSENT: t.Any = object()


def written(value: t.Any) -> str:
    """One value of a session as tagged JSON."""
    return session_json_serializer.dumps(value)


class Session(SecureCookieSession):
    """A session that notices every change, can get a new identifier, and can belong to a user."""

    key: str | None = None
    """Where the store keeps this session: the hash of its identifier. None in a cookie, and before the first save."""

    identifier: str | None = None
    """The secret that the client has in its cookie."""

    former: str | None = None
    """Where another library kept this session; that goes when it is saved here."""

    created: float | None = None
    """When the session began, in seconds since 1970."""

    seen: float | None = None
    """When it was last used before this request, as far as that was noted."""

    cleared = False
    """Whether `clear` was called: what is in the session now is a new one."""

    wants_new_id = False
    """Whether `renew` was called."""

    _user: str | None = None
    _saved_user: str | None = None
    _touched = False
    _texts: Mapping[str, str] = MappingProxyType({})

    def __init__(self, initial: Mapping[str, t.Any] | None = None, texts: Mapping[str, str] | None = None) -> None:
        """`texts` has the JSON that the values were read from, where it is known."""
        dict.__init__(self, () if initial is None else initial)
        self.on_update = mark_modified
        if texts is None and SCALARS.issuperset(map(type, self.values())):
            # PERF: session. As `settle`; nothing can change inside of what most sessions hold.
            self._values = dict.copy(self)
        elif texts is None:
            self.settle({name: written(value) for name, value in self.items() if type(value) not in SCALARS})
        else:
            self.settle(texts)

    def settle(self, texts: Mapping[str, str]) -> None:
        """Take what is in the session now for what is kept."""
        self._texts = dict(texts)
        self._values = dict(self)
        self._saved_user = self._user
        self._touched = self.cleared = self.wants_new_id = False

    @property
    def modified(self) -> bool:
        """Whether the session differs from what is kept, or was set to be saved anyhow."""
        return self._touched or self._user != self._saved_user or any(self._changed())

    @modified.setter
    def modified(self, value: bool) -> None:
        self._touched = value

    def clear(self) -> None:
        """End this session: what is set afterwards goes into a new one, with another identifier and no user."""
        super().clear()
        self.cleared = True
        self._user = None

    def renew(self) -> None:
        """Get a new identifier and keep the data: whoever knew the old one is out (session fixation)."""
        self.wants_new_id = True
        self.modified = True

    @property
    def user(self) -> str | None:
        """Whose session this is; setting it to another one renews the session."""
        return self._user

    @user.setter
    def user(self, value: str | int | None) -> None:
        self.bind_user(value)

    def bind_user(self, user: str | int | None) -> None:
        """Say whose session this is, so that it is listed and revoked with the others of the user; None: nobody's."""
        name = None if user is None else str(user)
        if name != self._user:
            self._user = name
            self.created = None
            self.renew()

    def changes(self) -> tuple[dict[str, str], frozenset[str]]:
        """The JSON of the values that are new or different, and the keys that are gone."""
        for name in self:
            if not isinstance(name, str):
                raise TypeError(f"The keys of a session are text, and {name!r} is none: use {str(name)!r}.")
        changed = dict(self._changed())
        return {name: text for name, text in changed.items() if text is not None}, frozenset(
            name for name, text in changed.items() if text is None
        )

    def texts(self) -> dict[str, str]:
        """The JSON of every value."""
        return {name: written(value) for name, value in self.items()}

    def _changed(self) -> t.Iterator[tuple[str, str | None]]:
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
    """What stands for a session that cannot be read, where ``SESSION_STORE_DOWN`` says so: empty, and not written."""

    def _refuse(self, *args: t.Any, **kwargs: t.Any) -> t.NoReturn:
        raise SessionUnavailable(retry_after=1)

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = update = setdefault = renew = bind_user = _refuse


class UnavailableSession(ReadOnlySession):
    """What stands for a session that cannot be read: whoever asks it anything gets a 503."""

    _refuse = ReadOnlySession._refuse

    def __init__(self) -> None:
        SecureCookieSession.__init__(self)
        self._values = self._texts = {}

    __getitem__ = __contains__ = __iter__ = __len__ = __eq__ = __ne__ = __or__ = __ror__ = __reversed__ = _refuse
    get = keys = values = items = copy = _refuse
    user = property(_refuse, _refuse)
    __hash__ = None  # type: ignore[assignment]  # as a dict's

    def __repr__(self) -> str:
        return "<UnavailableSession>"
