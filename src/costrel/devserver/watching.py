"""Detects changes of the running program's files, by watchfiles or by polling every second."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import sysconfig
import threading
import time
import typing as t
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch

_LOADED_AT = time.time()

_DEBOUNCE_MS = 50
_STEP_MS = 10
_LOOK_UP_MS = 1_000

_INSTALLED = tuple(
    os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
"""The folders of installed files, which developers do not edit."""


class Watcher:
    """Watches the files of the imported modules, their neighbours, and `extra_files` (a folder: the files in it).

    Files that match one of `exclude_patterns` (fnmatch, on the whole path) are left out. If watchfiles is missing, or
    `kind` is ``stat``, the files are polled every `interval` seconds.
    """

    def __init__(
        self,
        extra_files: Iterable[str] | None = None,
        exclude_patterns: Iterable[str] | None = None,
        interval: float = 1,
        kind: str = "auto",
    ) -> None:
        self.extra = {os.path.realpath(path) for path in extra_files or ()}
        self.exclude_patterns = tuple(exclude_patterns or ())
        self.interval = interval
        self.kind = kind

    @property
    def name(self) -> str:
        """The implementation that watches."""
        return "stat" if self.kind == "stat" or _watchfiles() is None else "watchfiles"

    def wait(self, ended: threading.Event, since: float = _LOADED_AT) -> str | None:
        """The path of the first file that changes; None once `ended` is set or the parent process has ended.

        Changes after the time `since` count: by default, changes since this program began to load.
        """
        return self._look(ended, since) if self.name == "stat" else self._listen(ended, since)

    def concerns(self, path: str) -> bool:
        """Whether to report a change of this file."""
        if any(fnmatch(path, pattern) for pattern in self.exclude_patterns):
            return False
        return path.endswith(".py") or path in self.extra or os.path.dirname(path) in self.extra

    def files(self) -> set[str]:
        """The files that are known now."""
        known = set(_module_files())
        for path in self.extra:
            known.update(entry.path for entry in os.scandir(path)) if os.path.isdir(path) else known.add(path)
        return {path for path in known if self.concerns(path)}

    def _changed_since(self, since: float) -> str | None:
        now = time.time()
        for path, changed in _times(self.files()).items():
            # A time in the future is from another computer's clock, and would restart the program forever.
            if since < changed <= now:
                return path
        return None

    def _look(self, ended: threading.Event, since: float) -> str | None:
        parent = os.getppid()
        before = _times(self.files())
        changed_before = self._changed_since(since)
        if changed_before is not None:
            return changed_before
        while not ended.wait(self.interval) and os.getppid() == parent:
            for path, changed in _times(self.files()).items():
                if before.setdefault(path, changed) != changed:
                    return path
        return None

    def _listen(self, ended: threading.Event, since: float) -> str | None:
        parent = os.getppid()
        changes = _watchfiles().watch(
            *self._folders(),
            watch_filter=lambda change, path: self.concerns(path),
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=ended,
            rust_timeout=_LOOK_UP_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
            recursive=False,
        )
        changed = self._changed_since(since)
        if changed is not None:
            return changed
        for number, found in enumerate(changes):
            for _, path in found:
                return str(path)
            if os.getppid() != parent:
                break
            if number == 0 and (changed := self._changed_since(since)):
                return changed  # it came between the first check and the start of the watch
        return None

    def _folders(self) -> set[str]:
        # Not recursively: that would register every folder of a node_modules or a virtual environment.
        folders = {os.path.dirname(path) for path in _module_files()}
        folders.update(path if os.path.isdir(path) else os.path.dirname(path) for path in self.extra)
        return {folder for folder in folders if os.path.isdir(folder)}


def _watchfiles() -> t.Any:
    try:
        import watchfiles
    except ImportError:
        return None
    return watchfiles


def _module_files() -> Iterator[str]:
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            path = _realpath(file)
            if not path.startswith(_INSTALLED):
                yield path


# A name for each imported file, of which there are some hundreds.
_realpath = functools.cache(os.path.realpath)


def _times(paths: Iterable[str]) -> dict[str, float]:
    times = {}
    for path in paths:
        with contextlib.suppress(OSError):  # it is not there, or not any more
            times[path] = os.stat(path).st_mtime
    return times
