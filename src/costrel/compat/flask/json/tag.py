"""`flask.json.tag`: the names of the original, and Costrel behind them."""

from costrel.http.dates import http_date as http_date
from costrel.http.dates import parse_date as parse_date
from costrel.services.json import dumps as dumps
from costrel.services.json import loads as loads
from costrel.services.tagged_json import JSONTag as JSONTag
from costrel.services.tagged_json import PassDict as PassDict
from costrel.services.tagged_json import PassList as PassList
from costrel.services.tagged_json import TagBytes as TagBytes
from costrel.services.tagged_json import TagDateTime as TagDateTime
from costrel.services.tagged_json import TagDict as TagDict
from costrel.services.tagged_json import TaggedJSONSerializer as TaggedJSONSerializer
from costrel.services.tagged_json import TagMarkup as TagMarkup
from costrel.services.tagged_json import TagTuple as TagTuple
from costrel.services.tagged_json import TagUUID as TagUUID
