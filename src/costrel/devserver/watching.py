"""Watches the files of the running program, with watchfiles or by polling."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import sysconfig
import threading
import time
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from importlib.util import cache_from_source

from ..devtools.file_events import changes_in, is_available
from .ahead import began

_SAME_SECOND = 2.0
_POLL_INTERVAL = 1.0

_INSTALLED = tuple(
    os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
"""The folders of installed files, which are not watched."""


class Watcher:
    """Watches imported modules, the Python files beside them, and `extra_files`. Folders stand for the files in them.

    Files whose full path matches one of `exclude_patterns` (fnmatch) are left out. If watchfiles is not installed, or
    `kind` is "stat", the files are polled every `interval` seconds.
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
        """The implementation: "stat" or "watchfiles"."""
        return "stat" if self.kind == "stat" or not is_available() else "watchfiles"

    def wait(self, ended: threading.Event, since: float | None = None) -> str | None:
        """Wait for a change, and return the file's path; None if `ended` is set or the parent process has ended.

        Changes count from the time `since`, by default the start of this program.
        """
        since = began() if since is None else since
        return self._poll(ended, since) if self.name == "stat" else self._listen(ended, since)

    def concerns(self, path: str) -> bool:
        """Whether to report a change of this file."""
        if any(fnmatch(path, pattern) for pattern in self.exclude_patterns):
            return False
        return path.endswith(".py") or path in self.extra or os.path.dirname(path) in self.extra

    def files(self) -> set[str]:
        """The watched files as of now."""
        known = set(_module_files())
        for path in self.extra:
            known.update(entry.path for entry in os.scandir(path)) if os.path.isdir(path) else known.add(path)
        return {path for path in known if self.concerns(path)}

    def forget_bytecode(self) -> None:
        """Delete the bytecode of files that have just changed.

        Python compares only the size and the time in seconds, so it may miss a second change within the same second.
        """
        now = time.time()
        for path, changed in _times(self.files()).items():
            if path.endswith(".py") and now - changed < _SAME_SECOND:
                with contextlib.suppress(OSError, NotImplementedError):  # there is no bytecode file
                    os.remove(cache_from_source(path))

    def _changed_since(self, since: float) -> str | None:
        now = time.time()
        for path, changed in _times(self.files()).items():
            # A time in the future comes from another computer's clock, and would restart the program forever.
            if since < changed <= now:
                return path
        return None

    def _poll(self, ended: threading.Event, since: float) -> str | None:
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
        changed = self._changed_since(since)
        if changed is not None:
            return changed
        polled_at = 0.0
        for paths in changes_in(self._folders(), ended, self.concerns):
            if paths:
                return paths[0]
            if os.getppid() != parent:
                break
            if time.monotonic() - polled_at > _POLL_INTERVAL:  # finds changes before the first event, and lost events
                polled_at = time.monotonic()
                changed = self._changed_since(since)
                if changed is not None:
                    return changed
        return None

    def _folders(self) -> set[str]:
        folders = {os.path.dirname(path) for path in _module_files()}
        folders.update(path if os.path.isdir(path) else os.path.dirname(path) for path in self.extra)
        return {folder for folder in folders if os.path.isdir(folder)}


def _module_files() -> Iterator[str]:
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            path = _realpath(file)
            if not path.startswith(_INSTALLED):
                yield path


# Cached, since a program imports hundreds of files, and this is called every second.
_realpath = functools.cache(os.path.realpath)


def _times(paths: Iterable[str]) -> dict[str, float]:
    times = {}
    for path in paths:
        with contextlib.suppress(OSError):  # the file does not exist, or no longer
            times[path] = os.stat(path).st_mtime
    return times
