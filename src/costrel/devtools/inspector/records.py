"""Recorded requests, and the store of the latest records."""

from __future__ import annotations

import typing as t
from collections import deque
from dataclasses import dataclass, field, fields

from .hiding import REPLACED, Pairs

MAX_RECORDS: t.Final = 200
MAX_BYTES: t.Final = 20_000_000
"""The maximum size of all records together, as `Record.size` estimates it."""

SAFE_METHODS: t.Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Upload(t.NamedTuple):
    """An uploaded file."""

    field: str
    filename: str
    content_type: str
    content: bytes


@dataclass(kw_only=True)
class Record:
    """A request and its response, without secrets."""

    id: int = 0
    at: float
    method: str
    path: str
    query: str
    base: str
    """Scheme and host of the URL."""
    headers: Pairs
    body: bytes | None
    """None if it was not recorded, or consists of `fields` and `files`."""
    body_note: str = ""
    """The reason if the body was not recorded."""
    fields: Pairs = field(default_factory=list)
    files: list[Upload] = field(default_factory=list)
    is_json: bool = False
    groups: list[tuple[str, Pairs]] = field(default_factory=list)
    """The tables of the page: query, form, files, JSON, session and `g`."""
    rule: str = ""
    endpoint: str = ""
    stages: list[tuple[str, int, float, float]] = field(default_factory=list)
    """Name, nesting depth, start and duration in milliseconds."""
    templates: list[tuple[str, float]] = field(default_factory=list)
    sql: list[tuple[str, str, float]] = field(default_factory=list)
    logs: list[tuple[str, str, str]] = field(default_factory=list)
    left_out: int = 0
    error: str = ""
    status: int = 0
    response_headers: Pairs = field(default_factory=list)
    response_size: int = 0
    ms: float = 0.0

    @property
    def target(self) -> str:
        """The path with the query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def is_safe(self) -> bool:
        """Whether the method is safe (RFC 9110 §9.2.1)."""
        return self.method in SAFE_METHODS

    @property
    def can_replay(self) -> bool:
        """Whether the whole body was recorded."""
        return not self.body_note

    @property
    def hidden_headers(self) -> list[str]:
        """The names of header fields whose values were replaced."""
        return [name for name, value in self.headers if REPLACED in value]

    def size(self) -> int:
        """An estimate of the record's size in bytes."""
        return sum(_size(getattr(self, each.name)) for each in fields(self))


def _size(value: object) -> int:
    if isinstance(value, (str, bytes)):
        return len(value) + 50
    if isinstance(value, (list, tuple)):
        return 60 + sum(map(_size, value))
    return 30


class Records:
    """The latest records: at most `MAX_RECORDS`, and at most `MAX_BYTES` together."""

    def __init__(self) -> None:
        self._kept: deque[tuple[Record, int]] = deque()
        self._bytes = 0
        self._last = 0

    def add(self, record: Record) -> None:
        """Store a record, assign its number, and drop the oldest records if there are too many."""
        self._last += 1
        record.id = self._last
        size = record.size()
        self._kept.append((record, size))
        self._bytes += size
        while len(self._kept) > MAX_RECORDS or self._bytes > MAX_BYTES:
            self._bytes -= self._kept.popleft()[1]

    @property
    def newest(self) -> int:
        """The number of the latest record; 0 before the first."""
        return self._last

    def all(self) -> list[Record]:
        """All records, newest first."""
        return [record for record, _ in reversed(self._kept)]

    def find(self, number: int) -> Record | None:
        """The record with this number; None if there is none."""
        return next((record for record, _ in self._kept if record.id == number), None)
