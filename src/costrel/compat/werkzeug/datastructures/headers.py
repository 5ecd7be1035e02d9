"""`werkzeug.datastructures.headers`: the names of the original, and Costrel behind them."""

from costrel.http.errors import BadRequestKeyError as BadRequestKeyError
from costrel.http.headers import Headers as Headers
from costrel.http.immutable import ImmutableHeadersMixin as ImmutableHeadersMixin
from costrel.http.multidict import MultiDict as MultiDict
from costrel.http.multidict import iter_multi_items as iter_multi_items
from costrel.messages.environ import EnvironHeaders as EnvironHeaders
