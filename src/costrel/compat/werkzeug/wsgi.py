"""`werkzeug.wsgi`: the names of the original, and Costrel behind them."""

from costrel.http.errors import ClientDisconnected as ClientDisconnected
from costrel.http.errors import RequestEntityTooLarge as RequestEntityTooLarge
from costrel.messages.streams import ClosingIterator as ClosingIterator
from costrel.messages.streams import FileWrapper as FileWrapper
from costrel.messages.streams import LimitedStream as LimitedStream
from costrel.messages.streams import RangeWrapper as _RangeWrapper  # noqa: F401 - the original has this name
from costrel.messages.streams import responder as responder
from costrel.messages.streams import wrap_file as wrap_file
