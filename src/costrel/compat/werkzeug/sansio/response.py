"""`werkzeug.sansio.response`: the names of the original, and Costrel behind them."""

from costrel.compat.older_names import parse_set_header as parse_set_header
from costrel.http.authentication import WWWAuthenticate as WWWAuthenticate
from costrel.http.cache_control import ResponseCacheControl as ResponseCacheControl
from costrel.http.cache_control import parse_cache_control_header as parse_cache_control_header
from costrel.http.callback import CallbackDict as CallbackDict
from costrel.http.cookies import dump_cookie as dump_cookie
from costrel.http.dates import dump_age as dump_age
from costrel.http.dates import http_date as http_date
from costrel.http.dates import parse_age as parse_age
from costrel.http.dates import parse_date as parse_date
from costrel.http.etags import quote_etag as quote_etag
from costrel.http.etags import unquote_etag as unquote_etag
from costrel.http.grammar import dump_header as dump_header
from costrel.http.grammar import dump_options_header as dump_options_header
from costrel.http.grammar import parse_options_header as parse_options_header
from costrel.http.header_set import HeaderSet as HeaderSet
from costrel.http.headers import Headers as Headers
from costrel.http.policies import COEP as COEP
from costrel.http.policies import COOP as COOP
from costrel.http.policies import ContentSecurityPolicy as ContentSecurityPolicy
from costrel.http.policies import parse_csp_header as parse_csp_header
from costrel.http.ranges import ContentRange as ContentRange
from costrel.http.ranges import parse_content_range_header as parse_content_range_header
from costrel.http.status import HTTP_STATUS_CODES as HTTP_STATUS_CODES
from costrel.messages.properties import header_property as header_property
from costrel.messages.response_head import ResponseHead as Response  # noqa: F401 - the original has this name
from costrel.messages.response_head import get_content_type as get_content_type
