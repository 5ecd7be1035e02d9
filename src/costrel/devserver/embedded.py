"""Granian embedded in this process: it uses our socket, and its shutdown does not wait for open streams."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from granian.constants import Interfaces, SSLProtocols
from granian.log import LogLevels

from ..server.addresses import LISTEN_QUEUE, connections_at_most
from ..server.engine import KEEP_LOGGING
from ..server.errors import StartError
from ..server.forking import detach_children
from ..server.granian_private import Embedded
from ..server.request_log import Application, RequestLog
from ..server.watchdog import Watchdog

GRACE = 1.0
"""The time limit in seconds for requests in progress when the server stops."""

_CLEANUP_TIMEOUT = 1.0
"""The time limit in seconds for the clean-up of cancelled requests."""

Certificate = tuple[Path, Path]

_granian_logger = logging.getLogger("_granian")


class EmbeddedServer(Embedded):
    """Serves an ASGI application on a listening socket, on the running event loop."""

    def __init__(
        self,
        application: Application,
        sock: socket.socket,
        logger: logging.Logger,
        certificate: Certificate | None = None,
        at_stop: Callable[[], None] = lambda: None,
        watchdog: Watchdog | None = None,
    ) -> None:
        self.log = RequestLog(application, logger)
        self.sock = sock
        self._stopping = False
        self._at_stop = at_stop
        self._watchdog = watchdog
        self._loop: asyncio.AbstractEventLoop | None = None
        cert, key = certificate or (None, None)
        super().__init__(
            target=self.log,
            address="",
            interface=Interfaces.ASGI,
            backpressure=connections_at_most(),
            log_level=LogLevels.warning,
            log_dictconfig=KEEP_LOGGING,
            ssl_cert=cert,
            ssl_key=key,
            ssl_protocol_min=SSLProtocols.tls12,
        )

    async def run(self) -> None:
        """Serve until :meth:`stop` is called. Raises StartError if the startup of the application fails."""
        _granian_logger.addFilter(_is_relevant)
        self._loop = asyncio.get_running_loop()
        undo_detaching = detach_children([self.sock])
        if self._watchdog is not None:
            self._watchdog.start(self._loop)
        try:
            if not self._stopping:
                await self.serve()
        finally:
            self._loop = None
            undo_detaching()
            if self._watchdog is not None:
                self._watchdog.stop()
            _granian_logger.removeFilter(_is_relevant)
            self.sock.close()

    def stop(self) -> None:
        """Stop accepting requests, and end when those in progress have ended, at the latest after GRACE.

        A second call cancels them. Safe to call in any thread, and before :meth:`run`.
        """
        loop = self._loop
        if loop is None:
            self._stopping = True
        else:
            loop.call_soon_threadsafe(self._stop)

    def stop_soon(self) -> None:
        """Like :meth:`stop`, but cancel responses that have started, since streams may never end."""
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
        # Granian's own socket would have SO_REUSEPORT, so other programs could use the same port.
        self.use(self.sock, LISTEN_QUEUE)

    async def _stop_workers(self) -> None:
        tasks = self.take_tasks()
        if await _still_running(tasks, GRACE):
            self.log.end_all()
        if await _still_running(tasks, _CLEANUP_TIMEOUT):
            # The remaining tasks end with the loop. Their errors are expected.
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        failed = [task.exception() for task in tasks if task.done() and not task.cancelled()]
        if any(failed):
            raise StartError("The application failed to start. See the error above.") from failed[0]


def _is_relevant(record: logging.LogRecord) -> bool:
    return record.msg != "Embedded server is experimental!"


async def _still_running(tasks: Iterable[asyncio.Task[None]], timeout: float) -> set[asyncio.Task[None]]:
    unfinished = [task for task in tasks if not task.done()]
    return (await asyncio.wait(unfinished, timeout=timeout))[1] if unfinished else set()
