"""The production server: Granian with worker processes, each of which loads the application for itself."""

from __future__ import annotations

import asyncio
import errno
import logging
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import threading
import time
import typing as t
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

import click

from ..app.application import Costrel
from ..edges.asgi import AsgiApplication
from ..edges.patience import SEND_TIMEOUT
from ..edges.threads import THREADS
from . import addresses, forking
from .access_log import LINES, AccessLog, set_up_logging
from .beats import Pulse
from .errors import StartError
from .failed_load import describe
from .output import in_background
from .state import State
from .watchdog import LOOP_TIMEOUT, WORKER_TIMEOUT, PoolThreads, Threads, Watchdog

if t.TYPE_CHECKING:
    from .dispatch import Served
    from .granian_private import Listening
    from .metrics import Ledger, Page
    from .sockets import Sockets
    from .supervision import Limits
    from .wsgi_calls import WsgiCalls

DEFAULT_BIND = "127.0.0.1:8000"
DEFAULT_PORT = 8000
METRICS_HOST = "127.0.0.1"
GRACE = 30

HEADER_TIMEOUT = 10_000
"""The time limit for the head of a request, in milliseconds."""

MAX_HTTP2_HEADERS = 64 * 1024
"""The size of all headers of an HTTP/2 request, in bytes; Granian's own limit is 16 MB."""

_MIN_WORKERS, _MAX_WORKERS = 2, 8

_logger = logging.getLogger("costrel.server")


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """The options of `costrel serve`. Times are in seconds, `max_worker_memory` in MiB."""

    bind: Sequence[str] = (DEFAULT_BIND,)
    workers: int = _MIN_WORKERS
    threads: int | None = None
    interface: t.Literal["asgi", "wsgi"] = "asgi"
    log_format: str = "text"
    access_log: bool = True
    certificate: tuple[Path, Path] | None = None
    http2: bool | None = None
    grace: int = GRACE
    drain: int = 0
    health: bool = False
    metrics: str | None = None
    max_worker_age: int | None = None
    max_worker_memory: int | None = None
    loop_timeout: int = LOOP_TIMEOUT
    worker_timeout: int | None = None
    """See WORKER_TIMEOUT. Workers whose threads are stuck are replaced only if it is given."""


