"""Sessions in an SQLite file, which threads and processes of one machine can share."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

from ...stores.sqlite import TIMEOUT, Schema, SqliteFile
from .store import Change, Record, SessionStore

if t.TYPE_CHECKING:
    import sqlite3

SWEEP_EVERY: t.Final = 300.0
"""The interval in seconds at which expired sessions are deleted."""

SCHEMA: t.Final = Schema(
    1,
    """
CREATE TABLE IF NOT EXISTS sessions (
    key TEXT PRIMARY KEY, created REAL NOT NULL, seen REAL NOT NULL, expires REAL NOT NULL, user TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    key TEXT NOT NULL REFERENCES sessions (key) ON UPDATE CASCADE ON DELETE CASCADE,
    name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (key, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires);
CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (user) WHERE user IS NOT NULL;
""",
)

_LOAD = """
SELECT created, seen, expires, user, name, value
FROM sessions LEFT JOIN entries ON entries.key = sessions.key WHERE sessions.key = ?
"""
_CREATE = "INSERT INTO sessions (key, created, seen, expires, user) VALUES (?, ?, ?, ?, ?)"
_CHANGE = "UPDATE sessions SET key = ?, created = ?, seen = ?, expires = ?, user = ? WHERE key = ?"
_WRITE = "INSERT INTO entries (key, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"


class SqliteStore(SessionStore):
    """Stores records in the file at `path`, which only its owner can read. File and folder are created if necessary.

    Each value has its own row, so that simultaneous requests do not overwrite each other's values.
    """

    def __init__(self, path: str | os.PathLike[str], timeout: float = TIMEOUT) -> None:
        self._file = SqliteFile(path, SCHEMA, "sessions", timeout)
        self._swept = 0.0

    @property
    def path(self) -> Path:
        """The path of the file."""
        return self._file.path

    def load(self, key: str) -> Record | None:
        rows = self._file.read(_LOAD, (key,))
        if not rows:
            return None
        created, seen, expires, user = rows[0][:4]
        return Record(key, {name: value for *_, name, value in rows if name is not None}, created, seen, expires, user)

    def create(self, record: Record) -> None:
        with self._file.transaction() as connection:
            connection.execute(_CREATE, (record.key, record.created, record.seen, record.expires, record.user))
            _write(connection, record.key, record.values)
            self._sweep(connection)

    def change(self, key: str, change: Change) -> bool:
        new_key = change.new_key or key
        with self._file.transaction() as connection:
            values = (new_key, change.created, change.seen, change.expires, change.user, key)
            if connection.execute(_CHANGE, values).rowcount == 0:
                return False
            connection.executemany(
                "DELETE FROM entries WHERE key = ? AND name = ?", [(new_key, name) for name in change.removed]
            )
            _write(connection, new_key, change.written)
            self._sweep(connection)
        return True

    def delete(self, key: str) -> bool:
        with self._file.transaction() as connection:
            self._sweep(connection)
            return connection.execute("DELETE FROM sessions WHERE key = ?", (key,)).rowcount > 0

    def of_user(self, user: str) -> list[Record]:
        keys = self._file.read("SELECT key FROM sessions WHERE user = ?", (user,))
        return [record for (key,) in keys if (record := self.load(key)) is not None]

    def close(self) -> None:
        self._file.close()

    def _sweep(self, connection: sqlite3.Connection) -> None:
        now = time.time()
        if abs(now - self._swept) > SWEEP_EVERY:
            self._swept = now
            connection.execute("DELETE FROM sessions WHERE expires < ?", (now,))


def _write(connection: sqlite3.Connection, key: str, values: dict[str, str]) -> None:
    connection.executemany(_WRITE, [(key, name, value) for name, value in values.items()])
