"""`flask.cli`: the names of the original, and Costrel behind them."""

import click as click

from costrel.cli import AppGroup as AppGroup
from costrel.cli import CertParamType as CertParamType
from costrel.cli import FlaskGroup as FlaskGroup
from costrel.cli import NoAppException as NoAppException
from costrel.cli import ScriptInfo as ScriptInfo
from costrel.cli import SeparatedPathType as SeparatedPathType
from costrel.cli import cli as cli
from costrel.cli import find_app_by_string as find_app_by_string
from costrel.cli import find_best_app as find_best_app
from costrel.cli import get_version as get_version
from costrel.cli import load_dotenv as load_dotenv
from costrel.cli import locate_app as locate_app
from costrel.cli import main as main
from costrel.cli import pass_script_info as pass_script_info
from costrel.cli import prepare_import as prepare_import
from costrel.cli import routes_command as routes_command
from costrel.cli import run_command as run_command
from costrel.cli import shell_command as shell_command
from costrel.cli import show_server_banner as show_server_banner
from costrel.cli import version_option as version_option
from costrel.cli import with_appcontext as with_appcontext
from costrel.cli.options import ParameterSource as ParameterSource
from costrel.globals import current_app as current_app
from costrel.server.banner import is_running_from_reloader as is_running_from_reloader
from costrel.server.development import run_simple as run_simple
from costrel.services.environment import get_debug_flag as get_debug_flag
from costrel.services.environment import get_load_dotenv as get_load_dotenv
from costrel.support.importing import import_string as import_string
