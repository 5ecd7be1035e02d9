"""The reloader: a process that restarts the serving process when a file of the program changes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from ..devtools.pin import environment_for_child
from ..services.dotenv import environment_without_files
from . import ahead
from .banner import is_running_from_reloader, server_logger
from .starting import Starter
from .stopped import answering
from .watching import Watcher

RESTART = 3
"""The exit status with which the serving process requests a restart."""

_END_TIMEOUT = 5.0
"""The time limit in seconds for the end of the serving process."""

_STANDBY_DELAY = 0.5
"""The delay in seconds between a start of the program and the start of the next standby process."""


def is_first_start() -> bool:
    """Whether this process is the first to serve, rather than one that was restarted after a change."""
    return os.environ.get("COSTREL_RELOADED") != "true"


def supervise_with(sock: socket.socket, watcher: Watcher) -> int:
    """Like :func:`supervise`, with a listening socket that is closed afterwards."""
    if os.name == "nt":  # Windows cannot pass a socket on, so the serving process opens its own
        sock.close()
        return supervise(watcher)
    with sock:
        return supervise(watcher, sock.fileno())


def supervise(watcher: Watcher, fd: int | None = None) -> int:
    """Run this program in a serving process, restart it whenever it requests that, and return its last exit status.

    The listening socket `fd` stays open all the time, so that no request is refused during a restart. A program that
    fails after a change is restarted after the next change.
    """
    signal.signal(signal.SIGTERM, _end)
    # A script reads the dotenv files too late for the code that runs before `app.run`.
    inherited = environment_without_files() if ahead.is_command() else os.environ
    environ = {**inherited, "WERKZEUG_RUN_MAIN": "true", **environment_for_child()}
    if fd is not None:
        environ["WERKZEUG_SERVER_FD"] = str(fd)
    starter = Starter(environ, fd)
    try:
        return _keep_running(starter, watcher, fd)
    finally:
        starter.close()


def _keep_running(starter: Starter, watcher: Watcher, fd: int | None) -> int:
    reloaded = not is_first_start()
    while True:
        server_logger().info(" * Restarting with %s", watcher.name)
        started = time.time()
        status = _wait(starter)
        if status != RESTART and (status <= 0 or not reloaded):
            return status if status >= 0 else 128 - status
        if status != RESTART:
            server_logger().info(" * The program exited with status %s: waiting for a change", status)
            starter.prepare()
            with answering(fd, status, lambda: watcher.files()):
                changed = watcher.wait(threading.Event(), since=started)
            if changed is None:
                return status
        reloaded = True
        starter.mark_as_reloaded()


def run_reloadable(main: Callable[[], None], stop: Callable[[], None], watcher: Watcher) -> None:
    """Run `main`. When a file changes, call `stop` to end it, and exit with the status RESTART."""
    ended = threading.Event()
    changed: list[str] = []

    def watch() -> None:
        path = watcher.wait(ended)
        if path is None:
            if not ended.is_set():
                stop()  # the reloader has ended
            return
        changed.append(path)
        server_logger().info(" * Detected change in %r, reloading", path)
        stop()
        if not ended.wait(_END_TIMEOUT):
            watcher.forget_bytecode()
            os._exit(RESTART)

    thread = threading.Thread(target=watch, name="costrel-reloader", daemon=True)
    thread.start()
    try:
        main()
    finally:
        ended.set()
    if changed:
        watcher.forget_bytecode()
        sys.exit(RESTART)


def run_with_reloader(
    main_func: Callable[[], None],
    extra_files: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    interval: float = 1,
    reloader_type: str = "auto",
) -> None:
    """Run a function in a process of its own, which is restarted whenever a file of the program changes.

    The function runs in a daemon thread, so it ends with the process.
    """
    watcher = Watcher(extra_files, exclude_patterns, interval, reloader_type)
    if not is_running_from_reloader():
        sys.exit(supervise(watcher))
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=main_func, name="costrel-reloadable", daemon=True).start()
    try:
        path = watcher.wait(threading.Event())
    except KeyboardInterrupt:
        return
    if path is not None:
        server_logger().info(" * Detected change in %r, reloading", path)
        watcher.forget_bytecode()
        sys.exit(RESTART)


def _wait(starter: Starter) -> int:
    """Start the program, and return its exit status. If this process is told to end, the program ends too.

    The next standby process is started a little later, since it would slow down the program's start.
    """
    process = starter.start()
    try:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_STANDBY_DELAY)
        starter.prepare()
        return process.wait()
    except (KeyboardInterrupt, SystemExit):
        process.terminate()
        try:
            process.wait(_END_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return 0


def _end(number: int, frame: object) -> None:
    sys.exit(0)
