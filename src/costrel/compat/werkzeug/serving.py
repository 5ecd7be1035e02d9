"""`werkzeug.serving`: the names of the original, and Costrel behind them."""

from costrel.compat.older_names import parse_set_header as parse_set_header
from costrel.devserver.banner import is_running_from_reloader as is_running_from_reloader
from costrel.devserver.certificates import generate_adhoc_ssl_context as generate_adhoc_ssl_context
from costrel.devserver.certificates import generate_adhoc_ssl_pair as generate_adhoc_ssl_pair
from costrel.devserver.certificates import is_ssl_error as is_ssl_error
from costrel.devserver.certificates import load_ssl_context as load_ssl_context
from costrel.devserver.certificates import make_ssl_devcert as make_ssl_devcert
from costrel.devserver.chunked import DechunkedInput as DechunkedInput
from costrel.devserver.wsgi_handler import WSGIRequestHandler as WSGIRequestHandler
from costrel.devserver.wsgi_handler import connection_dropped_errors as connection_dropped_errors
from costrel.devserver.wsgi_serving import BaseWSGIServer as BaseWSGIServer
from costrel.devserver.wsgi_serving import ForkingMixIn as ForkingMixIn
from costrel.devserver.wsgi_serving import ForkingWSGIServer as ForkingWSGIServer
from costrel.devserver.wsgi_serving import ThreadedWSGIServer as ThreadedWSGIServer
from costrel.devserver.wsgi_serving import can_fork as can_fork
from costrel.devserver.wsgi_serving import make_server as make_server
from costrel.devserver.wsgi_serving import run_simple as run_simple
from costrel.http.errors import InternalServerError as InternalServerError
from costrel.http.urls import uri_to_iri as uri_to_iri
from costrel.server.addresses import LISTEN_QUEUE as LISTEN_QUEUE
from costrel.server.addresses import af_unix as af_unix
from costrel.server.addresses import get_interface_ip as get_interface_ip
from costrel.server.addresses import get_sockaddr as get_sockaddr
from costrel.server.addresses import select_address_family as select_address_family
