"""`werkzeug.routing.matcher`: the names of the original, and Costrel behind them."""

from costrel.routing.converters import ValidationError as ValidationError
