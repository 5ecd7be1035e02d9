"""Serves the metrics of a server for Prometheus (text format 0.0.4), on a port of their own."""

from __future__ import annotations

import socket
import threading
import typing as t
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate

from .metrics import BUCKETS, WEBSOCKET, Row, ServerMetrics
from .signals import held_signals

CONTENT_TYPE: t.Final = "text/plain; version=0.0.4; charset=utf-8"

PATH: t.Final = "/metrics"

_REQUEST_TIMEOUT = 5
"""The timeout in seconds for reading a request."""

_EVENTS: t.Final = (
    ("stalls", "costrel_thread_stalls_total", "Times that all threads of a process were busy and none finished."),
    ("dropped_lines", "costrel_log_lines_dropped_total", "Lines of output dropped because they were not read in time."),
    ("full", "costrel_connections_refused_total", "Requests refused because a process had too many connections."),
    (
        "refused_functions",
        "costrel_background_refused_total",
        "Functions not run after a response because too many were waiting.",
    ),
    (
        "refused_responses",
        "costrel_responses_refused_total",
        "Responses replaced by a 503 because too many bytes were waiting for clients.",
    ),
)

_BOUNDS: t.Final = (*(f"{bound:g}" for bound in BUCKETS), "+Inf")


def exposition(metrics: ServerMetrics) -> str:
    """The current values of all metrics, as text."""
    return "\n".join(_lines(metrics)) + "\n"


def _lines(metrics: ServerMetrics) -> Iterator[str]:
    rows = metrics.rows()
    http = [row for row in rows if row.key[0] != WEBSOCKET]
    yield from _head("costrel_http_requests_total", "counter", "Completed requests.")
    for row in http:
        method, route, status = row.key
        yield f"costrel_http_requests_total{_labels(method=method, route=route, status=status)} {_sum(row.counts)}"
    yield from _head(
        "costrel_http_request_duration_seconds",
        "histogram",
        "Seconds from the head of a request to the end of its response.",
    )
    for (method, route), counts, seconds in _durations(http):
        yield from _histogram("costrel_http_request_duration_seconds", counts, seconds, method=method, route=route)
    requests, websockets = metrics.now()
    yield from _head("costrel_http_requests_in_flight", "gauge", "Requests in progress.")
    yield f"costrel_http_requests_in_flight {requests}"
    yield from _head("costrel_websockets_total", "counter", "Closed WebSockets, by the status of the handshake.")
    for row in rows:
        if row.key[0] == WEBSOCKET:
            labels = _labels(route=row.key[1], status=row.key[2])
            yield f"costrel_websockets_total{labels} {_sum(row.counts)}"
    yield from _head("costrel_websockets_open", "gauge", "Open WebSockets.")
    yield f"costrel_websockets_open {websockets}"
    yield from _head("costrel_workers", "gauge", "Running worker processes.")
    yield f"costrel_workers {metrics.alive()}"
    yield from _head("costrel_worker_starts_total", "counter", "Worker processes started, including replacements.")
    yield f"costrel_worker_starts_total {metrics.starts}"
    yield from _head(
        "costrel_workers_stuck_total", "counter", "Worker processes replaced because their event loop was blocked."
    )
    yield f"costrel_workers_stuck_total {metrics.stuck}"
    for event, name, text in _EVENTS:
        yield from _head(name, "counter", text)
        yield f"{name} {metrics.events(event)}"


def _head(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"


def _durations(rows: Iterable[Row]) -> Iterator[tuple[tuple[str, str], list[float], float]]:
    """The buckets and total seconds by method and route, for all statuses together."""
    totals: dict[tuple[str, str], tuple[list[float], float]] = {}
    for row in rows:
        key = row.key[:2]
        counts, seconds = totals.get(key, ([0.0] * len(row.counts), 0.0))
        totals[key] = [one + other for one, other in zip(counts, row.counts, strict=True)], seconds + row.seconds
    for key, (counts, seconds) in totals.items():
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
    """Serves ``/metrics`` on `sock`, in threads of the supervisor."""

    daemon_threads = True

    def __init__(self, sock: socket.socket, metrics: ServerMetrics) -> None:
        super().__init__(sock.getsockname()[:2], MetricsHandler, bind_and_activate=False)
        self.socket.close()
        sock.setblocking(True)
        self.socket = sock
        self.metrics = metrics
        self._thread = threading.Thread(target=self.serve_forever, name="costrel-metrics", daemon=True)

    def __enter__(self) -> MetricsServer:
        """Start serving."""
        with held_signals():  # signals are for the main thread
            self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore the error: a client that disconnects early is normal."""


class MetricsHandler(BaseHTTPRequestHandler):
    """One request for the metrics."""

    server: MetricsServer
    timeout = _REQUEST_TIMEOUT

    def do_GET(self) -> None:
        """Respond with the metrics, or with 404 for any other path."""
        is_metrics = self.path.partition("?")[0] == PATH
        body = (exposition(self.server.metrics) if is_metrics else f"Not found. The metrics are at {PATH}.\n").encode()
        self.send_response_only(200 if is_metrics else 404)
        self.send_header("Content-Type", CONTENT_TYPE if is_metrics else "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: Prometheus scrapes every few seconds."""
