"""The start of a worker process: loads the application and wraps it for the server."""

from __future__ import annotations

import asyncio
import errno
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
import typing as t
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection

import click

from ..app.application import Costrel
from ..edges.asgi import AsgiApplication
from ..edges.threads import THREADS
from ..edges.timeouts import SEND_TIMEOUT
from ..support.asgi_types import ASGIApplication
from ..support.signals import background_refused, response_refused
from . import addresses, forking
from .access_log import (
    AccessLog,
    TimedAccessLog,
    reserved_for_shutdown,
    set_up_application_logging,
    set_up_logging,
)
from .allocator import Trimming, share_heaps
from .around import run_around, wait_for_around
from .errors import StartError
from .failed_load import describe
from .foreign import ForeignApplication
from .heartbeats import Heartbeat
from .log_formats import LINES
from .output import in_background, nonblocking
from .rare_warning import RareWarning
from .serve_options import ServeOptions, refuse_debug, refuse_mounts
from .state import State
from .watchdog import WORKER_TIMEOUT, PoolThreads, Threads, Watchdog

if t.TYPE_CHECKING:
    from ..edges.unsent import Unsent
    from .metrics import Page
    from .served import Served
    from .wsgi_calls import WsgiCalls

_RESPONSES_REFUSED: t.Final = RareWarning(
    "Process %d holds %.0f MB of unsent responses, the limit set by MAX_RESPONSE_MEMORY_SIZE. Until clients read them,"
    " large responses are replaced by a 503"
)
_TRIMMING: t.Final = Trimming()


