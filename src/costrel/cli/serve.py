"""`costrel serve`: the production server."""

from __future__ import annotations

import typing as t
from pathlib import Path

import click

from ..server.addresses import MAX_CONNECTIONS
from ..server.errors import StartError
from ..server.production import serve_production
from ..server.serve_options import DEFAULT_BIND, GRACE, ServeOptions, default_workers, refuse_debug
from ..server.watchdog import LOOP_TIMEOUT, WORKER_TIMEOUT
from ..server.websocket_limit import MAX_WEBSOCKETS
from ..services.commands import ScriptInfo, pass_script_info
from ..services.environment import get_debug_flag
from .options import application_argument, as_flask_option, debug_option, option

_LOST_OVER_WSGI = (
    "Warning: over WSGI there are no WebSockets, no async views on the loop, no access log, no request ids, no metrics"
    " and no health endpoints; an upload that is cut off is taken for a whole one, and a stream that fails ends as if"
    " it were complete."
)

_file = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)


@click.command(
    "serve",
    short_help="Run a production server.",
    params=[debug_option(), as_flask_option(), application_argument()],
)
@option(
    "--bind",
    "-b",
    multiple=True,
    default=[DEFAULT_BIND],
    show_default=True,
    help="Where to listen: host:port, or unix:/path; may be given several times.",
)
@option(
    "--workers", "-w", type=click.IntRange(1), default=default_workers, help="Processes. Default: one a CPU, 2 to 8."
)
@option("--threads", type=click.IntRange(1), help="Threads for sync views in each process. Default: THREADS, or 32.")
@option("--cert", type=_file, help="A certificate file for HTTPS, with those of the authorities below it.")
@option("--key", type=_file, help="The file with the certificate's key.")
@option("--http2/--no-http2", default=False, help="Serve HTTP/2 too; see docs/deployment.md for its limits.")
@option("--grace", type=click.IntRange(1), default=GRACE, show_default=True, help="Seconds for requests at the end.")
@option("--drain", type=click.IntRange(0), default=0, help="Seconds to go on, not ready, after SIGTERM. Default: 0.")
@option("--health/--no-health", default=False, help="Answer /livez and /readyz before the application does.")
@option("--metrics", metavar="[HOST:]PORT", help="Show counts for Prometheus at http://HOST:PORT/metrics.")
@option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="The log format.")
@option("--access-log/--no-access-log", default=True, help="Write a line for each request to standard output.")
@option(
    "--max-connections",
    type=click.IntRange(16),
    default=MAX_CONNECTIONS,
    show_default=True,
    help="Refuse connections above this number per process.",
)
@option(
    "--max-websockets",
    type=click.IntRange(1),
    default=MAX_WEBSOCKETS,
    show_default=True,
    help="Refuse WebSockets above this number per process.",
)
@option("--max-worker-age", type=click.IntRange(60), help="Seconds after which a process is replaced by a new one.")
@option("--max-worker-memory", type=click.IntRange(1), help="MiB of memory above which a process is replaced.")
@option(
    "--loop-timeout",
    type=click.IntRange(0),
    default=LOOP_TIMEOUT,
    show_default=True,
    help="Replace a process whose event loop is blocked for this many seconds; 0 never does.",
)
@option(
    "--worker-timeout",
    type=click.IntRange(1),
    help="Replace a process if all its threads are busy and none finishes for this many seconds. Without it, their"
    f" stacks are logged after {WORKER_TIMEOUT} seconds.",
)
@option(
    "--interface", type=click.Choice(["asgi", "wsgi"]), default="asgi", show_default=True, help="The server interface."
)
@pass_script_info
def serve_command(info: ScriptInfo, /, cert: Path | None, key: Path | None, interface: str, **options: t.Any) -> None:
    """Run a production server, with several processes.

    The application is an argument, or set by '--app' as for the other commands. SIGTERM and Ctrl-C end the server
    after the requests in progress. SIGHUP replaces the processes one after the other, and loads the code again.
    """
    if (cert is None) != (key is None):
        raise click.UsageError("--cert and --key belong together: name both files, or none.")
    if interface == "wsgi":
        click.secho(_LOST_OVER_WSGI, err=True, fg="yellow")
    certificate = (cert, key) if cert and key else None
    try:
        refuse_debug(get_debug_flag())
        serve_production(
            info.load_served,
            ServeOptions(certificate=certificate, interface="wsgi" if interface == "wsgi" else "asgi", **options),
        )
    except StartError as error:
        raise click.ClickException(str(error)) from error
