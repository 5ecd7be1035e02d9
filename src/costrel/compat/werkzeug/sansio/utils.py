"""`werkzeug.sansio.utils`: the names of the original, and Costrel behind them."""

from costrel.http.errors import SecurityError as SecurityError
