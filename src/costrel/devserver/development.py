"""The development server: serves an application until Ctrl-C, and logs one line per request."""

from __future__ import annotations

import asyncio
import atexit
import difflib
import os
import signal
import socket
import ssl
import sys
import tempfile
import threading
import time
import typing as t
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import click

from ..app.application import Costrel
from ..server import addresses, engine
from ..server.errors import StartError
from ..server.foreign import ForeignApplication
from ..server.heartbeats import Heartbeat
from ..server.serve_options import refuse_mounts
from ..server.watchdog import LOOP_TIMEOUT, Watchdog
from ..services.dotenv import load_dotenv as read_dotenv
from ..services.environment import get_debug_flag, get_load_dotenv, read_variable
from ..support.asgi_types import ASGIApplication
from .banner import announce, is_running_from_reloader, server_logger, show_inputs, show_server_banner
from .certificates import SSLContextArgument, make_ssl_devcert
from .identity import replaced_run_simple, report_port, served_as_flask
from .reloading import run_reloadable, supervise_with
from .watching import Watcher
from .wsgi_serving import run_simple

if t.TYPE_CHECKING:
    from ..server.request_log import Application
    from .embedded import Certificate, EmbeddedServer
    from .wsgi_handler import WSGIRequestHandler


@dataclass(kw_only=True)
class Options:
    """The options of ``app.run``: the keyword arguments of Werkzeug's ``run_simple``."""

    use_reloader: bool = False
    use_debugger: bool = False
    use_evalex: bool = True
    extra_files: Iterable[str] | None = None
    exclude_patterns: Iterable[str] | None = None
    reloader_interval: int = 1
    reloader_type: str = "auto"
    threaded: bool = True
    processes: int = 1
    request_handler: type[WSGIRequestHandler] | None = None
    static_files: dict[str, str | tuple[str, str]] | None = None
    passthrough_errors: bool = False
    ssl_context: SSLContextArgument = None
    use_refresh: bool = False

    def watcher(self) -> Watcher:
        """The file watcher for the reloader."""
        return Watcher(self.extra_files, self.exclude_patterns, self.reloader_interval, self.reloader_type)

    def for_run_simple(self) -> dict[str, t.Any]:
        """The keyword arguments for ``run_simple``, which has no `use_refresh`."""
        return {name: value for name, value in vars(self).items() if name != "use_refresh"}

    def need_wsgi(self) -> bool:
        """Whether an option requires the WSGI development server."""
        return (
            not self.threaded
            or self.processes > 1
            or self.request_handler is not None
            or self.static_files is not None
            or self.passthrough_errors
            or isinstance(self.ssl_context, ssl.SSLContext)
            # The WebSockets of Flask-Sock and Flask-SocketIO need the connection's socket in the environ.
            or "simple_websocket" in sys.modules
        )


def run_development(
    app: Costrel,
    host: str | None = None,
    port: int | str | None = None,
    debug: bool | None = None,
    *,
    load_dotenv: bool = True,
    **options: t.Any,
) -> None:
    """Serve an application until Ctrl-C: the implementation of ``app.run``.

    It does nothing while a command imports the application's module, since it would keep the command from running. If
    the server cannot start, the reason is printed, and the process exits with status 1. Raises TypeError for an unknown
    option.
    """
    if read_variable("RUN_FROM_CLI") == "true":
        _warn_ignored_run()
        return
    if get_load_dotenv(load_dotenv):
        read_dotenv()
        if read_variable("DEBUG") is not None:
            app.debug = get_debug_flag()
    if debug is not None:
        app.debug = bool(debug)

    replaced = replaced_run_simple(run_simple)
    if replaced is None:
        _refuse_unknown(options)
    name_host, name_port = _split_server_name(app.config.get("SERVER_NAME"))
    host = host or name_host or addresses.DEFAULT_HOST
    port = port if port or port == 0 else addresses.DEFAULT_PORT if name_port is None else name_port
    options = {"use_reloader": app.debug, "use_debugger": app.debug, **options}

    show_server_banner(app.debug, app.name)
    try:
        if replaced is None:
            serve(app, host, port, Options(**{"use_refresh": app.debug, **options}))
        else:
            options.pop("use_refresh", None)
            replaced(host, port, app, **{"threaded": True, **options})
    except StartError as error:
        click.secho(f"Error: {error}", err=True, fg="red")
        sys.exit(1)
    finally:
        # Setup may continue after serving, for example in a shell.
        app._got_first_request = False


