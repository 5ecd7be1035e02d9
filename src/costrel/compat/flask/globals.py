"""`flask.globals`: the names of the original, and Costrel behind them."""

from costrel.support.local import LocalProxy as LocalProxy
