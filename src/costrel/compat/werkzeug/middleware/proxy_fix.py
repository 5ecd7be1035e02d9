"""`werkzeug.middleware.proxy_fix`: the names of the original, and Costrel behind them."""

from costrel.http.grammar import parse_list_header as parse_list_header
from costrel.middleware.proxy_fix import ProxyFix as ProxyFix
