"""`werkzeug.http`: the names of the original, and Costrel behind them."""

from costrel.compat.older_names import is_resource_modified as is_resource_modified
from costrel.compat.older_names import parse_cookie as parse_cookie
from costrel.compat.older_names import parse_set_header as parse_set_header
from costrel.http.accept import parse_accept_header as parse_accept_header
from costrel.http.cache_control import parse_cache_control_header as parse_cache_control_header
from costrel.http.conditional import ENTITY_HEADERS as _entity_headers  # noqa: F401 - the original has this name
from costrel.http.conditional import HOP_BY_HOP_HEADERS as _hop_by_hop_headers  # noqa: F401 - likewise
from costrel.http.conditional import is_entity_header as is_entity_header
from costrel.http.conditional import is_hop_by_hop_header as is_hop_by_hop_header
from costrel.http.conditional import remove_entity_headers as remove_entity_headers
from costrel.http.conditional import remove_hop_by_hop_headers as remove_hop_by_hop_headers
from costrel.http.cookies import dump_cookie as dump_cookie
from costrel.http.dates import dump_age as dump_age
from costrel.http.dates import http_date as http_date
from costrel.http.dates import parse_age as parse_age
from costrel.http.dates import parse_date as parse_date
from costrel.http.etags import generate_etag as generate_etag
from costrel.http.etags import parse_etags as parse_etags
from costrel.http.etags import quote_etag as quote_etag
from costrel.http.etags import unquote_etag as unquote_etag
from costrel.http.grammar import dump_header as dump_header
from costrel.http.grammar import dump_options_header as dump_options_header
from costrel.http.grammar import is_byte_range_valid as is_byte_range_valid
from costrel.http.grammar import parse_dict_header as parse_dict_header
from costrel.http.grammar import parse_list_header as parse_list_header
from costrel.http.grammar import parse_options_header as parse_options_header
from costrel.http.grammar import quote_header_value as quote_header_value
from costrel.http.grammar import unquote_header_value as unquote_header_value
from costrel.http.policies import COEP as COEP
from costrel.http.policies import COOP as COOP
from costrel.http.policies import dump_csp_header as dump_csp_header
from costrel.http.policies import parse_csp_header as parse_csp_header
from costrel.http.ranges import parse_content_range_header as parse_content_range_header
from costrel.http.ranges import parse_if_range_header as parse_if_range_header
from costrel.http.ranges import parse_range_header as parse_range_header
from costrel.http.status import HTTP_STATUS_CODES as HTTP_STATUS_CODES
