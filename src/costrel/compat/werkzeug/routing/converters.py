"""`werkzeug.routing.converters`: the names of the original, and Costrel behind them."""

from costrel.routing.converters import DEFAULT_CONVERTERS as DEFAULT_CONVERTERS
from costrel.routing.converters import AnyConverter as AnyConverter
from costrel.routing.converters import BaseConverter as BaseConverter
from costrel.routing.converters import FloatConverter as FloatConverter
from costrel.routing.converters import IntegerConverter as IntegerConverter
from costrel.routing.converters import NumberConverter as NumberConverter
from costrel.routing.converters import PathConverter as PathConverter
from costrel.routing.converters import UnicodeConverter as UnicodeConverter
from costrel.routing.converters import UUIDConverter as UUIDConverter
from costrel.routing.converters import ValidationError as ValidationError
