"""`flask.wrappers`: the names of the original, and Costrel behind them."""

from costrel.app.request import Request as Request
from costrel.app.response import Response as Response
from costrel.globals import current_app as current_app
from costrel.http.errors import BadRequest as BadRequest
from costrel.http.errors import HTTPException as HTTPException
from costrel.messages.request import Request as RequestBase  # noqa: F401 - the original has this name
from costrel.messages.response import Response as ResponseBase  # noqa: F401 - the original has this name
