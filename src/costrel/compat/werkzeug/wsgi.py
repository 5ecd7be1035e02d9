"""`werkzeug.wsgi`: the names of the original, and Costrel behind them."""

from costrel.http.errors import ClientDisconnected as ClientDisconnected
from costrel.http.errors import RequestEntityTooLarge as RequestEntityTooLarge
from costrel.http.hosts import host_is_trusted as host_is_trusted
from costrel.messages.environ import _get_server as _get_server
from costrel.messages.environ import get_content_length as get_content_length
from costrel.messages.environ import get_current_url as get_current_url
from costrel.messages.environ import get_host as get_host
from costrel.messages.environ import get_input_stream as get_input_stream
from costrel.messages.environ import get_path_info as get_path_info
from costrel.messages.streams import ClosingIterator as ClosingIterator
from costrel.messages.streams import FileWrapper as FileWrapper
from costrel.messages.streams import LimitedStream as LimitedStream
from costrel.messages.streams import RangeWrapper as _RangeWrapper  # noqa: F401 - the original has this name
from costrel.messages.streams import responder as responder
from costrel.messages.streams import wrap_file as wrap_file