def _refuse_unknown(options: Iterable[str]) -> None:
    known = ["host", "port", "debug", "load_dotenv", *(field.name for field in fields(Options))]
    unknown = next((name for name in options if name not in known), None)
    if unknown is not None:
        close = difflib.get_close_matches(unknown, known, n=1)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        raise TypeError(
            f"run() got an unexpected keyword argument {unknown!r}.{meant} The options are {', '.join(known)}."
        )


_FOR_THREADS: t.Final = 0.2
"""The seconds for which to wait for the server's threads."""


def serve(app: Costrel | ASGIApplication, host: str, port: int | str, options: Options) -> None:
    """Serve an application until the process is stopped. Raises StartError if the server cannot start."""
    if options.use_reloader and not is_running_from_reloader():
        watch_over(host, port, options)
    _refuse_exposed_debugger(host, options)
    if isinstance(app, Costrel):
        show_inputs(app)
    if options.need_wsgi() or not _has_engine():
        if not isinstance(app, Costrel):
            raise StartError(f"{app!r} is an ASGI application, but the server supports only WSGI with these options.")
        refuse_mounts(app)
        run_simple(host, addresses.port_number(port), app, **options.for_run_simple())
        return
    from .embedded import EmbeddedServer  # importing Granian takes 20 ms, which other commands need not spend

    with _certificate_files(options.ssl_context) as certificate:
        sock = _listening_socket(host, port)
        report_port(sock)
        try:
            application, close = _in_development(app, host, options)
            server = EmbeddedServer(application, sock, server_logger(), certificate, close, _watchdog(app))
        except OSError as error:
            sock.close()
            raise StartError(f"The certificate or its key cannot be used: {error}.") from error
        if options.use_reloader:  # the reloader has logged the address
            with _immediate_exit():
                run_reloadable(lambda: run_until_stopped(server), server.stop_soon, options.watcher())
            return
        urls = addresses.running_on(host, sock, "https" if certificate else "http")
        run_until_stopped(server, lambda: announce(urls))
        # Granian's threads notice aborted streams only when the loop ends. A thread that enters the interpreter while
        # it is finalized would abort the process.
        time.sleep(_FOR_THREADS)


@contextmanager
def _immediate_exit() -> Iterator[None]:
    """If the block raises SystemExit, exit without finalizing the interpreter.

    Granian's threads may still enter the interpreter, which would abort the process during finalization.
    """
    try:
        yield
    except SystemExit as end:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)


def _has_engine() -> bool:
    """Whether Granian can be used. Otherwise log the reason; the WSGI server is used instead."""
    problem = engine.problem()
    if problem is not None:
        server_logger().warning(_WITHOUT_ENGINE, engine.version(), problem)
    return problem is None


_WITHOUT_ENGINE: t.Final = (
    "Granian %s differs from the releases that Costrel was tested with (%s). Serving over WSGI: no WebSockets, and"
    " async views run in threads. Install the release of Granian that Costrel requires."
)


def _watchdog(app: Costrel | ASGIApplication) -> Watchdog | None:
    """The watchdog for the event loop; None in debug mode, since a breakpoint blocks the loop too."""
    debug = app.debug if isinstance(app, Costrel) else get_debug_flag()
    return None if debug else Watchdog(Heartbeat(), LOOP_TIMEOUT, logger=server_logger())


def _in_development(
    app: Costrel | ASGIApplication, host: str, options: Options
) -> tuple[Application, Callable[[], None]]:
    """The ASGI application with the developer pages, and a function that ends the event streams of open pages."""
    if not isinstance(app, Costrel):
        return ForeignApplication(app), lambda: None
    if not (options.use_debugger or options.use_refresh):
        return app.asgi, lambda: None
    from ..devtools.development import DevelopmentApplication

    path = "/console" if served_as_flask() else "/__costrel__/console"
    application = DevelopmentApplication(
        app,
        app.asgi,
        debugger=options.use_debugger,
        evalex=options.use_evalex,
        refresh=options.use_refresh,
        console_path=path,
    )
    if addresses.is_loopback(host):
        application.debugger.trusted_hosts.append(host)
    if options.use_debugger and not is_running_from_reloader():
        application.debugger.log_pin()
    return application, application.close


