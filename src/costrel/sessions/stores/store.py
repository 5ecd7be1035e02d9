"""The interface of a session store: it loads a session, and changes the keys that a request has changed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

from ...stores.waiting import StoreError as StoreError


class UnreadableRecordError(ValueError):
    """A value in a store was not written by it."""


@dataclass(frozen=True)
class Record:
    """A session as a store keeps it.

    `key` is the SHA-256 of the identifier that the client has, in hexadecimal. `values` has the JSON of each value.
    Times are seconds since 1970: when the session began, when it was last used, and when it may be deleted.
    """

    key: str
    values: dict[str, str]
    created: float
    seen: float
    expires: float
    user: str | None = None


@dataclass(frozen=True)
class Change:
    """The change of one request to a record: values set and removed, and the new times, user and key."""

    seen: float
    created: float
    expires: float
    user: str | None = None
    written: dict[str, str] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    new_key: str | None = None

    def of(self, record: Record) -> Record:
        """Return the record after this change."""
        values = {name: text for name, text in record.values.items() if name not in self.removed}
        return replace(
            record,
            key=self.new_key or record.key,
            values=values | self.written,
            created=self.created,
            seen=self.seen,
            expires=self.expires,
            user=self.user,
        )


class SessionStore(ABC):
    """Keeps sessions. Each method is safe in several threads, and raises StoreError if the store is down.

    A store of your own is a subclass; an object with the methods `get`, `set` and `delete` needs none.
    """

    @abstractmethod
    def load(self, key: str) -> Record | None:
        """Return the record, or None.

        :raises UnreadableRecordError: if the value is no session.
        """

    @abstractmethod
    def create(self, record: Record) -> None:
        """Keep a new record."""

    @abstractmethod
    def change(self, key: str, change: Change) -> bool:
        """Change a record in one atomic step; False if there is no such record."""

    @abstractmethod
    def delete(self, key: str) -> bool:
        """Delete a record; False if there was none."""

    @abstractmethod
    def of_user(self, user: str) -> list[Record]:
        """Return the records of a user, in any order."""

    def take_foreign(self, name: str) -> object:
        """Return the value of another library under `name`: bytes, or a dict; None if there is none.

        :raises ValueError: if no other library keeps sessions in such a store.
        """
        raise ValueError(
            f"SESSION_MOVE_FROM names 'flask-session', whose sessions are read from Redis and from caches, and"
            f" SESSION_STORE is a {type(self).__name__}. Move to the same Redis or cache first."
        )

    def drop_foreign(self, name: str) -> None:  # noqa: B027 - most have nothing to delete
        """Delete the value of another library under `name`."""

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Close connections and files."""
