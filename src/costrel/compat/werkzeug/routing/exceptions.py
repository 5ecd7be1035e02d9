"""`werkzeug.routing.exceptions`: the names of the original, and Costrel behind them."""

from costrel.http.errors import BadRequest as BadRequest
from costrel.http.errors import HTTPException as HTTPException
from costrel.support.properties import cached_property as cached_property
