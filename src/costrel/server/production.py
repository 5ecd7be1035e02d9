"""The production server: Granian in worker processes, each of which loads the application."""

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
from .connection_limit import RESERVE
from .errors import StartError
from .output import in_background
from .serve_options import ServeOptions
from .state import State
from .worker import WorkerLoader

if t.TYPE_CHECKING:
    from .granian_private import Listening
    from .metrics import ServerMetrics
    from .sockets import Sockets
    from .supervision import Limits

METRICS_HOST = "127.0.0.1"

HEADER_TIMEOUT = 10_000
"""The timeout for the head of a request, in milliseconds."""

MAX_HTTP2_HEADERS = 64 * 1024
"""The maximum total size of the headers of an HTTP/2 request, in bytes. Granian's default is 16 MB."""

_logger = logging.getLogger("costrel.server")


def serve_production(load: Callable[[], Costrel | ASGIApplication], options: ServeOptions) -> None:
    """Serve the application that `load` returns until SIGTERM or Ctrl-C.

    `load` is called in each worker. Raises StartError if the server cannot start, and SystemExit with status 1 if the
    application cannot be loaded.
    """
    refuse_asgi_options(options)
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
        metrics, metrics_server = _metrics(metrics_socket, options)
        listening = _listening_options(options)

        def announce() -> None:
            _announce(options, sockets, metrics_socket)

        supervisor = Supervisor(
            sockets, ready, state, _limits(options), options.workers, metrics, remove_files, announce
        )
        loader = WorkerLoader(load, options, write_ready, state, sockets, metrics_socket)
        with metrics_server:
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


def _metrics(
    sock: socket.socket | None, options: ServeOptions
) -> tuple[ServerMetrics | None, AbstractContextManager[object]]:
    """The counts of requests, and the server that publishes them, as a context manager."""
    if sock is None or options.metrics is None:
        return None, nullcontext()
    from .exposition import MetricsServer
    from .metrics import ServerMetrics

    metrics = ServerMetrics(options.workers)
    return metrics, MetricsServer(sock, metrics)


def _announce(options: ServeOptions, sockets: Sockets, metrics_socket: socket.socket | None) -> None:
    """Log the addresses. This waits for the application to load, so that an import error is the last message."""
    if metrics_socket is not None and options.metrics is not None:
        from .exposition import PATH

        host, _ = parse_metrics(options.metrics)
        _logger.info("Metrics at %s%s", addresses.urls(host, metrics_socket, "http")[0], PATH)
    scheme = "https" if options.certificate else "http"
    for place, sock in zip(options.bind, sockets, strict=True):
        _logger.info("Listening at %s", ", ".join(addresses.urls(addresses.parse_bind(place)[0], sock, scheme)))


def refuse_asgi_options(options: ServeOptions) -> None:
    """Raise StartError if the interface is WSGI and an option requires ASGI."""
    for name, value in (("--metrics", options.metrics), ("--health", options.health)):
        if value and options.interface == "wsgi":
            raise StartError(f"{name} requires ASGI. Leave out --interface wsgi or {name}.")


def parse_metrics(text: str) -> tuple[str, int]:
    """The host and port of ``host:port`` or ``port``; the host defaults to the loopback address. Raises StartError."""
    if text.startswith("unix:"):
        raise StartError("--metrics does not support Unix sockets. Use a port, for example --metrics 127.0.0.1:9100.")
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
    """The maximum number of connections of one worker, and the same with the reserve for refusals."""
    wanted = options.max_connections + RESERVE
    most = addresses.connections_at_most(wanted)
    if most == wanted:
        return options.max_connections, most
    number = most - min(RESERVE, most // 4)
    if options.max_connections != addresses.MAX_CONNECTIONS:
        _logger.warning(
            "Limiting each process to %d connections, because few open files are allowed (ulimit -n)", number
        )
    return number, most


def _listening_options(options: ServeOptions) -> Listening:
    # Importing Granian takes 20 ms, which other commands need not spend.
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
