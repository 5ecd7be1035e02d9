"""`werkzeug.debug.repr`: the names of the original, and Costrel behind them."""
