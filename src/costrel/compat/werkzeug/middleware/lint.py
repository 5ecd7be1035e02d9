"""`werkzeug.middleware.lint`: the names of the original, and Costrel behind them."""

from costrel.http.conditional import is_entity_header as is_entity_header
from costrel.http.headers import Headers as Headers
from costrel.messages.streams import FileWrapper as FileWrapper
