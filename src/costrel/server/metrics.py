"""Counts of requests, kept by each worker in memory of its own that the process which started it can read.

A worker writes on a page of its own, so that nobody has to lock or wait. The pages outlive the workers: a new one goes
on where the last one on its page has ended, and what is counted never goes back.
"""

from __future__ import annotations

import multiprocessing
import threading
import typing as t
from bisect import bisect_left
from dataclasses import dataclass

from ..context import current
from ..edges.scope import ROUTE
from ..support.signals import request_started

BUCKETS: t.Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the histogram of latencies, in seconds."""

ROWS: t.Final = 512
"""How many kinds of requests (method, route, status) are told apart in a worker; further ones are counted as one."""

UNMATCHED: t.Final = "unmatched"
"""The route of requests whose path no rule has: a path would be a label that clients make up."""

WEBSOCKET: t.Final = "WEBSOCKET"

_METHODS: t.Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", WEBSOCKET}
)
_OTHER: t.Final = "other"

# A row is its key, then one count for each bucket and one for what is slower, then the seconds of all.
_KEY_BYTES: t.Final = 136
_ROUTE_BYTES: t.Final = 120
_CELLS: t.Final = len(BUCKETS) + 2
_ROW_BYTES: t.Final = _KEY_BYTES + 8 * _CELLS
_HEAD: t.Final = 4
_ROWS_USED, _IN_FLIGHT, _WEBSOCKETS = 0, 1, 2

Key = tuple[str, str, str]

if t.TYPE_CHECKING:
    Cells = memoryview[float]
else:
    Cells = memoryview


def _cells(data: memoryview) -> Cells:
    return data.cast("d")


@dataclass(frozen=True)
class Row:
    """One kind of request: how many took how long."""

    key: Key
    counts: list[float]
    """As many as there are buckets, and one for what was slower."""
    seconds: float


class Page:
    """What one worker has counted."""

    def __init__(self) -> None:
        self._memory: t.Any = multiprocessing.RawArray("b", 8 * _HEAD + ROWS * _ROW_BYTES)

    def bytes(self) -> memoryview:
        """All of it."""
        return memoryview(self._memory).cast("B")

    def head(self) -> Cells:
        """How many rows there are, and what is in progress."""
        return _cells(self.bytes()[: 8 * _HEAD])

    def rows(self) -> list[Row]:
        """What is on it; may be called while a worker writes."""
        data = self.bytes()
        used = int(self.head()[_ROWS_USED])
        return [self._row(data, 8 * _HEAD + number * _ROW_BYTES) for number in range(used)]

    def now(self) -> tuple[int, int]:
        """How many requests and WebSockets are in progress; only for a worker that is alive."""
        head = self.head()
        return int(head[_IN_FLIGHT]), int(head[_WEBSOCKETS])

    @staticmethod
    def _row(data: memoryview, start: int) -> Row:
        text = bytes(data[start : start + _KEY_BYTES]).rstrip(b"\0").decode(errors="replace")
        method, route, status = text.split("\n")
        cells = list(_cells(data[start + _KEY_BYTES : start + _ROW_BYTES]))
        return Row((method, route, status), cells[:-1], cells[-1])


class Counter:
    """Writes on a page, in the worker, from whichever thread. PERF: less than a microsecond a request."""

    def __init__(self, page: Page) -> None:
        data = page.bytes()
        self._data = data
        self._head = page.head()
        self._head[_IN_FLIGHT] = self._head[_WEBSOCKETS] = 0
        self._cells: dict[tuple[str, str, int], Cells] = {}
        self._by_key: dict[Key, Cells] = {}
        self._lock = threading.Lock()
        for number, row in enumerate(page.rows()):
            self._by_key[row.key] = self._cells_of(number)
        request_started.connect(_note_route, weak=False)

    def begin(self, kind: str) -> None:
        """A request or a WebSocket has come."""
        with self._lock:
            self._head[_WEBSOCKETS if kind == "websocket" else _IN_FLIGHT] += 1

    def end(self, scope: t.MutableMapping[str, t.Any], status: int, seconds: float) -> None:
        """It has ended."""
        is_websocket = scope["type"] == "websocket"
        kind = (WEBSOCKET if is_websocket else scope["method"], scope.get(ROUTE, UNMATCHED), status)
        bucket = bisect_left(BUCKETS, seconds)
        with self._lock:
            cells = self._cells.get(kind)
            if cells is None:
                cells = self._find(kind)
            cells[bucket] += 1
            cells[-1] += seconds
            self._head[_WEBSOCKETS if is_websocket else _IN_FLIGHT] -= 1

    def _find(self, kind: tuple[str, str, int]) -> Cells:
        method, route, status = kind
        method = method if method in _METHODS else _OTHER
        route = route.replace("\n", " ").encode()[:_ROUTE_BYTES].decode(errors="ignore")
        key = (method, route, str(status))
        cells = self._by_key.get(key) or self._add(key)
        if method != _OTHER:  # what clients make up is looked up each time, not kept
            self._cells[kind] = cells
        return cells

    def _add(self, key: Key) -> Cells:
        used = int(self._head[_ROWS_USED])
        if used >= ROWS - 1:
            key = (_OTHER, _OTHER, _OTHER)
            if key in self._by_key:
                return self._by_key[key]
        start = 8 * _HEAD + used * _ROW_BYTES
        text = "\n".join(key).encode()
        self._data[start : start + len(text)] = text
        self._head[_ROWS_USED] = used + 1  # only now the row is there for a reader
        cells = self._by_key[key] = self._cells_of(used)
        return cells

    def _cells_of(self, number: int) -> Cells:
        start = 8 * _HEAD + number * _ROW_BYTES
        return _cells(self._data[start + _KEY_BYTES : start + _ROW_BYTES])


def _note_route(app: t.Any, **_: t.Any) -> None:
    """Leave the text of the rule that matched where the server finds it."""
    ctx: t.Any = current()
    rule = ctx.request.url_rule
    if rule is not None:
        scope = ctx.request._source.get("asgi.scope")
        if scope is not None:
            scope[ROUTE] = rule.rule


class Process(t.Protocol):
    """What a ledger asks of a worker."""

    def is_alive(self) -> bool:
        """Whether it runs."""


class Ledger:
    """The pages of all workers of a server, and who writes on them."""

    def __init__(self, workers: int) -> None:
        # More than workers: while some are replaced, the old ones still answer what they have begun.
        self._pages = [Page() for _ in range(4 * workers + 4)]
        self._writers: list[Process | None] = [None] * len(self._pages)
        self.starts = 0
        """How many workers were started."""

    def free_page(self) -> Page | None:
        """A page on which nobody writes; None where there is none, and the worker is not counted."""
        for page, writer in zip(self._pages, self._writers, strict=True):
            if writer is None or not writer.is_alive():
                return page
        return None

    def hand_out(self, page: Page | None, worker: Process) -> None:
        """Have `worker`, which is about to start, write on `page`."""
        self.starts += 1
        if page is not None:
            self._writers[self._pages.index(page)] = worker

    def alive(self) -> int:
        """How many workers run."""
        return sum(1 for _ in self._current())

    def now(self) -> tuple[int, int]:
        """How many requests and WebSockets are in progress."""
        found = [page.now() for page in self._current()]
        return sum(requests for requests, _ in found), sum(websockets for _, websockets in found)

    def rows(self) -> list[Row]:
        """What all workers have counted, those that are gone included, sorted by their keys."""
        sums: dict[Key, Row] = {}
        for page in self._pages:
            for row in page.rows():
                before = sums.get(row.key)
                if before is not None:
                    counts = [one + other for one, other in zip(before.counts, row.counts, strict=True)]
                    row = Row(row.key, counts, before.seconds + row.seconds)
                sums[row.key] = row
        return [sums[key] for key in sorted(sums)]

    def _current(self) -> t.Iterator[Page]:
        for page, writer in zip(self._pages, self._writers, strict=True):
            if writer is not None and writer.is_alive():
                yield page