def default_workers() -> int:
    """One worker per CPU: at least two, so that one serves while the other is replaced, and at most eight."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(max(cpus, _MIN_WORKERS), _MAX_WORKERS)


def serve_production(load: Callable[[], Costrel], options: ServeOptions) -> None:
    """Serve the application that `load` returns, in workers, until SIGTERM or Ctrl-C.

    `load` is called in each worker. Raises StartError if the server cannot start, and SystemExit with status 1 if the
    application cannot be loaded.
    """
    from .listeners import run_asgi_worker, run_wsgi_worker
    from .supervision import Supervisor

    refuse_what_wsgi_lacks(options)
    in_background()
    with _listening(options) as (sockets, metrics_socket, remove_files):
        set_up_logging(options.log_format)
        state = State()
        ready, write_ready = multiprocessing.Pipe(duplex=False)
        ledger, metrics = _metrics(metrics_socket, options)
        listening = _listening_options(options)
        supervisor = Supervisor(sockets, ready, state, _limits(options), options.workers, ledger, remove_files)
        scheme = "https" if options.certificate else "http"
        for place, sock in zip(options.bind, sockets, strict=True):
            _logger.info("Listening at %s", ", ".join(addresses.urls(parse_bind(place)[0], sock, scheme)))
        loader = WorkerLoader(load, options, write_ready, state, sockets, metrics_socket)
        with metrics:
            if options.interface == "wsgi":
                supervisor.serve(run_wsgi_worker, loader, listening, state, options.grace)
            else:
                supervisor.serve(run_asgi_worker, loader, listening, state, options.health)


def speaks_http2(options: ServeOptions) -> bool:
    """Whether HTTP/2 is enabled: by default only over TLS, since browsers do not use it without."""
    return options.certificate is not None if options.http2 is None else options.http2


@contextmanager
def _listening(options: ServeOptions) -> Iterator[tuple[Sockets, socket.socket | None, Callable[[], None]]]:
    """The sockets for requests and for the metrics, and a function that removes the files of Unix sockets."""
    from .sockets import Sockets

    with ExitStack() as stack:
        files = stack.enter_context(ExitStack())

        def bound(host: str, port: int, option: str) -> socket.socket:
            sock = stack.enter_context(addresses.bind(host, port, option))
            if host.startswith(addresses.UNIX_SCHEME):
                files.callback(addresses.removal_of(host.removeprefix(addresses.UNIX_SCHEME)))
            return sock

        sockets = Sockets([bound(*parse_bind(place), "--bind") for place in options.bind])
        metrics = None if options.metrics is None else bound(*parse_metrics(options.metrics), "--metrics")
        yield sockets, metrics, files.close


def _metrics(sock: socket.socket | None, options: ServeOptions) -> tuple[Ledger | None, AbstractContextManager[object]]:
    """The ledger of the requests, and the server that shows it inside a with-block."""
    if sock is None or options.metrics is None:
        return None, nullcontext()
    from .exposition import PATH, MetricsServer
    from .metrics import Ledger

    ledger = Ledger(options.workers)
    _logger.info("Metrics at %s%s", addresses.urls(parse_metrics(options.metrics)[0], sock, "http")[0], PATH)
    return ledger, MetricsServer(sock, ledger)


def refuse_what_wsgi_lacks(options: ServeOptions) -> None:
    """Raise StartError if an option requires ASGI, and the interface is WSGI."""
    for name, value in (("--metrics", options.metrics), ("--health", options.health)):
        if value and options.interface == "wsgi":
            raise StartError(f"{name} takes ASGI: leave out --interface wsgi, or {name}.")


def parse_metrics(text: str) -> tuple[str, int]:
    """The host and port of ``host:port`` or ``port``. Without a host, it is the loopback address. Raises StartError."""
    if text.startswith("unix:"):
        raise StartError("The metrics have a port, and no Unix socket. Write it as --metrics 127.0.0.1:9100.")
    host, port = parse_bind(text if ":" in text else f":{text}")
    return host or METRICS_HOST, port


def parse_bind(text: str) -> tuple[str, int]:
    """The host and port of ``host:port``, ``host``, ``:port``, ``[::1]:port`` or ``unix:/path``. Raises StartError."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:").removeprefix("//")
        if not path:
            raise StartError("There is no path in '--bind unix:'. Write it as --bind unix:/run/app.sock.")
        return addresses.UNIX_SCHEME + os.path.abspath(path), 0
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        # The system would read the number as an address: 5601 is 0.0.21.225.
        raise StartError(
            f"There is no host in '--bind {text}'. Did you mean --bind 127.0.0.1:{text}? That is for this computer"
            f" alone; 0.0.0.0:{text} is for everyone on its network."
        )
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.endswith("]")):
        host, port = text, str(DEFAULT_PORT)
    return host.removeprefix("[").removesuffix("]"), addresses.port_number(port)


def _limits(options: ServeOptions) -> Limits:
    from .supervision import Limits

    return Limits(
        grace=options.grace,
        drain=options.drain,
        age=options.max_worker_age,
        memory=None if options.max_worker_memory is None else options.max_worker_memory * 1024 * 1024,
        silence=options.loop_timeout or None,
    )


def _listening_options(options: ServeOptions) -> Listening:
    # Granian takes 20 ms to load, which no other command needs.
    from granian.constants import HTTPModes
    from granian.http import HTTP1Settings, HTTP2Settings

    from .granian_private import Listening, tls_arguments
    from .sockets import BACKLOG

    if options.certificate is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*options.certificate)
        except OSError as error:
            raise StartError(f"The certificate or its key cannot be used: {error}.") from error
    return Listening(
        backlog=BACKLOG,
        connections=addresses.connections_at_most(),
        http=HTTPModes.auto if speaks_http2(options) else HTTPModes.http1,
        http1=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT),
        http2=HTTP2Settings(max_headers_size=MAX_HTTP2_HEADERS),
        tls=tls_arguments(options.certificate),
        threads=options.threads or THREADS,
    )


