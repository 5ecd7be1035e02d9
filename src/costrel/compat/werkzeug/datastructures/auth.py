"""`werkzeug.datastructures.auth`: the names of the original, and Costrel behind them."""

from costrel.http.authentication import Authorization as Authorization
from costrel.http.authentication import WWWAuthenticate as WWWAuthenticate
from costrel.http.callback import CallbackDict as CallbackDict
from costrel.http.grammar import dump_header as dump_header
from costrel.http.grammar import parse_dict_header as parse_dict_header
from costrel.http.grammar import quote_header_value as quote_header_value
