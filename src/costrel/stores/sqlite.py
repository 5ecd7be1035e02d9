"""An SQLite file that threads and processes of one machine share: connections, transactions, schema versions."""

from __future__ import annotations

import os
import sqlite3
import typing as t
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # a module

from .waiting import Operation, StoreError, StuckError, Waits

T = t.TypeVar("T")

TIMEOUT: t.Final = 2.0
"""The time limit in seconds for waiting: for this process's writers, for other processes, and to connect."""

COMPANIONS: t.Final = ("-wal", "-shm")
"""The suffixes of a file's write-ahead log and of the log's index."""

Identity: t.TypeAlias = tuple[int, int]


class Schema(t.NamedTuple):
    """The tables of a file. `script` creates them; `version` is stored in the file as ``user_version``."""

    version: int
    script: str


class SqliteFile:
    """The SQLite file at `path`, which only its owner can read. File and folder are created if they do not exist.

    If the file is deleted or replaced, the next operation opens the file that is at `path` by then.

    :param name: the kind of data in the file, for messages.
    :param timeout: the time limit in seconds for waiting for the file.
    """

    def __init__(self, path: str | os.PathLike[str], schema: Schema, name: str, timeout: float = TIMEOUT) -> None:
        self.path = Path(path)
        self.timeout = timeout
        self._schema = schema
        self._name = name
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._idle: list[sqlite3.Connection] = []
        self._identity: Identity | None = None
        """Device and inode of the open file; None if there are no connections."""
        self._companions: set[Identity | None] = set()
        """Device and inode of its write-ahead log and of the log's index."""
        self._connections: set[sqlite3.Connection] = set()
        self._writing = Lock()
        self._connecting = Lock()
        self._reads, self._writes = Waits(self.timeout), Waits(self.timeout)  # separate: writers do not block readers

    def read(self, query: str, parameters: Sequence[object] = ()) -> list[t.Any]:
        """The rows of a query.

        :raises StoreError: if the file cannot be read within the timeout.
        """
        self._check_process()
        with self._operation(self._reads) as operation, self._connection(operation) as connection:
            rows = _retried(lambda: connection.execute(query, parameters).fetchall(), operation)
            self._reads.note_success()
            return rows

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Start a transaction that may write. It is rolled back if the block raises an exception.

        :raises StoreError: if the file cannot be written within the timeout.
        """
        self._check_process()
        with self._operation(self._writes) as operation, self._connection(operation) as connection:
            # The writers of one process queue for this lock, since SQLite itself only sleeps and retries.
            operation.acquire(self._writing)
            try:
                _retried(lambda: connection.execute("BEGIN IMMEDIATE"), operation)
                self._writes.note_success()
                try:
                    yield connection
                    _retried(lambda: connection.execute("COMMIT"), operation)
                except BaseException:
                    if connection.in_transaction:  # after some errors, such as a full disk, SQLite has rolled back
                        connection.execute("ROLLBACK")
                    raise
            finally:
                self._writing.release()

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._drop(self._idle.pop())

    def _drop(self, connection: sqlite3.Connection) -> None:
        connection.close()
        self._connections.discard(connection)
        if not self._connections:  # the inode of a closed file may be reused
            self._identity = None

    @contextmanager
    def _operation(self, waits: Waits) -> Iterator[Operation]:
        try:
            with waits.operation() as operation:
                yield operation
        except (sqlite3.Error, OSError, StuckError) as error:
            raise StoreError(f"The {self._name} in {str(self.path)!r} cannot be reached: {error}.") from error

    def _check_process(self) -> None:
        # SQLite forbids using a connection after a fork, and closing it here would release the parent's locks.
        if self._pid != os.getpid():
            _of_parents.append(self._connections)
            self._begin()

    @contextmanager
    def _connection(self, operation: Operation) -> Iterator[sqlite3.Connection]:
        identity = _identity(self.path)
        if identity is None or identity != self._identity:
            identity = self._find_file(operation)
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect(operation)
        try:
            yield connection
        except sqlite3.DatabaseError:
            self._drop(connection)
            raise
        except BaseException:
            self._keep(connection, identity)
            raise
        self._keep(connection, identity)

    def _keep(self, connection: sqlite3.Connection, identity: Identity) -> None:
        if identity == self._identity:
            self._idle.append(connection)
        else:
            self._drop(connection)

    def _find_file(self, operation: Operation) -> Identity:
        """Create the file if it does not exist, and make it private. Returns the file's identity."""
        operation.acquire(self._connecting)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _alone_in(self.path.parent, operation):
                self._remove_stale_companions()
                _make_private(self.path)
                identity = _identity(self.path)
            if identity is None:
                raise FileNotFoundError("it was deleted a moment ago")
            if identity != self._identity:
                self.close()
                self._identity = identity
            return identity
        finally:
            self._connecting.release()

    def _remove_stale_companions(self) -> None:
        """Remove the log of a file that was deleted or replaced, which SQLite would apply to the current file.

        If another process has already removed it, the log belongs to the current file.
        """
        is_missing = not self.path.exists()
        for companion in map(self._companion, COMPANIONS):
            if is_missing or (self._identity is not None and _identity(companion) in self._companions):
                companion.unlink(missing_ok=True)

    def _companion(self, end: str) -> Path:
        return self.path.with_name(self.path.name + end)

    def _connect(self, operation: Operation) -> sqlite3.Connection:
        operation.acquire(self._connecting)
        try:
            # SQLite's own timeout is off, since `operation` decides how long and how many threads wait.
            connection = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
            try:
                _retried(lambda: self._set_up(connection), operation)
            except BaseException:
                connection.close()
                raise
            self._connections.add(connection)
            self._companions = {_identity(self._companion(end)) for end in COMPANIONS} - {None}
            return connection
        finally:
            self._connecting.release()

    def _set_up(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > self._schema.version:
            raise sqlite3.DatabaseError(f"it has version {version}, and this release reads {self._schema.version}")
        if version < self._schema.version:
            script = f"BEGIN IMMEDIATE; {self._schema.script} PRAGMA user_version = {self._schema.version}; COMMIT"
            try:
                connection.executescript(script)
            except sqlite3.Error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _identity(path: Path) -> Identity | None:
    """Device and inode of the file at `path`; None if it does not exist."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def _alone_in(folder: Path, operation: Operation) -> Iterator[None]:
    """Lock `folder` against other processes that create stores. Not needed on Windows: open files are not deleted."""
    if fcntl is None:
        yield
        return
    number = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while True:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                operation.pause()
        yield
    finally:
        os.close(number)  # releases the lock


_of_parents: list[set[sqlite3.Connection]] = []


def _retried(attempt: Callable[[], T], operation: Operation) -> T:
    """Call `attempt` until the file is no longer locked by other connections. Returns its result."""
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            # The low byte is the primary code; the other bytes specify it further.
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
        operation.pause()


def _make_private(path: Path) -> None:
    """Create the file, or remove other users' permissions. SQLite gives the companion files the same mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
