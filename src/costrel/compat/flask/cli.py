"""`flask.cli`: the names of the original, and Costrel behind them."""

import click as click

from costrel.cli import cli as cli
from costrel.cli import main as main
from costrel.cli.group import FlaskGroup as FlaskGroup
from costrel.cli.options import get_version as get_version
from costrel.cli.options import version_option as version_option
from costrel.cli.parameters import CertParamType as CertParamType
from costrel.cli.parameters import SeparatedPathType as SeparatedPathType
from costrel.cli.routes import routes_command as routes_command
from costrel.cli.run import run_command as run_command
from costrel.cli.shell import shell_command as shell_command
from costrel.devserver.banner import is_running_from_reloader as is_running_from_reloader
from costrel.devserver.banner import show_server_banner as show_server_banner
from costrel.devserver.wsgi_serving import run_simple as run_simple
from costrel.globals import current_app as current_app
from costrel.services.commands import AppGroup as AppGroup
from costrel.services.commands import ScriptInfo as ScriptInfo
from costrel.services.commands import pass_script_info as pass_script_info
from costrel.services.commands import with_appcontext as with_appcontext
from costrel.services.discovery import NoAppException as NoAppException
from costrel.services.discovery import find_app_by_string as find_app_by_string
from costrel.services.discovery import find_best_app as find_best_app
from costrel.services.discovery import locate_app as locate_app
from costrel.services.discovery import prepare_import as prepare_import
from costrel.services.dotenv import load_dotenv as load_dotenv
from costrel.services.environment import get_debug_flag as get_debug_flag
from costrel.services.environment import get_load_dotenv as get_load_dotenv
from costrel.support.importing import import_string as import_string
