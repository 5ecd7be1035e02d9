"""`werkzeug._internal`: the names of the original, and Costrel behind them."""
