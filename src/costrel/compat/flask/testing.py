"""`flask.testing`: the names of the original, and Costrel behind them."""

from costrel.services.commands import ScriptInfo as ScriptInfo
