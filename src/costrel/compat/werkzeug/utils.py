"""`werkzeug.utils`: the names of the original, and Costrel behind them."""

from costrel.http.errors import NotFound as NotFound
from costrel.http.errors import RequestedRangeNotSatisfiable as RequestedRangeNotSatisfiable
from costrel.messages.streams import wrap_file as wrap_file
from costrel.support.importing import ImportStringError as ImportStringError
from costrel.support.importing import find_modules as find_modules
from costrel.support.importing import import_string as import_string
from costrel.support.paths import safe_join as safe_join
from costrel.support.paths import secure_filename as secure_filename
from costrel.support.properties import cached_property as cached_property
