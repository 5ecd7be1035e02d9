"""The undocumented parts of Granian that this server uses, each wrapped in a function or class.

No other module imports them; `tests/architecture` enforces this. `check` tries them when a server starts. If one of
them is missing or has changed, the server uses Granian's documented interface instead (`engine.py`).
`docs/upstream.md` gives the reason for each.
"""

from __future__ import annotations

import asyncio
import os
import socket
import typing as t
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from granian._futures import _new_cbscheduler
from granian._granian import ASGIWorker, CallbackScheduler, SocketHolder, WorkerSignal, WSGIWorker
from granian._loops import loops
from granian.asgi import LifespanProtocol
from granian.constants import HTTPModes, Loops, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings
from granian.server.embed import Server

if t.TYPE_CHECKING:
    from pathlib import Path

    from .request_log import Message, Receive, Send

# Granian's stubs lack some arguments and methods of these classes.
_asgi_worker: t.Any = ASGIWorker
_wsgi_worker: t.Any = WSGIWorker
_socket_holder: t.Any = SocketHolder
_lifespan: t.Any = LifespanProtocol
_scheduler_base: t.Any = CallbackScheduler

_RUNTIME_THREADS = 1
_BLOCKING_THREADS = 512
_IDLE_TIMEOUT = 30
_NO_METRICS = (None, None)

_STACK = 8 * 1024 * 1024
"""The stack size in bytes of Granian's threads, since views run in them. Python's threads have the same size."""

AF_UNIX = getattr(socket, "AF_UNIX", None)


@dataclass(frozen=True, kw_only=True)
class Listening:
    """How a worker accepts connections, in Granian's terms."""

    backlog: int
    limit: int
    """The maximum number of connections of one worker."""
    connections: int
    """`limit` plus a reserve for refusals. At this number, Granian stops accepting until a connection ends."""
    http: HTTPModes
    http1: HTTP1Settings
    http2: HTTP2Settings
    tls: tuple[object, ...]
    """See `tls_arguments`."""
    threads: int = 1
    """The number of threads for a WSGI application."""


def tls_arguments(certificate: tuple[Path, Path] | None) -> tuple[object, ...]:
    """The TLS arguments of a listener: whether to use TLS, then the certificate, its key, and so on."""
    protocol = str(SSLProtocols.tls12)
    if certificate is None:
        return (False, None, None, None, protocol, None, [], False)
    cert, key = certificate
    return (True, str(cert.resolve()), str(key.resolve()), None, protocol, None, [], False)


def new_loop() -> asyncio.AbstractEventLoop:
    """The event loop of a worker: uvloop or rloop if it is installed."""
    loop: asyncio.AbstractEventLoop = loops.get(Loops.auto)
    return loop


class Listener:
    """Accepts connections from one socket in threads of its own, and passes their requests to a scheduler."""

    def __init__(self, worker: t.Any, is_unix: bool) -> None:
        self._serve = worker.serve_mtr_uds if is_unix else worker.serve_mtr
        self._signal = WorkerSignal()

    @classmethod
    def asgi(cls, index: int, sock: socket.socket, listening: Listening, threads: int) -> Listener:
        """A listener for an ASGI application, whose dispatcher is called in `threads` threads."""
        head = _arguments(index, sock, listening, threads)
        return cls(_asgi_worker(*head, True, None, *listening.tls, _NO_METRICS), sock.family == AF_UNIX)

    @classmethod
    def wsgi(cls, index: int, sock: socket.socket, listening: Listening, threads: int) -> Listener:
        """A listener for a WSGI application, which is called in `threads` threads."""
        head = _arguments(index, sock, listening, threads)
        return cls(_wsgi_worker(*head, None, *listening.tls, _NO_METRICS), sock.family == AF_UNIX)

    def start(self, scheduler: object, loop: asyncio.AbstractEventLoop, at_end: Callable[[], None]) -> None:
        """Accept connections. `at_end` is called in another thread when the listener and its connections have ended."""
        os.environ.setdefault("RUST_MIN_STACK", str(_STACK))
        self._signal.add_cb(at_end)
        self._serve(scheduler, loop, self._signal)

    def stop(self) -> None:
        """Stop accepting, and close the connections: idle ones now, others after the response, HTTP/2 with GOAWAY."""
        self._signal.set()


