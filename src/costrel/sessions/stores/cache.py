"""Sessions in any object with the methods `get`, `set` and `delete`, such as a cache of cachelib."""

from __future__ import annotations

import json
import time
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from threading import RLock

from ...stores.waiting import Waits
from .store import Change, Record, SessionStore, StoreError, UnreadableRecordError

LIST_SECONDS: t.Final = 10 * 366 * 24 * 60 * 60
"""The lifetime in seconds of the list of a user's sessions. It is deleted together with the last session."""

TIMEOUT: t.Final = 5.0
"""The time limit in seconds for waiting until another thread has changed a session."""


class Cache(t.Protocol):
    """A cache with the interface of cachelib. `set` returns False if the value was not stored."""

    def get(self, key: str, /) -> t.Any: ...
    def set(self, key: str, value: str, timeout: int, /) -> object: ...
    def delete(self, key: str, /) -> object: ...


class CacheStore(SessionStore):
    """Stores each record as a JSON text, with ``set(key, text, seconds)``.

    A cache cannot change a record atomically. A lock protects the threads of one process from each other. If several
    processes change the same session at the same time, the last one wins.
    """

    def __init__(self, cache: Cache, prefix: str = "costrel:session:", timeout: float = TIMEOUT) -> None:
        self._cache = cache
        self._prefix = prefix
        self._lock = RLock()
        self._waits = Waits(timeout)

    def load(self, key: str) -> Record | None:
        text = self._get(self._prefix + key)
        if text is None:
            return None
        try:
            fields = json.loads(text)
            record = Record(**fields)
            values = record.values
            times = (record.created, record.seen, record.expires)
            is_valid = all(type(item) is str for item in values.values()) and all(type(at) is float for at in times)
            if record.key == key and is_valid:
                return record
        except (TypeError, ValueError, AttributeError, RecursionError):
            pass
        raise UnreadableRecordError("The value in the cache is not a session.")

    def create(self, record: Record) -> None:
        with self._locked():
            self._keep(record)
            self._list(record.user, record.key)

    def change(self, key: str, change: Change) -> bool:
        with self._locked():
            record = self.load(key)
            if record is None:
                return False
            changed = change.of(record)
            self._keep(changed)
            if (changed.key, changed.user) != (key, record.user):
                self._list(record.user, key, listed=False)
                self._list(changed.user, changed.key)
            if changed.key != key:
                self._remove(self._prefix + key)
            return True

    def delete(self, key: str) -> bool:
        with self._locked():
            record = self.load(key)
            if record is None:
                return False
            self._list(record.user, key, listed=False)
            self._remove(self._prefix + key)
            return True

    def of_user(self, user: str) -> list[Record]:
        records = [self.load(key) for key in self._keys_of(user)]
        return [record for record in records if record is not None and record.user == user]

    def take_foreign(self, name: str) -> object:
        return self._get(name)

    def drop_foreign(self, name: str) -> None:
        self._remove(name)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of this store. Raises StoreError if another thread, waiting for the cache, keeps it."""
        with self._waits.operation() as operation:
            try:
                operation.acquire(self._lock)
            except StoreError as error:
                raise StoreError(f"The session cache does not respond: {error}.") from error
        try:
            yield
        finally:
            self._lock.release()
        self._waits.note_success()

    def _keep(self, record: Record) -> None:
        seconds = max(1, int(record.expires - time.time()) + 1)
        self._set(self._prefix + record.key, json.dumps(asdict(record)), seconds)

    def _list(self, user: str | None, key: str, listed: bool = True) -> None:
        if user is None:
            return
        keys = {other for other in self._keys_of(user) if other != key and self._get(self._prefix + other) is not None}
        if listed:
            keys.add(key)
        if keys:
            self._set(self._list_key(user), json.dumps(sorted(keys)), LIST_SECONDS)
        else:
            self._remove(self._list_key(user))

    def _keys_of(self, user: str) -> list[str]:
        text = self._get(self._list_key(user))
        try:
            return [] if text is None else [str(key) for key in json.loads(text)]
        except (TypeError, ValueError) as error:
            raise UnreadableRecordError(f"The user's list of sessions in the cache is invalid: {error}.") from error

    def _list_key(self, user: str) -> str:
        return f"{self._prefix}user:{sha256(user.encode()).hexdigest()}"

    def _get(self, name: str) -> t.Any:
        with _errors():
            return self._cache.get(name)

    def _set(self, name: str, text: str, seconds: int) -> None:
        with _errors():
            kept = self._cache.set(name, text, seconds)
        if kept is False:
            raise StoreError("The session cache did not store a session.")

    def _remove(self, name: str) -> None:
        with _errors():
            self._cache.delete(name)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a cache may raise any error
        raise StoreError(f"The session cache cannot be reached: {error!r}.") from error
