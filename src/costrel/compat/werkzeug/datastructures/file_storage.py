"""`werkzeug.datastructures.file_storage`: the names of the original, and Costrel behind them."""

from costrel.http.headers import Headers as Headers
from costrel.http.multidict import MultiDict as MultiDict
from costrel.http.uploads import FileMultiDict as FileMultiDict
from costrel.http.uploads import FileStorage as FileStorage
