"""A PostgreSQL server of its own, with the tables of TechEmpower's tests, until the block ends."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..servers import LOAD_CORE, free_port, pinned

START_SECONDS = 60
FORTUNES = [
    "The file that you look for is in the other folder.", "The last bug is always the one after the next.",
    "A test that has never failed has told you nothing yet.", "The clock of tomorrow: 23:59:58, 23:59:59, 00:00:00",
    "The machine did as you said; read again what you have said.",
    "You will find the comma, but not where you look for it.", "A finished program has no users left.",
    "You always leave the shortest queue.", "An old bug is a habit.",
    "Measure twice, and be surprised three times.",
    '<script>alert("A page that shows this has escaped nothing.");</script>', "速さは測ってから語る",
]  # fmt: skip
"""As many as TechEmpower has, among them one with markup and one in another script."""


def program(name: str) -> str:
    """The path of a program of PostgreSQL, which Debian does not put on the PATH. Raises RuntimeError without it."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise RuntimeError(f"{name} is not installed (Debian: apt-get install postgresql).")
    return path


@contextmanager
def running(connections: int) -> Iterator[str]:
    """A server on a free port of the loopback interface, on the core of the load; gives its connection string."""
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name  # root must not run it
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, user)
        data = folder / "data"
        initialize = [program("initdb"), "-D", data, "-U", "benchmark", "-A", "trust", "--no-sync", "-E", "UTF8"]
        subprocess.run(initialize, check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder, timeout=120)
        options = {
            "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off",
            "synchronous_commit": "off", "max_connections": connections, "log_min_messages": "fatal",
        }  # fmt: skip
        command = [program("postgres"), "-D", str(data)]
        for key, value in options.items():
            command += ["-c", f"{key}={value}"]
        process = subprocess.Popen(pinned(command, LOAD_CORE), user=user, cwd=folder, stderr=subprocess.DEVNULL)
        dsn = f"host=127.0.0.1 port={port} user=benchmark dbname=postgres"
        try:
            fill(dsn)
            yield dsn
        finally:
            process.terminate()
            process.wait(30)


def fill(dsn: str) -> None:
    """Make the tables, as soon as the server accepts connections. Raises TimeoutError if it does not."""
    import psycopg

    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connection = psycopg.connect(dsn, autocommit=True)
            break
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise TimeoutError("PostgreSQL does not start.") from None
            time.sleep(0.1)
    with connection:
        connection.execute("CREATE TABLE world (id integer PRIMARY KEY, randomnumber integer NOT NULL)")
        connection.execute("INSERT INTO world SELECT i, 1 + (i * 7919) % 10000 FROM generate_series(1, 10000) AS i")
        connection.execute("CREATE TABLE fortune (id integer PRIMARY KEY, message text NOT NULL)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO fortune VALUES (%s, %s)", list(enumerate(FORTUNES, 1)))
        connection.execute("ANALYZE")
