"""`werkzeug.urls`: the names of the original, and Costrel behind them."""

from costrel.http.multidict import iter_multi_items as iter_multi_items
from costrel.http.urls import iri_to_uri as iri_to_uri
from costrel.http.urls import uri_to_iri as uri_to_iri
