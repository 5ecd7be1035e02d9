"""The options of `costrel` itself, and of its commands."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import typing as t

import click
from click.core import ParameterSource

from ..devserver.identity import served_as_flask
from ..services.commands import ScriptInfo
from ..services.dotenv import environment_without_files
from ..services.dotenv import load_dotenv as read_dotenv
from ..services.environment import set_variable
from ..version import __version__
from .parameters import EnvironmentOption

F = t.TypeVar("F", bound=t.Callable[..., object])

AS_FLASK = "--as-flask"


def relaunch_as_flask(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Run the same command in a process in which ``import flask`` imports Costrel."""
    if not value or ctx.resilient_parsing or served_as_flask():
        return
    arguments = [argument for argument in sys.argv[1:] if argument != AS_FLASK]
    command = [sys.executable, "-m", "costrel.as_flask", "-m", "costrel", *arguments]
    environ = environment_without_files()
    if os.name == "nt":  # on Windows, exec returns to the terminal before the command has ended
        sys.exit(subprocess.call(command, env=environ))  # noqa: S603 - this Python, with the user's own arguments
    os.execve(sys.executable, command, environ)  # noqa: S606 - as above


def as_flask_option() -> click.Option:
    """A new ``--as-flask`` option, which takes effect before the application is imported."""
    return click.Option(
        [AS_FLASK],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=relaunch_as_flask,
        help="Provide Costrel under the names 'flask' and 'werkzeug', for an application that imports Flask.",
    )


def option(*names: str, **attributes: t.Any) -> t.Callable[[F], F]:
    """`click.option` with an `EnvironmentOption`."""
    return click.option(*names, cls=EnvironmentOption, **attributes)


def get_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Print the versions and exit."""
    if not value or ctx.resilient_parsing:
        return
    versions = [("Python", platform.python_version()), ("Costrel", __version__)]
    if served_as_flask():
        from importlib.metadata import version

        versions += [(name, version(name.lower())) for name in ("Flask", "Werkzeug")]
    click.echo("\n".join(f"{name} {version}" for name, version in versions), color=ctx.color)
    ctx.exit()


version_option = click.Option(
    ["--version"],
    help="Show the versions of Costrel and Python.",
    callback=get_version,
    expose_value=False,
    is_flag=True,
    is_eager=True,
)


def _set_app(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        ctx.ensure_object(ScriptInfo).app_import_path = value
    return value


def _read_env_file(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    defaults = ctx.ensure_object(ScriptInfo).load_dotenv_defaults
    if value is not None:
        try:
            import dotenv  # noqa: F401
        except ImportError:
            raise click.BadParameter("This requires python-dotenv: pip install python-dotenv", ctx, param) from None
    if value is not None or defaults:
        read_dotenv(value, load_defaults=defaults)
    return value


def set_debug(ctx: click.Context, param: click.Parameter, value: bool | None) -> bool | None:
    """Set the environment variable that the application reads when it is created."""
    source = ctx.get_parameter_source(param.name or "")
    if value is None or source in (None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP):
        return None
    set_variable("DEBUG", "1" if value else "0")
    return value


def debug_option() -> click.Option:
    """A new ``--debug`` option."""
    return EnvironmentOption(
        ["--debug/--no-debug"], help="Turn debug mode on or off.", expose_value=False, callback=set_debug
    )


def app_option() -> click.Option:
    """A new ``--app`` option, which takes effect before the commands are listed."""
    return EnvironmentOption(
        ["-A", "--app"],
        metavar="IMPORT",
        help="Load this application, as 'module:name'. The module is a dotted name or the path of a file. The name is"
        " optional if it is 'app', 'application', 'create_app' or 'make_app', or if the module has only one"
        " application. It may be a call with arguments, as in 'module:create_app(\"test\")'.",
        is_eager=True,
        expose_value=False,
        callback=_set_app,
    )


def _name_application(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None and ctx.ensure_object(ScriptInfo).create_app is not None:
        raise click.UsageError(f"This command has an application of its own. Leave out {value!r}.", ctx)
    _set_app(ctx, param, value)


def application_argument() -> click.Argument:
    """A new argument for the commands that serve: the application, instead of ``--app``."""
    return click.Argument(
        ["application"], metavar="[MODULE:NAME]", required=False, expose_value=False, callback=_name_application
    )


def env_file_option() -> click.Option:
    """A new ``--env-file`` option, which takes effect first, since the file may set the other options."""
    return EnvironmentOption(
        ["-e", "--env-file"],
        type=click.Path(exists=True, dir_okay=False),
        help="Read environment variables from this file too. It overrides '.env', '.costrelenv' and '.flaskenv'."
        " Variables that are already set take precedence over all files. Requires python-dotenv.",
        is_eager=True,
        expose_value=False,
        callback=_read_env_file,
    )
