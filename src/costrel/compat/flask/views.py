"""`flask.views`: the names of the original, and Costrel behind them."""

from costrel.views import MethodView as MethodView
from costrel.views import View as View
from costrel.views import http_method_funcs as http_method_funcs
