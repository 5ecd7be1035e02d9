"""`werkzeug.serving`: the names of the original, and Costrel behind them."""

from costrel.http.errors import InternalServerError as InternalServerError
from costrel.server.addresses import LISTEN_QUEUE as LISTEN_QUEUE
from costrel.server.addresses import get_interface_ip as get_interface_ip
from costrel.server.addresses import get_sockaddr as get_sockaddr
from costrel.server.addresses import select_address_family as select_address_family
from costrel.server.certificates import generate_adhoc_ssl_context as generate_adhoc_ssl_context
from costrel.server.certificates import generate_adhoc_ssl_pair as generate_adhoc_ssl_pair
from costrel.server.certificates import is_ssl_error as is_ssl_error
from costrel.server.certificates import load_ssl_context as load_ssl_context
from costrel.server.certificates import make_ssl_devcert as make_ssl_devcert
