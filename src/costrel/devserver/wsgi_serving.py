"""The WSGI development server, based on the standard library's HTTP server: single-threaded, threaded or forking."""

from __future__ import annotations

import importlib.metadata
import os
import socket
import socketserver
import ssl
import sys
import typing as t
from collections.abc import Iterable
from http.server import HTTPServer

from ..server import terminal
from ..server.addresses import (
    LISTEN_QUEUE,
    af_unix,
    explain,
    get_sockaddr,
    is_loopback,
    running_on,
    select_address_family,
)
from ..version import __version__
from .banner import NOT_FOR_PRODUCTION, is_running_from_reloader
from .certificates import SSLContextArgument, generate_adhoc_ssl_context, load_ssl_context
from .identity import served_as_flask
from .reloading import run_reloadable, supervise_with
from .watching import Watcher
from .wsgi_handler import WSGIRequestHandler

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Connection: t.TypeAlias = socket.socket | tuple[bytes, socket.socket]

_POLL_INTERVAL = 0.05
"""The interval in seconds at which a server with a reloader checks whether to stop."""

can_fork = hasattr(os, "fork")

if can_fork:
    ForkingMixIn = socketserver.ForkingMixIn
else:

    class ForkingMixIn:  # type: ignore[no-redef]  # the class below needs a base
        """Stands in for the standard library's class on systems that cannot fork."""


