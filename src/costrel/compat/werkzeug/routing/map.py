"""`werkzeug.routing.map`: the names of the original, and Costrel behind them."""

from costrel.http.cookies import MultiDict as MultiDict
from costrel.http.errors import BadHost as BadHost
from costrel.http.errors import HTTPException as HTTPException
from costrel.http.errors import MethodNotAllowed as MethodNotAllowed
from costrel.http.errors import NotFound as NotFound
from costrel.http.immutable import ImmutableDict as ImmutableDict
from costrel.messages.environ import get_host as get_host
from costrel.routing.adapter import BuildError as BuildError
from costrel.routing.adapter import MapAdapter as MapAdapter
from costrel.routing.adapter import NoMatch as NoMatch
from costrel.routing.adapter import RequestAliasRedirect as RequestAliasRedirect
from costrel.routing.adapter import RequestPath as RequestPath
from costrel.routing.adapter import RequestRedirect as RequestRedirect
from costrel.routing.adapter import WebsocketMismatch as WebsocketMismatch
from costrel.routing.converters import DEFAULT_CONVERTERS as DEFAULT_CONVERTERS
from costrel.routing.factories import Rule as Rule
from costrel.routing.map import Map as Map
from costrel.routing.map import StateMachineMatcher as StateMachineMatcher
