"""`werkzeug.middleware.http_proxy`: the names of the original, and Costrel behind them."""

from costrel.http.conditional import is_hop_by_hop_header as is_hop_by_hop_header
