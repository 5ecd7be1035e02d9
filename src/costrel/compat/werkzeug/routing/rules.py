"""`werkzeug.routing.rules`: the names of the original, and Costrel behind them."""

from costrel.http.multidict import iter_multi_items as iter_multi_items
from costrel.routing.converters import ValidationError as ValidationError
from costrel.routing.pattern import parse_converter_args as parse_converter_args
