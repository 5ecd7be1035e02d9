"""`werkzeug.middleware.profiler`: the names of the original, and Costrel behind them."""
