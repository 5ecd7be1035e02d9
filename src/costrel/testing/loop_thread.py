"""An event loop for test clients that are not async: it runs in a thread while one of them waits for it."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

T = TypeVar("T")


class LoopThread:
    """An event loop that runs, in a thread of its own, during `run` and in ``with`` blocks.

    It is one loop from the first use to the last, so that locks and connections of an application stay usable; its
    tasks continue with the next use. When this object is collected, tasks that are left are cancelled.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` in a copy of the caller's context variables; return its result, or raise its error."""
        with self:
            return asyncio.run_coroutine_threadsafe(coroutine, self._made()).result()

    def __enter__(self) -> Self:
        with self._lock:
            if not self._uses:
                thread = threading.Thread(
                    target=self._serve, args=(self._made(),), name="costrel-test-client", daemon=True
                )
                thread.start()
                self._thread = thread
            self._uses += 1
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._lock:
            self._uses -= 1
            if not self._uses and self._thread is not None:
                loop = self._made()
                loop.call_soon_threadsafe(loop.stop)
                self._thread.join()

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        # A method, so that the thread refers to this object: a loop that runs is not collected.
        while True:
            try:
                loop.run_forever()
            except (KeyboardInterrupt, SystemExit):
                continue  # raised by a task, which keeps it as its result: `run` raises it in the test
            return

    def _made(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            weakref.finalize(self, _end, self._loop)
        return self._loop


def _end(loop: asyncio.AbstractEventLoop) -> None:
    if asyncio.all_tasks(loop):  # only a running loop can cancel them, and this thread may be running another one
        threading.Thread(target=_run_down, args=(loop,), name="costrel-test-client").start()
    else:
        loop.close()


def _run_down(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()
