"""`werkzeug._internal`: the names of the original, and Costrel behind them."""

# ruff: noqa: F401 - the original has these names
from costrel.http.dates import datetime_as_utc as _dt_as_utc
from costrel.legacy.werkzeug_internal import Missing as _Missing
from costrel.legacy.werkzeug_internal import environ_of as _get_environ
from costrel.legacy.werkzeug_internal import logger as _logger
from costrel.legacy.werkzeug_internal import missing as _missing
from costrel.legacy.werkzeug_internal import plain_int as _plain_int
from costrel.legacy.werkzeug_internal import plain_int_pattern as _plain_int_re
from costrel.messages.environ import decode as _wsgi_decoding_dance
from costrel.messages.environ import encode as _wsgi_encoding_dance
from costrel.messages.properties import StoredProperty as _DictAccessorProperty
from costrel.server.terminal import StandardError as _ColorStreamHandler
from costrel.server.terminal import log as _log
from costrel.services.logging import has_level_handler as _has_level_handler
from costrel.support.properties import T as _TAccessorValue
