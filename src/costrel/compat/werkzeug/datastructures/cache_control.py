"""`werkzeug.datastructures.cache_control`: the names of the original, and Costrel behind them."""

from costrel.http.cache_control import RequestCacheControl as RequestCacheControl
from costrel.http.cache_control import ResponseCacheControl as ResponseCacheControl
from costrel.http.cache_control import _CacheControl as _CacheControl
from costrel.http.cache_control import cache_control_property as cache_control_property
from costrel.http.callback import CallbackDict as CallbackDict
from costrel.http.immutable import ImmutableDictMixin as ImmutableDictMixin
