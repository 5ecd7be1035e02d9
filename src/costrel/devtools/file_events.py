"""Changes of files, as the operating system reports them through watchfiles."""

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
    """Whether watchfiles is installed: there are platforms without it."""
    try:
        import watchfiles  # noqa: F401
    except ImportError:
        return False
    return True


def changes_in(
    folders: Iterable[str], ended: threading.Event, concerns: Callable[[str], bool] = lambda path: True
) -> Iterator[list[str]]:
    """Yield the paths of changed files of these folders that `concerns` accepts, until `ended` is set.

    A list is empty if only other files have changed, or nothing for a second. Folders inside of `folders` are not
    watched: that would register every folder of a node_modules or a virtual environment. Changes are lost if they come
    while watchfiles hands out others, so callers also look at the files now and then. Raises OSError if the system
    cannot watch the folders.
    """
    import watchfiles

    for found in watchfiles.watch(
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
        yield [path for _, path in found if concerns(path)]


@contextmanager
def set_by_changes(folders: Iterable[str]) -> Iterator[asyncio.Event]:
    """An event that is set whenever something in these folders changes. If they cannot be watched, it is never set."""
    loop, changed, ended = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def watch() -> None:
        with suppress(OSError, RuntimeError):  # they cannot be watched; or the loop has ended
            for paths in changes_in(folders, ended):
                if paths:
                    loop.call_soon_threadsafe(changed.set)

    if is_available():
        threading.Thread(target=watch, name="costrel-refresh", daemon=True).start()
    try:
        yield changed
    finally:
        ended.set()
