"""A standby process: it has imported Costrel ahead of time, and waits for the next restart of the program.

Imports take most of the time of a restart. The standby process has not yet read the arguments, the dotenv files or the
application, so the program starts in it just as in a new process.
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
"""The environment variable with a file descriptor. The standby process starts when it reads a byte from it."""

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
"""The modules that `costrel run --debug` needs beyond the command's own modules, and their dependencies.

The application's packages are not among them, since it may set variables or patch functions before it imports them.
"""

_COMMANDS: t.Final = ("costrel", "flask")

STARTED: t.Final = "COSTREL_STARTED"
"""The environment variable with the time at which the reloader started this process."""

_COARSE: t.Final = 0.02
"""The seconds by which a file's modification time may lag behind the clock: file systems use a coarser clock."""

# Python may import files of the application before this module: through sitecustomize, or in a script.
_began = float(os.environ.pop(STARTED, time.time())) - _COARSE
_by_command = False


def began() -> float:
    """The time at which the program began to start. Files that changed later may have been loaded in an old version."""
    return _began


def is_command() -> bool:
    """Whether Python runs the `costrel` command alone.

    A script may load the application before it calls the command, and a debugger may read from the terminal.
    """
    return _by_command


def is_possible() -> bool:
    """Whether a standby process can be used for this program."""
    return is_command() and os.name == "posix"


def wait_for_start() -> None:
    """In a standby process, wait for the restart. The command calls this function before anything else.

    If an imported file has changed in the meantime, the process executes the program from scratch. It exits when the
    reloader ends.
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
    """Whether Python was started with the command as a script or module, possibly through `costrel.as_flask`."""
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
    """The modification time (ns), size and inode of the imported files and of the folders with .pth files."""
    paths = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    files: dict[str, tuple[int, int, int]] = {}
    for path in (*paths, *site.getsitepackages(), site.getusersitepackages()):
        if isinstance(path, str):
            with suppress(OSError):
                status = os.stat(path)
                files[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return files
