"""Granian inside this process: on a socket of ours, with an end that open streams cannot hold up."""

from __future__ import annotations

import asyncio
import logging
import socket
import typing as t
from collections.abc import Callable, Iterable
from pathlib import Path

from granian._granian import SocketHolder
from granian.constants import Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.server.embed import Server

from .addresses import LISTEN_QUEUE, af_unix, connections_at_most
from .errors import StartError
from .request_log import Application, RequestLog

GRACE = 1.0
"""How long requests may go on, in seconds, after the server was asked to stop."""

_AFTER_CANCELLING = 1.0
"""How long a cancelled request may take to clean up, in seconds."""

# Granian would set up logging by `dictConfig` for the whole process, which closes the handlers that the
# application has made. Incremental, it changes the level of Granian's own logger and nothing else.
_KEEP_LOGGING: dict[str, t.Any] = {"incremental": True, "handlers": {}, "loggers": {}}

# Its stub leaves out the arguments: file descriptor, whether it is a Unix socket, length of the queue.
_holder_class: t.Any = SocketHolder

Certificate = tuple[Path, Path]

_granian_logger = logging.getLogger("_granian")


class EmbeddedServer(Server):
    """Serves an ASGI application on a listening socket, on the running event loop."""

    def __init__(
        self,
        application: Application,
        sock: socket.socket,
        logger: logging.Logger,
        certificate: Certificate | None = None,
        at_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self.log = RequestLog(application, logger)
        self.sock = sock
        self._stopping = False
        self._at_stop = at_stop
        self._loop: asyncio.AbstractEventLoop | None = None
        cert, key = certificate or (None, None)
        super().__init__(
            target=self.log,
            address="",
            interface=Interfaces.ASGI,
            backpressure=connections_at_most(),
            log_level=LogLevels.warning,
            log_dictconfig=_KEEP_LOGGING,
            ssl_cert=cert,
            ssl_key=key,
            ssl_protocol_min=SSLProtocols.tls12,
        )

    async def run(self) -> None:
        """Serve until :meth:`stop` is called. Raises StartError where the application refuses to start."""
        _granian_logger.addFilter(_is_worth_saying)
        self._loop = asyncio.get_running_loop()
        try:
            if not self._stopping:
                await self.serve()
        finally:
            self._loop = None
            _granian_logger.removeFilter(_is_worth_saying)
            self.sock.close()

    def stop(self) -> None:
        """Take no more requests, and end when those in progress are answered or GRACE is over.

        Asked a second time, end them at once. May be called from any thread, and before :meth:`run`.
        """
        loop = self._loop
        if loop is None:
            self._stopping = True
        else:
            loop.call_soon_threadsafe(self._stop)

    def stop_soon(self) -> None:
        """Like :meth:`stop`, without waiting for answers that have begun: streams go on as long as they like."""
        self.stop()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.log.end_streams)

    def _stop(self) -> None:
        if self._stopping:
            self.log.end_all()
        self._stopping = True
        self._at_stop()
        self.interrupt_signal = True
        self.main_loop_interrupt.set()

    def _init_shared_socket(self) -> None:
        # Granian's own socket has SO_REUSEPORT set, and so shares its port with whoever else wants it.
        # The holder closes the file descriptor in the end: it is no longer the socket object's to close.
        is_unix = self.sock.family == af_unix
        number = self.sock.detach()
        self._ssp: t.Any = None
        self._sfd: t.Any = number
        self._shd: t.Any = _holder_class(number, is_unix, LISTEN_QUEUE)

    async def _stop_workers(self) -> None:
        workers: list[t.Any] = list(self.wrks)
        self.wrks.clear()
        for worker in workers:
            worker.terminate()
        tasks: list[asyncio.Task[None]] = [worker._task for worker in workers]
        if await _still_running(tasks, GRACE):
            self.log.end_all()
        if await _still_running(tasks, _AFTER_CANCELLING):
            # What goes on now ends with the loop, and what it says about that is no news.
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        failed = [task.exception() for task in tasks if task.done() and not task.cancelled()]
        if any(failed):
            raise StartError("The application refused to start: see the error above.") from failed[0]


def _is_worth_saying(record: logging.LogRecord) -> bool:
    return record.msg != "Embedded server is experimental!"


async def _still_running(tasks: Iterable[asyncio.Task[None]], timeout: float) -> set[asyncio.Task[None]]:
    unfinished = [task for task in tasks if not task.done()]
    return (await asyncio.wait(unfinished, timeout=timeout))[1] if unfinished else set()
