"""`werkzeug.test`: the names of the original, and Costrel behind them."""

from costrel.http.authentication import Authorization as Authorization
from costrel.http.callback import CallbackDict as CallbackDict
from costrel.http.dates import parse_date as parse_date
from costrel.http.grammar import dump_options_header as dump_options_header
from costrel.http.grammar import parse_options_header as parse_options_header
from costrel.http.multidict import CombinedMultiDict as CombinedMultiDict
from costrel.http.multidict import MultiDict as MultiDict
from costrel.messages.streams import ClosingIterator as ClosingIterator
from costrel.support.properties import cached_property as cached_property
