"""`werkzeug.debug`: the names of the original, and Costrel behind them."""

from costrel.http.errors import NotFound as NotFound
from costrel.http.errors import SecurityError as SecurityError
from costrel.support.passwords import gen_salt as gen_salt
