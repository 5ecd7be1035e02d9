"""Counts of requests, which each worker keeps in shared memory that its parent process can read.

Each worker writes on its own page, so no locks between processes are needed. The pages outlive the workers: a new
worker continues the counts of the previous one on its page, so counts never decrease.
"""

from __future__ import annotations

import multiprocessing
import threading
import typing as t
from bisect import bisect_left
from dataclasses import dataclass

from ..context import requesting
from ..edges.scope import ROUTE, note_route
from ..support.signals import request_started
from ..telemetry.notes import noted

if t.TYPE_CHECKING:
    from .request_log import Message

BUCKETS: t.Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the histogram of latencies, in seconds."""

ROWS: t.Final = 512
"""The maximum number of kinds of requests (method, route, status) in a worker. Others are counted together."""

UNMATCHED: t.Final = "unmatched"
"""The route of requests that no rule matched. With the path, clients could create any number of labels."""

WEBSOCKET: t.Final = "WEBSOCKET"

_METHODS: t.Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", WEBSOCKET}
)
_OTHER: t.Final = "other"

# A row is its key, then a count for each bucket and one for slower requests, then the sum of the seconds.
_KEY_BYTES: t.Final = 136
_ROUTE_BYTES: t.Final = 120
_CELLS: t.Final = len(BUCKETS) + 2
_ROW_BYTES: t.Final = _KEY_BYTES + 8 * _CELLS
_HEAD: t.Final = 8
_ROWS_USED, _IN_FLIGHT, _WEBSOCKETS = 0, 1, 2

EVENTS: t.Final = {"stalls": 3, "dropped_lines": 4, "full": 5, "refused_functions": 6, "refused_responses": 7}
"""The events that are counted beside requests, and their places in the head of a page."""

Key = tuple[str, str, str]

if t.TYPE_CHECKING:
    Cells = memoryview[float]
else:
    Cells = memoryview


def _cells(data: memoryview) -> Cells:
    return data.cast("d")


@dataclass(frozen=True)
class Row:
    """The counts of one kind of request."""

    key: Key
    counts: list[float]
    """A count for each bucket, and one for slower requests."""
    seconds: float


class Page:
    """The counts of one worker."""

    def __init__(self) -> None:
        self._memory = multiprocessing.RawArray("b", 8 * _HEAD + ROWS * _ROW_BYTES)

    def bytes(self) -> memoryview:
        """The whole page."""
        return memoryview(self._memory).cast("B")

    def head(self) -> Cells:
        """The number of rows, and of requests in progress."""
        return _cells(self.bytes()[: 8 * _HEAD])

    def rows(self) -> list[Row]:
        """The rows. They can be read while a worker writes."""
        data = self.bytes()
        used = int(self.head()[_ROWS_USED])
        return [self._row(data, 8 * _HEAD + number * _ROW_BYTES) for number in range(used)]

    def now(self) -> tuple[int, int]:
        """The numbers of requests and WebSockets in progress, if the worker is alive."""
        head = self.head()
        return int(head[_IN_FLIGHT]), int(head[_WEBSOCKETS])

    def count(self, event: str, number: int = 1) -> None:
        """Count an event of EVENTS. Only one thread of the worker counts each kind."""
        self.head()[EVENTS[event]] += number

    @staticmethod
    def _row(data: memoryview, start: int) -> Row:
        text = bytes(data[start : start + _KEY_BYTES]).rstrip(b"\0").decode(errors="replace")
        method, route, status = text.split("\n")
        cells = list(_cells(data[start + _KEY_BYTES : start + _ROW_BYTES]))
        return Row((method, route, status), cells[:-1], cells[-1])


class Counter:
    """Writes on a page, in any thread of the worker. It takes less than a microsecond per request."""

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
        """Count the start of a request or a WebSocket."""
        with self._lock:
            self._head[_WEBSOCKETS if kind == "websocket" else _IN_FLIGHT] += 1

    def end(self, scope: Message, status: int, seconds: float) -> None:
        """Count its end."""
        is_websocket = scope["type"] == "websocket"
        kind = (WEBSOCKET if is_websocket else scope["method"], noted(scope, ROUTE) or UNMATCHED, status)
        bucket = bisect_left(BUCKETS, seconds)
        with self._lock:
            cells = self._cells.get(kind)
            if cells is None:
                cells = self._find(kind)
            cells[bucket] += 1
            cells[-1] += seconds
            self._head[_WEBSOCKETS if is_websocket else _IN_FLIGHT] -= 1

    def refuse(self) -> None:
        """Count a request that is refused, since there are too many connections."""
        with self._lock:
            self._head[EVENTS["full"]] += 1

    def _find(self, kind: tuple[str, str, int]) -> Cells:
        method, route, status = kind
        method = method if method in _METHODS else _OTHER
        route = route.replace("\n", " ").encode()[:_ROUTE_BYTES].decode(errors="ignore")
        key = (method, route, str(status))
        cells = self._by_key.get(key) or self._add(key)
        if method != _OTHER:  # a method that a client invented is not cached
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
        self._head[_ROWS_USED] = used + 1  # from now on readers see the row
        cells = self._by_key[key] = self._cells_of(used)
        return cells

    def _cells_of(self, number: int) -> Cells:
        start = 8 * _HEAD + number * _ROW_BYTES
        return _cells(self._data[start + _KEY_BYTES : start + _ROW_BYTES])


def _note_route(app: object, **_: object) -> None:
    """Store the text of the matched rule in the scope, for the server."""
    ctx = requesting()
    rule = ctx.request.url_rule
    if rule is not None:
        scope = ctx.request._source.get("asgi.scope")
        if scope is not None:
            note_route(scope, rule.rule)


class Process(t.Protocol):
    """A worker process."""

    def is_alive(self) -> bool:
        """Whether it is running."""


class Ledger:
    """The pages of all workers of a server, and their writers."""

    def __init__(self, workers: int) -> None:
        # More pages than workers, since replaced workers still finish their requests.
        self._pages = [Page() for _ in range(4 * workers + 4)]
        self._writers: list[Process | None] = [None] * len(self._pages)
        self.starts = 0
        """The number of workers that were started."""
        self.stuck = 0
        """The number of workers that were replaced since their event loop was blocked."""

    def free_page(self) -> Page | None:
        """A page without a writer; None if there is none, so that the worker is not counted."""
        for page, writer in zip(self._pages, self._writers, strict=True):
            if writer is None or not writer.is_alive():
                return page
        return None

    def hand_out(self, page: Page | None, worker: Process) -> None:
        """Assign `page` to `worker`, which is about to start."""
        self.starts += 1
        if page is not None:
            self._writers[self._pages.index(page)] = worker

    def alive(self) -> int:
        """The number of running workers."""
        return sum(1 for _ in self._current())

    def now(self) -> tuple[int, int]:
        """The numbers of requests and WebSockets in progress."""
        found = [page.now() for page in self._current()]
        return sum(requests for requests, _ in found), sum(websockets for _, websockets in found)

    def events(self, event: str) -> int:
        """The number of events of a kind, in all workers, including those that have ended."""
        return sum(int(page.head()[EVENTS[event]]) for page in self._pages)

    def rows(self) -> list[Row]:
        """The counts of all workers, including those that have ended, sorted by key."""
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
