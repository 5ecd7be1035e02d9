"""`werkzeug.middleware.profiler`: the names of the original, and Costrel behind them."""

from costrel.middleware.profiler import ProfilerMiddleware as ProfilerMiddleware
