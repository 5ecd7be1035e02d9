"""`werkzeug.formparser`: the names of the original, and Costrel behind them."""

from costrel.http.errors import RequestEntityTooLarge as RequestEntityTooLarge
from costrel.http.grammar import parse_options_header as parse_options_header
from costrel.http.multidict import MultiDict as MultiDict
