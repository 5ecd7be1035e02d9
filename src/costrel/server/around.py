"""The functions of ``while_serving(once="server")``: one process runs them, before the first worker and after the last.

The process that supervises the workers loads no application: what a reload replaces would stay in it, and threads of
the application would be copied into each worker. So these functions have a process of their own. It is started only if
a worker finds such functions in the application.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
import typing as t
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

from ..app.application import Costrel
from .signals import Signals, held_signals

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.context import ForkContext, SpawnContext

    from .state import State

_TICK = 0.05

_logger = logging.getLogger("costrel.server")


class AroundServer:
    """The process that runs `target`, for the process that started the server."""

    def __init__(
        self, processes: SpawnContext | ForkContext, target: Callable[[], None], state: State, grace: float
    ) -> None:
        self._processes = processes
        self._target = target
        self._state = state
        self._grace = grace
        self._process: BaseProcess | None = None

    def look(self) -> None:
        """Start the process if a worker waits for it, and replace it if it has ended."""
        if self._process is not None and not self._process.is_alive():
            if self._state.around_is_running:
                _logger.error("Process %s of the functions around the server has ended: starting it again", self.pid)
                self._start()
            else:
                self._process = None
                self._state.note_around(False)
        elif self._process is None and self._state.around_is_wanted:
            self._start()

    @property
    def pid(self) -> int | None:
        """The number of the process; None if there is none."""
        return None if self._process is None else self._process.pid

    def _start(self) -> None:
        self._process = self._processes.Process(target=self._target, name="costrel-around")
        with held_signals():
            self._process.start()

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()

    def end(self) -> None:
        """Let the functions run to their ends within the grace period. Call this when the workers have ended."""
        if self._process is None:
            return
        self._process.terminate()
        self._process.join(self._grace)
        if self._process.is_alive():
            _logger.warning("Process %s is killed: the functions around the server did not end in time", self.pid)
            self._process.kill()
            self._process.join()

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """Within this block a thread calls `look`; the functions end with the block."""
        over = threading.Event()

        def look() -> None:
            while not over.wait(_TICK):
                self.look()

        thread = threading.Thread(target=look, name="costrel-around", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.end()


def run_around(app: Costrel, state: State) -> None:
    """In their process: run the functions up to their ``yield``, and to their ends when SIGTERM arrives.

    Raises the error of a function that does not reach its ``yield``.
    """
    from ..edges.lifespan import ServingThread

    signals = Signals()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all processes, and the workers end first
    around = ServingThread(app)
    around.start_server()
    state.note_around(True)
    signals.wait()
    around.stop_server()


def wait_for_around(app: Costrel, state: State) -> bool:
    """In a worker: wait until the functions are running in their process. Returns False if they did not start."""
    if not app.around_server_gens:
        return True
    app.around_server_gens.clear()
    state.want_around()
    while not state.around_is_running:
        if state.around_has_failed:
            return False
        time.sleep(_TICK)
    return True
