"""`werkzeug.routing.matcher`: the names of the original, and Costrel behind them."""

from costrel.routing.adapter import NoMatch as NoMatch
from costrel.routing.adapter import RequestAliasRedirect as RequestAliasRedirect
from costrel.routing.adapter import RequestPath as RequestPath
from costrel.routing.converters import ValidationError as ValidationError
from costrel.routing.factories import Rule as Rule
from costrel.routing.map import StateMachineMatcher as StateMachineMatcher
from costrel.routing.matcher import RulePart as RulePart
from costrel.routing.matcher import SlashRequired as SlashRequired
from costrel.routing.matcher import State as State
