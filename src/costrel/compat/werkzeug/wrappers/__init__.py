"""`werkzeug.wrappers`: the names of the original, and Costrel behind them."""

from costrel.messages.body import ResponseStream as ResponseStream
from costrel.messages.request import Request as Request
from costrel.messages.response import Response as Response
