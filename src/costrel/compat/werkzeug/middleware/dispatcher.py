"""`werkzeug.middleware.dispatcher`: the names of the original, and Costrel behind them."""

from costrel.middleware.dispatcher import DispatcherMiddleware as DispatcherMiddleware
