"""Sessions in an SQLite file, which several threads and processes of one machine can use at the same time."""

from __future__ import annotations

import os
import sqlite3
import time
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from .store import Change, Record, SessionStore, StoreError

TIMEOUT: t.Final = 5.0
"""How many seconds a writer waits for writers in other processes."""

SWEEP_EVERY: t.Final = 300.0
"""How many seconds pass between two deletions of the sessions that are over."""

SCHEMA: t.Final = """
CREATE TABLE IF NOT EXISTS sessions (
    key TEXT PRIMARY KEY, created REAL NOT NULL, seen REAL NOT NULL, expires REAL NOT NULL, user TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    key TEXT NOT NULL REFERENCES sessions (key) ON UPDATE CASCADE ON DELETE CASCADE,
    name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (key, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires);
CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (user) WHERE user IS NOT NULL;
"""

_LOAD = """
SELECT created, seen, expires, user, name, value
FROM sessions LEFT JOIN entries ON entries.key = sessions.key WHERE sessions.key = ?
"""
_CREATE = "INSERT INTO sessions (key, created, seen, expires, user) VALUES (?, ?, ?, ?, ?)"
_CHANGE = "UPDATE sessions SET key = ?, created = ?, seen = ?, expires = ?, user = ? WHERE key = ?"
_WRITE = "INSERT INTO entries (key, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"


class SqliteStore(SessionStore):
    """Keeps records in the file at `path`, which only its owner can read; the folder is made if it is missing.

    Each value has its own row, so that requests at the same time do not overwrite each other's values.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._idle: list[sqlite3.Connection] = []
        self._writing = Lock()
        self._connecting = Lock()
        self._swept = 0.0

    def load(self, key: str) -> Record | None:
        with self._connection() as connection:
            rows = connection.execute(_LOAD, (key,)).fetchall()
        if not rows:
            return None
        created, seen, expires, user = rows[0][:4]
        return Record(key, {name: value for *_, name, value in rows if name is not None}, created, seen, expires, user)

    def create(self, record: Record) -> None:
        with self._transaction() as connection:
            connection.execute(_CREATE, (record.key, record.created, record.seen, record.expires, record.user))
            _write(connection, record.key, record.values)

    def change(self, key: str, change: Change) -> bool:
        new_key = change.new_key or key
        with self._transaction() as connection:
            values = (new_key, change.created, change.seen, change.expires, change.user, key)
            if connection.execute(_CHANGE, values).rowcount == 0:
                return False
            connection.executemany(
                "DELETE FROM entries WHERE key = ? AND name = ?", [(new_key, name) for name in change.removed]
            )
            _write(connection, new_key, change.written)
        return True

    def delete(self, key: str) -> bool:
        with self._transaction() as connection:
            return connection.execute("DELETE FROM sessions WHERE key = ?", (key,)).rowcount > 0

    def of_user(self, user: str) -> list[Record]:
        with self._connection() as connection:
            keys = connection.execute("SELECT key FROM sessions WHERE user = ?", (user,)).fetchall()
        return [record for (key,) in keys if (record := self.load(key)) is not None]

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        # The writers of one process queue here: SQLite itself only sleeps and retries.
        with self._connection() as connection, self._writing:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                self._sweep(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # after some errors, such as a full disk, SQLite has rolled back itself
                    connection.execute("ROLLBACK")
                raise

    def _sweep(self, connection: sqlite3.Connection) -> None:
        now = time.time()
        if abs(now - self._swept) > SWEEP_EVERY:
            self._swept = now
            connection.execute("DELETE FROM sessions WHERE expires < ?", (now,))

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._pid != os.getpid():
            self._leave_to_parent()
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                with self._connecting:
                    connection = self._connect()
            try:
                yield connection
            except sqlite3.DatabaseError:
                connection.close()
                raise
            except BaseException:
                self._idle.append(connection)
                raise
            self._idle.append(connection)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"The sessions in {str(self.path)!r} cannot be reached: {error}.") from error

    def _leave_to_parent(self) -> None:
        # SQLite forbids the use of a connection after a fork, and closing one here would drop the parent's locks.
        _of_parents.append(self._idle)
        self._begin()

    def _connect(self) -> sqlite3.Connection:
        _make_private(self.path)
        connection = sqlite3.connect(self.path, timeout=TIMEOUT, isolation_level=None, check_same_thread=False)
        try:
            _use_log(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            if connection.execute("PRAGMA user_version").fetchone() == (0,):
                connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = 1; COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection


_of_parents: list[list[sqlite3.Connection]] = []


def _make_private(path: Path) -> None:
    """Create the file, or remove the rights of others; SQLite gives its companion files the same mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _use_log(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log, the only step for which SQLite does not wait for other processes itself."""
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _write(connection: sqlite3.Connection, key: str, values: dict[str, str]) -> None:
    connection.executemany(_WRITE, [(key, name, value) for name, value in values.items()])
