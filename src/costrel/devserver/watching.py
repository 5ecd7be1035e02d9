"""Detects changes of the running program's files, by watchfiles or by polling every second."""

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
_LOOK_EVERY = 1.0

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
        return "stat" if self.kind == "stat" or not is_available() else "watchfiles"

    def wait(self, ended: threading.Event, since: float | None = None) -> str | None:
        """The path of the first file that changes; None once `ended` is set or the parent process has ended.

        Changes after the time `since` count: by default, changes since this program began to load.
        """
        since = began() if since is None else since
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

    def forget_bytecode(self) -> None:
        """Delete the compiled form of files that changed just now.

        Python compares the time in seconds and the size, so it would take two changes within a second for one.
        """
        now = time.time()
        for path, changed in _times(self.files()).items():
            if path.endswith(".py") and now - changed < _SAME_SECOND:
                with contextlib.suppress(OSError, NotImplementedError):  # there is none, or Python keeps none
                    os.remove(cache_from_source(path))

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
        changed = self._changed_since(since)
        if changed is not None:
            return changed
        looked = 0.0
        for found in changes_in(self._folders(), ended, self.concerns):
            if found:
                return found[0]
            if os.getppid() != parent:
                break
            if time.monotonic() - looked > _LOOK_EVERY:  # for changes before the first event, and for lost events
                looked = time.monotonic()
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


# A name for each imported file, of which there are some hundreds.
_realpath = functools.cache(os.path.realpath)


def _times(paths: Iterable[str]) -> dict[str, float]:
    times = {}
    for path in paths:
        with contextlib.suppress(OSError):  # it is not there, or not any more
            times[path] = os.stat(path).st_mtime
    return times
