"""`werkzeug._reloader`: the names of the original, and Costrel behind them."""

from costrel.devserver.reloading import run_with_reloader as run_with_reloader
