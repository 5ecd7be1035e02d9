"""`werkzeug._internal`: the names of the original, and Costrel behind them."""

from costrel.server.terminal import log as _log  # noqa: F401 - the original has this name
