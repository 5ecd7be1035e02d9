"""`werkzeug.routing.matcher`: the names of the original, and Costrel behind them."""

from costrel.routing.converters import ValidationError as ValidationError
from costrel.routing.errors import NoMatch as NoMatch
from costrel.routing.errors import RequestAliasRedirect as RequestAliasRedirect
from costrel.routing.errors import RequestPath as RequestPath
from costrel.routing.matcher import SlashRequired as SlashRequired
from costrel.routing.matcher import State as State
from costrel.routing.matcher import StateMachineMatcher as StateMachineMatcher
from costrel.routing.pattern import RulePart as RulePart
from costrel.routing.rule import Rule as Rule
