"""`flask.cli`: the names of the original, and Costrel behind them."""

import click as click

from costrel.services.commands import AppGroup as AppGroup
from costrel.services.commands import ScriptInfo as ScriptInfo
from costrel.services.commands import locate_app as locate_app
from costrel.services.commands import pass_script_info as pass_script_info
from costrel.services.commands import prepare_import as prepare_import
from costrel.services.commands import with_appcontext as with_appcontext
from costrel.services.discovery import NoAppException as NoAppException
from costrel.services.discovery import find_app_by_string as find_app_by_string
from costrel.services.discovery import find_best_app as find_best_app
from costrel.services.dotenv import load_dotenv as load_dotenv
from costrel.services.environment import get_debug_flag as get_debug_flag
from costrel.services.environment import get_load_dotenv as get_load_dotenv
from costrel.support.importing import import_string as import_string
