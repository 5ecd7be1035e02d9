"""`werkzeug.routing.exceptions`: the names of the original, and Costrel behind them."""

from costrel.http.errors import BadRequest as BadRequest
from costrel.http.errors import HTTPException as HTTPException
from costrel.legacy.cached_property import cached_property as cached_property
from costrel.messages.redirects import redirect as redirect
from costrel.routing.errors import BuildError as BuildError
from costrel.routing.errors import NoMatch as NoMatch
from costrel.routing.errors import RequestAliasRedirect as RequestAliasRedirect
from costrel.routing.errors import RequestPath as RequestPath
from costrel.routing.errors import RequestRedirect as RequestRedirect
from costrel.routing.errors import RoutingException as RoutingException
from costrel.routing.errors import WebsocketMismatch as WebsocketMismatch
