"""`werkzeug.debug.tbtools`: the names of the original, and Costrel behind them."""

from costrel.devtools.console import Console as Console
from costrel.legacy.cached_property import cached_property as cached_property
from costrel.legacy.tracebacks import DebugFrameSummary as DebugFrameSummary
from costrel.legacy.tracebacks import DebugTraceback as DebugTraceback
from costrel.legacy.tracebacks import render_console_html as render_console_html
