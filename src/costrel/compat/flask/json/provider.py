"""`flask.json.provider`: the names of the original, and Costrel behind them."""

from costrel.http.dates import http_date as http_date
from costrel.services.json_provider import DefaultJSONProvider as DefaultJSONProvider
from costrel.services.json_provider import JSONProvider as JSONProvider
from costrel.services.json_provider import default as _default  # noqa: F401 - the original has this name
