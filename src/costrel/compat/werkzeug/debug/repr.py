"""`werkzeug.debug.repr`: the names of the original, and Costrel behind them."""

from costrel.devtools.html_repr import HELP_HTML as HELP_HTML
from costrel.devtools.html_repr import OBJECT_DUMP_HTML as OBJECT_DUMP_HTML
from costrel.devtools.html_repr import DebugReprGenerator as DebugReprGenerator
from costrel.devtools.html_repr import RegexType as RegexType
from costrel.devtools.html_repr import debug_repr as debug_repr
from costrel.devtools.html_repr import dump as dump
from costrel.devtools.html_repr import helper as helper
from costrel.devtools.html_repr import missing as missing
