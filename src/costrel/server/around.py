"""The process that runs the functions of ``while_serving(once="server")``, which start before the first worker's
requests and end after the last worker.

The supervisor of the workers does not load the application: code that a reload replaces would stay in it, and forked
workers would inherit the application's threads. So these functions have a process of their own, which is started only
if a worker finds such functions in the application.
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
    """The supervisor's handle on the process that runs `target`."""

    def __init__(
        self, processes: SpawnContext | ForkContext, target: Callable[[], None], state: State, grace: float
    ) -> None:
        self._processes = processes
        self._target = target
        self._state = state
        self._grace = grace
        self._process: BaseProcess | None = None

    def check(self) -> None:
        """Start the process if a worker waits for it, and restart it if it has ended."""
        if self._process is not None and not self._process.is_alive():
            if self._state.around_is_running:
                _logger.error(
                    "Process %s with the functions of while_serving(once='server') ended: restarting it", self.pid
                )
                self._start()
            else:
                self._process = None
                self._state.note_around(False)
        elif self._process is None and self._state.around_is_wanted:
            self._start()

    @property
    def pid(self) -> int | None:
        """The process's id; None if there is no process."""
        return None if self._process is None else self._process.pid

    def _start(self) -> None:
        self._process = self._processes.Process(target=self._target, name="costrel-around")
        with held_signals():
            self._process.start()

    def kill(self) -> None:
        """Kill the process."""
        if self._process is not None:
            self._process.kill()

    def end(self) -> None:
        """Let the functions finish within the grace period. Call this when the workers have ended."""
        if self._process is None:
            return
        self._process.terminate()
        self._process.join(self._grace)
        if self._process.is_alive():
            _logger.warning(
                "Killing process %s: the functions of while_serving(once='server') did not end in time", self.pid
            )
            self._process.kill()
            self._process.join()

    @contextmanager
    def checked(self) -> Iterator[None]:
        """Call `check` repeatedly in a thread during the block, and end the functions after it."""
        over = threading.Event()

        def check_repeatedly() -> None:
            while not over.wait(_TICK):
                self.check()

        thread = threading.Thread(target=check_repeatedly, name="costrel-around", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.end()


def run_around(app: Costrel, state: State) -> None:
    """Run the functions in their process: up to ``yield`` at once, and the rest when SIGTERM arrives.

    Raises the error of a function that fails before its ``yield``.
    """
    from ..edges.lifespan import ServingThread

    signals = Signals()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process, but the workers must end first
    around = ServingThread(app)
    around.start_server()
    state.note_around(True)
    signals.wait()
    around.stop_server()


def wait_for_around(app: Costrel, state: State) -> bool:
    """Wait, in a worker, until the functions have started in their process. Returns False if one of them failed."""
    if not app.around_server_gens:
        return True
    app.around_server_gens.clear()
    state.want_around()
    while not state.around_is_running:
        if state.around_has_failed:
            return False
        time.sleep(_TICK)
    return True
