"""The database: one connection for each request, and a list of the changes to its tables."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated

from costrel import Path, current_app
from msgspec import Meta, Struct

CHANGES = [
    """
    CREATE TABLE task (
        id INTEGER PRIMARY KEY,
        text TEXT NOT NULL,
        due TEXT,
        done INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE user (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        password_hash TEXT NOT NULL
    );
    ALTER TABLE task ADD COLUMN user_id INTEGER REFERENCES user
    """,
    """
    CREATE TABLE attachment (
        id INTEGER PRIMARY KEY,
        task_id INTEGER NOT NULL REFERENCES task,
        name TEXT NOT NULL,
        file TEXT NOT NULL UNIQUE,
        size INTEGER NOT NULL
    )
    """,
    "CREATE TABLE token (hash TEXT PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES user)",
    "CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL)",
]
TASKS = "SELECT task.*, user.name AS author FROM task LEFT JOIN user ON user.id = task.user_id"

Number = Annotated[int, Path(), Meta(ge=1, le=2**63 - 1)]
"""The number of a row in a URL. The bounds are those of SQLite."""


class NewTask(Struct):
    """A task as it comes from the form, or from a program."""

    text: Annotated[str, Meta(min_length=1, max_length=200, title="Task")]
    due: Annotated[date | None, Meta(title="Due")] = None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("Please write some words.")


class Task(Struct):
    """A task of the list."""

    id: int
    text: str
    due: date | None
    done: bool = False
    author: str | None = None


class User(Struct):
    """A member of the team."""

    id: int
    name: str
    password_hash: str


class Attachment(Struct):
    """A file of a task. `name` is the client's name for it, and `file` the name on the disk."""

    id: int
    task_id: int
    name: str
    file: str
    size: int


class Event(Struct):
    """A change that open pages show."""

    id: int
    text: str


class Database:
    """The queries of the application, over one connection."""

    def __init__(self, path: str) -> None:
        self.connection = sqlite3.connect(path)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA foreign_keys = ON")

    def upgrade(self) -> None:
        """Make the changes to the tables that this file does not have yet."""
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        for number, change in enumerate(CHANGES[version:], version + 1):
            self.connection.executescript(
                f"BEGIN; {change}; PRAGMA user_version = {number}; COMMIT;"
            )

    def tasks(self) -> list[Task]:
        """Return all tasks: the open ones first, then by date."""
        rows = self.connection.execute(f"{TASKS} ORDER BY done, due IS NULL, due, id")
        return [task_of(row) for row in rows]

    def task(self, number: int) -> Task | None:
        """Return one task, or None."""
        row = self.connection.execute(f"{TASKS} WHERE task.id = ?", (number,)).fetchone()
        return task_of(row) if row else None

    def add_task(self, new: NewTask, user: User) -> int:
        """Add a task of a user, and return its number."""
        due = new.due.isoformat() if new.due else None
        values = (new.text.strip(), due, user.id)
        row = self.connection.execute(
            "INSERT INTO task (text, due, user_id) VALUES (?, ?, ?)", values
        )
        self.add_event(f"{user.name} added “{new.text.strip()}”")
        return row.lastrowid or 0

    def finish_task(self, number: int, done: bool, user: User) -> bool:
        """Mark a task as done or open. Return whether it exists."""
        row = self.connection.execute("UPDATE task SET done = ? WHERE id = ?", (done, number))
        if row.rowcount == 0:
            return False
        self.add_event(f"{user.name} marked task {number} as {'done' if done else 'open'}")
        return True

    def add_event(self, text: str) -> None:
        """Add an event for the pages that are open."""
        self.connection.execute("INSERT INTO event (text) VALUES (?)", (text,))

    def last_event(self) -> int:
        """Return the number of the latest event, or 0."""
        (number,) = self.connection.execute("SELECT max(id) FROM event").fetchone()
        return number or 0

    def events(self, after: int) -> list[Event]:
        """Return the events after the one with that number."""
        query = "SELECT * FROM event WHERE id > ? ORDER BY id LIMIT 100"
        return [Event(**row) for row in self.connection.execute(query, (after,))]

    def attachments(self, task_id: int) -> list[Attachment]:
        """Return the files of a task, the oldest first."""
        query = "SELECT * FROM attachment WHERE task_id = ? ORDER BY id"
        return [Attachment(**row) for row in self.connection.execute(query, (task_id,))]

    def attachment(self, number: int) -> Attachment | None:
        """Return one file, or None."""
        query = "SELECT * FROM attachment WHERE id = ?"
        row = self.connection.execute(query, (number,)).fetchone()
        return Attachment(**row) if row else None

    def add_attachment(self, task_id: int, name: str, file: str, size: int) -> None:
        """Add a file to a task."""
        query = "INSERT INTO attachment (task_id, name, file, size) VALUES (?, ?, ?, ?)"
        self.connection.execute(query, (task_id, name, file, size))

    def user(self, user_id: int) -> User | None:
        """Return one user, or None."""
        row = self.connection.execute("SELECT * FROM user WHERE id = ?", (user_id,)).fetchone()
        return User(**row) if row else None

    def user_by_name(self, name: str) -> User | None:
        """Return the user of that name, or None."""
        row = self.connection.execute("SELECT * FROM user WHERE name = ?", (name,)).fetchone()
        return User(**row) if row else None

    def user_by_token(self, token_hash: str) -> User | None:
        """Return the user of a token, or None."""
        query = "SELECT user.* FROM token JOIN user ON user.id = token.user_id WHERE hash = ?"
        row = self.connection.execute(query, (token_hash,)).fetchone()
        return User(**row) if row else None

    def add_token(self, token_hash: str, user: User) -> None:
        """Add a token of a user."""
        query = "INSERT INTO token (hash, user_id) VALUES (?, ?)"
        self.connection.execute(query, (token_hash, user.id))

    def add_user(self, name: str, password_hash: str) -> None:
        """Add a user. Raises sqlite3.IntegrityError if the name is taken."""
        self.connection.execute(
            "INSERT INTO user (name, password_hash) VALUES (?, ?)", (name, password_hash)
        )


def task_of(row: sqlite3.Row) -> Task:
    """Make a task of a row of its table."""
    due = date.fromisoformat(row["due"]) if row["due"] else None
    return Task(row["id"], row["text"], due, bool(row["done"]), row["author"])


def open_database() -> Iterator[Database]:
    """Open the database, commit at the end, and close it. After an error nothing is committed."""
    path = current_app.config["DATABASE"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    database = Database(path)
    try:
        yield database
        database.connection.commit()
    finally:
        database.connection.close()


opened = contextmanager(open_database)
