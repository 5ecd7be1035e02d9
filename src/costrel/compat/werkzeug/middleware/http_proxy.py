"""`werkzeug.middleware.http_proxy`: the names of the original, and Costrel behind them."""

from costrel.http.conditional import is_hop_by_hop_header as is_hop_by_hop_header
from costrel.legacy.http_proxy import ProxyMiddleware as ProxyMiddleware
from costrel.messages.environ import EnvironHeaders as EnvironHeaders
from costrel.messages.environ import get_input_stream as get_input_stream
