"""The interface of session stores: they load sessions, and write only the keys that a request has changed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

from ...stores.waiting import StoreError as StoreError


class UnreadableRecordError(ValueError):
    """A value in a store is not one that the store has written."""


@dataclass(frozen=True)
class Record:
    """A stored session.

    `key` is the SHA-256 of the client's identifier in hexadecimal. `values` maps names to JSON. Times are in seconds
    since 1970: when the session started, when it was last used, and when it may be deleted.
    """

    key: str
    values: dict[str, str]
    created: float
    seen: float
    expires: float
    user: str | None = None


@dataclass(frozen=True)
class Change:
    """A request's change of a record: values that are set and removed, and the new times, user and key."""

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
    """Stores sessions. All methods are thread-safe, and raise StoreError if the store cannot be reached.

    Subclass it to write your own store. An object with the methods `get`, `set` and `delete` needs no subclass.
    """

    @abstractmethod
    def load(self, key: str) -> Record | None:
        """Return the record with this key; None if there is none.

        :raises UnreadableRecordError: if the stored value is not a session.
        """

    @abstractmethod
    def create(self, record: Record) -> None:
        """Store a new record."""

    @abstractmethod
    def change(self, key: str, change: Change) -> bool:
        """Change a record atomically. Returns False if there is no such record."""

    @abstractmethod
    def delete(self, key: str) -> bool:
        """Delete a record. Returns False if there is no such record."""

    @abstractmethod
    def of_user(self, user: str) -> list[Record]:
        """Return the records of a user, in any order."""

    def take_foreign(self, name: str) -> object:
        """Return the value that another library has stored under `name`: bytes or a dict; None if there is none.

        :raises ValueError: if no other library uses this kind of store.
        """
        raise ValueError(
            f"SESSION_MOVE_FROM contains 'flask-session', whose sessions can only be read from Redis and caches, but"
            f" SESSION_STORE is a {type(self).__name__}. First move to the same Redis or cache."
        )

    def drop_foreign(self, name: str) -> None:  # noqa: B027 - most stores have nothing to delete
        """Delete the value that another library has stored under `name`."""

    def close(self) -> None:  # noqa: B027 - most stores have nothing to close
        """Close connections and files."""
