"""`werkzeug.middleware.profiler`: the names of the original, and Costrel behind them."""

from costrel.legacy.profiler import ProfilerMiddleware as ProfilerMiddleware