def _arguments(index: int, sock: socket.socket, listening: Listening, threads: int) -> Iterable[object]:
    return (
        index + 1,
        (None, _socket_holder(sock.fileno(), sock.family == AF_UNIX, listening.backlog)),
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


class Channels(t.Protocol):
    """The ASGI channels of one request."""

    receive: Receive
    send: Send


class Watcher(t.Protocol):
    """The handle for one request."""

    scope: Message
    proto: Channels

    def done(self) -> None: ...
    def err(self, error: BaseException, /) -> None: ...
    def taskref(self, task: asyncio.Task[None], /) -> None: ...


class Scheduler(_scheduler_base):  # type: ignore[misc]  # its stub lacks members
    """Passes each ASGI request of a listener to `dispatch`, in one of the listener's threads.

    The other arguments of the base class are for Granian's own way of running coroutines, which is not used.
    """

    def __new__(cls, loop: asyncio.AbstractEventLoop, *args: object) -> t.Self:
        return t.cast("t.Self", super().__new__(cls, loop, None, None, None, None))

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._schedule_fn = self.dispatch

    def dispatch(self, watcher: Watcher) -> None:
        """Start handling a request. Granian ignores exceptions."""
        raise NotImplementedError


class WsgiChannel(t.Protocol):
    """The channel for the response to one WSGI request."""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...
    def response_iter(self, status: int, headers: list[tuple[str, str]], body: object) -> None: ...


WsgiCall: t.TypeAlias = Callable[[WsgiChannel, dict[str, object]], int]


def wsgi_scheduler(loop: asyncio.AbstractEventLoop, call: WsgiCall) -> object:
    """A scheduler that passes each WSGI request, with its part of the environ, to `call` in a listener's thread."""
    return _new_cbscheduler(loop, call, impl_asyncio=True)  # type: ignore[no-untyped-call]  # it has no types


class Lifespan:
    """The lifespan of an ASGI application (ASGI specification, Lifespan Protocol)."""

    def __init__(self, application: object) -> None:
        self._protocol = _lifespan(application)

    @property
    def state(self) -> dict[str, object]:
        """The lifespan state that the application set during startup."""
        return t.cast("dict[str, object]", self._protocol.state)

    async def startup(self) -> bool:
        """Start the application. Returns False if the startup fails."""
        await self._protocol.startup()
        return not self._protocol.interrupt

    async def shutdown(self) -> None:
        """Shut the application down."""
        await self._protocol.shutdown()


class Embedded(Server):
    """Granian's embedded server: it serves on the running event loop, from a socket that is already open."""

    _ssp: t.Any
    _sfd: t.Any
    _shd: t.Any

    def use(self, sock: socket.socket, backlog: int) -> None:
        """Serve on `sock`. The server takes over its file descriptor."""
        is_unix = sock.family == AF_UNIX
        number = sock.detach()
        self._ssp = None
        self._sfd = number
        self._shd = _socket_holder(number, is_unix, backlog)

    def take_tasks(self) -> list[asyncio.Task[None]]:
        """Stop the listeners. Returns the tasks that end when they have stopped."""
        workers: list[t.Any] = list(self.wrks)
        self.wrks.clear()
        for worker in workers:
            worker.terminate()
        return [worker._task for worker in workers]


def check() -> None:
    """Try every part without accepting a connection. Raises an exception if one of them is not as expected."""
    with socket.socket() as sock:
        listening = Listening(
            backlog=128,
            limit=16,
            connections=16,
            http=HTTPModes.auto,
            http1=HTTP1Settings(),
            http2=HTTP2Settings(),
            tls=tls_arguments(None),
        )
        for make in (Listener.asgi, Listener.wsgi):
            copy = sock.dup()
            make(0, copy, listening, 1)
            copy.detach()  # Granian has closed it
    for name in ("_init_shared_socket", "_stop_workers", "serve"):
        if not callable(getattr(Server, name, None)):
            raise AttributeError(f"Granian's embedded server has no method {name!r}")
    loop = asyncio.new_event_loop()
    try:
        Scheduler(loop)
        wsgi_scheduler(loop, _refuse)
    finally:
        loop.close()
    protocol = Lifespan(_refuse)._protocol
    if not (callable(protocol.startup) and callable(protocol.shutdown)) or protocol.interrupt or protocol.state:
        raise TypeError("Granian's lifespan protocol is not as expected")
    if Loops.auto not in loops:
        raise LookupError("Granian has no automatic event loop")


def _refuse(channel: WsgiChannel, scope: dict[str, object]) -> int:
    raise NotImplementedError
