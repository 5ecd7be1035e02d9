"""`flask.views`: the names of the original, and Costrel behind them."""

from costrel.globals import current_app as current_app
from costrel.globals import request as request
from costrel.views import MethodView as MethodView
from costrel.views import View as View
from costrel.views import http_method_funcs as http_method_funcs
