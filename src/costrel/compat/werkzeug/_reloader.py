"""`werkzeug._reloader`: the names of the original, and Costrel behind them."""
