"""`werkzeug._reloader`: the names of the original, and Costrel behind them."""

from costrel.server.reloading import run_with_reloader as run_with_reloader
