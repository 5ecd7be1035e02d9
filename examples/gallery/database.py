"""The SQLite database in the instance folder: one connection per request, opened at its first use."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import time
from pathlib import Path

from costrel import Costrel, current_app, g

SCHEMA = Path(__file__).with_name("schema.sql")
SAMPLES = Path(__file__).with_name("samples")
SAMPLE_TITLES = {
    "dunes.jpg": "Dunes, just before the heat",
    "fjord.jpg": "The fjord at five in the morning",
    "forest.jpg": "Where the path ends",
    "harbour.jpg": "Harbour lights",
    "peaks.jpg": "Three peaks and a moon",
    "tea.jpg": "Tea terraces",
}


def connect(folder: str) -> sqlite3.Connection:
    """A connection to the database in `folder`."""
    # A request may begin in one thread and end in another, but never uses two at once.
    connection = sqlite3.connect(Path(folder, "gallery.sqlite"), check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def get() -> sqlite3.Connection:
    """The connection of the current request."""
    if "database" not in g:
        g.database = connect(current_app.config["INSTANCE"])
    connection: sqlite3.Connection = g.database
    return connection


def close(error: BaseException | None = None) -> None:
    """Close the connection of the current request, if it has one."""
    connection = g.pop("database", None)
    if connection is not None:
        connection.close()


def init_app(app: Costrel) -> None:
    """Create the tables, add samples to an empty gallery, and close the connection after each request."""
    folder = app.config["INSTANCE"]
    with connect(folder) as connection:
        connection.executescript(SCHEMA.read_text())
        connection.execute("BEGIN IMMEDIATE")  # if several processes start at once, only one adds the samples
        empty = connection.execute("SELECT 1 FROM user").fetchone() is None
        if empty and app.config["SAMPLES"]:
            add_samples(connection, Path(folder, "pictures"))
    connection.close()
    app.teardown_appcontext(close)


def add_samples(connection: sqlite3.Connection, folder: Path) -> None:
    """Six pictures by a user who cannot sign in, so that the first page has something to show."""
    user = connection.execute("INSERT INTO user (name, password) VALUES ('wanderer', '')").lastrowid
    for number, (file, title) in enumerate(SAMPLE_TITLES.items()):
        name = f"{secrets.token_hex(8)}-{file}"
        shutil.copyfile(SAMPLES / file, folder / name)
        connection.execute(
            "INSERT INTO picture (user_id, title, file, created) VALUES (?, ?, ?, ?)",
            (user, title, name, time.time() - 3600 * (7 * number + 1)),
        )
