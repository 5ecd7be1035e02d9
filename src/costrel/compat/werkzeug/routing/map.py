"""`werkzeug.routing.map`: the names of the original, and Costrel behind them."""

from costrel.http.errors import BadHost as BadHost
from costrel.http.errors import HTTPException as HTTPException
from costrel.http.errors import MethodNotAllowed as MethodNotAllowed
from costrel.http.errors import NotFound as NotFound
from costrel.http.immutable import ImmutableDict as ImmutableDict
from costrel.http.multidict import MultiDict as MultiDict
from costrel.messages.environ import get_host as get_host
from costrel.routing.adapter import MapAdapter as MapAdapter
from costrel.routing.converters import DEFAULT_CONVERTERS as DEFAULT_CONVERTERS
from costrel.routing.errors import BuildError as BuildError
from costrel.routing.errors import NoMatch as NoMatch
from costrel.routing.errors import RequestAliasRedirect as RequestAliasRedirect
from costrel.routing.errors import RequestPath as RequestPath
from costrel.routing.errors import RequestRedirect as RequestRedirect
from costrel.routing.errors import WebsocketMismatch as WebsocketMismatch
from costrel.routing.map import Map as Map
from costrel.routing.matcher import StateMachineMatcher as StateMachineMatcher
from costrel.routing.rule import Rule as Rule
