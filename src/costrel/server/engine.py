"""Checks whether the undocumented parts of Granian can be used, and otherwise serves without them."""

from __future__ import annotations

import multiprocessing
import typing as t
from collections.abc import Callable
from pathlib import Path

from ..app.application import Costrel
from ..edges.threads import THREADS
from ..support.asgi_types import ASGIApplication
from . import addresses
from .around import AroundServer
from .errors import StartError
from .serve_options import ServeOptions
from .state import State
from .worker import WorkerLoader

WARNING: t.Final = (
    "Granian %s differs from the releases that Costrel was tested with (%s). Serving with its documented interface: one"
    " address, no metrics, and a reload may lose requests. Install the release of Granian that Costrel requires."
)

# Granian calls `dictConfig` for the whole process, which would close the application's handlers. An incremental
# configuration changes only the level of Granian's logger.
KEEP_LOGGING: t.Final[dict[str, object]] = {"incremental": True, "handlers": {}, "loggers": {}}


def version() -> str:
    """The installed version of Granian."""
    import granian

    return granian.__version__


def problem() -> str | None:
    """The reason why the undocumented parts of Granian cannot be used; None if they can."""
    try:
        from . import granian_private

        granian_private.check()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def serve_plainly(load: Callable[[], Costrel | ASGIApplication], options: ServeOptions) -> None:
    """Serve with Granian's documented interface alone. Raises StartError if the options need more."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, SSLProtocols
    from granian.log import LogLevels

    if len(options.bind) != 1 or options.metrics is not None:
        raise StartError("With this release of Granian, use a single --bind and no --metrics. See the warning above.")
    host, port = addresses.parse_bind(options.bind[0])
    is_unix = host.startswith(addresses.UNIX_SCHEME)
    cert, key = options.certificate or (None, None)
    is_wsgi = options.interface == "wsgi"
    _, ready = multiprocessing.Pipe(duplex=False)
    server = Granian(
        "costrel",
        address=host,
        port=port,
        uds=Path(host.removeprefix(addresses.UNIX_SCHEME)) if is_unix else None,
        interface=Interfaces.WSGI if is_wsgi else Interfaces.ASGI,
        workers=options.workers,
        blocking_threads=(options.threads or THREADS) if is_wsgi else None,
        http=HTTPModes.auto if options.http2 else HTTPModes.http1,
        log_level=LogLevels.warning,
        log_dictconfig=KEEP_LOGGING,
        ssl_cert=cert,
        ssl_key=key,
        ssl_protocol_min=SSLProtocols.tls12,
        respawn_failed_workers=True,
        workers_lifetime=options.max_worker_age,
        workers_max_rss=options.max_worker_memory,
        workers_kill_timeout=options.grace,
    )
    state = State()
    loader = WorkerLoader(load, options, ready, state, (), is_plain=True)
    with AroundServer(multiprocessing.get_context("spawn"), loader.around, state, options.grace).checked():
        server.serve(target_loader=t.cast("Callable[..., Callable[..., object]]", loader), wrap_loader=False)
