"""`werkzeug.utils`: the names of the original, and Costrel behind them."""

from markupsafe import escape as escape

from costrel.compat.patched_names import reach_home
from costrel.http.errors import NotFound as NotFound
from costrel.http.errors import RequestedRangeNotSatisfiable as RequestedRangeNotSatisfiable
from costrel.http.headers import Headers as Headers
from costrel.legacy.cached_property import cached_property as cached_property
from costrel.messages.files import send_file as send_file
from costrel.messages.files import send_from_directory as send_from_directory
from costrel.messages.properties import environ_property as environ_property
from costrel.messages.properties import header_property as header_property
from costrel.messages.redirects import append_slash_redirect as append_slash_redirect
from costrel.messages.redirects import redirect as redirect
from costrel.messages.response_head import get_content_type as get_content_type
from costrel.messages.streams import wrap_file as wrap_file
from costrel.support.importing import ImportStringError as ImportStringError
from costrel.support.importing import find_modules as find_modules
from costrel.support.importing import import_string as import_string
from costrel.support.paths import ascii_filename as secure_filename  # noqa: F401 - the original has this name
from costrel.support.paths import safe_join as safe_join

reach_home(__name__)
