"""`werkzeug.routing.exceptions`: the names of the original, and Costrel behind them."""

from costrel.http.errors import BadRequest as BadRequest
from costrel.http.errors import HTTPException as HTTPException
from costrel.messages.redirects import redirect as redirect
from costrel.routing.adapter import BuildError as BuildError
from costrel.routing.adapter import NoMatch as NoMatch
from costrel.routing.adapter import RequestAliasRedirect as RequestAliasRedirect
from costrel.routing.adapter import RequestPath as RequestPath
from costrel.routing.adapter import RequestRedirect as RequestRedirect
from costrel.routing.adapter import WebsocketMismatch as WebsocketMismatch
from costrel.routing.errors import RoutingException as RoutingException
from costrel.support.properties import cached_property as cached_property
