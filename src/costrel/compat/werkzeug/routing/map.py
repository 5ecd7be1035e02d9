"""`werkzeug.routing.map`: the names of the original, and Costrel behind them."""

from costrel.http.errors import BadHost as BadHost
from costrel.http.errors import HTTPException as HTTPException
from costrel.http.errors import MethodNotAllowed as MethodNotAllowed
from costrel.http.errors import NotFound as NotFound
from costrel.http.immutable import ImmutableDict as ImmutableDict
from costrel.http.multidict import MultiDict as MultiDict
from costrel.routing.converters import DEFAULT_CONVERTERS as DEFAULT_CONVERTERS
