"""The counts of a server as Prometheus reads them, on a port of their own (text format 0.0.4)."""

from __future__ import annotations

import socket
import threading
import typing as t
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate

from .metrics import BUCKETS, WEBSOCKET, Ledger, Row
from .signals import held_signals

CONTENT_TYPE: t.Final = "text/plain; version=0.0.4; charset=utf-8"

PATH: t.Final = "/metrics"

_PATIENCE = 5
"""Seconds that a client may take for its request."""

_EVENTS: t.Final = (
    ("stalls", "costrel_thread_stalls_total", "Times that all threads of a process were busy, and none finished."),
    ("dropped_lines", "costrel_log_lines_dropped_total", "Lines of output that the reader did not take in time."),
    ("full", "costrel_connections_refused_total", "Requests refused since a process had too many connections."),
    (
        "refused_functions",
        "costrel_background_refused_total",
        "Functions that did not run after a response, since too many were waiting.",
    ),
    (
        "refused_responses",
        "costrel_responses_refused_total",
        "Responses that became a 503, since too many bytes were waiting for clients.",
    ),
)

_BOUNDS: t.Final = (*(f"{bound:g}" for bound in BUCKETS), "+Inf")


def exposition(ledger: Ledger) -> str:
    """All counts of now, as text."""
    return "\n".join(_lines(ledger)) + "\n"


def _lines(ledger: Ledger) -> Iterator[str]:
    rows = ledger.rows()
    http = [row for row in rows if row.key[0] != WEBSOCKET]
    yield from _head("costrel_http_requests_total", "counter", "Requests that were answered.")
    for row in http:
        method, route, status = row.key
        yield f"costrel_http_requests_total{_labels(method=method, route=route, status=status)} {_sum(row.counts)}"
    yield from _head("costrel_http_request_duration_seconds", "histogram", "From the head of a request to its end.")
    for (method, route), counts, seconds in _durations(http):
        yield from _histogram("costrel_http_request_duration_seconds", counts, seconds, method=method, route=route)
    requests, websockets = ledger.now()
    yield from _head("costrel_http_requests_in_flight", "gauge", "Requests that are being answered.")
    yield f"costrel_http_requests_in_flight {requests}"
    yield from _head("costrel_websockets_total", "counter", "WebSockets that have ended, by the handshake's status.")
    for row in rows:
        if row.key[0] == WEBSOCKET:
            labels = _labels(route=row.key[1], status=row.key[2])
            yield f"costrel_websockets_total{labels} {_sum(row.counts)}"
    yield from _head("costrel_websockets_open", "gauge", "WebSockets that are open.")
    yield f"costrel_websockets_open {websockets}"
    yield from _head("costrel_workers", "gauge", "Processes that run.")
    yield f"costrel_workers {ledger.alive()}"
    yield from _head("costrel_worker_starts_total", "counter", "Processes that were started, replacements included.")
    yield f"costrel_worker_starts_total {ledger.starts}"
    yield from _head("costrel_workers_stuck_total", "counter", "Processes replaced since their event loop was blocked.")
    yield f"costrel_workers_stuck_total {ledger.stuck}"
    for event, name, text in _EVENTS:
        yield from _head(name, "counter", text)
        yield f"{name} {ledger.events(event)}"


def _head(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"


def _durations(rows: Iterable[Row]) -> Iterator[tuple[tuple[str, str], list[float], float]]:
    """The counts by method and route, whatever the status."""
    found: dict[tuple[str, str], tuple[list[float], float]] = {}
    for row in rows:
        key = row.key[:2]
        counts, seconds = found.get(key, ([0.0] * len(row.counts), 0.0))
        found[key] = [one + other for one, other in zip(counts, row.counts, strict=True)], seconds + row.seconds
    for key, (counts, seconds) in found.items():
        yield key, counts, seconds


def _histogram(name: str, counts: list[float], seconds: float, **labels: str) -> Iterator[str]:
    for bound, count in zip(_BOUNDS, accumulate(counts), strict=True):
        yield f"{name}_bucket{_labels(**labels, le=bound)} {count:.0f}"
    yield f"{name}_sum{_labels(**labels)} {seconds:.6f}"
    yield f"{name}_count{_labels(**labels)} {_sum(counts)}"


def _sum(counts: Iterable[float]) -> str:
    return f"{sum(counts):.0f}"


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class MetricsServer(ThreadingHTTPServer):
    """Answers ``/metrics`` on `sock`, in threads of the process that started the workers."""

    daemon_threads = True

    def __init__(self, sock: socket.socket, ledger: Ledger) -> None:
        super().__init__(sock.getsockname()[:2], MetricsHandler, bind_and_activate=False)
        self.socket.close()
        sock.setblocking(True)
        self.socket = sock
        self.ledger = ledger
        self._thread = threading.Thread(target=self.serve_forever, name="costrel-metrics", daemon=True)

    def __enter__(self) -> MetricsServer:
        """Begin to answer."""
        with held_signals():  # they are for the main thread
            self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        """Answer no more."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves half-way is no news."""


class MetricsHandler(BaseHTTPRequestHandler):
    """One request for the counts."""

    server: MetricsServer
    timeout = _PATIENCE

    def do_GET(self) -> None:
        """The counts; 404 for any other path."""
        found = self.path.partition("?")[0] == PATH
        body = (exposition(self.server.ledger) if found else f"There is {PATH} here.\n").encode()
        self.send_response_only(200 if found else 404)
        self.send_header("Content-Type", CONTENT_TYPE if found else "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a scrape every few seconds is no news."""
