"""`werkzeug.debug.console`: the names of the original, and Costrel behind them."""

from costrel.devtools.console import Console as Console
from costrel.devtools.console import HTMLStringO as HTMLStringO
from costrel.devtools.console import ThreadedStream as ThreadedStream
from costrel.devtools.html_repr import debug_repr as debug_repr
from costrel.devtools.html_repr import dump as dump
from costrel.devtools.html_repr import helper as helper
