"""`werkzeug.testapp`: the names of the original, and Costrel behind them."""

from costrel.legacy.info_page import TEMPLATE as TEMPLATE
from costrel.legacy.info_page import iter_sys_path as iter_sys_path
from costrel.legacy.info_page import test_app as test_app
from costrel.messages.request import Request as Request
from costrel.messages.response import Response as Response
