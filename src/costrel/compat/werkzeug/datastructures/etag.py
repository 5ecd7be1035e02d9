"""`werkzeug.datastructures.etag`: the names of the original, and Costrel behind them."""

from costrel.http.etags import ETags as ETags
