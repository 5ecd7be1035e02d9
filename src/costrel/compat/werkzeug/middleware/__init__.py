"""`werkzeug.middleware`: the names of the original, and Costrel behind them."""
