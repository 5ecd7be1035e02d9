"""`werkzeug.datastructures.csp`: the names of the original, and Costrel behind them."""

from costrel.http.callback import CallbackDict as CallbackDict
from costrel.http.policies import ContentSecurityPolicy as ContentSecurityPolicy
from costrel.http.policies import csp_property as csp_property
