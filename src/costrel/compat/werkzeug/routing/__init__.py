"""`werkzeug.routing`: the names of the original, and Costrel behind them."""

from costrel.routing.adapter import MapAdapter as MapAdapter
from costrel.routing.converters import AnyConverter as AnyConverter
from costrel.routing.converters import BaseConverter as BaseConverter
from costrel.routing.converters import FloatConverter as FloatConverter
from costrel.routing.converters import IntegerConverter as IntegerConverter
from costrel.routing.converters import PathConverter as PathConverter
from costrel.routing.converters import UnicodeConverter as UnicodeConverter
from costrel.routing.converters import UUIDConverter as UUIDConverter
from costrel.routing.converters import ValidationError as ValidationError
from costrel.routing.errors import BuildError as BuildError
from costrel.routing.errors import NoMatch as NoMatch
from costrel.routing.errors import RequestAliasRedirect as RequestAliasRedirect
from costrel.routing.errors import RequestPath as RequestPath
from costrel.routing.errors import RequestRedirect as RequestRedirect
from costrel.routing.errors import RoutingException as RoutingException
from costrel.routing.errors import WebsocketMismatch as WebsocketMismatch
from costrel.routing.factories import EndpointPrefix as EndpointPrefix
from costrel.routing.factories import RuleTemplate as RuleTemplate
from costrel.routing.factories import RuleTemplateFactory as RuleTemplateFactory
from costrel.routing.factories import Subdomain as Subdomain
from costrel.routing.factories import Submount as Submount
from costrel.routing.map import Map as Map
from costrel.routing.matcher import StateMachineMatcher as StateMachineMatcher
from costrel.routing.pattern import parse_converter_args as parse_converter_args
from costrel.routing.rule import Rule as Rule
from costrel.routing.rule import RuleFactory as RuleFactory
