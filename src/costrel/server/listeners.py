"""One worker process on all sockets of the server, and its end in order: Granian's own worker has one socket."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import sys
import tempfile
import threading
import time
import typing as t
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from granian._futures import _new_cbscheduler
from granian._granian import ASGIWorker, SocketHolder, WorkerSignal, WSGIWorker
from granian._loops import loops
from granian.asgi import LifespanProtocol
from granian.constants import HTTPModes, Loops
from granian.http import HTTP1Settings, HTTP2Settings
from granian.wsgi import _callback_wrapper as wsgi_callback

from .addresses import af_unix
from .dispatch import OTHERS, Dispatcher, Served

BACKLOG = 1024
"""How many connections may wait for a worker to take them."""

ENDING = (signal.SIGTERM, signal.SIGINT)
"""The signals that end a server."""

# Granian's stubs leave out arguments of these three.
_holder_class: t.Any = SocketHolder
_asgi_worker: t.Any = ASGIWorker
_wsgi_worker: t.Any = WSGIWorker

_RUNTIME_THREADS = 1
_BLOCKING_THREADS = 512
_IDLE_TIMEOUT = 30
_NO_METRICS = (None, None)

_STACK = 8 * 1024 * 1024
"""Bytes of stack for each thread of Granian's, where views run: as many as Python's own have, and not just 2 MiB."""

_SETTLING = 0.3
"""Seconds in which the requests of connections that were taken just now may come, once no more are taken."""

_FILES = Path("/proc/self/fd")


@dataclass(frozen=True, kw_only=True)
class Listening:
    """How a worker takes connections: Granian's own words for it."""

    http: HTTPModes
    http1: HTTP1Settings
    http2: HTTP2Settings
    tls: tuple[t.Any, ...]
    connections: int
    threads: int = 1
    """Those in which a WSGI application runs."""


class Sockets(tuple[socket.socket, ...]):
    """The listening sockets of a server."""

    __slots__ = ()

    def listen(self) -> None:
        """Let connections come."""
        for sock in self:
            sock.listen(BACKLOG)

    def close(self) -> None:
        """Close all of them."""
        for sock in self:
            sock.close()


class Gate:
    """The listeners of one worker, which all stop at the first signal; `at_end` is called when all have stopped."""

    def __init__(self, make: Callable[[t.Any], t.Any], sockets: Sockets, at_end: Callable[[], None]) -> None:
        self._at_end = at_end
        self._lock = threading.Lock()
        self._open = len(sockets)
        self._make = make
        self._sockets = sockets
        self._signals: list[WorkerSignal] = []
        self._listeners: list[t.Any] = []

    def open(self, scheduler: t.Any, loop: t.Any) -> None:
        """Take connections from all sockets."""
        os.environ.setdefault("RUST_MIN_STACK", str(_STACK))
        for sock in self._sockets:
            sock.set_inheritable(False)  # what an application starts is not to keep the port when this has ended
            holder = _holder_class(sock.fileno(), sock.family == af_unix, BACKLOG)
            listener, stop = self._make((None, holder)), WorkerSignal()
            stop.add_cb(self._one_has_stopped)
            self._signals.append(stop)
            self._listeners.append(listener)
            (listener.serve_mtr_uds if holder.is_uds() else listener.serve_mtr)(scheduler, loop, stop)

    def deflect(self) -> None:
        """Take no more connections, and leave those that are there as they are.

        Granian can only do both at once: a connection that it has just taken, and whose request it has not read yet,
        would be closed without an answer. So the numbers of the listening sockets are given to one that nobody knows,
        in this process: its next ``accept`` finds nothing. Where that cannot be done, nothing is.
        """
        if not _FILES.is_dir():
            return
        nobody = _socket_that_nobody_knows()
        with nobody:
            wanted = {os.fstat(sock.fileno()).st_ino for sock in self._sockets}
            for name in os.listdir(_FILES):
                with suppress(OSError):
                    number = int(name)
                    if os.fstat(number).st_ino in wanted and stat.S_ISSOCK(os.fstat(number).st_mode):
                        os.dup2(nobody.fileno(), number)

    def close(self) -> None:
        """Take no more connections; those that are there end with their requests."""
        for stop in self._signals:
            stop.set()

    def _one_has_stopped(self) -> None:  # in a thread of Granian's
        with self._lock:
            self._open -= 1
            last = not self._open
        if last:
            self._at_end()


