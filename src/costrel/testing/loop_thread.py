"""An event loop in a thread of its own, on which test clients that are not async run an application over ASGI."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for code that is not async.

    The thread starts with the first coroutine. It ends, and cancels the tasks that are left, after `close`, or when the
    last reference to this object is gone.
    """

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` in a copy of the caller's context variables; return its result, or raise its error."""
        with self._starting:
            loop = self._loop or self._start()
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_serve, args=(loop,), name="costrel-test-client", daemon=True)
        self._thread.start()
        self._end = weakref.finalize(self, loop.call_soon_threadsafe, loop.stop)
        return loop

    def close(self) -> None:
        """End the thread, and wait for its end. `run` starts another one."""
        with self._starting:
            thread, self._thread, self._loop = self._thread, None, None
        if thread is not None:
            self._end()
            thread.join()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """Run `loop` until it is stopped. This function does not refer to its `LoopThread`, which has to be collected."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()
