"""The production server: Granian with worker processes, each of which loads the application for itself."""

from __future__ import annotations

import logging
import multiprocessing
import socket
import ssl
import typing as t
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from ..app.application import Costrel
from ..edges.threads import THREADS
from ..support.asgi_types import ASGIApplication
from . import addresses, engine
from .access_log import set_up_logging
from .crowd import RESERVE
from .errors import StartError
from .output import in_background
from .serve_options import ServeOptions
from .state import State
from .worker import WorkerLoader

if t.TYPE_CHECKING:
    from .granian_private import Listening
    from .metrics import Ledger
    from .sockets import Sockets
    from .supervision import Limits

METRICS_HOST = "127.0.0.1"

HEADER_TIMEOUT = 10_000
"""The time limit for the head of a request, in milliseconds."""

MAX_HTTP2_HEADERS = 64 * 1024
"""The size of all headers of an HTTP/2 request, in bytes; Granian's own limit is 16 MB."""

_logger = logging.getLogger("costrel.server")


def serve_production(load: Callable[[], Costrel | ASGIApplication], options: ServeOptions) -> None:
    """Serve the application that `load` returns, in workers, until SIGTERM or Ctrl-C.

    `load` is called in each worker. Raises StartError if the server cannot start, and SystemExit with status 1 if the
    application cannot be loaded.
    """
    refuse_what_wsgi_lacks(options)
    in_background()
    set_up_logging(options.log_format)
    problem = engine.problem()
    if problem is None:
        _serve(load, options)
    else:
        _logger.warning(engine.WARNING, engine.version(), problem)
        engine.serve_plainly(load, options)


def _serve(load: Callable[[], Costrel | ASGIApplication], options: ServeOptions) -> None:
    from .listeners import run_asgi_worker, run_wsgi_worker
    from .supervision import Supervisor

    with _listening(options) as (sockets, metrics_socket, remove_files):
        state = State()
        ready, write_ready = multiprocessing.Pipe(duplex=False)
        ledger, metrics = _metrics(metrics_socket, options)
        listening = _listening_options(options)

        def announce() -> None:
            _announce(options, sockets, metrics_socket)

        supervisor = Supervisor(
            sockets, ready, state, _limits(options), options.workers, ledger, remove_files, announce
        )
        loader = WorkerLoader(load, options, write_ready, state, sockets, metrics_socket)
        with metrics:
            if options.interface == "wsgi":
                supervisor.serve(run_wsgi_worker, loader, listening, state, options.grace)
            else:
                supervisor.serve(run_asgi_worker, loader, listening, state, options.health)


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

        sockets = Sockets([bound(*addresses.parse_bind(place), "--bind") for place in options.bind])
        metrics = None if options.metrics is None else bound(*parse_metrics(options.metrics), "--metrics")
        yield sockets, metrics, files.close


def _metrics(sock: socket.socket | None, options: ServeOptions) -> tuple[Ledger | None, AbstractContextManager[object]]:
    """The ledger of the requests, and the server that shows it inside a with-block."""
    if sock is None or options.metrics is None:
        return None, nullcontext()
    from .exposition import MetricsServer
    from .metrics import Ledger

    ledger = Ledger(options.workers)
    return ledger, MetricsServer(sock, ledger)


def _announce(options: ServeOptions, sockets: Sockets, metrics_socket: socket.socket | None) -> None:
    """Log the addresses. Before the application has been loaded, they would hide the error of an import."""
    if metrics_socket is not None and options.metrics is not None:
        from .exposition import PATH

        host, _ = parse_metrics(options.metrics)
        _logger.info("Metrics at %s%s", addresses.urls(host, metrics_socket, "http")[0], PATH)
    scheme = "https" if options.certificate else "http"
    for place, sock in zip(options.bind, sockets, strict=True):
        _logger.info("Listening at %s", ", ".join(addresses.urls(addresses.parse_bind(place)[0], sock, scheme)))


def refuse_what_wsgi_lacks(options: ServeOptions) -> None:
    """Raise StartError if an option requires ASGI, and the interface is WSGI."""
    for name, value in (("--metrics", options.metrics), ("--health", options.health)):
        if value and options.interface == "wsgi":
            raise StartError(f"{name} takes ASGI: leave out --interface wsgi, or {name}.")


def parse_metrics(text: str) -> tuple[str, int]:
    """The host and port of ``host:port`` or ``port``. Without a host, it is the loopback address. Raises StartError."""
    if text.startswith("unix:"):
        raise StartError("The metrics have a port, and no Unix socket. Write it as --metrics 127.0.0.1:9100.")
    host, port = addresses.parse_bind(text if ":" in text else f":{text}")
    return host or METRICS_HOST, port


def _limits(options: ServeOptions) -> Limits:
    from .supervision import Limits

    return Limits(
        grace=options.grace,
        drain=options.drain,
        age=options.max_worker_age,
        memory=None if options.max_worker_memory is None else options.max_worker_memory * 1024 * 1024,
        silence=options.loop_timeout or None,
    )


def _connections(options: ServeOptions) -> tuple[int, int]:
    """The maximum number of connections of one worker, and the number with a reserve for refusals."""
    wanted = options.max_connections + RESERVE
    most = addresses.connections_at_most(wanted)
    if most == wanted:
        return options.max_connections, most
    number = most - min(RESERVE, most // 4)
    if options.max_connections != addresses.MAX_CONNECTIONS:
        _logger.warning("Each process has at most %d connections, since it may open few files (ulimit -n)", number)
    return number, most


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
    limit, most = _connections(options)
    return Listening(
        backlog=BACKLOG,
        limit=limit,
        connections=most,
        http=HTTPModes.auto if options.http2 else HTTPModes.http1,
        http1=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT),
        http2=HTTP2Settings(max_headers_size=MAX_HTTP2_HEADERS),
        tls=tls_arguments(options.certificate),
        threads=options.threads or THREADS,
    )
