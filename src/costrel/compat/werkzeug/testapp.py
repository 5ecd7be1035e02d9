"""`werkzeug.testapp`: the names of the original, and Costrel behind them."""

from costrel.messages.request import Request as Request
from costrel.messages.response import Response as Response
