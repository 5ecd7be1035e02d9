"""The proxies: the application, request, session and ``g`` that are current where they are used."""

from __future__ import annotations

from . import context
from .app.application import Costrel
from .app.request import Request
from .app.websocket import WebSocket
from .context import AppContext, AppCtxGlobals, RequestContext
from .services.session import Session

current_app: Costrel = context.current_app
"""The application that handles the current request or command."""

g: AppCtxGlobals = context.g
"""A namespace for the current request or command, gone at its end."""

request: Request = context.request
"""The request that is being handled."""

session: Session = context.session
"""The session of the request that is being handled."""

websocket: WebSocket = context.websocket
"""The WebSocket that is being served."""

app_ctx: AppContext = context.app_ctx
request_ctx: RequestContext = context.request_ctx
