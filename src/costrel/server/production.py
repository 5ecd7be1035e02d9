"""The production server: Granian with worker processes, each of which loads the application for itself."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
import typing as t
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import click

from . import addresses
from .access_log import LINES, AccessLog, set_up_logging
from .errors import StartError
from .failed_load import describe

DEFAULT_BIND = "127.0.0.1:8000"
DEFAULT_PORT = 8000
GRACE = 30

HEADER_TIMEOUT = 10_000
"""How long the head of a request may take to come, in milliseconds."""

MAX_HTTP2_HEADERS = 64 * 1024
"""The size of all headers of an HTTP/2 request, in bytes; Granian's own limit is 16 MB."""

MAX_CONNECTIONS = 1024
"""How many connections one worker takes at a time; further ones wait in the socket's queue."""

_MIN_WORKERS, _MAX_WORKERS = 2, 8

_logger = logging.getLogger("costrel.server")


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """What `costrel serve` was asked for. `grace` and `max_worker_age` are in seconds, `max_worker_memory` in MiB."""

    bind: str = DEFAULT_BIND
    workers: int = _MIN_WORKERS
    threads: int | None = None
    interface: t.Literal["asgi", "wsgi"] = "asgi"
    log_format: str = "text"
    access_log: bool = True
    certificate: tuple[Path, Path] | None = None
    http2: bool | None = None
    grace: int = GRACE
    max_worker_age: int | None = None
    max_worker_memory: int | None = None


def default_workers() -> int:
    """One worker a CPU: at least two, so that one serves while the other is replaced, and at most eight."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(max(cpus, _MIN_WORKERS), _MAX_WORKERS)


def serve_production(load: Callable[[], t.Any], options: ServeOptions) -> None:
    """Serve the application that `load` gives, in workers, until SIGTERM or Ctrl-C.

    `load` is called in each worker. Raises StartError where the server cannot start, SystemExit with status 1 where
    the application cannot be loaded.
    """
    host, port = parse_bind(options.bind)
    sock = addresses.bind(host, port, "--bind")
    set_up_logging(options.log_format, options.access_log)
    ready, write_ready = multiprocessing.Pipe(duplex=False)
    try:
        supervisor = _supervisor(sock, ready, options)
        scheme = "https" if options.certificate else "http"
        _logger.info("Listening at %s", ", ".join(addresses.urls(host, sock, scheme)))
        supervisor.serve(target_loader=WorkerLoader(load, options, write_ready), wrap_loader=False)
    finally:
        sock.close()
        if host.startswith(addresses.UNIX_SCHEME):
            with suppress(FileNotFoundError):
                os.unlink(host.removeprefix(addresses.UNIX_SCHEME))


def parse_bind(text: str) -> tuple[str, int]:
    """The host and port of ``host:port``, ``host``, ``:port``, ``[::1]:port`` or ``unix:/path``. Raises StartError."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:").removeprefix("//")
        if not path:
            raise StartError("There is no path in '--bind unix:'. Write it as --bind unix:/run/app.sock.")
        return addresses.UNIX_SCHEME + os.path.abspath(path), 0
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.endswith("]")):
        host, port = text, str(DEFAULT_PORT)
    return host.removeprefix("[").removesuffix("]"), addresses.port_number(port)


def _supervisor(sock: socket.socket, ready: Connection, options: ServeOptions) -> t.Any:
    # Granian takes 20 ms to load, which no other command needs.
    from granian.constants import HTTPModes, Interfaces, SSLProtocols
    from granian.http import HTTP1Settings, HTTP2Settings
    from granian.log import LogLevels

    from .supervision import Supervisor

    cert, key = options.certificate or (None, None)
    wsgi = options.interface == "wsgi"
    # Where either version may come, Granian waits for the first byte without end; browsers speak HTTP/2 over TLS only.
    http2 = options.certificate is not None if options.http2 is None else options.http2
    try:
        return Supervisor(
            sock,
            ready,
            interface=Interfaces.WSGI if wsgi else Interfaces.ASGI,
            workers=options.workers,
            blocking_threads=(options.threads or 32) if wsgi else None,
            http=HTTPModes.auto if http2 else HTTPModes.http1,
            backpressure=_connections(),
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT),
            http2_settings=HTTP2Settings(max_headers_size=MAX_HTTP2_HEADERS),
            log_level=LogLevels.warning,
            ssl_cert=cert,
            ssl_key=key,
            ssl_protocol_min=SSLProtocols.tls12,
            respawn_failed_workers=True,
            workers_lifetime=options.max_worker_age,
            workers_max_rss=options.max_worker_memory,
            workers_kill_timeout=options.grace,
        )
    except OSError as error:
        raise StartError(f"The certificate or its key cannot be used: {error}.") from error


def _connections() -> int:
    """As many as MAX_CONNECTIONS, and fewer where the process may not have so many files open."""
    try:
        import resource
    except ImportError:  # Windows
        return MAX_CONNECTIONS
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MAX_CONNECTIONS if limit == resource.RLIM_INFINITY else max(16, min(MAX_CONNECTIONS, limit * 3 // 4))


@dataclass(frozen=True)
class WorkerLoader:
    """Runs in a worker when it starts, and gives Granian what it calls for each request."""

    load: Callable[[], t.Any]
    options: ServeOptions
    ready: Connection

    def __call__(self) -> t.Any:
        """Load the application. Where that fails, say why and end the worker."""
        from .supervision import release_signals

        release_signals()
        set_up_logging(self.options.log_format, self.options.access_log)
        threading.Thread(target=self._end_with_parent, name="costrel-parent", daemon=True).start()
        try:
            app = self.load()
            refuse_debug(app.debug)
            if self.options.threads:
                app.config["THREADS"] = self.options.threads
            return self._served(app)
        except Exception as error:
            click.secho(f"Error: {error if isinstance(error, StartError) else describe(error)}", err=True, fg="red")
            sys.exit(1)

    def _served(self, app: t.Any) -> t.Any:
        if self.options.interface == "wsgi":
            self._say_ready()
            return app
        return AccessLog(app.asgi, LINES[self.options.log_format], self._say_ready, self.options.grace)

    def _say_ready(self) -> None:
        with suppress(OSError):
            self.ready.send(os.getpid())

    def _end_with_parent(self) -> None:
        """End this worker when the process that started it is gone: nobody would end it otherwise."""
        parent = multiprocessing.parent_process()
        if parent is None:
            return
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(self.options.grace)
        os._exit(errno.EOWNERDEAD)


def refuse_debug(debug: bool) -> None:
    """Raise StartError in debug mode: its pages run code for whoever reaches them."""
    if debug:
        raise StartError(
            "costrel serve does not serve in debug mode, whose pages show the source and run code. Leave out --debug"
            " and COSTREL_DEBUG (or FLASK_DEBUG), or use costrel run."
        )
