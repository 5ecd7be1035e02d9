"""Calls a WSGI application (PEP 3333) for the requests that Granian hands over."""

from __future__ import annotations

import os
import sys
import time
import typing as t
from collections.abc import Collection, Iterable, Iterator
from threading import get_ident

from ..edges.threads import STREAM_THREADS
from ..edges.whole_body import WholeBody
from ..messages.streams import ClosingIterator
from .senders import Senders
from .watchdog import Stall

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from .granian_private import WsgiChannel

Header: t.TypeAlias = tuple[str, str]

_TAIL: t.Final = 1024
"""The number of bytes at the end of a chunk that are sent separately."""

_WAITING: t.Final = 8
"""A number of chunks greater than Granian's queue, which has four."""

CLOSE: t.Final[Header] = ("Connection", "close")


class WsgiCalls:
    """Calls `application` in any thread, and records which threads are busy since when."""

    def __init__(self, application: WSGIApplication) -> None:
        self.busy: dict[int, float] = {}
        """Identifiers of the threads that handle a request → its start on the monotonic clock."""
        self.senders = Senders(STREAM_THREADS)
        self.last_arrival = 0.0
        """The last arrival of an HTTP/1 request while the worker is ending, on the monotonic clock."""
        self._application = application
        self._is_ending = False
        self._ending_since: float | None = None
        self._earlier: dict[int, float] = {}
        self._speaks_http2 = False
        self._environ: dict[str, object] = {
            **os.environ,
            "GATEWAY_INTERFACE": "CGI/1.1",
            "SCRIPT_NAME": "",
            "SERVER_SOFTWARE": "Granian",
            "wsgi.errors": sys.stderr,
            "wsgi.input_terminated": True,
            "wsgi.multiprocess": False,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.version": (1, 0),
        }

    def run(self, channel: WsgiChannel, scope: dict[str, object]) -> int:
        """Handle one request. Returns the status of its response."""
        thread = get_ident()
        self.busy[thread] = time.monotonic()
        try:
            head = _Head()
            body = self._application(self._environ | scope, head)
            if self._is_ending:
                self._part(head, scope)
            if isinstance(body, list):
                channel.response_bytes(head.status, head.headers, b"".join(body))
            elif not isinstance(body, WholeBody) or not self._send_apart(channel, head, body):
                channel.response_iter(head.status, head.headers, _Pieces(body))
            return head.status
        finally:
            del self.busy[thread]

    def begin_to_end(self) -> WsgiCalls:
        """Add ``Connection: close`` to responses from now on."""
        self._is_ending = True
        self._earlier = self._in_progress()
        self.last_arrival = self._ending_since = time.monotonic()
        return self

    def left_of(self, seconds: float) -> float:
        """The part of `seconds` that is left, counted from the time at which the worker began to end."""
        return seconds if self._ending_since is None else max(self._ending_since + seconds - time.monotonic(), 0)

    def has_earlier(self) -> bool:
        """Whether a request that began before the worker's end is still in progress."""
        return not self._earlier.items().isdisjoint(self._in_progress().items())

    def others(self, with_http2: bool) -> Collection[int] | None:
        """None if there were HTTP/2 requests: without client ports in the environ, they cannot be told apart."""
        return None if with_http2 and self._speaks_http2 else ()

    def _in_progress(self) -> dict[int, float]:
        return self.busy | self.senders.in_progress

    def _send_apart(self, channel: WsgiChannel, head: _Head, body: WholeBody) -> bool:
        pieces = _Pieces(ClosingIterator(_until_sent(body), body.close))
        return self.senders.begin(lambda: channel.response_iter(head.status, head.headers, pieces))

    def _part(self, head: _Head, scope: dict[str, object]) -> None:
        if str(scope["SERVER_PROTOCOL"]).startswith("HTTP/1"):
            self.last_arrival = time.monotonic()
            head.headers = [*head.headers, CLOSE]
        else:
            self._speaks_http2 = True


class WsgiThreads:
    """The threads in which a WSGI application is called. Granian queues waiting requests, and does not count them."""

    def __init__(self, calls: WsgiCalls, number: int) -> None:
        self._calls = calls
        self._number = number
        self._reported = 0.0

    def find_stall(self, limit: float) -> Stall | None:
        """Return a stall if every thread has been busy with one request for at least `limit` seconds."""
        busy, now = self._calls.busy.copy(), time.monotonic()
        if len(busy) < self._number or max(max(busy.values()), self._reported) > now - limit:
            return None
        self._reported = now
        return Stall(busy.keys(), None)


class _Head:
    """The function ``start_response`` of PEP 3333: stores the status and headers of a response."""

    __slots__ = ("headers", "status")

    def __init__(self) -> None:
        self.status = 200
        self.headers: list[Header] = []

    def __call__(self, status: str, headers: list[Header], exc_info: object = None) -> t.Callable[[bytes], object]:
        self.status = int(status[:3])
        self.headers = headers
        return _refuse_write


def _refuse_write(data: bytes) -> object:
    raise RuntimeError("The write() function of start_response is not supported. Return or yield the body.")


def _until_sent(body: WholeBody) -> Iterator[bytes]:
    """Yield the chunks of a body, then empty chunks, so that the iteration ends only when the client has read the body.

    Granian's queue accepts a large chunk at once, so the last bytes of a chunk are sent separately.
    """
    for piece in body:
        parts = [piece[-_TAIL:], piece[:-_TAIL]]
        del piece  # may be large, and the server has its own copy
        while parts:
            yield parts.pop()
    yield from (b"",) * _WAITING


class _Pieces:
    """The iterator of a body. Closing it closes the body (``close`` in PEP 3333)."""

    __slots__ = ("__next__", "_body")

    def __init__(self, body: Iterable[bytes]) -> None:
        self._body = body
        self.__next__ = iter(body).__next__

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Close the body."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
