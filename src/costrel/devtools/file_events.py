"""Changes of files that the operating system reports, by means of watchfiles."""

from __future__ import annotations

import asyncio
import threading
import typing as t
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

_DEBOUNCE_MS: t.Final = 50
_STEP_MS: t.Final = 10
_TIMEOUT_MS: t.Final = 1_000


def is_available() -> bool:
    """Whether watchfiles is installed. It does not support every platform."""
    try:
        import watchfiles  # noqa: F401
    except ImportError:
        return False
    return True


def changes_in(
    folders: Iterable[str], ended: threading.Event, concerns: Callable[[str], bool] = lambda path: True
) -> Iterator[list[str]]:
    """Yield lists of changed files in `folders` that `concerns` accepts, until `ended` is set.

    A list is empty if only other files have changed, or if nothing has changed for a second. Subfolders are not
    watched, since that would include every folder of a node_modules or a virtual environment. Changes can be lost while
    watchfiles reports others, so callers also have to poll now and then. Raises OSError if the system cannot watch the
    folders.
    """
    import watchfiles

    for changes in watchfiles.watch(
        *folders,
        watch_filter=None,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        stop_event=ended,
        rust_timeout=_TIMEOUT_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
        recursive=False,
    ):
        yield [path for _, path in changes if concerns(path)]


@contextmanager
def set_by_changes(folders: Iterable[str]) -> Iterator[asyncio.Event]:
    """An event that is set when something in `folders` changes. If they cannot be watched, it is never set."""
    loop, changed, ended = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def watch() -> None:
        with suppress(OSError, RuntimeError):  # the folders cannot be watched, or the loop is closed
            for paths in changes_in(folders, ended):
                if paths:
                    loop.call_soon_threadsafe(changed.set)

    if is_available():
        threading.Thread(target=watch, name="costrel-refresh", daemon=True).start()
    try:
        yield changed
    finally:
        ended.set()