class BaseWSGIServer(HTTPServer):
    """A server that handles one request at a time.

    `fd` is the file descriptor of a listening socket; without it, the server binds `host` and `port`. If that fails,
    the reason is printed, and the process exits with status 1.
    """

    multithread = False
    multiprocess = False
    request_queue_size = LISTEN_QUEUE
    allow_reuse_address = True

    def __init__(
        self,
        host: str,
        port: int,
        app: WSGIApplication,
        handler: type[WSGIRequestHandler] | None = None,
        passthrough_errors: bool = False,
        ssl_context: SSLContextArgument = None,
        fd: int | None = None,
    ) -> None:
        handler = WSGIRequestHandler if handler is None else handler
        # As in Werkzeug, it is set on the class, and a server that handles one request at a time keeps HTTP/1.0.
        if "protocol_version" not in vars(handler) and (self.multithread or self.multiprocess):
            handler.protocol_version = "HTTP/1.1"
        self.host = host
        self.port = port
        self.app = app
        self.passthrough_errors = passthrough_errors
        self.address_family = family = select_address_family(host, port)
        self._server_version = _server_version()
        super().__init__(get_sockaddr(host, int(port), family), handler, bind_and_activate=False)  # type: ignore[arg-type]  # a path, for a Unix socket
        if fd is None:
            self._listen()
        else:
            self._take_over(fd)
        if family != af_unix:
            self.port = self.server_address[1]
        self.ssl_context = _ssl_context(ssl_context)
        if self.ssl_context is not None:
            self.socket = self.ssl_context.wrap_socket(self.socket, server_side=True)

    def _listen(self) -> None:
        try:
            self.server_bind()
            self.server_activate()
        except OSError as error:
            self.server_close()
            print(explain(self.host, self.port, error), file=sys.stderr)  # noqa: T201 - the last words of this process
            sys.exit(1)
        except BaseException:
            self.server_close()
            raise

    def _take_over(self, fd: int) -> None:
        self.socket.close()
        self.socket = socket.fromfd(fd, self.address_family, socket.SOCK_STREAM)
        self.server_address = self.socket.getsockname()

    def log(self, type: str, message: str, *args: object) -> None:
        """Log to the logger ``werkzeug``."""
        terminal.log(type, message, *args)

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Handle requests until :meth:`shutdown` or Ctrl-C."""
        try:
            super().serve_forever(poll_interval=poll_interval)
        except KeyboardInterrupt:
            pass
        finally:
            self.server_close()

    def handle_error(self, request: Connection, client_address: tuple[str, int] | str) -> None:
        """Log the current error of a connection, or raise it if `passthrough_errors` is set."""
        if self.passthrough_errors:
            raise
        super().handle_error(request, client_address)

    def log_startup(self) -> None:
        """Log the address of the server."""
        terminal.log("info", "%s", terminal.painter(sys.stderr)(NOT_FOR_PRODUCTION, "bold", "red"))
        terminal.log("info", "%s", running_on(self.host, self.socket, "https" if self.ssl_context else "http"))


class ThreadedWSGIServer(socketserver.ThreadingMixIn, BaseWSGIServer):
    """A server that handles each connection in a thread."""

    multithread = True
    daemon_threads = True


class ForkingWSGIServer(ForkingMixIn, BaseWSGIServer):
    """A server that handles each connection in a process, at most `processes` at a time.

    Raises ValueError if the system cannot fork.
    """

    multiprocess = True

    def __init__(
        self,
        host: str,
        port: int,
        app: WSGIApplication,
        processes: int = 40,
        handler: type[WSGIRequestHandler] | None = None,
        passthrough_errors: bool = False,
        ssl_context: SSLContextArgument = None,
        fd: int | None = None,
    ) -> None:
        if not can_fork:
            raise ValueError("This system cannot fork processes. Use threads.")
        super().__init__(host, port, app, handler, passthrough_errors, ssl_context, fd)
        self.max_children = processes


def make_server(
    host: str,
    port: int,
    app: WSGIApplication,
    threaded: bool = False,
    processes: int = 1,
    request_handler: type[WSGIRequestHandler] | None = None,
    passthrough_errors: bool = False,
    ssl_context: SSLContextArgument = None,
    fd: int | None = None,
) -> BaseWSGIServer:
    """A listening server. It handles requests once ``serve_forever`` is called.

    Raises ValueError if both threads and several processes are requested.
    """
    if threaded and processes > 1:
        raise ValueError("A server cannot use both threads and several processes. Set threaded or processes, not both.")
    if processes > 1:
        return ForkingWSGIServer(host, port, app, processes, request_handler, passthrough_errors, ssl_context, fd)
    cls = ThreadedWSGIServer if threaded else BaseWSGIServer
    return cls(host, port, app, request_handler, passthrough_errors, ssl_context, fd)


def run_simple(
    hostname: str,
    port: int,
    application: WSGIApplication,
    use_reloader: bool = False,
    use_debugger: bool = False,
    use_evalex: bool = True,
    extra_files: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    reloader_interval: int = 1,
    reloader_type: str = "auto",
    threaded: bool = False,
    processes: int = 1,
    request_handler: type[WSGIRequestHandler] | None = None,
    static_files: dict[str, str | tuple[str, str]] | None = None,
    passthrough_errors: bool = False,
    ssl_context: SSLContextArgument = None,
) -> None:
    """Serve a WSGI application for development until Ctrl-C.

    `static_files` maps URL paths to folders or files. Raises TypeError if the port is not a number.
    """
    if not isinstance(port, int):
        raise TypeError("port must be an integer")
    if static_files:
        from ..middleware.shared_data import SharedDataMiddleware

        application = SharedDataMiddleware(application, static_files)
    if use_debugger:
        from ..app.application import Costrel
        from ..devtools.debugger import DebuggedApplication
        from ..devtools.helping import HelpingApplication

        debugged = HelpingApplication if isinstance(application, Costrel) else DebuggedApplication
        debugger = debugged(application, evalex=use_evalex)
        if is_loopback(hostname):
            debugger.trusted_hosts.append(hostname)
        application = debugger

    inherited = os.environ.get("WERKZEUG_SERVER_FD") if is_running_from_reloader() else None
    fd = int(inherited) if inherited else None
    server = make_server(
        hostname, port, application, threaded, processes, request_handler, passthrough_errors, ssl_context, fd
    )
    if not is_running_from_reloader():
        server.log_startup()
        terminal.log("info", "%s", terminal.painter(sys.stderr)("Press CTRL+C to quit", "yellow"))
    if not use_reloader:
        server.serve_forever()
        return
    watcher = Watcher(extra_files, exclude_patterns, reloader_interval, reloader_type)
    if not is_running_from_reloader():
        sys.exit(supervise_with(server.socket, watcher))
    run_reloadable(lambda: server.serve_forever(poll_interval=_POLL_INTERVAL), server.shutdown, watcher)


def _ssl_context(argument: SSLContextArgument) -> ssl.SSLContext | None:
    if isinstance(argument, tuple):
        return load_ssl_context(*argument)
    return generate_adhoc_ssl_context() if argument == "adhoc" else argument


def _server_version() -> str:
    """The server's name and version: Werkzeug's under the alias, since some applications check for it."""
    if served_as_flask():
        return f"Werkzeug/{importlib.metadata.version('werkzeug')}"
    return f"Costrel/{__version__}"
