"""`werkzeug.debug.tbtools`: the names of the original, and Costrel behind them."""

from costrel.support.properties import cached_property as cached_property
