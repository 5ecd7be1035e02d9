"""`werkzeug`: the names of the original, and Costrel behind them."""

from costrel.devserver.wsgi_serving import run_simple as run_simple
from costrel.messages.request import Request as Request
from costrel.messages.response import Response as Response
from costrel.testing import Client as Client
