"""`werkzeug.routing.rules`: the names of the original, and Costrel behind them."""

from costrel.http.multidict import iter_multi_items as iter_multi_items
from costrel.routing.converters import ValidationError as ValidationError
from costrel.routing.factories import EndpointPrefix as EndpointPrefix
from costrel.routing.factories import RuleTemplate as RuleTemplate
from costrel.routing.factories import RuleTemplateFactory as RuleTemplateFactory
from costrel.routing.factories import Subdomain as Subdomain
from costrel.routing.factories import Submount as Submount
from costrel.routing.pattern import RulePart as RulePart
from costrel.routing.pattern import Weighting as Weighting
from costrel.routing.pattern import parse_converter_args as parse_converter_args
from costrel.routing.rule import Rule as Rule
from costrel.routing.rule import RuleFactory as RuleFactory
