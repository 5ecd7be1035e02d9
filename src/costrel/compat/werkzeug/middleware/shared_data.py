"""`werkzeug.middleware.shared_data`: the names of the original, and Costrel behind them."""

from costrel.compat.older_names import is_resource_modified as is_resource_modified
from costrel.http.dates import http_date as http_date
from costrel.http.etags import quote_etag as quote_etag
from costrel.messages.environ import get_path_info as get_path_info
from costrel.messages.response_head import get_content_type as get_content_type
from costrel.messages.streams import wrap_file as wrap_file
from costrel.middleware.shared_data import SharedDataMiddleware as SharedDataMiddleware
from costrel.support.paths import safe_join as safe_join
