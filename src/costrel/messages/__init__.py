"""One request and one response: read from an environ, parsed, built and written out."""

from ..http.errors import plug_response_class
from .response import Response

plug_response_class(Response)
