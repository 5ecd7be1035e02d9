"""`flask.sessions`: the names of the original, and Costrel behind them."""

from costrel.http.callback import CallbackDict as CallbackDict
from costrel.sessions.interface import NullSession as NullSession
from costrel.sessions.interface import SecureCookieSession as SecureCookieSession
from costrel.sessions.interface import SecureCookieSessionInterface as SecureCookieSessionInterface
from costrel.sessions.interface import SessionInterface as SessionInterface
from costrel.sessions.interface import SessionMixin as SessionMixin
from costrel.sessions.interface import session_json_serializer as session_json_serializer
from costrel.sessions.tagged_json import TaggedJSONSerializer as TaggedJSONSerializer
