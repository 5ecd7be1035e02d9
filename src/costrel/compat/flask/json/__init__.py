"""`flask.json`: the names of the original, and Costrel behind them."""

from costrel.globals import current_app as current_app
from costrel.services.json import dump as dump
from costrel.services.json import dumps as dumps
from costrel.services.json import jsonify as jsonify
from costrel.services.json import load as load
from costrel.services.json import loads as loads
