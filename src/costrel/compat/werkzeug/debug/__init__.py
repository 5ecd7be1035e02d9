"""`werkzeug.debug`: the names of the original, and Costrel behind them."""

from costrel.compat.older_names import parse_cookie as parse_cookie
from costrel.devtools.console import Console as Console
from costrel.devtools.debugger import DebuggedApplication as DebuggedApplication
from costrel.devtools.debugger import _ConsoleFrame as _ConsoleFrame
from costrel.devtools.pin import PIN_TIME as PIN_TIME
from costrel.devtools.pin import get_machine_id as get_machine_id
from costrel.devtools.pin import get_pin_and_cookie_name as get_pin_and_cookie_name
from costrel.devtools.pin import hash_pin as hash_pin
from costrel.http.errors import NotFound as NotFound
from costrel.http.errors import SecurityError as SecurityError
from costrel.http.hosts import host_is_trusted as host_is_trusted
from costrel.legacy.tracebacks import DebugFrameSummary as DebugFrameSummary
from costrel.legacy.tracebacks import DebugTraceback as DebugTraceback
from costrel.legacy.tracebacks import render_console_html as render_console_html
from costrel.messages.files import send_file as send_file
from costrel.messages.request import Request as Request
from costrel.messages.response import Response as Response
from costrel.support.passwords import gen_salt as gen_salt
