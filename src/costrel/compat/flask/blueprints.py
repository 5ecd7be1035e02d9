"""`flask.blueprints`: the names of the original, and Costrel behind them."""

from costrel.app.blueprint import Blueprint as Blueprint
from costrel.app.blueprint import Blueprint as SansioBlueprint  # noqa: F401 - the original has this name
from costrel.app.blueprint import BlueprintSetupState as BlueprintSetupState
from costrel.globals import current_app as current_app
from costrel.services.commands import AppGroup as AppGroup
from costrel.shortcuts import send_from_directory as send_from_directory
