"""Counts requests in memory that the workers share with the supervisor.

Each worker writes to a page of its own, so no locks between processes are needed. The pages outlive the workers: a new
worker continues the counts of its predecessor on the page, so counters never decrease, as Prometheus requires.
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
"""The upper bounds of the buckets of the latency histogram, in seconds."""

ROWS: t.Final = 512
"""The maximum number of label sets (method, route, status) per worker. Further requests are counted together."""

UNMATCHED: t.Final = "unmatched"
"""The route label of requests that no rule matched. If it were the path, clients could create any number of labels."""

WEBSOCKET: t.Final = "WEBSOCKET"

_METHODS: t.Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", WEBSOCKET}
)
_OTHER: t.Final = "other"

# A row has its key, a count per bucket, a count of slower requests, and the total of the seconds.
_KEY_BYTES: t.Final = 136
_ROUTE_BYTES: t.Final = 120
_CELLS: t.Final = len(BUCKETS) + 2
_ROW_BYTES: t.Final = _KEY_BYTES + 8 * _CELLS
_HEAD: t.Final = 8
_ROWS_USED, _IN_FLIGHT, _WEBSOCKETS = 0, 1, 2

EVENTS: t.Final = {"stalls": 3, "dropped_lines": 4, "full": 5, "refused_functions": 6, "refused_responses": 7}
"""The events that are counted in addition to requests → their cells in the head of a page."""

Key = tuple[str, str, str]

if t.TYPE_CHECKING:
    Cells = memoryview[float]
else:
    Cells = memoryview


def _cells(data: memoryview) -> Cells:
    return data.cast("d")


@dataclass(frozen=True)
class Row:
    """The counts of the requests with one label set."""

    key: Key
    counts: list[float]
    """A count per bucket, and a count of slower requests."""
    seconds: float


class Page:
    """The shared memory with the counts of one worker."""

    def __init__(self) -> None:
        self._memory = multiprocessing.RawArray("b", 8 * _HEAD + ROWS * _ROW_BYTES)

    def bytes(self) -> memoryview:
        """The memory of the whole page."""
        return memoryview(self._memory).cast("B")

    def head(self) -> Cells:
        """The cells before the rows: the number of rows, the requests in progress, and EVENTS."""
        return _cells(self.bytes()[: 8 * _HEAD])

    def rows(self) -> list[Row]:
        """The rows. Safe to call while the worker writes."""
        data = self.bytes()
        used = int(self.head()[_ROWS_USED])
        return [self._row(data, 8 * _HEAD + number * _ROW_BYTES) for number in range(used)]

    def now(self) -> tuple[int, int]:
        """The numbers of requests and WebSockets in progress. They are meaningful only while the worker is alive."""
        head = self.head()
        return int(head[_IN_FLIGHT]), int(head[_WEBSOCKETS])

    def count(self, event: str, number: int = 1) -> None:
        """Count an event of EVENTS. There is no lock: each event must be counted in one thread only."""
        self.head()[EVENTS[event]] += number

    @staticmethod
    def _row(data: memoryview, start: int) -> Row:
        text = bytes(data[start : start + _KEY_BYTES]).rstrip(b"\0").decode(errors="replace")
        method, route, status = text.split("\n")
        cells = list(_cells(data[start + _KEY_BYTES : start + _ROW_BYTES]))
        return Row((method, route, status), cells[:-1], cells[-1])


class Counter:
    """Writes to a page, in any thread of the worker, in less than a microsecond per request."""

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
        """Count the end of a request or a WebSocket, with its status and duration."""
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
        """Count a request that is refused because there are too many connections."""
        with self._lock:
            self._head[EVENTS["full"]] += 1

    def _find(self, kind: tuple[str, str, int]) -> Cells:
        method, route, status = kind
        method = method if method in _METHODS else _OTHER
        route = route.replace("\n", " ").encode()[:_ROUTE_BYTES].decode(errors="ignore")
        key = (method, route, str(status))
        cells = self._by_key.get(key) or self._add(key)
        if method != _OTHER:  # caching unknown methods would let clients fill the cache
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
        self._head[_ROWS_USED] = used + 1  # last, since readers see the row from now on
        cells = self._by_key[key] = self._cells_of(used)
        return cells

    def _cells_of(self, number: int) -> Cells:
        start = 8 * _HEAD + number * _ROW_BYTES
        return _cells(self._data[start + _KEY_BYTES : start + _ROW_BYTES])


def _note_route(app: object, **_: object) -> None:
    """Store the matched rule in the scope, as the route label."""
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


class ServerMetrics:
    """The metrics of a server: the pages of its workers, and which worker writes to which page."""

    def __init__(self, workers: int) -> None:
        # More pages than workers, since replaced workers are still finishing their requests.
        self._pages = [Page() for _ in range(4 * workers + 4)]
        self._writers: list[Process | None] = [None] * len(self._pages)
        self.starts = 0
        """The number of workers started."""
        self.stuck = 0
        """The number of workers replaced because their event loop was blocked."""

    def free_page(self) -> Page | None:
        """A page without a writer. If there is none, returns None, and the worker's requests are not counted."""
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
        current = [page.now() for page in self._current()]
        return sum(requests for requests, _ in current), sum(websockets for _, websockets in current)

    def events(self, event: str) -> int:
        """The total count of an event of EVENTS in all workers, including those that have ended."""
        return sum(int(page.head()[EVENTS[event]]) for page in self._pages)

    def rows(self) -> list[Row]:
        """The rows of all workers, including those that have ended, added up and sorted by key."""
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
