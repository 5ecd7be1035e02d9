"""Ports: functions of the rooms above that the application calls. `costrel.wiring` sets them.

An application can make a test client, start a server and answer one, and yet knows none of them: it asks here.
Each port is a loader, so that a room is imported only when it is used.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from ..support.asgi_types import Receive, Scope, Send
from .habits import not_for_wsgi


def _unplugged(*args: t.Any, **kwargs: t.Any) -> t.Any:
    raise RuntimeError("This part of Costrel is not connected: import `costrel` itself, not one of its rooms alone.")


serve_wsgi: Callable[..., t.Any] = _unplugged
"""``(app, environ, start_response) -> iterable``: the WSGI edge."""

asgi_application: Callable[..., t.Any] = _unplugged
"""``(app) -> ASGI application``: the ASGI edge of one application."""

asgi_without_middleware: Callable[..., t.Any] = _unplugged
"""``(app) -> ASGI application``: the same edge, inside of the application's ASGI middleware."""

test_client: Callable[..., t.Any] = _unplugged
"""``(app, use_cookies, options) -> client``: a test client, of the application's class for them."""

async_test_client_class: Callable[[], t.Any] = _unplugged
test_cli_runner_class: Callable[[], t.Any] = _unplugged
environ_builder_class: Callable[[], t.Any] = _unplugged

event_stream: Callable[..., t.Any] = _unplugged
"""``(events, encode) -> response``: server-sent events."""

openapi_responder: Callable[..., t.Any] = _unplugged
"""``(options, api) -> () -> response``: a view that sends the API document of a version of the current application."""

openapi_page: Callable[..., t.Any] = _unplugged
"""``(options) -> response``: the page that shows the API documents."""

openapi_file: Callable[..., t.Any] = _unplugged
"""``(content_hash, name) -> response``: a file of that page."""

is_on_this_computer: Callable[[], bool] = _unplugged
"""Whether the client of the current request is on this computer, and names it by a local name."""

run_server: Callable[..., None] = _unplugged
"""``(app, host, port, debug, **options)``: the development server; returns when it has been stopped."""


class AsgiInside:
    """The ASGI application itself, without the middleware that may have been put around it.

    ``app.asgi_app = Middleware(app.asgi_app)`` adds ASGI middleware; `asgi` calls it. This is an object with an async
    ``__call__`` and no method: middleware such as Sentry's takes a bound method for an application of ASGI 2. The edge
    is made with the first call, so that the settings may still change.
    """

    def __init__(self, app: object) -> None:
        self.app = app

    @not_for_wsgi
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI scope."""
        await asgi_without_middleware(self.app)(scope, receive, send)
