"""`costrel run`: the development server, which is imported when it runs: in production nobody needs it in memory."""

from __future__ import annotations

import typing as t

import click

from ..server.addresses import DEFAULT_HOST, DEFAULT_PORT
from ..server.banner import is_running_from_reloader, show_server_banner
from ..server.errors import StartError
from ..services.commands import ScriptInfo, pass_script_info
from ..services.environment import get_debug_flag
from .options import application_argument, as_flask_option, debug_option
from .parameters import CertParamType, EnvironmentOption, SeparatedPathType, validate_key

if t.TYPE_CHECKING:
    from ..server.development import Options


def _option(*names: str, **attributes: t.Any) -> t.Callable[[t.Any], t.Any]:
    return click.option(*names, cls=EnvironmentOption, **attributes)


@click.command(
    "run",
    short_help="Run a development server.",
    params=[debug_option(), as_flask_option(), application_argument()],
)
@_option("--host", "-h", default=DEFAULT_HOST, help="The address or name to listen at; 0.0.0.0 is every interface.")
@_option("--port", "-p", default=DEFAULT_PORT, help="The port to listen on; 0 is any free one.")
@_option("--cert", type=CertParamType(), is_eager=True, help="A certificate file for HTTPS, or 'adhoc' to make one.")
@_option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    callback=validate_key,
    expose_value=False,
    help="The file with the certificate's key.",
)
@_option("--reload/--no-reload", default=None, help="Start anew when a file changes. Without it: in debug mode.")
@_option("--debugger/--no-debugger", default=None, help="Show the debugger. Without it: in debug mode.")
@_option("--refresh/--no-refresh", default=None, help="Have pages reload themselves. Without it: in debug mode.")
@_option("--with-threads/--without-threads", default=True, help="Answer several requests at a time.")
@_option("--extra-files", default=None, type=SeparatedPathType(), help="More files to watch, separated as in PATH.")
@_option(
    "--exclude-patterns",
    default=None,
    type=SeparatedPathType(),
    help="Patterns (fnmatch) of files not to watch, separated as in PATH.",
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
    cert: t.Any,
    extra_files: list[str] | None,
    exclude_patterns: list[str] | None,
) -> None:
    """Run a local development server.

    The application is named here, or by '--app' as for the other commands. The server is made for development: one
    process, a line per request. In debug mode it starts anew when a file changes.
    """
    from ..server.development import Options, serve, watch_over

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
        show_server_banner(debug, info.app_import_path or app.name)
        serve(app, host, port, options)
    except StartError as error:
        raise click.ClickException(str(error)) from error


def _load(info: ScriptInfo, options: Options) -> t.Any:
    """The application; after a change that broke it, one that shows the error until the next change."""
    from ..server.failed_load import describe, failed_application, files_of
    from ..server.reloading import is_first_start

    if not is_running_from_reloader() or is_first_start():
        return info.load_app()
    try:
        return info.load_app()
    except Exception as error:
        click.secho(f"Error: {describe(error)}", err=True, fg="red")
        options.extra_files = [*(options.extra_files or ()), *files_of(error)]
        return failed_application(error, raises=options.use_debugger)
