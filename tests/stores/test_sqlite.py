"""A shared SQLite file: locked by others, deleted, replaced, of another version."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from costrel.stores.sqlite import Schema, SqliteFile
from costrel.stores.waiting import BRIEF, StoreError

SCHEMA = Schema(1, "CREATE TABLE IF NOT EXISTS numbers (number INTEGER);")
TIMEOUT = 0.6


@pytest.fixture
def file(tmp_path):
    file = SqliteFile(tmp_path / "kept.sqlite", SCHEMA, "numbers", TIMEOUT)
    yield file
    file.close()


def put(file, number=1):
    with file.transaction() as connection:
        connection.execute("INSERT INTO numbers VALUES (?)", (number,))


def numbers(file):
    return [number for (number,) in file.read("SELECT number FROM numbers ORDER BY number")]


@contextmanager
def locked(file, how="IMMEDIATE"):
    """Another connection has the lock."""
    other = sqlite3.connect(file.path, isolation_level=None, check_same_thread=False)
    other.execute(f"BEGIN {how}")
    try:
        yield other
    finally:
        if other.in_transaction:
            other.execute("ROLLBACK")
        other.close()


def seconds_of(function, *arguments):
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"The numbers in '.*kept\.sqlite' cannot be reached: it"):
        function(*arguments)
    return time.monotonic() - began


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_writers_share_one_deadline_and_readers_go_on(file, how):
    put(file)
    with locked(file, how), ThreadPoolExecutor(32) as pool:
        began = time.monotonic()
        waits = list(pool.map(lambda number: seconds_of(put, file, number), range(100)))
        assert time.monotonic() - began < 3 * TIMEOUT
        assert max(waits) < 2 * TIMEOUT
        assert [1] == numbers(file)
    put(file, 2)
    assert [1, 2] == numbers(file)


def test_once_a_deadline_was_missed_nobody_waits(file):
    put(file)
    with locked(file):
        assert seconds_of(put, file) >= TIMEOUT
        assert seconds_of(put, file) < TIMEOUT / 2


def test_a_short_lock_is_waited_for_by_all(file):
    put(file)
    with locked(file) as other:
        threading.Timer(BRIEF / 2, lambda: other.execute("ROLLBACK")).start()
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda number: put(file, number), range(2, 22)))
    assert list(range(1, 22)) == numbers(file)


def test_a_file_that_is_locked_before_it_is_opened(file):
    with locked(file, "EXCLUSIVE"), ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda number: seconds_of(put, file, number), range(16)))
        assert max(waits) < 2 * TIMEOUT
    put(file)
    assert [1] == numbers(file)


@pytest.mark.parametrize("also", [(), ("-wal",), ("-wal", "-shm")])
def test_a_file_that_is_deleted_is_made_anew(file, also):
    put(file)
    for end in ("", *also):
        os.unlink(f"{file.path}{end}")
    assert [] == numbers(file)
    put(file, 2)
    assert [2] == numbers(SqliteFile(file.path, SCHEMA, "numbers"))
    assert 0o600 == file.path.stat().st_mode & 0o777


def test_a_file_that_is_replaced_is_opened(file, tmp_path):
    put(file)
    backup = SqliteFile(tmp_path / "backup.sqlite", SCHEMA, "numbers")
    put(backup, 7)
    backup.close()
    os.replace(backup.path, file.path)
    assert [7] == numbers(file)
    put(file, 8)
    assert [7, 8] == numbers(file)


def test_a_folder_that_is_deleted_is_made_anew(tmp_path):
    file = SqliteFile(tmp_path / "folder" / "kept.sqlite", SCHEMA, "numbers")
    put(file)
    for path in file.path.parent.iterdir():
        path.unlink()
    file.path.parent.rmdir()
    put(file, 2)
    assert [2] == numbers(file)
    file.close()


def test_a_transaction_that_began_before_does_not_come_back(file):
    """Its connection is not used again."""
    put(file)
    with file.transaction() as connection:
        connection.execute("INSERT INTO numbers VALUES (2)")
        os.unlink(file.path)
    assert [] == numbers(file)


def test_processes_go_on_with_the_same_new_file(tmp_path):
    program = (
        "import sys\n"
        "from costrel.stores.sqlite import Schema, SqliteFile\n"
        f"file = SqliteFile(sys.argv[1], Schema(*{tuple(SCHEMA)!r}), 'numbers')\n"
        "for line in sys.stdin:\n"
        "    with file.transaction() as connection:\n"
        "        connection.execute('INSERT INTO numbers VALUES (?)', (int(line),))\n"
        "    print(line, end='', flush=True)\n"
    )
    path = tmp_path / "kept.sqlite"
    command = [sys.executable, "-c", program, str(path)]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]

    def tell(child, number):
        child.stdin.write(f"{number}\n")
        child.stdin.flush()
        assert f"{number}\n" == child.stdout.readline()

    for round_ in range(4):
        for child in children:
            tell(child, round_)
        path.unlink()
    for number, child in enumerate([*children, *children[::-1]]):
        tell(child, number)
    file = SqliteFile(path, SCHEMA, "numbers")
    assert [0, 1, 2, 3, 4, 5] == numbers(file)
    assert [("ok",)] == file.read("PRAGMA integrity_check")
    file.close()
    for child in children:
        child.communicate()
        assert 0 == child.returncode
    assert [0, 1, 2, 3, 4, 5] == numbers(SqliteFile(path, SCHEMA, "numbers"))


def test_a_file_of_a_later_version_is_refused(file):
    put(file)
    later = SqliteFile(file.path, Schema(2, SCHEMA.script), "numbers")
    put(later, 2)
    file.close()
    with pytest.raises(StoreError, match="it has version 2, and this release reads 1"):
        numbers(file)
    later.close()
