"""`flask.wrappers`: the names of the original, and Costrel behind them."""

from costrel.http.errors import BadRequest as BadRequest
from costrel.http.errors import HTTPException as HTTPException
