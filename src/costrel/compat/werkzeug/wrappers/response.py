"""`werkzeug.wrappers.response`: the names of the original, and Costrel behind them."""

from costrel.compat.older_names import is_resource_modified as is_resource_modified
from costrel.http.conditional import remove_entity_headers as remove_entity_headers
from costrel.http.dates import http_date as http_date
from costrel.http.etags import generate_etag as generate_etag
from costrel.http.etags import parse_etags as parse_etags
from costrel.http.headers import Headers as Headers
from costrel.http.ranges import parse_range_header as parse_range_header
from costrel.http.urls import iri_to_uri as iri_to_uri
from costrel.legacy.cached_property import cached_property as cached_property
from costrel.messages.body import ResponseStream as ResponseStream
from costrel.messages.environ import get_current_url as get_current_url
from costrel.messages.response import Response as Response
from costrel.messages.streams import ClosingIterator as ClosingIterator
