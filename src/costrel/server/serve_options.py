"""The options of `costrel serve`."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..app.application import Costrel
from ..app.mounts import refuse_asgi_mounts
from .addresses import MAX_CONNECTIONS, SERVE_PORT
from .errors import StartError
from .watchdog import LOOP_TIMEOUT
from .websocket_limit import MAX_WEBSOCKETS

DEFAULT_BIND = f"127.0.0.1:{SERVE_PORT}"
GRACE = 30

_MIN_WORKERS, _MAX_WORKERS = 2, 8


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """The options of `costrel serve`. Times are in seconds, `max_worker_memory` in MiB."""

    bind: Sequence[str] = (DEFAULT_BIND,)
    workers: int = _MIN_WORKERS
    threads: int | None = None
    interface: t.Literal["asgi", "wsgi"] = "asgi"
    log_format: str = "text"
    access_log: bool = True
    certificate: tuple[Path, Path] | None = None
    http2: bool = False
    grace: int = GRACE
    drain: int = 0
    health: bool = False
    metrics: str | None = None
    max_worker_age: int | None = None
    max_worker_memory: int | None = None
    max_connections: int = MAX_CONNECTIONS
    """Per worker, like `max_websockets`."""
    max_websockets: int = MAX_WEBSOCKETS
    loop_timeout: int = LOOP_TIMEOUT
    worker_timeout: int | None = None
    """See WORKER_TIMEOUT. Workers with stuck threads are replaced only if this is set."""


def default_workers() -> int:
    """One worker per CPU, at least two so that one serves while the other is replaced, and at most eight."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(max(cpus, _MIN_WORKERS), _MAX_WORKERS)


def refuse_debug(debug: bool) -> None:
    """Raise StartError in debug mode: its error pages run code for everyone who can reach them."""
    if debug:
        raise StartError(
            "costrel serve does not run in debug mode, whose error pages show source code and run code. Leave out"
            " --debug and COSTREL_DEBUG (or FLASK_DEBUG), or use costrel run."
        )


def refuse_mounts(app: Costrel) -> None:
    """Raise StartError if an ASGI application is mounted, since it cannot be called over WSGI."""
    try:
        refuse_asgi_mounts(app)
    except RuntimeError as error:
        raise StartError(str(error)) from error
