"""`flask.logging`: the names of the original, and Costrel behind them."""

from costrel.globals import request as request
from costrel.services.logging import create_logger as create_logger
from costrel.services.logging import default_handler as default_handler
from costrel.services.logging import has_level_handler as has_level_handler
from costrel.services.logging import wsgi_errors_stream as wsgi_errors_stream
from costrel.support.local import LocalProxy as LocalProxy