@dataclass(frozen=True)
class WorkerLoader:
    """Called at the start of a worker. Returns the application that Granian calls."""

    load: Callable[[], Costrel | ASGIApplication]
    options: ServeOptions
    ready: Connection
    state: State
    sockets: Sequence[socket.socket]
    foreign: socket.socket | None = None
    """An inherited socket that the worker has to close."""
    page: Page | None = None
    """The page for the worker's metrics."""
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    is_plain: bool = False
    """Whether Granian's documented interface runs the worker. It takes the WSGI application itself."""

    def on(self, page: Page | None, heartbeat: Heartbeat) -> WorkerLoader:
        """A copy for a worker with this `page` of metrics and this `heartbeat`."""
        return replace(self, page=page, heartbeat=heartbeat)

    def __call__(self) -> Costrel | WsgiCalls | Served:
        """Load the application. If that fails, print the error and exit the worker."""
        self._set_up()
        try:
            app = self._loaded()
            timeout = SEND_TIMEOUT
            if isinstance(app, Costrel):
                refuse_debug(app.debug)
                if self.options.threads:
                    app.config["THREADS"] = self.options.threads
                timeout = app.config.get("SEND_TIMEOUT", SEND_TIMEOUT)
                set_up_application_logging(app, self.options.log_format)
                if not wait_for_around(app, self.state):
                    sys.exit(1)  # the other process has logged the error
            forking.detach_children(self.sockets)
            for sock in self.sockets:
                addresses.limit_sending(sock, timeout)
            return self._served(app)
        except Exception as error:
            _show(error)
            sys.exit(1)

    def around(self) -> None:
        """Run the functions of ``while_serving(once="server")`` until SIGTERM, in a process of their own."""
        for sock in self.sockets:
            sock.close()
        self._set_up()
        try:
            app = self._loaded()
            if isinstance(app, Costrel):
                set_up_application_logging(app, self.options.log_format)
                run_around(app, self.state)
        except Exception as error:
            _show(error)
            self.state.note_around(False)
            sys.exit(1)

    def _set_up(self) -> None:
        from .signals import release_signals

        release_signals()
        share_heaps()
        if self.foreign is not None:
            self.foreign.close()
        in_background(self._note_dropped)
        set_up_logging(self.options.log_format)
        threading.Thread(target=self._end_with_parent, name="costrel-parent", daemon=True).start()
        background_refused.connect(self._note_refused, weak=False)
        response_refused.connect(self._note_refused_response, weak=False)

    def _loaded(self) -> Costrel | ASGIApplication:
        app = self.load()
        return t.cast(Costrel, app.app) if isinstance(app, AsgiApplication) else app  # `app.asgi`, under another name

    def _served(self, app: Costrel | ASGIApplication) -> Costrel | WsgiCalls | Served:
        if self.options.interface == "wsgi":
            from .wsgi_calls import WsgiCalls, WsgiThreads

            if not isinstance(app, Costrel):
                raise StartError(f"{app!r} is an ASGI application. Leave out --interface wsgi.")
            _serve_around(app)
            if self.is_plain:
                _drain_at_end(app, lambda: self.options.grace)
                return app
            calls = WsgiCalls(app)
            _drain_at_end(
                app, lambda: calls.left_of(self.options.grace - reserved_for_shutdown(self.options.grace) / 2)
            )
            self._watchdog(WsgiThreads(calls, self.options.threads or THREADS)).start(None)
            self._say_ready()
            return calls
        from . import idle
        from .health import Health
        from .metrics import Counter
        from .served import ports_in_use
        from .websocket_limit import WebSocketLimit

        counter = None if self.page is None else Counter(self.page)
        lines = LINES[self.options.log_format] if self.options.access_log else None
        stream = nonblocking(sys.stdout, self._note_dropped)
        foreign = None if isinstance(app, Costrel) else ForeignApplication(app, self._found_inside, is_public=True)
        edge = app.asgi if isinstance(app, Costrel) else t.cast(ForeignApplication, foreign)
        watchdog = self._watchdog(PoolThreads(edge.workers) if isinstance(edge, AsgiApplication) else None)

        def at_start() -> None:
            watchdog.start(asyncio.get_running_loop())
            self._say_ready()

        served: AccessLog
        if self.options.http2 and self.sockets and idle.can_watch():
            served = TimedAccessLog(edge, lines, at_start, self.options.grace, counter, stream)
            idle.watch(self.sockets, lambda: ports_in_use(served), requested=served.requested)
        else:
            served = AccessLog(edge, lines, at_start, self.options.grace, counter, stream)
        limited = WebSocketLimit(served, self.options.max_websockets)
        if not self.options.health:
            return limited
        health = Health(limited, app if isinstance(app, Costrel) else None, self.state)
        if foreign is not None:
            foreign.note_too(health.check)
        return health

    def _found_inside(self, app: Costrel) -> None:
        set_up_application_logging(app, self.options.log_format)

    def _watchdog(self, threads: Threads | None) -> Watchdog:
        loop_limit, thread_limit = self.options.loop_timeout or None, self.options.worker_timeout or WORKER_TIMEOUT
        return Watchdog(self.heartbeat, loop_limit, threads, thread_limit, self._note_stall)

    def _note_dropped(self, lines: int) -> None:
        if self.page is not None:
            self.page.count("dropped_lines", lines)

    def _note_refused(self, app: object) -> None:
        if self.page is not None:
            self.page.count("refused_functions")

    def _note_refused_response(self, unsent: Unsent, size: int) -> None:
        _TRIMMING.begin(unsent.is_scarce)
        _RESPONSES_REFUSED.log(os.getpid(), size / 1_000_000)
        if self.page is not None:
            self.page.count("refused_responses")

    def _note_stall(self) -> None:
        if self.page is not None:
            self.page.count("stalls")
        if self.options.worker_timeout is not None:
            self.heartbeat.request_replacement()

    def _say_ready(self) -> None:
        with suppress(OSError):
            self.ready.send(os.getpid())

    def _end_with_parent(self) -> None:
        """End this worker when its parent process has ended."""
        parent = multiprocessing.parent_process()
        if parent is None:
            return
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(self.options.grace)
        os._exit(errno.EOWNERDEAD)


def _show(error: Exception) -> None:
    click.secho(f"Error: {error if isinstance(error, StartError) else describe(error)}", err=True, fg="red")


def _drain_at_end(app: Costrel, left: Callable[[], float]) -> None:
    """When the worker ends, wait for functions that run after responses, then run the ``after_serving`` functions."""
    from multiprocessing.util import Finalize

    def drain() -> None:
        if "background_work" in app.__dict__:
            app.background_work.drain(left())

    Finalize(None, drain, exitpriority=200)


def _serve_around(app: Costrel) -> None:
    """Run the ``before_serving`` functions, and at the worker's end the ``after_serving`` functions.

    Starting also checks the settings, with or without such functions.
    """
    refuse_mounts(app)
    has_functions = app.before_serving_funcs or app.while_serving_gens or app.after_serving_funcs
    if not has_functions and not app.config.get("OPENTELEMETRY"):
        app.try_settings()
        return
    from multiprocessing.util import Finalize

    from ..edges.lifespan import ServingThread
    from .signals import complete_before_end

    around = ServingThread(app)

    def start() -> None:
        around.start()
        Finalize(None, around.stop, exitpriority=100)  # multiprocessing's processes do not run `atexit` functions

    complete_before_end(start)
