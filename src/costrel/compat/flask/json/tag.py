"""`flask.json.tag`: the names of the original, and Costrel behind them."""

from costrel.http.dates import http_date as http_date
from costrel.http.dates import parse_date as parse_date
from costrel.services.json import dumps as dumps
from costrel.services.json import loads as loads
from costrel.sessions.tagged_json import JSONTag as JSONTag
from costrel.sessions.tagged_json import PassDict as PassDict
from costrel.sessions.tagged_json import PassList as PassList
from costrel.sessions.tagged_json import TagBytes as TagBytes
from costrel.sessions.tagged_json import TagDateTime as TagDateTime
from costrel.sessions.tagged_json import TagDict as TagDict
from costrel.sessions.tagged_json import TaggedJSONSerializer as TaggedJSONSerializer
from costrel.sessions.tagged_json import TagMarkup as TagMarkup
from costrel.sessions.tagged_json import TagTuple as TagTuple
from costrel.sessions.tagged_json import TagUUID as TagUUID
