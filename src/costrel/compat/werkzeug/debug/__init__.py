"""`werkzeug.debug`: the names of the original, and Costrel behind them."""

from costrel.compat.older_names import parse_cookie as parse_cookie
from costrel.http.errors import NotFound as NotFound
from costrel.http.errors import SecurityError as SecurityError
from costrel.http.hosts import host_is_trusted as host_is_trusted
from costrel.messages.files import send_file as send_file
from costrel.messages.request import Request as Request
from costrel.messages.response import Response as Response
from costrel.support.passwords import gen_salt as gen_salt
