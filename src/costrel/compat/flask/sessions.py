"""`flask.sessions`: the names of the original, and Costrel behind them."""

from costrel.http.callback import CallbackDict as CallbackDict
from costrel.services.sessions import NullSession as NullSession
from costrel.services.sessions import SecureCookieSession as SecureCookieSession
from costrel.services.sessions import SecureCookieSessionInterface as SecureCookieSessionInterface
from costrel.services.sessions import SessionInterface as SessionInterface
from costrel.services.sessions import SessionMixin as SessionMixin
from costrel.services.sessions import session_json_serializer as session_json_serializer
from costrel.services.tagged_json import TaggedJSONSerializer as TaggedJSONSerializer
