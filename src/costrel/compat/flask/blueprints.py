"""`flask.blueprints`: the names of the original, and Costrel behind them."""

from costrel.services.commands import AppGroup as AppGroup
