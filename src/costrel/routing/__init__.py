"""URL to endpoint and back."""

from .adapter import MapAdapter as MapAdapter
from .converters import AnyConverter as AnyConverter
from .converters import BaseConverter as BaseConverter
from .converters import FloatConverter as FloatConverter
from .converters import IntegerConverter as IntegerConverter
from .converters import PathConverter as PathConverter
from .converters import UnicodeConverter as UnicodeConverter
from .converters import UUIDConverter as UUIDConverter
from .converters import ValidationError as ValidationError
from .errors import BuildError as BuildError
from .errors import NoMatch as NoMatch
from .errors import RequestAliasRedirect as RequestAliasRedirect
from .errors import RequestPath as RequestPath
from .errors import RequestRedirect as RequestRedirect
from .errors import RoutingException as RoutingException
from .errors import WebsocketMismatch as WebsocketMismatch
from .factories import EndpointPrefix as EndpointPrefix
from .factories import RuleTemplate as RuleTemplate
from .factories import RuleTemplateFactory as RuleTemplateFactory
from .factories import Subdomain as Subdomain
from .factories import Submount as Submount
from .map import Map as Map
from .matcher import StateMachineMatcher as StateMachineMatcher
from .pattern import parse_converter_args as parse_converter_args
from .rule import Rule as Rule
from .rule import RuleFactory as RuleFactory
