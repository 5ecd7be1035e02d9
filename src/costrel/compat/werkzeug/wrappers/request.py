"""`werkzeug.wrappers.request`: the names of the original, and Costrel behind them."""

from costrel.http.errors import BadRequest as BadRequest
from costrel.http.errors import UnsupportedMediaType as UnsupportedMediaType
from costrel.http.multidict import CombinedMultiDict as CombinedMultiDict
from costrel.http.multidict import ImmutableMultiDict as ImmutableMultiDict
from costrel.http.multidict import MultiDict as MultiDict
from costrel.http.multidict import iter_multi_items as iter_multi_items
from costrel.http.uploads import FileStorage as FileStorage
from costrel.legacy.cached_property import cached_property as cached_property
from costrel.messages.environ import EnvironHeaders as EnvironHeaders
from costrel.messages.environ import get_input_stream as get_input_stream
from costrel.messages.forms import FormDataParser as FormDataParser
from costrel.messages.forms import default_stream_factory as default_stream_factory
from costrel.messages.properties import environ_property as environ_property
from costrel.messages.request import Request as Request
