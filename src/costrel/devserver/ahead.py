"""A process that has imported Costrel ahead of time, and waits for the next start of the program.

The imports take most of the time of a start. The waiting process has read neither the arguments nor the dotenv files
nor the application, so that the program starts in it as in a new process.
"""

from __future__ import annotations

import os
import signal
import site
import sys
import time
import typing as t
from contextlib import suppress
from importlib import import_module, invalidate_caches
from itertools import pairwise

VARIABLE: t.Final = "COSTREL_START_FD"
"""The environment variable with a file descriptor. The waiting process starts when it reads a byte from it."""

_MODULES: t.Final = (
    "costrel.devserver.development",
    "costrel.devserver.embedded",
    "costrel.devtools.development",
    "costrel.server.failed_load",
    "costrel.app.vite",
    "costrel.services.jinja",
    "costrel.services.template_explanation",
    "encodings.idna",
    "importlib.metadata",
    "watchfiles",
)
"""The modules that `costrel run --debug` needs in addition to those of the command, and their dependencies.

Packages of the application are not among them: it may set variables, or replace functions, before it imports them.
"""

_COMMANDS: t.Final = ("costrel", "flask")

STARTED: t.Final = "COSTREL_STARTED"
"""The environment variable with the time at which the watching process started this one."""

_COARSE: t.Final = 0.02
"""The seconds by which the time of a change may lag behind the clock: file systems use a coarser one."""

# Python may import files of the application before this module: by sitecustomize, or in a script.
_began = float(os.environ.pop(STARTED, time.time())) - _COARSE
_by_command = False


def began() -> float:
    """The time at which the program began to start. Files that changed later may not be loaded as they are now."""
    return _began


def is_command() -> bool:
    """Whether Python runs the `costrel` command alone.

    A script may load the application before it calls the command, and a debugger may read from the terminal.
    """
    return _by_command


def is_possible() -> bool:
    """Whether this program can be started ahead."""
    return is_command() and os.name == "posix"


def wait_for_start() -> None:
    """If this process was started ahead, wait for its turn. The command calls this function first.

    If a file that was imported has changed in the meantime, the process executes the program afresh. If the process
    that watches ends, this one ends too.
    """
    global _began, _by_command
    _by_command = _is_our_command()
    fd = os.environ.pop(VARIABLE, None)
    if fd is None:
        return
    for name in _MODULES:
        with suppress(Exception):  # the program itself will report it
            import_module(name)
    before = _files()
    if not os.read(int(fd), 1):
        os._exit(0)
    os.close(int(fd))
    _receive_interrupts()
    now = time.time()
    if _files() != before or any(changed >= _began * 1e9 for changed, *_ in before.values()):
        os.environ[STARTED] = str(now)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - this program again
    invalidate_caches()
    _began = now - _COARSE


def _is_our_command() -> bool:
    """Whether Python was started with the script or the module of the command, or with it under `costrel.as_flask`."""
    start = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    modules = [name.partition(".")[0] for option, name in pairwise(start) if option == "-m"]
    if not modules:
        modules = [os.path.basename(name) for name in start[-1:]]
    return bool(modules) and all(name in _COMMANDS for name in modules)


def _receive_interrupts() -> None:
    """Unblock SIGINT, and discard a signal that arrived while this process waited."""
    handler = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGINT, handler)


def _files() -> dict[str, tuple[int, int, int]]:
    """Time (ns), size and inode of each imported file, and of the folders whose .pth files Python reads."""
    paths = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    found: dict[str, tuple[int, int, int]] = {}
    for path in (*paths, *site.getsitepackages(), site.getusersitepackages()):
        if isinstance(path, str):
            with suppress(OSError):
                status = os.stat(path)
                found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found