def run_asgi_worker(idx: int, load: Callable[[], Served], sockets: Sockets, listening: Listening, early: bool) -> None:
    """Serve the ASGI application that `load` gives until a signal comes, and end in order.

    With `early`, connections are taken while the application still starts, which has to hold back their requests.
    """
    loop = loops.get(Loops.auto)
    AsgiWorker(idx, load(), sockets, listening, loop).run(early)


class AsgiWorker:
    """One worker: the application starts, takes connections, and stops when its requests are done."""

    def __init__(self, idx: int, served: Served, sockets: Sockets, listening: Listening, loop: t.Any) -> None:
        self.served = served
        self.loop = loop
        self._over = asyncio.Event()
        self._ending = False
        self._gate = Gate(
            lambda sock: _asgi_worker(
                *_first(idx, sock, listening, served.places + OTHERS), True, None, *listening.tls, _NO_METRICS
            ),
            sockets,
            lambda: loop.call_soon_threadsafe(self._over.set),
        )
        self._is_open = False

    def run(self, early: bool) -> None:
        """Serve to the end. Exits with status 1 where the application refuses to start."""
        lifespan: t.Any = LifespanProtocol(self.served)  # type: ignore[no-untyped-call]  # Granian's own
        _on_signals(self.loop, self._end)
        if early:
            self._open(lifespan)
        self.loop.run_until_complete(lifespan.startup())
        if lifespan.interrupt:
            sys.exit(1)
        if not self._ending:
            self._open(lifespan)
            self.loop.run_until_complete(self._over.wait())
        self.loop.run_until_complete(lifespan.shutdown())

    def _open(self, lifespan: t.Any) -> None:
        if self._is_open:
            return
        self._is_open = True
        self._gate.open(Dispatcher(self.loop, self.served, lifespan.state), self.loop)

    def _end(self) -> None:
        if not self._ending:
            self._ending = True
            # Connections that stay open after that have nothing under way any more.
            self.loop.call_later(self.served.begin_to_end(), self._over.set)
            self._gate.deflect()
            self.loop.call_later(_SETTLING, self._gate.close)


def run_wsgi_worker(idx: int, load: Callable[[], t.Any], sockets: Sockets, listening: Listening, early: bool) -> None:
    """The same with a WSGI application, which hears nothing of start and end."""
    loop = loops.get(Loops.auto)
    callback = wsgi_callback(load(), {})
    over = threading.Event()
    gate = Gate(
        lambda sock: _wsgi_worker(*_first(idx, sock, listening, listening.threads), None, *listening.tls, _NO_METRICS),
        sockets,
        over.set,
    )
    signals = Signals()
    gate.open(_new_cbscheduler(loop, callback, impl_asyncio=True), loop)  # type: ignore[no-untyped-call]  # as above
    signals.wait()
    gate.deflect()
    time.sleep(_SETTLING)
    gate.close()
    over.wait()


class Signals:
    """The first of the signals that end a worker, for its main thread to wait for: from here on they do nothing more.

    Their handler would run between any two steps of the main thread, and not at all while that thread waits, where
    another one of the process took the signal. So the interpreter is told to write their numbers to a socket.
    """

    def __init__(self) -> None:
        self._numbers, write_end = socket.socketpair()
        write_end.setblocking(False)
        self._write_end = write_end  # as long as signals come
        for number in ENDING:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(write_end.fileno(), warn_on_full_buffer=False)

    def wait(self) -> None:
        """Wait for the first signal, which may have come before."""
        while self._numbers.recv(1)[0] not in ENDING:
            pass


def _first(idx: int, sock: t.Any, listening: Listening, threads: int) -> Iterable[t.Any]:
    """What the workers of all interfaces are made with first; `threads` of Granian's call what is Python."""
    return (
        idx + 1,
        sock,
        None,
        _RUNTIME_THREADS,
        _BLOCKING_THREADS,
        threads,
        _IDLE_TIMEOUT,
        listening.connections,
        listening.http,
        listening.http1,
        listening.http2,
    )


def _socket_that_nobody_knows() -> socket.socket:
    """A listening socket whose name is gone already: nothing will ever come to it."""
    sock = socket.socket(socket.AF_UNIX)
    with tempfile.TemporaryDirectory(prefix="costrel-") as folder:
        sock.bind(os.path.join(folder, "s"))
    sock.listen(1)
    sock.setblocking(False)
    return sock


def _on_signals(loop: t.Any, end: Callable[[], None]) -> None:
    for number in ENDING:
        try:
            loop.add_signal_handler(number, end)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(end))