def watch_over(host: str, port: int | str, options: Options) -> t.NoReturn:
    """Run the server in another process, restart it when a file changes, and exit when it ends.

    This process does not need the application, so a command calls this function before loading it. Raises StartError.
    """
    if threading.current_thread() is not threading.main_thread():
        raise StartError("The reloader works only in the main thread. Elsewhere, use app.run(use_reloader=False).")
    _refuse_exposed_debugger(host, options)
    sock = addresses.bind(host, port)
    announce(addresses.running_on(host, sock, "https" if options.ssl_context else "http"))
    sys.exit(supervise_with(sock, options.watcher()))


def _listening_socket(host: str, port: int | str) -> socket.socket:
    inherited = os.environ.get("WERKZEUG_SERVER_FD") if is_running_from_reloader() else None
    return socket.socket(fileno=int(inherited)) if inherited else addresses.bind(host, port)


def _refuse_exposed_debugger(host: str, options: Options) -> None:
    # Under Flask's name, every configuration that Flask accepts must start. There the debugger refuses other computers.
    if options.use_debugger and not addresses.is_loopback(host) and not served_as_flask():
        raise StartError(
            f"The debugger lets anyone who can reach it run code, and other computers can reach the host {host}. Turn"
            " it off with --no-debugger (in code: use_debugger=False), or use --host 127.0.0.1."
        )
    if options.use_debugger and options.processes > 1 and not served_as_flask():
        raise StartError(
            f"The debugger needs a single process for its consoles, and {options.processes} are requested. Turn it off"
            " with use_debugger=False, or use one process."
        )


def run_until_stopped(server: EmbeddedServer, at_start: Callable[[], None] = lambda: None) -> None:
    """Run a server on an event loop of its own until Ctrl-C, SIGTERM or a call of its ``stop``.

    If a loop is already running in this thread, as in a notebook, the server runs in a new thread. `at_start` is called
    when the signal handlers are set.
    """
    if not _loop_is_running():
        asyncio.run(_run(server, at_start))
        return
    thread = threading.Thread(target=lambda: asyncio.run(_run(server, at_start)), name="costrel-server", daemon=True)
    thread.start()
    thread.join()


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _run(server: EmbeddedServer, at_start: Callable[[], None]) -> None:
    with _stop_signals(asyncio.get_running_loop(), server.stop):
        at_start()
        await server.run()


@contextmanager
def _stop_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Iterator[None]:
    """Have Ctrl-C and SIGTERM call `stop` on the loop, unless the application has set its own handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread receives signals
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ours = [number for number, handler in before.items() if _is_default(handler)]
    for number in ours:
        _listen(loop, number, stop)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])


def _listen(loop: asyncio.AbstractEventLoop, number: signal.Signals, stop: Callable[[], None]) -> None:
    # A plain handler would not wake the loop if another thread receives the signal.
    try:
        loop.add_signal_handler(number, stop)
    except NotImplementedError:  # Windows
        signal.signal(number, lambda *_: stop())


def _is_default(handler: object) -> bool:
    # asyncio.run replaces Python's handler with a bound method of its Runner.
    owner = getattr(handler, "__self__", None) or getattr(getattr(handler, "func", None), "__self__", None)
    return handler in (signal.SIG_DFL, signal.default_int_handler) or isinstance(owner, asyncio.Runner)


@contextmanager
def _certificate_files(ssl_context: SSLContextArgument) -> Iterator[Certificate | None]:
    """The paths of a certificate and its key. An ad-hoc certificate is removed after the block."""
    if ssl_context is None:
        yield None
    elif ssl_context == "adhoc":
        with tempfile.TemporaryDirectory(prefix="costrel-") as folder:
            cert, key = make_ssl_devcert(os.path.join(folder, "adhoc"))
            yield Path(cert), Path(key)
    else:
        paths = t.cast("tuple[str] | tuple[str, str | None]", ssl_context)
        private = paths[1] if len(paths) > 1 else None
        yield Path(paths[0]), Path(private or paths[0])


def _split_server_name(server_name: str | None) -> tuple[str, int | None]:
    host, _, port = (server_name or "").partition(":")
    return host, int(port) if port else None


def _warn_ignored_run() -> None:
    if not is_running_from_reloader():
        click.secho(
            " * Ignoring a call of 'app.run()', since it would keep this command from running.\n"
            '   Put the call under: if __name__ == "__main__":',
            fg="red",
        )
