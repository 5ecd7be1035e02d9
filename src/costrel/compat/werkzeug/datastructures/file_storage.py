"""`werkzeug.datastructures.file_storage`: the names of the original, and Costrel behind them."""

from costrel.http.multidict import MultiDict as MultiDict
