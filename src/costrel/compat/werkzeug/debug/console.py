"""`werkzeug.debug.console`: the names of the original, and Costrel behind them."""
