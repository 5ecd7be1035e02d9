"""`werkzeug.sansio.http`: the names of the original, and Costrel behind them."""

from costrel.http.conditional import is_resource_modified as is_resource_modified
from costrel.http.cookies import parse_cookie as parse_cookie
from costrel.http.dates import parse_date as parse_date
from costrel.http.etags import generate_etag as generate_etag
from costrel.http.etags import parse_etags as parse_etags
from costrel.http.etags import unquote_etag as unquote_etag
from costrel.http.ranges import parse_if_range_header as parse_if_range_header
