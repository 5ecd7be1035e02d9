"""`werkzeug.sansio.utils`: the names of the original, and Costrel behind them."""

from costrel.compat.older_names import get_content_length as get_content_length
from costrel.compat.older_names import parse_set_header as parse_set_header
from costrel.http.errors import SecurityError as SecurityError
from costrel.http.hosts import get_current_url as get_current_url
from costrel.http.hosts import get_host as get_host
from costrel.http.hosts import host_is_trusted as host_is_trusted
from costrel.http.urls import uri_to_iri as uri_to_iri
