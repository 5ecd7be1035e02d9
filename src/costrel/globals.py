"""The proxies for the current application, request, session, WebSocket and ``g``."""

from __future__ import annotations

from . import context
from .app.request import Request
from .app.websocket import WebSocket
from .application_type import Costrel
from .context import AppContext, AppCtxGlobals, RequestContext
from .sessions.session import Session

current_app: Costrel = context.current_app
"""The application of the current request or command."""

g: AppCtxGlobals = context.g
"""A namespace for the current request or command, discarded at its end."""

request: Request = context.request
"""The current request."""

session: Session = context.session
"""The session of the current request."""

websocket: WebSocket = context.websocket
"""The current WebSocket."""

app_ctx: AppContext = context.app_ctx
request_ctx: RequestContext = context.request_ctx
