"""`werkzeug.urls`: the names of the original, and Costrel behind them."""

from costrel.http.multidict import iter_multi_items as iter_multi_items
