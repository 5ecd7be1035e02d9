"""`costrel run`: the development server."""

from __future__ import annotations

import typing as t

import click

from ..app.application import Costrel
from ..devserver.banner import is_running_from_reloader, show_server_banner
from ..server.addresses import DEFAULT_HOST, DEFAULT_PORT
from ..server.errors import StartError
from ..services.commands import ScriptInfo, pass_script_info
from ..services.environment import get_debug_flag
from ..support.asgi_types import ASGIApplication
from .options import application_argument, as_flask_option, debug_option, option
from .parameters import CertParamType, SeparatedPathType, validate_key

if t.TYPE_CHECKING:
    from ..devserver.certificates import SSLContextArgument
    from ..devserver.development import Options


@click.command(
    "run",
    short_help="Run a development server.",
    params=[debug_option(), as_flask_option(), application_argument()],
)
@option("--host", "-h", default=DEFAULT_HOST, help="Listen on this address or host name; 0.0.0.0 means all interfaces.")
@option("--port", "-p", default=DEFAULT_PORT, help="Listen on this port; 0 means any free port.")
@option(
    "--cert",
    type=CertParamType(),
    is_eager=True,
    help="Use this certificate file for HTTPS, or create one with 'adhoc'.",
)
@option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    callback=validate_key,
    expose_value=False,
    help="Use this private key of the certificate.",
)
@option("--reload/--no-reload", default=None, help="Restart when a file changes. Default: on in debug mode.")
@option("--debugger/--no-debugger", default=None, help="Show errors in the debugger. Default: on in debug mode.")
@option(
    "--refresh/--no-refresh",
    default=None,
    help="Reload pages in the browser after a change. Default: on in debug mode.",
)
@option("--with-threads/--without-threads", default=True, help="Handle several requests at the same time.")
@option(
    "--extra-files", default=None, type=SeparatedPathType(), help="Watch these additional files, separated as in PATH."
)
@option(
    "--exclude-patterns",
    default=None,
    type=SeparatedPathType(),
    help="Ignore files that match these patterns (fnmatch), separated as in PATH.",
)
@pass_script_info
def run_command(
    info: ScriptInfo,
    host: str,
    port: int,
    reload: bool | None,
    debugger: bool | None,
    refresh: bool | None,
    with_threads: bool,
    cert: SSLContextArgument,
    extra_files: list[str] | None,
    exclude_patterns: list[str] | None,
) -> None:
    """Run a local development server.

    Pass the application as an argument, or with '--app' as for the other commands. The server has a single process, and
    logs a line for each request. In debug mode, it restarts when a file changes.
    """
    from ..devserver.development import Options, serve, watch_over

    debug = get_debug_flag()
    options = Options(
        use_reloader=debug if reload is None else reload,
        use_debugger=debug if debugger is None else debugger,
        use_refresh=debug if refresh is None else refresh,
        threaded=with_threads,
        ssl_context=cert,
        extra_files=extra_files,
        exclude_patterns=exclude_patterns,
    )
    try:
        if options.use_reloader and not is_running_from_reloader():
            show_server_banner(debug, info.app_import_path)
            watch_over(host, port, options)
        app = _load(info, options)
        show_server_banner(debug, info.app_import_path or str(getattr(app, "name", app)))
        serve(app, host, port, options)
    except StartError as error:
        raise click.ClickException(str(error)) from error


def _load(info: ScriptInfo, options: Options) -> Costrel | ASGIApplication:
    """Load the application. If a change has broken it, return one that shows the error until the next change."""
    from ..devserver.reloading import is_first_start
    from ..server.failed_load import describe, failed_application, files_of

    try:
        app: Costrel | ASGIApplication = info.load_served()
    except Exception as error:
        if not is_running_from_reloader() or is_first_start():
            raise
        click.secho(f"Error: {describe(error)}", err=True, fg="red")
        options.extra_files = [*(options.extra_files or ()), *files_of(error)]
        return failed_application(error, raises=options.use_debugger)
    return app
