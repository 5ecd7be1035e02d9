"""The `costrel` command."""

from __future__ import annotations

from ..devserver.ahead import wait_for_start
from ..devserver.banner import show_server_banner
from ..services.commands import AppGroup, ScriptInfo, pass_script_info, with_appcontext
from ..services.discovery import NoAppException, find_app_by_string, find_best_app, locate_app, prepare_import
from ..services.dotenv import load_dotenv
from ..services.environment import get_debug_flag, get_load_dotenv
from .group import FlaskGroup
from .options import as_flask_option, get_version, version_option
from .parameters import CertParamType, SeparatedPathType
from .routes import routes_command
from .run import run_command
from .shell import shell_command

cli = FlaskGroup(
    name="costrel",
    params=[as_flask_option()],
    help="""Work with a Costrel application.

    Set it with the option '--app' or the environment variable COSTREL_APP (or FLASK_APP). Otherwise the file
    'wsgi.py' or 'app.py' in the current folder is used.
    """,
)


def main() -> None:
    """Run the `costrel` command with the arguments of the process."""
    wait_for_start()
    cli.main()


__all__ = [
    "AppGroup",
    "CertParamType",
    "FlaskGroup",
    "NoAppException",
    "ScriptInfo",
    "SeparatedPathType",
    "cli",
    "find_app_by_string",
    "find_best_app",
    "get_debug_flag",
    "get_load_dotenv",
    "get_version",
    "load_dotenv",
    "locate_app",
    "main",
    "pass_script_info",
    "prepare_import",
    "routes_command",
    "run_command",
    "shell_command",
    "show_server_banner",
    "version_option",
    "with_appcontext",
]
