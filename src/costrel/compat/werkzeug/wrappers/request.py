"""`werkzeug.wrappers.request`: the names of the original, and Costrel behind them."""

from costrel.http.errors import BadRequest as BadRequest
from costrel.http.errors import UnsupportedMediaType as UnsupportedMediaType
from costrel.http.multidict import CombinedMultiDict as CombinedMultiDict
from costrel.http.multidict import ImmutableMultiDict as ImmutableMultiDict
from costrel.http.multidict import MultiDict as MultiDict
from costrel.http.multidict import iter_multi_items as iter_multi_items
from costrel.support.properties import cached_property as cached_property