@dataclass(frozen=True)
class WorkerLoader:
    """Runs at the start of a worker, and returns the application that Granian calls."""

    load: Callable[[], Costrel]
    options: ServeOptions
    ready: Connection
    state: State
    sockets: Sequence[socket.socket]
    foreign: socket.socket | None = None
    """An inherited socket that the worker must close."""
    page: Page | None = None
    """The page for the worker's counts."""
    pulse: Pulse = field(default_factory=Pulse)

    def on(self, page: Page | None, pulse: Pulse) -> WorkerLoader:
        """The loader of a worker that counts on `page`, and shows with `pulse` that it is alive."""
        return replace(self, page=page, pulse=pulse)

    def __call__(self) -> WsgiCalls | Served:
        """Load the application. If that fails, print the error and exit the worker."""
        from .signals import release_signals

        release_signals()
        if self.foreign is not None:
            self.foreign.close()
        in_background(self._note_dropped)
        set_up_logging(self.options.log_format)
        threading.Thread(target=self._end_with_parent, name="costrel-parent", daemon=True).start()
        try:
            app = self.load()
            refuse_debug(app.debug)
            if self.options.threads:
                app.config["THREADS"] = self.options.threads
            forking.part_from_children(self.sockets)
            for sock in self.sockets:
                addresses.limit_sending(sock, app.config.get("SEND_TIMEOUT", SEND_TIMEOUT))
            return self._served(app)
        except Exception as error:
            click.secho(f"Error: {error if isinstance(error, StartError) else describe(error)}", err=True, fg="red")
            sys.exit(1)

    def _served(self, app: Costrel) -> WsgiCalls | Served:
        if self.options.interface == "wsgi":
            from .wsgi_calls import WsgiCalls, WsgiThreads

            app.try_settings()
            calls = WsgiCalls(app)
            self._watchdog(WsgiThreads(calls, self.options.threads or THREADS)).start(None)
            self._say_ready()
            return calls
        from . import idle
        from .health import Health
        from .metrics import Counter

        tally = None if self.page is None else Counter(self.page)
        line = LINES[self.options.log_format] if self.options.access_log else None
        edge = app.asgi
        watchdog = self._watchdog(PoolThreads(edge.workers) if isinstance(edge, AsgiApplication) else None)

        def at_start() -> None:
            watchdog.start(asyncio.get_running_loop())
            self._say_ready()

        served = AccessLog(edge, line, at_start, self.options.grace, tally)
        if speaks_http2(self.options) and idle.can_watch():
            idle.watch(self.sockets, served.ports_of_clients)
        return Health(served, app, self.state) if self.options.health else served

    def _watchdog(self, threads: Threads | None) -> Watchdog:
        loop_limit, thread_limit = self.options.loop_timeout or None, self.options.worker_timeout or WORKER_TIMEOUT
        return Watchdog(self.pulse, loop_limit, threads, thread_limit, self._note_stall)

    def _note_dropped(self, lines: int) -> None:
        if self.page is not None:
            self.page.count("dropped_lines", lines)

    def _note_stall(self) -> None:
        if self.page is not None:
            self.page.count("stalls")
        if self.options.worker_timeout is not None:
            self.pulse.ask_to_go()

    def _say_ready(self) -> None:
        with suppress(OSError):
            self.ready.send(os.getpid())

    def _end_with_parent(self) -> None:
        """End this worker if its parent process has ended."""
        parent = multiprocessing.parent_process()
        if parent is None:
            return
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(self.options.grace)
        os._exit(errno.EOWNERDEAD)


def refuse_debug(debug: bool) -> None:
    """Raise StartError in debug mode, whose pages run code for anyone who can reach them."""
    if debug:
        raise StartError(
            "costrel serve does not serve in debug mode, whose pages show the source and run code. Leave out --debug"
            " and COSTREL_DEBUG (or FLASK_DEBUG), or use costrel run."
        )
