"""Sessions in memory: for tests, and for single-process applications that may lose sessions."""

from __future__ import annotations

import time
from threading import Lock

from .store import Change, Record, SessionStore

SWEEP_EVERY = 1024
"""The number of new sessions after which expired sessions are deleted."""


class MemoryStore(SessionStore):
    """Stores records in a dict."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._lock = Lock()
        self._created = 0

    def load(self, key: str) -> Record | None:
        return self._records.get(key)

    def create(self, record: Record) -> None:
        with self._lock:
            self._created += 1
            if self._created % SWEEP_EVERY == 0:
                now = time.time()
                self._records = {key: kept for key, kept in self._records.items() if kept.expires > now}
            self._records[record.key] = record

    def change(self, key: str, change: Change) -> bool:
        with self._lock:
            record = self._records.pop(key, None)
            if record is None:
                return False
            changed = change.of(record)
            self._records[changed.key] = changed
            return True

    def delete(self, key: str) -> bool:
        with self._lock:
            return self._records.pop(key, None) is not None

    def of_user(self, user: str) -> list[Record]:
        with self._lock:
            return [record for record in self._records.values() if record.user == user]
