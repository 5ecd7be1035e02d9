"""`werkzeug`: the names of the original, and Costrel behind them."""

from costrel.messages.request import Request as Request
from costrel.messages.response import Response as Response
from costrel.server.wsgi_serving import run_simple as run_simple
from costrel.testing import Client as Client
