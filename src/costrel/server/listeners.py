"""One worker process: it serves all sockets of the server, unlike Granian's own worker, and shuts down gracefully."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Callable

from .connection_limit import ConnectionLimit
from .dispatch import OTHERS, Dispatcher
from .ending import Ending, Replaced, Stopping
from .granian_private import Lifespan, Listener, Listening, new_loop, wsgi_scheduler
from .served import Served, ports_in_use
from .signals import ENDING, Signals
from .sockets import Sockets
from .state import State
from .wsgi_calls import WsgiCalls

_LAST = 1.0
"""The time limit in seconds for sender threads to notice that their connections are closed."""

_FOR_CONNECTIONS = 0.7
"""The part of the grace period in which connections may stay open. The rest is for the requests in progress."""


class Listeners:
    """The listeners of one worker, which stop together. `at_end` is called when the last of them has ended."""

    def __init__(self, make: Callable[[socket.socket], Listener], sockets: Sockets, at_end: Callable[[], None]) -> None:
        self.sockets = sockets
        self._make = make
        self._at_end = at_end
        self._lock = threading.Lock()
        self._open = len(sockets)
        self._listeners: list[Listener] = []

    def open(self, scheduler: object, loop: asyncio.AbstractEventLoop) -> None:
        """Accept connections from all sockets."""
        for sock in self.sockets:
            listener = self._make(sock)
            self._listeners.append(listener)
            listener.start(scheduler, loop, self._one_has_ended)

    def close(self) -> None:
        """Stop accepting connections, and close the open ones."""
        for listener in self._listeners:
            listener.stop()

    def _one_has_ended(self) -> None:  # in one of Granian's threads
        with self._lock:
            self._open -= 1
            last = not self._open
        if last:
            self._at_end()


def run_asgi_worker(
    idx: int,
    load: Callable[[], Served],
    sockets: Sockets,
    worker: Replaced,
    listening: Listening,
    state: State,
    early: bool,
) -> None:
    """Serve the ASGI application that `load` returns until a signal arrives, then shut down gracefully.

    If `early` is true, connections are accepted during the application's startup, and the application must delay their
    requests until it has completed.
    """
    loop = new_loop()
    AsgiWorker(idx, load(), sockets, worker, listening, state, loop).run(early)


class AsgiWorker:
    """One worker: starts the application, accepts connections, and stops when the requests in progress have ended."""

    def __init__(
        self,
        idx: int,
        served: Served,
        sockets: Sockets,
        worker: Replaced,
        listening: Listening,
        state: State,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.served = served
        self.loop = loop
        self._state = state
        self._worker = worker
        self._over = asyncio.Event()
        self._is_ending = False
        self._listeners = Listeners(
            lambda sock: Listener.asgi(idx, sock, listening, served.blocking_threads + OTHERS),
            sockets,
            self._note_end,
        )
        self._dispatcher: Dispatcher | None = None
        self._connection_limit = ConnectionLimit(sockets.addresses(), listening.limit, lambda: ports_in_use(served))

    def run(self, early: bool) -> None:
        """Serve until a signal arrives. Exits with status 1 if the application's startup fails."""
        lifespan = Lifespan(self.served)
        _on_signals(self.loop, self._end)
        if early:
            self._open(lifespan)
            self._state.note_answers()
        if not self.loop.run_until_complete(lifespan.startup()):
            sys.exit(1)
        if not self._is_ending:
            self._open(lifespan)
            self.loop.run_until_complete(self._over.wait())
        self.loop.run_until_complete(lifespan.shutdown())

    def _open(self, lifespan: Lifespan) -> None:
        if self._dispatcher is None:
            self._dispatcher = Dispatcher(self.loop, self.served, lifespan.state)
            self._listeners.open(self._dispatcher, self.loop)
            self._connection_limit.watch(self._dispatcher)

    def _note_end(self) -> None:  # in one of Granian's threads
        self.loop.call_soon_threadsafe(self._over.set)

    def _end(self) -> None:
        if self._is_ending:
            return
        self._is_ending = True
        self._connection_limit.stop()
        seconds = self.served.begin_to_end()
        # By then no request is in progress, whether or not connections are still open.
        self.loop.call_later(seconds, self._over.set)
        if self._dispatcher is not None:
            parting = self._dispatcher.begin_to_end()
            ending = Ending(self._listeners, parting, self._state, self._worker, seconds * _FOR_CONNECTIONS)
            threading.Thread(target=ending.run, name="costrel-ending", daemon=True).start()


def run_wsgi_worker(
    idx: int,
    load: Callable[[], WsgiCalls],
    sockets: Sockets,
    worker: Replaced,
    listening: Listening,
    state: Stopping,
    grace: float,
) -> None:
    """Serve the WSGI application that `load` wraps until a signal arrives, then shut down gracefully."""
    loop = new_loop()
    calls = load()
    over = threading.Event()
    listeners = Listeners(lambda sock: Listener.wsgi(idx, sock, listening, listening.threads), sockets, over.set)
    signals = Signals()
    listeners.open(wsgi_scheduler(loop, calls.run), loop)
    ConnectionLimit(sockets.addresses(), listening.limit, set).watch(None)
    signals.wait()
    Ending(listeners, calls.begin_to_end(), state, worker, grace * _FOR_CONNECTIONS).run()
    over.wait()
    calls.senders.end(_LAST)


def _on_signals(loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
    for number in ENDING:
        try:
            loop.add_signal_handler(number, end)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(end))
