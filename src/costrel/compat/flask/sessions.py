"""`flask.sessions`: the names of the original, and Costrel behind them."""

from costrel.http.callback import CallbackDict as CallbackDict
from costrel.services.tagged_json import TaggedJSONSerializer as TaggedJSONSerializer
