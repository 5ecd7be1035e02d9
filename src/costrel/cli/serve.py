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

_WSGI_WARNING = """\
Warning: --interface wsgi has these limits:
  - no WebSockets, access log, request ids, metrics or health endpoints;
  - async views run in threads;
  - an interrupted upload looks like a complete one to the application;
  - a stream that fails looks like a complete response to the client."""

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
    help="Listen on this address: host:port or unix:/path. May be given several times.",
)
@option(
    "--workers",
    "-w",
    type=click.IntRange(1),
    default=default_workers,
    help="Run this many processes. Default: one per CPU, at least 2 and at most 8.",
)
@option(
    "--threads",
    type=click.IntRange(1),
    help="Run sync views in this many threads per process. Default: the setting THREADS, or 32.",
)
@option("--cert", type=_file, help="Serve HTTPS with this certificate, followed by its intermediate certificates.")
@option("--key", type=_file, help="Use this private key of the certificate.")
@option("--http2/--no-http2", default=False, help="Serve HTTP/2 too. docs/deployment.md lists its limits.")
@option(
    "--grace",
    type=click.IntRange(1),
    default=GRACE,
    show_default=True,
    help="Give requests in progress this many seconds when the server stops.",
)
@option(
    "--drain",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Keep serving for this many seconds after SIGTERM, while /readyz reports that the server is stopping.",
)
@option("--health/--no-health", default=False, help="Serve /livez and /readyz for health checks.")
@option("--metrics", metavar="[HOST:]PORT", help="Serve metrics for Prometheus at http://HOST:PORT/metrics.")
@option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Write the logs as text or JSON.",
)
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
@option("--max-worker-age", type=click.IntRange(60), help="Replace a process after this many seconds.")
@option("--max-worker-memory", type=click.IntRange(1), help="Replace a process that uses more than this many MiB.")
@option(
    "--loop-timeout",
    type=click.IntRange(0),
    default=LOOP_TIMEOUT,
    show_default=True,
    help="Replace a process whose event loop has been blocked for this many seconds; 0 turns this off.",
)
@option(
    "--worker-timeout",
    type=click.IntRange(1),
    help="Replace a process if all its threads are busy and none finishes a request for this many seconds. By default,"
    f" only their stacks are logged, after {WORKER_TIMEOUT} seconds.",
)
@option(
    "--interface",
    type=click.Choice(["asgi", "wsgi"]),
    default="asgi",
    show_default=True,
    help="Call the application through this interface.",
)
@pass_script_info
def serve_command(info: ScriptInfo, /, cert: Path | None, key: Path | None, interface: str, **options: t.Any) -> None:
    """Run a production server with several processes.

    Name the application as an argument, or with '--app' as for the other commands. After SIGTERM or Ctrl-C, the server
    finishes the requests in progress and stops. SIGHUP replaces the processes one after the other with new ones, which
    load the current code.
    """
    if (cert is None) != (key is None):
        raise click.UsageError("--cert and --key belong together. Use both or neither.")
    if interface == "wsgi":
        click.secho(_WSGI_WARNING, err=True, fg="yellow")
    certificate = (cert, key) if cert and key else None
    try:
        refuse_debug(get_debug_flag())
        serve_production(
            info.load_served,
            ServeOptions(certificate=certificate, interface="wsgi" if interface == "wsgi" else "asgi", **options),
        )
    except StartError as error:
        raise click.ClickException(str(error)) from error
