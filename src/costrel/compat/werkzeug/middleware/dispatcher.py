"""`werkzeug.middleware.dispatcher`: the names of the original, and Costrel behind them."""
